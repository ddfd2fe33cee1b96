// Package admin is what administrators ask for under /admin: accounts, sessions, keys, the audit, the waves. Who they
// are, and that they are administrators, was decided before it is called.
package admin

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/lookup"
	"github.com/munjigi/munjigi/internal/recheck"
	"github.com/munjigi/munjigi/internal/self"
	"github.com/munjigi/munjigi/internal/server/answer"
	"github.com/munjigi/munjigi/internal/server/body"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

// Devices lists an account's sessions, and ends some on behalf of an administrator. session.Manager does. An end is durable
// when it returns nil.
type Devices interface {
	Sessions(ctx context.Context, account string) ([]session.Session, error)
	Revoke(ctx context.Context, id token.SessionID, actor audit.Actor, from string) (session.Session, error)
	RevokeAccount(ctx context.Context, account string, actor audit.Actor, from string) ([]session.Session, error)
}

// Sessions reads sessions. session.Manager does.
type Sessions interface {
	// Identified is a live one with its account; of any other the error bears the code of its end.
	Identified(ctx context.Context, id token.SessionID) (session.Session, account.Account, error)
}

// Waves is recheck.Worker.
type Waves interface {
	Waves(ctx context.Context) ([]recheck.Wave, error)
	ConfirmWave(ctx context.Context, provider string, actor audit.Actor) error
	DismissWave(ctx context.Context, provider string, actor audit.Actor) error
}

// Desk answers administrators. Every member is required, but Waves where no realm has a provider.
type Desk struct {
	Tools
	Directory session.Directory
	Devices   Devices
	Sessions  Sessions
	Waves     Waves
	Now       func() time.Time
}

// Tools are what only administrators use. Every member is required.
type Tools struct {
	Keys    Keys
	Lookup  lookup.Store
	Members Members
	Links   Links
	// CheckMember tells what is wrong with a realm for a new member, or with a role there; role "" is not looked at.
	CheckMember func(realm, role string) error
	Woken       func() // called when sessions have ended
}

// Complete tells whether nothing is missing.
func (t Tools) Complete() bool {
	return t.Keys != nil && t.Lookup != nil && t.Members != nil && t.Links != nil && t.CheckMember != nil && t.Woken != nil
}

// Route is one of the routes under /admin.
type Route struct {
	Pattern string
	Do      func(w http.ResponseWriter, r *http.Request, who Caller) error
}

// Caller is the administrator who asks.
type Caller struct {
	Actor    audit.Actor
	From     string // network address
	Language string // ko or en
}

// Document is GET /admin/openapi.json: what all of these are, for machines.
func (d *Desk) Document(w http.ResponseWriter, _ *http.Request, who Caller) error {
	text, err := self.Document(who.Language)
	if err != nil {
		return err
	}
	w.Header().Add("Vary", "Accept-Language")
	return answer.Ready(w, text)
}

// limitOf is the page size that was asked for.
func limitOf(r *http.Request, otherwise int) (int, error) {
	const most = 200
	text := r.URL.Query().Get("limit")
	if text == "" {
		return otherwise, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > most {
		return 0, fault.New(fault.RequestInvalid, "limit: 1 to "+strconv.Itoa(most))
	}
	return limit, nil
}

type waveBody struct {
	Provider string     `json:"provider"`
	Since    int64      `json:"since"`
	People   int        `json:"people"`
	Held     []heldBody `json:"held"`
}

type heldBody struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
}

// ListWaves is GET /admin/waves: unusual numbers of people gone at once, waiting for a decision.
func (d *Desk) ListWaves(w http.ResponseWriter, r *http.Request, _ Caller) error {
	list := []waveBody{}
	if d.Waves == nil {
		return answer.JSON(w, map[string]any{"waves": list})
	}
	waves, err := d.Waves.Waves(r.Context())
	if err != nil {
		return err
	}
	for _, wave := range waves {
		held := make([]heldBody, len(wave.Held))
		for i, person := range wave.Held {
			held[i] = heldBody{person.ID, person.Email, person.Name}
		}
		list = append(list, waveBody{wave.Provider, wave.Since.Unix(), wave.People, held})
	}
	return answer.JSON(w, map[string]any{"waves": list})
}

type waveDecision struct {
	Provider string `json:"provider"`
}

// ConfirmWave is POST /admin/waves/confirm: they are gone indeed.
func (d *Desk) ConfirmWave(w http.ResponseWriter, r *http.Request, who Caller) error {
	return d.decideWave(w, r, func(provider string) error {
		return d.Waves.ConfirmWave(r.Context(), provider, who.Actor)
	})
}

// DismissWave is POST /admin/waves/dismiss: the provider was wrong, ask it again.
func (d *Desk) DismissWave(w http.ResponseWriter, r *http.Request, who Caller) error {
	return d.decideWave(w, r, func(provider string) error {
		return d.Waves.DismissWave(r.Context(), provider, who.Actor)
	})
}

func (d *Desk) decideWave(w http.ResponseWriter, r *http.Request, decide func(provider string) error) error {
	var sent waveDecision
	if err := body.Decode(r, &sent); err != nil {
		return err
	}
	if d.Waves == nil || sent.Provider == "" {
		return &fault.Error{Code: fault.RequestInvalid, Fields: []fault.Field{{Pointer: "/provider", Detail: "the issuer of a provider with a wave"}}}
	}
	if err := decide(sent.Provider); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
