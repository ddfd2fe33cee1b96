package openapi

import (
	"cmp"
	"strconv"
	"strings"
)

// condition is a filter of a path: what it says of a value at hand.
type condition = func(at, root *Node) bool

func (p *pathParser) or() (condition, error) {
	left, err := p.and()
	for err == nil {
		p.space()
		if !p.eat("||") {
			return left, nil
		}
		var right condition
		before := left
		right, err = p.and()
		left = func(at, root *Node) bool { return before(at, root) || right(at, root) }
	}
	return nil, err
}

func (p *pathParser) and() (condition, error) {
	left, err := p.not()
	for err == nil {
		p.space()
		if !p.eat("&&") {
			return left, nil
		}
		var right condition
		before := left
		right, err = p.not()
		left = func(at, root *Node) bool { return before(at, root) && right(at, root) }
	}
	return nil, err
}

func (p *pathParser) not() (condition, error) {
	p.space()
	if p.eat("!") {
		inner, err := p.not()
		return func(at, root *Node) bool { return !inner(at, root) }, err
	}
	if p.eat("(") {
		inner, err := p.or()
		if err != nil {
			return nil, err
		}
		p.space()
		if !p.eat(")") {
			return nil, p.refuse("a closing parenthesis")
		}
		return inner, nil
	}
	return p.comparison()
}

// operand is a value of a comparison: nil is no value.
type operand func(at, root *Node) *Node

func (p *pathParser) comparison() (condition, error) {
	left, isQuery, err := p.operand()
	if err != nil {
		return nil, err
	}
	p.space()
	for _, sign := range []string{"==", "!=", "<=", ">=", "<", ">"} {
		if !p.eat(sign) {
			continue
		}
		right, _, err := p.operand()
		return func(at, root *Node) bool { return holds(left(at, root), sign, right(at, root)) }, err
	}
	if !isQuery {
		return nil, p.refuse("a comparison")
	}
	return func(at, root *Node) bool { return left(at, root) != nil }, nil
}

func (p *pathParser) operand() (value operand, isQuery bool, err error) {
	p.space()
	if p.eat("@") || p.eat("$") {
		q, err := p.query(p.text[p.at-1] == '@')
		return func(at, root *Node) *Node {
			if found := q.from(at, root); len(found) > 0 {
				return found[0].node
			}
			return nil
		}, true, err
	}
	literal, err := p.literal()
	return func(_, _ *Node) *Node { return literal }, false, err
}

func (p *pathParser) literal() (*Node, error) {
	for text, kind := range map[string]Kind{"true": Bool, "false": Bool, "null": Null} {
		if p.eat(text) {
			if kind == Null {
				return &Node{size: 1}, nil
			}
			return &Node{Kind: kind, Text: text, size: 1}, nil
		}
	}
	if p.at < len(p.text) && (p.text[p.at] == '\'' || p.text[p.at] == '"') {
		text, err := p.quoted()
		return NewString(text), err
	}
	start := p.at
	for p.at < len(p.text) && strings.IndexByte("+-0123456789.eE", p.text[p.at]) >= 0 {
		p.at++
	}
	if !isJSONNumber(p.text[start:p.at]) {
		p.at = start
		return nil, p.refuse("a value: functions are not known here")
	}
	return &Node{Kind: Number, Text: p.text[start:p.at], size: 1}, nil
}

// holds compares two values (RFC 9535, 2.3.5.2.2): what is not there equals what is not there; only numbers and texts
// have an order.
func holds(a *Node, sign string, b *Node) bool {
	equal := same(a, b)
	switch sign {
	case "==":
		return equal
	case "!=":
		return !equal
	}
	order := 0
	switch {
	case a.Is(Number) && b.Is(Number):
		order = cmp.Compare(float(a), float(b))
	case a.Is(String) && b.Is(String):
		order = cmp.Compare(a.Text, b.Text)
	default:
		return equal && len(sign) == 2
	}
	switch sign {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

func float(n *Node) float64 {
	f, _ := strconv.ParseFloat(n.Text, 64) // beyond its range it is infinite, as it should be
	return f
}

func same(a, b *Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind == Number && b.Kind == Number {
		return a.Text == b.Text || float(a) == float(b)
	}
	return a.Kind == b.Kind && string(a.JSON()) == string(b.JSON())
}
