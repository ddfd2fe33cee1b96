package market

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/demo/chance"
	"github.com/munjigi/munjigi/internal/demo/market/stock"
	"github.com/munjigi/munjigi/internal/demo/service"
	"github.com/munjigi/munjigi/internal/demo/shelf"
)

func (m *market) shopRoutes() []service.Route {
	return []service.Route{
		{Pattern: "GET /shops", Answer: m.listShops},
		{Pattern: "POST /shops", Answer: m.createShop},
		{Pattern: "GET /shops/{id}", Answer: m.getShop},
		{Pattern: "PATCH /shops/{id}", Answer: m.updateShop},
		{Pattern: "DELETE /shops/{id}", Answer: m.deleteShop, Admin: true, Fresh: true},
		{Pattern: "POST /shops/{id}/suspend", Answer: m.setOpen(false), Fresh: true},
		{Pattern: "POST /shops/{id}/reopen", Answer: m.setOpen(true)},
		{Pattern: "GET /shops/{id}/products", Answer: m.listProductsOfShop},
		{Pattern: "GET /shops/{id}/points", Answer: m.listPointsOfShop},
		{Pattern: "POST /shops/{id}/grant-points", Answer: m.grantPoints},
	}
}

var shopOrders = shelf.Orders[shop]{
	"name":      func(a, b *shop) int { return strings.Compare(a.Name, b.Name) },
	"opened_on": func(a, b *shop) int { return strings.Compare(a.OpenedOn, b.OpenedOn) },
	"points":    func(a, b *shop) int { return cmp.Compare(a.Points, b.Points) },
}

func (m *market) listShops(r *http.Request) (any, error) {
	q := service.QueryOf(r)
	search, city := q.Text("q"), q.Text("city")
	status, category := q.Choice("status", "open", "suspended"), q.Choice("category", stock.Categories()...)
	begin, end := q.Range("opened_from", "opened_to", chance.Seoul)
	return paged(q, m.shops.Find(func(one *shop) bool {
		opened, err := time.ParseInLocation(time.DateOnly, one.OpenedOn, chance.Seoul)
		return err == nil && service.Holds(search, one.Name, one.Owner, one.City) && service.Is(status, one.Status) &&
			service.Is(category, one.Category) && service.Is(city, one.City) && service.Within(opened, begin, end)
	}), shopOrders)
}

func (m *market) getShop(r *http.Request) (any, error) { return get(r, m.shops) }

// shopForm is what a shop is made from or changed by; nil = left as it is.
type shopForm struct {
	Name     *string `json:"name"`
	Owner    *string `json:"owner"`
	City     *string `json:"city"`
	Category *string `json:"category"`
	Memo     *string `json:"memo"`
}

func (f shopForm) check(whole bool) error {
	var wrong service.Wrong
	wrong.If(whole && f.Name == nil, "/name", "is needed", "필수 항목입니다")
	wrong.If(whole && f.Owner == nil, "/owner", "is needed", "필수 항목입니다")
	wrong.If(whole && f.Category == nil, "/category", "is needed", "필수 항목입니다")
	length(&wrong, "/name", f.Name, 2, 40)
	length(&wrong, "/owner", f.Owner, 1, 40)
	length(&wrong, "/city", f.City, 0, 40)
	length(&wrong, "/memo", f.Memo, 0, 500)
	known := stock.Categories()
	wrong.If(f.Category != nil && !slices.Contains(known, *f.Category), "/category", "one of "+strings.Join(known, ", "), "목록에 있는 분류를 고르세요")
	return wrong.Err()
}

func (f shopForm) fill(one *shop) {
	set(&one.Name, f.Name)
	set(&one.Owner, f.Owner)
	set(&one.City, f.City)
	set(&one.Category, f.Category)
	set(&one.Memo, f.Memo)
}

func (m *market) createShop(r *http.Request) (any, error) {
	var form shopForm
	if err := service.Read(r, &form, false); err != nil {
		return nil, err
	}
	if err := form.check(true); err != nil {
		return nil, err
	}
	if len(m.shops.Find(func(one *shop) bool { return one.Name == *form.Name })) > 0 {
		return nil, service.Conflict("name_taken", "There is a shop with this name already.", "같은 이름의 가게가 이미 있습니다.")
	}
	one := shop{ID: m.id("s"), Status: "open", OpenedOn: chance.Midnight(m.now()).Format(time.DateOnly)}
	form.fill(&one)
	m.shops.Add(one)
	m.note(r, "shop.opened", one.ID, one.ID)
	return service.Created("/shops/"+one.ID, one), nil
}

func (m *market) updateShop(r *http.Request) (any, error) {
	var form shopForm
	if err := service.Read(r, &form, false); err != nil {
		return nil, err
	}
	if err := form.check(false); err != nil {
		return nil, err
	}
	return edit(r, m.shops, func(one *shop) error {
		form.fill(one)
		return nil
	})
}

// deleteShop takes the shop's products with it. Orders stay: somebody bought something.
func (m *market) deleteShop(r *http.Request) (any, error) {
	one, err := m.shops.Get(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	waiting := m.orders.Find(func(o *order) bool { return o.ShopID == one.ID && o.Open() })
	if len(waiting) > 0 {
		return nil, service.Conflict("shop_has_open_orders", "This shop has orders that were not sent yet. Send or cancel them first.", "아직 보내지 않은 주문이 있는 가게입니다. 먼저 발송하거나 취소하세요.")
	}
	m.shops.Remove(func(other *shop) bool { return other.ID == one.ID })
	m.products.Remove(func(p *product) bool { return p.ShopID == one.ID })
	m.note(r, "shop.deleted", one.ID, one.ID)
	return nil, nil
}

// setOpen suspends or reopens a shop. One that is so already stays so: whoever asks twice gets the same.
func (m *market) setOpen(open bool) func(*http.Request) (any, error) {
	status, kind := "suspended", "shop.suspended"
	if open {
		status, kind = "open", "shop.reopened"
	}
	return func(r *http.Request) (any, error) {
		var form struct {
			Memo *string `json:"memo"`
		}
		if err := service.Read(r, &form, true); err != nil {
			return nil, err
		}
		var wrong service.Wrong
		length(&wrong, "/memo", form.Memo, 0, 500)
		if err := wrong.Err(); err != nil {
			return nil, err
		}
		answer, err := edit(r, m.shops, func(one *shop) error {
			one.Status = status
			set(&one.Memo, form.Memo)
			return nil
		})
		if err == nil {
			m.note(r, kind, r.PathValue("id"), r.PathValue("id"))
		}
		return answer, err
	}
}
