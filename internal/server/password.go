package server

import (
	"net/http"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/server/answer"
	"github.com/munjigi/munjigi/internal/server/front"
	"github.com/munjigi/munjigi/internal/signin"
)

type credentialsBody struct {
	App         string           `json:"app"`
	Login       string           `json:"login"`
	Password    account.Password `json:"password"`
	LegacyToken account.Password `json:"legacy_token"`
	Ticket      string           `json:"ticket"`
	End         string           `json:"end"`
}

// signIn is POST /sign-in/{realm}: a session for a login and a password, or for a ticket and the session that ends for
// it. The ticket may be in a cookie, from a callback. It sets cookies as a renewal does.
func (s *Server) signIn(w *response, r *http.Request) error {
	var body credentialsBody
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
	if err := s.signIns.Take(s.address(r)); err != nil {
		return err
	}
	realm, kept := r.PathValue("realm"), body.Ticket == "" && body.End != ""
	if kept {
		if body.Ticket, err = s.ticketOf(r, realm); err != nil {
			return err
		}
	}
	entered, err := s.SignIn.SignIn(r.Context(), signin.Credentials{
		Realm: realm, App: app.Name, Login: body.Login, Password: body.Password, LegacyToken: body.LegacyToken,
		Ticket: body.Ticket, End: body.End, Device: s.deviceOf(r, realm), Brought: s.refreshOf(r, realm), Caller: s.caller(r),
	})
	if kept {
		err = s.chosen(w, realm, err)
	}
	if err != nil {
		return err
	}
	if !app.Body {
		s.keep(w, entered.Answer)
		s.keepDevice(w, realm, entered.Device)
	}
	return answer.Ready(w, entered.JSON)
}

type changeBody struct {
	Old account.Password `json:"old"`
	New account.Password `json:"new"`
}

// changePassword is PUT /account/password. The session that asks for it lives on, and no other of the account.
func (s *Server) changePassword(w *response, r *http.Request) error {
	who, err := s.identify(r)
	if err != nil {
		return err
	}
	var body changeBody
	if err := decode(r, &body); err != nil {
		return err
	}
	device, err := s.SignIn.ChangePassword(r.Context(), signin.Change{
		Account: who.account, Session: who.session.ID, Old: body.Old, New: body.New,
		Device: s.deviceOf(r, who.account.Realm), Caller: s.caller(r),
	})
	if err != nil {
		return err
	}
	if !who.app.Body {
		s.keepDevice(w, who.account.Realm, device)
	}
	if s.Links != nil {
		s.Links.Changed(who.account.ID, language(r))
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// signInTarget is where a page that signs somebody in goes afterwards: the one that startSignIn would have gone to, or one
// of our own pages. Who names no app gets one of the realm's.
func (s *Server) signInTarget(w *response, r *http.Request) error {
	query, err := single(r, "app", "return_to")
	if err != nil {
		return err
	}
	realm := r.PathValue("realm")
	if _, known := s.Realms[realm]; !known {
		return fault.New(fault.NotFound, "no realm has this name")
	}
	if query["app"] == "" {
		query["app"] = front.AppOf(s.Apps, realm)
	}
	app, known := s.Apps[query["app"]]
	if !known || app.Realm != realm {
		return invalid("/app", "an app of this realm")
	}
	app.Origins = s.originsOf(app)
	target, err := signin.ReturnTo(app, query["return_to"])
	if err != nil {
		return err
	}
	return answer.JSON(w, map[string]string{"app": app.Name, "return_to": target})
}
