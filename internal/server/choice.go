package server

import (
	"errors"
	"net/http"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/server/answer"
	"github.com/munjigi/munjigi/internal/signin"
)

// A sign-in that comes back from a provider and finds no room leaves its ticket in a cookie: not in the address, where
// histories and logs would have it, and where a stranger could put a ticket of their own.

func (s *Server) choiceCookie(realm string) string {
	name := "munjigi.choice." + realm // no realm has a dot in its name
	if s.secure {
		return hostPrefix + name
	}
	return name
}

// setChoice keeps a ticket, or with "" takes it away.
func (s *Server) setChoice(w http.ResponseWriter, realm, ticket string) {
	seconds := int(signin.TicketLife / time.Second)
	if ticket == "" {
		seconds = -1
	}
	http.SetCookie(w, &http.Cookie{
		Name: s.choiceCookie(realm), Value: ticket, Path: "/", MaxAge: seconds,
		Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteStrictMode, // our own page alone uses it
	})
}

// ticketOf is credentials_wrong without a ticket, as with one that is over.
func (s *Server) ticketOf(r *http.Request, realm string) (string, error) {
	cookie, err := r.Cookie(s.choiceCookie(realm))
	if err != nil || cookie.Value == "" {
		return "", fault.New(fault.CredentialsWrong, "there is nothing to choose any more: sign in again")
	}
	return cookie.Value, nil
}

// choosing is GET /sign-in/{realm}/choice: what our page shows somebody who came back from a provider and found no room.
func (s *Server) choosing(w *response, r *http.Request) error {
	ticket, err := s.ticketOf(r, r.PathValue("realm"))
	if err != nil {
		return err
	}
	choosing, err := s.SignIn.Choosing(ticket, r.PathValue("realm"))
	if err != nil {
		return err
	}
	return answer.JSON(w, choosing)
}

// chosen keeps the cookie up with what came of its ticket: used up, or replaced by another one where there is still no
// room. The new one, too, is in the cookie alone.
func (s *Server) chosen(w http.ResponseWriter, realm string, err error) error {
	switch limit, _ := errors.AsType[*fault.Error](err); fault.CodeOf(err) {
	case fault.SessionLimit:
		s.setChoice(w, realm, limit.Ticket)
		return &fault.Error{Code: fault.SessionLimit, Sessions: limit.Sessions, Err: err}
	case "", fault.CredentialsWrong:
		s.setChoice(w, realm, "")
	}
	return err
}
