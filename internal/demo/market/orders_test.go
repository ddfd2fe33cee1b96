package market

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/demo/gatekeeper"
	"github.com/munjigi/munjigi/internal/demo/service"
)

// find is the newest order with a status, and what else is asked of it.
func find(t *testing.T, g *gatekeeper.Gatekeeper, market, query string) map[string]any {
	t.Helper()
	rows, _ := items(t, g.Ask("GET", market+"/orders?limit=1&"+query))
	if len(rows) == 0 {
		t.Fatalf("no order for %s", query)
	}
	return rows[0]
}

func TestRefundGoesBackInPartsAndNoFurther(t *testing.T) {
	g, market := start(t)
	one := find(t, g, market, "status=shipped")
	at, amount := market+"/orders/"+one["id"].(string), int64(one["amount"].(float64))
	if fmt.Sprint(one["allowed"]) != "[updateOrder refundOrder]" {
		t.Errorf("allowed with an order that was sent: %v", one["allowed"])
	}
	part := g.Send("POST", at+"/refund", `{"amount":1000,"cause":"damaged","memo":"상자가 찢어짐"}`)
	if part.Status != 200 || part.JSON["refunded"] != 1000.0 || part.JSON["status"] != "shipped" {
		t.Fatalf("a part: %d %s", part.Status, part.Text)
	}
	for body, pointer := range map[string]string{
		fmt.Sprintf(`{"amount":%d,"cause":"late"}`, amount-999): "/amount", `{"amount":0,"cause":"late"}`: "/amount", `{"amount":-5,"cause":"late"}`: "/amount",
		`{"amount":1.5,"cause":"late"}`: "/amount", `{"amount":"5","cause":"late"}`: "/amount", `{"amount":5,"cause":"bored"}`: "/cause", `{"cause":"late"}`: "/amount",
		`{"amount":5}`: "/cause",
	} {
		if said := g.Send("POST", at+"/refund", body); said.Status != 422 || !strings.Contains(said.Text, `"pointer":"`+pointer+`"`) {
			t.Errorf("%s: %d %s, want 422 at %s", body, said.Status, said.Text, pointer)
		}
	}
	rest := g.Do(gatekeeper.Call{Method: "POST", URL: at + "/refund", Bearer: g.Roles("admin"), Body: fmt.Sprintf(`{"amount":%d,"cause":"late"}`, amount-1000)})
	if rest.Status != 200 || rest.JSON["status"] != "refunded" || fmt.Sprint(rest.JSON["allowed"]) != "[updateOrder]" {
		t.Errorf("the rest: %d %s", rest.Status, rest.Text)
	}
	if said := g.Send("POST", at+"/refund", `{"amount":1,"cause":"late"}`); said.Status != 409 || said.Code() != "order_not_refundable" {
		t.Errorf("one won more: %d %s", said.Status, said.Text)
	}
}

func TestRefundRefuses(t *testing.T) {
	g, market := start(t)
	const body = `{"amount":100,"cause":"late"}`
	fresh := find(t, g, market, "status=shipped")["id"]
	old, _ := items(t, g.Ask("GET", market+"/orders?limit=1&sort=ordered_at&status=shipped"))
	for name, row := range map[string]struct {
		id     any
		bearer string
		body   string
		code   string
	}{
		"a viewer":            {fresh, g.Roles("viewer"), body, "role_missing"},
		"a cancelled order":   {find(t, g, market, "status=cancelled")["id"], g.Token(nil), body, "order_not_refundable"},
		"a refunded order":    {find(t, g, market, "status=refunded")["id"], g.Token(nil), body, "order_not_refundable"},
		"after ninety days":   {old[0]["id"], g.Token(nil), body, "refund_too_late"},
		"no such order":       {"o0", g.Token(nil), body, "not_found"},
		"an editor, too much": {fresh, g.Token(nil), `{"amount":1000001,"cause":"late"}`, "refund_too_large"},
		"an admin, too much":  {fresh, g.Roles("admin"), `{"amount":100000001,"cause":"late"}`, "request_invalid"},
	} {
		said := g.Do(gatekeeper.Call{Method: "POST", URL: fmt.Sprintf("%s/orders/%v/refund", market, row.id), Bearer: row.bearer, Body: row.body})
		if said.Code() != row.code {
			t.Errorf("%s: %d %s, want %s", name, said.Status, said.Text, row.code)
		}
	}
	shown := g.Do(gatekeeper.Call{Method: "GET", URL: fmt.Sprintf("%s/orders/%v", market, fresh), Bearer: g.Roles("viewer")})
	if fmt.Sprint(shown.JSON["allowed"]) != "[]" {
		t.Errorf("a viewer is told to be allowed %v", shown.JSON["allowed"])
	}
}

func TestOrdersGoOneWay(t *testing.T) {
	g, market := start(t)
	one := find(t, g, market, "status=paid")
	at := market + "/orders/" + one["id"].(string)
	if said := g.Send("POST", at+"/ship", `{"tracking":"12"}`); said.Status != 422 || !strings.Contains(said.Text, "/tracking") {
		t.Errorf("a bad tracking number: %d %s", said.Status, said.Text)
	}
	if said := g.Send("POST", at+"/ship", `{"tracking":"600012345678"}`); said.Status != 200 || said.JSON["shipped_at"] == nil {
		t.Errorf("ship: %d %s", said.Status, said.Text)
	}
	for _, again := range []string{"/ship", "/cancel"} {
		body := `{}`
		if again == "/ship" {
			body = `{"tracking":"600012345678"}`
		}
		if said := g.Send("POST", at+again, body); said.Status != 409 || said.Code() != "order_not_open" {
			t.Errorf("%s after it was sent: %d %s", again, said.Status, said.Text)
		}
	}
	other := find(t, g, market, "status=paid")
	said := g.Ask("POST", market+"/orders/"+other["id"].(string)+"/cancel")
	if said.JSON["status"] != "cancelled" || said.JSON["refunded"] != other["amount"] {
		t.Errorf("cancel: %d %s", said.Status, said.Text)
	}
	invoice := g.Ask("GET", at+"/invoice")
	if invoice.Status != 200 || !strings.HasPrefix(invoice.Header.Get("Content-Disposition"), `attachment; filename="invoice-`) || !strings.Contains(invoice.Text, one["number"].(string)) {
		t.Errorf("invoice: %d %v %s", invoice.Status, invoice.Header, invoice.Text)
	}
}

// A shop goes for good: only at the word of an administrator whom the company confirmed just now, and not while somebody
// waits for an order.
func TestDeletingAShop(t *testing.T) {
	g, market := start(t)
	admin := g.Roles("admin")
	remove := func(id any, bearer string) gatekeeper.Said {
		return g.Do(gatekeeper.Call{Method: "DELETE", URL: fmt.Sprintf("%s/shops/%v", market, id), Bearer: bearer})
	}
	if said := remove("s1", g.Token(nil)); said.Code() != "role_missing" {
		t.Errorf("an editor: %d %s", said.Status, said.Text)
	}
	if said := remove(find(t, g, market, "status=paid")["shop_id"], admin); said.Status != 409 || said.Code() != "shop_has_open_orders" {
		t.Errorf("with open orders: %d %s", said.Status, said.Text)
	}
	made := g.Send("POST", market+"/shops", `{"name":"문 닫을 가게","owner":"김","category":"books"}`)
	id := made.JSON["id"].(string)
	g.Send("POST", market+"/products", `{"name":"마지막 책","shop_id":"`+id+`","price":9900}`)
	if _, total := items(t, g.Ask("GET", market+"/products?shop_id="+id)); total != 1 {
		t.Errorf("the new shop sells %d products", total)
	}
	if said := g.Send("POST", market+"/shops", `{"name":"문 닫을 가게","owner":"이","category":"books"}`); said.Code() != "name_taken" {
		t.Errorf("the same name again: %d %s", said.Status, said.Text)
	}
	if said := remove(id, admin); said.Status != 204 || said.Text != "" {
		t.Errorf("delete: %d %s", said.Status, said.Text)
	}
	if _, total := items(t, g.Ask("GET", market+"/products?shop_id="+id)); total != 0 {
		t.Errorf("%d products of a shop that is gone", total)
	}
	if said := remove(id, admin); said.Status != 404 {
		t.Errorf("delete again: %d", said.Status)
	}
}

// A long action answers at once, says how far it is, and ends.
func TestRecountTakesAWhile(t *testing.T) {
	now := time.Date(2026, 11, 26, 6, 0, 0, 0, time.UTC)
	one := job{ID: "j1", Total: 3000, BeganAt: now}
	for after, want := range map[time.Duration]string{0: "running 0", 3 * time.Second: "running 50", 6 * time.Second: "done 100", time.Hour: "done 100", -time.Second: "running 0"} {
		if got := one.at(now.Add(after)); fmt.Sprintf("%s %d", got.Status, got.Progress) != want {
			t.Errorf("after %v: %s %d, want %s", after, got.Status, got.Progress, want)
		}
	}
	var passed atomic.Int64 // seconds
	g := gatekeeper.Start(t)
	market := g.Serve(New, func(c *service.Config) {
		c.Now = func() time.Time { return now.Add(time.Duration(passed.Load()) * time.Second) }
	}).URL
	begun := g.Ask("POST", market+"/products/recount")
	at := begun.Header.Get("Location")
	if begun.Status != 202 || !strings.HasPrefix(at, "/jobs/") || begun.Header.Get("Retry-After") == "" {
		t.Fatalf("begun: %d %v", begun.Status, begun.Header)
	}
	if said := g.Ask("POST", market+"/products/recount"); said.Code() != "recount_running" {
		t.Errorf("at the same time: %d %s", said.Status, said.Text)
	}
	passed.Store(3)
	if said := g.Ask("GET", market+at); said.Status != 202 || said.JSON["progress"] != 50.0 {
		t.Errorf("half way: %d %s", said.Status, said.Text)
	}
	passed.Store(6)
	said := g.Ask("GET", market+at)
	if said.Status != 200 || said.JSON["status"] != "done" || said.JSON["done"] != said.JSON["total"] || said.JSON["ended_at"] == nil {
		t.Errorf("over: %d %s", said.Status, said.Text)
	}
	if said := g.Ask("GET", market+"/jobs/j0"); said.Status != 404 {
		t.Errorf("a job that is not there: %d", said.Status)
	}
}

func TestPicturesAreUploadedAndShown(t *testing.T) {
	g, market := start(t)
	const png = "\x89PNG\r\n\x1a\n0000"
	upload := func(field, content string) gatekeeper.Said {
		body := "--b\r\nContent-Disposition: form-data; name=\"" + field + "\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n" + content + "\r\n--b--\r\n"
		return g.Do(gatekeeper.Call{Method: "POST", URL: market + "/products/p1/image", Bearer: g.Token(nil), Body: body, Header: map[string]string{"Content-Type": "multipart/form-data; boundary=b"}})
	}
	drawn := g.Ask("GET", market+"/products/p1/image")
	if drawn.Header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(drawn.Text, "양") {
		t.Errorf("before: %v %s", drawn.Header, drawn.Text)
	}
	for name, said := range map[string]gatekeeper.Said{
		"a page": upload("image", "<!doctype html><script>alert(1)</script>"), "a drawing": upload("image", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"), "no file": upload("other", png),
		"too large": upload("image", png+strings.Repeat("0", largestImage)), "no form": g.Send("POST", market+"/products/p1/image", `{}`),
	} {
		if said.Status != 422 {
			t.Errorf("%s: %d %s", name, said.Status, said.Text)
		}
	}
	if said := upload("image", png); said.Status != 200 {
		t.Fatalf("a picture: %d %s", said.Status, said.Text)
	}
	if shown := g.Ask("GET", market+"/products/p1/image"); shown.Header.Get("Content-Type") != "image/png" || shown.Text != png {
		t.Errorf("after: %v %q", shown.Header, shown.Text)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	g, market := start(t)
	put := func(body string) gatekeeper.Said {
		return g.Do(gatekeeper.Call{Method: "PUT", URL: market + "/settings", Bearer: g.Roles("admin"), Body: body})
	}
	if said := g.Send("PUT", market+"/settings", `{"fee_percent":1}`); said.Code() != "role_missing" {
		t.Errorf("an editor: %d %s", said.Status, said.Text)
	}
	for body, pointer := range map[string]string{
		`{"fee_percent":31}`: "/fee_percent", `{"support_email":"nobody"}`: "/support_email", `{"opens_at":"25:00"}`: "/opens_at",
		`{"opens_at":"18:30"}`: "/closes_at", `{"holidays":["2026-12-25","2026-13-01"]}`: "/holidays/1", `{"refund_days":6}`: "/refund_days",
	} {
		if said := put(body); said.Status != 422 || !strings.Contains(said.Text, `"pointer":"`+pointer+`"`) {
			t.Errorf("%s: %d %s, want 422 at %s", body, said.Status, said.Text, pointer)
		}
	}
	whole := g.Ask("GET", market+"/settings")
	if said := put(whole.Text); said.Status != 200 || said.Header.Get("ETag") != whole.Header.Get("ETag") {
		t.Errorf("what was read is written back: %d %s", said.Status, said.Text)
	}
	if said := put(`{"fee_percent":5.5,"holidays":["2027-01-01","2026-12-25","2027-01-01"]}`); said.JSON["fee_percent"] != 5.5 || fmt.Sprint(said.JSON["holidays"]) != "[2026-12-25 2027-01-01]" {
		t.Errorf("changed: %d %s", said.Status, said.Text)
	}
}
