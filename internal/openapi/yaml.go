package openapi

import (
	"errors"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// yamlReader builds nodes from the syntax tree of a YAML document. Aliases share the node that they stand for, and
// count as if they were written out: what a few lines can blow up is refused.
type yamlReader struct {
	anchors map[string]*Node
}

func parseYAML(text []byte) (*Node, error) {
	if len(text) > MaxYAML {
		return nil, refuse(TooLarge, "%d bytes of YAML, at most %d; up to %d as JSON", len(text), MaxYAML, MaxSize)
	}
	if deep(text) {
		return nil, refuse(TooLarge, "values within values more than %d deep", MaxDepth)
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, syntaxError(err)
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil, refuse(Malformed, "the document is empty")
	}
	r := &yamlReader{anchors: map[string]*Node{}}
	n, err := r.value(file.Docs[0].Body, 0)
	if err != nil {
		return nil, err
	}
	return n, nil
}

func syntaxError(err error) error {
	if trouble, ok := errors.AsType[yaml.Error](err); ok {
		if token := trouble.GetToken(); token != nil && token.Position != nil {
			return &Error{Malformed, token.Position.Line, token.Position.Column, "not YAML: " + clip(trouble.GetMessage())}
		}
	}
	return refuse(Malformed, "not YAML")
}

// deep tells, before the parser goes down into it, whether brackets or dashes are nested beyond the limit. It counts
// those within texts as well, and so allows far more.
func deep(text []byte) bool {
	const most = 20 * MaxDepth
	brackets, dashes := 0, 0
	for _, c := range text {
		switch c {
		case '[', '{':
			brackets++
		case ']', '}':
			brackets = max(brackets-1, 0)
		case '-', '?', ':':
			dashes++
		case '\n':
			dashes = 0
		}
		if brackets > most || dashes > most {
			return true
		}
	}
	return false
}

func (r *yamlReader) value(from ast.Node, depth int) (*Node, error) {
	if depth > MaxDepth {
		return nil, at(from, TooLarge, "values within values more than "+strconv.Itoa(MaxDepth)+" deep")
	}
	n, err := r.read(from, depth)
	if err == nil && n.size > MaxValues {
		return nil, at(from, TooLarge, "more than "+strconv.Itoa(MaxValues)+" values")
	}
	return n, err
}

func (r *yamlReader) read(from ast.Node, depth int) (*Node, error) {
	switch from := from.(type) {
	case *ast.MappingNode:
		return r.mapping(from.Values, depth)
	case *ast.MappingValueNode:
		return r.mapping([]*ast.MappingValueNode{from}, depth)
	case *ast.SequenceNode:
		n := NewArray()
		for _, item := range from.Values {
			value, err := r.value(item, depth+1)
			if err != nil {
				return nil, err
			}
			n.add("", value)
		}
		return n, nil
	case *ast.AnchorNode:
		return r.anchor(from, depth)
	case *ast.AliasNode:
		name := from.Value.GetToken().Value
		n := r.anchors[name]
		if n == nil {
			return nil, at(from, Malformed, "the alias "+clip(name)+" stands for nothing, or for itself")
		}
		return n, nil
	case *ast.TagNode:
		return r.tagged(from, depth)
	}
	return scalar(from), nil
}

func (r *yamlReader) anchor(from *ast.AnchorNode, depth int) (*Node, error) {
	name := from.Name.GetToken().Value
	delete(r.anchors, name) // within its own value it stands for nothing
	n, err := r.value(from.Value, depth+1)
	if err == nil {
		r.anchors[name] = n
	}
	return n, err
}

// tagged is a value with a tag: only !!str matters, the others say what is seen anyway.
func (r *yamlReader) tagged(from *ast.TagNode, depth int) (*Node, error) {
	if from.Value == nil {
		return &Node{size: 1}, nil
	}
	if from.Start.Value == "!!str" {
		if n, ok := from.Value.(ast.ScalarNode); ok {
			return NewString(n.GetToken().Value), nil
		}
	}
	return r.value(from.Value, depth+1)
}

func scalar(from ast.Node) *Node {
	switch from := from.(type) {
	case *ast.BoolNode:
		return &Node{Kind: Bool, Text: strconv.FormatBool(from.Value), size: 1}
	case *ast.IntegerNode:
		return number(from.GetToken().Value, from.Value)
	case *ast.FloatNode:
		return number(from.GetToken().Value, from.Value)
	case *ast.StringNode:
		return NewString(from.Value)
	case *ast.LiteralNode:
		return NewString(from.Value.Value)
	}
	return &Node{size: 1} // null, and what JSON does not know
}

func (r *yamlReader) mapping(values []*ast.MappingValueNode, depth int) (*Node, error) {
	n, merged := NewObject(), []*Node(nil)
	for _, pair := range values {
		value, err := r.value(pair.Value, depth+1)
		if err != nil {
			return nil, err
		}
		if pair.Key.IsMergeKey() {
			merged = append(merged, value)
			continue
		}
		key := keyOf(pair.Key)
		if n.Has(key) {
			return nil, at(pair.Key, Malformed, strconv.Quote(clip(key))+" is there twice")
		}
		n.add(key, value)
	}
	for _, from := range merged { // last: a member of its own goes before one that is merged
		merge(n, from)
	}
	return n, nil
}

// merge gives n the members of from ("<<"), where it does not have them.
func merge(n, from *Node) {
	for _, item := range from.Items() {
		merge(n, item)
	}
	for key, value := range from.Members() {
		if !n.Has(key) {
			n.add(key, value)
		}
	}
}

// keyOf is the name of a member: numbers (200:) and booleans (on:) as they are written.
func keyOf(key ast.MapKeyNode) string {
	switch key := key.(type) {
	case *ast.StringNode:
		return key.Value
	case *ast.MappingKeyNode:
		if inner, ok := key.Value.(ast.MapKeyNode); ok {
			return keyOf(inner)
		}
	case *ast.AnchorNode:
		if inner, ok := key.Value.(ast.MapKeyNode); ok {
			return keyOf(inner)
		}
	}
	return strings.TrimSpace(key.GetToken().Value)
}

// at is an error at a place of the document.
func at(node ast.Node, code Code, detail string) error {
	e := &Error{Code: code, Detail: detail}
	if token := node.GetToken(); token != nil && token.Position != nil {
		e.Line, e.Column = token.Position.Line, token.Position.Column
	}
	return e
}
