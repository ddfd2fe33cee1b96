package backoffice

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Change is one thing in which a later document of a service differs from an earlier one.
type Change struct {
	Operation string `json:"operation"`
	What      string `json:"what"`            // new, gone, guard, sensitive, danger
	Field     string `json:"field,omitempty"` // of sensitive: where it is, "owner/phone"
	Was       string `json:"was,omitempty"`
	Is        string `json:"is,omitempty"`
}

// New are the operations that are in the later version alone: those whose method and path were not there, whatever they
// are called now. In the order of the later one.
func New(before, after Service) (list []Operation) {
	known := before.routes()
	for _, o := range after.Operations {
		if _, ok := known[o.route()]; !ok {
			list = append(list, o)
		}
	}
	return list
}

// Gone are the operations that are in the earlier version alone.
func Gone(before, after Service) []Operation { return New(after, before) }

// Weaker are the changes that let somebody do or see more than before: a guard that asks for less, a danger that is not
// confirmed any more, a value that was sensitive and is plain. An operation that was renamed is still the same.
func Weaker(before, after Service) (list []Change) {
	known := before.routes()
	for _, o := range after.Operations {
		old, ok := known[o.route()]
		if !ok {
			continue
		}
		if old.Guard.exceeds(o.Guard) {
			list = append(list, Change{Operation: o.ID, What: "guard", Was: old.Guard.String(), Is: o.Guard.String()})
		}
		if dangers[o.Danger] < dangers[old.Danger] {
			list = append(list, Change{Operation: o.ID, What: "danger", Was: string(old.Danger), Is: string(o.Danger)})
		}
		was, is := old.values(), o.values()
		for _, at := range was.order {
			if was.sensitive[at] && !is.sensitive[at] && is.there(at) {
				list = append(list, Change{Operation: o.ID, What: "sensitive", Field: at, Was: "sensitive", Is: "plain"})
			}
		}
	}
	return list
}

var dangers = map[Danger]int{Harmless: 0, Confirm: 1, Irreversible: 2}

// route is what an operation is known by: its method and its path, in which it does not matter what values are called.
func (o Operation) route() string {
	path := o.Path
	var route strings.Builder
	route.WriteString(o.Method + " ")
	for {
		before, rest, ok := strings.Cut(path, "{")
		route.WriteString(before)
		if !ok {
			return route.String()
		}
		_, path, _ = strings.Cut(rest, "}")
		route.WriteString("{}")
	}
}

func (s Service) routes() map[string]Operation {
	known := map[string]Operation{}
	for _, o := range s.Operations {
		known[o.route()] = o
	}
	return known
}

// exceeds tells whether g asks for something that other does not: a role that is not needed any more, other roles than
// before, a reason, more approvals, fewer rows.
func (g Guard) exceeds(other Guard) bool {
	if g.Reason && !other.Reason || g.Approval > other.Approval {
		return true
	}
	if g.Limit > 0 && (other.Limit == 0 || other.Limit > g.Limit) {
		return true
	}
	if len(g.Roles) == 0 {
		return false
	}
	return len(other.Roles) == 0 || slices.ContainsFunc(other.Roles, func(role string) bool { return !slices.Contains(g.Roles, role) })
}

// String is a guard as people read it.
func (g Guard) String() string {
	var parts []string
	if len(g.Roles) > 0 {
		parts = append(parts, "one of the roles "+strings.Join(g.Roles, ", "))
	}
	if g.Reason {
		parts = append(parts, "a reason")
	}
	if g.Approval > 0 {
		parts = append(parts, "approval by "+strconv.Itoa(g.Approval))
	}
	if g.Limit > 0 {
		parts = append(parts, fmt.Sprintf("at most %d rows", g.Limit))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// found are the values of an answer, by where they are.
type found struct {
	order     []string
	sensitive map[string]bool
	cut       []string // places below which nothing is known
}

// values are those of an operation's answer, by their names from the outside in; arrays do not show in it.
func (o Operation) values() found {
	f := found{sensitive: map[string]bool{}}
	if o.Answer != nil && o.Answer.Schema != nil {
		f.look(*o.Answer.Schema, "", false)
	}
	return f
}

func (f *found) look(field Field, at string, hidden bool) {
	hidden = hidden || field.Sensitive
	if at != "" {
		before, ok := f.sensitive[at]
		if !ok {
			f.order = append(f.order, at)
		}
		f.sensitive[at] = hidden && (before || !ok) // of several forms all have to be
	}
	if field.Again != "" || field.Type == "any" || field.Rest != nil {
		f.cut = append(f.cut, at)
	}
	below := func(inner Field, name string) {
		f.look(inner, strings.TrimPrefix(at+"/"+name, "/"), hidden)
	}
	for _, inner := range field.Fields {
		below(inner, inner.Name)
	}
	if field.Items != nil {
		f.look(*field.Items, at, hidden)
	}
	for _, v := range field.Variants {
		f.look(v.Field, at, hidden)
	}
}

// there tells whether the answer may still hold a value: it names it, or says nothing of what lies there.
func (f *found) there(at string) bool {
	if _, ok := f.sensitive[at]; ok {
		return true
	}
	return slices.ContainsFunc(f.cut, func(cut string) bool { return cut == "" || at == cut || strings.HasPrefix(at, cut+"/") })
}
