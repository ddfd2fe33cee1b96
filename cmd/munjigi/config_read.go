package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxConfig bounds a configuration file; a large one has some thousand lines.
const maxConfig = 1 << 20

// loadConfig reads and checks a file. What is wrong with its content is a *configError with all problems at once.
func loadConfig(file string) (Config, error) {
	info, err := os.Stat(file)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxConfig {
		return Config{}, fmt.Errorf("configuration %s: want a regular file of at most %d bytes", file, maxConfig)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	return readConfig(file, text)
}

func readConfig(file string, text []byte) (Config, error) {
	config := Config{source: source{file: file, dir: filepath.Dir(file), hash: sha256.Sum256(text), at: map[string]position{}}}
	found := &problems{from: &config.source}
	config.setDefaults()
	root := found.parse(text)
	if root != nil {
		r := reader{found}
		r.node(root, "", reflect.ValueOf(&config).Elem())
		config.complete()
		checker{&config, found}.all()
	}
	return config, found.err()
}

// parse is the YAML itself; nil when it cannot be read, which is then the only problem.
func (p *problems) parse(text []byte) ast.Node {
	file, err := parser.ParseBytes(text, 0)
	if trouble, ok := errors.AsType[yaml.Error](err); ok {
		at := position{1, 1}
		if tok := trouble.GetToken(); tok != nil && tok.Position != nil {
			at = position{tok.Position.Line, tok.Position.Column}
		}
		p.addAt(at, "", "what is not YAML: "+trouble.GetMessage(), "KEY: VALUE lines, indented by spaces")
		return nil
	}
	switch {
	case err != nil:
		p.addAt(position{1, 1}, "", "what is not YAML: "+err.Error(), "KEY: VALUE lines, indented by spaces")
	case len(file.Docs) == 0 || file.Docs[0].Body == nil:
		p.addAt(position{1, 1}, "", "an empty file", "a configuration; `munjigi init` writes one")
	case len(file.Docs) > 1:
		p.addAt(place(file.Docs[1].Body), "", "a second document", "one document")
	default:
		if root, ok := file.Docs[0].Body.(*ast.MappingNode); ok {
			return root
		}
		p.addAt(place(file.Docs[0].Body), "", describe(file.Docs[0].Body), "KEY: VALUE lines")
	}
	return nil
}

// reader puts a YAML tree into a Config. Beside the strict rules (no unknown keys, no other types) it knows no
// anchors, aliases, merges and tags: a file of this size is clearer without them.
type reader struct{ *problems }

type defaulter interface{ setDefaults() }

func (r reader) node(node ast.Node, key string, to reflect.Value) {
	if at := place(node); key != "" && at != (position{}) {
		r.from.at[key] = at
	}
	if _, ok := to.Interface().(later); ok {
		to.SetBool(true)
		return
	}
	if scalar, ok := to.Addr().Interface().(value); ok {
		text, isScalar := scalarText(node)
		if !isScalar || scalar.read(text) != nil {
			r.add(key, describe(node), scalar.expects())
		}
		return
	}
	switch to.Kind() {
	case reflect.Pointer:
		if _, empty := node.(*ast.NullNode); empty {
			r.add(key, "nothing", "indented keys")
			return
		}
		to.Set(reflect.New(to.Type().Elem()))
		r.node(node, key, to.Elem())
	case reflect.Struct, reflect.Map:
		r.mapping(node, key, to)
	case reflect.Slice:
		r.sequence(node, key, to)
	default:
		r.scalar(node, key, to)
	}
}

func (r reader) mapping(node ast.Node, key string, to reflect.Value) {
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		r.add(key, describe(node), "indented keys")
		return
	}
	if to.Kind() == reflect.Map {
		to.Set(reflect.MakeMap(to.Type()))
	}
	for _, entry := range mapping.Values {
		name, ok := entry.Key.(*ast.StringNode)
		if !ok {
			r.addAt(place(entry.Key), key, "the key "+quoted(entry.Key.String()), "a plain name")
			continue
		}
		inner := join(key, name.Value)
		if to.Kind() == reflect.Map {
			r.from.at[inner] = place(name)
			r.entry(entry.Value, inner, name.Value, to)
			continue
		}
		field, known := fieldOf(to, name.Value)
		if !known {
			r.addAt(place(name), inner, "an unknown key", oneOf(name.Value, fieldNames(to.Type())))
			continue
		}
		r.node(entry.Value, inner, field)
	}
}

// entry is one named thing, such as a realm. Problems with all of it point at its name.
func (r reader) entry(node ast.Node, key, name string, to reflect.Value) {
	element := reflect.New(to.Type().Elem())
	if defaults, ok := element.Interface().(defaulter); ok {
		defaults.setDefaults()
	}
	at := r.from.at[key]
	r.node(node, key, element.Elem())
	r.from.at[key] = at
	to.SetMapIndex(reflect.ValueOf(name), element.Elem())
}

func (r reader) sequence(node ast.Node, key string, to reflect.Value) {
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		r.add(key, describe(node), "a list: [a, b]")
		return
	}
	to.Set(reflect.MakeSlice(to.Type(), len(list.Values), len(list.Values)))
	for i, element := range list.Values {
		r.node(element, key+"["+strconv.Itoa(i)+"]", to.Index(i))
	}
}

func (r reader) scalar(node ast.Node, key string, to reflect.Value) {
	switch to.Kind() {
	case reflect.String:
		switch node := node.(type) {
		case *ast.StringNode:
			to.SetString(node.Value)
		case *ast.LiteralNode:
			to.SetString(strings.TrimSpace(node.Value.Value))
		case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
			r.add(key, describe(node), "a text: put it in quotes")
		default:
			r.add(key, describe(node), "a text")
		}
	case reflect.Int:
		text, _ := scalarText(node)
		n, err := strconv.Atoi(text)
		if _, ok := node.(*ast.IntegerNode); !ok || err != nil {
			r.add(key, describe(node), "a whole number")
			return
		}
		to.SetInt(int64(n))
	default:
		panic("configuration has a member of kind " + to.Kind().String())
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
		return quoted(node.Value)
	case *ast.LiteralNode:
		return quoted(node.Value.Value)
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
	return quoted(node.String()) + ", which this file does not know"
}
