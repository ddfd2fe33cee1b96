package server

import (
	"context"
	"net/http"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/links"
	"github.com/munjigi/munjigi/internal/server/answer"
)

// Links is links.Manager. Neither Forgotten nor SignUp waits, and neither tells whether there is such an account.
type Links interface {
	Forgotten(a links.Asking) error
	SignUp(a links.Asking) error
	SetPassword(ctx context.Context, s links.Setting) (device string, err error)
	Changed(account, language string) // a letter to its owner
}

type forgottenBody struct {
	App   string `json:"app"`
	Login string `json:"login"`
}

// forgotten is POST /sign-in/{realm}/forgotten: a letter with a link, if there is such an account. The answer is the same
// in any case.
func (s *Server) forgotten(w *response, r *http.Request) error {
	var body forgottenBody
	if err := decode(r, &body); err != nil {
		return err
	}
	if err := s.mayAsk(r, body.App); err != nil {
		return err
	}
	err := s.Links.Forgotten(links.Asking{
		Realm: r.PathValue("realm"), Login: body.Login, Language: language(r), From: s.address(r).String(),
	})
	return s.asked(w, err)
}

type signUpBody struct {
	App   string `json:"app"`
	Email string `json:"email"`
	Name  string `json:"name"`
}

// signUp is POST /sign-in/{realm}/sign-up: a letter with a link that makes the account.
func (s *Server) signUp(w *response, r *http.Request) error {
	var body signUpBody
	if err := decode(r, &body); err != nil {
		return err
	}
	if err := s.mayAsk(r, body.App); err != nil {
		return err
	}
	err := s.Links.SignUp(links.Asking{
		Realm: r.PathValue("realm"), Login: body.Email, Name: body.Name, Language: language(r), From: s.address(r).String(),
	})
	return s.asked(w, err)
}

// mayAsk holds for whoever asks for a letter: a page of an app of this realm, or one of ours that acts for it; and not
// too often, because each letter bothers somebody.
func (s *Server) mayAsk(r *http.Request, name string) error {
	app, err := s.app(name, "/app")
	if err != nil {
		return err
	}
	if app.Realm != r.PathValue("realm") {
		return invalid("/app", "an app of this realm")
	}
	if s.Links == nil {
		return fault.New(fault.NotFound, "no realm here has passwords")
	}
	if err := s.checkOrigin(r, app); err != nil {
		return err
	}
	return s.letters.Take(s.address(r))
}

// asked is the one answer to whoever asked for a letter.
func (s *Server) asked(w *response, err error) error {
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	return answer.Ready(w, []byte("{}\n"))
}

type passwordBody struct {
	Link     links.Secret     `json:"link"`
	Password account.Password `json:"password"`
}

// setPassword is PUT /sign-in/{realm}/password: who has a link sets a password, and is signed out everywhere.
func (s *Server) setPassword(w *response, r *http.Request) error {
	var body passwordBody
	if err := decode(r, &body); err != nil {
		return err
	}
	realm := r.PathValue("realm")
	if s.Links == nil {
		return fault.New(fault.NotFound, "no realm here has passwords")
	}
	if err := s.checkRealmOrigin(r, realm); err != nil {
		return err
	}
	if err := s.signIns.Take(s.address(r)); err != nil {
		return err
	}
	device, err := s.Links.SetPassword(r.Context(), links.Setting{
		Realm: realm, Link: body.Link, Password: body.Password, Language: language(r), From: s.address(r).String(),
	})
	if err != nil {
		return err
	}
	s.keepDevice(w, realm, device)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// checkRealmOrigin admits our own pages and those of the realm's apps: a link belongs to no app.
func (s *Server) checkRealmOrigin(r *http.Request, realm string) error {
	for _, app := range s.Apps {
		if app.Realm == realm && s.checkOrigin(r, app) == nil {
			return nil
		}
	}
	return fault.New(fault.OriginRefused, "not a page of the realm")
}
