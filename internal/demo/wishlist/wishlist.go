package wishlist

import (
	_ "embed" // for the document
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/munjigi/munjigi/internal/demo/service"
	"github.com/munjigi/munjigi/internal/demo/shelf"
)

//go:embed openapi.json
var openapi []byte

// Name is how the demo's configuration calls it.
const Name = "wishlist"

type wishlist struct {
	now           func() time.Time
	lists         *shelf.Shelf[giftList]
	gifts         *shelf.Shelf[gift]
	contributions *shelf.Shelf[contribution]
	made          atomic.Int64 // the number in the last id that was given
}

// New is the service "wishlist".
func New(config service.Config) (*service.Service, error) {
	document, err := service.NewDocument(openapi, nil)
	if err != nil {
		return nil, fmt.Errorf("service wishlist: %w", err)
	}
	return service.New(Name, config, document, open(config.Clock()).routes())
}

// open is a wishlist whose rows are made up around now.
func open(now func() time.Time) *wishlist {
	made := makeStock(now())
	s := &wishlist{
		now:           now,
		lists:         shelf.New(func(l *giftList) string { return l.ID }, made.lists),
		gifts:         shelf.New(func(g *gift) string { return g.ID }, made.gifts),
		contributions: shelf.New(func(c *contribution) string { return c.ID }, made.contributions),
	}
	s.made.Store(100_000)
	return s
}

func (s *wishlist) id(prefix string) string { return prefix + strconv.FormatInt(s.made.Add(1), 10) }

func (s *wishlist) routes() []service.Route {
	return []service.Route{
		{Pattern: "GET /lists", Answer: s.listLists},
		{Pattern: "POST /lists", Answer: s.createList},
		{Pattern: "GET /lists/{id}", Answer: s.getList},
		{Pattern: "PATCH /lists/{id}", Answer: s.updateList},
		{Pattern: "DELETE /lists/{id}", Answer: s.deleteList, Fresh: true},
		{Pattern: "POST /lists/{id}/close", Answer: s.setOpen(false)},
		{Pattern: "POST /lists/{id}/reopen", Answer: s.setOpen(true)},
		{Pattern: "POST /lists/{id}/thank", Answer: s.thank},
		{Pattern: "POST /lists/close-expired", Answer: s.closeExpired},
		{Pattern: "GET /lists/{id}/items", Answer: s.listItemsOfList},
		{Pattern: "POST /lists/{id}/items", Answer: s.createItem},
		{Pattern: "GET /items", Answer: s.listItems},
		{Pattern: "GET /items/{id}", Answer: s.getItem},
		{Pattern: "PUT /items/{id}", Answer: s.updateItem},
		{Pattern: "DELETE /items/{id}", Answer: s.deleteItem},
		{Pattern: "POST /items/{id}/release", Answer: s.release},
		{Pattern: "GET /items/{id}/contributions", Answer: s.listContributionsOfItem},
		{Pattern: "GET /contributions", Answer: s.listContributions},
		{Pattern: "GET /contributions/{id}", Answer: s.getContribution},
		{Pattern: "POST /contributions/{id}/refund", Answer: s.refund},
		{Pattern: "GET /reports/occasions", Answer: s.reportOccasions},
		{Pattern: "GET /reports/months", Answer: s.reportMonths},
		{Pattern: "GET /stats", Answer: s.getStats},
		{Pattern: "GET /stats/daily", Answer: s.getDailyStats},
	}
}

// page is one page of a list.
type page[T any] struct {
	Items []*T `json:"items"`
	Total int  `json:"total"`
	Page  int  `json:"page"`
	Size  int  `json:"size"`
	Pages int  `json:"pages"`
}

// paged sorts rows, the newest first unless a query says otherwise, and is the page of them that it asks for.
func paged[T any](q *service.Query, rows []*T, orders shelf.Orders[T]) (any, error) {
	number, size := q.Int("page", 1, 1, 1<<20), q.Int("size", 20, 1, 100)
	order := q.Choice("order_by", orders.Names()...)
	if err := q.Err(); err != nil {
		return nil, err
	}
	slices.Reverse(rows)
	orders.Sort(rows, order)
	return page[T]{shelf.Cut(rows, (number-1)*size, size), len(rows), number, size, (len(rows) + size - 1) / size}, nil
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

// needed notes what a new record cannot do without.
func needed[T any](wrong *service.Wrong, pointer string, value *T) {
	wrong.If(value == nil, pointer, "is needed", "필수 항목입니다")
}

// set puts a value where one was given.
func set[T any](into *T, value *T) {
	if value != nil {
		*into = *value
	}
}

func isOccasion(text string) bool { return slices.Contains(occasions, text) }

// read decodes a body into form and checks it.
func read(r *http.Request, form any, check func() error) error {
	if err := service.Read(r, form, false); err != nil {
		return err
	}
	return check()
}

var listOrders = shelf.Orders[giftList]{
	"created_at": func(a, b *giftList) int { return a.CreatedAt.Compare(b.CreatedAt) },
	"event_date": func(a, b *giftList) int { return strings.Compare(a.EventDate, b.EventDate) },
	"title":      func(a, b *giftList) int { return strings.Compare(a.Title, b.Title) },
}
