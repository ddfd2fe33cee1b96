package catalog

import (
	"slices"

	"github.com/munjigi/munjigi/internal/backoffice"
)

// Terms are what an operation asked for when it was granted. A later version may ask for more at once, and for less when
// that was granted.
type Terms struct {
	Guard     backoffice.Guard `json:"guard"`
	Sensitive []string         `json:"sensitive,omitempty"` // paths of fields of its answer, see sensitive
}

// Waiting is an operation that an administrator has not granted as it is now.
type Waiting struct {
	// New: it may change something and was never granted, so it is not run. Otherwise the terms of before are in force.
	New      bool
	Was, Now Terms
}

// termsOf is what an operation asks for in its document.
func termsOf(o backoffice.Operation) Terms {
	t := Terms{Guard: o.Guard}
	if o.Answer != nil {
		t.Sensitive = sensitive(o.Answer.Schema)
	}
	return t
}

// stricter is whatever either of the two asks for.
func (t Terms) stricter(than Terms) Terms {
	return Terms{Guard: stricterGuard(t.Guard, than.Guard), Sensitive: union(t.Sensitive, than.Sensitive)}
}

func stricterGuard(a, b backoffice.Guard) backoffice.Guard {
	g := b
	g.Reason = a.Reason || b.Reason
	g.Approval = max(a.Approval, b.Approval)
	g.Roles = bothRoles(a.Roles, b.Roles)
	return g
}

// nobody is a role that no configuration can give: its name is none.
const nobody = "-"

// bothRoles are the roles that satisfy two lists, each of which asks for one of its own unless it is empty.
func bothRoles(a, b []string) []string {
	if len(a) == 0 {
		return b
	}
	if len(b) == 0 {
		return a
	}
	both := slices.DeleteFunc(slices.Clone(b), func(role string) bool { return !slices.Contains(a, role) })
	if len(both) == 0 {
		return []string{nobody}
	}
	return both
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// weaker tells whether a document asks for less than was granted.
func weaker(now, was Terms) bool {
	force := now.stricter(was)
	return force.Guard.Reason != now.Guard.Reason || force.Guard.Approval != now.Guard.Approval ||
		!sameSet(force.Guard.Roles, now.Guard.Roles) || !sameSet(force.Sensitive, now.Sensitive)
}

func sameSet(a, b []string) bool { return slices.Equal(union(a, nil), union(b, nil)) }

// waiting are the operations of a document that want a grant.
func waiting(service backoffice.Service, grants map[string]Terms) map[string]Waiting {
	list := map[string]Waiting{}
	for _, o := range service.Operations {
		was, granted := grants[Key(o)]
		now := termsOf(o)
		switch {
		case !granted && o.Write():
			list[Key(o)] = Waiting{New: true, Now: now}
		case granted && weaker(now, was):
			list[Key(o)] = Waiting{Was: was, Now: now}
		}
	}
	return list
}

// inForce is a document with the guards that count.
func inForce(service backoffice.Service, grants map[string]Terms) backoffice.Service {
	service.Operations = slices.Clone(service.Operations)
	for i, o := range service.Operations {
		if was, granted := grants[Key(o)]; granted {
			service.Operations[i].Guard = stricterGuard(was.Guard, o.Guard)
		}
	}
	return service
}

// masks are the sensitive fields that count, by operation.
func masks(service backoffice.Service, grants map[string]Terms) map[string][]string {
	list := map[string][]string{}
	for _, o := range service.Operations {
		if fields := termsOf(o).stricter(grants[Key(o)]).Sensitive; len(fields) > 0 {
			list[Key(o)] = fields
		}
	}
	return list
}

// unasked are the terms that take force without anybody's grant: all of a first document; afterwards what only reads,
// and whatever asks for more than before, so that taking it back again has to be granted.
func unasked(service backoffice.Service, grants map[string]Terms) map[string]Terms {
	terms := map[string]Terms{}
	first := len(grants) == 0
	if first {
		terms[""] = Terms{}
	}
	for _, o := range service.Operations {
		now := termsOf(o)
		was, granted := grants[Key(o)]
		switch {
		case first || !granted && !o.Write():
			terms[Key(o)] = now
		case granted && weaker(was, now):
			terms[Key(o)] = now.stricter(was)
		}
	}
	return terms
}
