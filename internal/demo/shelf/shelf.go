// Package shelf keeps the rows of the demo's services: in memory, in order, found by id. A restart brings everything
// back. It must not know what a row is about.
package shelf

import (
	"slices"
	"strings"
	"sync"

	"github.com/munjigi/munjigi/internal/fault"
)

// Shelf is one kind of thing that a service keeps.
type Shelf[T any] struct {
	id func(*T) string

	mu   sync.RWMutex // guards what is below
	rows []*T         // in the order of making; a row is replaced, never changed
	at   map[string]int
}

// New is a shelf with rows; id is what names one.
func New[T any](id func(*T) string, rows []T) *Shelf[T] {
	s := &Shelf[T]{id: id, rows: make([]*T, len(rows))}
	for i := range rows {
		s.rows[i] = &rows[i]
	}
	s.index()
	return s
}

// index is after rows were taken away. The caller holds mu.
func (s *Shelf[T]) index() {
	s.at = make(map[string]int, len(s.rows))
	for i, row := range s.rows {
		s.at[s.id(row)] = i
	}
}

// Len is how many rows there are.
func (s *Shelf[T]) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.rows)
}

// Get is the row of an id, or not_found.
func (s *Shelf[T]) Get(id string) (T, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if at, ok := s.at[id]; ok {
		return *s.rows[at], nil
	}
	var none T
	return none, fault.New(fault.NotFound, "no such id")
}

// Edit changes one row, unless change returns an error, and is the row as it is then. Nobody else changes it meanwhile.
func (s *Shelf[T]) Edit(id string, change func(*T) error) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.at[id]
	if !ok {
		var none T
		return none, fault.New(fault.NotFound, "no such id")
	}
	changed := *s.rows[at]
	if err := change(&changed); err != nil {
		return *s.rows[at], err
	}
	s.rows[at] = &changed
	return changed, nil
}

// Add puts a row at the end.
func (s *Shelf[T]) Add(row T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at[s.id(&row)] = len(s.rows)
	s.rows = append(s.rows, &row)
}

// Remove takes rows away and is how many.
func (s *Shelf[T]) Remove(drop func(*T) bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.rows)
	s.rows = slices.DeleteFunc(s.rows, drop)
	s.index()
	return before - len(s.rows)
}

// Find are the rows that keep lets through, in order. They must not be changed.
func (s *Shelf[T]) Find(keep func(*T) bool) []*T {
	s.mu.RLock()
	defer s.mu.RUnlock()
	found := make([]*T, 0, len(s.rows)/4)
	for _, row := range s.rows {
		if keep(row) {
			found = append(found, row)
		}
	}
	return found
}

// Each looks at every row, in order. It must not call the shelf.
func (s *Shelf[T]) Each(look func(*T)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, row := range s.rows {
		look(row)
	}
}

// Orders are the ways to sort rows, by the name that a query uses: "price", and "-price" for the largest first.
type Orders[T any] map[string]func(a, b *T) int

// Names are what a query may say.
func (o Orders[T]) Names() []string {
	var names []string
	for name := range o {
		names = append(names, name, "-"+name)
	}
	slices.Sort(names)
	return names
}

// Sort puts rows into the order of a name; "" leaves them. Rows that are equal keep theirs.
func (o Orders[T]) Sort(rows []*T, name string) {
	plain, down := strings.CutPrefix(name, "-")
	compare, ok := o[plain]
	if !ok {
		return
	}
	slices.SortStableFunc(rows, func(a, b *T) int {
		if down {
			return compare(b, a)
		}
		return compare(a, b)
	})
}

// Cut are at most size rows from an offset on.
func Cut[T any](rows []T, from, size int) []T {
	from = min(from, len(rows))
	return rows[from:min(from+size, len(rows))]
}
