package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a document.
type Problem struct {
	File     string `json:"file"`
	Line     int    `json:"line"`          // from 1
	Column   int    `json:"column"`        // from 1
	Key      string `json:"key,omitempty"` // realms.staff.session.access
	Found    string `json:"found"`
	Expected string `json:"expected"`
}

func (p Problem) String() string {
	key := ""
	if p.Key != "" {
		key = p.Key + ": "
	}
	return fmt.Sprintf("%s:%d:%d: %sfound %s; expected %s", p.File, p.Line, p.Column, key, p.Found, p.Expected)
}

// Error is everything that is wrong with a document, in its order.
type Error struct{ Problems []Problem }

func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Advise notes, as Add does, what works and is hardly meant: Err is nil all the same.
func (d *Document) Advise(key, found, expected string) {
	d.advice = append(d.advice, d.problem(key, found, expected))
}

// Advice is everything that was advised, in the document's order.
func (d *Document) Advice() []Problem { return inOrder(d.advice) }

// Add notes a problem at the value of a key, or, when the document does not have that key, at the nearest one around
// it.
func (d *Document) Add(key, found, expected string) {
	d.problems = append(d.problems, d.problem(key, found, expected))
}

func (d *Document) problem(key, found, expected string) Problem {
	at, ok := d.at[key]
	for around := key; !ok && around != ""; {
		around = parent(around)
		at, ok = d.at[around]
	}
	return d.problemAt(at, key, found, expected)
}

func (d *Document) problemAt(at position, key, found, expected string) Problem {
	return Problem{d.file, max(at.line, 1), max(at.column, 1), key, found, expected}
}

func (d *Document) addAt(at position, key, found, expected string) {
	d.problems = append(d.problems, d.problemAt(at, key, found, expected))
}

// Has tells whether the document has a key.
func (d *Document) Has(key string) bool {
	_, ok := d.at[key]
	return ok
}

// Reported tells whether a problem with this very key is known: what was found wrong is not also reported as missing.
func (d *Document) Reported(key string) bool {
	return slices.ContainsFunc(d.problems, func(p Problem) bool { return p.Key == key })
}

// ReportedBelow is Reported for a key and everything in it.
func (d *Document) ReportedBelow(key string) bool {
	return slices.ContainsFunc(d.problems, func(p Problem) bool {
		return p.Key == key || strings.HasPrefix(p.Key, key+".") || strings.HasPrefix(p.Key, key+"[")
	})
}

// Err is nil, or an *Error with all problems.
func (d *Document) Err() error {
	if len(d.problems) == 0 {
		return nil
	}
	return &Error{inOrder(d.problems)}
}

func inOrder(problems []Problem) []Problem {
	return slices.Compact(slices.SortedStableFunc(slices.Values(problems), func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	}))
}

// parent is the key around a key: realms.staff for realms.staff.url, apps.shop.origins for apps.shop.origins[0].
func parent(key string) string {
	return key[:max(strings.LastIndexAny(key, ".["), 0)]
}

// Quoted is text as it may stand in a message: shortened, so that a secret that was written where a file name belongs
// is not printed whole.
func Quoted(text string) string {
	const most = 60
	if len(text) > most {
		text = text[:most] + "…"
	}
	return fmt.Sprintf("%q", text)
}

// OneOf lists what may stand somewhere, with the one that was probably meant.
func OneOf(found string, names []string) string {
	slices.Sort(names)
	list := strings.Join(names, ", ")
	if near := nearest(found, names); near != "" {
		return fmt.Sprintf("%s (did you mean %q?)", list, near)
	}
	return list
}

// nearest is the name that differs least from text, "" when none is near.
func nearest(text string, names []string) string {
	best, least := "", max(2, len(text)/3)+1
	for _, name := range names {
		if d := distance(text, name); d < least {
			best, least = name, d
		}
	}
	return best
}

// distance is how many letters have to be inserted, deleted, replaced or swapped with their neighbour to get from a to
// b (the restricted Damerau–Levenshtein distance).
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
