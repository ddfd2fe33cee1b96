package compile

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/munjigi/munjigi/internal/backoffice"
)

// lost are the operations of a service that can be reached nowhere.
func lost(s backoffice.Service) (ids []string) {
	places := s.Places()
	for _, o := range s.Operations {
		if len(places[o.ID]) == 0 || o.Kind == "" {
			ids = append(ids, o.ID)
		}
	}
	return ids
}

func TestNoOperationOfTheExamplesIsLost(t *testing.T) {
	for name, text := range documents(t) {
		service, err := Service(name, text, nil)
		if err != nil {
			t.Fatal(err)
		}
		if ids := lost(service); len(ids) > 0 || len(service.Operations) == 0 {
			t.Errorf("%s: of %d operations lost %v", name, len(service.Operations), ids)
		}
	}
}

// Whatever a document says, each of its operations is on a screen, and nothing leads to what is not there.
func TestNoOperationIsEverLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		document, operations := anyDocument(t)
		service, err := Service("any", document, nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, document)
		}
		if len(service.Operations) != operations {
			t.Fatalf("got %d operations, want %d\n%s", len(service.Operations), operations, document)
		}
		if ids := lost(service); len(ids) > 0 {
			t.Fatalf("lost %v\n%s", ids, document)
		}
		if wrong := dangling(service); wrong != "" {
			t.Fatalf("%s\n%s", wrong, document)
		}
	})
}

// dangling tells what in a service leads to what is not there.
func dangling(s backoffice.Service) string {
	ids := map[string]backoffice.Operation{}
	for _, o := range s.Operations {
		if _, twice := ids[o.ID]; twice {
			return "two operations are called " + o.ID
		}
		ids[o.ID] = o
	}
	keys := map[string]bool{}
	for _, r := range s.Resources {
		if keys[r.Key] {
			return "two resources are called " + r.Key
		}
		keys[r.Key] = true
	}
	for _, r := range s.Resources {
		named := append([]string{r.List, r.Get, r.Create, r.Update, r.Delete}, append(r.RowActions, r.ListActions...)...)
		for _, many := range r.Bulk {
			named = append(named, many.Operation)
		}
		for _, tab := range r.Tabs {
			named = append(named, tab.Get)
			if tab.Resource != "" && !keys[tab.Resource] {
				return r.Key + " has a tab of nothing: " + tab.Resource
			}
		}
		for _, id := range named {
			if _, ok := ids[id]; id != "" && !ok {
				return r.Key + " names an operation that is not there: " + id
			}
		}
		if r.Parent != "" && !keys[r.Parent] {
			return r.Key + " lies below nothing: " + r.Parent
		}
		for _, id := range []string{r.List, r.Get} {
			if o := ids[id]; id != "" && o.Write() {
				return r.Key + " reads by a write: " + id
			}
		}
		for _, id := range []string{r.Create, r.Update, r.Delete} {
			if o := ids[id]; id != "" && !o.Write() {
				return r.Key + " writes by a read: " + id
			}
		}
		if r.ID == "" && (r.Get != "" || r.Update != "" || r.Delete != "" || len(r.RowActions) > 0) {
			return r.Key + " has operations on rows that cannot be named"
		}
	}
	return ""
}

// anyDocument is an OpenAPI document of a few words, so that paths, names and references meet often.
func anyDocument(t *rapid.T) (text []byte, operations int) {
	pieces := rapid.SampledFrom([]string{"shops", "items", "{id}", "{shop_id}", "{date}", "stats", "suspend", "me", "import", "shop", "{id}.json", "items:purge", "{id}:close"})
	methods := rapid.SampledFrom([]string{"get", "get", "get", "post", "put", "patch", "delete", "head", "options", "trace", "query"})
	paths := map[string]map[string]any{}
	for range rapid.IntRange(1, 12).Draw(t, "paths") {
		path := "/" + strings.Join(rapid.SliceOfN(pieces, 0, 4).Draw(t, "path"), "/")
		item := map[string]any{}
		for range rapid.IntRange(1, 4).Draw(t, "methods") {
			item[methods.Draw(t, "method")] = anyOperation(t)
		}
		paths[path] = item
	}
	for _, item := range paths {
		operations += len(item)
	}
	document := map[string]any{
		"openapi": "3.1.0",
		"paths":   paths,
		"servers": []any{map[string]any{"url": rapid.SampledFrom([]string{"/", "https://x.example/admin/", "v1", "//x"}).Draw(t, "server")}},
		"components": map[string]any{"schemas": map[string]any{
			"A": anySchema(t, 3), "B": anySchema(t, 3),
		}},
	}
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return text, operations
}

func anyOperation(t *rapid.T) map[string]any {
	o := map[string]any{}
	if rapid.Bool().Draw(t, "has an id") {
		o["operationId"] = rapid.SampledFrom([]string{"a", "b", "listShops", "deleteIt", "GET /shops"}).Draw(t, "id")
	}
	if rapid.Bool().Draw(t, "has tags") {
		o["tags"] = rapid.SliceOfN(rapid.SampledFrom([]string{"Shops", "Items", "x y"}), 0, 2).Draw(t, "tags")
	}
	var parameters []any
	for range rapid.IntRange(0, 3).Draw(t, "parameters") {
		parameters = append(parameters, map[string]any{
			"name":     rapid.SampledFrom([]string{"q", "page", "limit", "cursor", "sort", "from", "to", "status", "pageable", "X-Tenant", "id"}).Draw(t, "name"),
			"in":       rapid.SampledFrom([]string{"query", "query", "query", "header", "path", "cookie"}).Draw(t, "in"),
			"required": rapid.Bool().Draw(t, "required"),
			"schema":   anySchema(t, 1),
		})
	}
	o["parameters"] = parameters
	if rapid.Bool().Draw(t, "has a body") {
		o["requestBody"] = map[string]any{"content": map[string]any{"application/json": map[string]any{"schema": anySchema(t, 2)}}}
	}
	status := rapid.SampledFrom([]string{"200", "201", "202", "204", "2XX", "default", "404"}).Draw(t, "status")
	media := rapid.SampledFrom([]string{"application/json", "*/*", "text/csv", "application/vnd.api+json", "application/problem+json"}).Draw(t, "media")
	o["responses"] = map[string]any{status: map[string]any{"content": map[string]any{media: map[string]any{"schema": anySchema(t, 3)}}}}
	note := map[string]any{}
	if rapid.IntRange(0, 3).Draw(t, "annotated") == 0 {
		note["kind"] = rapid.SampledFrom([]string{"list", "get", "create", "update", "delete", "action", "bulk", "report", "cards", "settings", "hidden", "run", "nonsense"}).Draw(t, "kind")
	}
	o["x-admin"] = note
	return o
}

func anySchema(t *rapid.T, depth int) map[string]any {
	kinds := []string{"string", "integer", "number", "boolean", "any", "ref", "nullable", "enum"}
	if depth > 0 {
		kinds = append(kinds, "object", "object", "list", "list", "envelope", "allOf", "oneOf", "map")
	}
	switch kind := rapid.SampledFrom(kinds).Draw(t, "kind of schema"); kind {
	case "any":
		return map[string]any{}
	case "ref":
		return map[string]any{"$ref": "#/components/schemas/" + rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "ref")}
	case "nullable":
		return map[string]any{"type": []string{"string", "null"}}
	case "enum":
		return map[string]any{"enum": []any{"a", "b", nil}}
	case "object":
		properties := map[string]any{}
		for range rapid.IntRange(0, 4).Draw(t, "properties") {
			name := rapid.SampledFrom([]string{"id", "name", "shop_id", "date", "amount", "items", "data", "total", "next", "ids", "status", "attributes", "type"}).Draw(t, "property")
			properties[name] = anySchema(t, depth-1)
		}
		return map[string]any{"type": "object", "properties": properties, "required": []string{"id", "ids"}}
	case "list":
		return map[string]any{"type": "array", "items": anySchema(t, depth-1)}
	case "envelope":
		rows := map[string]any{"type": "array", "items": anySchema(t, depth-1)}
		return map[string]any{"properties": map[string]any{"items": rows, "total": map[string]any{"type": "integer"}, "next_cursor": map[string]any{"type": "string"}}}
	case "allOf", "oneOf":
		return map[string]any{kind: []any{anySchema(t, depth-1), anySchema(t, depth-1)}}
	case "map":
		return map[string]any{"additionalProperties": anySchema(t, depth-1)}
	default:
		return map[string]any{"type": kind}
	}
}

// FuzzCompile looks for documents that end the program or take for ever. What is refused has to have a code.
func FuzzCompile(f *testing.F) {
	for _, text := range documents(f) {
		f.Add(text, []byte(nil))
	}
	f.Add([]byte(`{"openapi":"3.1.0","paths":{"/a":{"$ref":"#/paths/~1a"}}}`), []byte(nil))
	f.Add([]byte("openapi: 3.0.0\npaths: &a\n  /a: {get: {responses: {200: {content: {'*/*': {schema: {$ref: '#/paths'}}}}}}}\n"), []byte("overlay: 1.0.0\nactions: [{target: '$..*', remove: true}]"))
	f.Add([]byte(`{"openapi":"3.1.0","paths":{"/{a}/{b}:c":{"get":{"responses":{"200":{"content":{"a/b+json":{"schema":{"allOf":[{"$ref":"#"}]}}}}}}}}}`), []byte(`{"overlay":"1.0.0","actions":[{"target":"$","update":{"info":{"title":"x"}}}]}`))
	f.Fuzz(func(t *testing.T, document, overlay []byte) {
		began := time.Now()
		service, err := Service("fuzz", document, overlay)
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("it took %v", took)
		}
		if err != nil {
			if !strings.HasPrefix(err.Error(), "document_") && !strings.HasPrefix(err.Error(), "overlay_") {
				t.Errorf("an error without a code: %v", err)
			}
			return
		}
		if ids := lost(service); len(ids) > 0 {
			t.Errorf("lost %v", ids)
		}
		if wrong := dangling(service); wrong != "" {
			t.Error(wrong)
		}
		again, _ := Service("fuzz", document, overlay)
		once, err := json.Marshal(service)
		if err != nil {
			t.Errorf("no JSON: %v", err)
		}
		if twice, _ := json.Marshal(again); !bytes.Equal(once, twice) {
			t.Errorf("the second time is different:\n%s\n%s", once, twice)
		}
	})
}
