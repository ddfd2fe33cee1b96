package openapi

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// yamlReader builds nodes from the nodes of a YAML document. Aliases share the node that they stand for, and count as if
// they were written out: what a few lines can blow up is refused.
type yamlReader struct {
	done map[*yaml.Node]*Node // what anchors stand for
	open map[*yaml.Node]bool  // anchors whose value is being read
}

func parseYAML(text []byte) (*Node, error) {
	if len(text) > MaxYAML {
		return nil, refuse(TooLarge, "%d bytes of YAML, at most %d; up to %d as JSON", len(text), MaxYAML, MaxSize)
	}
	limits := loaderlimits.New(loaderlimits.DepthFunc(checkDepth), loaderlimits.AliasNone()) // aliases are counted here
	var document yaml.Node
	if err := yaml.Load(text, &document, yaml.WithPlugin(limits)); err != nil {
		return nil, syntaxError(err)
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 {
		return nil, refuse(Malformed, "the document is empty")
	}
	r := &yamlReader{done: map[*yaml.Node]*Node{}, open: map[*yaml.Node]bool{}}
	n, err := r.value(document.Content[0], 0)
	if err != nil {
		return nil, err
	}
	return n, nil
}

var errDeep = refuse(TooLarge, "values within values more than %d deep", MaxDepth)

// checkDepth ends reading before the parser has gone down far. A list within a member counts twice there.
func checkDepth(depth int, _ *loaderlimits.DepthContext) error {
	if depth > 2*MaxDepth {
		return errDeep
	}
	return nil
}

func syntaxError(err error) error {
	trouble, ok := errors.AsType[*yaml.LoadError](err)
	switch {
	case errors.Is(err, errDeep), ok && strings.Contains(trouble.Message, errDeep.Detail):
		return errDeep
	case ok:
		return &Error{Malformed, trouble.Mark.Line, trouble.Mark.Column, "not YAML: " + clip(trouble.Message)}
	}
	return refuse(Malformed, "not YAML: %s", clip(strings.Join(strings.Fields(err.Error()), " ")))
}

func (r *yamlReader) value(from *yaml.Node, depth int) (*Node, error) {
	if depth > MaxDepth {
		return nil, at(from, TooLarge, errDeep.Detail)
	}
	if known := r.done[from]; known != nil {
		return known, nil
	}
	if from.Anchor != "" {
		if r.open[from] {
			return nil, at(from, Malformed, "the alias "+clip(from.Anchor)+" stands for itself")
		}
		r.open[from] = true
	}
	n, err := r.read(from, depth)
	if err != nil {
		return nil, err
	}
	if n.size > MaxValues {
		return nil, at(from, TooLarge, "more than "+strconv.Itoa(MaxValues)+" values")
	}
	if from.Anchor != "" {
		r.done[from] = n
	}
	return n, nil
}

func (r *yamlReader) read(from *yaml.Node, depth int) (*Node, error) {
	switch from.Kind {
	case yaml.MappingNode:
		return r.mapping(from, depth)
	case yaml.SequenceNode:
		n := NewArray()
		for _, item := range from.Content {
			value, err := r.value(item, depth+1)
			if err != nil {
				return nil, err
			}
			n.add("", value)
		}
		return n, nil
	case yaml.AliasNode:
		return r.value(from.Alias, depth+1)
	}
	return scalar(from), nil
}

func scalar(from *yaml.Node) *Node {
	switch from.ShortTag() {
	case "!!bool":
		return NewBool(strings.EqualFold(from.Value, "true"))
	case "!!int", "!!float":
		return number(from.Value)
	case "!!null":
		return &Node{size: 1}
	}
	return NewString(from.Value) // moments too: JSON has no other way to write them
}

func (r *yamlReader) mapping(from *yaml.Node, depth int) (*Node, error) {
	n, merged := NewObject(), []*Node(nil)
	for i := 0; i+1 < len(from.Content); i += 2 {
		key, value := from.Content[i], from.Content[i+1]
		inner, err := r.value(value, depth+1)
		if err != nil {
			return nil, err
		}
		if key.ShortTag() == "!!merge" {
			merged = append(merged, inner)
			continue
		}
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			return nil, at(key, Malformed, "the name of a member is not a text")
		}
		if n.Has(key.Value) {
			return nil, at(key, Malformed, strconv.Quote(clip(key.Value))+" is there twice")
		}
		n.add(key.Value, inner)
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

// at is an error at a place of the document.
func at(node *yaml.Node, code Code, detail string) error {
	return &Error{Code: code, Line: node.Line, Column: node.Column, Detail: detail}
}

// number is a node for a number of YAML: as it was written where that is a number of JSON, else (0x1F, 1_000, +1, .5)
// its value.
func number(literal string) *Node {
	if isJSONNumber(literal) {
		return &Node{Kind: Number, Text: literal, size: 1}
	}
	plain := strings.TrimPrefix(strings.ReplaceAll(literal, "_", ""), "+")
	if whole, err := strconv.ParseInt(plain, 0, 64); err == nil {
		return &Node{Kind: Number, Text: strconv.FormatInt(whole, 10), size: 1}
	}
	float, err := strconv.ParseFloat(plain, 64)
	switch {
	case strings.HasSuffix(strings.ToLower(literal), ".inf") || strings.EqualFold(literal, ".nan"):
		return &Node{size: 1} // JSON has none
	case err != nil || math.IsInf(float, 0):
		return NewString(literal)
	}
	return &Node{Kind: Number, Text: strconv.FormatFloat(float, 'g', -1, 64), size: 1}
}
