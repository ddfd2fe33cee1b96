package value

import (
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/compile/naming"
	"github.com/munjigi/munjigi/internal/openapi"
)

// Shape is what an answer looks like.
type Shape struct {
	Form form
	Rows string        // of a list: JSON pointer to the array
	name string        // what the array is called, "" of a bare one
	Each string        // of a list: JSON pointer to the properties in an element
	Item *openapi.Node // of a list: the schema of an element
	Top  *Schema       // the whole answer
}

type form int

const (
	Nothing form = iota // no answer in JSON, or one of which nothing is known
	List                // an array of objects, perhaps in an envelope
	Record              // one object
	Scalar
)

// listNames are what generators call the array in an envelope.
var listNames = []string{
	"items", "data", "results", "result", "records", "rows", "content", "member", "hydramember", "value", "values", "entries", "list",
	"elements", "edges", "docs", "hits", "objects", "resources", "nodes", "payload",
}

// aroundNames are what else stands in an envelope: how to go on, how many there are, whether it went well.
var aroundNames = []string{
	"total", "totalcount", "totalitems", "totalelements", "totalresults", "totalsize", "totalrecords", "totalpages", "totalhits", "recordcount", "numfound", "count", "size",
	"page", "pages", "pagenumber", "pagesize", "pageno", "perpage", "currentpage", "lastpage", "limit", "offset", "skip", "take", "number", "numberofelements",
	"first", "last", "empty", "pageable", "sort", "next", "prev", "previous", "nextcursor", "prevcursor", "previouscursor", "cursor", "cursors", "nextpage", "nextpagetoken",
	"nexttoken", "continuationtoken", "continue", "endcursor", "startcursor", "pageinfo", "paging", "pagination", "pageinformation", "meta", "metadata", "links", "jsonapi", "included",
	"hasmore", "hasnext", "hasnextpage", "hasprevious", "more", "truncated", "object", "url", "kind", "apiversion", "schema", "context", "type", "etag", "selflink",
	"success", "ok", "status", "code", "message", "msg", "error", "errors", "requestid", "timestamp", "warnings", "unreachable", "summary", "facets", "aggregations", "from", "to", "hydratotalitems", "hydraview", "hydrasearch",
}

// ShapeOf looks at an answer's schema. around is the path's last piece, which an envelope may be named after; ofOne
// tells that the path ends with a value, so that a list is unlikely.
func (r *Reader) ShapeOf(n *openapi.Node, around string, ofOne bool) Shape {
	if n == nil {
		return Shape{}
	}
	top := r.Flatten(n)
	switch top.Kind {
	case "array":
		if item := top.Get("items"); r.isRecord(item) {
			return r.listOf(Shape{Form: List, Item: item, Top: top})
		}
		return Shape{Form: Record, Top: top}
	case "object", "any":
		if s, ok := r.envelope(top, around, ofOne, 0); ok {
			s.Top = top
			return r.listOf(s)
		}
		if r.isRecord(n) {
			return Shape{Form: Record, Top: top}
		}
		return Shape{Top: top}
	}
	return Shape{Form: Scalar, Top: top}
}

// isRecord tells whether a schema is an object with properties.
func (r *Reader) isRecord(n *openapi.Node) bool {
	if n == nil {
		return false
	}
	s := r.Flatten(n)
	return len(s.Props) > 0 || s.Kind == "object" || slices.ContainsFunc(s.Options, func(o *openapi.Node) bool { return len(r.Flatten(o).Props) > 0 })
}

// envelope finds the array of objects that an object is there for. A record with an array of its own (an order with its
// lines) is none.
func (r *Reader) envelope(s *Schema, around string, ofOne bool, depth int) (Shape, bool) {
	var found Shape
	arrays, strange := 0, 0
	for _, p := range s.Props {
		inner := r.Flatten(p.Node)
		if inner.Kind == "array" && r.isRecord(inner.Get("items")) {
			better := arrays == 0 || (isListName(p.Name, around) && !isListName(found.name, around))
			if !isAround(p.Name) || isListName(p.Name, around) {
				arrays++
			}
			if better {
				found = Shape{Form: List, Rows: "/" + Escape(p.Name), name: p.Name, Item: inner.Get("items")}
			}
		} else if !isAround(p.Name) {
			strange++
		}
	}
	named := found.Item != nil && isListName(found.name, around)
	switch {
	case found.Item == nil:
		return r.within(s, around, ofOne, depth)
	case s.Find("id") != nil: // a record, with an array of its own
		return Shape{}, false
	case ofOne:
		return found, named && strange == 0 && arrays == 1
	}
	return found, (named && (strange <= 2 || naming.Same(found.name, around))) || (arrays == 1 && strange == 0)
}

// within looks for the envelope one step further down: {data: {items: […]}}, {_embedded: {shops: […]}}.
func (r *Reader) within(s *Schema, around string, ofOne bool, depth int) (Shape, bool) {
	if depth > 0 {
		return Shape{}, false
	}
	for _, p := range s.Props {
		name := naming.Plain(p.Name)
		inner := r.Flatten(p.Node)
		if inner.Kind != "object" || (name != "embedded" && !isListName(p.Name, around) && name != "response") {
			continue
		}
		if found, ok := r.envelope(inner, around, ofOne, 1); ok {
			found.Rows = "/" + Escape(p.Name) + found.Rows
			return found, true
		}
	}
	return Shape{}, false
}

func isListName(name, around string) bool {
	return slices.Contains(listNames, naming.Plain(name)) || naming.Same(name, around) || strings.HasSuffix(naming.Plain(name), naming.Plain(around)+"list") && around != ""
}

func isAround(name string) bool {
	return slices.Contains(aroundNames, naming.Plain(name)) || strings.HasPrefix(name, "$") || strings.HasPrefix(name, "@") || strings.HasPrefix(name, "_")
}

// Escape is a name within a JSON pointer (RFC 6901).
func Escape(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// listOf finds where the properties of an element are: of JSON:API in "attributes", of GraphQL's connections in "node".
func (r *Reader) listOf(s Shape) Shape {
	item := r.Flatten(s.Item)
	attributes := item.Find("attributes")
	switch {
	case attributes != nil && item.Find("id") != nil && item.Find("type") != nil && r.isRecord(attributes):
		s.Each = "/attributes"
	case naming.Plain(s.name) == "edges" && r.isRecord(item.Find("node")):
		s.Each = "/node"
	}
	return s
}

// Inner is where the record is in the answer of one: itself, or within {data: …} or {shop: …}.
func (r *Reader) Inner(top *Schema, singular string) (pointer string, node *openapi.Node) {
	if top == nil {
		return "", nil
	}
	if len(top.Props) == 0 {
		for _, option := range top.Options { // the customer, or a deleted one
			if len(r.Flatten(option).Props) > 0 {
				return "", option
			}
		}
	}
	var found *Prop
	for i, p := range top.Props {
		switch {
		case found == nil && (slices.Contains([]string{"data", "result", "item", "record", "payload", "value", "response"}, naming.Plain(p.Name)) || naming.Same(p.Name, singular)) && r.isRecord(p.Node) && r.Flatten(p.Node).Kind == "object":
			found = &top.Props[i]
		case !isAround(p.Name):
			return "", top.Own
		}
	}
	if found == nil {
		return "", top.Own
	}
	return "/" + Escape(found.Name), found.Node
}
