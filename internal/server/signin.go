package server

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/server/answer"
	"github.com/munjigi/munjigi/internal/server/body"
	"github.com/munjigi/munjigi/internal/signin"
)

type realmBody struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Provider string `json:"provider,omitempty"` // of oidc
	SignUp   bool   `json:"sign_up,omitempty"`  // of password, as is what follows
	Forgot   bool   `json:"forgotten,omitempty"`
	Least    int    `json:"min_length,omitempty"` // characters of a password
}

// signInOptions is what the sign-in page offers: the realms that are at the address where it was asked.
func (s *Server) signInOptions(w *response, r *http.Request) error {
	list, console := []realmBody{}, ""
	for name, realm := range s.Realms {
		if s.homes.Of(name) != s.homes.At(r) {
			continue
		}
		list = append(list, realmBody{name, string(realm.Kind), realm.Provider, realm.SignUp, realm.Forgotten, realm.MinLength})
	}
	slices.SortFunc(list, func(a, b realmBody) int { return strings.Compare(a.Name, b.Name) })
	if s.AtOffice(r) {
		console = s.Console
	}
	return answer.JSON(w, map[string]any{"realms": list, "console": console})
}

// startSignIn sends the browser to the realm's provider. It changes nothing here but a cookie of its own.
func (s *Server) startSignIn(w *response, r *http.Request) error {
	if dest := r.Header.Get("Sec-Fetch-Dest"); dest != "" && dest != "document" {
		return fault.New(fault.OriginRefused, "a sign-in is a page of its own")
	}
	if err := s.signIns.Take(s.address(r)); err != nil {
		return err
	}
	query, err := single(r, "app", "return_to", "login_hint")
	if err != nil {
		return err
	}
	wish := signin.Request{Realm: r.PathValue("realm"), App: query["app"], ReturnTo: query["return_to"], LoginHint: query["login_hint"]}
	realm, known := s.Realms[wish.Realm]
	if !known {
		return fault.New(fault.NotFound, "no realm has this name")
	}
	if realm.Kind != OIDC {
		return s.console(w, r) // whose page asks for login and password
	}
	if wish.App == "" && wish.Realm == s.Console {
		wish.App = account.Console
	}
	way, err := s.SignIn.Start(r.Context(), wish)
	if fault.CodeOf(err) == fault.UpstreamUnavailable {
		return s.backToSignIn(w, r, err, signin.Finished{App: wish.App})
	}
	if err != nil {
		return err
	}
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		// Another site must not sign anybody in by a mere link: its owner's account, say, instead of the person's.
		return s.showButton(w, r, wish)
	}
	s.dropAttempts(w, r)
	return s.goTo(w, way)
}

// goTo leaves for the provider, with the attempt in a cookie.
func (s *Server) goTo(w *response, way signin.Redirect) error {
	s.setAttempt(w, way.Name, way.Cookie, signin.AttemptLife)
	return redirect(w, way.URL)
}

// redirect is 303: whatever brought the browser here, it goes on with a GET.
func redirect(w *response, to string) error {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// finishSignIn is where the provider sends the browser back to. Whatever comes of it the attempt is over; a session's
// cookies are set only when one has begun.
func (s *Server) finishSignIn(w *response, r *http.Request) error {
	if err := s.signIns.Take(s.address(r)); err != nil {
		return err
	}
	query, err := single(r, "state", "code", "iss", "error")
	if err != nil {
		return s.backToSignIn(w, r, err, signin.Finished{})
	}
	realm, attempt := r.PathValue("realm"), s.attemptOf(r, query["state"])
	done, err := s.SignIn.Finish(r.Context(), signin.Callback{
		Realm: realm, Cookie: attempt, State: query["state"], Code: query["code"], Issuer: query["iss"], Error: query["error"],
		Brought: s.refreshOf(r, realm), Caller: s.caller(r),
	})
	if attempt != "" {
		s.setAttempt(w, signin.AttemptName(query["state"]), "", 0)
	}
	if limit, full := errors.AsType[*fault.Error](err); full && limit.Ticket != "" {
		s.setChoice(w, realm, limit.Ticket)
	}
	switch {
	case err != nil:
		return s.backToSignIn(w, r, err, done)
	case done.Again != nil:
		return s.goTo(w, *done.Again)
	}
	s.keep(w, done.Answer)
	return redirect(w, done.ReturnTo)
}

// backToSignIn shows the sign-in page with the reason, and with the way to where the person wanted to go: the console's
// page, or that of the realm for its members, and for whoever may choose there.
func (s *Server) backToSignIn(w *response, r *http.Request, err error, done signin.Finished) error {
	w.code, w.err = fault.CodeOf(err), err
	query := url.Values{"reason": {string(w.code)}, "request": {w.id}}
	own, page, realm := s.homes.Own(r), "/sign-in", r.PathValue("realm")
	if s.Realms[realm].Kind == OIDC && (realm != s.Console || w.code == fault.SessionLimit) {
		page += "/" + realm + "/again"
	}
	if target, ours := strings.CutPrefix(done.ReturnTo, own+"/"); ours && page == "/sign-in" {
		query.Set("return_to", "/"+target)
	} else if done.ReturnTo != "" {
		query.Set("app", done.App)
		query.Set("return_to", done.ReturnTo)
	}
	return redirect(w, own+page+"?"+query.Encode())
}

// single reads query parameters of which each may be there once (RFC 6749 §3.1). Others are passed over.
func single(r *http.Request, names ...string) (map[string]string, error) {
	const longest = 8 << 10
	all, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(r.URL.RawQuery) > longest {
		return nil, fault.Wrap(fault.RequestInvalid, errors.Join(err, errors.New("query too long or malformed")))
	}
	one := map[string]string{}
	for _, name := range names {
		values := all[name]
		if len(values) > 1 {
			return nil, invalid(body.Pointer(name), "sent twice")
		}
		if len(values) == 1 {
			one[name] = values[0]
		}
	}
	return one, nil
}
