package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
)

// exchanging is a sign-in for which a legacy token is exchanged.
func exchanging(subject, legacy string, at time.Time) session.Beginning {
	b := beginning(subject, at)
	hash := sha256.Sum256([]byte(legacy))
	b.Grant, b.RecheckAt, b.Legacy = "", time.Time{}, &hash
	return b
}

func exchanged(t *testing.T, s *Store) (n int) {
	t.Helper()
	if err := s.db.Row(t.Context(), `SELECT count(*) FROM legacy_tokens`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A legacy token is exchanged once. A second time finds the session of the first, as it stands, and changes nothing.
func testLegacy(t *testing.T, s *Store) {
	first, who := mustBegin(t, s, exchanging("kim", "legacy of kim", start))
	again := exchanging("kim", "legacy of kim", start.Add(time.Minute))
	again.Brought = &first.ID // the cookie arrived, the rest of the answer did not
	again.Policy.PerAccount = 1
	found, owner := mustBegin(t, s, again)
	if diff := cmp.Diff(first, found); diff != "" || owner.Version != who.Version {
		t.Errorf("exchanged again: version %d, want %d (-first +again):\n%s", owner.Version, who.Version, diff)
	}
	events, err := s.Records(t.Context(), 0, 10)
	if err != nil || len(events) != 1 {
		t.Errorf("%d events, %v: want the one of the first", len(events), err)
	}
	if other, _ := mustBegin(t, s, exchanging("kim", "another legacy of kim", start)); other.ID == first.ID {
		t.Error("another token of the account found the session of the first")
	}
	elsewhere := exchanging("kim", "legacy of kim", start)
	elsewhere.Session.Realm, elsewhere.Account.Realm = "members", "members"
	if other, _ := mustBegin(t, s, elsewhere); other.ID == first.ID {
		t.Error("a token of another realm found the session of this one")
	}
	if _, err := s.End(t.Context(), first.ID, ending(session.SignedOut, start.Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	if late, _ := mustBegin(t, s, exchanging("kim", "legacy of kim", start.Add(2*time.Hour))); late.ID != first.ID || late.Ended == nil {
		t.Errorf("exchanged again after the end: got %+v", late)
	}
	check(t, s)
}

// The session may be gone by then; that its token was exchanged is not forgotten with it.
func testLegacyOutlivesItsSession(t *testing.T, s *Store) {
	mustBegin(t, s, exchanging("kim", "legacy of kim", start))
	for range 3 {
		if _, err := s.Sweep(t.Context(), start.Add(longest+2*session.KeepEnded), 100); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := s.Begin(t.Context(), exchanging("kim", "legacy of kim", start.Add(longest+2*session.KeepEnded)))
	wantCode(t, err, fault.CredentialsWrong)
	if n := len(allSessions(t, s)); n != 0 || exchanged(t, s) != 1 {
		t.Errorf("%d sessions, %d exchanges: want none and one", n, exchanged(t, s))
	}
}

// A sign-in that fails exchanges nothing: the token is good for another try.
func testLegacyOfARefusedSignIn(t *testing.T, s *Store) {
	mustBegin(t, s, beginning("kim", start))
	full := exchanging("kim", "legacy of kim", start)
	full.Policy = session.Policy{PerAccount: 1, WhenFull: session.Refuse}
	_, _, err := s.Begin(t.Context(), full)
	wantCode(t, err, fault.SessionLimit)
	if n := exchanged(t, s); n != 0 {
		t.Fatalf("%d tokens are used up by a sign-in that was refused", n)
	}
	full.Policy = session.Policy{WhenFull: session.Replace}
	if row, _ := mustBegin(t, s, full); row.ID != full.Session.ID {
		t.Error("the token was used up by the sign-in that was refused")
	}
	check(t, s)
}

// However many exchange one token at once, one session begins.
func testLegacyRace(t *testing.T, s *Store) {
	const callers = 50
	ids := make([]string, callers)
	inParallelDo(callers, func(i int) {
		row, _, err := s.Begin(context.WithoutCancel(t.Context()), exchanging("kim", "legacy of kim", start.Add(time.Duration(i)*time.Microsecond)))
		if err != nil {
			t.Errorf("exchange %d: %v", i, err)
		}
		ids[i] = row.ID.String()
	})
	check(t, s)
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("two sessions, %s and %s", id, ids[0])
		}
	}
	if n := len(allSessions(t, s)); n != 1 || exchanged(t, s) != 1 {
		t.Errorf("%d sessions, %d exchanges", n, exchanged(t, s))
	}
}

// Once a realm's exchanges are over, what is kept of them goes, in steps; other realms keep theirs.
func testSweepLegacy(t *testing.T, s *Store) {
	for _, legacy := range []string{"a", "b", "c"} {
		mustBegin(t, s, exchanging("kim", legacy, start))
	}
	other := exchanging("lee", "d", start)
	other.Session.Realm, other.Account.Realm = "members", "members"
	mustBegin(t, s, other)
	for _, want := range []int{2, 1, 0} {
		if n, err := s.SweepLegacy(t.Context(), "staff", 2); err != nil || n != want {
			t.Errorf("swept %d, %v, want %d", n, err, want)
		}
	}
	if n := exchanged(t, s); n != 1 {
		t.Errorf("%d are left, want that of the other realm", n)
	}
}

// The secret is drawn once, whoever asks first, and lies sealed in the database.
func testLegacySecret(t *testing.T, s *Store) {
	secrets := make([][]byte, 8)
	inParallelDo(len(secrets), func(i int) {
		secret, err := s.LegacySecret(context.WithoutCancel(t.Context()))
		if err != nil || len(secret) != 32 {
			t.Errorf("got %d bytes, %v", len(secret), err)
		}
		secrets[i] = secret
	})
	for _, secret := range secrets {
		if !bytes.Equal(secret, secrets[0]) {
			t.Fatal("two callers have two secrets")
		}
	}
	var sealed []byte
	if err := s.db.Row(t.Context(), `SELECT sealed FROM legacy_secret`).Scan(&sealed); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, secrets[0]) {
		t.Error("the secret lies open in the database")
	}
}
