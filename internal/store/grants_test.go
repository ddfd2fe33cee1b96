package store

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/recheck"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

// due is when the first recheck of beginning(…, start) is due, and lease how long a lease is here.
var due = start.Add(5 * time.Minute)

const lease = time.Minute

func mustLease(t testing.TB, s *Store, account string, now time.Time) recheck.Grant {
	t.Helper()
	g, ok, err := s.Lease(t.Context(), account, now, now.Add(lease))
	if err != nil || !ok {
		t.Fatalf("lease: got %v, %v", ok, err)
	}
	return g
}

func leaseDue(t testing.TB, s *Store, now time.Time, limit int) []recheck.Grant {
	t.Helper()
	grants, err := s.LeaseDue(t.Context(), recheck.Due{Provider: issuer, Now: now, Until: now.Add(lease), Limit: limit})
	if err != nil {
		t.Fatal(err)
	}
	return grants
}

func gone(at time.Time) audit.Event { return audit.Event{At: at, Action: audit.PersonGone} }

func testLeases(t *testing.T, s *Store) {
	_, kim := mustBegin(t, s, beginning("kim", start))
	later := beginning("lee", start)
	later.RecheckAt = due.Add(time.Minute)
	_, lee := mustBegin(t, s, later)
	out, _ := mustBegin(t, s, beginning("park", start)) // signed out: nobody to ask about
	if _, err := s.End(t.Context(), out.ID, ending(session.SignedOut, start)); err != nil {
		t.Fatal(err)
	}
	if got := leaseDue(t, s, due.Add(-time.Microsecond), 10); len(got) != 0 {
		t.Errorf("early: got %v", got)
	}
	if other, err := s.LeaseDue(t.Context(), recheck.Due{Provider: "https://other.example.com", Now: due, Until: due.Add(lease), Limit: 10}); err != nil || len(other) != 0 {
		t.Errorf("another provider: got %v, %v", other, err)
	}
	if got := leaseDue(t, s, due.Add(2*time.Minute), 1); len(got) != 1 || got[0].Account.ID != kim.ID {
		t.Errorf("one: got %v, want the most overdue", got)
	}
	got := leaseDue(t, s, due.Add(2*time.Minute), 10)
	want := []recheck.Grant{{
		Account: lee, Provider: issuer, Version: 1, Token: "grant of lee", Rotates: true,
		DueAt: due.Add(time.Minute).Truncate(time.Microsecond), LeasedUntil: due.Add(2*time.Minute + lease).Truncate(time.Microsecond),
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the rest (-want +got):\n%s", diff)
	}
	if _, ok, err := s.Lease(t.Context(), lee.ID, due.Add(2*time.Minute), due.Add(3*time.Minute)); ok || err != nil {
		t.Errorf("leased twice: %v, %v", ok, err)
	}
	if got := leaseDue(t, s, due.Add(2*time.Minute+lease), 10); len(got) != 2 {
		t.Errorf("leases over: got %v", got)
	}
	if _, ok, err := s.Lease(t.Context(), "nobody", due, due.Add(lease)); ok || err != nil {
		t.Errorf("nobody: %v, %v", ok, err)
	}
}

func testParallelLeases(t *testing.T, s *Store) {
	const people = 60
	for range people {
		mustBegin(t, s, beginning(token.NewID(), start))
	}
	var mu sync.Mutex
	leased := map[string]int{}
	inParallelDo(8, func(int) {
		for {
			grants, err := s.LeaseDue(context.WithoutCancel(t.Context()), recheck.Due{Provider: issuer, Now: due, Until: due.Add(lease), Limit: 7})
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			for _, g := range grants {
				leased[g.Account.ID]++
			}
			all := len(leased) == people
			mu.Unlock()
			if all || err != nil {
				return
			}
		}
	})
	for id, n := range leased {
		if n != 1 {
			t.Errorf("%s was leased %d times", id, n)
		}
	}
}

func testIntent(t *testing.T, s *Store) {
	_, kim := mustBegin(t, s, beginning("kim", start))
	g := mustLease(t, s, kim.ID, due)
	for i := range 2 { // the first one stays
		now := due.Add(time.Duration(i) * time.Hour)
		if ok, err := s.Intend(t.Context(), g, now, now.Add(lease)); !ok || err != nil {
			t.Fatal(ok, err)
		}
		g.LeasedUntil = now.Add(lease)
	}
	if ok, err := s.Postpone(t.Context(), g, due.Add(time.Hour), true); !ok || err != nil {
		t.Fatal(ok, err)
	}
	g = mustLease(t, s, kim.ID, due)
	if !g.Intent.Equal(due.Truncate(time.Microsecond)) || g.Failed != 1 || !g.DueAt.Equal(due.Add(time.Hour).Truncate(time.Microsecond)) {
		t.Errorf("kept: got %+v", g)
	}
	if ok, err := s.Postpone(t.Context(), g, due, false); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if g = mustLease(t, s, kim.ID, due); !g.Intent.IsZero() || g.Failed != 2 {
		t.Errorf("closed: got %+v", g)
	}
}

func testConfirm(t *testing.T, s *Store) {
	ctx := t.Context()
	row, kim := mustBegin(t, s, beginning("kim", start))
	g := mustLease(t, s, kim.ID, due)
	if ok, err := s.Intend(ctx, g, due, due.Add(lease)); !ok || err != nil {
		t.Fatal(ok, err)
	}
	same := kim.Profile
	same.CheckedAt = due
	if ok, err := s.Confirm(ctx, g, recheck.Confirmation{Profile: same, DueAt: due.Add(time.Hour)}); !ok || err != nil {
		t.Fatal(ok, err)
	}
	g = mustLease(t, s, kim.ID, due)
	if g.Version != 1 || g.Rotates || !g.Intent.IsZero() || g.Token != "grant of kim" || !g.Account.CheckedAt.Equal(due.Truncate(time.Microsecond)) {
		t.Errorf("the same token: got %+v", g)
	}
	if records, err := s.Records(ctx, 0, 10); err != nil || len(records) != 1 {
		t.Errorf("nothing changed, but got %d events, %v", len(records), err)
	}
	changed := same
	changed.Roles, changed.Name = []string{"editor", "viewer"}, "Kim"
	if ok, err := s.Confirm(ctx, g, recheck.Confirmation{Profile: changed, Token: "second grant", DueAt: due.Add(time.Hour)}); !ok || err != nil {
		t.Fatal(ok, err)
	}
	newer := mustLease(t, s, kim.ID, due)
	if newer.Version != 2 || !newer.Rotates || newer.Token != "second grant" {
		t.Errorf("a new token: got %+v", newer)
	}
	_, owner, err := s.Session(ctx, row.ID)
	if err != nil || owner.Name != "Kim" || len(owner.Roles) != 2 {
		t.Errorf("account: got %+v, %v", owner, err)
	}
	records, err := s.Records(ctx, 1, 10)
	if err != nil || len(records) != 1 || records[0].Action != audit.PersonChanged || records[0].Details["changed"] != "name,roles" {
		t.Errorf("events: got %+v, %v", records, err)
	}
	if page, _, err := s.SignedIn(ctx, session.Query{Search: "kim", Limit: 1, Now: due}); err != nil || len(page) != 1 {
		t.Errorf("search by the new name: got %v, %v", page, err)
	}
}

func testGone(t *testing.T, s *Store) {
	ctx := t.Context()
	first, kim := mustBegin(t, s, beginning("kim", start))
	second, _ := mustBegin(t, s, beginning("kim", start.Add(time.Minute)))
	g := mustLease(t, s, kim.ID, due)
	ended, err := s.Gone(ctx, g, ending(session.CutOff, due), gone(due))
	if err != nil || len(ended) != 2 || ended[0].ID != first.ID || ended[1].ID != second.ID || ended[0].Ended.Reason != session.CutOff {
		t.Errorf("got %v, %v", ended, err)
	}
	check(t, s)
	if has, err := s.HasGrant(ctx, kim.Identity); err != nil || has {
		t.Errorf("grant: got %v, %v", has, err)
	}
	if _, ok, err := s.Lease(ctx, kim.ID, due.Add(time.Hour), due.Add(2*time.Hour)); ok || err != nil {
		t.Errorf("an erased grant was leased: %v, %v", ok, err)
	}
	tally, err := s.Tally(ctx, issuer, due.Add(-time.Minute), due)
	if err != nil || tally != (recheck.Tally{Gone: 1}) {
		t.Errorf("tally: got %+v, %v", tally, err)
	}
	// Unconfirmed is no word of the provider.
	_, lee := mustBegin(t, s, beginning("lee", start))
	if _, err := s.Gone(ctx, mustLease(t, s, lee.ID, due), ending(session.Unconfirmed, due), gone(due)); err != nil {
		t.Fatal(err)
	}
	if tally, err = s.Tally(ctx, issuer, due.Add(-time.Minute), due); err != nil || tally.Gone != 1 {
		t.Errorf("tally: got %+v, %v", tally, err)
	}
	if tally, err = s.Tally(ctx, issuer, due.Add(time.Minute), due.Add(time.Hour)); err != nil || tally.Gone != 0 {
		t.Errorf("tally of later: got %+v, %v", tally, err)
	}
}

// A worker that took too long holds a verdict on a grant that is no more. It must not touch the new one, though that
// was given after the old one had been erased.
func testStaleVerdict(t *testing.T, s *Store) {
	ctx := t.Context()
	_, kim := mustBegin(t, s, beginning("kim", start))
	old := mustLease(t, s, kim.ID, due)
	if _, err := s.Gone(ctx, old, ending(session.CutOff, due), gone(due)); err != nil {
		t.Fatal(err)
	}
	row, _ := mustBegin(t, s, beginning("kim", due.Add(time.Minute)))
	before := dump(t, s)
	ended, err := s.Gone(ctx, old, ending(session.CutOff, due), gone(due))
	if err != nil || len(ended) != 0 {
		t.Errorf("gone: got %v, %v", ended, err)
	}
	for name, verdict := range map[string]func() (bool, error){
		"confirm":  func() (bool, error) { return s.Confirm(ctx, old, recheck.Confirmation{Token: "stale"}) },
		"intend":   func() (bool, error) { return s.Intend(ctx, old, due, due.Add(lease)) },
		"release":  func() (bool, error) { return s.Release(ctx, old) },
		"postpone": func() (bool, error) { return s.Postpone(ctx, old, due, true) },
		"hold": func() (bool, error) {
			return s.Hold(ctx, old, recheck.Holding{At: due, Held: gone(due), Stop: gone(due)})
		},
	} {
		if ok, err := verdict(); ok || err != nil {
			t.Errorf("%s: got %v, %v", name, ok, err)
		}
	}
	if diff := cmp.Diff(before, dump(t, s)); diff != "" {
		t.Errorf("a stale verdict changed something:\n%s", diff)
	}
	if live, _, err := s.Session(ctx, row.ID); err != nil || live.Ended != nil {
		t.Errorf("the new session: got %+v, %v", live.Ended, err)
	}
}

// heldWave is a wave with kim and lee held and park untouched.
func heldWave(t *testing.T, s *Store) (kim, lee, park session.Session) {
	t.Helper()
	ctx := t.Context()
	kim, who := mustBegin(t, s, beginning("kim", start))
	lee, other := mustBegin(t, s, beginning("lee", start))
	park, _ = mustBegin(t, s, beginning("park", start))
	stop := audit.Event{At: due, Action: audit.WaveStopped}
	held := audit.Event{At: due, Action: audit.PersonHeld}
	for _, id := range []string{who.ID, other.ID} {
		if ok, err := s.Hold(ctx, mustLease(t, s, id, due), recheck.Holding{At: due, Held: held, Stop: stop}); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	waves, err := s.Waves(ctx)
	if err != nil || len(waves) != 1 || waves[0].Provider != issuer || waves[0].People != 3 || len(waves[0].Held) != 2 || !waves[0].Since.Equal(due.Truncate(time.Microsecond)) {
		t.Fatalf("waves: got %+v, %v", waves, err)
	}
	if tally, err := s.Tally(ctx, issuer, due, due); err != nil || tally != (recheck.Tally{People: 3, Gone: 2, On: true}) {
		t.Errorf("tally: got %+v, %v", tally, err)
	}
	if got := leaseDue(t, s, due.Add(time.Hour), 10); len(got) != 1 {
		t.Errorf("held grants are due: got %d", len(got))
	}
	stops := 0
	records, err := s.Records(ctx, 0, 100)
	for _, r := range records {
		if r.Action == audit.WaveStopped {
			stops++
		}
	}
	if stops != 1 || err != nil {
		t.Errorf("got %d events of the stop, %v", stops, err)
	}
	return kim, lee, park
}

func testWaveConfirmed(t *testing.T, s *Store) {
	ctx := t.Context()
	kim, lee, park := heldWave(t, s)
	if has, err := s.HasGrant(ctx, account.Identity{Realm: "staff", Issuer: issuer, Subject: "kim"}); err != nil || has {
		t.Errorf("a held grant counts as usable: %v, %v", has, err)
	}
	ended, err := s.EndWave(ctx, issuer, true, ending(session.CutOff, due.Add(time.Hour)), audit.Event{Action: audit.WaveConfirmed})
	if err != nil || len(ended) != 2 {
		t.Errorf("got %v, %v", ended, err)
	}
	for id, live := range map[token.SessionID]bool{kim.ID: false, lee.ID: false, park.ID: true} {
		if row, _, err := s.Session(ctx, id); err != nil || (row.Ended == nil) != live {
			t.Errorf("session %s: got %+v, %v", id, row.Ended, err)
		}
	}
	if tally, err := s.Tally(ctx, issuer, due, due); err != nil || tally.On || tally.Gone != 0 {
		t.Errorf("tally: got %+v, %v", tally, err)
	}
	before := dump(t, s)
	if again, err := s.EndWave(ctx, issuer, true, ending(session.CutOff, due), audit.Event{}); err != nil || again != nil || before != dump(t, s) {
		t.Errorf("no wave is on: got %v, %v", again, err)
	}
	check(t, s)
}

// A wave of the whole company takes several transactions; who was not held lives on.
func testLargeWave(t *testing.T, s *Store) {
	ctx := context.WithoutCancel(t.Context())
	const people = 2*waveBatch + 1
	inParallelDo(people, func(int) {
		_, who, err := s.Begin(ctx, beginning(token.NewID(), start))
		if err != nil {
			t.Error(err)
		}
		g, ok, err := s.Lease(ctx, who.ID, due, due.Add(lease))
		if !ok || err != nil {
			t.Error(ok, err)
		}
		if ok, err := s.Hold(ctx, g, recheck.Holding{At: due, Held: audit.Event{Action: audit.PersonHeld}, Stop: audit.Event{Action: audit.WaveStopped}}); !ok || err != nil {
			t.Error(ok, err)
		}
	})
	kim, _ := mustBegin(t, s, beginning("kim", start))
	ended, err := s.EndWave(ctx, issuer, true, ending(session.CutOff, due), audit.Event{Action: audit.WaveConfirmed})
	if err != nil || len(ended) != people {
		t.Errorf("got %d, %v, want %d", len(ended), err, people)
	}
	if row, _, err := s.Session(ctx, kim.ID); err != nil || row.Ended != nil {
		t.Errorf("kim: got %+v, %v", row.Ended, err)
	}
	if waves, err := s.Waves(ctx); err != nil || len(waves) != 0 {
		t.Errorf("waves: got %v, %v", waves, err)
	}
	confirmed := 0
	records, err := s.Records(ctx, 0, 10*people)
	for _, r := range records {
		if r.Action == audit.WaveConfirmed {
			confirmed++
		}
	}
	if confirmed != 1 || err != nil {
		t.Errorf("got %d events of the decision, %v, want 1", confirmed, err)
	}
	check(t, s)
}

func testWaveDismissed(t *testing.T, s *Store) {
	ctx := t.Context()
	kim, _, _ := heldWave(t, s)
	ended, err := s.EndWave(ctx, issuer, false, ending(session.CutOff, due.Add(2*time.Hour)), audit.Event{Action: audit.WaveDismissed})
	if err != nil || len(ended) != 0 {
		t.Errorf("got %v, %v", ended, err)
	}
	if row, _, err := s.Session(ctx, kim.ID); err != nil || row.Ended != nil {
		t.Errorf("kim: got %+v, %v", row.Ended, err)
	}
	if got := leaseDue(t, s, due.Add(2*time.Hour), 10); len(got) != 3 {
		t.Errorf("due again: got %d, want 3", len(got))
	}
	if waves, err := s.Waves(ctx); err != nil || len(waves) != 0 {
		t.Errorf("waves: got %v, %v", waves, err)
	}
}

func testRestingGrant(t *testing.T, s *Store) {
	ctx := t.Context()
	row, kim := mustBegin(t, s, beginning("kim", start))
	mustBegin(t, s, beginning("lee", start))
	if _, err := s.End(ctx, row.ID, ending(session.SignedOut, start)); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Duration]int{0: 0, restGrant: 1} {
		if swept, err := s.Sweep(ctx, due.Add(at), 1); err != nil || swept.Grants > want {
			t.Errorf("after %v: got %+v, %v", at, swept, err)
		}
	}
	for range 3 { // the walk comes round
		if _, err := s.Sweep(ctx, due.Add(restGrant), 1); err != nil {
			t.Fatal(err)
		}
	}
	if has, err := s.HasGrant(ctx, kim.Identity); err != nil || !has {
		t.Errorf("a resting grant is held: got %v, %v", has, err)
	}
	var resting int
	if err := s.db.Row(ctx, `SELECT count(*) FROM grants WHERE due_at = `+neverText).Scan(&resting); err != nil || resting != 1 {
		t.Errorf("got %d resting, %v, want 1", resting, err)
	}
	// A sign-in that brings no new grant wakes it.
	b := beginning("kim", due.Add(2*time.Hour))
	b.Grant = ""
	mustBegin(t, s, b)
	if g := mustLease(t, s, kim.ID, due.Add(3*time.Hour)); g.Version != 1 || !g.DueAt.Equal(b.RecheckAt.Truncate(time.Microsecond)) {
		t.Errorf("woken: got %+v", g)
	}
}

// testRandomSteps does whatever comes, and checks all invariants after every step.
func testRandomSteps(t *testing.T, s *Store) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 1))
	now := start
	swept := false
	for step := range 150 {
		now = now.Add(time.Duration(dice.Int64N(int64(time.Hour))))
		if err := randomStep(t, s, dice, now, &swept); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		checkSwept(t, s)
		if !swept {
			check(t, s)
		}
		if t.Failed() {
			t.Fatalf("after step %d", step)
		}
	}
}

func randomStep(t *testing.T, s *Store, dice *rand.Rand, now time.Time, swept *bool) error {
	ctx := t.Context()
	subject := string(rune('a' + dice.IntN(4)))
	rows := allSessions(t, s)
	var row session.Session
	if len(rows) > 0 {
		row = rows[dice.IntN(len(rows))]
	}
	var err error
	switch dice.IntN(12) {
	case 0, 1, 2:
		b := beginning(subject, now)
		b.Policy.PerAccount = dice.IntN(3)
		if len(rows) > 0 && dice.IntN(2) == 0 {
			b.Brought = &row.ID
		}
		_, _, err = s.Begin(ctx, b)
	case 3, 4, 5:
		if len(rows) > 0 && row.Live(now) {
			_, err = s.Rotate(ctx, row.ID, row.Rotation.Generation, rotated(row, now), nil, nil)
		}
	case 6:
		if len(rows) > 0 {
			_, err = s.End(ctx, row.ID, ending(session.Revoked, now))
		}
	case 7:
		_, err = s.EndAccount(ctx, row.Account, token.SessionID{}, ending(session.Revoked, now))
	case 8:
		g, ok, failed := s.Lease(ctx, row.Account, now, now.Add(lease))
		if err = failed; !ok || err != nil {
			break
		}
		switch dice.IntN(3) {
		case 0:
			_, err = s.Gone(ctx, g, ending(session.CutOff, now), gone(now))
		case 1:
			_, err = s.Hold(ctx, g, recheck.Holding{At: now, Held: gone(now), Stop: gone(now)})
		default:
			_, err = s.Confirm(ctx, g, recheck.Confirmation{Profile: g.Account.Profile, Token: token.NewID(), DueAt: now.Add(time.Hour)})
		}
	case 9:
		_, err = s.EndWave(ctx, issuer, dice.IntN(2) == 0, ending(session.CutOff, now), gone(now))
	case 10:
		*swept = true
		_, err = s.Sweep(ctx, now, 1+dice.IntN(20))
	default:
		_, err = s.ChangeKeys(ctx, func(keys.Set) (keys.Change, error) {
			return keys.Change{Withdraw: []string{token.NewID()}, At: now}, nil
		})
	}
	return err
}
