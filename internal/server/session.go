package server

import (
	"net/http"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/server/answer"
	"github.com/munjigi/munjigi/internal/session"
)

// maxCheckAge bounds what a renewal can ask for, well inside a time.Duration: a year in seconds.
const maxCheckAge = 365 * 24 * 3600

type renewBody struct {
	App          string `json:"app"`
	Service      string `json:"service"`
	MaxCheckAge  *int64 `json:"max_check_age"`
	RefreshToken string `json:"refresh_token"`
}

// renew is POST /session. It sets cookies and never takes one away, whatever comes of it.
func (s *Server) renew(w *response, r *http.Request) error {
	var body renewBody
	if err := decode(r, &body); err != nil {
		return err
	}
	app, err := s.app(body.App, "/app")
	if err != nil {
		return err
	}
	if err := s.checkOrigin(r, app); err != nil {
		return err
	}
	renewal := session.Renewal{App: app, Service: body.Service, Body: app.Body, MaxCheckAge: -1, Caller: s.caller(r)}
	if renewal.RefreshToken, err = s.presented(r, app, body.RefreshToken); err != nil {
		return err
	}
	if age := body.MaxCheckAge; age != nil {
		if *age < 0 || *age > maxCheckAge {
			return invalid("/max_check_age", "seconds, 0 or more")
		}
		renewal.MaxCheckAge = time.Duration(*age) * time.Second
	}
	renewed, err := s.Sessions.Renew(r.Context(), renewal)
	if err != nil {
		return err
	}
	if !app.Body {
		s.keep(w, renewed)
	}
	return answer.Ready(w, renewed.JSON)
}

// presented is the refresh token in the app's carrier; in the other one it is refused, not ignored: it should not have
// been there.
func (s *Server) presented(r *http.Request, app account.App, inBody string) (string, error) {
	if app.Body {
		return inBody, nil
	}
	if inBody != "" {
		return "", invalid("/refresh_token", "this app's refresh token is in its cookie")
	}
	return s.refreshOf(r, app.Realm), nil
}

type whoBody struct {
	Account   answer.Account `json:"account"`
	Session   sessionBody    `json:"session"`
	CheckedAt int64          `json:"checked_at,omitempty"`
}

type sessionBody struct {
	ID         string `json:"id"`
	Generation int64  `json:"generation"`
	StartedAt  int64  `json:"started_at"`
	EndsAt     int64  `json:"ends_at"`
}

// whoAmI is GET /session.
func (s *Server) whoAmI(w *response, r *http.Request) error {
	who, err := s.identify(r)
	if err != nil {
		return err
	}
	row := who.session
	return answer.JSON(w, whoBody{
		Account:   answer.Of(who.account),
		Session:   sessionBody{row.ID.String(), row.Rotation.Generation, row.StartedAt.Unix(), row.EndsAt.Unix()},
		CheckedAt: answer.Unix(who.account.CheckedAt),
	})
}

type signOutBody struct {
	App          string `json:"app"`
	RefreshToken string `json:"refresh_token"`
}

// signOut is DELETE /session: 204, also when there was nothing to sign out; but a session that could not be ended is
// never said to be, and then the cookies stay.
func (s *Server) signOut(w *response, r *http.Request) error {
	everywhere := r.URL.Query().Get("everywhere")
	if everywhere != "" && everywhere != "true" && everywhere != "false" {
		return fault.New(fault.RequestInvalid, "everywhere: true or false")
	}
	who, err := s.leaving(w, r)
	if err == nil {
		err = s.Sessions.SignOut(r.Context(), who.session, everywhere == "true", s.caller(r))
	}
	if err != nil && !nothingLeft(err) {
		return err
	}
	s.forgetSession(w, r, who)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// nothingLeft tells that there is no live session behind what was presented.
func nothingLeft(err error) bool {
	return strings.HasPrefix(string(fault.CodeOf(err)), "session_") && fault.CodeOf(err).Status() == http.StatusUnauthorized
}

// leaving is who signs out. An app with its token in the body sends that, everybody else what identify takes. The app
// is known even when its session is not.
func (s *Server) leaving(w *response, r *http.Request) (caller, error) {
	if r.ContentLength == 0 {
		return s.identify(r)
	}
	var body signOutBody
	if err := decode(r, &body); err != nil {
		return caller{}, err
	}
	app, err := s.app(body.App, "/app")
	if err != nil {
		return caller{}, err
	}
	if err := s.checkOrigin(r, app); err != nil {
		return caller{}, err
	}
	refresh, err := s.presented(r, app, body.RefreshToken)
	if err != nil {
		return caller{}, err
	}
	return s.identifyRefresh(r, app, refresh)
}
