package session_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/recheck"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

// asker stands for the worker that asks the provider.
type asker struct {
	err   error
	asked []time.Time // olderThan of each call
	do    func(account string)
}

func (a *asker) Check(_ context.Context, account string, olderThan time.Time) error {
	a.asked = append(a.asked, olderThan)
	if a.do != nil {
		a.do(account)
	}
	return a.err
}

// rechecked is an office whose staff realm asks its provider every 5 min.
func rechecked(t *testing.T) (*office, *asker) {
	a := &asker{}
	o := open(t, func(c *session.Config) {
		c.Checker = a
		c.Realms = map[string]session.Realm{"staff": {
			Policy:     policy(func(p *session.Policy) { p.Idle = 48 * time.Hour }),
			CheckEvery: 5 * time.Minute, MaxStale: 4 * time.Hour,
		}}
	})
	return o, a
}

// confirm makes the asker answer as a worker does whose provider said yes.
func (o *office) confirm(t *testing.T) func(account string) {
	return func(account string) {
		t.Helper()
		g, ok, err := o.store.Lease(t.Context(), account, o.now(), o.now().Add(time.Minute))
		if err != nil || !ok {
			t.Errorf("lease: %v %v", ok, err)
			return
		}
		profile := g.Account.Profile
		profile.CheckedAt = o.now()
		_, err = o.store.Confirm(t.Context(), g, recheck.Confirmation{Profile: profile, DueAt: o.now().Add(time.Hour)})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestARenewalAsksOnlyWhenTheCheckIsOverdue(t *testing.T) {
	o, asker := rechecked(t)
	refreshToken := o.signIn(t, "kim", tools, linux).RefreshToken
	o.later(4 * time.Minute)
	refreshToken = o.renew(t, refreshToken).RefreshToken
	if len(asker.asked) != 0 {
		t.Errorf("asked %d times although the background is in time", len(asker.asked))
	}
	o.later(4 * time.Minute)
	asker.err = fault.New(fault.UpstreamUnavailable, "")
	o.renew(t, refreshToken) // the provider is down: nobody is held up, nobody is signed out
	if len(asker.asked) != 1 {
		t.Errorf("asked %d times, want once", len(asker.asked))
	}
}

func TestBeyondMaxStaleRenewalsWaitForTheProvider(t *testing.T) {
	o, asker := rechecked(t)
	refreshToken := o.signIn(t, "kim", tools, linux).RefreshToken
	o.later(5 * time.Hour)
	asker.err = fault.New(fault.UpstreamUnavailable, "")
	_, err := o.Renew(t.Context(), o.renewal(refreshToken))
	wantCode(t, err, fault.UpstreamUnavailable)
	asker.err, asker.do = nil, o.confirm(t)
	if got := o.renew(t, refreshToken).Session.Rotation.CheckedAt; !got.Equal(o.now()) {
		t.Errorf("the answer says checked at %v, want %v", got, o.now())
	}
}

func TestWithoutAGrantASessionEndsAsUnconfirmedAtMaxStale(t *testing.T) {
	o, asker := rechecked(t)
	refreshToken := o.signIn(t, "kim", tools, linux).RefreshToken
	asker.err = session.ErrNoGrant
	o.later(3 * time.Hour)
	refreshToken = o.renew(t, refreshToken).RefreshToken
	o.later(2 * time.Hour)
	_, err := o.Renew(t.Context(), o.renewal(refreshToken))
	wantCode(t, err, fault.SessionUnconfirmed)
}

func TestMaxCheckAgeForcesOneRotation(t *testing.T) {
	o, asker := rechecked(t)
	asker.do = o.confirm(t)
	refreshToken := o.signIn(t, "kim", tools, linux).RefreshToken
	o.later(2 * time.Minute)
	refreshToken = o.renew(t, refreshToken).RefreshToken
	o.later(time.Second) // within the grace: without a demand it would be a repeat
	r := o.renewal(refreshToken)
	r.MaxCheckAge = time.Minute
	forced, err := o.Renew(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if forced.Session.Rotation.Generation != 2 || !forced.Session.Rotation.CheckedAt.Equal(o.now()) {
		t.Errorf("got generation %d checked at %v, want 2 and now", forced.Session.Rotation.Generation, forced.Session.Rotation.CheckedAt)
	}
	again, err := o.Renew(t.Context(), r)
	if err != nil || string(again.JSON) != string(forced.JSON) || len(asker.asked) != 1 {
		t.Errorf("the same demand again: %v, asked %d times; want the same answer", err, len(asker.asked))
	}
	o.later(2 * time.Minute)
	asker.err, asker.do = fault.New(fault.UpstreamUnavailable, ""), nil
	_, err = o.Renew(t.Context(), r)
	wantCode(t, err, fault.UpstreamUnavailable)
}

func TestTheProvidersNoDuringARenewalEndsIt(t *testing.T) {
	o, asker := rechecked(t)
	in := o.signIn(t, "kim", tools, linux)
	o.later(10 * time.Minute)
	asker.do = func(account string) {
		if _, err := o.store.EndAccount(t.Context(), account, token.SessionID{}, session.Ending{Reason: session.CutOff, At: o.now()}); err != nil {
			t.Error(err)
		}
	}
	_, err := o.Renew(t.Context(), o.renewal(in.RefreshToken))
	wantCode(t, err, fault.SessionCutOff)
}

// While a renewal waits for the provider, another one of the same token may rotate, here or at another node: then that is
// the answer of both.
func TestARenewalThatWaitedIsARepeatOfTheOneThatDidNot(t *testing.T) {
	o, asker := rechecked(t)
	in := o.signIn(t, "kim", tools, linux)
	o.later(10 * time.Minute)
	var faster session.Answer
	asker.do = func(account string) {
		o.confirm(t)(account)
		faster = o.renew(t, in.RefreshToken)
	}
	slower := o.renew(t, in.RefreshToken)
	if slower.Session.Rotation.Generation != 1 || string(slower.JSON) != string(faster.JSON) {
		t.Errorf("two answers to one token:\n%s\n%s", slower.JSON, faster.JSON)
	}
}

func TestEndedCodesComeFromTheReason(t *testing.T) {
	o := open(t, nil)
	for _, reason := range []session.Reason{session.SignedOut, session.Replaced, session.Revoked, session.CutOff, session.Unconfirmed, session.Reused} {
		in := o.signIn(t, string(reason), tools, linux)
		s, err := o.store.End(t.Context(), in.Session.ID, session.Ending{Reason: reason, At: o.now()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.store.End(t.Context(), s.ID, session.Ending{Reason: session.Revoked, At: o.now()}); err != nil {
			t.Fatal(err)
		}
		_, err = o.Renew(t.Context(), o.renewal(in.RefreshToken))
		wantCode(t, err, fault.Code("session_"+reason))
		if code := session.CodeOf(reason); code.Status() != 401 {
			t.Errorf("%s is not in the list of codes", code)
		}
	}
	in := o.signIn(t, "idle", tools, linux)
	o.later(13 * time.Hour)
	_, err := o.Renew(t.Context(), o.renewal(in.RefreshToken))
	wantCode(t, err, fault.SessionExpired)
}

func TestParallelDemandsForACheckAreOneRotation(t *testing.T) {
	o, asker := rechecked(t)
	var once sync.Mutex
	asker.do = func(account string) {
		once.Lock()
		defer once.Unlock()
		o.later(300 * time.Millisecond) // the provider takes its time
		o.confirm(t)(account)
	}
	refreshToken := o.signIn(t, "kim", tools, linux).RefreshToken
	o.later(time.Minute)
	r := o.renewal(refreshToken)
	r.MaxCheckAge = 0
	first, err := o.Renew(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // they were on their way when the first was answered
		o.later(100 * time.Millisecond)
		again, err := o.Renew(t.Context(), r)
		if err != nil || string(again.JSON) != string(first.JSON) {
			t.Errorf("generation %d, %v; want the first one's answer", again.Session.Rotation.Generation, err)
		}
	}
	if len(asker.asked) != 1 {
		t.Errorf("the provider was asked %d times, want once", len(asker.asked))
	}
}
