package market

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/munjigi/munjigi/internal/demo/service"
	"github.com/munjigi/munjigi/internal/demo/shelf"
)

var customerOrders = shelf.Orders[customer]{
	"name":      func(a, b *customer) int { return strings.Compare(a.Name, b.Name) },
	"spent":     func(a, b *customer) int { return cmp.Compare(a.Spent, b.Spent) },
	"orders":    func(a, b *customer) int { return cmp.Compare(a.Orders, b.Orders) },
	"joined_on": func(a, b *customer) int { return strings.Compare(a.JoinedOn, b.JoinedOn) },
}

func (m *market) listCustomers(r *http.Request) (any, error) {
	q := service.QueryOf(r)
	search, city := q.Text("q"), q.Text("city")
	grade, status := q.Choice("grade", "basic", "silver", "gold", "vip"), q.Choice("status", "active", "blocked")
	return paged(q, m.customers.Find(func(one *customer) bool {
		return service.Holds(search, one.Name, one.Email, one.City) && service.Is(grade, one.Grade) &&
			service.Is(status, one.Status) && service.Is(city, one.City)
	}), customerOrders)
}

func (m *market) getCustomer(r *http.Request) (any, error) { return get(r, m.customers) }

func (m *market) updateCustomer(r *http.Request) (any, error) {
	var form struct {
		Memo  *string `json:"memo"`
		Phone *string `json:"phone"`
	}
	if err := service.Read(r, &form, false); err != nil {
		return nil, err
	}
	var wrong service.Wrong
	length(&wrong, "/memo", form.Memo, 0, 500)
	length(&wrong, "/phone", form.Phone, 9, 20)
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	return edit(r, m.customers, func(one *customer) error {
		set(&one.Memo, form.Memo)
		set(&one.Phone, form.Phone)
		return nil
	})
}

// setBlocked is for somebody who may not order any more, or may again.
func (m *market) setBlocked(blocked bool) func(*http.Request) (any, error) {
	from, to, kind := "blocked", "active", "customer.unblocked"
	if blocked {
		from, to, kind = "active", "blocked", "customer.blocked"
	}
	return func(r *http.Request) (any, error) {
		if err := service.Read(r, &struct{}{}, true); err != nil {
			return nil, err
		}
		answer, err := edit(r, m.customers, func(one *customer) error {
			if one.Status != from {
				return service.Conflict("customer_is_"+one.Status, "This customer is "+one.Status+" already.", "이미 처리된 고객입니다.")
			}
			one.Status = to
			return nil
		})
		if err == nil {
			m.note(r, kind, "", r.PathValue("id"))
		}
		return answer, err
	}
}
