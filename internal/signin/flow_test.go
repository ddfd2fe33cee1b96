package signin

import (
	"context"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
	"github.com/munjigi/munjigi/internal/upstream"
)

// house has two realms, each with a provider, that differ in name alone.
type house struct {
	*Flow
	began  []session.SignIn
	refuse error // of every beginning
	events []audit.Event
	traded int
	used   map[[16]byte]bool
	brings map[string]token.Refresh
}

type provider struct {
	*house
	issuer string
}

func (p provider) Issuer() string { return p.issuer }

func (p provider) AuthURL(_ context.Context, r upstream.AuthRequest) (string, error) {
	return p.issuer + "?state=" + r.State, nil
}

func (p provider) Exchange(context.Context, upstream.Callback) (upstream.Person, string, error) {
	p.traded++
	return upstream.Person{Issuer: "https://another-spelling.example.com", Subject: "kim", Email: "kim@example.com"}, "grant", nil
}

func (h *house) Begin(_ context.Context, in session.SignIn) (session.Answer, error) {
	h.began = append(h.began, in)
	return session.Answer{}, h.refuse
}

func (h *house) Parse(text string) (token.Refresh, bool) {
	refresh, ok := h.brings[text]
	return refresh, ok
}

func (h *house) Consume(_ context.Context, id [16]byte, _, _ time.Time) (bool, error) {
	used := h.used[id]
	h.used[id] = true
	return used, nil
}

func (h *house) HasGrant(context.Context, account.Identity) (bool, error) { return false, nil }

func (h *house) Append(_ context.Context, events ...audit.Event) error {
	h.events = append(h.events, events...)
	return nil
}

func (h *house) Records(context.Context, int64, int) ([]audit.Record, error) { return nil, nil }

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{used: map[[16]byte]bool{}, brings: map[string]token.Refresh{}}
	roles := func(p upstream.Person) ([]string, error) { return []string{}, nil }
	flow, err := New(Config{
		Realms: map[string]Realm{
			"staff":   {Provider: provider{h, "https://id.example.com"}, Roles: roles},
			"members": {Provider: provider{h, "https://id.example.com"}, Roles: roles},
		},
		Apps: map[string]account.App{
			"tools": {Name: "tools", Realm: "staff", Origins: []string{"https://tools.example.com"}},
			"shop":  {Name: "shop", Realm: "members", Origins: []string{"https://shop.example.com"}},
		},
		Store: h, Sessions: h, Keys: ring{}, Audit: h, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Flow = flow
	return h
}

// begun is an attempt in staff, and the callback that finishes it.
func (h *house) begun(t *testing.T) Callback {
	t.Helper()
	way, err := h.Start(t.Context(), Request{Realm: "staff", App: "tools"})
	if err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(way.URL)
	if err != nil {
		t.Fatal(err)
	}
	return Callback{Realm: "staff", Cookie: way.Cookie, State: to.Query().Get("state"), Code: "code", Caller: session.Caller{From: "192.0.2.1"}}
}

// Before an attempt is known to be this one's, nothing of the callback reaches a provider, and nothing is used up.
func TestAnAttemptStaysInItsRealmAndAtItsProvider(t *testing.T) {
	for name, change := range map[string]func(h *house, c *Callback){
		"another realm's callback": func(_ *house, c *Callback) { c.Realm = "members" },
		"no such realm":            func(_ *house, c *Callback) { c.Realm = "nobody" },
		"another state":            func(_ *house, c *Callback) { c.State += "x" },
		"no state":                 func(_ *house, c *Callback) { c.State = "" },
		"no cookie":                func(_ *house, c *Callback) { c.Cookie = "" },
		"another provider since": func(h *house, _ *Callback) {
			realm := h.Realms["staff"]
			realm.Provider = provider{h, "https://other.example.com"}
			h.Realms["staff"] = realm
		},
		"used before": func(h *house, c *Callback) {
			if _, err := h.Finish(t.Context(), *c); err != nil {
				t.Fatal(err)
			}
			h.began, h.traded, h.used = nil, 0, map[[16]byte]bool{}
			a, _ := openAttempt(c.Cookie, ring{}, now)
			h.used[a.ID] = true
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			c := h.begun(t)
			change(h, &c)
			used := len(h.used)
			_, err := h.Finish(t.Context(), c)
			if fault.CodeOf(err) != fault.SessionUnknown || len(h.began) != 0 || h.traded != 0 || len(h.used) != used {
				t.Errorf("got %v, began %d, exchanged %d, used up %d", err, len(h.began), h.traded, len(h.used)-used)
			}
			event := h.events[len(h.events)-1]
			if event.Action != audit.SignInRefused || event.Outcome != "session_unknown" || event.From != "192.0.2.1" || !event.At.Equal(now) {
				t.Errorf("recorded %+v", event)
			}
		})
	}
}

func TestTheIdentityIsOfTheConfiguredIssuer(t *testing.T) {
	h := newHouse(t)
	if _, err := h.Finish(t.Context(), h.begun(t)); err != nil {
		t.Fatal(err)
	}
	if got, want := h.began[0].Identity, (account.Identity{Realm: "staff", Issuer: "https://id.example.com", Subject: "kim"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Only a session of this realm's cookie ends with a sign-in.
func TestBrought(t *testing.T) {
	id := token.NewSessionID()
	for name, c := range map[string]struct {
		refresh token.Refresh
		ends    bool
	}{
		"the realm's cookie":   {token.Refresh{Realm: "staff", Session: id}, true},
		"another realm's":      {token.Refresh{Realm: "members", Session: id}, false},
		"a token of some body": {token.Refresh{Realm: "staff", Session: id, Body: true}, false},
	} {
		h := newHouse(t)
		h.brings["cookie"] = c.refresh
		callback := h.begun(t)
		callback.Brought = "cookie"
		if _, err := h.Finish(t.Context(), callback); err != nil {
			t.Fatal(err)
		}
		brought := h.began[0].Brought
		if (brought != nil) != c.ends || brought != nil && *brought != id {
			t.Errorf("%s: ends %v", name, brought)
		}
	}
}

func TestARefusedPersonIsRecorded(t *testing.T) {
	h := newHouse(t)
	realm := h.Realms["staff"]
	realm.Roles = func(upstream.Person) ([]string, error) { return nil, fault.New(fault.DomainRefused, "") }
	h.Realms["staff"] = realm
	_, err := h.Finish(t.Context(), h.begun(t))
	if fault.CodeOf(err) != fault.DomainRefused || len(h.events) != 1 {
		t.Fatalf("got %v, recorded %+v", err, h.events)
	}
	if got := h.events[0]; got.Outcome != "domain_refused" || got.Realm != "staff" || got.Details["email"] != "kim@example.com" ||
		got.Details["subject"] != "kim" || got.Details["app"] != "tools" {
		t.Errorf("recorded %+v", got)
	}
}
