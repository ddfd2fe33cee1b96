package service

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/demo/members"
	"github.com/munjigi/munjigi/verify"
)

// StaffRealm is whom a route is for that does not say otherwise.
const StaffRealm = "staff"

// maxCheckAge is what a dangerous route demands: the company confirmed the caller within this time.
const maxCheckAge = 30 * time.Second

// maxBody is the longest body that is read, in bytes.
const maxBody = 1 << 20

// Config is all that a service has to know of Munjigi.
type Config struct {
	Issuer string           // Munjigi's address; pages of its origin may call the service
	Shops  []string         // origins of the members' front ends: their pages may call the routes for members
	Realms []string         // others than the staff whom it admits, each on the routes that name it, and on GET /me
	Log    *slog.Logger     // nil = silent
	Now    func() time.Time // nil = time.Now; what the data are made up around
	Slow   time.Duration    // how long the fault "slow" takes; zero is 20 seconds
}

// Clock is Now, never nil.
func (c Config) Clock() func() time.Time {
	if c.Now != nil {
		return c.Now
	}
	return time.Now
}

// Service is a back end with a private admin API. It knows who calls by the token alone.
type Service struct {
	handler  http.Handler
	verifier *verify.Verifier
}

// Route is one operation. Who may call it follows from its method: any of the staff may read, editors may write.
type Route struct {
	Pattern string
	// Answer is what to say: a value for 200 with JSON, nil for 204, an *Answer for anything else.
	Answer func(r *http.Request) (any, error)
	Admin  bool // for administrators alone
	Fresh  bool // for a person whom the company confirmed just now
	// Need is of a route that is not the staff's; nil = it is.
	Need *verify.Need
}

func (r Route) needs() verify.Need {
	if r.Need != nil {
		return *r.Need
	}
	need := verify.Need{Realm: StaffRealm, Roles: []string{"viewer", "editor", "admin"}}
	if r.writes() {
		need.Roles = []string{"editor", "admin"}
	}
	if r.Admin {
		need.Roles = []string{"admin"}
	}
	if r.Fresh {
		need.MaxCheckAge, need.Fresh = maxCheckAge, true
	}
	return need
}

func (r Route) writes() bool { return !strings.HasPrefix(r.Pattern, http.MethodGet+" ") }

// New is the service of a name: its routes, GET /me, the counters for members and the document. Close ends it.
func New(name string, config Config, document *Document, routes []Route) (*Service, error) {
	origin, err := url.Parse(config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("service %s: %w", name, err)
	}
	realms := append([]string{StaffRealm, members.Realm}, config.Realms...)
	verifier, err := verify.New(verify.Config{Issuer: config.Issuer, Service: name, Realms: realms, Log: config.Log})
	if err != nil {
		return nil, fmt.Errorf("service %s: %w", name, err)
	}
	counters, err := members.Counters(name, verifier)
	if err != nil {
		verifier.Close()
		return nil, err
	}
	once := newOnce(config.Clock())
	mux := http.NewServeMux()
	mux.Handle(members.Path, counters)
	for _, route := range routes {
		mux.Handle(route.Pattern, verifier.Require(route.needs(), once.guard(route.writes(), answering(route.Answer))))
	}
	mux.Handle("GET /me", verifier.Middleware(answering(me)))
	mux.Handle("GET /openapi.json", document)
	faults := newFaults(config)
	served := http.NewServeMux()
	served.Handle("/", faults.failing(admitPages(origin.Scheme+"://"+origin.Host, config.Shops, mux)))
	faults.serve(served, name)
	return &Service{handler: served, verifier: verifier}, nil
}

// me answers with the claims: who is asking, as this service sees it.
func me(r *http.Request) (any, error) { return Caller(r), nil }

// Caller is who asks. The middleware of every route put it there.
func Caller(r *http.Request) verify.Claims {
	claims, _ := verify.FromContext(r.Context())
	return claims
}

// Has tells whether one of the staff has one of the roles.
func Has(r *http.Request, roles ...string) bool {
	claims := Caller(r)
	for _, role := range roles {
		if claims.HasRole(StaffRealm, role) {
			return true
		}
	}
	return false
}

func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	s.handler.ServeHTTP(w, r)
}

// Ready waits until the service knows the keys and the ended sessions.
func (s *Service) Ready(ctx context.Context) error { return s.verifier.Ready(ctx) }

// Close ends what runs in the background.
func (s *Service) Close() { s.verifier.Close() }
