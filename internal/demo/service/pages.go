package service

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/demo/members"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/verify"
)

// admitPages lets the staff's pages call the service and read its refusals, and the shops' pages what is for members.
// Everybody else is answered without a word of permission, so that a browser keeps the answer from them.
func admitPages(staff string, shops []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header, origin := w.Header(), r.Header.Get("Origin")
		header.Add("Vary", "Origin")
		forMembers := strings.HasPrefix(r.URL.Path, members.Path)
		admitted := !forMembers && origin == staff || forMembers && slices.Contains(shops, origin)
		if admitted {
			header.Set("Access-Control-Allow-Origin", origin)
			header.Set("Access-Control-Expose-Headers", "WWW-Authenticate, Date, Retry-After, ETag, Location")
		}
		if r.Method != http.MethodOptions {
			next.ServeHTTP(w, r)
			return
		}
		if admitted {
			header.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
			header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, If-Match")
			header.Set("Access-Control-Max-Age", "600")
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// OnThisMachine lets pages on this machine use controls, and refuses those of anywhere else: controls ask for no
// credential, so any site that a developer visits could otherwise press them.
func OnThisMachine(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if origin != "" && !loopbackOrigin(origin) {
			verify.Refuse(w, r, fault.New(fault.OriginRefused, "only pages on this machine"))
			return
		}
		if origin != "" {
			w.Header().Set("Access-Control-Allow-Origin", origin)
		}
		next(w, r)
	})
}

// Preflight answers for controls that OnThisMachine guards.
func Preflight(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
	w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
	w.Header().Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

func loopbackOrigin(origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && IsLoopback(u.Hostname())
}

// IsLoopback tells whether a host name or address is this machine and no other.
func IsLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address := net.ParseIP(host)
	return address != nil && address.IsLoopback()
}
