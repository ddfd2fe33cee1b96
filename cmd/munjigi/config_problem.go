package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// position is a place in the file; both count from 1.
type position struct{ line, column int }

// problem is one thing that is wrong with a configuration.
type problem struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Key      string `json:"key,omitempty"` // realms.staff.session.access
	Found    string `json:"found"`
	Expected string `json:"expected"`
}

func (p problem) String() string {
	key := ""
	if p.Key != "" {
		key = p.Key + ": "
	}
	return fmt.Sprintf("%s:%d:%d: %sfound %s; expected %s", p.File, p.Line, p.Column, key, p.Found, p.Expected)
}

// configError is everything that is wrong with a configuration, in the order of the file.
type configError struct{ Problems []problem }

func (e *configError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// source is where a configuration came from: its name in messages, its directory, its text's hash, and where each key
// is written.
type source struct {
	file, dir string
	hash      [32]byte
	at        map[string]position
}

// problems collects what is wrong.
type problems struct {
	from *source
	list []problem
}

// add notes a problem at the value of a key, or, when the file does not have that key, at the nearest one around it.
func (p *problems) add(key, found, expected string) {
	at, ok := p.from.at[key]
	for around := key; !ok && around != ""; {
		around = parent(around)
		at, ok = p.from.at[around]
	}
	p.addAt(at, key, found, expected)
}

func (p *problems) addAt(at position, key, found, expected string) {
	p.list = append(p.list, problem{p.from.file, max(at.line, 1), max(at.column, 1), key, found, expected})
}

func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	slices.SortStableFunc(p.list, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &configError{slices.Compact(p.list)}
}

// parent is the key around a key: realms.staff for realms.staff.url, apps.shop.origins for apps.shop.origins[0].
func parent(key string) string {
	return key[:max(strings.LastIndexAny(key, ".["), 0)]
}

// quoted is text as it may stand in a message: shortened, so that a secret that was written where a file name belongs
// is not printed whole.
func quoted(text string) string {
	const most = 60
	if len(text) > most {
		text = text[:most] + "…"
	}
	return fmt.Sprintf("%q", text)
}

// oneOf lists what may stand somewhere, with the one that was probably meant.
func oneOf(found string, names []string) string {
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
