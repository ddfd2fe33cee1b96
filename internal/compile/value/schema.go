// Package value reads what values of a document look like: schemas put together from their parts, fields as they are
// drawn, and whether an answer is a list, a record or a figure. It does not know what operations are for.
package value

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/compile/naming"
	"github.com/munjigi/munjigi/internal/openapi"
)

// Schema is a schema with its references followed and its allOf put together. Of parts the outermost is first, and the
// first that has a keyword decides.
type Schema struct {
	Own        *openapi.Node // as it stands in the document, perhaps a reference
	parts      []*openapi.Node
	Refs       []string // of the schemas followed
	Props      []Prop   // of all parts, in the document's order
	at         map[string]int
	Required   map[string]bool
	nullable   bool
	incomplete bool            // there was more
	Kind       string          // string, integer, number, boolean, object, array, any
	Options    []*openapi.Node // of oneOf and anyOf, null left out
}

type Prop struct {
	Name string
	Node *openapi.Node
}

// Flatten puts a schema together. Each reference is followed once, so a schema within itself ends.
// What it returns is shared, and not changed any more.
func (r *Reader) Flatten(n *openapi.Node) *Schema {
	if s, ok := r.flat[n]; ok {
		return s
	}
	s := &Schema{Own: n, Required: map[string]bool{}, at: map[string]int{}}
	r.collect(s, n, 0)
	s.settle(r)
	r.flat[n] = s
	return s
}

// The most parts that a schema is put together from, and how deep they may lie. Beyond, a schema is incomplete, and what
// it might say is taken for granted.
const (
	mostParts = 256
	mostDeep  = 16
)

func (r *Reader) collect(s *Schema, n *openapi.Node, depth int) {
	if !n.Is(openapi.Object) {
		return // true, in 3.1
	}
	if depth > mostDeep || len(s.parts) >= mostParts {
		s.incomplete = true
		return
	}
	s.parts = append(s.parts, n)
	if ref := n.Str("$ref"); ref != "" {
		target, last := r.doc.Deref(n)
		if target == nil {
			r.lost(ref)
		} else if !slices.Contains(s.Refs, last) {
			s.Refs = append(s.Refs, last)
			r.collect(s, target, depth+1)
		}
	}
	for _, item := range n.Get("allOf").Items() {
		r.collect(s, item, depth+1)
	}
	for name, node := range n.Get("properties").Members() {
		s.property(name, node)
	}
	for _, name := range n.Strings("required") {
		s.Required[name] = true
	}
}

// property adds a property. One that another part has as well is both of them, as allOf has it: what is said last goes
// first, and a mark of either stays.
func (s *Schema) property(name string, node *openapi.Node) {
	if i, ok := s.at[name]; ok {
		if old := s.Props[i].Node; old != node {
			both := openapi.NewObject()
			if title := node.Str("title"); title != "" {
				both.Set("title", openapi.NewString(title))
			}
			both.Set("allOf", openapi.NewArray(node, old))
			s.Props[i].Node = both
		}
		return
	}
	s.at[name] = len(s.Props)
	s.Props = append(s.Props, Prop{name, node})
}

// settle decides kind, nullability and options, after all parts are there.
func (s *Schema) settle(r *Reader) {
	if s.Get("nullable").Is(openapi.Bool) {
		s.nullable = s.Get("nullable").Text == "true"
	}
	s.alternatives(r)
	kinds := s.types()
	switch {
	case len(kinds) == 1:
		s.Kind = kinds[0]
	case len(kinds) > 1:
		s.Kind = "any"
		for _, kind := range kinds {
			option := openapi.NewObject()
			option.Set("type", openapi.NewString(kind))
			s.Options = append(s.Options, option)
		}
	default:
		s.Kind = s.guessKind()
	}
	for _, value := range s.Get("enum").Items() {
		s.nullable = s.nullable || value.Is(openapi.Null)
	}
}

// alternatives takes null out of oneOf and anyOf; a single one that remains is a part like any other.
func (s *Schema) alternatives(r *Reader) {
	for _, word := range []string{"oneOf", "anyOf"} {
		items := s.Get(word).Items()
		if len(items) == 0 {
			continue
		}
		var rest []*openapi.Node
		for _, item := range items {
			if item.Str("type") == "null" {
				s.nullable = true
			} else {
				rest = append(rest, item)
			}
		}
		if len(rest) == 1 {
			inner := &Schema{Own: rest[0], Refs: s.Refs, Required: s.Required, Props: s.Props, at: s.at}
			r.collect(inner, rest[0], 1)
			s.parts, s.Refs, s.Props = append(s.parts, inner.parts...), inner.Refs, inner.Props
			s.incomplete = s.incomplete || inner.incomplete
		} else {
			s.Options = rest
		}
		return
	}
}

// types are those that "type" names, null left out. Parts that name more than one are narrowed by the others.
func (s *Schema) types() (kinds []string) {
	for _, part := range s.parts {
		var these []string
		if one := part.Str("type"); one != "" {
			these = []string{one}
		} else {
			these = part.Strings("type")
		}
		if len(these) == 0 {
			continue
		}
		if i := slices.Index(these, "null"); i >= 0 {
			s.nullable = true
			these = slices.Delete(these, i, i+1)
		}
		these = slices.DeleteFunc(these, func(kind string) bool { return !known[kind] })
		if len(kinds) == 0 || (len(kinds) > 1 && len(these) == 1) {
			kinds = these
		}
	}
	return kinds
}

var known = map[string]bool{"string": true, "integer": true, "number": true, "boolean": true, "object": true, "array": true}

// guessKind is for a schema that names no type.
func (s *Schema) guessKind() string {
	switch {
	case len(s.Options) > 0:
		return s.optionsKind()
	case len(s.Props) > 0 || s.Get("additionalProperties").Is(openapi.Object):
		return "object"
	case s.Get("items") != nil:
		return "array"
	case s.Get("minLength") != nil || s.Get("maxLength") != nil || s.Get("pattern") != nil || s.Get("format") != nil:
		return "string"
	}
	values := s.Get("enum").Items()
	if only := s.Get("const"); only != nil {
		values = []*openapi.Node{only}
	}
	kind := ""
	for _, value := range values {
		switch {
		case value.Is(openapi.Null) || kind == kindOf(value):
		case kind == "":
			kind = kindOf(value)
		default:
			return "any"
		}
	}
	if kind == "" {
		return "any"
	}
	return kind
}

// optionsKind is the type that all options name, "any" when they differ.
func (s *Schema) optionsKind() string {
	kind := ""
	for _, option := range s.Options {
		is := option.Str("type")
		if is == "" && option.Get("const") != nil {
			is = kindOf(option.Get("const"))
		}
		if is == "" || (kind != "" && is != kind) {
			return "any"
		}
		kind = is
	}
	return kind
}

func kindOf(value *openapi.Node) string {
	switch value.Kind {
	case openapi.String:
		return "string"
	case openapi.Bool:
		return "boolean"
	case openapi.Number:
		if strings.ContainsAny(value.Text, ".eE") {
			return "number"
		}
		return "integer"
	case openapi.Array:
		return "array"
	case openapi.Object:
		return "object"
	}
	return "any"
}

// Get is a keyword of the first part that has it.
func (s *Schema) Get(keyword string) *openapi.Node {
	for _, part := range s.parts {
		if value := part.Get(keyword); value != nil {
			return value
		}
	}
	return nil
}

func (s *Schema) Text(keyword string) string {
	for _, part := range s.parts {
		if text := part.Str(keyword); text != "" {
			return text
		}
	}
	return ""
}

func (s *Schema) number(keyword string) json.Number {
	for _, part := range s.parts {
		if number := part.Num(keyword); number != "" {
			return number
		}
	}
	return ""
}

func (s *Schema) int(keyword string) *int {
	for _, part := range s.parts {
		if number := part.Int(keyword); number != nil {
			return number
		}
	}
	return nil
}

func (s *Schema) true(keyword string) bool { return s.Get(keyword).True() }

// Find is a property's schema, nil when there is none.
func (s *Schema) Find(name string) *openapi.Node {
	if i, ok := s.at[name]; ok {
		return s.Props[i].Node
	}
	return nil
}

// sensitive tells whether any part says so: where two disagree, the tighter one counts. What is written there in another
// way than expected counts as well.
func (s *Schema) sensitive() bool {
	if s.incomplete {
		return true
	}
	for _, part := range s.parts {
		if said := part.Get("x-admin", "sensitive"); said != nil && !(said.Is(openapi.Bool) && said.Text == "false") {
			return true
		}
	}
	return false
}

// Note is x-admin's member of the first part that has it.
func (s *Schema) Note(member string) *openapi.Node {
	for _, part := range s.parts {
		if value := part.Get("x-admin", member); value != nil {
			return value
		}
	}
	return nil
}

// name is what a schema is called in the document: its title, or the last part of the reference to it.
func (s *Schema) name() string {
	if title := s.Text("title"); title != "" {
		return title
	}
	if len(s.Refs) > 0 {
		return naming.Label(RefName(s.Refs[0]))
	}
	return ""
}

// RefName is the last part of a reference, without the package that some generators put before it.
func RefName(ref string) string {
	ref = ref[strings.LastIndex(ref, "/")+1:]
	return ref[strings.LastIndex(ref, ".")+1:]
}
