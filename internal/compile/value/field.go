package value

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/compile/naming"
	"github.com/munjigi/munjigi/internal/openapi"
)

// The most fields that one value, and that all values of a service, are drawn with. What lies deeper is shown as JSON.
const (
	fieldsOfOne = 1_200
	fieldsOfAll = 150_000
	fieldsThen  = 60 // of one value, when all have been used up
	deepest     = 8
)

// Reader reads schemas of a document.
type Reader struct {
	doc    *openapi.Document
	flat   map[*openapi.Node]*Schema // schemas that were put together
	hidden map[*Schema]bool          // whether anything in them is sensitive, as far as it was asked
	fields int                       // drawn so far
	lost   func(ref string)
}

// NewReader is a reader of a document; lost is told of references that lead nowhere.
func NewReader(doc *openapi.Document, lost func(ref string)) *Reader {
	return &Reader{doc: doc, flat: map[*openapi.Node]*Schema{}, hidden: map[*Schema]bool{}, lost: lost}
}

// The longest texts, in bytes. A schema stands wherever something refers to it: a long text in it would be sent again and
// again.
const (
	LongestTitle = 300
	LongestHelp  = 4_000
	mostChoices  = 2_000
)

// Clip is a text of at most so many bytes.
func Clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// Small is a value as JSON, nil when it is large.
func Small(n *openapi.Node) json.RawMessage {
	if n.Is(openapi.String) && len(n.Text) > LongestHelp || n.Size() > LongestHelp/10 {
		return nil
	}
	if raw := n.JSON(); len(raw) <= 2*LongestHelp {
		return raw
	}
	return nil
}

// builder draws one value: down to depth, and no more than left fields.
type builder struct {
	r    *Reader
	left int
	deep int
}

// Field is a value as it is drawn. A schema that is too large is drawn less deep, evenly, until it fits.
func (r *Reader) Field(name string, n *openapi.Node) backoffice.Field {
	most := fieldsOfOne
	if r.fields > fieldsOfAll {
		most = fieldsThen
	}
	for deep := deepest; deep >= 0; deep-- {
		b := &builder{r: r, left: most, deep: deep}
		field := b.field(name, n, nil, 0)
		if b.left >= 0 || deep == 0 {
			r.fields += most - max(b.left, 0)
			return field
		}
	}
	return backoffice.Field{} // not reached: depth 0 ends the loop
}

func (b *builder) field(name string, n *openapi.Node, around []string, depth int) backoffice.Field {
	b.left--
	s := b.r.Flatten(n)
	f := backoffice.Field{Name: name, Title: Clip(b.title(name, s), LongestTitle), Help: Clip(s.Text("description"), LongestHelp), Type: s.Kind, Format: Clip(s.Text("format"), LongestTitle), Nullable: s.nullable}
	f.ReadOnly, f.WriteOnly, f.Deprecated = s.true("readOnly"), s.true("writeOnly"), s.true("deprecated")
	b.values(&f, s)
	b.left -= (len(f.Help)+len(f.Name)+len(f.Pattern))/200 + len(f.Choices)/4
	s.limits(&f)
	s.annotate(&f)
	if slices.ContainsFunc(s.Refs, func(ref string) bool { return slices.Contains(around, ref) }) {
		return b.cut(f, s)
	}
	if b.left < 0 || (depth >= b.deep && nested(s)) {
		return b.cut(f, s)
	}
	b.below(&f, s, slices.Concat(around, s.Refs), depth)
	return f
}

// cut is a field whose inside is not drawn. If there is something sensitive in it, all of it is: what is not drawn is
// not masked one by one.
func (b *builder) cut(f backoffice.Field, s *Schema) backoffice.Field {
	f.Again, f.Fields, f.Items, f.Rest, f.Variants = Clip(more(s, f.Name), LongestTitle), nil, nil, nil, nil
	f.Sensitive = f.Sensitive || b.r.hides(s)
	return f
}

// nested tells whether a value has others below it.
func nested(s *Schema) bool {
	return len(s.Props) > 0 || s.Get("items") != nil || s.Get("additionalProperties").Is(openapi.Object) || len(s.Options) > 0
}

// more is what is said in place of fields that are too deep.
func more(s *Schema, name string) string {
	if len(s.Refs) > 0 {
		return RefName(s.Refs[0])
	}
	if name == "" {
		return "…"
	}
	return name
}

// title is a property's own, or its name: the title of a schema that it refers to says what kind of thing it is, not
// which one.
func (b *builder) title(name string, s *Schema) string {
	if title := s.Own.Str("title"); title != "" {
		return title
	}
	if name != "" {
		return naming.Label(name)
	}
	return s.name()
}

// below are the values within a value.
func (b *builder) below(f *backoffice.Field, s *Schema, around []string, depth int) {
	f.Sensitive = f.Sensitive || b.r.undrawn(s)
	for _, p := range s.Props {
		if b.left < 0 {
			*f = b.cut(*f, s)
			return
		}
		inner := b.field(p.Name, p.Node, around, depth+1)
		inner.Required = s.Required[p.Name]
		f.Fields = append(f.Fields, inner)
	}
	if items := s.Get("items"); s.Kind == "array" && items.Is(openapi.Object) {
		inner := b.field("", items, around, depth+1)
		f.Items = &inner
	}
	if rest := s.Get("additionalProperties"); s.Kind == "object" && rest.Is(openapi.Object) && rest.Len() > 0 {
		inner := b.field("", rest, around, depth+1)
		f.Rest = &inner
	}
	if len(f.Choices) == 0 {
		b.variants(f, s, around, depth)
	}
}

// variants are the options of oneOf and anyOf; with a discriminator, each has the value that chooses it.
func (b *builder) variants(f *backoffice.Field, s *Schema, around []string, depth int) {
	f.Switch = s.Get("discriminator").Str("propertyName")
	mapping := s.Get("discriminator").Get("mapping")
	for _, option := range s.Options {
		inner := b.field("", option, around, depth+1)
		v := backoffice.Variant{Title: inner.Title, Field: inner}
		if f.Switch != "" {
			v.Value = b.chosenBy(option, f.Switch, mapping)
		}
		if v.Title == "" {
			v.Title = naming.Label(inner.Type)
		}
		f.Variants = append(f.Variants, v)
	}
}

// chosenBy is the discriminator's value of an option: by the mapping, by a constant, or the schema's name.
func (b *builder) chosenBy(option *openapi.Node, property string, mapping *openapi.Node) string {
	ref := option.Str("$ref")
	for value, target := range mapping.Members() {
		if ref != "" && (target.Text == ref || "#/components/schemas/"+target.Text == ref) {
			return value
		}
	}
	s := b.r.Flatten(b.r.Flatten(option).Find(property))
	if only := s.Get("const"); only.Is(openapi.String) {
		return only.Text
	}
	if values := s.Get("enum").Items(); len(values) == 1 {
		return values[0].Text
	}
	return RefName(ref)
}

// values are what a closed list of them allows, and those that are proposed.
func (b *builder) values(f *backoffice.Field, s *Schema) {
	tone := s.Note("tone")
	add := func(value *openapi.Node, title string) {
		raw := Small(value)
		if value.Is(openapi.Null) || raw == nil {
			return
		}
		if title == "" {
			title = value.Text
			if value.Is(openapi.String) {
				title = naming.Label(title)
			}
		}
		f.Choices = append(f.Choices, backoffice.Choice{Value: raw, Title: Clip(title, LongestTitle), Tone: tones[tone.Str(value.Text)]})
	}
	titles := s.Get("x-enumNames").Items()
	if len(titles) == 0 {
		titles = s.Get("x-enum-varnames").Items()
	}
	values := s.Get("enum").Items()
	if len(values) > mostChoices {
		values = nil // nobody finds one of them in a list
	}
	for i, value := range values {
		title := ""
		if i < len(titles) && titles[i].Is(openapi.String) && !value.Is(openapi.String) {
			title = naming.Label(titles[i].Text)
		}
		add(value, title)
	}
	if only := s.Get("const"); only != nil && len(f.Choices) == 0 {
		add(only, "")
	}
	if len(f.Choices) == 0 && len(s.Options) > 0 && !slices.ContainsFunc(s.Options, func(o *openapi.Node) bool { return !o.Has("const") }) {
		for _, option := range s.Options {
			add(option.Get("const"), option.Str("title"))
		}
	}
	f.Default = Small(s.Get("default"))
	f.Example = Small(s.Get("example"))
	if examples := s.Get("examples").Items(); f.Example == nil && len(examples) > 0 {
		f.Example = Small(examples[0])
	}
}

var tones = map[string]string{"good": "good", "warn": "warn", "bad": "bad"}

// limits are what a value must be like.
func (s *Schema) limits(f *backoffice.Field) {
	f.Minimum, f.ExclusiveMin = s.bound("minimum", "exclusiveMinimum")
	f.Maximum, f.ExclusiveMax = s.bound("maximum", "exclusiveMaximum")
	f.MultipleOf = s.number("multipleOf")
	f.MinLength, f.MaxLength = s.int("minLength"), s.int("maxLength")
	f.MinItems, f.MaxItems = s.int("minItems"), s.int("maxItems")
	f.Pattern, f.Media = s.Text("pattern"), Clip(s.Text("contentMediaType"), LongestTitle)
	if len(f.Pattern) > LongestHelp {
		f.Pattern = ""
	}
	if f.Media == "" && (s.Text("contentEncoding") != "" || f.Format == "binary") {
		f.Media = "application/octet-stream"
	}
}

// bound is a limit of 3.0 (exclusiveMinimum is a boolean) or of 3.1 (it is the limit).
func (s *Schema) bound(inclusive, exclusive string) (limit json.Number, excluded bool) {
	if limit = s.number(exclusive); limit != "" {
		return limit, true
	}
	limit = s.number(inclusive)
	return limit, limit != "" && s.true(exclusive)
}

// annotate is what x-admin says of one value.
func (s *Schema) annotate(f *backoffice.Field) {
	if format := s.Note("format"); format.Is(openapi.String) && IsFormat(format.Text) {
		f.Format = format.Text
	}
	f.Sensitive = s.sensitive()
	if ref := s.Note("ref").Str(); ref != "" {
		f.Ref = ParseRef(ref)
	}
	f.Chart = ChartOf(s.Note("chart"))
}

func ParseRef(text string) *backoffice.Ref {
	if service, resource, ok := strings.Cut(text, "/"); ok {
		return &backoffice.Ref{Service: service, Resource: resource}
	}
	return &backoffice.Ref{Resource: text}
}

// IsFormat tells whether x-admin knows a format.
func IsFormat(format string) bool {
	name, unit, has := strings.Cut(format, ":")
	switch name {
	case "money", "cents":
		return has && unit != ""
	case "bytes", "seconds", "unix", "percent", "markdown", "json", "image", "color":
		return !has
	}
	return false
}

var chartTypes = []string{"stat", "line", "bar", "donut", "top", "progress"}

// ChartOf is an annotated chart; nil without one, or when its type is unknown.
func ChartOf(n *openapi.Node) *backoffice.Chart {
	if n.Is(openapi.String) && slices.Contains(chartTypes, n.Text) {
		return &backoffice.Chart{Type: n.Text}
	}
	if !slices.Contains(chartTypes, n.Str("type")) {
		return nil
	}
	return &backoffice.Chart{
		Type: n.Str("type"), X: n.Str("x"), Y: n.Str("y"), By: n.Str("by"), Previous: n.Str("previous"), Target: n.Str("target"),
	}
}
