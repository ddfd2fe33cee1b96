package signin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
	"github.com/munjigi/munjigi/internal/upstream"
)

// Provider is an OpenID provider as a sign-in needs it. Package upstream's is one.
type Provider interface {
	// Issuer is the provider's issuer identifier, as configured.
	Issuer() string
	// AuthURL is where the browser is sent to. upstream_unavailable when the provider cannot be discovered.
	AuthURL(ctx context.Context, r upstream.AuthRequest) (string, error)
	// Exchange checks a callback (its iss first), exchanges the code and verifies the ID token: signature, nonce,
	// audience, domain. refreshToken is empty when the provider gave none. request_invalid, domain_refused,
	// upstream_unavailable.
	Exchange(ctx context.Context, c upstream.Callback) (p upstream.Person, refreshToken string, err error)
}

// Keys derives the key that seals attempts.
type Keys interface {
	Active() (kid string, macKeyID uint32)
	Derive(id uint32, label string) (key [32]byte, ok bool)
}

// Sessions begins sessions. session.Manager does.
type Sessions interface {
	Begin(ctx context.Context, in session.SignIn) (session.Answer, error)
	// Parse reads a refresh token of ours without asking the store.
	Parse(refreshToken string) (token.Refresh, bool)
}

// Realm is one that people sign in to: with a Provider, or with what a Checker takes.
type Realm struct {
	Checker  Checker
	Provider Provider // and the members below
	// Roles is what a person may do; domain_refused for somebody who does not belong here.
	Roles func(upstream.Person) ([]string, error)
	// RecheckEvery is when the provider is asked again.
	RecheckEvery time.Duration
}

// Config is what a Flow is made of. Every member is required unless it says otherwise.
type Config struct {
	Realms   map[string]Realm
	Apps     map[string]account.App // by name
	Store    Store
	Sessions Sessions
	Keys     Keys
	Audit    audit.Log
	Guesses  GuessStore // required where a realm has a Checker
	// Woken is called after sessions were ended, to wake the revocation feed; optional, as is what follows.
	Woken      func()
	Registerer prometheus.Registerer
	Now        func() time.Time
	Log        *slog.Logger
}

// Flow is the way in. It is safe for concurrent use, and keeps nothing between Start and Finish: any node may finish
// what another began.
type Flow struct {
	Config
	refusals *refusals
	guard    *guard
}

// New checks the configuration.
func New(c Config) (*Flow, error) {
	if c.Store == nil || c.Sessions == nil || c.Keys == nil || c.Audit == nil || c.Log == nil {
		return nil, errors.New("sign-in: store, sessions, keys, audit and log are required")
	}
	for name, realm := range c.Realms {
		if realm.Checker != nil && c.Guesses == nil {
			return nil, fmt.Errorf("sign-in: realm %q has passwords, and nothing counts guesses", name)
		}
		if (realm.Checker == nil) == (realm.Provider == nil) || realm.Provider != nil && realm.Roles == nil {
			return nil, fmt.Errorf("sign-in: realm %q has no way in, two, or no rule for roles", name)
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Woken == nil {
		c.Woken = func() {}
	}
	m, err := newMetrics(c.Registerer)
	if err != nil {
		return nil, fmt.Errorf("sign-in: %w", err)
	}
	return &Flow{Config: c, refusals: newRefusals(c), guard: newGuard(c, m)}, nil
}

// Request is a wish to sign in.
type Request struct {
	Realm     string
	App       string
	ReturnTo  string // as ReturnTo takes it
	LoginHint string
}

// Redirect sends the browser to the provider.
type Redirect struct {
	URL string
	// Name and Cookie are the attempt's, to be kept by this browser for AttemptLife and given back to Finish.
	Name, Cookie string
}

// Start begins an attempt. It writes nothing: the attempt is in the cookie.
func (f *Flow) Start(ctx context.Context, r Request) (Redirect, error) {
	app, ok := f.Apps[r.App]
	if !ok || app.Realm != r.Realm {
		return Redirect{}, invalid("/app", "an app of this realm")
	}
	target, err := ReturnTo(app, r.ReturnTo)
	if err != nil {
		return Redirect{}, err
	}
	if len(r.LoginHint) > maxHint {
		return Redirect{}, invalid("/login_hint", "too long")
	}
	a := newAttempt(f.Now())
	a.Realm, a.App, a.ReturnTo = r.Realm, app.Name, target
	return f.redirect(ctx, a, r.LoginHint)
}

// maxHint bounds what we pass on to a provider.
const maxHint = 320

// redirect is the way to the provider for a, which lacks only its issuer.
func (f *Flow) redirect(ctx context.Context, a attempt, hint string) (Redirect, error) {
	realm, ok := f.Realms[a.Realm]
	if !ok || realm.Provider == nil {
		return Redirect{}, fault.New(fault.NotFound, "no realm with a provider has this name")
	}
	a.Issuer = realm.Provider.Issuer()
	url, err := realm.Provider.AuthURL(ctx, upstream.AuthRequest{
		State: a.State, Nonce: a.Nonce, Challenge: challenge(a.Verifier), LoginHint: hint, Consent: a.Consent,
	})
	if err != nil {
		return Redirect{}, fmt.Errorf("redirect to %s: %w", a.Issuer, err)
	}
	cookie, err := a.seal(f.Keys)
	if err != nil {
		return Redirect{}, fmt.Errorf("seal sign-in attempt: %w", err)
	}
	return Redirect{URL: url, Name: AttemptName(a.State), Cookie: cookie}, nil
}
