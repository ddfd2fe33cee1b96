package admin

import (
	"context"
	"net/http"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/server/answer"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

type sessionBody struct {
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

func sessionOf(row session.Session, who account.Account) sessionBody {
	return sessionBody{
		row.ID.String(), answer.Of(who), row.App, row.Device, row.From, row.StartedAt.Unix(),
		row.Rotation.At.Unix(), row.EndsAt.Unix(), answer.Unix(who.CheckedAt),
	}
}

// ListSessions is GET /admin/sessions: who is signed in.
func (d *Desk) ListSessions(w http.ResponseWriter, r *http.Request, _ Caller) error {
	limit, err := limitOf(r, 50)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	list, next, err := d.signedIn(r.Context(), query.Get("app"), session.Query{
		Realm: query.Get("realm"), Search: query.Get("search"), After: query.Get("after"), Limit: limit, Now: d.Now(),
	})
	if err != nil {
		return err
	}
	return answer.JSON(w, map[string]any{"sessions": list, "next": next})
}

// mostReads bounds how many pages are read for one: of an app that hardly anybody uses, an answer may be short, and
// goes on at next.
const mostReads = 20

// signedIn is a page of those who signed in with an app, "" = any. The store cannot look for an app.
func (d *Desk) signedIn(ctx context.Context, app string, q session.Query) (list []sessionBody, next string, err error) {
	list, limit := []sessionBody{}, q.Limit
	for range mostReads {
		q.Limit = limit - len(list)
		page, after, err := d.Directory.SignedIn(ctx, q)
		if err != nil {
			return nil, "", err
		}
		for _, row := range page {
			if app == "" || row.App == app {
				list = append(list, sessionOf(row.Session, row.Account))
			}
		}
		if next, q.After = after, after; app == "" || after == "" || len(list) == limit {
			break
		}
	}
	return list, next, nil
}

// ShowSession is GET /admin/sessions/{sid}.
func (d *Desk) ShowSession(w http.ResponseWriter, r *http.Request, _ Caller) error {
	id, err := token.ParseSessionID(r.PathValue("sid"))
	if err != nil {
		return fault.Wrap(fault.NotFound, err)
	}
	row, who, err := d.Sessions.Identified(r.Context(), id)
	if over(err) {
		return fault.New(fault.NotFound, "no session that is alive has this id")
	}
	if err != nil {
		return err
	}
	return answer.JSON(w, sessionOf(row, who))
}

// over tells that a session is not alive. As a 401 it would tell the administrator to sign in.
func over(err error) bool {
	switch fault.CodeOf(err) {
	case fault.SessionUnknown, fault.SessionExpired, fault.SessionSignedOut, fault.SessionReplaced, fault.SessionRevoked,
		fault.SessionCutOff, fault.SessionUnconfirmed, fault.SessionReused:
		return true
	}
	return false
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
	return done(w, err)
}

// done is the answer of what answers nothing.
func done(w http.ResponseWriter, err error) error {
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
