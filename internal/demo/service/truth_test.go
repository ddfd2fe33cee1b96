package service_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/demo/gatekeeper"
	"github.com/munjigi/munjigi/internal/demo/market"
	"github.com/munjigi/munjigi/internal/demo/service"
	"github.com/munjigi/munjigi/internal/demo/wishlist"
)

// object is a JSON object as these tests read it.
type object = map[string]any

// judge holds values against the schemas of a document. It knows as much of JSON Schema as the demo's documents say, and
// takes a member that is not documented for a mistake.
type judge struct {
	schemas object
	wrong   []string
}

func (j *judge) say(at, format string, values ...any) {
	j.wrong = append(j.wrong, at+": "+fmt.Sprintf(format, values...))
}

func (j *judge) check(at string, schema object, value any) {
	if name, ok := schema["$ref"].(string); ok {
		schema = j.schemas[strings.TrimPrefix(name, "#/components/schemas/")].(object)
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		if choices, ok := schema[word].([]any); ok && !j.fits(choices, value) {
			j.say(at, "%v fits none of %v", value, choices)
		}
	}
	if constant, ok := schema["const"]; ok && constant != value {
		j.say(at, "%v is not %v", value, constant)
	}
	if list, ok := schema["enum"].([]any); ok && !slices.Contains(list, value) {
		j.say(at, "%v is none of %v", value, list)
	}
	if !isOf(schema["type"], value) {
		j.say(at, "%v is no %v", value, schema["type"])
	}
	switch value := value.(type) {
	case object:
		j.members(at, schema, value)
	case []any:
		for i, item := range value {
			j.check(fmt.Sprintf("%s/%d", at, i), schema["items"].(object), item)
		}
	case string:
		layout := map[any]string{"date": time.DateOnly, "date-time": time.RFC3339}[schema["format"]]
		if _, err := time.Parse(layout, value); layout != "" && err != nil {
			j.say(at, "%v", err)
		}
	}
}

func (j *judge) fits(choices []any, value any) bool {
	return slices.ContainsFunc(choices, func(choice any) bool {
		alone := judge{schemas: j.schemas}
		alone.check("", choice.(object), value)
		return len(alone.wrong) == 0
	})
}

func (j *judge) members(at string, schema, value object) {
	properties, _ := schema["properties"].(object)
	if required, ok := schema["required"].([]any); ok {
		for _, name := range required {
			if _, there := value[name.(string)]; !there {
				j.say(at, "no %s", name)
			}
		}
	}
	for name, member := range value {
		if documented, ok := properties[name].(object); ok {
			j.check(at+"/"+name, documented, member)
		} else {
			j.say(at, "%s is not documented", name)
		}
	}
}

// isOf tells whether a value is of a type, or of one of several; no type admits everything.
func isOf(kind, value any) bool {
	if several, ok := kind.([]any); ok {
		return slices.ContainsFunc(several, func(one any) bool { return isOf(one, value) })
	}
	number, isNumber := value.(json.Number)
	_, err := number.Int64()
	switch kind {
	case nil:
		return true
	case "string":
		_, ok := value.(string)
		return ok
	case "boolean":
		_, ok := value.(bool)
		return ok
	case "integer":
		return isNumber && err == nil
	case "number":
		return isNumber
	case "array":
		_, ok := value.([]any)
		return ok
	case "object":
		_, ok := value.(object)
		return ok
	default:
		return value == nil
	}
}

func decode(t *testing.T, text string) (value any) {
	t.Helper()
	reader := json.NewDecoder(strings.NewReader(text))
	reader.UseNumber()
	if err := reader.Decode(&value); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return value
}

// The judge has to find what is wrong.
func TestTheJudgeSeesWhatIsWrong(t *testing.T) {
	schema := `{"type":"object","required":["id"],"properties":{"id":{"type":"string"},"n":{"type":"integer"},"at":{"type":["string","null"],"format":"date-time"},
		"kind":{"oneOf":[{"const":"a"},{"const":"b"}]},"list":{"type":"array","items":{"enum":["x"]}},"null":{"anyOf":[{"type":"boolean"},{"type":"null"}]}}}`
	for value, want := range map[string]int{
		`{"id":"1","n":9223372036854775807,"at":null,"kind":"a","list":["x"],"null":null}`: 0, `{}`: 1, `{"id":1}`: 1, `{"id":"1","n":1.5}`: 1, `{"id":"1","more":1}`: 1,
		`{"id":"1","at":"today"}`: 1, `{"id":"1","kind":"c"}`: 1, `{"id":"1","list":["x","y"]}`: 1, `{"id":"1","null":"no"}`: 1, `[]`: 1, `{"id":null}`: 1,
	} {
		j := judge{}
		j.check("", decode(t, schema).(object), decode(t, value))
		if len(j.wrong) != want {
			t.Errorf("%s: %q, want %d", value, j.wrong, want)
		}
	}
}

// try is one call of a documented operation that succeeds.
type try struct {
	path  string // with the parameters filled in; what is in <> is asked for first
	body  string
	media string // of the body; "" = JSON
}

const picture = "--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\r\n\x89PNG\r\n\x1a\n\r\n--b--\r\n"

// marketTries has one of every operation of the market, in an order that works.
var marketTries = map[string]try{
	"getFigures": {path: "/figures?from=2026-01-01&to=2026-06-01"}, "listShops": {path: "/shops?per_page=200"}, "getShop": {path: "/shops/s1"}, "updateShop": {path: "/shops/s1", body: `{"memo":"x"}`},
	"createShop": {path: "/shops", body: `{"name":"온 동네 책방","owner":"김서연","category":"books"}`}, "suspendShop": {path: "/shops/s2/suspend"}, "reopenShop": {path: "/shops/s2/reopen"},
	"grantPoints": {path: "/shops/s1/grant-points", body: `{"points":10,"note":"축하"}`}, "listProductsOfShop": {path: "/shops/s1/products"}, "listPointsOfShop": {path: "/shops/s1/points"},
	"deleteShop": {path: "/shops/<POST /shops {\"name\":\"없어질 가게\",\"owner\":\"김\",\"category\":\"books\"}>"}, "listProducts": {path: "/products?per_page=200"},
	"createProduct": {path: "/products", body: `{"name":"책","shop_id":"s3","price":9900}`}, "hideProducts": {path: "/products/hide", body: `{"ids":["p1","p12","p999999"]}`}, "getProduct": {path: "/products/p5"},
	"updateProduct": {path: "/products/p5", body: `{"stock":3}`}, "deleteProduct": {path: "/products/p6"}, "hideProduct": {path: "/products/p7/hide"}, "showProduct": {path: "/products/<GET /products?status=hidden>/show"},
	"getProductImage": {path: "/products/p5/image"}, "uploadProductImage": {path: "/products/p8/image", body: picture, media: "multipart/form-data; boundary=b"}, "recountStock": {path: "/products/recount"},
	"getJob": {path: "/jobs/<POST /products/recount>"}, "listOrders": {path: "/orders?limit=200"}, "getOrder": {path: "/orders/o1"}, "updateOrder": {path: "/orders/o1", body: `{"note":"x"}`},
	"shipOrder": {path: "/orders/<GET /orders?status=paid>/ship", body: `{"tracking":"1234567890"}`}, "refundOrder": {path: "/orders/<GET /orders?status=shipped>/refund", body: `{"amount":1,"cause":"late"}`},
	"cancelOrder": {path: "/orders/<GET /orders?status=paid&offset=1>/cancel"}, "getInvoice": {path: "/orders/o1/invoice"}, "listCustomers": {path: "/customers?per_page=200"}, "getCustomer": {path: "/customers/c1"},
	"updateCustomer": {path: "/customers/c1", body: `{"memo":"x"}`}, "listOrdersOfCustomer": {path: "/customers/c1/orders"}, "blockCustomer": {path: "/customers/<GET /customers?status=active>/block"},
	"unblockCustomer": {path: "/customers/<GET /customers?status=blocked>/unblock"}, "listAdGroups": {path: "/ad-groups?per_page=200"}, "getAdGroup": {path: "/ad-groups/g1"},
	"createAdGroup": {path: "/ad-groups", body: `{"name":"봄","shop_id":"s1","budget":5000}`}, "updateAdGroup": {path: "/ad-groups/g1", body: `{"budget":6000}`},
	"pauseAdGroup": {path: "/ad-groups/<GET /ad-groups?status=on>/pause"}, "resumeAdGroup": {path: "/ad-groups/<GET /ad-groups?status=off>/resume"}, "listCreativesOfGroup": {path: "/ad-groups/g1/creatives"},
	"createCreative": {path: "/ad-groups/g1/creatives", body: `{"headline":"봄이 온다","color":"#00aa55"}`}, "listCreatives": {path: "/creatives?per_page=200"}, "getCreative": {path: "/creatives/a1"},
	"updateCreative": {path: "/creatives/a1", body: `{"on":false}`}, "deleteCreative": {path: "/creatives/a2"}, "getCreativeImage": {path: "/creatives/a1/image"}, "listPoints": {path: "/points?limit=200"},
	"reportSales": {path: "/reports/sales?from=2026-01-01&to=2026-12-31&by=category"}, "reportRefunds": {path: "/reports/refunds?from=2026-01-01&to=2026-12-31"}, "listEvents": {path: "/events?limit=200"},
	"getEvent": {path: "/events/e1"}, "getSettings": {path: "/settings"}, "updateSettings": {path: "/settings", body: `{"fee_percent":5}`}, "getMe": {path: "/me"},
}

// wishlistTries has one of every operation of the wishlist; its operations are named by a framework, so they are found by
// the first words of their names.
var wishlistTries = map[string]try{
	"get_stats_stats_get": {path: "/stats"}, "get_daily_stats_stats_daily_get": {path: "/stats/daily"}, "list_lists_lists_get": {path: "/lists?size=100"},
	"create_list_lists_post":                                          {path: "/lists", body: `{"title":"새해","owner":"이서연","occasion":"birthday","event_date":"2027-01-01"}`},
	"close_expired_lists_lists_close_expired_post":                    {path: "/lists/close-expired"},
	"get_list_lists__list_id__get":                                    {path: "/lists/l1"},
	"update_list_lists__list_id__patch":                               {path: "/lists/l1", body: `{"title":"돌잔치"}`},
	"delete_list_lists__list_id__delete":                              {path: "/lists/<POST /lists {\"title\":\"x\",\"owner\":\"y\",\"occasion\":\"birthday\",\"event_date\":\"2027-01-01\"}>"},
	"close_list_lists__list_id__close_post":                           {path: "/lists/<GET /lists?open=true>/close"},
	"reopen_list_lists__list_id__reopen_post":                         {path: "/lists/<GET /lists?open=false>/reopen"},
	"thank_everybody_lists__list_id__thank_post":                      {path: "/lists/<GET /contributions?status=paid&order_by=paid_at list_id>/thank", body: `{"message":"고맙습니다"}`},
	"list_items_of_list_lists__list_id__items_get":                    {path: "/lists/l1/items"},
	"create_item_lists__list_id__items_post":                          {path: "/lists/<GET /lists?open=true&page=2>/items", body: `{"name":"컵","price":5000}`},
	"list_items_items_get":                                            {path: "/items?size=100"},
	"get_item_items__item_id__get":                                    {path: "/items/i1"},
	"replace_item_items__item_id__put":                                {path: "/items/i1", body: `{"name":"컵","price":50000000}`},
	"delete_item_items__item_id__delete":                              {path: "/items/<GET /items?order_by=funded&page=2>"},
	"release_item_items__item_id__release_post":                       {path: "/items/<GET /items?reserved=true>/release"},
	"list_contributions_of_item_items__item_id__contributions_get":    {path: "/items/<GET /contributions item_id>/contributions"},
	"list_contributions_contributions_get":                            {path: "/contributions?size=100"},
	"get_contribution_contributions__contribution_id__get":            {path: "/contributions/c1"},
	"refund_contribution_contributions__contribution_id__refund_post": {path: "/contributions/<GET /contributions?status=paid>/refund"},
	"report_by_occasion_reports_occasions_get":                        {path: "/reports/occasions?start=2026-01-01&end=2026-12-31"},
	"report_by_month_reports_months_get":                              {path: "/reports/months?year=2026"},
}

// fill asks for the ids in a path: <GET list member> is a member of the list's first row, <POST list body> of what it made.
func fill(t *testing.T, g *gatekeeper.Gatekeeper, address, bearer, path string) string {
	t.Helper()
	before, rest, ok := strings.Cut(path, "<")
	if !ok {
		return path
	}
	asked, after, _ := strings.Cut(rest, ">")
	method, rest, _ := strings.Cut(asked, " ")
	from, more, _ := strings.Cut(rest, " ")
	call, member := gatekeeper.Call{Method: method, URL: address + from, Bearer: bearer}, "id"
	if method == "POST" {
		call.Body = more
	} else if more != "" {
		member = more
	}
	said := g.Do(call)
	row := said.JSON
	if rows, ok := said.JSON["items"].([]any); ok && len(rows) > 0 {
		row = rows[0].(object)
	}
	id, ok := row[member].(string)
	if !ok {
		t.Fatalf("%s: %d %s", asked, said.Status, said.Text)
	}
	return before + id + after
}

// TestDocumentsTellTheTruth calls every documented operation, and holds what is answered against what the document says.
func TestDocumentsTellTheTruth(t *testing.T) {
	for name, row := range map[string]struct {
		begin func(service.Config) (*service.Service, error)
		tries map[string]try
	}{"market": {market.New, marketTries}, "wishlist": {wishlist.New, wishlistTries}} {
		t.Run(name, func(t *testing.T) {
			g := gatekeeper.Start(t)
			begun, asked := time.Now(), atomic.Int64{}
			address := g.Serve(row.begin, func(c *service.Config) {
				// Whatever takes some seconds is over the next time somebody asks.
				c.Now = func() time.Time { return begun.Add(time.Duration(asked.Add(1)) * 10 * time.Second) }
			}).URL
			doc := document(g, address, "").JSON
			seen := map[string]bool{}
			for path, operations := range doc["paths"].(object) {
				for method, one := range operations.(object) {
					if method == "parameters" {
						continue
					}
					operation := one.(object)
					id := operation["operationId"].(string)
					seen[id] = true
					if row.tries[id].path == "" {
						t.Errorf("%s %s: nobody tries it", method, path)
						continue
					}
					hold(t, g, address, doc, strings.ToUpper(method), operation, row.tries[id])
				}
			}
			for id := range row.tries {
				if !seen[id] {
					t.Errorf("%s is not documented", id)
				}
			}
		})
	}
}

// hold calls one operation, as an administrator, and holds the answer against its document.
func hold(t *testing.T, g *gatekeeper.Gatekeeper, address string, doc object, method string, operation object, with try) {
	t.Helper()
	bearer := g.Roles("admin", "editor", "viewer")
	path := fill(t, g, address, bearer, with.path)
	call := gatekeeper.Call{Method: method, URL: address + path, Bearer: bearer, Body: with.body, Header: map[string]string{}}
	if with.media != "" {
		call.Header["Content-Type"] = with.media
	}
	said := g.Do(call)
	answers := operation["responses"].(object)
	answer, ok := answers[fmt.Sprint(said.Status)].(object)
	if said.Status > 299 || !ok {
		t.Errorf("%s %s: %d %s; documented are %v", method, path, said.Status, said.Text, slices.Sorted(maps.Keys(answers)))
		return
	}
	if headers, ok := answer["headers"].(object); ok {
		for header := range headers {
			if said.Header.Get(header) == "" {
				t.Errorf("%s %s: no %s", method, path, header)
			}
		}
	}
	content, _ := answer["content"].(object)
	media, _, _ := strings.Cut(said.Header.Get("Content-Type"), ";")
	if (said.Status == http.StatusNoContent) != (content == nil) || content != nil && content[media] == nil {
		t.Errorf("%s %s: answers with %q; documented are %v", method, path, media, slices.Sorted(maps.Keys(content)))
		return
	}
	if media != "application/json" {
		return
	}
	j := judge{schemas: doc["components"].(object)["schemas"].(object)}
	j.check("", content[media].(object)["schema"].(object), decode(t, said.Text))
	if len(j.wrong) > 0 {
		t.Errorf("%s %s:\n%s", method, path, strings.Join(j.wrong[:min(5, len(j.wrong))], "\n"))
	}
}
