// Package strict reads a YAML file into structs, and tells everything that is wrong with it at once: each problem with
// its line and column, what was found, and what was expected. Unknown keys, other types and repeated keys are
// problems; anchors, aliases, merges and tags it does not know.
//
// It knows nothing of what the values mean: the owner of the structs adds its own problems to the Document.
package strict

import (
	"errors"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Value is a scalar with a spelling of its own.
type Value interface {
	Read(text string) error
	Expects() string // what to say when Read fails: "a duration such as 5m"
}

// Defaulter is an element of a map, or behind a pointer, that does not begin with zero members.
type Defaulter interface{ SetDefaults() }

// Document is a file that was read: where its keys are, and what is wrong with it.
type Document struct {
	file     string
	at       map[string]position
	problems []Problem
	advice   []Problem
}

// position is a place in the file; both count from 1.
type position struct{ line, column int }

// Read puts a document into a pointer to a struct. Its members have `yaml` tags and are texts, whole numbers, true or
// false, Values, lists, structs, pointers to structs, or maps from names to those. ok tells that the document had
// keys at all: then it is worth while to look at what they mean.
func Read(file string, text []byte, into any) (d *Document, ok bool) {
	d = &Document{file: file, at: map[string]position{}}
	root := d.parse(text)
	if root == nil {
		return d, false
	}
	d.node(root, "", reflect.ValueOf(into).Elem())
	return d, true
}

// parse is the YAML itself; nil when it cannot be read, which is then the only problem.
func (d *Document) parse(text []byte) ast.Node {
	file, err := parser.ParseBytes(text, 0)
	if trouble, ok := errors.AsType[yaml.Error](err); ok {
		at := position{1, 1}
		if tok := trouble.GetToken(); tok != nil && tok.Position != nil {
			at = position{tok.Position.Line, tok.Position.Column}
		}
		d.addAt(at, "", "what is not YAML: "+trouble.GetMessage(), "KEY: VALUE lines, indented by spaces")
		return nil
	}
	switch {
	case err != nil:
		d.addAt(position{1, 1}, "", "what is not YAML: "+err.Error(), "KEY: VALUE lines, indented by spaces")
	case len(file.Docs) == 0 || file.Docs[0].Body == nil:
		d.addAt(position{1, 1}, "", "an empty file", "KEY: VALUE lines")
	case len(file.Docs) > 1:
		d.addAt(place(file.Docs[1].Body), "", "a second document", "one document")
	default:
		if root, ok := file.Docs[0].Body.(*ast.MappingNode); ok {
			return root
		}
		d.addAt(place(file.Docs[0].Body), "", describe(file.Docs[0].Body), "KEY: VALUE lines")
	}
	return nil
}

func (d *Document) node(node ast.Node, key string, to reflect.Value) {
	if at := place(node); key != "" && at != (position{}) {
		d.at[key] = at
	}
	if scalar, ok := to.Addr().Interface().(Value); ok {
		text, isScalar := scalarText(node)
		if !isScalar || scalar.Read(text) != nil {
			d.Add(key, describe(node), scalar.Expects())
		}
		return
	}
	switch to.Kind() {
	case reflect.Pointer:
		if _, empty := node.(*ast.NullNode); empty {
			d.Add(key, "nothing", "indented keys")
			return
		}
		to.Set(reflect.New(to.Type().Elem()))
		if defaults, ok := to.Interface().(Defaulter); ok {
			defaults.SetDefaults()
		}
		d.node(node, key, to.Elem())
	case reflect.Struct, reflect.Map:
		d.mapping(node, key, to)
	case reflect.Slice:
		d.sequence(node, key, to)
	default:
		d.scalar(node, key, to)
	}
}

func (d *Document) mapping(node ast.Node, key string, to reflect.Value) {
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		d.Add(key, describe(node), "indented keys")
		return
	}
	if to.Kind() == reflect.Map {
		to.Set(reflect.MakeMap(to.Type()))
	}
	for _, entry := range mapping.Values {
		name, ok := entry.Key.(*ast.StringNode)
		if !ok {
			d.addAt(place(entry.Key), key, "the key "+Quoted(entry.Key.String()), "a plain name")
			continue
		}
		inner := join(key, name.Value)
		if to.Kind() == reflect.Map {
			d.at[inner] = place(name)
			d.entry(entry.Value, inner, name.Value, to)
			continue
		}
		field, known := fieldOf(to, name.Value)
		if !known {
			d.addAt(place(name), inner, "an unknown key", OneOf(name.Value, fieldNames(to.Type())))
			continue
		}
		d.node(entry.Value, inner, field)
	}
}

// entry is one named thing, such as a realm. Problems with all of it point at its name.
func (d *Document) entry(node ast.Node, key, name string, to reflect.Value) {
	element := reflect.New(to.Type().Elem())
	if defaults, ok := element.Interface().(Defaulter); ok {
		defaults.SetDefaults()
	}
	at := d.at[key]
	d.node(node, key, element.Elem())
	d.at[key] = at
	to.SetMapIndex(reflect.ValueOf(name), element.Elem())
}

func (d *Document) sequence(node ast.Node, key string, to reflect.Value) {
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		d.Add(key, describe(node), "a list: [a, b]")
		return
	}
	to.Set(reflect.MakeSlice(to.Type(), len(list.Values), len(list.Values)))
	for i, element := range list.Values {
		d.node(element, key+"["+strconv.Itoa(i)+"]", to.Index(i))
	}
}

func (d *Document) scalar(node ast.Node, key string, to reflect.Value) {
	switch to.Kind() {
	case reflect.String:
		switch node := node.(type) {
		case *ast.StringNode:
			to.SetString(node.Value)
		case *ast.LiteralNode:
			to.SetString(strings.TrimSpace(node.Value.Value))
		case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
			d.Add(key, describe(node), "a text: put it in quotes")
		default:
			d.Add(key, describe(node), "a text")
		}
	case reflect.Int:
		text, _ := scalarText(node)
		n, err := strconv.Atoi(text)
		if _, ok := node.(*ast.IntegerNode); !ok || err != nil {
			d.Add(key, describe(node), "a whole number")
			return
		}
		to.SetInt(int64(n))
	case reflect.Bool:
		yes, ok := node.(*ast.BoolNode)
		if !ok {
			d.Add(key, describe(node), "true or false")
			return
		}
		to.SetBool(yes.Value)
	default:
		panic("strict: a member of kind " + to.Kind().String())
	}
}

// fieldOf finds the member of a struct by the key in its tag.
func fieldOf(to reflect.Value, name string) (reflect.Value, bool) {
	for i := range to.NumField() {
		if to.Type().Field(i).Tag.Get("yaml") == name && name != "" {
			return to.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func fieldNames(of reflect.Type) (names []string) {
	for i := range of.NumField() {
		if name := of.Field(i).Tag.Get("yaml"); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

// place is where a node begins. The token of a block mapping is its first colon, so its first key counts instead.
func place(node ast.Node) position {
	if mapping, ok := node.(*ast.MappingNode); ok && len(mapping.Values) > 0 && !mapping.IsFlowStyle {
		return place(mapping.Values[0].Key)
	}
	if tok := node.GetToken(); tok != nil && tok.Position != nil {
		return position{tok.Position.Line, tok.Position.Column}
	}
	return position{}
}

func scalarText(node ast.Node) (string, bool) {
	switch node := node.(type) {
	case *ast.StringNode:
		return node.Value, true
	case *ast.IntegerNode, *ast.FloatNode:
		return node.GetToken().Value, true
	}
	return "", false
}

// describe says what stands there, in the words of the file.
func describe(node ast.Node) string {
	switch node := node.(type) {
	case *ast.StringNode:
		return Quoted(node.Value)
	case *ast.LiteralNode:
		return Quoted(node.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "the number " + node.GetToken().Value
	case *ast.BoolNode:
		return node.GetToken().Value
	case *ast.NullNode:
		return "nothing"
	case *ast.MappingNode:
		return "indented keys"
	case *ast.SequenceNode:
		return "a list"
	}
	return Quoted(node.String()) + ", which this file does not know"
}
