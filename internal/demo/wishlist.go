package demo

import (
	"net/http"
	"strconv"

	"github.com/munjigi/munjigi/internal/fault"
)

type giftList struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	Owner     string `json:"owner"`
	Occasion  string `json:"occasion"`
	EventDate string `json:"event_date"`
	Open      bool   `json:"open"`
	CreatedAt string `json:"created_at"`
}

type gift struct {
	ID       string `json:"id"`
	ListID   string `json:"list_id"`
	Name     string `json:"name"`
	Price    int64  `json:"price"`
	Currency string `json:"currency"`
	Reserved bool   `json:"reserved"`
	Note     string `json:"note"`
}

type wishlist struct {
	lists shelf[giftList]
	gifts shelf[gift]
}

// NewWishlist is the service "wishlist": gift lists and who has reserved what.
func NewWishlist(config ServiceConfig) (*Service, error) {
	var data struct {
		Lists []giftList `json:"lists"`
		Items []gift     `json:"items"`
	}
	if err := readData("data/wishlist.json", &data); err != nil {
		return nil, err
	}
	s := &wishlist{
		lists: shelf[giftList]{id: func(l giftList) string { return l.ID }, rows: data.Lists},
		gifts: shelf[gift]{id: func(g gift) string { return g.ID }, rows: data.Items},
	}
	return newService("wishlist", config, []route{
		{pattern: "GET /lists", handler: answering(s.listLists)},
		{pattern: "GET /lists/{id}", handler: answering(s.getList)},
		{pattern: "DELETE /lists/{id}", handler: answering(s.deleteList), writes: true, fresh: true},
		{pattern: "GET /lists/{id}/items", handler: answering(s.listItemsOfList)},
		{pattern: "GET /items", handler: answering(s.listItems)},
		{pattern: "GET /items/{id}", handler: answering(s.getItem)},
	})
}

func (s *wishlist) listLists(r *http.Request) (any, error) {
	query := r.URL.Query()
	return s.lists.list(query, func(l giftList) bool {
		return holds(query.Get("q"), l.Title, l.Owner) && is(query, "occasion", l.Occasion) && is(query, "open", strconv.FormatBool(l.Open))
	})
}

func (s *wishlist) getList(r *http.Request) (any, error) { return s.lists.get(r.PathValue("id")) }

func (s *wishlist) deleteList(r *http.Request) (any, error) {
	id := r.PathValue("id")
	if s.lists.remove(func(l giftList) bool { return l.ID == id }) == 0 {
		return nil, fault.New(fault.NotFound, "no such gift list")
	}
	s.gifts.remove(func(g gift) bool { return g.ListID == id })
	return nil, nil
}

func (s *wishlist) listItemsOfList(r *http.Request) (any, error) {
	list, err := s.lists.get(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return s.gifts.list(r.URL.Query(), func(g gift) bool { return g.ListID == list.ID })
}

func (s *wishlist) listItems(r *http.Request) (any, error) {
	query := r.URL.Query()
	return s.gifts.list(query, func(g gift) bool {
		return holds(query.Get("q"), g.Name, g.Note) && is(query, "reserved", strconv.FormatBool(g.Reserved))
	})
}

func (s *wishlist) getItem(r *http.Request) (any, error) { return s.gifts.get(r.PathValue("id")) }
