// Package sketch writes a first OpenAPI document of a service that has none, from a few of its live answers: lists, the
// records of them, what their properties look like. It is pure; who asks the service hands in what came back.
//
// A sketch is a beginning: it knows what was seen, not what may come. It describes nothing that writes.
package sketch

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/munjigi/munjigi/internal/compile/naming"
	"github.com/munjigi/munjigi/internal/compile/value"
	"github.com/munjigi/munjigi/internal/openapi"
)

// Sample is a successful answer to a GET.
type Sample struct {
	Path string // as it was asked, with its query: "/shops?status=open"
	Body *openapi.Node
	// Of is the path of the list that this is a record of, "" of anything else; then the last piece of Path is its id.
	Of string
}

// templates are the paths of samples with the ids of records as values: "/shops/12/products" is "/shops/{id}/products".
// A piece after a list is an id when a row of the list has it, or when it looks like nothing else.
func templates(samples []Sample) []string {
	ids := map[string][]string{} // of each list
	for _, s := range samples {
		if rows := s.rows(); rows != nil {
			ids[bare(s.Path)] = s.IDs(len(rows))
		}
	}
	list := make([]string, len(samples))
	for i, s := range samples {
		pieces := strings.Split(bare(s.Path), "/")
		for n := 1; n < len(pieces); n++ {
			of := strings.Join(pieces[:n], "/")
			known, isList := ids[of]
			if (s.Of != "" && s.Of == of) || (isList && (slices.Contains(known, pieces[n]) || isID(pieces[n]))) {
				pieces[n] = "{id}"
				break // below it the pieces are those of the record
			}
		}
		list[i] = strings.Join(pieces, "/")
	}
	return list
}

func isID(piece string) bool {
	_, err := strconv.ParseUint(piece, 10, 64)
	return err == nil || uuid.MatchString(piece)
}

func bare(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return strings.TrimRight(path, "/")
}

// IDs are the ids of at most n rows, "" and none when the sample is no list or its rows have no id. They are as they
// stand in a path.
func (s Sample) IDs(n int) (ids []string) {
	rows := s.rows()
	for _, name := range idNames(last(s.Path)) {
		for _, row := range rows {
			id := row.Get(name)
			if len(ids) < n && (id.Is(openapi.String) || id.Is(openapi.Number)) && id.Text != "" {
				ids = append(ids, url.PathEscape(id.Text))
			}
		}
		if len(ids) > 0 {
			return ids
		}
	}
	return nil
}

func idNames(segment string) []string {
	one := naming.Singular(segment)
	return []string{"id", "uuid", one + "_id", one + "Id", "key", "code", "slug", "number"}
}

// rows are those of a list, none of anything else.
func (s Sample) rows() []*openapi.Node {
	shape := shapeOf(Infer(s.Body), last(s.Path))
	if shape.Form != value.List {
		return nil
	}
	return s.Body.Pointer(shape.Rows).Items()
}

// shapeOf looks at a schema as the compiler will.
func shapeOf(schema *openapi.Node, segment string) value.Shape {
	reader := value.NewReader(&openapi.Document{Root: openapi.NewObject()}, func(string) {})
	return reader.ShapeOf(schema, segment, false)
}

// last is the last piece of a path.
func last(path string) string {
	path = bare(path)
	return path[strings.LastIndex(path, "/")+1:]
}

// Document is an OpenAPI 3.1 document of what was seen, in the order of the samples. base is the path that all of them
// lie below, "" or "/admin".
func Document(title, base string, samples []Sample) *openapi.Node {
	d := &document{paths: openapi.NewObject(), schemas: openapi.NewObject()}
	var order []string
	groups := map[string][]Sample{}
	paths := templates(samples)
	for i, s := range samples {
		if _, ok := groups[paths[i]]; !ok {
			order = append(order, paths[i])
		}
		groups[paths[i]] = append(groups[paths[i]], s)
	}
	for _, path := range order {
		d.add(path, groups[path])
	}
	if base == "" {
		base = "/"
	}
	root := object("openapi", text("3.1.0"), "info", object("title", text(title), "version", text("0.1.0")),
		"servers", openapi.NewArray(object("url", text(base))), "paths", d.paths)
	if d.schemas.Len() > 0 {
		root.Set("components", object("schemas", d.schemas))
	}
	return root
}

type document struct {
	paths, schemas *openapi.Node
}

// add describes one path by everything that was answered there.
func (d *document) add(path string, samples []Sample) {
	bodies := make([]*openapi.Node, len(samples))
	for i, s := range samples {
		bodies[i] = s.Body
	}
	schema := Infer(bodies...)
	name := last(strings.TrimSuffix(path, "/{id}"))
	one := naming.Label(naming.Singular(name))
	operation := openapi.NewObject()
	shape := shapeOf(schema, name)
	switch {
	case strings.HasSuffix(path, "/{id}"):
		operation.Set("operationId", text("get"+camel(one)+owner(path)))
		operation.Set("summary", text(one))
		schema = d.component(camel(one), one, schema)
	case shape.Form == value.List:
		operation.Set("operationId", text("list"+camel(naming.Label(name))+owner(path)))
		operation.Set("summary", text(naming.Label(name)))
		schema = d.named(schema, shape, camel(one), one)
	default:
		operation.Set("operationId", text("get"+camel(naming.Label(name))+owner(path)))
		operation.Set("summary", text(naming.Label(name)))
	}
	if parameters := parameters(path, samples); parameters.Len() > 0 {
		operation.Set("parameters", parameters)
	}
	operation.Set("responses", object("200", object("description", text("What was asked for"), "content", object("application/json", object("schema", schema)))))
	d.paths.Set(path, object("get", operation))
}

// owner tells operations below a record from those that are not: "OfShop" of "/shops/{id}/products".
func owner(path string) string {
	before, _, ok := strings.Cut(path, "/{id}/")
	if !ok {
		return ""
	}
	return "Of" + camel(naming.Label(naming.Singular(last(before))))
}

// named puts the schema of a list's rows under components, and a reference in its place.
func (d *document) named(schema *openapi.Node, shape value.Shape, name, title string) *openapi.Node {
	if shape.Each != "" {
		return schema
	}
	reference := d.component(name, title, shape.Item)
	array := schema
	for token := range strings.SplitSeq(strings.TrimPrefix(shape.Rows, "/"), "/") {
		if token != "" {
			array = array.Get("properties", strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~"))
		}
	}
	array.Set("items", reference)
	return schema
}

// component keeps a schema by a name, and gives a reference to it. A second schema of the name, which is not the same,
// gets another name: a record often has more than a row.
func (d *document) component(name, title string, schema *openapi.Node) *openapi.Node {
	titled := object("title", text(title))
	for key, member := range schema.Members() {
		titled.Set(key, member)
	}
	if known := d.schemas.Get(name); known != nil && covers(known, titled) {
		return object("$ref", text("#/components/schemas/"+name))
	}
	for d.schemas.Has(name) {
		name += "InFull"
	}
	d.schemas.Set(name, titled)
	return object("$ref", text("#/components/schemas/"+name))
}

// covers tells whether two schemas have the same properties: of the same record fewer values were seen.
func covers(known, other *openapi.Node) bool {
	names := func(n *openapi.Node) (list []string) {
		for name := range n.Get("properties").Members() {
			list = append(list, name)
		}
		slices.Sort(list)
		return list
	}
	return slices.Equal(names(known), names(other))
}

// parameters are the values of the path, and those of the queries that were asked.
func parameters(path string, samples []Sample) *openapi.Node {
	list := openapi.NewArray()
	var names []string
	if strings.Contains(path, "{id}") {
		list.Append(object("name", text("id"), "in", text("path"), "required", yes(), "schema", object("type", text("string"))))
	}
	for _, s := range samples {
		_, query, _ := strings.Cut(s.Path, "?")
		for pair := range strings.SplitSeq(query, "&") {
			name, _, _ := strings.Cut(pair, "=")
			if name, err := url.QueryUnescape(name); err == nil && name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	for _, name := range names {
		list.Append(object("name", text(name), "in", text("query"), "schema", object("type", text(kindOf(name)))))
	}
	return list
}

// kindOf is the type of a query parameter by its name: what pages is a number.
func kindOf(name string) string {
	switch naming.Plain(name) {
	case "page", "perpage", "pagesize", "limit", "offset", "skip", "size":
		return "integer"
	}
	return "string"
}

// camel is a label as an identifier: "Gift list" is "GiftList". Letters that no identifier has are left out.
func camel(label string) string {
	var name strings.Builder
	for _, word := range naming.Words(label) {
		word = strings.Map(func(r rune) rune {
			if r > unicode.MaxASCII {
				return -1
			}
			return r
		}, word)
		if word != "" {
			name.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	if name.Len() == 0 {
		return "Record"
	}
	return name.String()
}

func text(s string) *openapi.Node { return openapi.NewString(s) }

func yes() *openapi.Node { return openapi.NewBool(true) }

// object is an object of pairs: a name and a node, alternately.
func object(pairs ...any) *openapi.Node {
	n := openapi.NewObject()
	for i := 0; i < len(pairs); i += 2 {
		n.Set(pairs[i].(string), pairs[i+1].(*openapi.Node))
	}
	return n
}
