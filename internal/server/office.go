package server

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/gateway"
)

// Office is what people of the console's realm reach through us: the screens of the services, their operations, exports.
// gateway.Gateway is. A method returns an error only when it has answered nothing.
type Office interface {
	Screens(w http.ResponseWriter, r *http.Request, who gateway.Caller) error
	Screen(w http.ResponseWriter, r *http.Request, who gateway.Caller) error
	Call(w http.ResponseWriter, r *http.Request, who gateway.Caller) error
	Export(w http.ResponseWriter, r *http.Request, who gateway.Caller) error
}

// Grants is what administrators do with the services' operations. gateway.Gateway does.
type Grants interface {
	Services(w http.ResponseWriter, r *http.Request, who gateway.Caller) error
	Service(w http.ResponseWriter, r *http.Request, who gateway.Caller) error
	Operations(w http.ResponseWriter, r *http.Request, who gateway.Caller) error
	Grant(w http.ResponseWriter, r *http.Request, who gateway.Caller) error
}

type officeHandler func(w http.ResponseWriter, r *http.Request, who gateway.Caller) error

// staff lets people of the console's realm through, by an access token in the header and never by a cookie: what another
// page could have the browser send by itself must not reach a service.
func (s *Server) staff(do officeHandler) handler {
	return func(w *response, r *http.Request) error {
		if r.Header.Get("Authorization") == "" {
			return fault.New(fault.TokenMissing, "send an access token of the audience "+account.ConsoleAudience)
		}
		who, err := s.identifyAccess(r)
		if err != nil {
			return err
		}
		if who.app.Name != account.Console || who.account.Realm != s.Console {
			return fault.New(fault.OriginRefused, "only the console may do this")
		}
		return do(w, r, gateway.Caller{
			Session: who.session, Account: who.account, Admin: slices.Contains(who.account.Roles, adminRole),
			From: s.address(r).String(), Language: language(r), Request: w.id,
			Alive: func(ctx context.Context) error {
				_, _, err := s.Sessions.Identified(ctx, who.session.ID)
				return err
			},
		})
	}
}

// granting is for administrators.
func (s *Server) granting(do officeHandler) handler {
	return s.staff(func(w http.ResponseWriter, r *http.Request, who gateway.Caller) error {
		if !who.Admin {
			return fault.New(fault.RoleMissing, "the role "+adminRole+" in the realm "+s.Console)
		}
		return do(w, r, who)
	})
}

// behind are the routes below which every path is somebody else's. They are found by the raw path, before the mux, which
// would tidy it up.
func (s *Server) behind(r *http.Request) (route, bool) {
	if s.Office == nil {
		return route{}, false
	}
	raw := r.URL.EscapedPath()
	for _, one := range s.passages() {
		if strings.HasPrefix(raw, one.pattern) {
			return one, true
		}
	}
	return route{}, false
}
