package wishlist

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/demo/chance"
	"github.com/munjigi/munjigi/internal/demo/service"
)

func (s *wishlist) listLists(r *http.Request) (any, error) {
	q := service.QueryOf(r)
	search, occasion, open := q.Text("q"), q.Choice("occasion", occasions...), q.Bool("open")
	begin, end := q.Range("event_from", "event_to", chance.Seoul)
	return paged(q, s.lists.Find(func(l *giftList) bool {
		event, err := time.ParseInLocation(time.DateOnly, l.EventDate, chance.Seoul)
		return err == nil && service.Holds(search, l.Title, l.Owner) && service.Is(occasion, l.Occasion) &&
			service.Is(open, strconv.FormatBool(l.Open)) && service.Within(event, begin, end)
	}), listOrders)
}

func (s *wishlist) getList(r *http.Request) (any, error) { return s.lists.Get(r.PathValue("id")) }

// listForm is what a list is made from or changed by; nil = left as it is.
type listForm struct {
	Title     *string `json:"title"`
	Owner     *string `json:"owner"`
	Occasion  *string `json:"occasion"`
	EventDate *string `json:"event_date"`
	Message   *string `json:"message"`
}

func (f *listForm) check() error {
	var wrong service.Wrong
	length(&wrong, "/title", f.Title, 1, 120)
	length(&wrong, "/owner", f.Owner, 1, 60)
	length(&wrong, "/message", f.Message, 0, 1000)
	wrong.If(f.Occasion != nil && !isOccasion(*f.Occasion), "/occasion", "one of "+strings.Join(occasions, ", "), "목록에 있는 기념일을 고르세요")
	if f.EventDate != nil {
		_, err := time.Parse(time.DateOnly, *f.EventDate)
		wrong.If(err != nil, "/event_date", "a day such as 2026-11-26", "2026-11-26과 같은 날짜로 입력하세요")
	}
	return wrong.Err()
}

func (f *listForm) whole() error {
	var wrong service.Wrong
	needed(&wrong, "/title", f.Title)
	needed(&wrong, "/owner", f.Owner)
	needed(&wrong, "/occasion", f.Occasion)
	needed(&wrong, "/event_date", f.EventDate)
	if err := wrong.Err(); err != nil {
		return err
	}
	return f.check()
}

func (f *listForm) fill(l *giftList) {
	set(&l.Title, f.Title)
	set(&l.Owner, f.Owner)
	set(&l.Occasion, f.Occasion)
	set(&l.EventDate, f.EventDate)
	set(&l.Message, f.Message)
}

func (s *wishlist) createList(r *http.Request) (any, error) {
	var form listForm
	if err := read(r, &form, form.whole); err != nil {
		return nil, err
	}
	one := giftList{ID: s.id("l"), Open: true, CreatedAt: s.now().UTC().Truncate(time.Second)}
	form.fill(&one)
	s.lists.Add(one)
	return &service.Answer{Status: http.StatusCreated, Body: one}, nil
}

func (s *wishlist) updateList(r *http.Request) (any, error) {
	var form listForm
	if err := read(r, &form, form.check); err != nil {
		return nil, err
	}
	return s.lists.Edit(r.PathValue("id"), func(l *giftList) error {
		form.fill(l)
		return nil
	})
}

// deleteList takes the gifts with it, unless somebody has paid for one.
func (s *wishlist) deleteList(r *http.Request) (any, error) {
	one, err := s.lists.Get(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if one.Open && s.funded(func(g *gift) bool { return g.ListID == one.ID }) {
		return nil, service.Conflict("list_is_funded", "People have chipped in for this list. Close it first.", "이미 모금된 선물 목록입니다. 먼저 마감하세요.")
	}
	s.lists.Remove(func(l *giftList) bool { return l.ID == one.ID })
	s.gifts.Remove(func(g *gift) bool { return g.ListID == one.ID })
	return nil, nil
}

// funded tells whether somebody has chipped in for one of some gifts.
func (s *wishlist) funded(of func(*gift) bool) bool {
	return len(s.gifts.Find(func(g *gift) bool { return of(g) && g.Funded > 0 })) > 0
}

func (s *wishlist) setOpen(open bool) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		if err := service.Read(r, &struct{}{}, true); err != nil {
			return nil, err
		}
		return s.lists.Edit(r.PathValue("id"), func(l *giftList) error {
			if l.Open == open {
				return service.Conflict("list_is_so", "This list is so already.", "이미 처리된 선물 목록입니다.")
			}
			l.Open = open
			return nil
		})
	}
}

// closeExpired closes the lists whose day is over.
func (s *wishlist) closeExpired(r *http.Request) (any, error) {
	if err := service.Read(r, &struct{}{}, true); err != nil {
		return nil, err
	}
	today := chance.Midnight(s.now()).Format(time.DateOnly)
	over := s.lists.Find(func(l *giftList) bool { return l.Open && l.EventDate < today })
	for _, one := range over {
		_, err := s.lists.Edit(one.ID, func(l *giftList) error {
			l.Open = false
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return map[string]int{"closed": len(over)}, nil
}

// thank sends one message to everybody who has chipped in. Nothing leaves the demo.
func (s *wishlist) thank(r *http.Request) (any, error) {
	var form struct {
		Message *string `json:"message"`
	}
	err := read(r, &form, func() error {
		var wrong service.Wrong
		needed(&wrong, "/message", form.Message)
		length(&wrong, "/message", form.Message, 1, 1000)
		return wrong.Err()
	})
	if err != nil {
		return nil, err
	}
	id := r.PathValue("id")
	people := map[string]bool{}
	s.contributions.Each(func(c *contribution) {
		if c.ListID == id && c.Status == "paid" {
			people[c.Name] = true
		}
	})
	_, err = s.lists.Edit(id, func(l *giftList) error {
		if len(people) == 0 {
			return service.Conflict("nobody_to_thank", "Nobody has chipped in for this list.", "이 목록에 보탠 사람이 없습니다.")
		}
		if l.Open {
			return service.Conflict("list_is_open", "Close the list first: somebody may still chip in.", "아직 열려 있는 목록입니다. 먼저 마감하세요.")
		}
		at := s.now().UTC().Truncate(time.Second)
		l.Message, l.ThankedAt = *form.Message, &at
		return nil
	})
	if err != nil {
		return nil, err
	}
	return map[string]int{"sent": len(people)}, nil
}
