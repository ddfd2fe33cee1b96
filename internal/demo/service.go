package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/demo/members"
	"github.com/munjigi/munjigi/verify"
)

// maxCheckAge is what a dangerous route demands: the company confirmed the caller within this time.
const maxCheckAge = 30 * time.Second

// ServiceConfig is all that a service has to know of Munjigi.
type ServiceConfig struct {
	Issuer string       // Munjigi's address; pages of its origin may call the service
	Shops  []string     // origins of the members' front ends: their pages may call the routes for members
	Realms []string     // others than the staff whom it admits, each on the routes that name it, and on GET /me
	Log    *slog.Logger // nil = silent
}

// Service is a back end with a private admin API. It knows who calls by the token alone.
type Service struct {
	handler  http.Handler
	verifier *verify.Verifier
}

// route is one operation.
type route struct {
	pattern string
	handler http.Handler
	writes  bool // needs a role that may write
	fresh   bool // and a person whom the company confirmed just now
	// need is of a route that is not the staff's; nil = it is.
	need *verify.Need
}

func (r route) needs() verify.Need {
	if r.need != nil {
		return *r.need
	}
	need := verify.Need{Realm: "staff", Roles: []string{"viewer", "editor", "admin"}}
	if r.writes {
		need.Roles = []string{"editor", "admin"}
	}
	if r.fresh {
		need.MaxCheckAge, need.Fresh = maxCheckAge, true
	}
	return need
}

func newService(name string, config ServiceConfig, routes []route) (*Service, error) {
	document, err := data.ReadFile("data/" + name + ".openapi.json")
	if err != nil {
		return nil, fmt.Errorf("service %s: %w", name, err)
	}
	origin, err := url.Parse(config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("service %s: %w", name, err)
	}
	realms := append([]string{"staff", members.Realm}, config.Realms...)
	verifier, err := verify.New(verify.Config{Issuer: config.Issuer, Service: name, Realms: realms, Log: config.Log})
	if err != nil {
		return nil, fmt.Errorf("service %s: %w", name, err)
	}
	counters, err := members.Counters(name, verifier)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(members.Path, counters)
	for _, r := range routes {
		mux.Handle(r.pattern, verifier.Require(r.needs(), r.handler))
	}
	mux.Handle("GET /me", verifier.Middleware(http.HandlerFunc(me)))
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(document) // a client that went away needs no answer
	})
	return &Service{handler: serviceCORS(origin.Scheme+"://"+origin.Host, config.Shops, mux), verifier: verifier}, nil
}

// me answers with the claims: who is asking, as this service sees it.
func me(w http.ResponseWriter, r *http.Request) {
	claims, _ := verify.FromContext(r.Context()) // the middleware put them there
	writeJSON(w, http.StatusOK, claims)
}

func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	s.handler.ServeHTTP(w, r)
}

// Ready waits until the service knows the keys and the ended sessions.
func (s *Service) Ready(ctx context.Context) error { return s.verifier.Ready(ctx) }

// Close ends what runs in the background.
func (s *Service) Close() { s.verifier.Close() }

// serviceCORS lets the staff's pages call the service and read its refusals, and the shops' pages what is for members.
// Everybody else is answered without a word of permission, so that a browser keeps the answer from them.
func serviceCORS(staff string, shops []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header, origin := w.Header(), r.Header.Get("Origin")
		header.Add("Vary", "Origin")
		forMembers := strings.HasPrefix(r.URL.Path, members.Path)
		admitted := !forMembers && origin == staff || forMembers && slices.Contains(shops, origin)
		if admitted {
			header.Set("Access-Control-Allow-Origin", origin)
			header.Set("Access-Control-Expose-Headers", "WWW-Authenticate, Date, Retry-After")
		}
		if r.Method != http.MethodOptions {
			next.ServeHTTP(w, r)
			return
		}
		if admitted {
			header.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
			header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
			header.Set("Access-Control-Max-Age", "600")
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

func readData(file string, into any) error {
	text, err := data.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	return nil
}
