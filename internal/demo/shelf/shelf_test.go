package shelf

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/fault"
)

type row struct {
	ID string
	N  int
}

func filled() *Shelf[row] {
	return New(func(r *row) string { return r.ID }, []row{{"a", 3}, {"b", 1}, {"c", 2}, {"d", 1}})
}

func ids(rows []*row) (list []string) {
	for _, one := range rows {
		list = append(list, one.ID)
	}
	return list
}

func all(*row) bool { return true }

func TestRowsAreFoundAfterOthersWereTakenAway(t *testing.T) {
	s := filled()
	if n := s.Remove(func(r *row) bool { return r.N == 1 }); n != 2 || s.Len() != 2 {
		t.Errorf("removed %d, %d are left", n, s.Len())
	}
	s.Add(row{"e", 5})
	for _, id := range []string{"a", "c", "e"} {
		if one, err := s.Get(id); err != nil || one.ID != id {
			t.Errorf("%s: %v, %v", id, one, err)
		}
	}
	if _, err := s.Get("b"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("what was removed: %v", err)
	}
	if _, err := s.Edit("b", func(*row) error { return nil }); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("edit what was removed: %v", err)
	}
}

// A change that is refused leaves nothing behind, and none is lost to another one.
func TestEdit(t *testing.T) {
	s, no := filled(), errors.New("no")
	seen := s.Find(all)
	if _, err := s.Edit("a", func(r *row) error { r.N = 99; return no }); !errors.Is(err, no) {
		t.Errorf("got %v", err)
	}
	if one, _ := s.Get("a"); one.N != 3 {
		t.Errorf("a refused change left %d", one.N)
	}
	var done sync.WaitGroup
	for range 100 {
		done.Go(func() {
			if _, err := s.Edit("a", func(r *row) error { r.N++; return nil }); err != nil {
				t.Error(err)
			}
			s.Each(func(r *row) { _ = r.N })
		})
	}
	done.Wait()
	if one, _ := s.Get("a"); one.N != 103 {
		t.Errorf("a hundred changes made of 3 %d", one.N)
	}
	if seen[0].N != 3 {
		t.Errorf("a row that somebody was looking at became %d", seen[0].N)
	}
}

func TestSortKeepsEqualRowsAsTheyAre(t *testing.T) {
	orders := Orders[row]{"n": func(a, b *row) int { return a.N - b.N }}
	for name, want := range map[string][]string{"": {"a", "b", "c", "d"}, "n": {"b", "d", "c", "a"}, "-n": {"a", "c", "b", "d"}, "other": {"a", "b", "c", "d"}} {
		rows := filled().Find(all)
		orders.Sort(rows, name)
		if diff := cmp.Diff(want, ids(rows)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", name, diff)
		}
	}
	if diff := cmp.Diff([]string{"-n", "n"}, orders.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestCutStaysWithin(t *testing.T) {
	rows := filled().Find(all)
	for _, c := range []struct {
		from, size int
		want       []string
	}{{0, 2, []string{"a", "b"}}, {3, 2, []string{"d"}}, {4, 2, nil}, {1 << 40, 1, nil}} {
		if diff := cmp.Diff(c.want, ids(Cut(rows, c.from, c.size))); diff != "" {
			t.Errorf("%d from %d (-want +got):\n%s", c.size, c.from, diff)
		}
	}
}
