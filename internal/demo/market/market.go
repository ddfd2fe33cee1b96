package market

import (
	_ "embed" // for the document
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/munjigi/munjigi/internal/demo/market/stock"
	"github.com/munjigi/munjigi/internal/demo/service"
	"github.com/munjigi/munjigi/internal/demo/shelf"
	"github.com/munjigi/munjigi/verify"
)

//go:embed openapi.json
var openapi []byte

//go:embed korean.json
var korean []byte

type market struct {
	now       func() time.Time
	shops     *shelf.Shelf[shop]
	products  *shelf.Shelf[product]
	orders    *shelf.Shelf[order]
	customers *shelf.Shelf[customer]
	groups    *shelf.Shelf[adGroup]
	creatives *shelf.Shelf[creative]
	points    *shelf.Shelf[points]
	settings  *shelf.Shelf[settings]
	jobs      *shelf.Shelf[job]
	images    *images
	activity  *activity
	made      atomic.Int64 // the number in the last id that was given
}

// New is the service "market".
func New(config service.Config) (*service.Service, error) {
	document, err := service.NewDocument(openapi, korean)
	if err != nil {
		return nil, fmt.Errorf("service market: %w", err)
	}
	return service.New(Name, config, document, open(config.Clock()).routes())
}

// open is a market whose rows are made up around now.
func open(now func() time.Time) *market {
	made := stock.New(now())
	m := &market{
		now:       now,
		shops:     shelf.New(func(s *shop) string { return s.ID }, made.Shops),
		products:  shelf.New(func(p *product) string { return p.ID }, made.Products),
		orders:    shelf.New(func(o *order) string { return o.ID }, made.Orders),
		customers: shelf.New(func(c *customer) string { return c.ID }, made.Customers),
		groups:    shelf.New(func(g *adGroup) string { return g.ID }, made.Groups),
		creatives: shelf.New(func(c *creative) string { return c.ID }, made.Creatives),
		points:    shelf.New(func(p *points) string { return p.ID }, made.Points),
		settings:  shelf.New(func(*settings) string { return "" }, []settings{usualSettings(now())}),
		jobs:      shelf.New(func(j *job) string { return j.ID }, nil),
		images:    newImages(),
		activity:  newActivity(now()),
	}
	m.made.Store(int64(len(made.Orders)) + 10_000)
	return m
}

// id is a new one.
func (m *market) id(prefix string) string { return prefix + strconv.FormatInt(m.made.Add(1), 10) }

func (m *market) routes() []service.Route {
	routes := []service.Route{
		{Pattern: "GET /figures", Answer: m.getFigures},
		{Pattern: "GET /reports/sales", Answer: m.reportSales},
		{Pattern: "GET /reports/refunds", Answer: m.reportRefunds},
		{Pattern: "GET /customers", Answer: m.listCustomers},
		{Pattern: "GET /customers/{id}", Answer: m.getCustomer},
		{Pattern: "PATCH /customers/{id}", Answer: m.updateCustomer},
		{Pattern: "GET /customers/{id}/orders", Answer: m.listOrdersOfCustomer},
		{Pattern: "POST /customers/{id}/block", Answer: m.setBlocked(true)},
		{Pattern: "POST /customers/{id}/unblock", Answer: m.setBlocked(false)},
		{Pattern: "GET /points", Answer: m.listPoints},
		{Pattern: "GET /events", Answer: m.listEvents},
		{Pattern: "GET /events/{id}", Answer: m.getEvent},
		{Pattern: "GET /settings", Answer: m.getSettings},
		{Pattern: "PUT /settings", Answer: m.updateSettings, Admin: true},
		{Pattern: "POST /products/recount", Answer: m.recountStock},
		{Pattern: "GET /jobs/{id}", Answer: m.getJob},
		{Pattern: "GET /my/shop", Answer: m.getOwnShop, Need: &verify.Need{Realm: Realm, Roles: []string{"shop"}}},
		{Pattern: "POST /private/credentials", Answer: m.credentials, Need: &verify.Need{Realm: verify.Munjigi}},
	}
	routes = append(routes, m.shopRoutes()...)
	routes = append(routes, m.productRoutes()...)
	routes = append(routes, m.orderRoutes()...)
	return append(routes, m.adRoutes()...)
}

// page is one page of a list that is cut by page and per_page, or by offset and limit.
type page[T any] struct {
	Items []T `json:"items"`
	Total int `json:"total"`
}

const (
	usualRows = 20
	mostRows  = 200
)

// paged sorts rows and is the page of them that a query asks for.
func paged[T any](q *service.Query, rows []*T, orders shelf.Orders[T]) (page[*T], error) {
	number, size := q.Int("page", 1, 1, 1<<20), q.Int("per_page", usualRows, 1, mostRows)
	return cut(q, rows, orders, (number-1)*size, size)
}

// offset is the same for offset and limit.
func offset[T any](q *service.Query, rows []*T, orders shelf.Orders[T]) (page[*T], error) {
	from, size := q.Int("offset", 0, 0, 1<<30), q.Int("limit", usualRows, 1, mostRows)
	return cut(q, rows, orders, from, size)
}

func cut[T any](q *service.Query, rows []*T, orders shelf.Orders[T], from, size int) (page[*T], error) {
	order := ""
	if orders != nil {
		order = q.Choice("sort", orders.Names()...)
	}
	if err := q.Err(); err != nil {
		return page[*T]{}, err
	}
	orders.Sort(rows, order)
	return page[*T]{shelf.Cut(rows, from, size), len(rows)}, nil
}

// edit changes a record whose id is in the path, if it is as the caller saw it (If-Match), and answers with it.
func edit[T any](r *http.Request, on *shelf.Shelf[T], change func(*T) error) (any, error) {
	row, err := on.Edit(r.PathValue("id"), func(row *T) error {
		if err := service.Matches(r, row); err != nil {
			return err
		}
		return change(row)
	})
	if err != nil {
		return nil, err
	}
	return service.Tagged(row), nil
}

// get answers with the record whose id is in the path.
func get[T any](r *http.Request, from *shelf.Shelf[T]) (any, error) {
	row, err := from.Get(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return service.Tagged(row), nil
}

// length checks a text, if it is there.
func length(wrong *service.Wrong, pointer string, text *string, least, most int) {
	if text == nil {
		return
	}
	n := len([]rune(*text))
	limits := fmt.Sprintf("%d–%d", least, most)
	wrong.If(n < least || n > most, pointer, "a text of "+limits+" characters", limits+"자로 입력하세요")
}

// within checks a number, if it is there.
func within[N int | int64 | float64](wrong *service.Wrong, pointer string, number *N, least, most N) {
	if number == nil {
		return
	}
	limits := fmt.Sprintf("%v–%v", least, most)
	wrong.If(*number < least || *number > most, pointer, "a number, "+limits, limits+" 사이의 수로 입력하세요")
}

// set puts a value where one was given.
func set[T any](into *T, value *T) {
	if value != nil {
		*into = *value
	}
}
