package signin

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/upstream"
)

// Callback is what a browser brings back from a provider.
type Callback struct {
	Realm  string // of the callback's path
	Cookie string // the attempt's cookie; empty when the browser has none of this state
	State  string
	Code   string
	Issuer string // "iss" (RFC 9207); empty when the provider sends none
	Error  string // the provider's refusal (RFC 6749 §4.1.2.1), instead of a code

	Brought string // the refresh cookie of the realm, if there is one: its session ends
	Caller  session.Caller
}

// Finished is the end of an attempt, or its second round.
type Finished struct {
	Answer   session.Answer
	App      string
	ReturnTo string // absolute; with an error too, once the attempt is known
	// Again, when not nil, sends the browser back to the provider once more, to be asked for offline access.
	Again *Redirect
}

// Finish turns the provider's callback into a session. An attempt works once, in the browser that began it, at the
// provider that it was begun with; session_unknown tells that it was none of these. session_missing: the person, or
// the provider, broke it off.
func (f *Flow) Finish(ctx context.Context, c Callback) (Finished, error) {
	a, err := f.attempt(ctx, c)
	if err != nil {
		f.refusals.record(ctx, refusal{err: err, realm: c.Realm, from: c.Caller.From})
		return Finished{}, err
	}
	done := Finished{App: a.App, ReturnTo: a.ReturnTo}
	person, err := f.finish(ctx, c, a, &done)
	if err != nil {
		f.refusals.record(ctx, refusal{
			err: err, realm: a.Realm, app: a.App, from: c.Caller.From,
			subject: person.Subject, email: person.Email,
		})
	}
	return done, err
}

// attempt opens the cookie and uses the attempt up, before anything of the callback is believed.
func (f *Flow) attempt(ctx context.Context, c Callback) (attempt, error) {
	a, err := openAttempt(c.Cookie, f.Keys, f.Now())
	if err != nil {
		return a, fault.Wrap(fault.SessionUnknown, err)
	}
	realm, known := f.Realms[c.Realm]
	sameState := subtle.ConstantTimeCompare([]byte(a.State), []byte(c.State)) == 1
	if !known || realm.Provider == nil || a.Realm != c.Realm || a.Issuer != realm.Provider.Issuer() || !sameState {
		return a, fault.Wrap(fault.SessionUnknown, errAttempt)
	}
	used, err := f.Store.Consume(ctx, a.ID, f.Now(), a.Until)
	if err != nil {
		return a, fmt.Errorf("use sign-in attempt: %w", err)
	}
	if used {
		return a, fault.Wrap(fault.SessionUnknown, errors.New("this callback was used before"))
	}
	return a, nil
}

// finish fills in done, and returns the person as soon as one is known.
func (f *Flow) finish(ctx context.Context, c Callback, a attempt, done *Finished) (upstream.Person, error) {
	realm := f.Realms[a.Realm]
	asked := f.Now() // what the provider says is as old as the question
	person, grant, err := f.exchange(ctx, c, a)
	if err != nil {
		return person, err
	}
	roles, err := realm.Roles(person)
	if err != nil {
		return person, fmt.Errorf("roles: %w", err)
	}
	// The issuer is the configured one, whatever spelling a token has: it is half of the identity.
	identity := account.Identity{Realm: a.Realm, Issuer: a.Issuer, Subject: person.Subject}
	if grant == "" {
		again, err := f.consent(ctx, a, identity, person.Email)
		if again != nil || err != nil {
			done.Again = again
			return person, err
		}
	}
	done.Answer, err = f.begin(ctx, session.SignIn{
		App: f.Apps[a.App], Identity: identity, Grant: grant, RecheckAt: asked.Add(realm.RecheckEvery * 9 / 10), // as a recheck does: the answer, too, takes its time
		Profile: account.Profile{Email: person.Email, Name: person.Name, Roles: roles, CheckedAt: asked},
		Brought: f.broughtTo(a.Realm, c.Brought), Caller: c.Caller,
	}, ticket{ReturnTo: a.ReturnTo})
	return person, err
}

// consent asks once more when neither this sign-in nor an earlier one gave us the means to ask again later. Without
// them nobody is let in: a person who leaves could never be cut off.
func (f *Flow) consent(ctx context.Context, a attempt, identity account.Identity, email string) (*Redirect, error) {
	held, err := f.Store.HasGrant(ctx, identity)
	if err != nil || held {
		return nil, err
	}
	if a.Consent {
		return nil, fault.Wrap(fault.UpstreamUnavailable, errors.New("the provider gives no refresh token: allow offline access for this client"))
	}
	next := newAttempt(f.Now())
	next.Realm, next.App, next.ReturnTo, next.Consent = a.Realm, a.App, a.ReturnTo, true
	again, err := f.redirect(ctx, next, email)
	if err != nil {
		return nil, err
	}
	return &again, nil
}

// exchange turns the callback into a person and the provider's refresh token, or tells why there is none.
func (f *Flow) exchange(ctx context.Context, c Callback, a attempt) (upstream.Person, string, error) {
	if c.Error != "" {
		return upstream.Person{}, "", broken(c, a)
	}
	person, grant, err := f.Realms[a.Realm].Provider.Exchange(ctx, upstream.Callback{
		Code: c.Code, Issuer: c.Issuer, Nonce: a.Nonce, Verifier: a.Verifier,
	})
	if fault.CodeOf(err) == fault.RequestInvalid {
		// The browser brought a callback that is not this attempt's. There is nothing that its person could correct.
		err = fault.Wrap(fault.SessionUnknown, err)
	}
	if err != nil {
		return person, "", fmt.Errorf("exchange at %s: %w", a.Issuer, err)
	}
	return person, grant, nil
}

// broken is the fault of a callback with the provider's refusal in the place of a code. Its text is the provider's, or
// anybody's who can guess a state, so it goes to the log and never to a page.
func broken(c Callback, a attempt) error {
	cause := fmt.Errorf("the provider answered %.40q", c.Error)
	switch {
	case c.Issuer != "" && c.Issuer != a.Issuer: // a refusal can be mixed up as well (RFC 9207 §2.4)
		return fault.Wrap(fault.SessionUnknown, cause)
	case c.Error == "access_denied", c.Error == "login_required", c.Error == "interaction_required",
		c.Error == "consent_required", c.Error == "account_selection_required":
		return fault.Wrap(fault.SessionMissing, cause)
	}
	return fault.Wrap(fault.UpstreamUnavailable, cause)
}
