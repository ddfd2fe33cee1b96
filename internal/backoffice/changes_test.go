package backoffice

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func service(operations ...Operation) Service { return Service{Operations: operations} }

func answer(fields ...Field) *Answer {
	return &Answer{Status: 200, Schema: &Field{Type: "object", Fields: fields}}
}

// An operation is the same as before by its method and path, whatever it and its values are called now.
func TestNewAndGone(t *testing.T) {
	before := service(Operation{ID: "a", Method: "GET", Path: "/x/{id}"}, Operation{ID: "b", Method: "POST", Path: "/x"})
	after := service(Operation{ID: "renamed", Method: "GET", Path: "/x/{number}"}, Operation{ID: "b", Method: "PUT", Path: "/x"}, Operation{ID: "c", Method: "GET", Path: "/x/{id}/y"})
	ids := func(list []Operation) (ids []string) {
		for _, o := range list {
			ids = append(ids, o.Method+" "+o.ID)
		}
		return ids
	}
	if diff := cmp.Diff([]string{"PUT b", "GET c"}, ids(New(before, after))); diff != "" {
		t.Errorf("new (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"POST b"}, ids(Gone(before, after))); diff != "" {
		t.Errorf("gone (-want +got):\n%s", diff)
	}
}

func TestWeakerGuards(t *testing.T) {
	full := Guard{Roles: []string{"admin", "editor"}, Reason: true, Approval: 2, Limit: 10}
	tests := map[string]struct {
		before, after Guard
		weaker        bool
	}{
		"the same":           {full, full, false},
		"a role less":        {full, Guard{[]string{"admin"}, true, 2, 10}, false},
		"a role more":        {full, Guard{[]string{"admin", "editor", "viewer"}, true, 2, 10}, true},
		"other roles":        {full, Guard{[]string{"viewer"}, true, 2, 10}, true},
		"any role":           {full, Guard{nil, true, 2, 10}, true},
		"roles now":          {Guard{}, full, false},
		"no reason":          {full, Guard{full.Roles, false, 2, 10}, true},
		"fewer approvals":    {full, Guard{full.Roles, true, 1, 10}, true},
		"more approvals":     {full, Guard{full.Roles, true, 3, 10}, false},
		"a higher limit":     {full, Guard{full.Roles, true, 2, 11}, true},
		"no limit":           {full, Guard{full.Roles, true, 2, 0}, true},
		"a lower limit":      {full, Guard{full.Roles, true, 2, 9}, false},
		"one up, one down":   {full, Guard{full.Roles, false, 3, 10}, true},
		"nothing to nothing": {Guard{}, Guard{}, false},
	}
	for name, test := range tests {
		changes := Weaker(service(Operation{ID: "old", Method: "POST", Path: "/x/{id}", Guard: test.before}), service(Operation{ID: "x", Method: "POST", Path: "/x/{nr}", Guard: test.after}))
		if got := len(changes) == 1 && changes[0].What == "guard" && changes[0].Operation == "x"; got != test.weaker || len(changes) > 1 {
			t.Errorf("%s: got %+v, want weaker %v", name, changes, test.weaker)
		}
	}
}

func TestWeakerDanger(t *testing.T) {
	for _, test := range []struct {
		before, after Danger
		weaker        bool
	}{{Confirm, Harmless, true}, {Irreversible, Confirm, true}, {Confirm, Irreversible, false}, {Harmless, Harmless, false}} {
		changes := Weaker(service(Operation{Method: "DELETE", Path: "/x", Danger: test.before}), service(Operation{Method: "DELETE", Path: "/x", Danger: test.after}))
		if got := len(changes) == 1 && changes[0].What == "danger"; got != test.weaker {
			t.Errorf("%q to %q: got %+v", test.before, test.after, changes)
		}
	}
}

// A sensitive value that is plain now, wherever it lies, or that hides now where nothing is known.
func TestWeakerSensitive(t *testing.T) {
	secret, plain := Field{Name: "phone", Type: "string", Sensitive: true}, Field{Name: "phone", Type: "string"}
	person := func(f Field) Field { return Field{Name: "owner", Type: "object", Fields: []Field{f}} }
	rows := func(f Field) Field {
		return Field{Name: "items", Type: "array", Items: &Field{Type: "object", Fields: []Field{f}}}
	}
	tests := map[string]struct {
		before, after *Answer
		at            string // "" = not weaker
	}{
		"still sensitive":              {answer(secret), answer(secret), ""},
		"plain":                        {answer(secret), answer(plain), "phone"},
		"sensitive now":                {answer(plain), answer(secret), ""},
		"gone":                         {answer(secret), answer(), ""},
		"no answer":                    {answer(secret), nil, ""},
		"within an object":             {answer(person(secret)), answer(person(plain)), "owner/phone"},
		"within rows":                  {answer(rows(secret)), answer(rows(plain)), "items/phone"},
		"around it was sensitive":      {answer(Field{Name: "owner", Type: "object", Sensitive: true, Fields: []Field{plain}}), answer(person(plain)), "owner"},
		"around it is sensitive now":   {answer(person(secret)), answer(Field{Name: "owner", Type: "object", Sensitive: true, Fields: []Field{plain}}), ""},
		"not described any more":       {answer(person(secret)), answer(Field{Name: "owner", Type: "object", Again: "Owner"}), "owner/phone"},
		"anything":                     {answer(secret), &Answer{Schema: &Field{Type: "any"}}, "phone"},
		"a form of it that is plain":   {answer(secret), answer(Field{Name: "phone", Type: "any", Sensitive: false, Variants: []Variant{{Field: Field{Type: "integer"}}, {Field: Field{Type: "string", Sensitive: true}}}}), "phone"},
		"a map of what is not known":   {answer(person(secret)), answer(Field{Name: "owner", Type: "object", Rest: &Field{Type: "string"}}), "owner/phone"},
		"another that is called alike": {answer(secret), answer(secret, person(plain)), ""},
	}
	for name, test := range tests {
		changes := Weaker(service(Operation{ID: "x", Method: "GET", Path: "/x", Answer: test.before}), service(Operation{ID: "x", Method: "GET", Path: "/x", Answer: test.after}))
		got := ""
		for _, change := range changes {
			if got == "" {
				got = change.Field
			}
		}
		if got != test.at {
			t.Errorf("%s: got %+v, want %q", name, changes, test.at)
		}
	}
}

// What cannot be reached has no place: a resource that is in no menu, operations on rows that have no id.
func TestPlaces(t *testing.T) {
	s := Service{
		Menu: []Group{{Entries: []Entry{{ToResource, "a", "A"}, {ToRun, "run", "Run"}, {ToReport, "r", "R"}, {ToSettings, "s", "S"}}}},
		Resources: []Resource{
			{Key: "a", List: "a.list", Get: "a.get", ID: "id", RowActions: []string{"a.act"}, Tabs: []Tab{{Resource: "a.b"}, {Get: "a.tab"}}},
			{Key: "a.b", Parent: "a", List: "b.list", Get: "b.get"},
			{Key: "c", List: "c.list"},
			{Key: "a.d", Parent: "a", List: "d.list"},
		},
		Reports:    []Report{{Key: "r", Operation: "r"}, {Key: "q", Operation: "q"}},
		Settings:   []Settings{{Key: "s", Get: "s.get", Update: "s.put"}},
		Cards:      []Card{{Operation: "card"}},
		Operations: []Operation{{ID: "h", Kind: Hidden}, {ID: "x", Kind: Run}},
	}
	places := s.Places()
	for _, id := range []string{"a.list", "a.get", "a.act", "a.tab", "b.list", "run", "r", "s.get", "s.put", "card", "h"} {
		if len(places[id]) != 1 {
			t.Errorf("%s: got %v, want one place", id, places[id])
		}
	}
	for _, id := range []string{"b.get", "c.list", "d.list", "q", "x"} {
		if len(places[id]) != 0 {
			t.Errorf("%s: got %v, want no place", id, places[id])
		}
	}
}
