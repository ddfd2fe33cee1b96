package server

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

// adminRole, in the console's realm, is what all of /admin asks for.
const adminRole = "admin"

// admin lets administrators through, by what the store says of their session and their roles at this moment. Only the
// console's pages: another app of the realm may hold the same cookie, but nobody trusts its script with this.
func (s *Server) admin(do func(w *response, r *http.Request, who caller) error) handler {
	return func(w *response, r *http.Request) error {
		who, err := s.identify(r)
		if err != nil {
			return err
		}
		if who.app.Name != account.Console {
			return fault.New(fault.OriginRefused, "only the console may administer")
		}
		if who.account.Realm != s.Console || !slices.Contains(who.account.Roles, adminRole) {
			return fault.New(fault.RoleMissing, "the role "+adminRole+" in the realm "+s.Console)
		}
		return do(w, r, who)
	}
}

type listedBody struct {
	ID        string      `json:"id"`
	Account   accountBody `json:"account"`
	App       string      `json:"app"`
	Device    string      `json:"device"`
	From      string      `json:"from"`
	StartedAt int64       `json:"started_at"`
	RenewedAt int64       `json:"renewed_at"`
	EndsAt    int64       `json:"ends_at"`
	CheckedAt int64       `json:"checked_at,omitempty"`
}

// listSessions is GET /admin/sessions: who is signed in.
func (s *Server) listSessions(w *response, r *http.Request, _ caller) error {
	limit, err := limitOf(r, 50)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	page, next, err := s.Directory.SignedIn(r.Context(), session.Query{
		Realm: query.Get("realm"), Search: query.Get("search"), After: query.Get("after"), Limit: limit, Now: s.Now(),
	})
	if err != nil {
		return err
	}
	list := make([]listedBody, len(page))
	for i, row := range page {
		list[i] = listedBody{
			row.ID.String(), accountOf(row.Account), row.App, row.Device, row.From, row.StartedAt.Unix(),
			row.Rotation.At.Unix(), row.EndsAt.Unix(), unix(row.Account.CheckedAt),
		}
	}
	return s.encode(w, map[string]any{"sessions": list, "next": next})
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

// revokeSession is DELETE /admin/sessions/{sid}.
func (s *Server) revokeSession(w *response, r *http.Request, who caller) error {
	id, err := token.ParseSessionID(r.PathValue("sid"))
	if err != nil {
		return fault.Wrap(fault.NotFound, err)
	}
	_, err = s.Devices.Revoke(r.Context(), id, actorOf(who), s.caller(r).From)
	if fault.CodeOf(err) == fault.SessionUnknown { // a 401 would tell the administrator to sign in
		return fault.New(fault.NotFound, "no session has this id")
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// revokeAccount is DELETE /admin/accounts/{id}/sessions.
func (s *Server) revokeAccount(w *response, r *http.Request, who caller) error {
	ended, err := s.Devices.RevokeAccount(r.Context(), r.PathValue("id"), actorOf(who), s.caller(r).From)
	if err != nil {
		return err
	}
	return s.encode(w, map[string]any{"ended": len(ended)})
}

type keyBody struct {
	ID          string `json:"id"`
	Algorithm   string `json:"algorithm"`
	CreatedAt   int64  `json:"created_at"`
	ActiveAt    int64  `json:"active_at,omitempty"`
	RetiredAt   int64  `json:"retired_at,omitempty"`
	WithdrawnAt int64  `json:"withdrawn_at,omitempty"`
}

// listKeys is GET /admin/keys: when each was made, used, retired.
func (s *Server) listKeys(w *response, _ *http.Request, _ caller) error {
	records := s.Keys.Records()
	list := make([]keyBody, len(records))
	for i, key := range records {
		list[i] = keyBody{key.ID, key.Algorithm, unix(key.CreatedAt), unix(key.ActiveAt), unix(key.RetiredAt), unix(key.WithdrawnAt)}
	}
	return s.encode(w, map[string]any{"keys": list})
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

// listAudit is GET /admin/audit, to look at; whoever wants the proof exports it.
func (s *Server) listAudit(w *response, r *http.Request, _ caller) error {
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
	records, err := s.Audit.Records(r.Context(), after, limit)
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
	return s.encode(w, map[string]any{"records": list, "next": next})
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

// listWaves is GET /admin/waves: unusual numbers of people gone at once, waiting for a decision.
func (s *Server) listWaves(w *response, r *http.Request, _ caller) error {
	list := []waveBody{}
	if s.Waves == nil {
		return s.encode(w, map[string]any{"waves": list})
	}
	waves, err := s.Waves.Waves(r.Context())
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
	return s.encode(w, map[string]any{"waves": list})
}

type waveDecision struct {
	Provider string `json:"provider"`
}

// confirmWave is POST /admin/waves/confirm: they are gone indeed.
func (s *Server) confirmWave(w *response, r *http.Request, who caller) error {
	return s.decideWave(w, r, func(provider string) error {
		return s.Waves.ConfirmWave(r.Context(), provider, actorOf(who))
	})
}

// dismissWave is POST /admin/waves/dismiss: the provider was wrong, ask it again.
func (s *Server) dismissWave(w *response, r *http.Request, who caller) error {
	return s.decideWave(w, r, func(provider string) error {
		return s.Waves.DismissWave(r.Context(), provider, actorOf(who))
	})
}

func (s *Server) decideWave(w *response, r *http.Request, decide func(provider string) error) error {
	var body waveDecision
	if err := decode(r, &body); err != nil {
		return err
	}
	if s.Waves == nil || body.Provider == "" {
		return invalid("/provider", "the issuer of a provider with a wave")
	}
	if err := decide(body.Provider); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
