package server

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/server/admin"
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
	probe           // has to be answered however much there is to do: not counted among the requests in flight
	stream          // may last: not counted either
	passage         // is passed on: its body is not read here and may be anything; it may last, and others count it
)

type route struct {
	pattern string
	to      audience
	kind    kind
	handle  handler
}

// routes is the whole surface.
func (s *Server) routes() []route {
	desk := &admin.Desk{Tools: s.Tools, Directory: s.Directory, Devices: s.Devices, Sessions: s.Sessions, Waves: s.Waves, Now: s.Now}
	all := []route{
		{"GET /sign-in/options", ourselves, call, s.signInOptions},
		{"GET /sign-in/{realm}", ourselves, navigation, s.startSignIn},
		{"POST /sign-in/{realm}", apps, call, s.signIn},
		{"GET /sign-in/{realm}/target", ourselves, call, s.signInTarget},
		{"GET /sign-in/{realm}/choice", ourselves, call, s.choosing},
		{"GET /sign-in/{realm}/callback", ourselves, navigation, s.finishSignIn},
		{"GET /sign-in/{realm}/forgotten", ourselves, navigation, s.console},
		{"POST /sign-in/{realm}/forgotten", apps, call, s.forgotten},
		{"GET /sign-in/{realm}/sign-up", ourselves, navigation, s.console},
		{"POST /sign-in/{realm}/sign-up", apps, call, s.signUp},
		{"GET /sign-in/{realm}/password", ourselves, navigation, s.console},
		{"PUT /sign-in/{realm}/password", apps, call, s.setPassword},

		{"POST /session", apps, call, s.renew},
		{"GET /session", apps, call, s.whoAmI},
		{"DELETE /session", apps, call, s.signOut},
		{"GET /sessions", apps, call, s.listDevices},
		{"DELETE /sessions/{sid}", apps, call, s.endDevice},

		{"PUT /account/password", apps, call, s.changePassword},

		{"GET /.well-known/openid-configuration", everybody, call, s.discovery},
		{"GET /.well-known/oauth-authorization-server", everybody, call, s.discovery},
		{"GET /.well-known/jwks.json", everybody, call, s.jwks},
		{"GET /revocations", everybody, stream, s.revocations},

		{"GET /healthz", ourselves, probe, s.healthy},
		{"GET /readyz", ourselves, probe, s.ready},
		{"GET /munjigi.css", ourselves, call, s.stylesheet},
		{"GET /assets/", ourselves, call, s.asset},
	}
	for _, one := range desk.Routes() {
		all = append(all, route{one.Pattern, ourselves, call, s.admin(one.Do)})
	}
	if s.Office != nil {
		all = append(all, []route{
			{"GET /screens", ourselves, call, s.staff(s.Office.Screens)},
			{"GET /screens/{service}", ourselves, call, s.staff(s.Office.Screen)},
			{"GET /admin/services", ourselves, call, s.granting(s.Grants.Services)},
			{"GET /admin/services/{name}", ourselves, call, s.granting(s.Grants.Service)},
			{"GET /admin/services/{name}/operations", ourselves, call, s.granting(s.Grants.Operations)},
			{"POST /admin/services/{name}/operations/grant", ourselves, call, s.granting(s.Grants.Grant)},
		}...)
	}
	return all
}

// passages are what every path and method below is passed on by.
func (s *Server) passages() []route {
	return []route{
		{"/services/", ourselves, passage, s.staff(s.Office.Call)},
		{"/exports/", ourselves, passage, s.staff(s.Office.Export)},
	}
}

// register gives the mux one handler for each path, which chooses by the method. (The mux could, but a path with any
// method and a wider one with GET are a conflict to it.) Whatever is left is the console's, or nothing.
func (s *Server) register() {
	byPath := map[string]map[string]route{}
	for _, one := range s.routes() {
		method, path, _ := strings.Cut(one.pattern, " ")
		if byPath[path] == nil {
			byPath[path] = map[string]route{}
		}
		byPath[path][method] = one
		if method == http.MethodGet {
			byPath[path][http.MethodHead] = one
		}
	}
	for path, byMethod := range byPath {
		s.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			chosen, known := byMethod[r.Method]
			if !known {
				chosen = s.otherMethod(r, path, byMethod)
			}
			s.serve(w, r, chosen)
		})
	}
	rest := route{"/", ourselves, call, s.console}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, rest) })
}

// otherMethod is what a path answers to a method that it does not have. A preflight is for those who may use the method
// that it asks about.
func (s *Server) otherMethod(r *http.Request, path string, known map[string]route) route {
	methods := slices.Sorted(maps.Keys(known))
	to := known[methods[0]].to
	if asked, ok := known[r.Header.Get("Access-Control-Request-Method")]; ok {
		to = asked.to
	}
	return route{path, to, call, func(w *response, r *http.Request) error {
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			return s.preflight(w, r, to, methods)
		}
		return methodError{strings.Join(methods, ", ")}
	}}
}
