package store

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/roster"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

// onList is a row of a list that gives everything.
func onList(login, hash string) roster.Entry {
	e := roster.Entry{
		Member: account.Member{Login: login, Hash: hash, Account: account.Account{
			ID: token.NewID(), Identity: account.Identity{Realm: "members", Issuer: account.PasswordIssuer, Subject: token.NewID()},
			Profile: account.Profile{Name: "Name of " + login, Email: login + "@example.com", Roles: []string{"shop"}},
		}},
		Given: roster.Given{Name: true, Email: true, Roles: true, Disabled: true},
	}
	if hash != "" {
		e.Origin = []byte("origin of " + hash)
	}
	return e
}

func importing(at time.Time) audit.Event {
	return audit.Event{At: at, Realm: "members", Actor: audit.Actor{Kind: audit.ByCommand, ID: "kim"}, Details: map[string]string{"by": "import"}}
}

func mustImport(t *testing.T, s *Store, update bool, entries ...roster.Entry) []string {
	t.Helper()
	outcomes, err := s.Import(t.Context(), entries, update, importing(start.Add(time.Hour)))
	if err != nil || len(outcomes) != len(entries) {
		t.Fatalf("import: got %v, %v", outcomes, err)
	}
	var kinds []string
	for _, o := range outcomes {
		kinds = append(kinds, strings.TrimSuffix(o.Kind+": "+o.Reason, ": "))
	}
	return kinds
}

func mustMember(t *testing.T, s *Store, login string) account.Member {
	t.Helper()
	m, found, err := s.Member(t.Context(), "members", login)
	if err != nil || !found {
		t.Fatalf("member %s: found %v, %v", login, found, err)
	}
	return m
}

// enter signs a member in.
func enter(t *testing.T, s *Store, m account.Member) session.Session {
	t.Helper()
	b := beginning("x", start)
	b.Account, b.Secret, b.Session.Realm = m.Account, m.Secret, "members"
	row, _ := mustBegin(t, s, b)
	return row
}

func testImport(t *testing.T, s *Store) {
	kim, lee, park := onList("kim", "kim's hash"), onList("lee", ""), onList("park", "park's hash")
	park.Disabled = true
	if diff := cmp.Diff([]string{"added", "added", "added"}, mustImport(t, s, false, kim, lee, park)); diff != "" {
		t.Errorf("first (-want +got):\n%s", diff)
	}
	for _, want := range []roster.Entry{kim, lee, park} {
		want.Secret, want.Version, want.ChangedAt = 1, 1, fromMicros(micros(start.Add(time.Hour)))
		if diff := cmp.Diff(want.Member, mustMember(t, s, want.Login)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Login, diff)
		}
	}
	// Run again: the list draws other ids, the hash of one was replaced at a sign-in.
	if err := s.Rehash(t.Context(), kim.ID, 1, "kim's new hash"); err != nil {
		t.Fatal(err)
	}
	other := onList("lee", "")
	other.Name = "Lee"
	before := dump(t, s)
	want := []string{"unchanged", "refused: is there already with other data: name", "unchanged", "refused: is there already with other data: password"}
	if diff := cmp.Diff(want, mustImport(t, s, false, onList("kim", "kim's hash"), other, park, onList("kim", "another"))); diff != "" {
		t.Errorf("again (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, dump(t, s)); diff != "" {
		t.Errorf("changed something:\n%s", diff)
	}
	if got := mustMember(t, s, "kim").Hash; got != "kim's new hash" {
		t.Errorf("got the hash %q, want that of the sign-in", got)
	}
}

func testImportUpdates(t *testing.T, s *Store) {
	for what, test := range map[string]struct {
		change func(*roster.Entry)
		ends   session.Reason // "" = their sessions go on
		secret int64
	}{
		"name":     {func(e *roster.Entry) { e.Name = "New" }, "", 1},
		"email":    {func(e *roster.Entry) { e.Email = "new@example.com" }, "", 1},
		"roles":    {func(e *roster.Entry) { e.Roles = []string{"seller"} }, session.Revoked, 1},
		"password": {func(e *roster.Entry) { e.Hash, e.Origin = "new", []byte("new") }, session.Revoked, 2},
		"disabled": {func(e *roster.Entry) { e.Disabled = true }, session.CutOff, 1},
	} {
		e := onList(what, "old")
		mustImport(t, s, true, e)
		row := enter(t, s, mustMember(t, s, what))
		test.change(&e)
		if diff := cmp.Diff([]string{"updated"}, mustImport(t, s, true, e)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
		got := mustMember(t, s, what)
		want := e.Member
		want.Secret, want.ChangedAt, want.Version = test.secret, got.ChangedAt, got.Version
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: member (-want +got):\n%s", what, diff)
		}
		after, _, err := s.Session(t.Context(), row.ID)
		if err != nil || (after.Ended != nil) != (test.ends != "") || after.Ended != nil && after.Ended.Reason != test.ends {
			t.Errorf("%s: session ended %+v, %v; want %q", what, after.Ended, err, test.ends)
		}
		before := dump(t, s)
		if diff := cmp.Diff([]string{"unchanged"}, mustImport(t, s, true, e)); diff != "" {
			t.Errorf("%s again (-want +got):\n%s", what, diff)
		}
		if diff := cmp.Diff(before, dump(t, s)); diff != "" {
			t.Errorf("%s again: changed something:\n%s", what, diff)
		}
	}
	check(t, s)
}

// Two imports of one list at once, in pieces: everybody is there once.
func testImportsAtOnce(t *testing.T, s *Store) {
	var group sync.WaitGroup
	var mu sync.Mutex
	counts := map[string]int{}
	for range 4 {
		group.Go(func() {
			for i := range 20 {
				outcomes, err := s.Import(t.Context(), []roster.Entry{onList("a"+string(rune('a'+i)), "x"), onList("b"+string(rune('a'+i)), "y")}, false, importing(start))
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				for _, o := range outcomes {
					counts[o.Kind]++
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if diff := cmp.Diff(map[string]int{"added": 40, "unchanged": 120}, counts); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if members, err := s.Members(t.Context(), "members", account.Member{}, 1000); err != nil || len(members) != 40 {
		t.Errorf("got %d members, %v, want 40", len(members), err)
	}
}
