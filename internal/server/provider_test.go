package server

import (
	"context"
	"net/url"
	"sync"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/upstream"
)

// fakeProvider signs in the person whose name is the code.
type fakeProvider struct {
	mu      sync.Mutex // guards everything below
	fail    error
	asked   []upstream.AuthRequest
	traded  []upstream.Callback
	noGrant bool
}

func (p *fakeProvider) Issuer() string { return "https://id.example.com" }

func (p *fakeProvider) AuthURL(_ context.Context, r upstream.AuthRequest) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, r)
	return "https://id.example.com/authorize?" + url.Values{"state": {r.State}, "login_hint": {r.LoginHint}}.Encode(), p.fail
}

func (p *fakeProvider) Exchange(_ context.Context, c upstream.Callback) (upstream.Person, string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.traded = append(p.traded, c)
	person := upstream.Person{Subject: c.Code, Email: c.Code + "@example.com", Name: c.Code}
	if p.noGrant {
		return person, "", p.fail
	}
	return person, "grant-of-" + c.Code, p.fail
}

func (p *fakeProvider) roles(person upstream.Person) ([]string, error) {
	if person.Subject == "foreigner" {
		return nil, fault.New(fault.DomainRefused, "")
	}
	return []string{"viewer"}, nil
}

// fakeAttempts is signin.Store.
type fakeAttempts struct {
	mu    sync.Mutex // guards everything below
	used  map[[16]byte]bool
	held  bool
	fails error
}

func (a *fakeAttempts) Consume(_ context.Context, id [16]byte, _, _ time.Time) (bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	used := a.used[id]
	a.used[id] = true
	return used, a.fails
}

func (a *fakeAttempts) HasGrant(context.Context, account.Identity) (bool, error) { return a.held, nil }
