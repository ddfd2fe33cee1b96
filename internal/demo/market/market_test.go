package market

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/demo/chance"
	"github.com/munjigi/munjigi/internal/demo/gatekeeper"
	"github.com/munjigi/munjigi/internal/demo/market/stock"
)

// items are the rows of a list, and its total (−1 for none).
func items(t *testing.T, said gatekeeper.Said) (rows []map[string]any, total int) {
	t.Helper()
	var page struct {
		Items []map[string]any `json:"items"`
		Total *int             `json:"total"`
	}
	if err := json.Unmarshal([]byte(said.Text), &page); err != nil || said.Status != 200 {
		t.Fatalf("a list: %d %s: %v", said.Status, said.Text, err)
	}
	if page.Total == nil {
		return page.Items, -1
	}
	return page.Items, *page.Total
}

func TestListsAreFilteredSortedAndCut(t *testing.T) {
	g, market := start(t)
	for path, check := range map[string]func(row map[string]any) bool{
		"/shops?status=suspended":                            func(r map[string]any) bool { return r["status"] == "suspended" },
		"/shops?category=books&per_page=200":                 func(r map[string]any) bool { return r["category"] == "books" },
		"/shops?q=nordLICHT":                                 func(r map[string]any) bool { return strings.Contains(r["name"].(string), "Nordlicht") },
		"/shops/s1/products":                                 func(r map[string]any) bool { return r["shop_id"] == "s1" },
		"/products?status=hidden&per_page=200":               func(r map[string]any) bool { return r["status"] == "hidden" },
		"/products?price_gte=20000&price_lte=30000":          func(r map[string]any) bool { p := r["price"].(float64); return p >= 20000 && p <= 30000 },
		"/orders?status=refunded&limit=200":                  func(r map[string]any) bool { return r["status"] == "refunded" && r["refunded"] == r["amount"] },
		"/orders?shop_id=s3&payment=card":                    func(r map[string]any) bool { return r["shop_id"] == "s3" && r["payment"] == "card" },
		"/customers/c1/orders":                               func(r map[string]any) bool { return r["customer_id"] == "c1" },
		"/customers?grade=vip":                               func(r map[string]any) bool { return r["grade"] == "vip" && r["spent"].(float64) >= 1_500_000 },
		"/ad-groups?status=off":                              func(r map[string]any) bool { return r["status"] == "off" },
		"/ad-groups/g1/creatives":                            func(r map[string]any) bool { return r["ad_group_id"] == "g1" },
		"/creatives?on=false":                                func(r map[string]any) bool { return r["on"] == false },
		"/points?kind=spent":                                 func(r map[string]any) bool { return r["points"].(float64) < 0 },
		"/events?kind=order.shipped&shop_id=s2":              func(r map[string]any) bool { return r["kind"] == "order.shipped" && r["shop_id"] == "s2" },
		"/shops?opened_from=2021-03-02&opened_to=2021-03-02": func(r map[string]any) bool { return r["opened_on"] == "2021-03-02" },
	} {
		rows, _ := items(t, g.Ask("GET", market+path))
		if len(rows) == 0 {
			t.Errorf("%s: no rows", path)
		}
		for _, row := range rows {
			if !check(row) {
				t.Errorf("%s: has %v", path, row)
				break
			}
		}
	}
	first, total := items(t, g.Ask("GET", market+"/products?sort=-price&per_page=3"))
	second, _ := items(t, g.Ask("GET", market+"/products?sort=-price&per_page=3&page=2"))
	if total < 2500 || len(first) != 3 || len(second) != 3 || second[0]["price"].(float64) > first[2]["price"].(float64) {
		t.Errorf("of %d products the dearest are %v, then %v", total, first, second)
	}
	newest, total := items(t, g.Ask("GET", market+"/orders?limit=2"))
	next, _ := items(t, g.Ask("GET", market+"/orders?limit=1&offset=1"))
	if total < 15_000 || newest[0]["ordered_at"].(string) < newest[1]["ordered_at"].(string) || next[0]["id"] != newest[1]["id"] {
		t.Errorf("of %d orders the newest are %v, then %v", total, newest, next)
	}
}

func TestListsRefuse(t *testing.T) {
	g, market := start(t)
	for path, pointer := range map[string]string{
		"/shops?page=0": "/page", "/shops?per_page=201": "/per_page", "/shops?status=shut": "/status", "/shops?sort=owner": "/sort",
		"/shops?opened_from=yesterday": "/opened_from", "/shops?opened_from=2026-02-02&opened_to=2026-02-01": "/opened_to",
		"/products?price_gte=-1": "/price_gte", "/orders?offset=-1": "/offset", "/orders?limit=0": "/limit", "/events?cursor=x": "/cursor",
		"/events?cursor=b0": "/cursor", "/events?kind=nothing": "/kind", "/figures?from=2024-01-01&to=2026-01-01": "/from",
		"/reports/sales?to=2026-01-01": "/from", "/reports/refunds?from=2026-01-01": "/to",
	} {
		said := g.Ask("GET", market+path)
		if said.Status != 422 || !strings.Contains(said.Text, `"pointer":"`+pointer+`"`) {
			t.Errorf("%s: %d %s, want 422 at %s", path, said.Status, said.Text, pointer)
		}
	}
}

// A log of more than a hundred thousand lines pages to its end, without a line twice or left out, and nobody counts it.
func TestEventsPageToTheEnd(t *testing.T) {
	now := time.Date(2026, 11, 26, 15, 4, 5, 0, time.UTC)
	a := newActivity(now)
	if a.past < 100_000 || a.time(a.past-1).After(now) {
		t.Fatalf("%d events, the last at %v", a.past, a.time(a.past-1))
	}
	f := asked{kind: "order.refunded", since: now.AddDate(0, 0, -20), until: now.AddDate(0, 0, -3)}
	want := 0
	for n := range a.past {
		if n > 0 && a.time(n).Before(a.time(n-1)) {
			t.Fatalf("event %d is before the one before it", n)
		}
		if at := a.time(n); a.kind(n) == f.kind && !at.Before(f.since) && at.Before(f.until) {
			want++
		}
	}
	times := map[string]int{}
	for n := range a.past {
		times[a.kind(n)]++
	}
	if times["product.viewed"] < 20*times["order.refunded"] || times["order.refunded"] < 1000 || len(times) != 9 {
		t.Errorf("kinds: %v", times)
	}
	got, below := 0, int(^uint(0)>>1)
	last := now
	for {
		found, next := a.newest(f, below, 100)
		for _, one := range found {
			if one.At.After(last) || one.Kind != f.kind {
				t.Fatalf("%v after %v", one, last)
			}
			last = one.At
		}
		got += len(found)
		if next == 0 {
			break
		}
		below = next
	}
	if got != want || want == 0 {
		t.Errorf("paged over %d events, want %d", got, want)
	}
}

func TestEventsSayWhatTheStaffDid(t *testing.T) {
	g, market := start(t)
	if said := g.Ask("POST", market+"/shops/s1/suspend"); said.JSON["status"] != "suspended" {
		t.Fatalf("suspend: %d %s", said.Status, said.Text)
	}
	if said := g.Ask("POST", market+"/shops/s1/reopen"); said.JSON["status"] != "open" {
		t.Fatalf("reopen: %d %s", said.Status, said.Text)
	}
	said := g.Ask("GET", market+"/events?limit=1")
	rows, total := items(t, said)
	if total != -1 || rows[0]["kind"] != "shop.reopened" || rows[0]["by"] != "editor@example.com" {
		t.Errorf("total %d, the newest is %v", total, rows[0])
	}
	cursor, _ := said.JSON["next_cursor"].(string)
	rows, _ = items(t, g.Ask("GET", market+"/events?limit=2&cursor="+cursor))
	if rows[0]["kind"] != "shop.suspended" || rows[1]["by"] == "editor@example.com" {
		t.Errorf("then %v", rows)
	}
	for _, row := range rows {
		one := g.Ask("GET", market+"/events/"+row["id"].(string))
		if one.JSON["kind"] != row["kind"] || one.JSON["at"] != row["at"] {
			t.Errorf("by its id it is %s, in the list %v", one.Text, row)
		}
	}
	if said := g.Ask("GET", market+"/events/e999999999"); said.Status != 404 {
		t.Errorf("an event that is not there: %d", said.Status)
	}
}

// Of the first two hundred products exactly three cannot be hidden: one by one, and all at once.
func TestHidingTwoHundredProductsFailsForThree(t *testing.T) {
	g, market := start(t)
	rows, _ := items(t, g.Ask("GET", market+"/products?per_page=200"))
	var ids []string
	for _, row := range rows {
		ids = append(ids, row["id"].(string))
	}
	body, _ := json.Marshal(map[string]any{"ids": ids})
	said := g.Do(gatekeeper.Call{Method: "POST", URL: market + "/products/hide", Bearer: g.Token(nil), Body: string(body), Header: map[string]string{"Accept-Language": "ko"}})
	if said.Status != 200 || said.JSON["done"] != 197.0 || said.JSON["failed"] != 3.0 {
		t.Fatalf("%d: done %v, failed %v", said.Status, said.JSON["done"], said.JSON["failed"])
	}
	for _, one := range said.JSON["results"].([]any) {
		row := one.(map[string]any)
		alone := g.Ask("POST", fmt.Sprintf("%s/products/%s/hide", market, row["id"]))
		if float64(alone.Status) != row["status"] {
			t.Errorf("%s: %v of many, %d alone", row["id"], row, alone.Status)
		}
		if row["status"] != 200.0 && (row["code"] != "product_has_open_orders" || !strings.Contains(row["title"].(string), "주문")) {
			t.Errorf("refused as %v", row)
		}
	}
	for body, pointer := range map[string]string{`{"ids":[]}`: "/ids", `{}`: "/ids", `{"ids":"p1"}`: "/ids", `{"id":["p1"]}`: "/id"} {
		if said := g.Send("POST", market+"/products/hide", body); said.Status != 422 || !strings.Contains(said.Text, `"`+pointer+`"`) {
			t.Errorf("%s: %d %s", body, said.Status, said.Text)
		}
	}
	said = g.Send("POST", market+"/products/hide", `{"ids":["p999999"]}`)
	if said.JSON["failed"] != 1.0 || !strings.Contains(said.Text, "not_found") {
		t.Errorf("a product that is not there: %s", said.Text)
	}
}

// What is made up looks like a market: nobody buys in the future, at night, or of a shop that is not there yet.
func TestStockIsBelievable(t *testing.T) {
	now := time.Date(2026, 11, 26, 6, 0, 0, 0, time.UTC)
	begun := time.Now()
	made := stock.New(now)
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %v to make up", took)
	}
	late := 0
	opened, joined := map[string]string{}, map[string]string{}
	for _, one := range made.Shops {
		opened[one.ID] = one.OpenedOn
	}
	for _, one := range made.Customers {
		joined[one.ID] = one.JoinedOn
	}
	for _, one := range made.Orders {
		if day := one.OrderedAt.Format(time.DateOnly); day < opened[one.ShopID] || day < joined[one.CustomerID] {
			t.Fatalf("order %s of %s: the shop opened on %s, the customer joined on %s", one.ID, day, opened[one.ShopID], joined[one.CustomerID])
		}
		if one.OrderedAt.After(now) || one.ShippedAt != nil && one.ShippedAt.After(now) {
			t.Fatalf("order %s is of the future", one.ID)
		}
		if one.Amount < 1 || one.Refunded > one.Amount || len(one.Items) == 0 {
			t.Fatalf("order %v", one)
		}
		if hour := one.OrderedAt.Hour(); hour >= 1 && hour < 6 {
			late++
		}
	}
	if share := float64(late) / float64(len(made.Orders)); share > 0.05 {
		t.Errorf("%.2f of the orders come at night", share)
	}
	again := stock.New(now)
	if len(again.Orders) != len(made.Orders) || again.Orders[777].Amount != made.Orders[777].Amount {
		t.Error("the same day gives other orders")
	}
}

// On whatever day the demo is started: one shop is odd, three of the first two hundred products cannot be hidden, the day
// of the sale is the busiest, and there is something of each kind.
func TestEveryDayHasItsStories(t *testing.T) {
	for back := range 4 {
		now := time.Date(2026, 11, 26, 7*back%24, 5, 0, 0, time.UTC).AddDate(0, 0, 26*back)
		m := open(func() time.Time { return now })
		request, _ := http.NewRequest("GET", fmt.Sprintf("/?from=%s&to=%s&most=200", now.AddDate(0, 0, -40).Format(time.DateOnly), now.Format(time.DateOnly)), nil)
		answer, err := m.reportRefunds(request)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range answer.(map[string]any)["rows"].([]refundRow) {
			if (row.ShopID == "s17") != (row.Verdict == "unusual") || (i == 0) != (row.ShopID == "s17") {
				t.Errorf("%v: row %d of the refunds is %+v", now, i, row)
			}
		}
		refused, waiting := 0, m.ordered()
		for n := range 200 {
			if waiting["p"+fmt.Sprint(n+1)] {
				refused++
			}
		}
		if refused != 3 {
			t.Errorf("%v: %d of the first products cannot be hidden", now, refused)
		}
		byDay, byStatus := map[string]int{}, map[string]int{}
		m.orders.Each(func(o *order) {
			byDay[o.OrderedAt.Format(time.DateOnly)]++
			byStatus[o.Status]++
		})
		spike := byDay[now.In(chance.Seoul).AddDate(0, 0, -stock.SpikeDaysAgo).Format(time.DateOnly)]
		if spike != slices.Max(slices.Collect(maps.Values(byDay))) || len(byStatus) != 4 || byStatus["paid"] < 50 {
			t.Errorf("%v: %d orders on the day of the sale; %v", now, spike, byStatus)
		}
	}
}

func TestFiguresAddUp(t *testing.T) {
	g, market := start(t)
	said := g.Ask("GET", market+"/figures")
	var all figures
	if err := json.Unmarshal([]byte(said.Text), &all); err != nil || said.Status != 200 {
		t.Fatalf("%d %s: %v", said.Status, said.Text, err)
	}
	if len(all.SalesByDay) != usualDays || all.Orders < 1000 || all.OrdersPrevious < 1000 || all.NewShops == 0 || all.AdClicks == 0 || all.SalesThisMonth == 0 {
		t.Errorf("figures %+v", all)
	}
	sum := int64(0)
	for _, one := range all.OrdersByStatus {
		sum += one.Orders
	}
	if sum != all.Orders {
		t.Errorf("by status there are %d orders, in all %d", sum, all.Orders)
	}
	last := all.SalesByDay[len(all.SalesByDay)-1].Day
	day := g.Ask("GET", market+"/figures?from="+all.From+"&to="+all.From)
	if day.JSON["sales"] != float64(all.SalesByDay[0].Value) || last != all.To {
		t.Errorf("the first day alone has %v, in the range %v; the last day is %s of %s", day.JSON["sales"], all.SalesByDay[0], last, all.To)
	}
	_, total := items(t, g.Ask("GET", market+"/orders?ordered_from="+all.From+"&ordered_to="+all.To))
	if int64(total) != all.Orders {
		t.Errorf("the list has %d orders, the figure is %d", total, all.Orders)
	}
}

// An int64 that JavaScript cannot hold goes over the wire digit by digit.
func TestSettlementNumbersUseAll64Bits(t *testing.T) {
	g, market := start(t)
	if said := g.Ask("GET", market+"/orders/o1"); !strings.Contains(said.Text, `"settlement_number":9223372036854775807`) {
		t.Errorf("the first order: %s", said.Text)
	}
}

func TestMarketIsSmallAndStartsFast(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	begun := time.Now()
	m := open(time.Now)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) >> 20; grown > 30 { // less than nothing when what was before is gone
		t.Errorf("it holds %d MB", grown)
	}
	if took := time.Since(begun); took > 5*time.Second { // 0.1 s on a quiet machine
		t.Errorf("it took %v to open", took)
	}
	if m.orders.Len() < 15_000 || m.products.Len() < 2500 {
		t.Errorf("%d orders, %d products", m.orders.Len(), m.products.Len())
	}
	request, _ := http.NewRequest("GET", "/orders?sort=-amount&q=담요", nil)
	begun = time.Now()
	if _, err := m.listOrders(request); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("a page took %v", took)
	}
	t.Logf("a page of orders: %v", time.Since(begun))
}
