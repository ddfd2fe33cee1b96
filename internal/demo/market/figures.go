package market

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/munjigi/munjigi/internal/demo/chance"
	"github.com/munjigi/munjigi/internal/demo/market/stock"
	"github.com/munjigi/munjigi/internal/demo/service"
)

// usualDays is the range of figures when nobody asks for one, today included.
const usualDays = 30

// mostDays is the longest range that is answered.
const mostDays = 400

// daily is one figure of one day, beside that of the day as many days before as the range is long.
type daily struct {
	Day      string `json:"day"`
	Value    int64  `json:"value"`
	Previous int64  `json:"previous"`
}

type share struct {
	Status string `json:"status"`
	Orders int64  `json:"orders"`
}

type seller struct {
	ShopID string `json:"shop_id"`
	Name   string `json:"name"`
	Sales  int64  `json:"sales"`
}

// figures are those of a range of days, and of the range just as long before it.
type figures struct {
	From             string   `json:"from"`
	To               string   `json:"to"`
	Currency         string   `json:"currency"`
	Sales            int64    `json:"sales"`
	SalesPrevious    int64    `json:"sales_previous"`
	Orders           int64    `json:"orders"`
	OrdersPrevious   int64    `json:"orders_previous"`
	NewShops         int64    `json:"new_shops"`
	NewShopsPrevious int64    `json:"new_shops_previous"`
	AdClicks         int64    `json:"ad_clicks"`
	AdClicksPrevious int64    `json:"ad_clicks_previous"`
	SalesThisMonth   int64    `json:"sales_this_month"`
	MonthlyGoal      int64    `json:"monthly_goal"`
	SalesByDay       []daily  `json:"sales_by_day"`
	OrdersByDay      []daily  `json:"orders_by_day"`
	NewShopsByDay    []daily  `json:"new_shops_by_day"`
	AdClicksByDay    []daily  `json:"ad_clicks_by_day"`
	OrdersByStatus   []share  `json:"orders_by_status"`
	TopShops         []seller `json:"top_shops"`
}

// span is a range of days: the first, and how many.
type span struct {
	first time.Time
	days  int
}

func (s span) end() time.Time { return s.first.AddDate(0, 0, s.days) }

// place is which day of the span a time is in, or false.
func (s span) place(at time.Time) (int, bool) {
	if at.Before(s.first) || !at.Before(s.end()) {
		return 0, false
	}
	return int(at.Sub(s.first) / (24 * time.Hour)), true // Seoul has no summer time
}

// spanOf is the range that a query asks for; the last thirty days when it asks for none.
func (m *market) spanOf(q *service.Query) (span, error) {
	begin, end := q.Range("from", "to", chance.Seoul)
	if err := q.Err(); err != nil {
		return span{}, err
	}
	if end.IsZero() {
		end = chance.Midnight(m.now()).AddDate(0, 0, 1)
	}
	if begin.IsZero() {
		begin = end.AddDate(0, 0, -usualDays)
	}
	days := int(end.Sub(begin) / (24 * time.Hour))
	var wrong service.Wrong
	wrong.If(days < 1 || days > mostDays, "/from", "1–400 days before the end", "끝나는 날부터 400일 안으로 고르세요")
	return span{begin, days}, wrong.Err()
}

func (m *market) getFigures(r *http.Request) (any, error) {
	asked, err := m.spanOf(service.QueryOf(r))
	if err != nil {
		return nil, err
	}
	both := span{asked.first.AddDate(0, 0, -asked.days), 2 * asked.days} // the period before, then the one asked for
	count := m.count(both)
	answer := figures{
		From: asked.first.Format(time.DateOnly), To: asked.end().AddDate(0, 0, -1).Format(time.DateOnly), Currency: currency,
		SalesByDay: byDay(both, count.sales), OrdersByDay: byDay(both, count.orders),
		NewShopsByDay: byDay(both, count.newShops), AdClicksByDay: byDay(both, m.adClicks(both)),
		MonthlyGoal: 300_000_000,
	}
	answer.Sales, answer.SalesPrevious = sums(answer.SalesByDay)
	answer.Orders, answer.OrdersPrevious = sums(answer.OrdersByDay)
	answer.NewShops, answer.NewShopsPrevious = sums(answer.NewShopsByDay)
	answer.AdClicks, answer.AdClicksPrevious = sums(answer.AdClicksByDay)
	for _, status := range []string{"paid", "shipped", "refunded", "cancelled"} {
		answer.OrdersByStatus = append(answer.OrdersByStatus, share{status, count.byStatus[status]})
	}
	answer.SalesThisMonth, answer.TopShops = count.month, m.top(count.byShop)
	return answer, nil
}

// counted is what a look over all orders and shops gives, by day of a span that is twice as long as was asked for.
type counted struct {
	sales, orders, newShops []int64
	byStatus                map[string]int64 // of the second half
	byShop                  map[string]int64 // so are these
	month                   int64            // sales since the first of this month
}

func (m *market) count(both span) counted {
	c := counted{make([]int64, both.days), make([]int64, both.days), make([]int64, both.days), map[string]int64{}, map[string]int64{}, 0}
	now := m.now().In(chance.Seoul)
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, chance.Seoul)
	m.orders.Each(func(one *order) {
		if !one.OrderedAt.Before(month) {
			c.month += one.Left()
		}
		at, ok := both.place(one.OrderedAt)
		if !ok {
			return
		}
		c.sales[at] += one.Left()
		c.orders[at]++
		if at >= both.days/2 {
			c.byStatus[one.Status]++
			c.byShop[one.ShopID] += one.Left()
		}
	})
	m.shops.Each(func(one *shop) {
		opened, err := time.ParseInLocation(time.DateOnly, one.OpenedOn, chance.Seoul)
		if at, ok := both.place(opened); ok && err == nil {
			c.newShops[at]++
		}
	})
	return c
}

// adClicks are made up from the day and the group, so that the same day always has the same; none is in the future.
func (m *market) adClicks(both span) []int64 {
	clicks := make([]int64, both.days)
	now := m.now()
	spike := chance.Midnight(now).AddDate(0, 0, -stock.SpikeDaysAgo)
	groups := m.groups.Find(func(*adGroup) bool { return true })
	for i := range clicks {
		day := both.first.AddDate(0, 0, i)
		if day.After(now) {
			break
		}
		passed := chance.ShareOfDay(min(now.Sub(day), 24*time.Hour))
		for g := range groups {
			usual := 30 + 200*chance.Unit(chance.Mix(uint64(g)))
			if day.Equal(spike) {
				usual *= 2
			}
			noise := 0.7 + 0.6*chance.Unit(chance.Mix(uint64(day.Unix())+uint64(g)))
			clicks[i] += int64(usual * noise * passed)
		}
	}
	return clicks
}

// byDay puts each day of the second half beside the one before it.
func byDay(both span, values []int64) []daily {
	half := both.days / 2
	days := make([]daily, half)
	for i := range days {
		days[i] = daily{both.first.AddDate(0, 0, half+i).Format(time.DateOnly), values[half+i], values[i]}
	}
	return days
}

func sums(days []daily) (now, before int64) {
	for _, one := range days {
		now += one.Value
		before += one.Previous
	}
	return now, before
}

// top are the ten shops with the largest sales.
func (m *market) top(sales map[string]int64) []seller {
	all := []seller{}
	m.shops.Each(func(one *shop) {
		if sales[one.ID] > 0 {
			all = append(all, seller{one.ID, one.Name, sales[one.ID]})
		}
	})
	slices.SortStableFunc(all, func(a, b seller) int { return cmp.Compare(b.Sales, a.Sales) })
	return all[:min(10, len(all))]
}
