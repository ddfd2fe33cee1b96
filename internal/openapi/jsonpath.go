package openapi

import (
	"strconv"
	"strings"
	"unicode"
)

// query is a JSONPath (RFC 9535) without functions: names, wildcards, indexes, slices, descendants, filters.
type query struct {
	relative bool // of a filter: from the value at hand (@)
	segments []segment
	left     *int // values that may still be looked at
}

type segment struct {
	deep      bool // ..
	selectors []selector
}

// selector is one of: a name, everything, an index, a slice, a filter.
type selector struct {
	name   *string
	all    bool
	index  *int
	slice  *slice
	filter func(at, root *Node) bool
}

type slice struct{ from, to, step *int }

// located is a value and where it lies.
type located struct {
	node, parent *Node
	index        int
}

const (
	longestPath = 2_000
	mostLooks   = 2_000_000
)

// find selects values of a tree in which none is there twice.
func (q *query) find(root *Node) ([]located, error) {
	*q.left = mostLooks
	found := q.from(root, root)
	if *q.left < 0 {
		return nil, refuse(BadOverlay, "the target looks at too many values")
	}
	return found, nil
}

func (q *query) from(at, root *Node) []located {
	start := root
	if q.relative {
		start = at
	}
	found := []located{{node: start, index: -1}}
	for _, s := range q.segments {
		seen := map[*Node]bool{}
		var next []located
		for _, place := range found {
			for _, inner := range q.step(place.node, root, s) {
				if !seen[inner.node] {
					seen[inner.node] = true
					next = append(next, inner)
				}
			}
		}
		found = next
	}
	return found
}

// step is what one segment selects of a value; of its descendants too after "..".
func (q *query) step(n, root *Node, s segment) (found []located) {
	if *q.left--; *q.left < 0 {
		return nil
	}
	for _, selector := range s.selectors {
		found = append(found, q.choose(n, root, selector)...)
	}
	if s.deep {
		for _, item := range n.items {
			found = append(found, q.step(item, root, s)...)
		}
	}
	return found
}

func (q *query) choose(n, root *Node, s selector) (found []located) {
	take := func(i int) { found = append(found, located{n.items[i], n, i}) }
	switch {
	case s.name != nil:
		if i := n.index(*s.name); i >= 0 {
			take(i)
		}
	case s.index != nil && n.Kind == Array:
		if i := fromEnd(*s.index, len(n.items)); i >= 0 && i < len(n.items) {
			take(i)
		}
	case s.slice != nil && n.Kind == Array:
		for _, i := range s.slice.of(len(n.items)) {
			take(i)
		}
	case s.all, s.filter != nil:
		for i, item := range n.items {
			*q.left--
			if *q.left >= 0 && (s.all || s.filter(item, root)) {
				take(i)
			}
		}
	}
	return found
}

func fromEnd(i, length int) int {
	if i < 0 {
		return i + length
	}
	return i
}

// of are the indexes of a slice (RFC 9535, 2.3.4.2).
func (s slice) of(length int) (list []int) {
	step := 1
	if s.step != nil {
		step = *s.step
	}
	low, high := 0, length
	if step < 0 {
		low, high = length-1, -length-1
	}
	if s.from != nil {
		low = *s.from
	}
	if s.to != nil {
		high = *s.to
	}
	low, high = fromEnd(low, length), fromEnd(high, length)
	if step > 0 {
		for i := max(low, 0); i < min(high, length); i += step {
			list = append(list, i)
		}
	}
	if step < 0 {
		for i := min(low, length-1); i > max(high, -1); i += step {
			list = append(list, i)
		}
	}
	return list
}

// pathParser reads a JSONPath from left to right.
type pathParser struct {
	text string
	at   int
	left *int
}

func parsePath(text string) (*query, error) {
	if len(text) > longestPath {
		return nil, refuse(BadOverlay, "the target has %d characters, at most %d", len(text), longestPath)
	}
	p := &pathParser{text: text, left: new(int)}
	if !p.eat("$") {
		return nil, refuse(BadOverlay, "the target %s does not begin with $", quoted(text))
	}
	q, err := p.query(false)
	if err != nil {
		return nil, err
	}
	if p.at < len(p.text) {
		return nil, p.refuse("the end")
	}
	return q, nil
}

func (p *pathParser) refuse(expected string) error {
	return refuse(BadOverlay, "the target %s: expected %s at character %d", quoted(p.text), expected, p.at+1)
}

func (p *pathParser) eat(token string) bool {
	if strings.HasPrefix(p.text[p.at:], token) {
		p.at += len(token)
		return true
	}
	return false
}

func (p *pathParser) space() {
	for p.at < len(p.text) && strings.ContainsRune(" \t\r\n", rune(p.text[p.at])) {
		p.at++
	}
}

func (p *pathParser) query(relative bool) (*query, error) {
	q := &query{relative: relative, left: p.left}
	for {
		s := segment{}
		var err error
		switch {
		case p.eat(".."):
			s.deep = true
			if p.eat("[") {
				s.selectors, err = p.bracket()
			} else {
				s.selectors, err = p.dotted()
			}
		case p.eat("["):
			s.selectors, err = p.bracket()
		case p.eat("."):
			s.selectors, err = p.dotted()
		default:
			return q, nil
		}
		if err != nil {
			return nil, err
		}
		q.segments = append(q.segments, s)
	}
}

// dotted is a name or a wildcard after a dot.
func (p *pathParser) dotted() ([]selector, error) {
	if p.eat("*") {
		return []selector{{all: true}}, nil
	}
	start := p.at
	for i, r := range p.text[start:] {
		if r != '_' && r != '-' && r != '/' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			p.at = start + i
			break
		}
		p.at = start + i + len(string(r))
	}
	if p.at == start {
		return nil, p.refuse("a name")
	}
	name := p.text[start:p.at]
	return []selector{{name: &name}}, nil
}

// bracket are the selectors up to the closing bracket.
func (p *pathParser) bracket() (list []selector, err error) {
	for {
		p.space()
		s, err := p.selector()
		if err != nil {
			return nil, err
		}
		list = append(list, s)
		p.space()
		if p.eat("]") {
			return list, nil
		}
		if !p.eat(",") {
			return nil, p.refuse("a comma or a closing bracket")
		}
	}
}

func (p *pathParser) selector() (selector, error) {
	if p.at >= len(p.text) {
		return selector{}, p.refuse("a selector")
	}
	switch c := p.text[p.at]; {
	case c == '*':
		p.at++
		return selector{all: true}, nil
	case c == '\'' || c == '"':
		name, err := p.quoted()
		return selector{name: &name}, err
	case c == '?':
		p.at++
		filter, err := p.or()
		return selector{filter: filter}, err
	}
	return p.numbers()
}

// numbers are an index or a slice.
func (p *pathParser) numbers() (selector, error) {
	first := p.whole()
	p.space()
	if !p.eat(":") {
		if first == nil {
			return selector{}, p.refuse("a name in quotes, a number, * or a filter")
		}
		return selector{index: first}, nil
	}
	s := slice{from: first}
	p.space()
	s.to = p.whole()
	p.space()
	if p.eat(":") {
		p.space()
		s.step = p.whole()
	}
	return selector{slice: &s}, nil
}

func (p *pathParser) whole() *int {
	start := p.at
	p.eat("-")
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
	}
	n, err := strconv.Atoi(p.text[start:p.at])
	if err != nil || n > 1<<40 || n < -1<<40 {
		p.at = start
		return nil
	}
	return &n
}

// quoted is a text in either kind of quotes.
func (p *pathParser) quoted() (string, error) {
	quote := p.text[p.at]
	p.at++
	var text strings.Builder
	for p.at < len(p.text) {
		c := p.text[p.at]
		p.at++
		switch {
		case c == quote:
			return text.String(), nil
		case c == '\\' && p.at < len(p.text):
			text.WriteString(unescape(p.text[p.at]))
			p.at++
		default:
			text.WriteByte(c)
		}
	}
	return "", p.refuse("a closing quote")
}

func unescape(c byte) string {
	switch c {
	case 'n':
		return "\n"
	case 't':
		return "\t"
	case 'r':
		return "\r"
	}
	return string(c)
}
