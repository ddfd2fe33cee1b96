package server

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/server/front"
	"github.com/munjigi/munjigi/internal/server/host"
)

// openHomes reads the addresses of all realms.
func (s *Server) openHomes() (err error) {
	own := map[string]string{}
	for name, realm := range s.Realms {
		own[name] = realm.URL
	}
	own[s.Console] = ""
	s.homes, err = host.New(s.own, own)
	return err
}

// checkHost refuses what is not answered at the address that a request was sent to. What is for machines is answered at
// each, and under any other name: a probe, or a service that fetches keys, uses whatever address it has for us.
func (s *Server) checkHost(r *http.Request, to route) error {
	if s.homes.One() || to.to == everybody || to.kind == probe {
		return nil
	}
	realm := r.PathValue("realm")
	if realm == "" {
		realm = front.RealmOf(r.URL.Path)
	}
	if s.homes.Of(realm) != nil {
		return s.homes.Check(r, realm)
	}
	if s.AtOffice(r) {
		return nil
	}
	if s.homes.At(r) == nil || !s.forMembers(r, to) {
		return s.homes.Check(r, s.Console)
	}
	return nil
}

// forMembers tells what a realm's own address has besides the realm: the page to sign in on and what that needs, and
// calls, which name their app. All else is the office's.
func (s *Server) forMembers(r *http.Request, to route) bool {
	if to.pattern != "/" {
		return !isOffices(to.pattern)
	}
	file := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	return r.URL.Path == "/sign-in" || file != "index.html" && s.isFile(file)
}

// isOffices tells the routes that the console alone calls.
func isOffices(pattern string) bool {
	_, path, method := strings.Cut(pattern, " ")
	if !method {
		path = pattern
	}
	return slices.ContainsFunc([]string{"/admin/", "/screens", "/services/", "/exports/"}, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

// AtOffice tells whether a request was sent to the address of the console, for what is added to it.
func (s *Server) AtOffice(r *http.Request) bool {
	at := s.homes.At(r)
	return at != nil && at.Office
}

// hintDomain is the domain of a realm's hint cookie; "" where cookie_domain does not hold the realm's address, because
// a browser takes no cookie for a domain that the answer does not come from.
func (s *Server) hintDomain(realm string) string {
	own, domain := s.own, strings.TrimPrefix(s.CookieDomain, ".")
	if home := s.homes.Of(realm); home != nil {
		own = home.Own
	}
	if at := account.Host(own); at != domain && !strings.HasSuffix(at, "."+domain) {
		return ""
	}
	return s.CookieDomain
}
