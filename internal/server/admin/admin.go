// Package admin is what administrators ask for under /admin: who is signed in, the keys, the audit, the waves. Who they
// are, and that they are administrators, was decided before it is called.
package admin

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/recheck"
	"github.com/munjigi/munjigi/internal/self"
	"github.com/munjigi/munjigi/internal/server/answer"
	"github.com/munjigi/munjigi/internal/server/body"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

// Devices ends sessions on behalf of an administrator. session.Manager does. An end is durable when it returns nil.
type Devices interface {
	Revoke(ctx context.Context, id token.SessionID, actor audit.Actor, from string) (session.Session, error)
	RevokeAccount(ctx context.Context, account string, actor audit.Actor, from string) ([]session.Session, error)
}

// Keys is what keys.Ring shows.
type Keys interface {
	Records() []keys.Record
}

// Waves is recheck.Worker.
type Waves interface {
	Waves(ctx context.Context) ([]recheck.Wave, error)
	ConfirmWave(ctx context.Context, provider string, actor audit.Actor) error
	DismissWave(ctx context.Context, provider string, actor audit.Actor) error
}

// Desk answers administrators. Every member is required, but Waves where no realm has a provider.
type Desk struct {
	Directory session.Directory
	Devices   Devices
	Keys      Keys
	Audit     audit.Log
	Waves     Waves
	Now       func() time.Time
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

type listedBody struct {
	ID        string         `json:"id"`
	Account   answer.Account `json:"account"`
	App       string         `json:"app"`
	Device    string         `json:"device"`
	From      string         `json:"from"`
	StartedAt int64          `json:"started_at"`
	RenewedAt int64          `json:"renewed_at"`
	EndsAt    int64          `json:"ends_at"`
	CheckedAt int64          `json:"checked_at,omitempty"`
}

// ListSessions is GET /admin/sessions: who is signed in.
func (d *Desk) ListSessions(w http.ResponseWriter, r *http.Request, _ Caller) error {
	limit, err := limitOf(r, 50)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	page, next, err := d.Directory.SignedIn(r.Context(), session.Query{
		Realm: query.Get("realm"), Search: query.Get("search"), After: query.Get("after"), Limit: limit, Now: d.Now(),
	})
	if err != nil {
		return err
	}
	list := make([]listedBody, len(page))
	for i, row := range page {
		list[i] = listedBody{
			row.ID.String(), answer.Of(row.Account), row.App, row.Device, row.From, row.StartedAt.Unix(),
			row.Rotation.At.Unix(), row.EndsAt.Unix(), answer.Unix(row.Account.CheckedAt),
		}
	}
	return answer.JSON(w, map[string]any{"sessions": list, "next": next})
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

// RevokeSession is DELETE /admin/sessions/{sid}.
func (d *Desk) RevokeSession(w http.ResponseWriter, r *http.Request, who Caller) error {
	id, err := token.ParseSessionID(r.PathValue("sid"))
	if err != nil {
		return fault.Wrap(fault.NotFound, err)
	}
	_, err = d.Devices.Revoke(r.Context(), id, who.Actor, who.From)
	if fault.CodeOf(err) == fault.SessionUnknown { // a 401 would tell the administrator to sign in
		return fault.New(fault.NotFound, "no session has this id")
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// RevokeAccount is DELETE /admin/accounts/{id}/sessions.
func (d *Desk) RevokeAccount(w http.ResponseWriter, r *http.Request, who Caller) error {
	ended, err := d.Devices.RevokeAccount(r.Context(), r.PathValue("id"), who.Actor, who.From)
	if err != nil {
		return err
	}
	return answer.JSON(w, map[string]any{"ended": len(ended)})
}

type keyBody struct {
	ID          string `json:"id"`
	State       string `json:"state"` // next, active, retired, withdrawn
	Algorithm   string `json:"algorithm"`
	CreatedAt   int64  `json:"created_at"`
	ActiveAt    int64  `json:"active_at,omitempty"`
	RetiredAt   int64  `json:"retired_at,omitempty"`
	WithdrawnAt int64  `json:"withdrawn_at,omitempty"`
}

// ListKeys is GET /admin/keys: when each was made, used, retired.
func (d *Desk) ListKeys(w http.ResponseWriter, _ *http.Request, _ Caller) error {
	records := d.Keys.Records()
	list := make([]keyBody, len(records))
	for i, key := range records {
		list[i] = keyBody{key.ID, key.State(), key.Algorithm, answer.Unix(key.CreatedAt), answer.Unix(key.ActiveAt), answer.Unix(key.RetiredAt), answer.Unix(key.WithdrawnAt)}
	}
	return answer.JSON(w, map[string]any{"keys": list})
}

type eventBody struct {
	N       int64             `json:"n"`
	At      int64             `json:"at"`
	Action  audit.Action      `json:"action"`
	Realm   string            `json:"realm,omitempty"`
	Account string            `json:"account,omitempty"`
	Session string            `json:"session,omitempty"`
	Actor   actorBody         `json:"actor"`
	Outcome string            `json:"outcome,omitempty"`
	From    string            `json:"from,omitempty"`
	Details map[string]string `json:"details,omitempty"`
}

type actorBody struct {
	Kind string `json:"kind"`
	ID   string `json:"id,omitempty"`
}

// ListAudit is GET /admin/audit, to look at; whoever wants the proof exports it.
func (d *Desk) ListAudit(w http.ResponseWriter, r *http.Request, _ Caller) error {
	limit, err := limitOf(r, 100)
	if err != nil {
		return err
	}
	after := int64(0)
	if text := r.URL.Query().Get("after"); text != "" {
		if after, err = strconv.ParseInt(text, 10, 64); err != nil || after < 0 {
			return fault.New(fault.RequestInvalid, "after: the number of a record")
		}
	}
	records, err := d.Audit.Records(r.Context(), after, limit)
	if err != nil {
		return err
	}
	list, next := make([]eventBody, len(records)), int64(0)
	for i, e := range records {
		list[i] = eventBody{
			e.N, e.At.Unix(), e.Action, e.Realm, e.Account, e.Session,
			actorBody{e.Actor.Kind, e.Actor.ID},
			e.Outcome, e.From, e.Details,
		}
	}
	if len(records) == limit {
		next = records[limit-1].N
	}
	return answer.JSON(w, map[string]any{"records": list, "next": next})
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
