package server

import (
	"net/http"
	"slices"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/server/admin"
)

// adminRole, in the console's realm, is what all of /admin asks for.
const adminRole = "admin"

// admin lets administrators through, by what the store says of their session and their roles at this moment. Only the
// console's pages: another app of the realm may hold the same cookie, but nobody trusts its script with this.
func (s *Server) admin(do func(w http.ResponseWriter, r *http.Request, who admin.Caller) error) handler {
	return func(w *response, r *http.Request) error {
		who, err := s.identify(r)
		if err != nil {
			return err
		}
		if who.app.Name != account.Console {
			return fault.New(fault.OriginRefused, "only the console may administer")
		}
		if who.account.Realm != s.Console || !slices.Contains(who.account.Roles, adminRole) {
			return fault.New(fault.RoleMissing, "the role "+adminRole+" in the realm "+s.Console)
		}
		return do(w, r, admin.Caller{Actor: actorOf(who), From: s.caller(r).From, Language: language(r)})
	}
}
