package store

import (
	"crypto/sha256"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/links"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

// memberToBe is a member to be, with the password "old".
func memberToBe(login string) account.Member {
	return account.Member{Login: login, Hash: "old", Account: account.Account{
		ID: token.NewID(), Identity: account.Identity{Realm: "members", Issuer: account.PasswordIssuer, Subject: token.NewID()},
		Profile: account.Profile{Email: login + "@example.com", Name: "Name of " + login, Roles: []string{}},
	}}
}

// mustAddSignedIn adds a member, with two live sessions.
func mustAddSignedIn(t *testing.T, s *Store, login string) (account.Member, []session.Session) {
	t.Helper()
	m, err := s.AddMember(t.Context(), memberToBe(login), audit.Event{At: start, Action: audit.MemberAdded, Realm: "members"})
	if err != nil {
		t.Fatal(err)
	}
	var rows []session.Session
	for i := range 2 {
		b := beginning(login, start.Add(time.Duration(i)*time.Second))
		b.Account.Identity, b.Session.Realm, b.Secret = m.Identity, "members", m.Secret
		b.Grant, b.RecheckAt = "", time.Time{}
		row, _ := mustBegin(t, s, b)
		rows = append(rows, row)
	}
	return m, rows
}

var noEvent audit.Event

// mustLink makes a link of half an hour for a member, or with none for a sign-up.
func mustLink(t *testing.T, s *Store, m account.Member) links.Link {
	t.Helper()
	hash, _ := links.NewSecret().Hash()
	l := links.Link{
		Hash: hash, Realm: "members", Account: m.ID, Changes: m.Secret, Login: m.Login, Name: m.Name,
		MadeAt: start.Truncate(time.Microsecond), Until: start.Add(30 * time.Minute).Truncate(time.Microsecond),
	}
	if made, err := s.MakeLink(t.Context(), l, links.Limit{}, audit.Event{At: start, Action: audit.LinkMade, Account: m.ID}); err != nil || !made {
		t.Fatal(made, err)
	}
	return l
}

// using is a use with a hash of its own, as a salt makes it.
func using(l links.Link, at time.Time) links.Using {
	fresh := memberToBe(l.Login)
	fresh.Hash = ""
	return links.Using{Hash: l.Hash, Encoded: "new " + token.NewID(), Fresh: fresh, At: at, From: "192.0.2.7"}
}

// A link sets the password once: all sessions of the account end with it, and all of it is told.
func testLink(t *testing.T, s *Store) {
	m, rows := mustAddSignedIn(t, s, "kim")
	other, others := mustAddSignedIn(t, s, "lee")
	l := mustLink(t, s, m)
	at := start.Add(time.Minute)
	found, ok, err := s.Link(t.Context(), l.Hash, at)
	if diff := cmp.Diff(l, found); diff != "" || !ok || err != nil {
		t.Fatal(ok, err, diff)
	}
	u := using(l, at)
	used, err := s.UseLink(t.Context(), u)
	if err != nil || used.Made || len(used.Ended) != 2 || used.Member.Secret != m.Secret+1 || used.Member.Email != "kim@example.com" {
		t.Fatalf("used: %+v, %v", used, err)
	}
	now, _, err := s.Member(t.Context(), "members", "kim")
	if err != nil || now.Hash != u.Encoded || now.Secret != m.Secret+1 || !now.ChangedAt.Equal(at.Truncate(time.Microsecond)) {
		t.Errorf("member: %+v, %v", now, err)
	}
	for _, row := range rows {
		if stood, _, err := s.Session(t.Context(), row.ID); err != nil || stood.Ended == nil || stood.Ended.Reason != session.Revoked {
			t.Errorf("session: %+v, %v", stood.Ended, err)
		}
	}
	if stood, _, err := s.Session(t.Context(), others[0].ID); err != nil || stood.Ended != nil {
		t.Errorf("another account's session: %+v, %v", stood.Ended, err)
	}
	if still, _, _ := s.Member(t.Context(), "members", "lee"); still.Hash != "old" || still.Secret != other.Secret {
		t.Errorf("another member: %+v", still)
	}
	if n := len(mustRevocations(t, s, 0).Entries); n != 2 {
		t.Errorf("%d entries in the feed", n)
	}
	wantEvent(t, s, audit.Event{
		At: at, Action: audit.PasswordChanged, Realm: "members", Account: m.ID, From: "192.0.2.7",
		Actor: audit.Actor{Kind: audit.ByAccount, ID: m.ID}, Details: map[string]string{"by": "link"},
	})
	wantUseless(t, s, l, at)
	check(t, s)
}

// wantEvent compares the last event of its kind in the audit.
func wantEvent(t *testing.T, s *Store, want audit.Event) {
	t.Helper()
	records, err := s.Records(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var got audit.Event
	for _, r := range records {
		if r.Action == want.Action {
			got = r.Event
		}
	}
	want.At = want.At.UTC().Truncate(time.Microsecond)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// wantUseless is a link that is not found, and whose use changes nothing.
func wantUseless(t *testing.T, s *Store, l links.Link, at time.Time) {
	t.Helper()
	if _, found, err := s.Link(t.Context(), l.Hash, at); found || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
	wantRefused(t, s, l, at)
}

func wantRefused(t *testing.T, s *Store, l links.Link, at time.Time) {
	t.Helper()
	before := dump(t, s)
	_, err := s.UseLink(t.Context(), using(l, at))
	wantCode(t, err, fault.SessionUnknown)
	if diff := cmp.Diff(before, dump(t, s)); diff != "" {
		t.Errorf("a refused link changed something:\n%s", diff)
	}
}

// What is over, older than the password, of a disabled account, or was never made.
func testUselessLinks(t *testing.T, s *Store) {
	m, rows := mustAddSignedIn(t, s, "kim")
	l, second := mustLink(t, s, m), mustLink(t, s, m)
	wantUseless(t, s, l, l.Until)
	wantUseless(t, s, links.Link{Hash: sha256.Sum256([]byte("x"))}, start)
	mustExec(t, s, `UPDATE accounts SET disabled = 1 WHERE id = $1`, m.ID)
	wantRefused(t, s, l, start)
	mustExec(t, s, `UPDATE accounts SET disabled = 0 WHERE id = $1`, m.ID)
	mustExec(t, s, `UPDATE links SET used_at = 1 WHERE hash = $1`, l.Hash[:])
	wantUseless(t, s, l, start)
	mustExec(t, s, `UPDATE links SET used_at = 0 WHERE hash = $1`, l.Hash[:])
	if _, err := s.UseLink(t.Context(), using(second, start.Add(time.Minute))); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, s, l, start.Add(time.Minute))
	if stood, _, err := s.Session(t.Context(), rows[0].ID); err != nil || stood.Ended == nil {
		t.Errorf("session: %+v, %v", stood.Ended, err)
	}
	check(t, s)
}

// However many use it at once: one does.
func testParallelLinks(t *testing.T, s *Store) {
	m, _ := mustAddSignedIn(t, s, "kim")
	l, second := mustLink(t, s, m), mustLink(t, s, m)
	fresh := mustLink(t, s, account.Member{Login: "new@example.com"})
	again := mustLink(t, s, account.Member{Login: "new@example.com"})
	var passwords, accounts atomic.Int32
	inParallelDo(40, func(i int) {
		mine, count := []links.Link{l, second, fresh, again}[i%4], &passwords
		if i%4 > 1 {
			count = &accounts
		}
		if _, err := s.UseLink(t.Context(), using(mine, start.Add(time.Minute))); err == nil {
			count.Add(1)
		} else if fault.CodeOf(err) != fault.SessionUnknown {
			t.Error(err)
		}
	})
	if passwords.Load() != 1 || accounts.Load() != 1 {
		t.Errorf("%d set a password, %d made an account, want 1 and 1", passwords.Load(), accounts.Load())
	}
	check(t, s)
}

// A sign-up's link makes the account; one for a login that is taken by now is of no use.
func testSignUpLink(t *testing.T, s *Store) {
	l := mustLink(t, s, account.Member{Login: "new@example.com", Account: account.Account{Profile: account.Profile{Name: "새 상점"}}})
	u := using(l, start.Add(time.Minute))
	used, err := s.UseLink(t.Context(), u)
	if err != nil || !used.Made || len(used.Ended) != 0 {
		t.Fatalf("used: %+v, %v", used, err)
	}
	m, found, err := s.Member(t.Context(), "members", "new@example.com")
	if err != nil || !found || m.ID != u.Fresh.ID || m.Hash != u.Encoded || m.Secret != 1 || m.Identity != u.Fresh.Identity {
		t.Errorf("member: %+v, %v, %v", m, found, err)
	}
	if diff := cmp.Diff(m, used.Member); diff != "" {
		t.Errorf("the answer and what is stored: %s", diff)
	}
	wantEvent(t, s, audit.Event{
		At: start.Add(time.Minute), Action: audit.MemberAdded, Realm: "members", Account: m.ID, From: "192.0.2.7",
		Actor: audit.Actor{Kind: audit.ByAccount, ID: m.ID}, Details: map[string]string{"by": "sign_up"},
	})
	wantRefused(t, s, mustLink(t, s, account.Member{Login: "new@example.com"}), start.Add(time.Minute))
	check(t, s)
}

// A login's links are counted over all of them, used or not; those of another login or realm, and older ones, are not.
func testLinkLimit(t *testing.T, s *Store) {
	m, _ := mustAddSignedIn(t, s, "kim")
	made := func(l links.Link, at time.Time) bool {
		t.Helper()
		l.MadeAt, l.Until = at, at.Add(time.Hour)
		ok, err := s.MakeLink(t.Context(), l, links.Limit{Most: 3, Since: at.Add(-15 * time.Minute)}, noEvent)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	next := func(realm, login string) links.Link {
		hash, _ := links.NewSecret().Hash()
		return links.Link{Hash: hash, Realm: realm, Login: login}
	}
	first := mustLink(t, s, m)
	if _, err := s.UseLink(t.Context(), using(first, start)); err != nil {
		t.Fatal(err)
	}
	third := next("members", "kim")
	for i, want := range []bool{true, true, false} {
		l := next("members", "kim")
		if i == 1 {
			l = third
		}
		if got := made(l, start); got != want {
			t.Errorf("link %d: made %v", i+2, got)
		}
	}
	if !made(third, start) { // the call is repeated, since its answer got lost
		t.Error("a link that was made is not made")
	}
	if !made(next("members", "lee"), start) || !made(next("sellers", "kim"), start) || !made(next("members", "kim"), start.Add(15*time.Minute)) {
		t.Error("the links of one login count for others, or for ever")
	}
	if n := count(t, s, `SELECT COUNT(*) FROM links`); n != 6 {
		t.Errorf("%d links, want 6", n)
	}
}

func count(t *testing.T, s *Store, query string) (n int64) {
	t.Helper()
	if err := s.db.Row(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Links that are over are swept away, others stay.
func testSweepLinks(t *testing.T, s *Store) {
	m, _ := mustAddSignedIn(t, s, "kim")
	l := mustLink(t, s, m)
	if _, err := s.Sweep(t.Context(), l.Until.Add(-time.Microsecond), 100); err != nil || count(t, s, `SELECT COUNT(*) FROM links`) != 1 {
		t.Errorf("swept too early: %v", err)
	}
	if _, err := s.Sweep(t.Context(), l.Until, 100); err != nil || count(t, s, `SELECT COUNT(*) FROM links`) != 0 {
		t.Errorf("still there: %v", err)
	}
}
