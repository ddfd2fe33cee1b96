package compile

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/backoffice"
)

func TestSettingsCardsReportsAndForms(t *testing.T) {
	object := func(properties string) string {
		return `{200: {content: {application/json: {schema: {type: object, properties: {` + properties + `}}}}}}`
	}
	s := screens(t, `paths:
  /preferences:
    get: {operationId: prefs, summary: Preferences, responses: `+object("sender: {type: string}")+`}
    put: {operationId: setPrefs, `+aBodyOfAThing+`, responses: `+nothingMuch+`}
  /dashboard: {get: {operationId: dash, responses: `+object("orders: {type: integer, title: Open orders}, revenue: {type: number}, state: {type: string}, by_day: {type: array, items: {type: object, properties: {day: {type: string, format: date}, n: {type: integer}}}}")+`}}
  /visits: {get: {operationId: visits, parameters: [{name: from, in: query, required: true, schema: {type: string, format: date}}, {name: to, in: query, required: true, schema: {type: string, format: date}}], responses: {200: {content: {application/json: {schema: {type: array, items: {type: object, properties: {date: {type: string, format: date}, visits: {type: integer}}}}}}}}}}
  /queue/length: {get: {operationId: length, responses: {200: {content: {application/json: {schema: {type: integer}}}}}}}
  /me: {get: {operationId: me, responses: `+object("sub: {type: string}, email: {type: string}, iat: {type: integer}, exp: {type: integer}")+`}}
  /sales: {get: {operationId: sales, parameters: [{name: region, in: query, required: true, schema: {type: string}}], responses: `+rowsOfThings+`}}
  /users/{id}: {get: {operationId: user, `+idInPath+`, responses: `+oneThing+`}}
  /export: {get: {operationId: export, responses: {200: {content: {text/csv: {}}}}}}
  /reindex: {post: {operationId: reindex, responses: `+nothingMuch+`}}
`+thingSchema)
	want := map[string]backoffice.Kind{
		"prefs": "settings", "setPrefs": "settings", "dash": "cards", "visits": "cards", "length": "cards", "me": "report", "sales": "report", "user": "report", "export": "run", "reindex": "run",
	}
	if diff := cmp.Diff(want, kinds(s)); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	var cards []string
	for _, c := range s.Cards {
		cards = append(cards, strings.Join([]string{c.Key, c.Title, c.Pointer, c.Chart.Type, c.Chart.X, c.Chart.Y, c.From, c.To}, " "))
	}
	if diff := cmp.Diff([]string{
		"dash/orders Open orders /orders stat    ", "dash/revenue Revenue /revenue stat    ", "dash/by_day By day /by_day line day n  ",
		"visits Visits  line date visits from to", "length Length  stat    ",
	}, cards); diff != "" {
		t.Errorf("cards (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]backoffice.Settings{{Key: "prefs", Title: "Preferences", Get: "prefs", Update: "setPrefs"}}, s.Settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestColumnsTitleAndReferences(t *testing.T) {
	s := screens(t, `paths:
  /customers: {get: {operationId: customers, responses: `+rowsOfThings+`}}
  /customers/{id}: {get: {operationId: customer, `+idInPath+`, responses: `+oneThing+`}}
  /products: {get: {operationId: products, responses: `+rowsOfThings+`}}
  /invoices:
    get:
      operationId: invoices
      parameters: [{name: customerId, in: query, schema: {type: string}}]
      responses:
        200:
          links: {buyer: {operationId: customer, parameters: {id: '$response.body#/items/0/paid_by'}}}
          content: {application/json: {schema: {type: object, properties: {items: {type: array, items: {$ref: '#/components/schemas/Invoice'}}}}}}
`+strings.TrimSuffix(thingSchema, "}}\n")+`, Invoice: {type: object, properties: {
    id: {type: string}, secret: {type: string, writeOnly: true}, pin: {type: string, format: password}, old: {type: string, deprecated: true},
    lines: {type: array, items: {type: object}}, number: {type: string}, customer_id: {type: string}, customer: {type: string}, customerName: {type: string},
    product_id: {type: string}, paid_by: {type: string}, address: {type: object, properties: {customer_id: {type: string}}}, total: {type: integer}}}}}
`)
	r := resource(t, s, "invoices")
	if r.Display != "{number}" {
		t.Errorf("got display %q", r.Display)
	}
	if diff := cmp.Diff([]string{"number", "id", "customer_id", "customer", "customerName", "product_id", "paid_by", "total"}, r.Columns); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	got := map[string]string{}
	for _, f := range r.Row.Fields {
		if f.Ref != nil {
			got[f.Name] = f.Ref.Resource
		}
	}
	if diff := cmp.Diff(map[string]string{"customer_id": "customers", "customer": "customers", "paid_by": "customers"}, got); diff != "" {
		t.Errorf("references (-want +got): products have no detail\n%s", diff)
	}
	if f := field(t, field(t, r.Row.Fields, "address").Fields, "customer_id"); f.Ref == nil {
		t.Error("a reference within an object was not seen")
	}
	if f := r.Filters[0].Field; f.Ref == nil || f.Ref.Resource != "customers" {
		t.Errorf("the filter: got %+v", f.Ref)
	}
}

// Arrays and objects are counted where there are few other columns.
func TestFewColumnsAreFilledWithCounts(t *testing.T) {
	s := screens(t, `paths: {/things: {get: {operationId: list, responses: `+rowsOfThings+`}}}
components: {schemas: {Thing: {type: object, properties: {tags: {type: array, items: {type: string}}, name: {type: string}, size: {type: object, properties: {x: {type: integer}}}}}}}
`)
	if diff := cmp.Diff([]string{"name", "tags", "size"}, resource(t, s, "things").Columns); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFiltersAndSort(t *testing.T) {
	pairs := []string{
		"created_from created_to", "createdFrom createdTo", "price_gte price_lte", "created_after created_before", "min_price max_price", "minPrice maxPrice",
		"from_date to_date", "since until", "created[gte] created[lte]", "start_date end_date", "from to",
	}
	for _, pair := range pairs {
		from, to, _ := strings.Cut(pair, " ")
		s := screens(t, `paths: {/things: {get: {operationId: list, parameters: [`+parametersOf(from+" date; "+to+" date")+`], responses: `+rowsOfThings+`}}}`+"\n"+thingSchema)
		filters := resource(t, s, "things").Filters
		if len(filters) != 1 || filters[0].From != from || filters[0].To != to || filters[0].Param != "" {
			t.Errorf("%s: got %+v", pair, filters)
		}
	}
	sorts := map[string]struct {
		parameters, style, direction string
		values                       []string
	}{
		"columns listed":    {`{name: sort, in: query, schema: {type: string, enum: [name, id]}}`, "plain", "", []string{"name", "id"}},
		"both directions":   {`{name: sort, in: query, schema: {type: string, enum: [name, -name]}}`, "values", "", []string{"name", "-name"}},
		"words":             {`{name: order_by, in: query, schema: {type: string}}`, "word", "", []string{"id", "name"}},
		"minus":             {`{name: sort, in: query, schema: {type: string}}`, "minus", "", []string{"id", "name"}},
		"a parameter of it": {`{name: sort_by, in: query, schema: {type: string, enum: [name]}}, {name: sort_order, in: query, schema: {type: string, enum: [asc, desc]}}`, "plain", "sort_order", []string{"name"}},
		"order is the way":  {`{name: sort, in: query, schema: {type: string, enum: [name]}}, {name: order, in: query, schema: {type: string, enum: [asc, desc]}}`, "plain", "order", []string{"name"}},
	}
	for name, test := range sorts {
		s := screens(t, `paths: {/things: {get: {operationId: list, parameters: [`+test.parameters+`], responses: `+rowsOfThings+`}}}`+"\n"+thingSchema)
		r := resource(t, s, "things")
		if r.Sort == nil {
			t.Errorf("%s: no sort", name)
			continue
		}
		var values []string
		for _, by := range r.Sort.By {
			values = append(values, by.Value)
		}
		if r.Sort.Style != test.style || r.Sort.Direction != test.direction || !slices.Equal(values, test.values) || len(r.Filters) > 0 {
			t.Errorf("%s: got %+v, filters %+v", name, *r.Sort, r.Filters)
		}
	}
}

func TestDanger(t *testing.T) {
	s := screens(t, `paths:
  /things: {get: {operationId: list, responses: `+rowsOfThings+`}}
  /things/{id}: {delete: {operationId: gone, `+idInPath+`, responses: `+nothingMuch+`}}
  /things/{id}/refund: {post: {operationId: x1, responses: `+nothingMuch+`}}
  /things/{id}/reset-password: {post: {operationId: x2, responses: `+nothingMuch+`}}
  /things/{id}/status: {put: {operationId: disableThing, responses: `+nothingMuch+`}}
  /things/{id}/rename: {post: {operationId: x3, responses: `+nothingMuch+`}}
  /things/{id}/purge: {post: {operationId: x4, x-admin: {danger: irreversible}, responses: `+nothingMuch+`}}
  /things/{id}/ban: {post: {operationId: x5, x-admin: {danger: false}, responses: `+nothingMuch+`}}
  /things/{id}/tell: {post: {operationId: x6, x-admin: {danger: true}, responses: `+nothingMuch+`}}
  /things/{id}/scare: {post: {operationId: x7, x-admin: {danger: nonsense}, responses: `+nothingMuch+`}}
`+thingSchema)
	got := map[string]backoffice.Danger{}
	for _, o := range s.Operations {
		if o.Write() {
			got[o.ID] = o.Danger
		}
	}
	want := map[string]backoffice.Danger{"gone": "confirm", "x1": "confirm", "x2": "confirm", "disableThing": "confirm", "x3": "", "x4": "irreversible", "x5": "", "x6": "confirm", "x7": "confirm"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Every member of x-admin.
func TestAnnotations(t *testing.T) {
	s := screens(t, `paths:
  /things:
    get: {operationId: list, x-admin: {columns: [state, name, nowhere]}, responses: `+rowsOfThings+`}
  /things/{id}: {get: {operationId: get, `+idInPath+`, responses: `+oneThing+`}}
  /things/{id}/pay: {post: {operationId: pay, x-admin: {when: {state: [open, 1], name: x}, guard: {roles: [admin], reason: true, approval: 2, limit: 50}}, responses: `+nothingMuch+`}}
  /things/new: {post: {operationId: make, x-admin: {kind: create}, responses: `+nothingMuch+`}}
  /things/{id}/save: {post: {operationId: save, x-admin: {kind: update}, responses: `+nothingMuch+`}}
  /things/{id}/drop: {post: {operationId: drop, x-admin: {kind: delete}, responses: `+nothingMuch+`}}
  /secret: {post: {operationId: secret, x-admin: {kind: hidden}, responses: `+nothingMuch+`}}
  /all: {get: {operationId: all, x-admin: {kind: report, chart: {type: bar, x: name, y: amount}}, responses: `+rowsOfThings+`}}
  /who: {get: {operationId: who, x-admin: {kind: cards}, responses: {200: {content: {application/json: {schema: {type: object, properties: {a: {type: string}, n: {type: integer, x-admin: {chart: {type: progress, target: m, previous: p}}}}}}}}}}}
  /wrong: {post: {operationId: wrong, x-admin: {kind: list}, responses: `+nothingMuch+`}}
components: {schemas: {Thing: {type: object, x-admin: {display: '{name} ({id})', allow: can, columns: [name]}, properties: {
  id: {type: string}, name: {type: string}, can: {type: array, items: {type: string}}, state: {enum: [open, done, bad], x-admin: {tone: {open: good, done: warn, bad: bad}}},
  other: {type: string, x-admin: {ref: billing/customers}}, own: {type: string, x-admin: {ref: things}}, nobody: {type: string, x-admin: {ref: nobodies}},
  price: {type: integer, x-admin: {format: 'money:currency'}}, odd: {type: integer, x-admin: {format: strange}}, phone: {type: string, x-admin: {sensitive: true}}, plain: {type: string, x-admin: {sensitive: false}}}}}}
`)
	r := resource(t, s, "things")
	checks := map[string]struct{ got, want any }{
		"display":      {r.Display, "{name} ({id})"},
		"columns":      {strings.Join(r.Columns, " "), "state name"},
		"allow":        {r.Allow, "can"},
		"create":       {r.Create, "make"},
		"update":       {r.Update, "save"},
		"delete":       {r.Delete, "drop"},
		"row actions":  {strings.Join(r.RowActions, " "), "pay"},
		"tones":        {tonesOf(field(t, r.Row.Fields, "state")), "good warn bad"},
		"other":        {*field(t, r.Row.Fields, "other").Ref, backoffice.Ref{Service: "billing", Resource: "customers"}},
		"own":          {*field(t, r.Row.Fields, "own").Ref, backoffice.Ref{Resource: "things"}},
		"nobody":       {field(t, r.Row.Fields, "nobody").Ref == nil, true},
		"format":       {field(t, r.Row.Fields, "price").Format, "money:currency"},
		"odd format":   {field(t, r.Row.Fields, "odd").Format, ""},
		"sensitive":    {field(t, r.Row.Fields, "phone").Sensitive, true},
		"plain":        {field(t, r.Row.Fields, "plain").Sensitive, false},
		"hidden":       {kinds(s)["secret"], backoffice.Hidden},
		"report":       {kinds(s)["all"], backoffice.ReportOn},
		"chart":        {*s.Reports[0].Chart, backoffice.Chart{Type: "bar", X: "name", Y: "amount"}},
		"cards":        {kinds(s)["who"], backoffice.Figures},
		"card's chart": {s.Cards[0].Chart, backoffice.Chart{Type: "progress", Target: "m", Previous: "p"}},
		"a write":      {kinds(s)["wrong"], backoffice.Run},
	}
	for name, c := range checks {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	pay := operation(t, s, "pay")
	if diff := cmp.Diff(backoffice.Guard{Roles: []string{"admin"}, Reason: true, Approval: 2, Limit: 50}, pay.Guard); diff != "" {
		t.Errorf("guard (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string][]json.RawMessage{"state": {raw(`"open"`), raw(`1`)}, "name": {raw(`"x"`)}}, pay.When); diff != "" {
		t.Errorf("when (-want +got):\n%s", diff)
	}
	for _, about := range []string{"nowhere", "nobodies", "list"} {
		if !slices.ContainsFunc(s.Guesses, func(g backoffice.Guess) bool { return strings.Contains(g.Because+g.Took, about) }) {
			t.Errorf("nothing is said of %s", about)
		}
	}
}

func tonesOf(f backoffice.Field) string {
	var tones []string
	for _, c := range f.Choices {
		tones = append(tones, c.Tone)
	}
	return strings.Join(tones, " ")
}

// A guard that is written in another way than expected asks for more, not less.
func TestGuardsAreReadTightly(t *testing.T) {
	tests := map[string]backoffice.Guard{
		`{roles: admin}`:                    {Roles: []string{"admin"}},
		`{reason: 'yes', approval: true}`:   {Reason: true, Approval: 1},
		`{reason: false, approval: false}`:  {},
		`{approval: many}`:                  {Approval: 1},
		`{approval: -1}`:                    {Approval: 1},
		`{limit: -5, aproval: 1}`:           {},
		`{approval: 99999999999999999999}`:  {Approval: 1},
		`{roles: [], reason: 0, limit: 10}`: {Roles: []string{}, Reason: true, Limit: 10},
	}
	for text, want := range tests {
		s := screens(t, `paths: {/x: {post: {operationId: x, x-admin: {guard: `+text+`}, responses: {}}}}`+"\n")
		got := operation(t, s, "x").Guard
		if len(got.Roles) == 0 {
			got.Roles, want.Roles = nil, nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// Whatever kind an annotation gives it, what may change something stays a write.
func TestAnnotationsOnlyTighten(t *testing.T) {
	for _, kind := range []string{"list", "get", "report", "cards", "hidden", "settings"} {
		s := screens(t, `paths:
  /things: {get: {operationId: list, responses: `+rowsOfThings+`}, post: {operationId: x, x-admin: {kind: `+kind+`}, `+aBodyOfAThing+`, responses: `+rowsOfThings+`}}
`+thingSchema)
		o := operation(t, s, "x")
		if !o.Write() || (o.Kind == backoffice.List || o.Kind == backoffice.Get || o.Kind == backoffice.Figures || o.Kind == backoffice.ReportOn) {
			t.Errorf("%s: got %s, write %v", kind, o.Kind, o.Write())
		}
	}
}

// What is too deep to be drawn is masked whole where something in it is sensitive, and so is what no field is drawn of.
func TestSensitiveIsNotLostInTheDepth(t *testing.T) {
	s := screens(t, `paths: {/x: {post: {operationId: x, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Person'}}}}, responses: {}}}}
components: {schemas: {
  Person: {type: object, properties: {name: {type: string}, ssn: {type: string, x-admin: {sensitive: true}}, boss: {$ref: '#/components/schemas/Person'}, plain: {$ref: '#/components/schemas/Plain'}, odd: {type: object, patternProperties: {'^x': {$ref: '#/components/schemas/Person'}}}}},
  Plain: {type: object, properties: {again: {$ref: '#/components/schemas/Plain'}}}}}
`)
	fields := operation(t, s, "x").Body.Schema.Fields
	for name, want := range map[string]bool{"name": false, "ssn": true, "boss": true, "plain": false, "odd": true} {
		if got := field(t, fields, name).Sensitive; got != want {
			t.Errorf("%s: got sensitive %v, want %v", name, got, want)
		}
	}
	if f := field(t, field(t, fields, "plain").Fields, "again"); f.Again != "Plain" || f.Sensitive {
		t.Errorf("again: got %+v", f)
	}
}

// A service may answer in several ways: what is sensitive in any of them is known.
func TestSensitiveInAnotherAnswer(t *testing.T) {
	s := screens(t, `paths: {/x: {get: {operationId: x, responses: {
  200: {content: {application/json: {schema: {type: object, properties: {a: {type: string}}}}, application/hal+json: {schema: {type: object, properties: {b: {type: string, x-admin: {sensitive: true}}}}}}},
  201: {content: {application/json: {schema: {type: object, properties: {c: {type: string}}}}}}, 203: {content: {application/json: {schema: {type: object, properties: {d: {type: string, x-admin: {sensitive: true}}}}}}}}}}}
`)
	answer := operation(t, s, "x").Answer.Schema
	var got []string
	for _, v := range answer.Variants {
		got = append(got, v.Title+" "+v.Field.Fields[0].Name)
	}
	if diff := cmp.Diff([]string{"200 b", "203 d"}, got); diff != "" || len(answer.Fields) != 1 {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A schema that is put together from too much to be read is masked, whatever else it says.
func TestTooMuchIsSensitive(t *testing.T) {
	deep := strings.Repeat("{allOf: [", 20) + "{type: string, x-admin: {sensitive: true}}" + strings.Repeat("]}", 20)
	wide := "{allOf: [" + strings.Repeat("{type: string}, ", 300) + "{x-admin: {sensitive: true}}]}"
	few := "{allOf: [" + strings.Repeat("{type: string}, ", 30) + "{minLength: 1}]}"
	s := screens(t, `paths: {/x: {post: {operationId: x, requestBody: {content: {application/json: {schema: {type: object, properties: {deep: `+deep+`, wide: `+wide+`, few: `+few+`}}}}}, responses: {}}}}`+"\n")
	for _, f := range operation(t, s, "x").Body.Schema.Fields {
		if f.Sensitive != (f.Name != "few") || f.Type != "string" && f.Name != "deep" {
			t.Errorf("%s: got %+v", f.Name, f)
		}
	}
}

// An overridden or combined schema cannot take the mark off.
func TestSensitiveCannotBeTakenOff(t *testing.T) {
	s := screens(t, `paths: {/x: {post: {operationId: x, requestBody: {content: {application/json: {schema: {type: object, properties: {
  d: {allOf: [{$ref: '#/components/schemas/Person'}, {properties: {phone: {type: string, title: T, x-admin: {sensitive: false}}}}]},
  a: {$ref: '#/components/schemas/Secret', x-admin: {sensitive: false}}, b: {allOf: [{$ref: '#/components/schemas/Secret'}]}, c: {anyOf: [{$ref: '#/components/schemas/Secret'}, {type: 'null'}]}}}}}}, responses: {}}}}
components: {schemas: {Secret: {type: string, x-admin: {sensitive: true}}, Person: {type: object, properties: {phone: {type: string, title: Old, x-admin: {sensitive: true}}}}}}
`)
	for _, f := range operation(t, s, "x").Body.Schema.Fields {
		if f.Name == "d" {
			f = f.Fields[0]
			if f.Title != "T" || f.Type != "string" {
				t.Errorf("got %+v", f)
			}
		}
		if !f.Sensitive {
			t.Errorf("%s is plain", f.Name)
		}
	}
}

// Records that are found in several ways, and listed in none, belong to the first of these. An answer with a list of one
// is that one.
func TestRecordsThatAreOnlyFound(t *testing.T) {
	s := screens(t, `paths:
  /pet: {post: {operationId: add, `+aBodyOfAThing+`, responses: `+oneThing+`}, put: {operationId: put, `+aBodyOfAThing+`, responses: `+oneThing+`}}
  /pet/findByStatus: {get: {operationId: byStatus, parameters: [{name: status, in: query, schema: {type: string, enum: [new, sold]}}], responses: `+rowsOfThings+`}}
  /pet/findByTags: {get: {operationId: byTags, responses: `+rowsOfThings+`}}
  /pet/{petId}: {get: {operationId: get, responses: `+oneThing+`}, delete: {operationId: drop, responses: `+nothingMuch+`}}
  /pet/{petId}/photo: {post: {operationId: photo, responses: `+nothingMuch+`}}
  /blocks: {get: {operationId: blocks, responses: `+rowsOfThings+`}}
  /blocks/{block_id}: {get: {operationId: block, responses: `+rowsOfThings+`}}
  /blocks/{colour}/more: {get: {operationId: more, responses: `+nothingMuch+`}}
`+thingSchema)
	r := resource(t, s, "pet")
	got := []string{r.List, r.Get, r.Create, r.Delete, strings.Join(r.RowActions, " "), strings.Join(r.ListActions, " "), r.ID}
	if diff := cmp.Diff([]string{"byStatus", "get", "add", "drop", "photo", "put", "id"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if other := resource(t, s, "findByTags"); other.Opens != "pet" {
		t.Errorf("rows of the other open %q", other.Opens)
	}
	if b := resource(t, s, "blocks"); b.Get != "block" || b.RecordAt != "/0" || b.Record == nil || len(b.Record.Fields) != 2 {
		t.Errorf("got %q at %q", b.Get, b.RecordAt)
	}
}

// What a path calls a record by is found among a row's properties by the words of its name.
func TestIDs(t *testing.T) {
	tests := []struct{ path, properties, want string }{
		{"/ips/{ip_address}", "ip: {type: string}, pool: {type: string}", "ip"},
		{"/subusers/{subuser_name}", "id: {type: integer}, username: {type: string}", "username"},
		{"/shops/{shopId}", "shop_id: {type: string}, id: {type: string}", "shop_id"},
		{"/shops/{shop_id}", "owner_id: {type: string}, id: {type: string}", "id"},
		{"/shops/{id}", "shopId: {type: string}, name: {type: string}", "shopId"},
		{"/shops/{shop}", "slug: {type: string}, email: {type: string}", "slug"},
		{"/shops/{id}", "lines: {type: array, items: {}}", ""},
	}
	for _, test := range tests {
		list, _, _ := strings.Cut(test.path, "/{")
		s := screens(t, `paths:
  `+list+`: {get: {operationId: list, responses: `+rowsOfThings+`}}
  '`+test.path+`': {get: {operationId: get, responses: `+oneThing+`}}
components: {schemas: {Thing: {type: object, properties: {`+test.properties+`}}}}
`)
		if got := s.Resources[0].ID; got != test.want {
			t.Errorf("%s with %s: got %q, want %q", test.path, test.properties, got, test.want)
		}
	}
}

// Rows of a name and a number are figures only where the number says how much there is.
func TestFiguresAreNoRecords(t *testing.T) {
	for properties, want := range map[string]backoffice.Kind{
		"city: {type: string}, visits: {type: integer}":                                                        "cards",
		"city: {type: string}, total_amount: {type: number}":                                                   "cards",
		"email: {type: string}, created: {type: integer}":                                                      "list",
		"email: {type: string, format: email}, count: {type: integer}":                                         "list",
		"day: {type: string, format: date}, seats: {type: integer}":                                            "cards",
		"id: {type: string}, day: {type: string, format: date}, n: {type: integer}":                            "list",
		"period: {type: string}, remaining: {type: integer}, price: {type: number}":                            "list",
		"city: {type: string}, visits: {type: integer}, open: {type: boolean}, more: {type: array, items: {}}": "list",
	} {
		s := screens(t, `paths: {/x: {get: {operationId: x, responses: `+rowsOfThings+`}}}
components: {schemas: {Thing: {type: object, properties: {`+properties+`}}}}
`)
		if got := kinds(s)["x"]; got != want {
			t.Errorf("%s: got %s, want %s", properties, got, want)
		}
	}
}

// Rows that nothing names cannot be opened: what is done with one of them is a form of its own, or a report.
func TestRowsWithoutAnID(t *testing.T) {
	s := screens(t, `paths:
  /lines: {get: {operationId: list, responses: {200: {content: {application/json: {schema: {type: array, items: {type: object, properties: {amount: {type: integer}, items: {type: array, items: {type: string}}}}}}}}}}}
  /lines/{line}: {get: {operationId: get, responses: `+oneThing+`}, delete: {operationId: drop, responses: `+nothingMuch+`}}
  /lines/{line}/move: {post: {operationId: move, responses: `+nothingMuch+`}}
  /lines/{line}/parts: {get: {operationId: parts, responses: `+rowsOfThings+`}}
`+thingSchema)
	want := map[string]backoffice.Kind{"list": "list", "get": "report", "drop": "run", "move": "run", "parts": "report"}
	if diff := cmp.Diff(want, kinds(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !slices.ContainsFunc(s.Guesses, func(g backoffice.Guess) bool { return g.About == "id" }) {
		t.Error("nothing is said of it")
	}
}

func TestMenu(t *testing.T) {
	menu := func(text string) (got []string) {
		for _, g := range screens(t, text+thingSchema).Menu {
			line := g.Title + ":"
			for _, e := range g.Entries {
				line += " " + string(e.Kind) + " " + e.Key
			}
			got = append(got, line)
		}
		return got
	}
	list := func(id, more string) string {
		return `get: {operationId: ` + id + `, ` + more + ` responses: ` + rowsOfThings + `}`
	}
	tests := map[string]struct {
		text string
		want []string
	}{
		"tags in their order": {
			"tags: [{name: B, description: h}, {name: A}, {name: unused}]\npaths:\n  /a: {" + list("a", "tags: [A],") + "}\n  /b: {" + list("b", "tags: [B],") + "}\n  /c: {" + list("c", "tags: [new-controller],") + "}\n",
			[]string{"B: resource b", "A: resource a", "New: resource c"},
		},
		"the first piece that differs": {
			"paths:\n  /api/v1/shops: {" + list("a", "") + "}\n  /api/v1/shops/{id}: {get: {operationId: g, responses: " + oneThing + "}}\n  /api/v1/mails/sent: {" + list("b", "") + "}\n",
			[]string{"Shops: resource shops", "Mails: resource sent"},
		},
		"tag groups": {
			"x-tagGroups: [{name: Sales, tags: [A, B]}]\ntags: [{name: A}, {name: B}, {name: C}]\npaths:\n  /a: {" + list("a", "tags: [A],") + "}\n  /b: {" + list("b", "tags: [B],") + "}\n  /c: {" + list("c", "tags: [C],") + "}\n",
			[]string{"Sales: resource a resource b", "C: resource c"},
		},
		"parents of 3.2, and tags for navigation": {
			"tags: [{name: top, summary: Top, kind: nav}, {name: sub, parent: top, kind: nav}, {name: beta, kind: badge}]\npaths:\n  /a: {" + list("a", "tags: [beta, sub],") + "}\n",
			[]string{"Top: resource a"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, menu(test.text)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTitles(t *testing.T) {
	for summary, want := range map[string]string{
		"Shops": "Shops", "List shops": "Shops", "List all shops": "Shops", "Get the shops": "Shops", "상점 목록 조회": "상점", "상점 목록": "상점", "": "Shop list", "Returns a page of the very many shops there are": "Shop list",
	} {
		s := screens(t, "paths: {/shop-list: {get: {operationId: list, summary: '"+summary+"', responses: "+rowsOfThings+"}}}\n"+thingSchema)
		if got := s.Resources[0].Title; got != want {
			t.Errorf("%q: got %q, want %q", summary, got, want)
		}
	}
}
