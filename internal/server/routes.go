package server

import (
	"net/http"
	"slices"
	"strings"
)

// audience is whose pages may read a route's answers (CORS).
type audience int

const (
	ourselves audience = iota // Munjigi's own pages
	apps                      // the origins of the configured apps, with their cookies
	everybody                 // any page, without cookies
)

// kind sets a route apart from the others.
type kind int

const (
	call       kind = iota
	navigation      // a person goes there: problems are shown as a page
	stream          // may last: not counted among the requests in flight
)

type route struct {
	pattern string
	to      audience
	kind    kind
	handle  handler
}

// routes is the whole surface.
func (s *Server) routes() []route {
	return []route{
		{"GET /sign-in/options", ourselves, call, s.signInOptions},
		{"GET /sign-in/{realm}", ourselves, navigation, s.startSignIn},
		{"GET /sign-in/{realm}/callback", ourselves, navigation, s.finishSignIn},

		{"POST /session", apps, call, s.renew},
		{"GET /session", apps, call, s.whoAmI},
		{"DELETE /session", apps, call, s.signOut},
		{"GET /sessions", apps, call, s.listDevices},
		{"DELETE /sessions/{sid}", apps, call, s.endDevice},

		{"GET /.well-known/openid-configuration", everybody, call, s.discovery},
		{"GET /.well-known/oauth-authorization-server", everybody, call, s.discovery},
		{"GET /.well-known/jwks.json", everybody, call, s.jwks},
		{"GET /revocations", everybody, stream, s.revocations},

		{"GET /admin/sessions", ourselves, call, s.admin(s.listSessions)},
		{"DELETE /admin/sessions/{sid}", ourselves, call, s.admin(s.revokeSession)},
		{"DELETE /admin/accounts/{id}/sessions", ourselves, call, s.admin(s.revokeAccount)},
		{"GET /admin/keys", ourselves, call, s.admin(s.listKeys)},
		{"GET /admin/audit", ourselves, call, s.admin(s.listAudit)},
		{"GET /admin/waves", ourselves, call, s.admin(s.listWaves)},
		{"POST /admin/waves/confirm", ourselves, call, s.admin(s.confirmWave)},
		{"POST /admin/waves/dismiss", ourselves, call, s.admin(s.dismissWave)},

		{"GET /healthz", ourselves, call, s.healthy},
		{"GET /readyz", ourselves, call, s.ready},
		{"GET /munjigi.css", ourselves, call, s.stylesheet},
		{"GET /assets/", ourselves, call, s.asset},
	}
}

// register gives the mux every route and, under each path, an answer to the methods that it does not have. Whatever
// is left is the console's, or nothing.
func (s *Server) register() error {
	methods := map[string][]string{}
	audiences := map[string]audience{}
	for _, route := range s.routes() {
		method, path, _ := strings.Cut(route.pattern, " ")
		s.mux.HandleFunc(route.pattern, s.serve(route))
		methods[path], audiences[path] = append(methods[path], method), route.to
	}
	for path, known := range methods {
		s.mux.HandleFunc(path, s.serve(s.otherMethods(path, audiences[path], known)))
	}
	s.mux.HandleFunc("/", s.serve(route{"/", ourselves, call, s.console}))
	return nil
}

func (s *Server) otherMethods(path string, to audience, known []string) route {
	if slices.Contains(known, http.MethodGet) {
		known = append(slices.Clone(known), http.MethodHead)
	}
	slices.Sort(known)
	return route{path, to, call, func(w *response, r *http.Request) error {
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			return s.preflight(w, r, to, known)
		}
		return methodError{strings.Join(known, ", ")}
	}}
}
