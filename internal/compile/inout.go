package compile

import (
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/compile/naming"
	"github.com/munjigi/munjigi/internal/compile/value"
	"github.com/munjigi/munjigi/internal/openapi"
)

// ours are headers that the console and the gateway set themselves, and those that OpenAPI says are not parameters.
var ours = []string{
	"accept", "authorization", "content-type", "accept-language", "idempotency-key", "if-match", "if-none-match", "x-request-id", "traceparent",
}

// parameters are those of the path and the operation; the operation's own replaces one of the same name and place.
func (c *compiler) parameters(o *op, item *openapi.Node) {
	at := map[string]int{}
	for _, node := range slices.Concat(item.Get("parameters").Items(), o.node.Get("parameters").Items()) {
		target, ref := c.doc.Deref(node)
		if target == nil {
			c.unresolved(ref)
			continue
		}
		if c.parametersInAll++; c.parametersInAll > openapi.MaxParameters {
			return
		}
		if name := target.Str("name"); target.Str("in") == "header" && !slices.Contains(ours, strings.ToLower(name)) && backoffice.ReservedHeader(name) {
			c.guess(o, "parameter", "without "+value.Clip(name, value.LongestTitle), "the gateway passes no header on that may say who asks", "a header of another name, or a parameter in the query")
			continue
		}
		for _, p := range c.parameter(target) {
			if i, ok := at[p.In+" "+p.Name]; ok {
				o.Parameters[i] = p
				continue
			}
			at[p.In+" "+p.Name] = len(o.Parameters)
			o.Parameters = append(o.Parameters, p)
		}
	}
	for _, name := range o.path.Params() {
		if _, ok := at["path "+name]; !ok {
			p := backoffice.Parameter{In: "path", Field: backoffice.Field{Name: name, Title: naming.Label(name), Type: "string", Required: true}}
			o.Parameters = append(o.Parameters, p)
			c.guess(o, "parameter", name+" is a string", "the path has {"+name+"}, and no parameter says what it is", "parameters: [{name: "+name+", in: path, required: true, schema: {type: string}}]")
		}
	}
}

// parameter is what one parameter is filled in as: an object in the query is one parameter for each of its properties.
func (c *compiler) parameter(node *openapi.Node) []backoffice.Parameter {
	p := backoffice.Parameter{In: node.Str("in")}
	name := node.Str("name")
	if name == "" || !slices.Contains([]string{"path", "query", "header"}, p.In) || (p.In == "header" && slices.Contains(ours, strings.ToLower(name))) {
		return nil
	}
	schema := node.Get("schema")
	for _, media := range node.Get("content").Members() {
		schema = media.Get("schema")
	}
	style := node.Str("style")
	s := c.Flatten(schema)
	if style == "deepObject" && len(s.Props) == 0 {
		s = c.Flatten(c.objectOf(s))
	}
	if p.In == "query" && s.Kind == "object" && len(s.Props) > 0 && style != "pipeDelimited" && style != "spaceDelimited" && !node.Has("content") {
		return c.spread(name, style == "deepObject", s)
	}
	p.Field = c.Field(name, schema)
	if text := node.Str("description"); text != "" {
		p.Help = value.Clip(text, value.LongestHelp)
	}
	if _, inner, ok := strings.Cut(name, "["); ok && schema.Str("title") == "" {
		p.Title = naming.Label(inner) // "filter[status]" is the status
	}
	p.Required = node.True("required") || p.In == "path"
	p.Deprecated = p.Deprecated || node.True("deprecated")
	if example := node.Get("example"); example != nil {
		p.Example = value.Small(example)
	}
	if explode := node.Get("explode"); p.Type == "array" && p.In == "query" {
		p.Explode = explode.True() || (explode == nil && (style == "" || style == "form"))
	}
	parameterNotes(&p.Field, node.Get("x-admin"))
	return []backoffice.Parameter{p}
}

// objectOf is the first of several forms that is an object with properties: that is how it is filled in.
func (c *compiler) objectOf(s *value.Schema) *openapi.Node {
	for _, option := range s.Options {
		if len(c.Flatten(option).Props) > 0 {
			return option
		}
	}
	return nil
}

// parameterNotes is what x-admin says beside the schema of a parameter.
func parameterNotes(f *backoffice.Field, note *openapi.Node) {
	if ref := note.Str("ref"); ref != "" {
		f.Ref = value.ParseRef(ref)
	}
	if format := note.Str("format"); value.IsFormat(format) {
		f.Format = format
	}
}

// spread are the properties of an object as parameters: "filter[status]" of a deepObject, "status" of any other.
func (c *compiler) spread(name string, deep bool, s *value.Schema) (list []backoffice.Parameter) {
	for _, inner := range s.Props {
		p := backoffice.Parameter{In: "query", Field: c.Field(inner.Name, inner.Node)}
		p.Required = s.Required[inner.Name]
		p.Explode = p.Type == "array"
		if deep {
			p.Name = name + "[" + inner.Name + "]"
		}
		list = append(list, p)
	}
	return list
}

// isJSON tells whether a media type is JSON. Some generators write */* and answer JSON.
func isJSON(media string) bool {
	media, _, _ = strings.Cut(strings.ToLower(media), ";")
	media = strings.TrimSpace(media)
	return media == "application/json" || media == "*/*" || media == "application/*" || media == "text/json" ||
		(strings.HasSuffix(media, "+json") && media != "application/json-patch+json")
}

// content chooses one of several media types: the first of those preferred, then JSON, then the first.
func content(node *openapi.Node, preferred ...string) (media string, schema *openapi.Node) {
	rank := func(name string) int {
		if i := slices.Index(preferred, strings.ToLower(name)); i >= 0 {
			return i
		}
		if isJSON(name) {
			return len(preferred)
		}
		return len(preferred) + 1
	}
	best := -1
	for name, body := range node.Members() {
		if r := rank(name); best < 0 || r < best {
			best, media, schema = r, name, body.Get("schema")
		}
	}
	if isJSON(media) && strings.Contains(media, "*") {
		media = "application/json"
	}
	return media, schema
}

func (c *compiler) body(o *op) {
	node, _ := c.doc.Deref(o.node.Get("requestBody"))
	if node.Get("content").Len() == 0 || !o.Write() {
		return // no browser sends a body with GET
	}
	preferred := []string{"application/json"}
	if o.Method == "PATCH" {
		preferred = []string{"application/merge-patch+json", "application/json"}
	}
	media, schema := content(node.Get("content"), preferred...)
	o.Body = &backoffice.Body{Media: media, Required: node.True("required"), Schema: c.Field("", schema)}
	if !isJSON(media) && o.Body.Schema.Type == "any" {
		o.Body.Schema.Type, o.Body.Schema.Media = "string", media
	}
}

// answers chooses the successful answer: the lowest 2xx, else a default that is no problem document.
func (c *compiler) answers(o *op) {
	status, chosen := 0, (*openapi.Node)(nil)
	for code, node := range o.node.Get("responses").Members() {
		is := successOf(code)
		if is > 0 && (status == 0 || is < status) {
			status, chosen = is, node
		}
	}
	if chosen == nil {
		chosen = o.node.Get("responses", "default")
		if inner, _ := c.doc.Deref(chosen); chosen == nil || inner.Get("content").Has("application/problem+json") {
			return
		}
		status = 200
	}
	chosen, _ = c.doc.Deref(chosen)
	o.headers, o.links = chosen.Get("headers"), chosen.Get("links")
	if status == 207 {
		status = 200
	}
	o.Answer = &backoffice.Answer{Status: status}
	if chosen.Get("content").Len() > 0 {
		media, schema := content(chosen.Get("content"), "application/json")
		o.Answer.Media = media
		if isJSON(media) && schema != nil {
			o.answer = schema
			field := c.Field("", schema)
			o.Answer.Schema = &field
		}
	}
	c.otherAnswers(o)
}

// otherAnswers are further ways to answer successfully. What is sensitive in one of them is masked as well: it is kept as
// another form of the answer.
func (c *compiler) otherAnswers(o *op) {
	for code, node := range o.node.Get("responses").Members() {
		if successOf(code) == 0 && code != "default" {
			continue
		}
		node, _ = c.doc.Deref(node)
		for media, body := range node.Get("content").Members() {
			schema := body.Get("schema")
			if !isJSON(media) || schema == nil || schema == o.answer || !c.Hides(schema) {
				continue
			}
			if o.Answer.Schema == nil {
				o.Answer.Schema = &backoffice.Field{Type: "any"}
			}
			o.Answer.Schema.Variants = append(o.Answer.Schema.Variants, backoffice.Variant{Title: code, Field: c.Field("", schema)})
		}
	}
}

// successOf is the status of a successful answer, 0 of any other.
func successOf(code string) int {
	switch code {
	case "200", "201", "202", "203", "204", "205", "206":
		return 200 + int(code[2]-'0')
	case "2XX", "2xx":
		return 207 // after each that is named
	}
	return 0
}
