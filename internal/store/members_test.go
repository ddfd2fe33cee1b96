package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/signin"
	"github.com/munjigi/munjigi/internal/token"
)

// member is one of the realm members, whose account has the same ID at every call.
func member(login string) account.Member {
	return account.Member{Login: login, Hash: "hash of " + login, Account: account.Account{
		ID: "id of " + login, Identity: account.Identity{Realm: "members", Issuer: account.PasswordIssuer, Subject: "subject of " + login},
		Profile: account.Profile{Email: login + "@example.com", Name: "Name of " + login, Roles: []string{"shop"}},
	}}
}

func memberAdded() audit.Event {
	return audit.Event{At: start, Action: audit.MemberAdded, Realm: "members", Actor: audit.Actor{Kind: audit.ByCommand}}
}

func mustAdd(t testing.TB, s *Store, login string) account.Member {
	t.Helper()
	m, err := s.AddMember(t.Context(), member(login), memberAdded())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// entering is a sign-in with the member's password as it was seen.
func entering(m account.Member, at time.Time) session.Beginning {
	b := beginning("nobody", at)
	b.Account = account.Account{ID: token.NewID(), Identity: m.Identity, Profile: account.Profile{Name: "outdated"}}
	b.Session.Realm, b.Session.Rotation.Profile, b.Grant, b.RecheckAt, b.Secret = m.Realm, b.Account.Profile, "", time.Time{}, m.Secret
	return b
}

func passwordChange(m account.Member, hash string, at time.Time) signin.PasswordChange {
	return signin.PasswordChange{
		Account: m.ID, Secret: m.Secret, Hash: hash, Ending: ending(session.Revoked, at),
		Event: audit.Event{At: at, Action: audit.PasswordChanged, Realm: m.Realm},
	}
}

func mustFind(t testing.TB, s *Store, login string) account.Member {
	t.Helper()
	m, found, err := s.Member(t.Context(), "members", login)
	if err != nil || !found {
		t.Fatalf("%s: found %t, %v", login, found, err)
	}
	return m
}

func testMembers(t *testing.T, s *Store) {
	kim := mustAdd(t, s, "kim")
	mustAdd(t, s, "lee")
	if diff := cmp.Diff(kim, mustFind(t, s, "kim")); diff != "" || kim.Secret != 1 || kim.Hash != "hash of kim" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	if again, found, err := s.MemberOf(t.Context(), kim.ID); err != nil || !found || again.Login != "kim" || again.Hash != kim.Hash {
		t.Errorf("by the account: %+v, %t, %v", again, found, err)
	}
	if m, found, err := s.Member(t.Context(), "others", "kim"); found || err != nil || m.ID != "" {
		t.Errorf("in another realm: %+v, %v", m, err)
	}
	taken := member("kim")
	taken.ID, taken.Subject = "another", "another"
	_, err := s.AddMember(t.Context(), taken, memberAdded())
	wantCode(t, err, fault.EditConflict)
	taken.Realm = "others"
	if _, err := s.AddMember(t.Context(), taken, memberAdded()); err != nil {
		t.Errorf("the same login in another realm: %v", err)
	}
	var logins []string
	for last := (account.Member{}); ; {
		page, err := s.Members(t.Context(), "", last, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page {
			logins, last = append(logins, m.Realm+" "+m.Login), m
			if m.Hash != "" {
				t.Error("a list has hashes")
			}
		}
		if len(page) < 2 {
			break
		}
	}
	if diff := cmp.Diff([]string{"members kim", "members lee", "others kim"}, logins); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
	if page, err := s.Members(t.Context(), "others", account.Member{}, 10); err != nil || len(page) != 1 {
		t.Errorf("of one realm: %v, %v", page, err)
	}
	if strings.Contains(dump(t, s), "hash of") {
		t.Error("a hash can be read in the database")
	}
	check(t, s)
}

// Who can write to the database, and has not the seal key, can neither move a hash nor bring an old one back.
func testHashesStay(t *testing.T, s *Store) {
	kim, lee := mustAdd(t, s, "kim"), mustAdd(t, s, "lee")
	mustExec(t, s, `UPDATE members SET hash = (SELECT hash FROM members WHERE account = $1) WHERE account = $2`, kim.ID, lee.ID)
	if _, found, err := s.Member(t.Context(), "members", "lee"); found || fault.CodeOf(err) != fault.StoreUnavailable {
		t.Errorf("another's hash: found %t, %v", found, err)
	}
	mustExec(t, s, `CREATE TABLE kept AS SELECT hash FROM members WHERE account = $1`, kim.ID)
	if _, err := s.SetPassword(t.Context(), passwordChange(kim, "new", start)); err != nil {
		t.Fatal(err)
	}
	mustExec(t, s, `UPDATE members SET hash = (SELECT hash FROM kept) WHERE account = $1`, kim.ID)
	if _, found, err := s.Member(t.Context(), "members", "kim"); found || fault.CodeOf(err) != fault.StoreUnavailable {
		t.Errorf("an old hash: found %t, %v", found, err)
	}
}

func testEnter(t *testing.T, s *Store) {
	kim := mustAdd(t, s, "kim")
	row, who := mustBegin(t, s, entering(kim, start))
	if who.ID != kim.ID || who.Name != "Name of kim" || row.Rotation.Name != "Name of kim" || who.Version != 2 {
		t.Errorf("began as %+v with %+v, want the profile that is stored", who, row.Rotation.Profile)
	}
	if _, err := s.Rotate(t.Context(), row.ID, 0, rotated(row, start.Add(time.Hour)), nil, nil); err != nil {
		t.Error(err)
	}
	before := dump(t, s)
	late := entering(kim, start)
	late.Secret = 2
	_, _, err := s.Begin(t.Context(), late)
	wantCode(t, err, fault.CredentialsWrong)
	stranger := entering(kim, start)
	stranger.Account.Subject = "nobody"
	if _, _, err := s.Begin(t.Context(), stranger); err == nil {
		t.Error("somebody who is no member began a session")
	}
	if diff := cmp.Diff(before, dump(t, s)); diff != "" {
		t.Errorf("a refused sign-in changed:\n%s", diff)
	}
	check(t, s)
}

func testSetPassword(t *testing.T, s *Store) {
	kim := mustAdd(t, s, "kim")
	here, _ := mustBegin(t, s, entering(kim, start))
	there, _ := mustBegin(t, s, entering(kim, start))
	change := passwordChange(kim, "new", start.Add(time.Minute))
	change.Except = here.ID
	ended, err := s.SetPassword(t.Context(), change)
	if err != nil || len(ended) != 1 || ended[0].ID != there.ID || ended[0].Ended.Reason != session.Revoked {
		t.Fatalf("ended %+v, %v", ended, err)
	}
	if m := mustFind(t, s, "kim"); m.Hash != "new" || m.Secret != 2 || !m.ChangedAt.Equal(change.Ending.At.Truncate(time.Microsecond)) {
		t.Errorf("got %+v", m)
	}
	before := dump(t, s)
	_, err = s.SetPassword(t.Context(), passwordChange(kim, "of two at once the later", start.Add(time.Minute)))
	wantCode(t, err, fault.CredentialsWrong)
	nobody := passwordChange(member("nobody"), "x", start)
	_, err = s.SetPassword(t.Context(), nobody)
	wantCode(t, err, fault.NotFound)
	if err := s.Rehash(t.Context(), kim.ID, kim.Secret, "of the old one"); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, dump(t, s)); diff != "" {
		t.Errorf("what came too late changed:\n%s", diff)
	}
	if err := s.Rehash(t.Context(), kim.ID, 2, "newer"); err != nil || mustFind(t, s, "kim").Hash != "newer" {
		t.Errorf("hashed anew: %+v, %v", mustFind(t, s, "kim"), err)
	}
	forced := passwordChange(kim, "by an administrator", start.Add(2*time.Minute))
	forced.Secret = 0
	if ended, err := s.SetPassword(t.Context(), forced); err != nil || len(ended) != 1 {
		t.Errorf("whichever it was: ended %v, %v", ended, err)
	}
	check(t, s)
}

func testSetDisabled(t *testing.T, s *Store) {
	kim := mustAdd(t, s, "kim")
	row, _ := mustBegin(t, s, entering(kim, start))
	e := ending(session.CutOff, start.Add(time.Minute))
	ended, err := s.SetDisabled(t.Context(), kim.ID, true, e)
	if err != nil || len(ended) != 1 || ended[0].ID != row.ID || !mustFind(t, s, "kim").Disabled {
		t.Fatalf("ended %+v, %v", ended, err)
	}
	_, _, err = s.Begin(t.Context(), entering(kim, start.Add(time.Hour)))
	wantCode(t, err, fault.SessionCutOff)
	before := dump(t, s)
	if _, err := s.SetDisabled(t.Context(), kim.ID, true, e); err != nil || before != dump(t, s) {
		t.Errorf("once more: %v, or it changed something", err)
	}
	_, err = s.SetDisabled(t.Context(), "nobody", true, e)
	wantCode(t, err, fault.NotFound)
	if _, err := s.SetDisabled(t.Context(), kim.ID, false, e); err != nil || mustFind(t, s, "kim").Disabled {
		t.Errorf("enabled: %v", err)
	}
	mustBegin(t, s, entering(kim, start.Add(time.Hour)))
	check(t, s)
}

// Sign-ins with the old password run into a change of it, or into the end of the account: none leaves a session.
func testEnterRaces(t *testing.T, s *Store) {
	for name, end := range map[string]func(m account.Member) error{
		"changed": func(m account.Member) error {
			_, err := s.SetPassword(t.Context(), passwordChange(m, "new", start.Add(time.Minute)))
			return err
		},
		"disabled": func(m account.Member) error {
			_, err := s.SetDisabled(t.Context(), m.ID, true, ending(session.CutOff, start.Add(time.Minute)))
			return err
		},
	} {
		for round := range 10 {
			m := mustAdd(t, s, fmt.Sprint(name, round))
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					_, _, err := s.Begin(t.Context(), entering(m, start))
					if code := fault.CodeOf(err); code != "" && code != fault.CredentialsWrong && code != fault.SessionCutOff {
						t.Error(err)
					}
				})
			}
			wg.Go(func() {
				if err := end(m); err != nil {
					t.Error(err)
				}
			})
			wg.Wait()
			if live, err := s.Sessions(t.Context(), m.ID, start.Add(time.Minute)); err != nil || len(live) != 0 {
				t.Fatalf("%s: %d sessions live, %v", name, len(live), err)
			}
		}
	}
	check(t, s)
}

func guessAt(login, from string, n byte, now time.Time) signin.Guess {
	g := signin.Guess{ID: [16]byte{n}, Now: now, Window: 15 * time.Minute}
	if login != "" {
		g.At = signin.Bucket{Name: "login " + login, Most: 3}
	}
	if from != "" {
		g.From = signin.Bucket{Name: "network " + from, Most: 5}
	}
	return g
}

func mustReserve(t testing.TB, s *Store, g signin.Guess) signin.Places {
	t.Helper()
	places, err := s.Reserve(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	return places
}

func mustSettle(t testing.TB, s *Store, n byte, wrong bool) {
	t.Helper()
	if err := s.Settle(t.Context(), [16]byte{n}, wrong); err != nil {
		t.Fatal(err)
	}
}

func testGuesses(t *testing.T, s *Store) {
	taken := signin.Place{Taken: true}
	for n := range byte(3) {
		if got := mustReserve(t, s, guessAt("kim", "here", n, start.Add(time.Duration(n)*time.Minute))); got != (signin.Places{From: taken, At: taken}) {
			t.Errorf("guess %d: %+v", n, got)
		}
	}
	soon := start.Add(3 * time.Minute)
	full := signin.Place{Open: 0, Wait: 12 * time.Minute} // the first three are stalled by now: they are not hoped for
	if got := mustReserve(t, s, guessAt("kim", "here", 3, soon)); got.From != taken || got.At.Taken || got.At.Wait.Round(time.Second) != full.Wait || got.At.Open != 0 {
		t.Errorf("the fourth: %+v, want a place in its network alone, and %+v", got, full)
	}
	if got := mustReserve(t, s, guessAt("kim", "here", 1, soon)); got != (signin.Places{From: taken, At: taken}) {
		t.Errorf("the second, repeated: %+v", got)
	}
	if got := mustReserve(t, s, guessAt("lee", "here", 4, soon)); got != (signin.Places{From: taken, At: taken}) {
		t.Errorf("at another login: %+v", got)
	}
	before := dump(t, s)
	if got := mustReserve(t, s, guessAt("park", "here", 5, soon)); got.From.Taken || got.At.Taken || got.From.Open != 2 {
		t.Errorf("the sixth of a network: %+v", got)
	}
	if before != dump(t, s) {
		t.Error("a guess that is not made takes a place")
	}
	mustSettle(t, s, 4, false)
	mustSettle(t, s, 0, true)
	if got := mustReserve(t, s, guessAt("lee", "here", 6, soon)); got != (signin.Places{From: taken, At: taken}) {
		t.Errorf("after a right one: %+v", got)
	}
	if got := mustReserve(t, s, guessAt("kim", "", 7, soon)); got.From != taken || got.At.Taken {
		t.Errorf("from nowhere: %+v", got)
	}
	after := start.Add(15*time.Minute + time.Second) // the window slides: one place is free, and the next one a minute later
	if got := mustReserve(t, s, guessAt("kim", "there", 8, after)); !got.At.Taken {
		t.Errorf("after the window: %+v", got)
	}
	if got := mustReserve(t, s, guessAt("kim", "there", 9, after)); got.At.Taken || got.At.Open != 1 {
		t.Errorf("after the window, one more: %+v", got)
	}
	if text := dump(t, s); strings.Contains(text, "login kim") || strings.Contains(text, "network") {
		t.Error("what is guessed at can be read in the database")
	}
}

// However many come at once, there are as many places as there are.
func testParallelGuesses(t *testing.T, s *Store) {
	var places atomic.Int64
	var wg sync.WaitGroup
	for n := range byte(200) {
		wg.Go(func() {
			got, err := s.Reserve(t.Context(), guessAt("kim", "", n, start))
			if err != nil {
				t.Error(err)
			}
			if got.At.Taken {
				places.Add(1)
			}
		})
	}
	wg.Wait()
	if n := places.Load(); n != 3 {
		t.Errorf("%d places of 3", n)
	}
}

func testSweepGuesses(t *testing.T, s *Store) {
	for n := range byte(3) {
		mustReserve(t, s, guessAt("kim", "here", n, start))
	}
	mustSettle(t, s, 1, true)
	if swept, err := s.Sweep(t.Context(), start.Add(16*time.Minute), 100); err != nil || swept.Guesses != 0 {
		t.Errorf("while they may count on a slower clock: %+v, %v", swept, err)
	}
	if swept, err := s.Sweep(t.Context(), start.Add(2*time.Hour), 4); err != nil || swept.Guesses != 4 {
		t.Errorf("a part: %+v, %v", swept, err)
	}
	if swept, err := s.Sweep(t.Context(), start.Add(2*time.Hour), 100); err != nil || swept.Guesses != 2 {
		t.Errorf("the rest: %+v, %v", swept, err)
	}
}

// memberChanges are the changes of members and guesses; every one may be repeated.
func memberChanges() []change {
	kim := member("kim")
	kim.Secret = 1
	return []change{
		{"AddMember", func(ctx context.Context, s *Store, _ scene) error {
			_, err := s.AddMember(ctx, member("park"), memberAdded())
			return err
		}, false},
		{"Begin as a member", func(ctx context.Context, s *Store, _ scene) error {
			b := entering(kim, start)
			b.Session.ID = token.SessionID{2}
			_, _, err := s.Begin(ctx, b)
			return err
		}, false},
		{"Rehash", func(ctx context.Context, s *Store, _ scene) error {
			return s.Rehash(ctx, kim.ID, kim.Secret, "newer")
		}, true}, // sealed anew, with another nonce
		{"SetPassword", func(ctx context.Context, s *Store, _ scene) error {
			_, err := s.SetPassword(ctx, passwordChange(kim, "new", start))
			return err
		}, true}, // the version is raised once more
		{"SetDisabled", func(ctx context.Context, s *Store, _ scene) error {
			_, err := s.SetDisabled(ctx, kim.ID, true, ending(session.CutOff, start))
			return err
		}, false},
		{"Reserve", func(ctx context.Context, s *Store, _ scene) error {
			places, err := s.Reserve(ctx, guessAt("kim", "here", 1, start))
			if err == nil && !places.At.Taken {
				err = errors.New("no place")
			}
			return err
		}, false},
		{"Settle right", func(ctx context.Context, s *Store, _ scene) error { return s.Settle(ctx, [16]byte{99}, false) }, false},
		{"Settle wrong", func(ctx context.Context, s *Store, _ scene) error { return s.Settle(ctx, [16]byte{99}, true) }, false},
	}
}
