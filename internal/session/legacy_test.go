package session_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
)

// exchangeOf is a sign-in by a legacy token, as its proof makes it: hash and handle are functions of the token.
func (o *office) exchangeOf(person, legacy string, app account.App, c session.Caller) session.SignIn {
	in := o.signInOf(person, app, c)
	in.Grant, in.RecheckAt, in.Legacy = "", time.Time{}, &session.Legacy{Hash: sha256.Sum256([]byte("hash " + legacy))}
	handle := sha256.Sum256([]byte("handle " + legacy))
	copy(in.Legacy.Handle[:], handle[:])
	return in
}

func (o *office) exchange(t *testing.T, in session.SignIn) session.Answer {
	t.Helper()
	answer, err := o.Begin(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// A browser whose answer was lost asks again, and gets the same answer; also after a crash, also when the cookie did
// arrive. Two tabs at once share one session.
func TestALostExchangeIsAnsweredAgain(t *testing.T) {
	o := open(t, nil)
	kim := o.exchangeOf("kim", "legacy of kim", tools, linux)
	answers := parallel(20, func(int) (session.Answer, error) { return o.Begin(t.Context(), kim) })
	first := answers[0].value
	for _, a := range answers {
		if a.err != nil || string(a.value.JSON) != string(first.JSON) || a.value.RefreshToken != first.RefreshToken {
			t.Fatalf("%v:\n got %s\nwant %s", a.err, a.value.JSON, first.JSON)
		}
	}
	o.start(t, nil)
	o.later(9 * time.Second)
	kim.Brought = &first.Session.ID
	if again := o.exchange(t, kim); string(again.JSON) != string(first.JSON) || again.RefreshToken != first.RefreshToken {
		t.Errorf("after a crash:\n got %s\nwant %s", again.JSON, first.JSON)
	}
	o.wantAudit(t, audit.SignedIn, 1)
	if events, err := o.store.Records(t.Context(), 0, 100); err != nil || events[len(events)-1].Details["proof"] != "legacy_token" {
		t.Errorf("the audit does not tell by what: %+v, %v", events[len(events)-1], err)
	}
	o.later(4 * time.Minute) // after the grace it is the renewal that the browser would have made
	late := o.exchange(t, kim)
	if late.Session.ID != first.Session.ID || late.Session.Rotation.Generation != 1 {
		t.Errorf("later: got session %s, generation %d", late.Session.ID, late.Session.Rotation.Generation)
	}
	o.renew(t, late.RefreshToken)
}

// Everybody else who comes with an exchanged token is told no more than that it is no credential.
func TestAnExchangedTokenIsNone(t *testing.T) {
	for name, test := range map[string]struct {
		before func(t *testing.T, o *office, first session.Answer)
		change func(in *session.SignIn)
	}{
		"another kind of device":  {change: func(in *session.SignIn) { in.Caller = other }},
		"another account":         {change: func(in *session.SignIn) { in.Identity.Subject = "lee" }},
		"an app of another kind":  {change: func(in *session.SignIn) { in.App = phone }},
		"another handle":          {change: func(in *session.SignIn) { in.Legacy.Handle[0]++ }},
		"without a handle":        {change: func(in *session.SignIn) { in.Legacy.Handle = [16]byte{} }},
		"the first token is over": {before: func(_ *testing.T, o *office, _ session.Answer) { o.later(5 * time.Minute) }},
		"somebody has renewed": {before: func(t *testing.T, o *office, first session.Answer) {
			o.later(time.Minute)
			o.renew(t, first.RefreshToken)
		}},
		"signed out": {before: func(t *testing.T, o *office, first session.Answer) {
			if _, err := o.store.End(t.Context(), first.Session.ID, session.Ending{Reason: session.SignedOut, At: o.now()}); err != nil {
				t.Fatal(err)
			}
		}},
		"replaced since": {before: func(t *testing.T, o *office, _ session.Answer) {
			for range 5 {
				o.later(time.Second)
				o.signIn(t, "kim", tools, other)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			o := open(t, nil)
			first := o.exchange(t, o.exchangeOf("kim", "legacy of kim", tools, linux))
			if test.before != nil {
				test.before(t, o, first)
			}
			stood, _, err := o.store.Session(t.Context(), first.Session.ID)
			if err != nil {
				t.Fatal(err)
			}
			in := o.exchangeOf("kim", "legacy of kim", tools, linux)
			if test.change != nil {
				test.change(&in)
			}
			_, err = o.Begin(t.Context(), in)
			wantCode(t, err, fault.CredentialsWrong)
			after, _, err := o.store.Session(t.Context(), first.Session.ID)
			if err != nil || (after.Ended == nil) != (stood.Ended == nil) || after.Rotation.Generation != stood.Rotation.Generation {
				t.Errorf("it changed the session: %+v, %v", after, err)
			}
		})
	}
}

// The retry gives nothing away: whoever shares the answer with the owner is found as with any stolen refresh token.
func TestAThiefOfAnExchangeIsFound(t *testing.T) {
	o := open(t, nil)
	kim := o.exchangeOf("kim", "legacy of kim", tools, linux)
	owner, thief := o.exchange(t, kim).RefreshToken, o.exchange(t, kim).RefreshToken
	var err error
	for range 3 {
		for _, holder := range []*string{&owner, &thief} {
			o.later(time.Minute)
			answer, failed := o.Renew(t.Context(), o.renewal(*holder))
			if *holder = answer.RefreshToken; failed != nil {
				err = failed
				break
			}
		}
		if err != nil {
			break
		}
	}
	wantCode(t, err, fault.SessionReused)
}

func TestABodyAppGetsItsOwnExchangeAgain(t *testing.T) {
	o := open(t, nil)
	in := o.exchangeOf("kim", "legacy of kim", phone, linux)
	first := o.exchange(t, in)
	if again := o.exchange(t, in); string(again.JSON) != string(first.JSON) {
		t.Errorf("got %s\nwant %s", again.JSON, first.JSON)
	}
	in.App.Name = "tablet"
	_, err := o.Begin(t.Context(), in)
	wantCode(t, err, fault.CredentialsWrong)
}
