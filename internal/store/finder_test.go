package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/lookup"
)

// foundAccounts reads every page of a query, and gives logins or e-mails.
func foundAccounts(t *testing.T, s *Store, q lookup.Accounts) (names []string) {
	t.Helper()
	for range 20 {
		page, next, err := s.Finder().Accounts(t.Context(), q)
		if err != nil || len(page) > q.Limit {
			t.Fatalf("%d accounts, %v", len(page), err)
		}
		for _, a := range page {
			if a.Login != "" {
				names = append(names, a.Login)
				continue
			}
			names = append(names, a.Email)
		}
		if next == "" {
			return names
		}
		q.After = next
	}
	t.Fatal("the pages have no end")
	return nil
}

func TestFindAccounts(t *testing.T) { onBoth(t, testFindAccounts) }

func testFindAccounts(t *testing.T, c Config) {
	s := mustOpen(t, c)
	for _, subject := range []string{"kim", "LEE", "100%"} {
		mustBegin(t, s, beginning(subject, start))
	}
	mustAdd(t, s, "shop-0")
	mustAdd(t, s, "shop-1")
	two := member("shop-2")
	two.Email, two.Name = "", "" // found by the login alone
	if _, err := s.AddMember(t.Context(), two, memberAdded()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetDisabled(t.Context(), "id of shop-1", true, ending("", start)); err != nil {
		t.Fatal(err)
	}
	yes, no := true, false
	for name, c := range map[string]struct {
		query lookup.Accounts
		want  []string
	}{
		"all":           {lookup.Accounts{}, []string{"100%@example.com", "LEE@example.com", "kim@example.com", "shop-0", "shop-1", "shop-2"}},
		"a realm":       {lookup.Accounts{Realm: "members"}, []string{"shop-0", "shop-1", "shop-2"}},
		"any case":      {lookup.Accounts{Search: "lee@EX"}, []string{"LEE@example.com"}},
		"no wildcard":   {lookup.Accounts{Search: "0%"}, []string{"100%@example.com"}},
		"a login":       {lookup.Accounts{Search: "shop-2"}, []string{"shop-2"}},
		"disabled":      {lookup.Accounts{Disabled: &yes}, []string{"shop-1"}},
		"not disabled":  {lookup.Accounts{Disabled: &no, Realm: "members"}, []string{"shop-0", "shop-2"}},
		"nobody at all": {lookup.Accounts{Search: "park"}, nil},
	} {
		for _, limit := range []int{1, 2, 200} {
			c.query.Limit = limit
			got := foundAccounts(t, s, c.query)
			slices.Sort(got)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s, %d at once (-want +got):\n%s", name, limit, diff)
			}
		}
	}
	if _, _, err := s.Finder().Accounts(t.Context(), lookup.Accounts{After: "nobody", Limit: 1}); fault.CodeOf(err) != fault.RequestInvalid {
		t.Errorf("a cursor that is none: %v", err)
	}
	a, found, err := s.Finder().Account(t.Context(), "id of shop-1")
	if err != nil || !found || !a.Disabled || a.Login != "shop-1" || !slices.Equal(a.Roles, []string{"shop"}) || !a.ChangedAt.Equal(start.Truncate(time.Microsecond)) {
		t.Errorf("got %+v, %t, %v", a, found, err)
	}
	if _, found, err := s.Finder().Account(t.Context(), "nobody"); found || err != nil {
		t.Errorf("nobody: %t, %v", found, err)
	}
}

func TestFindEvents(t *testing.T) { onBoth(t, testFindEvents) }

func testFindEvents(t *testing.T, c Config) {
	s := mustOpen(t, c)
	_, kim := mustBegin(t, s, beginning("kim", start)) // number 1
	by := audit.Actor{Kind: audit.ByAccount, ID: kim.ID}
	called := func(call, service string, after time.Duration) audit.Event {
		return audit.Event{At: start.Add(after), Action: audit.Called, Realm: "staff", Account: kim.ID, Actor: by, Details: map[string]string{"call": call, "service": service}}
	}
	ended := called("c1", "market", 3*time.Hour)
	ended.Action, ended.Outcome = audit.CallEnded, "status_409"
	// A value that looks like another member is a value all the same.
	sly := audit.Event{At: start.Add(4 * time.Hour), Action: audit.ConfigLoaded, Actor: audit.Actor{Kind: audit.ByProgram}, Details: map[string]string{"url": `","service":"market","x":"`}}
	if err := s.Append(t.Context(), called("c1", "market", time.Hour), called("c2", "mar_et", 2*time.Hour), ended, sly); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		query lookup.Events
		want  string
	}{
		"all, newest first":  {lookup.Events{}, "5 4 3 2 1"},
		"two":                {lookup.Events{Limit: 2}, "5 4"},
		"the next two":       {lookup.Events{Below: 4, Limit: 2}, "3 2"},
		"an action":          {lookup.Events{Action: "called"}, "3 2"},
		"a service":          {lookup.Events{Service: "market"}, "4 2"},
		"no wildcard":        {lookup.Events{Service: "mar_et"}, "3"},
		"somebody's name":    {lookup.Events{Actor: "NAME of k"}, "4 3 2"},
		"somebody's id":      {lookup.Events{Actor: kim.ID}, "4 3 2"},
		"who it is about":    {lookup.Events{Account: kim.ID}, "4 3 2 1"},
		"a realm":            {lookup.Events{Realm: "staff"}, "4 3 2 1"},
		"not before":         {lookup.Events{From: start.Add(2 * time.Hour)}, "5 4 3"},
		"before":             {lookup.Events{To: start.Add(2 * time.Hour)}, "2 1"},
		"nothing like that":  {lookup.Events{Realm: "members"}, ""},
		"everything at once": {lookup.Events{Action: "called", Actor: "kim", Account: kim.ID, Realm: "staff", Service: "market", From: start, To: start.Add(9 * time.Hour)}, "2"},
	} {
		if c.query.Limit == 0 {
			c.query.Limit = 10
		}
		page, err := s.Finder().Events(t.Context(), c.query)
		if err != nil {
			t.Fatal(err)
		}
		numbers := make([]string, len(page))
		for i, e := range page {
			numbers[i] = fmt.Sprint(e.N)
		}
		if got := strings.Join(numbers, " "); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	e, found, err := s.Finder().Event(t.Context(), 2)
	if err != nil || !found || e.ActorName != "Name of kim" || e.AccountName != "Name of kim" || e.Details["service"] != "market" {
		t.Errorf("got %+v, %t, %v", e, found, err)
	}
	if e, found, err := s.Finder().Ending(t.Context(), 2, "c1"); err != nil || !found || e.N != 4 || e.Outcome != "status_409" {
		t.Errorf("the end: %+v, %t, %v", e, found, err)
	}
	if _, found, err := s.Finder().Ending(t.Context(), 3, "c2"); err != nil || found {
		t.Errorf("a call that has not ended: %t, %v", found, err)
	}
	if _, found, err := s.Finder().Event(t.Context(), 6); err != nil || found {
		t.Errorf("a number that is not there: %t, %v", found, err)
	}
}

// Both engines sort as Go does, whatever the language of the database server is: pages must not depend on it.
func TestFindInOneOrder(t *testing.T) { onBoth(t, testFindInOneOrder) }

func testFindInOneOrder(t *testing.T, c Config) {
	s := mustOpen(t, c)
	for _, subject := range []string{"zoe", "\u00e9va", "\uac00\ub098", "_a", "a b", "ab", "a_c", "~"} {
		mustBegin(t, s, beginning(subject, start))
	}
	var found []string
	for after := ""; ; {
		page, next, err := s.Finder().Accounts(t.Context(), lookup.Accounts{Limit: 3, After: after})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page {
			found = append(found, a.Email)
		}
		if after = next; next == "" {
			break
		}
	}
	if want := slices.Sorted(slices.Values(found)); len(found) != 8 || !slices.Equal(found, want) {
		t.Errorf("got %q, want %q", found, want)
	}
}
