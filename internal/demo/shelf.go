package demo

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/verify"
)

// shelf is one kind of thing that a service keeps, in order. It is in memory: a restart brings everything back.
type shelf[T any] struct {
	id func(T) string

	mu   sync.Mutex // guards rows
	rows []T
}

func (s *shelf[T]) get(id string) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := s.find(id); at >= 0 {
		return s.rows[at], nil
	}
	var none T
	return none, fault.New(fault.NotFound, "no such id")
}

// edit changes one row and is the row as changed.
func (s *shelf[T]) edit(id string, change func(*T)) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.find(id)
	if at < 0 {
		var none T
		return none, fault.New(fault.NotFound, "no such id")
	}
	change(&s.rows[at])
	return s.rows[at], nil
}

func (s *shelf[T]) remove(drop func(T) bool) (removed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.rows)
	s.rows = slices.DeleteFunc(s.rows, drop)
	return before - len(s.rows)
}

// find is the index of a row, or −1. The caller holds mu.
func (s *shelf[T]) find(id string) int {
	return slices.IndexFunc(s.rows, func(row T) bool { return s.id(row) == id })
}

// page is one page of a list.
type page[T any] struct {
	Items []T `json:"items"`
	Total int `json:"total"`
}

// list is the page that a query asks for, of the rows that keep lets through.
func (s *shelf[T]) list(query url.Values, keep func(T) bool) (page[T], error) {
	number, err := whole(query, "page", 1, 1<<20)
	if err != nil {
		return page[T]{}, err
	}
	size, err := whole(query, "per_page", 20, 100)
	if err != nil {
		return page[T]{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []T{}
	for _, row := range s.rows {
		if keep(row) {
			found = append(found, row)
		}
	}
	from := min((number-1)*size, len(found))
	return page[T]{Items: found[from:min(from+size, len(found))], Total: len(found)}, nil
}

// whole reads a number from 1 to most.
func whole(query url.Values, name string, absent, most int) (int, error) {
	if !query.Has(name) {
		return absent, nil
	}
	n, err := strconv.Atoi(query.Get(name))
	if err != nil || n < 1 || n > most {
		wrong := fault.New(fault.RequestInvalid, "")
		wrong.Fields = []fault.Field{{Pointer: "/" + name, Detail: "a whole number from 1 to " + strconv.Itoa(most)}}
		return 0, wrong
	}
	return n, nil
}

// holds tells whether one of the texts contains what a search asks for; an empty search finds everything.
func holds(search string, texts ...string) bool {
	return search == "" || slices.ContainsFunc(texts, func(text string) bool {
		return strings.Contains(strings.ToLower(text), strings.ToLower(search))
	})
}

// is tells whether a filter is absent or equals the value.
func is(query url.Values, name, value string) bool {
	return query.Get(name) == "" || query.Get(name) == value
}

// answering turns "a value or an error" into a handler.
func answering(answer func(r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := answer(r)
		switch {
		case err != nil:
			verify.Refuse(w, r, err)
		case body == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			writeJSON(w, http.StatusOK, body)
		}
	}
}
