package demo

import (
	"net/http"

	"github.com/munjigi/munjigi/verify"
)

type shop struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Owner    string `json:"owner"`
	City     string `json:"city"`
	Status   string `json:"status"` // open, suspended
	OpenedOn string `json:"opened_on"`
}

type product struct {
	ID       string `json:"id"`
	ShopID   string `json:"shop_id"`
	Name     string `json:"name"`
	Price    int64  `json:"price"`
	Currency string `json:"currency"`
	Stock    int    `json:"stock"`
	Status   string `json:"status"` // on_sale, sold_out, hidden
}

type market struct {
	shops    shelf[shop]
	products shelf[product]
}

// NewMarket is the service "market": shops and what they sell.
func NewMarket(config ServiceConfig) (*Service, error) {
	var data struct {
		Shops    []shop    `json:"shops"`
		Products []product `json:"products"`
	}
	if err := readData("data/market.json", &data); err != nil {
		return nil, err
	}
	s := &market{
		shops:    shelf[shop]{id: func(s shop) string { return s.ID }, rows: data.Shops},
		products: shelf[product]{id: func(p product) string { return p.ID }, rows: data.Products},
	}
	return newService(marketName, config, []route{
		{pattern: "GET /shops", handler: answering(s.listShops)},
		{pattern: "GET /shops/{id}", handler: answering(s.getShop)},
		{pattern: "GET /shops/{id}/products", handler: answering(s.listProductsOfShop)},
		{pattern: "POST /shops/{id}/suspend", handler: answering(s.setStatus("suspended")), writes: true, fresh: true},
		{pattern: "POST /shops/{id}/reopen", handler: answering(s.setStatus("open")), writes: true},
		{pattern: "GET /products", handler: answering(s.listProducts)},
		{pattern: "GET /products/{id}", handler: answering(s.getProduct)},
		{pattern: "GET /my/shop", handler: answering(s.getOwnShop), need: &verify.Need{Realm: shopsRealm, Roles: []string{"shop"}}},
		{pattern: "POST /private/credentials", handler: http.HandlerFunc(s.credentials), need: &verify.Need{Realm: verify.Munjigi}},
	})
}

func (s *market) listShops(r *http.Request) (any, error) {
	query := r.URL.Query()
	return s.shops.list(query, func(one shop) bool {
		return holds(query.Get("q"), one.Name, one.Owner, one.City) && is(query, "status", one.Status)
	})
}

func (s *market) getShop(r *http.Request) (any, error) { return s.shops.get(r.PathValue("id")) }

func (s *market) setStatus(status string) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		return s.shops.edit(r.PathValue("id"), func(one *shop) { one.Status = status })
	}
}

func (s *market) listProductsOfShop(r *http.Request) (any, error) {
	found, err := s.shops.get(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return s.products.list(r.URL.Query(), func(p product) bool { return p.ShopID == found.ID })
}

func (s *market) listProducts(r *http.Request) (any, error) {
	query := r.URL.Query()
	return s.products.list(query, func(p product) bool {
		return holds(query.Get("q"), p.Name) && is(query, "status", p.Status)
	})
}

func (s *market) getProduct(r *http.Request) (any, error) { return s.products.get(r.PathValue("id")) }
