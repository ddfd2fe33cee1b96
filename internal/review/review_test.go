package review

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/openapi"
)

const (
	before = `openapi: 3.1.0
info: {title: Stock, version: '1'}
paths:
  /goods:
    get:
      operationId: listGoods
      summary: Goods
      parameters: [{name: status, in: query, schema: {type: string, enum: [new, old]}}, {name: q, in: query, schema: {type: string}}, {name: sort, in: query, schema: {type: string, enum: [name]}}]
      responses: {200: {description: ok, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Good'}}}}}}
  /goods/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: {operationId: getGood, summary: A good, responses: {200: {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Good'}}}}}}
    delete: {operationId: deleteGood, summary: Delete it, x-admin: {guard: {roles: [admin], reason: true}}, responses: {204: {description: gone}}}
  /reindex: {post: {operationId: reindex, summary: Build the index anew, responses: {202: {description: begun}}}}
components: {schemas: {Good: {type: object, title: Good, properties: {id: {type: string}, name: {type: string}, cost: {type: integer, x-admin: {sensitive: true}}}}}}
`
)

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "stock.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func run(t *testing.T, o Options, asJSON bool) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := o.Run(t.Context(), &out, asJSON)
	return out.String(), err
}

func TestTextSaysWhatAppears(t *testing.T) {
	got, err := run(t, Options{OpenAPI: write(t, before), Strict: true}, false)
	if err != nil {
		t.Fatal(err)
	}
	want := `Stock 1
4 operations: 1 list, 0 reports, 0 settings pages, 0 cards

Menu
  Goods: Goods
  Reindex: Build the index anew

Goods (goods)
  list      GET /goods, all on one page, total unknown
  columns   name, id, cost
  filters   status (2 choices)
  search    q
  sort      sort: name
  title     {name}  (id: id)
  record    GET /goods/{id}
  delete    Delete it: DELETE /goods/{id}, confirm, asks for one of the roles admin, a reason
  form      Build the index anew: POST /reindex

Guessed: 0

Where each operation is
  GET     /goods                                   goods: list
  GET     /goods/{id}                              goods: get
  DELETE  /goods/{id}                              goods: delete
  POST    /reindex                                 a form in the menu
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A guess is told with the line that would settle it, and --strict is not content with it.
func TestStrict(t *testing.T) {
	document := write(t, strings.Replace(before, "enum: [name]", "maxLength: 9", 1))
	text, err := run(t, Options{OpenAPI: document}, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Guessed: 1", "GET /goods: sort: every column can be sorted by, as -name, because sort has no enum", "better: enum at sort"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text does not say %q:\n%s", want, text)
		}
	}
	if _, err := run(t, Options{OpenAPI: document, Strict: true}, false); !errors.Is(err, ErrStrict) {
		t.Errorf("got %v, want %v", err, ErrStrict)
	}
	overlay := filepath.Join(t.TempDir(), "overlay.yaml")
	fix := "overlay: 1.0.0\nactions: [{target: '$.paths[\"/goods\"].get.parameters[?@.name == \"sort\"].schema', update: {enum: [name]}}]\n"
	if err := os.WriteFile(overlay, []byte(fix), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, Options{OpenAPI: document, Overlay: overlay, Strict: true}, false); err != nil {
		t.Errorf("with an overlay that says it: %v", err)
	}
}

func TestDiff(t *testing.T) {
	after := strings.NewReplacer(
		"roles: [admin], reason: true", "roles: [admin, editor]",
		", x-admin: {sensitive: true}", "",
		"  /reindex:", "  /rebuild:",
	).Replace(before)
	old, now := write(t, before), write(t, after)
	text, err := run(t, Options{OpenAPI: now, Diff: old}, true)
	if err != nil {
		t.Fatal(err)
	}
	var r Review
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"POST /rebuild"}, r.Changes.New); diff != "" {
		t.Errorf("new (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"POST /reindex"}, r.Changes.Gone); diff != "" {
		t.Errorf("gone (-want +got):\n%s", diff)
	}
	var weaker []string
	for _, w := range r.Changes.Weaker {
		weaker = append(weaker, w.Operation+" "+w.What+" "+w.Field)
	}
	if diff := cmp.Diff([]string{"listGoods sensitive cost", "getGood sensitive cost", "deleteGood guard "}, weaker); diff != "" {
		t.Errorf("weaker (-want +got):\n%s", diff)
	}
	if _, err := run(t, Options{OpenAPI: now, Diff: old, Strict: true}, false); !errors.Is(err, ErrStrict) {
		t.Errorf("weaker and strict: got %v", err)
	}
	if text, err := run(t, Options{OpenAPI: old, Diff: old, Strict: true}, false); err != nil || !strings.Contains(text, "nothing new, gone or weaker") {
		t.Errorf("the same: got %v, %s", err, text)
	}
}

// A validator that is not ours has its say; the screens appear all the same.
func TestProblems(t *testing.T) {
	got := Problems(t.Context(), []byte(`{"openapi":"3.0.0","info":{"title":"x","version":"1"},"paths":{"/a/{id}":{"get":{"responses":{"200":{"description":"ok"}}}}}}`))
	if !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "id") }) {
		t.Errorf("a parameter of a path that is nowhere: got %q", got)
	}
	if got := Problems(t.Context(), []byte(`{"openapi":"3.0.0","info":{"title":"x","version":"1"},"paths":{"/a":{"get":{"responses":{"200":{"$ref":"http://127.0.0.1:1/x.json"}}}}}}`)); len(got) == 0 {
		t.Error("a reference to elsewhere: nothing was said")
	}
	document, err := openapi.Read([]byte(before), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := Problems(t.Context(), document.Root.JSON()); len(got) > 0 {
		t.Errorf("a good document: got %q", got)
	}
	text, err := run(t, Options{OpenAPI: write(t, strings.Replace(before, "title: Stock, ", "", 1))}, false)
	if err != nil || !strings.Contains(text, "Against the specification") || !strings.Contains(text, "Goods (goods)") {
		t.Errorf("without a title: got %v\n%s", err, text)
	}
}

func TestDocumentsThatCannotBeUsed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer x" {
			_, _ = w.Write([]byte(before))
			return
		}
		http.Redirect(w, r, "/sign-in", http.StatusFound)
	}))
	defer server.Close()
	tests := map[string]struct {
		options Options
		err     string // "" = good
	}{
		"an address":             {Options{OpenAPI: server.URL + "/openapi.json", Header: []string{"Authorization: Bearer x"}}, ""},
		"signed out":             {Options{OpenAPI: server.URL + "/openapi.json"}, `leads to "/sign-in"`},
		"no file":                {Options{OpenAPI: "nowhere.json"}, "no such file"},
		"no overlay":             {Options{OpenAPI: write(t, before), Overlay: "nowhere.yaml"}, "no such file"},
		"no earlier one":         {Options{OpenAPI: write(t, before), Diff: "nowhere.yaml"}, "no such file"},
		"not a document":         {Options{OpenAPI: write(t, "hello")}, "stock.yaml: document_malformed: the document is not an object"},
		"Swagger 2":              {Options{OpenAPI: write(t, "swagger: '2.0'")}, "document_version"},
		"an overlay that is bad": {Options{OpenAPI: write(t, before), Overlay: write(t, "hello")}, "overlay_invalid"},
	}
	for name, test := range tests {
		text, err := run(t, test.options, false)
		if (err == nil) != (test.err == "") || (err != nil && !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%s: got %v, want %q", name, err, test.err)
		}
		if err == nil && !strings.Contains(text, "Goods (goods)") {
			t.Errorf("%s: got %s", name, text)
		}
	}
}
