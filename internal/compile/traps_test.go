package compile

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/munjigi/munjigi/internal/backoffice"
)

// screens compiles a document of which only what matters is written: paths and components, in YAML.
func screens(t testing.TB, text string) backoffice.Service {
	t.Helper()
	service, err := Service("test", []byte("openapi: 3.1.0\ninfo: {title: Test, version: '1'}\n"+text), nil)
	if err != nil {
		t.Fatal(err)
	}
	if ids := lost(service); len(ids) > 0 {
		t.Errorf("lost %v", ids)
	}
	return service
}

func resource(t testing.TB, s backoffice.Service, key string) backoffice.Resource {
	t.Helper()
	for _, r := range s.Resources {
		if r.Key == key {
			return r
		}
	}
	t.Fatalf("there is no resource %s", key)
	return backoffice.Resource{}
}

func kinds(s backoffice.Service) map[string]backoffice.Kind {
	all := map[string]backoffice.Kind{}
	for _, o := range s.Operations {
		all[o.ID] = o.Kind
	}
	return all
}

func operation(t testing.TB, s backoffice.Service, id string) backoffice.Operation {
	t.Helper()
	for _, o := range s.Operations {
		if o.ID == id {
			return o
		}
	}
	t.Fatalf("there is no operation %s", id)
	return backoffice.Operation{}
}

func field(t testing.TB, fields []backoffice.Field, name string) backoffice.Field {
	t.Helper()
	for _, f := range fields {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("there is no field %s", name)
	return backoffice.Field{}
}

// What a list of rows answers, for documents whose answers do not matter.
const (
	rowsOfThings  = `{200: {description: ok, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Thing'}}}}}}`
	oneThing      = `{200: {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}}`
	nothingMuch   = `{204: {description: done}}`
	thingSchema   = "components: {schemas: {Thing: {type: object, title: Thing, properties: {id: {type: string}, name: {type: string}}}}}\n"
	idInPath      = `parameters: [{name: id, in: path, required: true, schema: {type: string}}]`
	aBodyOfAThing = `requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}`
)

func TestFilteredListIsAList(t *testing.T) {
	s := screens(t, `paths:
  /orders:
    get:
      operationId: orders
      parameters:
        - {name: status, in: query, schema: {type: string, enum: [paid, open]}}
        - {name: search, in: query, schema: {type: string}}
        - {name: customer, in: query, schema: {type: string}}
      responses: `+rowsOfThings+"\n"+thingSchema)
	r := resource(t, s, "orders")
	if r.List != "orders" || r.Search != "search" {
		t.Errorf("got list %q, search %q", r.List, r.Search)
	}
	if len(r.Filters) != 2 || r.Filters[0].Param != "status" || len(r.Filters[0].Field.Choices) != 2 {
		t.Errorf("got filters %+v", r.Filters)
	}
}

func TestListBelowARecordIsNoDetail(t *testing.T) {
	s := screens(t, `paths:
  /customers: {get: {operationId: customers, responses: `+rowsOfThings+`}}
  /customers/{id}/orders: {get: {operationId: ordersOf, `+idInPath+`, responses: `+rowsOfThings+`}}
`+thingSchema)
	customers, orders := resource(t, s, "customers"), resource(t, s, "customers.orders")
	if customers.Get != "" {
		t.Errorf("got detail %s, want none", customers.Get)
	}
	if orders.List != "ordersOf" || orders.Parent != "customers" {
		t.Errorf("got %+v", orders)
	}
	if diff := cmp.Diff([]backoffice.Tab{{Title: "Orders", Resource: "customers.orders"}}, customers.Tabs); diff != "" {
		t.Errorf("tabs (-want +got):\n%s", diff)
	}
	if customers.ID != "id" || customers.Keys["id"] != "id" {
		t.Errorf("got id %q, keys %v: the tab cannot be opened", customers.ID, customers.Keys)
	}
}

// Not each POST with a value in its path is an action of a row.
func TestPOSTs(t *testing.T) {
	s := screens(t, `paths:
  /shops:
    get: {operationId: list, responses: `+rowsOfThings+`}
    post: {operationId: create, `+aBodyOfAThing+`, responses: {201: {description: made}}}
  /shops/{id}: {get: {operationId: get, `+idInPath+`, responses: `+oneThing+`}}
  /shops/{id}/items:
    get: {operationId: items, `+idInPath+`, responses: `+rowsOfThings+`}
    post: {operationId: addItem, `+idInPath+`, `+aBodyOfAThing+`, responses: {201: {description: made}}}
  /shops/{id}/close: {post: {operationId: close, `+idInPath+`, responses: `+nothingMuch+`}}
  /shops/{id}:archive: {post: {operationId: archive, `+idInPath+`, responses: `+nothingMuch+`}}
  /shops/import: {post: {operationId: import, `+aBodyOfAThing+`, responses: `+nothingMuch+`}}
  /shops:recount: {post: {operationId: recount, responses: `+nothingMuch+`}}
  /shops/close-many: {post: {operationId: closeMany, requestBody: {content: {application/json: {schema: {type: object, required: [ids], properties: {ids: {type: array, items: {type: string}}, note: {type: string}}}}}}, responses: `+nothingMuch+`}}
  /webhooks/{provider}: {post: {operationId: hook, `+aBodyOfAThing+`, responses: `+nothingMuch+`}}
`+thingSchema)
	want := map[string]backoffice.Kind{
		"list": "list", "create": "create", "get": "get", "items": "list", "addItem": "create", "close": "action", "archive": "action",
		"import": "action", "recount": "action", "closeMany": "bulk", "hook": "run",
	}
	if diff := cmp.Diff(want, kinds(s)); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	shops := resource(t, s, "shops")
	if diff := cmp.Diff([]string{"close", "archive"}, shops.RowActions); diff != "" {
		t.Errorf("row actions (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"import", "recount"}, shops.ListActions); diff != "" {
		t.Errorf("list actions (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]backoffice.Many{{Operation: "closeMany", IDs: "ids"}}, shops.Bulk); diff != "" {
		t.Errorf("bulk (-want +got):\n%s", diff)
	}
	if items := resource(t, s, "shops.items"); items.Create != "addItem" {
		t.Errorf("got %q to create items", items.Create)
	}
}

func TestPaging(t *testing.T) {
	tests := map[string]struct {
		parameters string // of the list
		around     string // properties beside the array
		headers    string
		want       backoffice.Paging
	}{
		"page":                     {"page integer; per_page integer", "total: {type: integer}", "", backoffice.Paging{Style: "page", Param: "page", Size: "per_page", First: 1, Total: "/total"}},
		"page from 0":              {"page integer 0; size integer", "totalElements: {type: integer}", "", backoffice.Paging{Style: "page", Param: "page", Size: "size", Total: "/totalElements"}},
		"offset":                   {"offset integer; limit integer", "total_count: {type: integer}", "", backoffice.Paging{Style: "offset", Param: "offset", Size: "limit", Total: "/total_count"}},
		"page_token":               {"page_token string; page_size integer", "next_page_token: {type: string}", "", backoffice.Paging{Style: "cursor", Param: "page_token", Size: "page_size", Next: "/next_page_token"}},
		"pageToken":                {"pageToken string; pageSize integer", "nextPageToken: {type: string}", "", backoffice.Paging{Style: "cursor", Param: "pageToken", Size: "pageSize", Next: "/nextPageToken"}},
		"starting_after":           {"starting_after string; limit integer", "has_more: {type: boolean}", "", backoffice.Paging{Style: "cursor", Param: "starting_after", Size: "limit", Next: "last:id", More: "/has_more"}},
		"after in a page info":     {"after string; first integer", "pageInfo: {type: object, properties: {endCursor: {type: string}, hasNextPage: {type: boolean}}}", "", backoffice.Paging{Style: "cursor", Param: "after", Size: "first", Next: "/pageInfo/endCursor", More: "/pageInfo/hasNextPage"}},
		"meta":                     {"cursor string", "meta: {type: object, properties: {total: {type: integer}, next_cursor: {type: string}}}", "", backoffice.Paging{Style: "cursor", Param: "cursor", Next: "/meta/next_cursor", Total: "/meta/total"}},
		"links":                    {"page[after] string; page[size] integer", "links: {type: object, properties: {next: {type: string, format: uri}}}", "", backoffice.Paging{Style: "cursor", Param: "page[after]", Size: "page[size]", Next: "/links/next"}},
		"an address alone":         {"limit integer", "next: {type: string, format: uri}", "", backoffice.Paging{Style: "cursor", Size: "limit", Next: "/next"}},
		"Link alone":               {"per_page integer", "", "Link", backoffice.Paging{Style: "cursor", Size: "per_page", Next: "link"}},
		"Link beside page":         {"page integer; per_page integer", "", "Link", backoffice.Paging{Style: "page", Param: "page", Size: "per_page", First: 1, Next: "link"}},
		"limit alone":              {"limit integer", "", "", backoffice.Paging{Style: "none", Size: "limit"}},
		"nothing":                  {"status string", "", "", backoffice.Paging{Style: "none"}},
		"total in a header":        {"page integer", "", "X-Total-Count", backoffice.Paging{Style: "page", Param: "page", First: 1, Total: "header:X-Total-Count"}},
		"total unknown":            {"page integer", "", "", backoffice.Paging{Style: "page", Param: "page", First: 1}},
		"after is a date: no page": {"after date; before date", "", "", backoffice.Paging{Style: "none"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := screens(t, `paths:
  /things:
    get:
      operationId: list
      parameters: [`+parametersOf(test.parameters)+`]
      responses:
        200:
          description: ok
          headers: {`+headerOf(test.headers)+`}
          content: {application/json: {schema: {type: object, properties: {items: {type: array, items: {$ref: '#/components/schemas/Thing'}}, `+test.around+`}}}}
`+thingSchema)
			got := resource(t, s, "things").Paging
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// parametersOf are parameters written as "name type minimum; …".
func parametersOf(text string) string {
	var list []string
	for one := range strings.SplitSeq(text, "; ") {
		words := strings.Fields(one)
		schema := "type: " + words[1]
		if words[1] == "date" {
			schema = "type: string, format: date"
		}
		if len(words) > 2 {
			schema += ", minimum: " + words[2]
		}
		list = append(list, "{name: '"+words[0]+"', in: query, schema: {"+schema+"}}")
	}
	return strings.Join(list, ", ")
}

func headerOf(name string) string {
	if name == "" {
		return ""
	}
	return name + ": {schema: {type: string}}"
}

// Addresses are those of the document: none is made of the name of another, and a parameter may be called anything.
func TestPathsAreTheDocuments(t *testing.T) {
	s := screens(t, `servers: [{url: 'https://elsewhere.example:8443/admin/{version}/', variables: {version: {default: v2}}}, {url: /other}]
paths:
  /shopping_basket: {get: {operationId: baskets, responses: `+rowsOfThings+`}}
  /shopping_basket/{basketNumber}:
    parameters: [{name: basketNumber, in: path, required: true, schema: {type: string}}]
    get: {operationId: basket, responses: `+oneThing+`}
  /shopping_basket/{nr}/empty:
    post: {operationId: empty, responses: `+nothingMuch+`}
  /legacy/shopping_baskets/{id}:
    servers: [{url: 'http://old/'}]
    get: {operationId: legacy, `+idInPath+`, responses: `+oneThing+`}
`+thingSchema)
	want := map[string]string{
		"baskets": "/admin/v2/shopping_basket", "basket": "/admin/v2/shopping_basket/{basketNumber}",
		"empty": "/admin/v2/shopping_basket/{nr}/empty", "legacy": "/legacy/shopping_baskets/{id}",
	}
	got := map[string]string{}
	for _, o := range s.Operations {
		got[o.ID] = o.Path
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	r := resource(t, s, "shopping_basket")
	if diff := cmp.Diff(map[string]string{"basketNumber": "id", "nr": "id"}, r.Keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if r.Get != "basket" || kinds(s)["legacy"] != "report" {
		t.Errorf("got detail %q, legacy %q", r.Get, kinds(s)["legacy"])
	}
}

func TestServersPaths(t *testing.T) {
	for url, want := range map[string]string{
		"/": "/things", "https://x.example": "/things", "https://x.example/": "/things", "https://x.example/api/": "/api/things",
		"//x.example/api": "/api/things", "api": "/api/things", "./": "/things", "../up": "/things", "/a/../b": "/things", "https://x.example/a?b=c#d": "/a/things",
	} {
		s := screens(t, "servers: [{url: '"+url+"'}]\npaths: {/things: {get: {operationId: list, responses: "+nothingMuch+"}}}\n")
		if got := s.Operations[0].Path; got != want {
			t.Errorf("%s: got %s, want %s", url, got, want)
		}
	}
}

// Schemas in all the ways that 3.0 and 3.1 write them.
func TestFields(t *testing.T) {
	tests := map[string]struct {
		schema string
		want   backoffice.Field
	}{
		"3.0 nullable":             {`{type: string, nullable: true}`, backoffice.Field{Type: "string", Nullable: true}},
		"3.1 types":                {`{type: [integer, 'null'], format: int64}`, backoffice.Field{Type: "integer", Format: "int64", Nullable: true}},
		"anyOf null":               {`{anyOf: [{type: string, format: date}, {type: 'null'}]}`, backoffice.Field{Type: "string", Format: "date", Nullable: true}},
		"allOf of one":             {`{allOf: [{type: string, maxLength: 3}], description: Help}`, backoffice.Field{Type: "string", Help: "Help", MaxLength: ptr(3)}},
		"enum with null":           {`{enum: [a_b, null]}`, backoffice.Field{Type: "string", Nullable: true, Choices: []backoffice.Choice{{Value: raw(`"a_b"`), Title: "A b"}}}},
		"oneOf of constants":       {`{oneOf: [{const: 1, title: One}, {const: 2, title: Two}]}`, backoffice.Field{Type: "integer", Choices: []backoffice.Choice{{Value: raw(`1`), Title: "One"}, {Value: raw(`2`), Title: "Two"}}}},
		"names of enums":           {`{type: integer, enum: [1, 2], x-enum-varnames: [FIRST_ONE, SECOND]}`, backoffice.Field{Type: "integer", Choices: []backoffice.Choice{{Value: raw(`1`), Title: "First one"}, {Value: raw(`2`), Title: "Second"}}}},
		"int64 bounds":             {`{type: integer, minimum: -9223372036854775808, maximum: 9223372036854775807, default: 9007199254740993}`, backoffice.Field{Type: "integer", Minimum: "-9223372036854775808", Maximum: "9223372036854775807", Default: raw(`9007199254740993`)}},
		"3.0 exclusive":            {`{type: number, minimum: 0, exclusiveMinimum: true}`, backoffice.Field{Type: "number", Minimum: "0", ExclusiveMin: true}},
		"3.1 exclusive":            {`{type: number, exclusiveMaximum: 1.50}`, backoffice.Field{Type: "number", Maximum: "1.50", ExclusiveMax: true}},
		"a map":                    {`{type: object, additionalProperties: {type: integer}}`, backoffice.Field{Type: "object", Rest: &backoffice.Field{Type: "integer"}}},
		"tags":                     {`{type: array, items: {type: string}, minItems: 1, maxItems: 5}`, backoffice.Field{Type: "array", MinItems: ptr(1), MaxItems: ptr(5), Items: &backoffice.Field{Type: "string"}}},
		"an upload":                {`{type: string, contentMediaType: image/png}`, backoffice.Field{Type: "string", Media: "image/png"}},
		"3.0 upload":               {`{type: string, format: binary}`, backoffice.Field{Type: "string", Format: "binary", Media: "application/octet-stream"}},
		"no type":                  {`{properties: {a: {}}}`, backoffice.Field{Type: "object", Fields: []backoffice.Field{{Name: "a", Title: "A", Type: "any"}}}},
		"example of 3.1":           {`{type: string, examples: [x, y]}`, backoffice.Field{Type: "string", Example: raw(`"x"`)}},
		"true":                     {`true`, backoffice.Field{Type: "any"}},
		"a reference to elsewhere": {`{$ref: 'https://example.com/schema.json#/components/schemas/Thing'}`, backoffice.Field{Type: "any"}},
		"a reference to nothing":   {`{$ref: '#/components/schemas/Nowhere'}`, backoffice.Field{Type: "any"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := screens(t, `paths: {/x: {post: {operationId: x, requestBody: {content: {application/json: {schema: {type: object, properties: {it: `+test.schema+`}}}}}, responses: {}}}}`+"\n"+thingSchema)
			got := field(t, operation(t, s, "x").Body.Schema.Fields, "it")
			test.want.Name, test.want.Title = "it", "It"
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func ptr(n int) *int             { return &n }
func raw(text string) (r []byte) { return []byte(text) }

func TestAllOfKeepsOrderAndRequirements(t *testing.T) {
	s := screens(t, `paths: {/x: {post: {operationId: x, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/C'}}}}, responses: {}}}}
components:
  schemas:
    A: {type: object, required: [z], properties: {z: {type: string}, b: {type: string}}}
    B: {allOf: [{$ref: '#/components/schemas/A'}, {properties: {y: {type: string}, b: {type: integer}}}]}
    C: {allOf: [{$ref: '#/components/schemas/B'}], required: [y], properties: {a: {type: string}}}
`)
	var got []string
	for _, f := range operation(t, s, "x").Body.Schema.Fields {
		got = append(got, f.Name+" "+f.Type+" "+map[bool]string{true: "required"}[f.Required])
	}
	if diff := cmp.Diff([]string{"z string required", "b integer ", "y string required", "a string "}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A schema within itself ends, wherever the circle is.
func TestRecursiveSchemas(t *testing.T) {
	s := screens(t, `paths: {/x: {post: {operationId: x, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Tree'}}}}, responses: {}}}}
components:
  schemas:
    Tree: {type: object, properties: {name: {type: string}, children: {type: array, items: {$ref: '#/components/schemas/Tree'}}, parent: {allOf: [{$ref: '#/components/schemas/Tree'}]}, loop: {$ref: '#/components/schemas/Loop'}}}
    Loop: {$ref: '#/components/schemas/Loop'}
`)
	fields := operation(t, s, "x").Body.Schema.Fields
	if children := field(t, fields, "children"); children.Items == nil || children.Items.Again != "Tree" || children.Items.Type != "object" {
		t.Errorf("children: got %+v", children)
	}
	if parent := field(t, fields, "parent"); parent.Again != "Tree" || parent.Fields != nil {
		t.Errorf("parent: got %+v", parent)
	}
}

func TestDiscriminator(t *testing.T) {
	s := screens(t, `paths: {/x: {post: {operationId: x, requestBody: {content: {application/json: {schema: {oneOf: [{$ref: '#/components/schemas/Card'}, {$ref: '#/components/schemas/Bank'}, {$ref: '#/components/schemas/Cash'}], discriminator: {propertyName: kind, mapping: {card: '#/components/schemas/Card'}}}}}}, responses: {}}}}
components:
  schemas:
    Card: {type: object, title: A card, properties: {kind: {type: string}, number: {type: string}}}
    Bank: {type: object, properties: {kind: {const: bank_transfer}, iban: {type: string}}}
    Cash: {type: object, properties: {kind: {type: string}}}
`)
	body := operation(t, s, "x").Body.Schema
	var got []string
	for _, v := range body.Variants {
		got = append(got, v.Value+": "+v.Title)
	}
	if diff := cmp.Diff([]string{"card: A card", "bank_transfer: Bank", "Cash: Cash"}, got); diff != "" || body.Switch != "kind" {
		t.Errorf("switch %q (-want +got):\n%s", body.Switch, diff)
	}
}

func TestAnswers(t *testing.T) {
	tests := map[string]struct {
		responses string
		want      *backoffice.Answer
	}{
		"201":                    {`{201: {content: {application/json: {schema: {type: string}}}}, 400: {}}`, &backoffice.Answer{Status: 201, Media: "application/json"}},
		"202 with nothing":       {`{202: {headers: {Location: {}}}}`, &backoffice.Answer{Status: 202}},
		"204":                    {`{204: {}}`, &backoffice.Answer{Status: 204}},
		"the lowest":             {`{204: {}, 200: {content: {text/csv: {}}}}`, &backoffice.Answer{Status: 200, Media: "text/csv"}},
		"a range":                {`{2XX: {content: {application/hal+json: {schema: {type: string}}}}}`, &backoffice.Answer{Status: 200, Media: "application/hal+json"}},
		"JSON before others":     {`{200: {content: {text/html: {}, 'application/vnd.x+json': {schema: {type: string}}}}}`, &backoffice.Answer{Status: 200, Media: "application/vnd.x+json"}},
		"anything":               {`{200: {content: {'*/*': {schema: {type: string}}}}}`, &backoffice.Answer{Status: 200, Media: "application/json"}},
		"default alone":          {`{default: {content: {application/json: {schema: {type: string}}}}}`, &backoffice.Answer{Status: 200, Media: "application/json"}},
		"default is an error":    {`{default: {content: {application/problem+json: {}}}}`, nil},
		"nothing is said":        {`{}`, nil},
		"a reference":            {`{200: {$ref: '#/components/responses/R'}}`, &backoffice.Answer{Status: 200, Media: "text/plain"}},
		"only errors":            {`{404: {}}`, nil},
		"a reference to nothing": {`{200: {$ref: '#/components/responses/Q'}}`, &backoffice.Answer{Status: 200}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := screens(t, `paths: {/x: {post: {operationId: x, responses: `+test.responses+`}}}
components: {responses: {R: {content: {text/plain: {schema: {type: string}}}}}}
`)
			if diff := cmp.Diff(test.want, operation(t, s, "x").Answer, cmpopts.IgnoreFields(backoffice.Answer{}, "Schema")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What the gateway never passes on is not asked for.
func TestHeadersThatSayWhoAsks(t *testing.T) {
	s := screens(t, `paths: {/x: {post: {operationId: x, parameters: [
  {name: X-Region, in: header, schema: {type: string}}, {name: X-User-Id, in: header, required: true, schema: {type: string}},
  {name: x_forwarded_for, in: header, schema: {type: string}}, {name: Idempotency-Key, in: header, schema: {type: string}}], responses: {204: {}}}}}
`)
	var names []string
	for _, p := range operation(t, s, "x").Parameters {
		names = append(names, p.Name)
	}
	if diff := cmp.Diff([]string{"X-Region"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What many places refer to is counted for each: a small document does not become a large answer, nor take long.
func TestSharedPartsAreCounted(t *testing.T) {
	refuse := func(name, text string) {
		t.Helper()
		_, err := Service("test", []byte(text), nil)
		if err == nil || !strings.HasPrefix(err.Error(), "document_too_large") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	var paths, parameters strings.Builder
	for i := range 500 {
		fmt.Fprintf(&paths, "  /p%d: {$ref: '#/components/pathItems/P'}\n", i)
		fmt.Fprintf(&parameters, "{name: n%d, in: query, schema: {type: string}}, ", i)
	}
	methods := "get: {responses: {}}, put: {responses: {}}, post: {responses: {}}, delete: {responses: {}}, patch: {responses: {}}"
	refuse("operations", "openapi: 3.1.0\npaths:\n"+paths.String()+"components: {pathItems: {P: {"+methods+"}}}\n")
	refuse("parameters", "openapi: 3.1.0\npaths:\n"+paths.String()+"components: {pathItems: {P: {parameters: ["+parameters.String()+"], get: {responses: {}}}}}\n")

	long := strings.Repeat("long ", 10_000)
	text := "openapi: 3.1.0\npaths:\n" + paths.String() + "components: {pathItems: {P: {get: {summary: " + long + ", description: " + long + ", operationId: " + long + ", x-admin: {when: {a: [" + long + "]}}, " +
		"parameters: [{name: a, in: query, description: " + long + ", schema: {type: string, title: " + long + ", pattern: " + long + ", default: " + long + ", enum: [" + long + ", a]}}], " +
		"responses: {200: {description: ok, content: {application/json: {schema: {type: array, items: {title: " + long + ", description: " + long + ", x-admin: {display: " + long + "}, type: object, properties: {id: {type: string}}}}}}}}}}}}\n"
	s, err := Service("test", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Operations) != 500 || len(answer) > 20<<20 {
		t.Errorf("%d bytes of document became %d of %d operations", len(text), len(answer), len(s.Operations))
	}
	if ids := lost(s); len(ids) > 0 {
		t.Errorf("lost %d", len(ids))
	}
}

// The array that an answer is there for is found in all the envelopes that people use, and a record that has an array
// of its own is no list.
func TestEnvelopes(t *testing.T) {
	thing := `{$ref: '#/components/schemas/Thing'}`
	rows := `{type: array, items: ` + thing + `}`
	tests := map[string]struct{ schema, rows, each string }{
		"bare":                     {rows, "", ""},
		"items":                    {`{type: object, properties: {items: ` + rows + `, total: {type: integer}}}`, "/items", ""},
		"data":                     {`{type: object, properties: {data: ` + rows + `, success: {type: boolean}}}`, "/data", ""},
		"named like the path":      {`{type: object, properties: {things: ` + rows + `, note: {type: string}}}`, "/things", ""},
		"named in the singular":    {`{type: object, properties: {thing: ` + rows + `}}`, "/thing", ""},
		"hydra":                    {`{type: object, properties: {'hydra:member': ` + rows + `, 'hydra:totalItems': {type: integer}}}`, "/hydra:member", ""},
		"member":                   {`{type: object, properties: {'@context': {type: string}, member: ` + rows + `, totalItems: {type: integer}}}`, "/member", ""},
		"HAL":                      {`{type: object, properties: {_embedded: {type: object, properties: {things: ` + rows + `}}, page: {type: object}}}`, "/_embedded/things", ""},
		"data within data":         {`{type: object, properties: {code: {type: integer}, data: {type: object, properties: {list: ` + rows + `, total: {type: integer}}}}}`, "/data/list", ""},
		"another name, alone":      {`{type: object, properties: {widgets: ` + rows + `, next_cursor: {type: string}}}`, "/widgets", ""},
		"JSON:API":                 {`{type: object, properties: {data: {type: array, items: {type: object, properties: {id: {type: string}, type: {type: string}, attributes: ` + thing + `}}}, included: {type: array, items: {type: object}}}}`, "/data", "/attributes"},
		"a connection":             {`{type: object, properties: {edges: {type: array, items: {type: object, properties: {cursor: {type: string}, node: ` + thing + `}}}, pageInfo: {type: object}}}`, "/edges", "/node"},
		"a name to be escaped":     {`{type: object, properties: {'a/b~c': ` + rows + `}}`, "/a~1b~0c", ""},
		"nullable array":           {`{type: object, properties: {things: {type: [array, 'null'], items: ` + thing + `}}}`, "/things", ""},
		"allOf":                    {`{allOf: [{type: object, properties: {total: {type: integer}}}, {type: object, properties: {results: ` + rows + `}}]}`, "/results", ""},
		"an order with its lines":  {`{type: object, properties: {id: {type: string}, status: {type: string}, items: ` + rows + `}}`, "no list", ""},
		"two arrays":               {`{type: object, properties: {left: ` + rows + `, right: ` + rows + `}}`, "no list", ""},
		"numbers with their lines": {`{type: object, properties: {revenue: {type: number}, cost: {type: number}, lines: ` + rows + `}}`, "no list", ""},
		"an array of texts":        {`{type: array, items: {type: string}}`, "no list", ""},
		"an object of one":         {`{type: object, properties: {data: ` + thing + `}}`, "no list", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := screens(t, `paths: {/things: {get: {operationId: list, responses: {200: {content: {application/json: {schema: `+test.schema+`}}}}}}}`+"\n"+thingSchema)
			if test.rows == "no list" {
				if len(s.Resources) > 0 {
					t.Errorf("got a list, rows at %q", s.Resources[0].Rows)
				}
				return
			}
			r := resource(t, s, "things")
			if r.Rows != test.rows || r.Each != test.each || !slices.Contains(r.Columns, "name") {
				t.Errorf("got rows %q, each %q, columns %v; want %q, %q", r.Rows, r.Each, r.Columns, test.rows, test.each)
			}
		})
	}
}
