package market

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/munjigi/munjigi/internal/demo/chance"
	"github.com/munjigi/munjigi/internal/demo/service"
)

// salesRow is one line of the report of sales.
type salesRow struct {
	Label    string `json:"label"`
	Orders   int64  `json:"orders"`
	Sales    int64  `json:"sales"`
	Refunded int64  `json:"refunded"`
	Currency string `json:"currency"`
}

// reportSpan is the range of a report, which has to be given.
func (m *market) reportSpan(q *service.Query) (span, error) {
	var wrong service.Wrong
	wrong.If(q.Text("from") == "", "/from", "is needed", "필수 항목입니다")
	wrong.If(q.Text("to") == "", "/to", "is needed", "필수 항목입니다")
	if err := wrong.Err(); err != nil {
		return span{}, err
	}
	return m.spanOf(q)
}

// reportSales adds up orders by day, month, category, city of the shop, or way of payment.
func (m *market) reportSales(r *http.Request) (any, error) {
	q := service.QueryOf(r)
	by := q.Choice("by", "day", "month", "category", "city", "payment")
	asked, err := m.reportSpan(q)
	if err != nil {
		return nil, err
	}
	label := m.labels(by)
	rows := map[string]*salesRow{}
	m.orders.Each(func(one *order) {
		if _, ok := asked.place(one.OrderedAt); !ok {
			return
		}
		name := label(one)
		if rows[name] == nil {
			rows[name] = &salesRow{Label: name, Currency: currency}
		}
		rows[name].Orders++
		rows[name].Sales += one.Left()
		rows[name].Refunded += one.Refunded
	})
	sorted := []salesRow{}
	for _, row := range rows {
		sorted = append(sorted, *row)
	}
	timely := by == "" || by == "day" || by == "month"
	slices.SortFunc(sorted, func(a, b salesRow) int {
		if timely {
			return cmp.Compare(a.Label, b.Label)
		}
		return cmp.Or(cmp.Compare(b.Sales, a.Sales), cmp.Compare(a.Label, b.Label))
	})
	return map[string]any{"rows": sorted}, nil
}

// labels is under which line of a report an order falls.
func (m *market) labels(by string) func(*order) string {
	of := map[string]shop{}
	m.shops.Each(func(one *shop) { of[one.ID] = *one })
	switch by {
	case "month":
		return func(one *order) string { return one.OrderedAt.In(chance.Seoul).Format("2006-01") }
	case "category":
		return func(one *order) string { return cmp.Or(of[one.ShopID].Category, "–") }
	case "city":
		return func(one *order) string { return cmp.Or(of[one.ShopID].City, "–") }
	case "payment":
		return func(one *order) string { return one.Payment }
	default:
		return func(one *order) string { return one.OrderedAt.In(chance.Seoul).Format(time.DateOnly) }
	}
}

// refundRow is one shop in the report of refunds.
type refundRow struct {
	ShopID   string  `json:"shop_id"`
	Name     string  `json:"name"`
	Orders   int64   `json:"orders"`
	Refunds  int64   `json:"refunds"`
	Rate     float64 `json:"rate"` // percent
	Refunded int64   `json:"refunded"`
	Currency string  `json:"currency"`
	Verdict  string  `json:"verdict"` // usual, watch, unusual
}

const fewOrders = 20 // of which no rate means anything

// reportRefunds is which shops refund more than others: those that are unusual first, then by rate.
func (m *market) reportRefunds(r *http.Request) (any, error) {
	q := service.QueryOf(r)
	most := q.Int("most", 15, 1, mostRows)
	asked, err := m.reportSpan(q)
	if err != nil {
		return nil, err
	}
	of := map[string]*refundRow{}
	m.shops.Each(func(one *shop) {
		of[one.ID] = &refundRow{ShopID: one.ID, Name: one.Name, Currency: currency, Verdict: verdicts[0]}
	})
	m.orders.Each(func(one *order) {
		row := of[one.ShopID]
		if _, ok := asked.place(one.OrderedAt); !ok || row == nil {
			return
		}
		row.Orders++
		if one.Refunded > 0 && one.Status != "cancelled" {
			row.Refunds++
			row.Refunded += one.Refunded
		}
	})
	rows := []refundRow{}
	for _, row := range of {
		if row.Orders < fewOrders {
			continue
		}
		row.judge()
		rows = append(rows, *row)
	}
	slices.SortFunc(rows, func(a, b refundRow) int {
		return cmp.Or(cmp.Compare(slices.Index(verdicts, b.Verdict), slices.Index(verdicts, a.Verdict)), cmp.Compare(b.Rate, a.Rate), cmp.Compare(a.ShopID, b.ShopID))
	})
	return map[string]any{"rows": rows[:min(most, len(rows))]}, nil
}

// verdicts are from harmless to bad.
var verdicts = []string{"usual", "watch", "unusual"}

// judge says what a rate means. A few refunds mean nothing, whatever the rate: they happen to everybody.
func (r *refundRow) judge() {
	r.Rate = float64(1000*r.Refunds/r.Orders) / 10
	switch {
	case r.Rate >= 20 && r.Refunds >= 10:
		r.Verdict = verdicts[2]
	case r.Rate >= 10 && r.Refunds >= 5:
		r.Verdict = verdicts[1]
	}
}
