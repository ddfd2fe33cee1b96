package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/recheck"
	"github.com/munjigi/munjigi/internal/session"
)

// A lease that ran out is somebody else's: whoever had it presents nothing, and changes nothing but by a verdict.
func testLeaseIsLost(t *testing.T, s *Store) {
	ctx := t.Context()
	_, kim := mustBegin(t, s, beginning("kim", start))
	slow := mustLease(t, s, kim.ID, due)
	if ok, err := s.Intend(ctx, slow, due, due.Add(2*lease)); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, ok, err := s.Lease(ctx, kim.ID, due.Add(2*lease-time.Microsecond), due.Add(3*lease)); ok || err != nil {
		t.Errorf("an intent does not renew the lease: %v, %v", ok, err)
	}
	slow.LeasedUntil = due.Add(2 * lease)
	quick := mustLease(t, s, kim.ID, due.Add(2*lease))
	before := dump(t, s)
	for name, change := range map[string]func() (bool, error){
		"intend":   func() (bool, error) { return s.Intend(ctx, slow, due, due.Add(time.Hour)) },
		"postpone": func() (bool, error) { return s.Postpone(ctx, slow, due, false) },
		"release":  func() (bool, error) { return s.Release(ctx, slow) },
	} {
		if ok, err := change(); ok || err != nil || dump(t, s) != before {
			t.Errorf("%s: got %v, %v, want the other's lease left alone", name, ok, err)
		}
	}
	if ok, err := s.Confirm(ctx, slow, recheck.Confirmation{Profile: kim.Profile, Token: "second grant", DueAt: due}); !ok || err != nil {
		t.Errorf("a verdict is true though it is late: got %v, %v", ok, err)
	}
	if ok, err := s.Intend(ctx, quick, due, due.Add(time.Hour)); ok || err != nil {
		t.Errorf("of a token that was replaced: got %v, %v", ok, err)
	}
}

// A grant that was not presented is given back as it was.
func testRelease(t *testing.T, s *Store) {
	ctx := t.Context()
	_, kim := mustBegin(t, s, beginning("kim", start))
	for _, keep := range []bool{false, true} { // without and with an intent of before
		g := mustLease(t, s, kim.ID, due)
		want := g
		if ok, err := s.Intend(ctx, g, due.Add(time.Second), due.Add(2*lease)); !ok || err != nil {
			t.Fatal(ok, err)
		}
		g.LeasedUntil = due.Add(2 * lease)
		if ok, err := s.Release(ctx, g); !ok || err != nil {
			t.Fatal(ok, err)
		}
		g = mustLease(t, s, kim.ID, due)
		if diff := cmp.Diff(want, g); diff != "" {
			t.Errorf("given back (-want +got):\n%s", diff)
		}
		if ok, err := s.Intend(ctx, g, due, due.Add(lease)); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if ok, err := s.Postpone(ctx, g, due, !keep); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
}

// A clock that was ahead must not have put anybody off for long.
func testClockWasAhead(t *testing.T, s *Store) {
	ctx := t.Context()
	year := start.AddDate(1, 0, 0)
	ahead := beginning("kim", start)
	ahead.RecheckAt, ahead.Account.CheckedAt = year, year
	_, kim := mustBegin(t, s, ahead)
	mustBegin(t, s, beginning("lee", start))
	row, _ := mustBegin(t, s, beginning("rest", start))
	mustExec(t, s, `UPDATE grants SET due_at = `+neverText+` WHERE account = $1`, row.Account)
	if _, ok, err := s.Lease(ctx, kim.ID, year, year.Add(lease)); !ok || err != nil { // and crashed
		t.Fatal(ok, err)
	}
	d := recheck.Due{Provider: issuer, Now: due, Until: due.Add(lease), Latest: year, Limit: 10}
	if grants, err := s.LeaseDue(ctx, d); err != nil || len(grants) != 1 {
		t.Errorf("due within the time that is believed: got %v, %v, want lee alone", grants, err)
	}
	d.Latest = due.Add(10 * time.Minute)
	grants, err := s.LeaseDue(ctx, d)
	if err != nil || len(grants) != 1 || grants[0].Account.ID != kim.ID {
		t.Fatalf("due beyond it: got %v, %v, want kim", grants, err)
	}
	now := kim.Profile
	now.CheckedAt = due
	if ok, err := s.Confirm(ctx, grants[0], recheck.Confirmation{Profile: now, DueAt: due.Add(time.Hour)}); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if g := mustLease(t, s, kim.ID, due); !g.Account.CheckedAt.Equal(due.Truncate(time.Microsecond)) {
		t.Errorf("confirmed at %s, want %s", g.Account.CheckedAt, due)
	}
}

// The grant may be erased between the look at it and the sign-in that relies on it.
func testBeginWithoutAGrant(t *testing.T, s *Store) {
	ctx := t.Context()
	_, kim := mustBegin(t, s, beginning("kim", start))
	if _, err := s.Gone(ctx, mustLease(t, s, kim.ID, due), ending(session.CutOff, due), gone(due)); err != nil {
		t.Fatal(err)
	}
	before := dump(t, s)
	b := beginning("kim", due.Add(time.Minute))
	b.Grant = ""
	if _, _, err := s.Begin(ctx, b); fault.CodeOf(err) != fault.UpstreamUnavailable || dump(t, s) != before {
		t.Errorf("got %v, want %s and nothing changed", err, fault.UpstreamUnavailable)
	}
	b.RecheckAt = time.Time{} // a realm without a provider
	mustBegin(t, s, b)
}

// What the provider gave with its no is kept: should an administrator decide otherwise, the old token is used up.
func testHeldToken(t *testing.T, s *Store) {
	ctx := t.Context()
	_, kim := mustBegin(t, s, beginning("kim", start))
	held := recheck.Holding{At: due, Token: "second grant", Held: gone(due), Stop: gone(due)}
	if ok, err := s.Hold(ctx, mustLease(t, s, kim.ID, due), held); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, err := s.EndWave(ctx, issuer, false, ending(session.CutOff, due), gone(due)); err != nil {
		t.Fatal(err)
	}
	if g := mustLease(t, s, kim.ID, due); g.Token != "second grant" || g.Version != 2 || !g.Rotates {
		t.Errorf("got %+v", g)
	}
	check(t, s)
}
