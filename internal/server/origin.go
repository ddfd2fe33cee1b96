package server

import (
	"net/http"
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
)

// appHeader names the app in requests that have no body.
const appHeader = "Munjigi-App"

// app finds an app by the name that a request gave it.
func (s *Server) app(name, at string) (account.App, error) {
	app, ok := s.Apps[name]
	if !ok {
		return account.App{}, invalid(at, "the name of an app")
	}
	return app, nil
}

// originsOf is where an app's pages live, and our own at its realm's address: people sign in and look after their account
// there, on behalf of the app that they came from.
func (s *Server) originsOf(app account.App) []string {
	own := s.own
	if home := s.homes.Of(app.Realm); home != nil {
		own = home.Own
	}
	if slices.Contains(app.Origins, own) {
		return app.Origins
	}
	return append(slices.Clone(app.Origins), own)
}

// checkOrigin refuses a request that another page than one of the app's could have caused. What it stops: any site that
// the person looks at calling us with the person's cookie, and one app acting for another.
func (s *Server) checkOrigin(r *http.Request, app account.App) error {
	if err := s.homes.Check(r, app.Realm); err != nil {
		return err
	}
	origin, site := r.Header.Values("Origin"), r.Header.Get("Sec-Fetch-Site")
	if app.Body {
		// Its token is in the body, so no browser adds it by itself; one that calls all the same is some page's.
		if len(origin) != 0 || site != "" {
			return fault.New(fault.OriginRefused, "this app has no pages")
		}
		return nil
	}
	if site == "cross-site" || len(origin) > 1 {
		return fault.New(fault.OriginRefused, "the request comes from another site")
	}
	origins := s.originsOf(app)
	switch {
	case len(origin) == 1 && slices.Contains(origins, origin[0]):
		return nil
	case len(origin) == 1:
		return fault.New(fault.OriginRefused, "not an origin of this app")
	case changes(r.Method):
		return fault.New(fault.OriginRefused, "send an Origin")
	case site == "" || site == "none" || site == "same-origin" && slices.Contains(origins, s.homes.Own(r)):
		return nil // a browser sends no Origin with a GET to its own origin
	}
	return fault.New(fault.OriginRefused, "not a page of this app")
}

func changes(method string) bool { return method != http.MethodGet && method != http.MethodHead }

// exposed are the headers that script of another origin may read: Date tells it the server's clock.
const exposed = "Date, Retry-After, WWW-Authenticate, Munjigi-Request"

// share sets the CORS headers of a route. Errors bear them too: a page must be able to read why it was refused.
func (s *Server) share(w http.ResponseWriter, r *http.Request, to audience) {
	header := w.Header()
	switch to {
	case everybody:
		header.Set("Access-Control-Allow-Origin", "*")
		header.Set("Access-Control-Expose-Headers", exposed)
	case apps:
		header.Add("Vary", "Origin")
		if origin := r.Header.Get("Origin"); s.origins[origin] {
			header.Set("Access-Control-Allow-Origin", origin)
			header.Set("Access-Control-Allow-Credentials", "true")
			header.Set("Access-Control-Expose-Headers", exposed)
		}
	}
}

// preflight answers whether a page may ask at all; whether it may for the app that it names is checkOrigin's.
func (s *Server) preflight(w http.ResponseWriter, r *http.Request, to audience, methods []string) error {
	asked := r.Header.Get("Access-Control-Request-Method")
	if to == ourselves || to == apps && !s.origins[r.Header.Get("Origin")] {
		return fault.New(fault.OriginRefused, "not an origin of an app")
	}
	if !slices.Contains(methods, asked) {
		return methodError{strings.Join(methods, ", ")}
	}
	header := w.Header()
	header.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, "+appHeader)
	header.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return nil
}
