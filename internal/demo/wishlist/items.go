package wishlist

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/demo/chance"
	"github.com/munjigi/munjigi/internal/demo/service"
	"github.com/munjigi/munjigi/internal/demo/shelf"
	"github.com/munjigi/munjigi/internal/fault"
)

var itemOrders = shelf.Orders[gift]{
	"price":      func(a, b *gift) int { return cmp.Compare(a.Price, b.Price) },
	"funded":     func(a, b *gift) int { return cmp.Compare(a.Funded, b.Funded) },
	"name":       func(a, b *gift) int { return strings.Compare(a.Name, b.Name) },
	"created_at": func(a, b *gift) int { return a.CreatedAt.Compare(b.CreatedAt) },
}

func (s *wishlist) listItems(r *http.Request) (any, error) {
	q := service.QueryOf(r)
	return s.itemsOf(q, q.Text("list_id"))
}

func (s *wishlist) listItemsOfList(r *http.Request) (any, error) {
	list, err := s.lists.Get(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return s.itemsOf(service.QueryOf(r), list.ID)
}

func (s *wishlist) itemsOf(q *service.Query, list string) (any, error) {
	search, reserved := q.Text("q"), q.Bool("reserved")
	least, most := int64(q.Int("min_price", 0, 0, 1<<40)), int64(q.Int("max_price", 1<<40, 0, 1<<40))
	return paged(q, s.gifts.Find(func(g *gift) bool {
		return service.Is(list, g.ListID) && service.Holds(search, g.Name, g.Note) && service.Is(reserved, strconv.FormatBool(g.Reserved)) &&
			g.Price >= least && g.Price <= most
	}), itemOrders)
}

func (s *wishlist) getItem(r *http.Request) (any, error) { return s.gifts.Get(r.PathValue("id")) }

// itemForm is a whole gift.
type itemForm struct {
	Name  *string `json:"name"`
	Price *int64  `json:"price"`
	Note  *string `json:"note"`
}

func (f *itemForm) check() error {
	var wrong service.Wrong
	needed(&wrong, "/name", f.Name)
	needed(&wrong, "/price", f.Price)
	length(&wrong, "/name", f.Name, 1, 120)
	length(&wrong, "/note", f.Note, 0, 500)
	wrong.If(f.Price != nil && (*f.Price < 1000 || *f.Price > 50_000_000), "/price", "1000–50000000", "1,000원에서 50,000,000원까지 입력하세요")
	return wrong.Err()
}

func (s *wishlist) createItem(r *http.Request) (any, error) {
	var form itemForm
	if err := read(r, &form, form.check); err != nil {
		return nil, err
	}
	list, err := s.lists.Get(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if !list.Open {
		return nil, service.Conflict("list_is_closed", "This list is closed.", "마감된 선물 목록입니다.")
	}
	one := gift{ID: s.id("i"), ListID: list.ID, Name: *form.Name, Price: *form.Price, Currency: currency, CreatedAt: s.now().UTC().Truncate(time.Second)}
	set(&one.Note, form.Note)
	s.gifts.Add(one)
	return &service.Answer{Status: http.StatusCreated, Body: one}, nil
}

func (s *wishlist) updateItem(r *http.Request) (any, error) {
	var form itemForm
	if err := read(r, &form, form.check); err != nil {
		return nil, err
	}
	return s.gifts.Edit(r.PathValue("id"), func(g *gift) error {
		var wrong service.Wrong
		wrong.If(*form.Price < g.Funded, "/price", fmt.Sprintf("at least %d, which people have chipped in", g.Funded), fmt.Sprintf("이미 모인 %d원보다 적을 수 없습니다", g.Funded))
		if err := wrong.Err(); err != nil {
			return err
		}
		g.Name, g.Price, g.Note = *form.Name, *form.Price, ""
		set(&g.Note, form.Note)
		return nil
	})
}

func (s *wishlist) deleteItem(r *http.Request) (any, error) {
	id := r.PathValue("id")
	if _, err := s.gifts.Get(id); err != nil {
		return nil, err
	}
	if s.funded(func(g *gift) bool { return g.ID == id }) {
		return nil, service.Conflict("item_is_funded", "People have chipped in for this gift. Refund them first.", "이미 모금된 선물입니다. 먼저 환불하세요.")
	}
	s.gifts.Remove(func(g *gift) bool { return g.ID == id })
	return nil, nil
}

// release lets others reserve what somebody has reserved.
func (s *wishlist) release(r *http.Request) (any, error) {
	if err := service.Read(r, &struct{}{}, true); err != nil {
		return nil, err
	}
	return s.gifts.Edit(r.PathValue("id"), func(g *gift) error {
		if !g.Reserved {
			return service.Conflict("item_not_reserved", "Nobody has reserved this gift.", "예약되지 않은 선물입니다.")
		}
		g.Reserved, g.ReservedBy = false, nil
		return nil
	})
}

var contributionOrders = shelf.Orders[contribution]{
	"paid_at": func(a, b *contribution) int { return a.PaidAt.Compare(b.PaidAt) },
	"amount":  func(a, b *contribution) int { return cmp.Compare(a.Amount, b.Amount) },
}

func (s *wishlist) listContributions(r *http.Request) (any, error) {
	q := service.QueryOf(r)
	return s.contributionsOf(q, q.Text("item_id"))
}

func (s *wishlist) listContributionsOfItem(r *http.Request) (any, error) {
	one, err := s.gifts.Get(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return s.contributionsOf(service.QueryOf(r), one.ID)
}

func (s *wishlist) contributionsOf(q *service.Query, item string) (any, error) {
	search, status, list := q.Text("q"), q.Choice("status", "paid", "refunded"), q.Text("list_id")
	begin, end := q.Range("paid_from", "paid_to", chance.Seoul)
	return paged(q, s.contributions.Find(func(c *contribution) bool {
		return service.Is(item, c.ItemID) && service.Is(list, c.ListID) && service.Is(status, c.Status) &&
			service.Holds(search, c.Name, c.Message) && service.Within(c.PaidAt, begin, end)
	}), contributionOrders)
}

func (s *wishlist) getContribution(r *http.Request) (any, error) {
	return s.contributions.Get(r.PathValue("id"))
}

// refund gives somebody the money back; the gift is funded by so much less.
func (s *wishlist) refund(r *http.Request) (any, error) {
	if err := service.Read(r, &struct{}{}, true); err != nil {
		return nil, err
	}
	one, err := s.contributions.Edit(r.PathValue("id"), func(c *contribution) error {
		if c.Status != "paid" {
			return service.Conflict("contribution_refunded", "This was refunded already.", "이미 환불되었습니다.")
		}
		c.Status = "refunded"
		return nil
	})
	if err != nil {
		return nil, err
	}
	_, err = s.gifts.Edit(one.ItemID, func(g *gift) error {
		g.Funded -= one.Amount
		return nil
	})
	if fault.CodeOf(err) == fault.NotFound {
		err = nil // the money goes back for a gift that was deleted, too
	}
	return one, err
}
