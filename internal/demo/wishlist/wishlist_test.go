package wishlist

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/demo/gatekeeper"
)

func start(t *testing.T) (*gatekeeper.Gatekeeper, string) {
	t.Helper()
	g := gatekeeper.Start(t)
	return g, g.Serve(New, nil).URL
}

// rows are those of a list, and its total.
func rows(t *testing.T, said gatekeeper.Said) (items []map[string]any, total int) {
	t.Helper()
	var page struct {
		Items []map[string]any `json:"items"`
		Total int              `json:"total"`
	}
	if err := json.Unmarshal([]byte(said.Text), &page); err != nil || said.Status != 200 {
		t.Fatalf("a list: %d %s: %v", said.Status, said.Text, err)
	}
	return page.Items, page.Total
}

func TestLists(t *testing.T) {
	g, wishlist := start(t)
	for path, check := range map[string]func(row map[string]any) bool{
		"/lists?occasion=wedding":              func(r map[string]any) bool { return r["occasion"] == "wedding" },
		"/lists?open=true&size=100":            func(r map[string]any) bool { return r["open"] == true },
		"/lists?q=OLIVER%20turns":              func(r map[string]any) bool { return strings.HasPrefix(r["title"].(string), "Oliver turns") },
		"/lists/l2/items":                      func(r map[string]any) bool { return r["list_id"] == "l2" },
		"/items?reserved=true":                 func(r map[string]any) bool { return r["reserved_by"] != nil },
		"/items?max_price=30000":               func(r map[string]any) bool { return r["price"].(float64) <= 30000 },
		"/contributions?status=refunded":       func(r map[string]any) bool { return r["status"] == "refunded" },
		"/contributions?paid_from=2099-01-01":  nil,
		"/lists?event_from=2099-01-01&q=":      nil,
		"/contributions?order_by=-amount&q=축하": func(r map[string]any) bool { return strings.Contains(r["message"].(string), "축하") },
	} {
		found, total := rows(t, g.Ask("GET", wishlist+path))
		if (check == nil) != (total == 0) {
			t.Errorf("%s: %d rows", path, total)
		}
		for _, row := range found {
			if !check(row) {
				t.Errorf("%s: has %v", path, row)
				break
			}
		}
	}
	last := g.Ask("GET", wishlist+"/items?page=2&size=7&order_by=-price")
	if found, total := rows(t, last); len(found) != 7 || total < 2000 || last.JSON["pages"] != float64((total+6)/7) {
		t.Errorf("page 2: %d rows of %d on %v pages", len(found), total, last.JSON["pages"])
	}
	for path, pointer := range map[string]string{"/lists?size=101": "/size", "/lists?order_by=owner": "/order_by", "/lists?occasion=monday": "/occasion", "/items?min_price=x": "/min_price", "/reports/months": "/year", "/reports/occasions?start=2026-01-01": "/end"} {
		if said := g.Ask("GET", wishlist+path); said.Status != 422 || !strings.Contains(said.Text, `"pointer":"`+pointer+`"`) {
			t.Errorf("%s: %d %s", path, said.Status, said.Text)
		}
	}
}

func TestAListFromItsBeginningToItsEnd(t *testing.T) {
	g, wishlist := start(t)
	if said := g.Send("POST", wishlist+"/lists", `{"title":"","occasion":"monday","event_date":"soon"}`); said.Status != 422 || !strings.Contains(said.Text, `"/owner"`) {
		t.Errorf("nothing right: %d %s", said.Status, said.Text)
	}
	made := g.Send("POST", wishlist+"/lists", `{"title":"새해","owner":"이서연","occasion":"birthday","event_date":"2027-01-01"}`)
	if made.Status != 201 || made.JSON["open"] != true || made.JSON["thanked_at"] != nil {
		t.Fatalf("made: %d %s", made.Status, made.Text)
	}
	at := wishlist + "/lists/" + made.JSON["id"].(string)
	if said := g.Send("PATCH", at, `{"title":"새해 첫날"}`); said.JSON["title"] != "새해 첫날" || said.JSON["owner"] != "이서연" {
		t.Errorf("changed: %d %s", said.Status, said.Text)
	}
	item := g.Send("POST", at+"/items", `{"name":"떡국 그릇","price":32000}`)
	if item.Status != 201 || item.JSON["funded"] != 0.0 {
		t.Fatalf("a gift: %d %s", item.Status, item.Text)
	}
	gift := wishlist + "/items/" + item.JSON["id"].(string)
	for body, pointer := range map[string]string{`{"name":"컵"}`: "/price", `{"name":"컵","price":999}`: "/price", `{"price":5000}`: "/name", `{"name":"컵","price":5000,"gold":1}`: "/gold"} {
		if said := g.Send("PUT", gift, body); said.Status != 422 || !strings.Contains(said.Text, `"pointer":"`+pointer+`"`) {
			t.Errorf("%s: %d %s", body, said.Status, said.Text)
		}
	}
	if said := g.Ask("POST", gift+"/release"); said.Code() != "item_not_reserved" {
		t.Errorf("release: %d %s", said.Status, said.Text)
	}
	if said := g.Send("POST", at+"/thank", `{"message":"고맙습니다"}`); said.Code() != "nobody_to_thank" {
		t.Errorf("thank nobody: %d %s", said.Status, said.Text)
	}
	for verb, want := range map[string]bool{"close": false, "reopen": true} {
		if said := g.Ask("POST", at+"/"+verb); verb == "close" && said.JSON["open"] != want {
			t.Errorf("%s: %d %s", verb, said.Status, said.Text)
		}
	}
	g.Ask("POST", at+"/close")
	if said := g.Ask("POST", at+"/close"); said.Status != 409 {
		t.Errorf("close again: %d %s", said.Status, said.Text)
	}
	if said := g.Send("POST", at+"/items", `{"name":"컵","price":5000}`); said.Code() != "list_is_closed" {
		t.Errorf("a gift for a closed list: %d %s", said.Status, said.Text)
	}
	if said := g.Ask("DELETE", at); said.Status != 204 {
		t.Errorf("deleted: %d", said.Status)
	}
	if said := g.Ask("GET", gift); said.Status != 404 {
		t.Errorf("the gift of a list that is gone: %d", said.Status)
	}
}

// Money that people gave holds things in their place, and can be given back once.
func TestFunding(t *testing.T) {
	g, wishlist := start(t)
	paid, _ := rows(t, g.Ask("GET", wishlist+"/contributions?status=paid&order_by=-paid_at"))
	one := paid[0]
	gift := wishlist + "/items/" + one["item_id"].(string)
	before := g.Ask("GET", gift)
	if said := g.Ask("DELETE", gift); said.Code() != "item_is_funded" {
		t.Errorf("delete a funded gift: %d %s", said.Status, said.Text)
	}
	if said := g.Send("PUT", gift, `{"name":"싼 것","price":1000}`); said.Status != 422 || !strings.Contains(said.Text, "/price") {
		t.Errorf("cheaper than what was given: %d %s", said.Status, said.Text)
	}
	refund := wishlist + "/contributions/" + one["id"].(string) + "/refund"
	if said := g.Ask("POST", refund); said.JSON["status"] != "refunded" {
		t.Errorf("refund: %d %s", said.Status, said.Text)
	}
	if said := g.Ask("POST", refund); said.Code() != "contribution_refunded" {
		t.Errorf("refund again: %d %s", said.Status, said.Text)
	}
	after := g.Ask("GET", gift)
	if after.JSON["funded"] != before.JSON["funded"].(float64)-one["amount"].(float64) {
		t.Errorf("funded by %v, before %v", after.JSON["funded"], before.JSON["funded"])
	}
	list := wishlist + "/lists/" + one["list_id"].(string)
	if g.Ask("GET", list).JSON["open"] == true {
		if said := g.Send("POST", list+"/thank", `{"message":"고맙습니다"}`); said.Status != 409 {
			t.Errorf("thank before the end: %d %s", said.Status, said.Text)
		}
		g.Ask("POST", list+"/close")
	}
}

func TestThankingEverybody(t *testing.T) {
	g, wishlist := start(t)
	paid, _ := rows(t, g.Ask("GET", wishlist+"/contributions?status=paid&size=100&order_by=paid_at"))
	for _, one := range paid {
		list := wishlist + "/lists/" + one["list_id"].(string)
		if g.Ask("GET", list).JSON["open"] != false {
			continue
		}
		if said := g.Send("POST", list+"/thank", `{"message":""}`); said.Status != 422 {
			t.Errorf("without a word: %d %s", said.Status, said.Text)
		}
		said := g.Send("POST", list+"/thank", `{"message":"고맙습니다"}`)
		if said.Status != 200 || said.JSON["sent"].(float64) < 1 {
			t.Errorf("thank: %d %s", said.Status, said.Text)
		}
		if after := g.Ask("GET", list); after.JSON["message"] != "고맙습니다" || after.JSON["thanked_at"] == nil {
			t.Errorf("after: %s", after.Text)
		}
		return
	}
	t.Error("there is no closed list for which somebody has paid")
}

// The figures of a range are those of its days, and of the rows of the lists.
func TestStatsAddUp(t *testing.T) {
	g, wishlist := start(t)
	today := time.Now().In(time.FixedZone("KST", 9*3600))
	query := fmt.Sprintf("?start=%s&end=%s", today.AddDate(0, 0, -20).Format(time.DateOnly), today.Format(time.DateOnly))
	sum := g.Ask("GET", wishlist+"/stats"+query)
	var days []dayStats
	if err := json.Unmarshal([]byte(g.Ask("GET", wishlist+"/stats/daily"+query).Text), &days); err != nil || len(days) != 21 {
		t.Fatalf("%d days: %v", len(days), err)
	}
	var total dayStats
	for _, day := range days {
		total.NewLists += day.NewLists
		total.Contributions += day.Contributions
		total.Amount += day.Amount
	}
	if sum.JSON["new_lists"] != float64(total.NewLists) || sum.JSON["contributions"] != float64(total.Contributions) || sum.JSON["amount"] != float64(total.Amount) || total.Amount == 0 {
		t.Errorf("figures %s, days %+v", sum.Text, total)
	}
	var report []occasionRow
	if err := json.Unmarshal([]byte(g.Ask("GET", wishlist+"/reports/occasions"+query).Text), &report); err != nil {
		t.Fatal(err)
	}
	amount := int64(0)
	for _, row := range report {
		amount += row.Amount
	}
	if amount != total.Amount || len(report) != len(occasions) {
		t.Errorf("by occasion %d, by day %d", amount, total.Amount)
	}
	var months []monthRow
	if err := json.Unmarshal([]byte(g.Ask("GET", fmt.Sprintf("%s/reports/months?year=%d", wishlist, today.Year())).Text), &months); err != nil || len(months) != 12 {
		t.Fatalf("%d months: %v", len(months), err)
	}
	if months[today.Month()-1].Amount == 0 && today.Day() > 5 {
		t.Errorf("nothing in this month: %+v", months)
	}
}

func TestStockIsOfThePast(t *testing.T) {
	now := time.Date(2026, 11, 26, 6, 0, 0, 0, time.UTC)
	made := makeStock(now)
	if len(made.lists) < 700 || len(made.gifts) < 3000 || len(made.contributions) < 2000 { // the market speaks of 3000 gifts
		t.Errorf("%d lists, %d gifts, %d contributions", len(made.lists), len(made.gifts), len(made.contributions))
	}
	funded := map[string]int64{}
	for _, one := range made.contributions {
		if one.PaidAt.After(now) || one.Amount < 1 {
			t.Errorf("contribution %+v", one)
		}
		if one.Status == "paid" {
			funded[one.ItemID] += one.Amount
		}
	}
	for _, one := range made.gifts {
		if one.Funded != funded[one.ID] || one.Funded > one.Price || one.CreatedAt.After(now) {
			t.Errorf("gift %+v is funded by %d", one, funded[one.ID])
		}
	}
}
