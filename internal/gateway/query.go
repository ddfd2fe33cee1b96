package gateway

import (
	"net/url"
	"strings"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/fault"
)

// maxQuery bounds a query, in bytes.
const maxQuery = 8 << 10

// query is what a service gets of a query: the parameters that its document has, each as often as it may come, written
// anew.
func query(raw string, o *backoffice.Operation) (string, error) {
	if raw == "" {
		return "", nil
	}
	if len(raw) > maxQuery {
		return "", invalid("the query is too long")
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return "", invalid("the query cannot be read")
	}
	known := parameters(o)
	var wrong []fault.Field
	for name, list := range values {
		switch many, ok := known[name]; {
		case !ok:
			wrong = append(wrong, fault.Field{Pointer: "/" + name, Detail: "no parameter of this operation in the service's document"})
		case len(list) > 1 && !many:
			wrong = append(wrong, fault.Field{Pointer: "/" + name, Detail: "only once"})
		}
	}
	if wrong != nil {
		return "", &fault.Error{Code: fault.RequestInvalid, Fields: wrong}
	}
	return rewrite(raw), nil
}

// parameters are the names that a query may have, and whether each may come more than once.
func parameters(o *backoffice.Operation) map[string]bool {
	known := map[string]bool{}
	for _, p := range o.Parameters {
		if p.In != "query" {
			continue
		}
		known[p.Name] = p.Type == "array" || p.Type == "any"
		if p.Type == "array" {
			known[p.Name+"[]"] = true // as PHP and Rails have it
		}
		for _, member := range p.Fields { // both styles of an object
			known[p.Name+"["+member.Name+"]"], known[member.Name] = member.Type == "array", member.Type == "array"
		}
	}
	return known
}

// rewrite spells a query that could be read in one way, in its order.
func rewrite(raw string) string {
	var out strings.Builder
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, _ = url.QueryUnescape(name) // both were read before
		value, _ = url.QueryUnescape(value)
		if out.Len() > 0 {
			out.WriteByte('&')
		}
		out.WriteString(url.QueryEscape(name) + "=" + url.QueryEscape(value))
	}
	return out.String()
}
