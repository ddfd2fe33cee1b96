package market

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/demo/market/stock"
	"github.com/munjigi/munjigi/internal/demo/service"
	"github.com/munjigi/munjigi/internal/demo/shelf"
)

func (m *market) productRoutes() []service.Route {
	return []service.Route{
		{Pattern: "GET /products", Answer: m.listProducts},
		{Pattern: "POST /products", Answer: m.createProduct},
		{Pattern: "GET /products/{id}", Answer: m.getProduct},
		{Pattern: "PATCH /products/{id}", Answer: m.updateProduct},
		{Pattern: "DELETE /products/{id}", Answer: m.deleteProduct},
		{Pattern: "POST /products/{id}/hide", Answer: m.hideProduct},
		{Pattern: "POST /products/{id}/show", Answer: m.showProduct},
		{Pattern: "POST /products/hide", Answer: m.hideProducts},
		{Pattern: "GET /products/{id}/image", Answer: m.getProductImage},
		{Pattern: "POST /products/{id}/image", Answer: m.uploadProductImage},
	}
}

var productOrders = shelf.Orders[product]{
	"name":       func(a, b *product) int { return strings.Compare(a.Name, b.Name) },
	"price":      func(a, b *product) int { return cmp.Compare(a.Price, b.Price) },
	"stock":      func(a, b *product) int { return cmp.Compare(a.Stock, b.Stock) },
	"updated_at": func(a, b *product) int { return a.UpdatedAt.Compare(b.UpdatedAt) },
}

func (m *market) listProducts(r *http.Request) (any, error) {
	q := service.QueryOf(r)
	search, seller := q.Text("q"), q.Text("shop_id")
	status, category := q.Choice("status", "on_sale", "sold_out", "hidden"), q.Choice("category", stock.Categories()...)
	least, most := int64(q.Int("price_gte", 0, 0, 1<<40)), int64(q.Int("price_lte", 1<<40, 0, 1<<40))
	return paged(q, m.products.Find(func(one *product) bool {
		return service.Holds(search, one.Name) && service.Is(seller, one.ShopID) && service.Is(status, one.Status) &&
			service.Is(category, one.Category) && one.Price >= least && one.Price <= most
	}), productOrders)
}

func (m *market) listProductsOfShop(r *http.Request) (any, error) {
	seller, err := m.shops.Get(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return paged(service.QueryOf(r), m.products.Find(func(one *product) bool { return one.ShopID == seller.ID }), productOrders)
}

func (m *market) getProduct(r *http.Request) (any, error) { return get(r, m.products) }

// productForm is what a product is made from or changed by; nil = left as it is.
type productForm struct {
	Name        *string `json:"name"`
	ShopID      *string `json:"shop_id"`
	Category    *string `json:"category"`
	Price       *int64  `json:"price"`
	Stock       *int    `json:"stock"`
	Description *string `json:"description"`
}

const mostPrice = 100_000_000 // won

func (f productForm) check(whole bool, shops *shelf.Shelf[shop]) error {
	var wrong service.Wrong
	wrong.If(whole && f.Name == nil, "/name", "is needed", "필수 항목입니다")
	wrong.If(whole && f.ShopID == nil, "/shop_id", "is needed", "필수 항목입니다")
	wrong.If(whole && f.Price == nil, "/price", "is needed", "필수 항목입니다")
	length(&wrong, "/name", f.Name, 1, 80)
	within(&wrong, "/price", f.Price, 100, mostPrice)
	wrong.If(f.Price != nil && *f.Price%100 != 0, "/price", "whole hundreds of won", "100원 단위로 입력하세요")
	within(&wrong, "/stock", f.Stock, 0, 100_000)
	length(&wrong, "/description", f.Description, 0, 4000)
	wrong.If(f.Category != nil && !slices.Contains(stock.Categories(), *f.Category), "/category", "one of "+strings.Join(stock.Categories(), ", "), "목록에 있는 분류를 고르세요")
	if f.ShopID != nil {
		_, err := shops.Get(*f.ShopID)
		wrong.If(err != nil, "/shop_id", "there is no such shop", "없는 가게입니다")
	}
	return wrong.Err()
}

func (f productForm) fill(one *product, now time.Time) {
	set(&one.Name, f.Name)
	set(&one.ShopID, f.ShopID)
	set(&one.Category, f.Category)
	set(&one.Price, f.Price)
	set(&one.Stock, f.Stock)
	set(&one.Description, f.Description)
	one.UpdatedAt = now.UTC().Truncate(time.Second)
	switch {
	case one.Status == "sold_out" && one.Stock > 0:
		one.Status = "on_sale"
	case one.Status == "on_sale" && one.Stock == 0:
		one.Status = "sold_out"
	}
}

func (m *market) createProduct(r *http.Request) (any, error) {
	var form productForm
	if err := service.Read(r, &form, false); err != nil {
		return nil, err
	}
	if err := form.check(true, m.shops); err != nil {
		return nil, err
	}
	seller, err := m.shops.Get(*form.ShopID)
	if err != nil {
		return nil, err
	}
	id := m.id("p")
	one := product{ID: id, Image: "/products/" + id + "/image", Category: seller.Category, Currency: currency, Status: "on_sale"}
	form.fill(&one, m.now())
	m.products.Add(one)
	m.note(r, "product.created", one.ShopID, one.ID)
	return service.Created("/products/"+id, one), nil
}

func (m *market) updateProduct(r *http.Request) (any, error) {
	var form productForm
	if err := service.Read(r, &form, false); err != nil {
		return nil, err
	}
	if err := form.check(false, m.shops); err != nil {
		return nil, err
	}
	return edit(r, m.products, func(one *product) error {
		form.fill(one, m.now())
		return nil
	})
}

// ordered are the products of which something still has to be sent.
func (m *market) ordered() map[string]bool {
	waiting := map[string]bool{}
	m.orders.Each(func(one *order) {
		for _, line := range one.Items {
			if one.Open() {
				waiting[line.ProductID] = true
			}
		}
	})
	return waiting
}

func (m *market) mayGo(id string, waiting map[string]bool) error {
	if waiting[id] {
		return service.Conflict("product_has_open_orders", "Somebody has ordered this and is waiting for it. Send or cancel the order first.", "아직 보내지 않은 주문이 있는 상품입니다. 먼저 발송하거나 취소하세요.")
	}
	return nil
}

func (m *market) deleteProduct(r *http.Request) (any, error) {
	one, err := m.products.Get(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if err := service.Matches(r, one); err != nil {
		return nil, err
	}
	if err := m.mayGo(one.ID, m.ordered()); err != nil {
		return nil, err
	}
	m.products.Remove(func(other *product) bool { return other.ID == one.ID })
	m.note(r, "product.deleted", one.ShopID, one.ID)
	return nil, nil
}

func (m *market) hide(id string, waiting map[string]bool) (product, error) {
	return m.products.Edit(id, func(one *product) error {
		if err := m.mayGo(id, waiting); err != nil {
			return err
		}
		one.Status, one.UpdatedAt = "hidden", m.now().UTC().Truncate(time.Second)
		return nil
	})
}

func (m *market) hideProduct(r *http.Request) (any, error) {
	one, err := m.hide(r.PathValue("id"), m.ordered())
	if err != nil {
		return nil, err
	}
	m.note(r, "product.hidden", one.ShopID, one.ID)
	return service.Tagged(one), nil
}

func (m *market) showProduct(r *http.Request) (any, error) {
	return edit(r, m.products, func(one *product) error {
		if one.Status != "hidden" {
			return service.Conflict("product_not_hidden", "Only what is hidden can be shown again.", "숨긴 상품만 다시 보일 수 있습니다.")
		}
		one.Status = "on_sale"
		if one.Stock == 0 {
			one.Status = "sold_out"
		}
		one.UpdatedAt = m.now().UTC().Truncate(time.Second)
		return nil
	})
}

// outcome is what became of one of many rows: what it would have been alone. Code and title are of a refusal.
type outcome struct {
	ID     string `json:"id"`
	Status int    `json:"status"`
	Code   string `json:"code,omitempty"`
	Title  string `json:"title,omitempty"`
}

// hideProducts does what it can, and says of each row what became of it.
func (m *market) hideProducts(r *http.Request) (any, error) {
	var form struct {
		IDs []string `json:"ids"`
	}
	if err := service.Read(r, &form, false); err != nil {
		return nil, err
	}
	var wrong service.Wrong
	most := strconv.Itoa(mostRows)
	wrong.If(len(form.IDs) == 0 || len(form.IDs) > mostRows, "/ids", "1–"+most+" ids", "한 번에 1–"+most+"개를 고르세요")
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	waiting, failed := m.ordered(), 0
	results := make([]outcome, 0, len(form.IDs))
	for _, id := range form.IDs {
		one, err := m.hide(id, waiting)
		if err != nil {
			failed++
			why := service.Say(r, err)
			results = append(results, outcome{id, why.Status, why.Code, why.Title})
			continue
		}
		m.note(r, "product.hidden", one.ShopID, one.ID)
		results = append(results, outcome{ID: id, Status: http.StatusOK})
	}
	return map[string]any{"done": len(results) - failed, "failed": failed, "results": results}, nil
}
