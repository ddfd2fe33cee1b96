package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/catalog"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

// Client is the client_id of the tokens by which services are called.
const Client = "munjigi-gateway"

// Caller is who asks, as the store has them at this moment.
type Caller struct {
	Session  session.Session
	Account  account.Account
	Admin    bool   // may grant operations
	From     string // network address
	Language string // ko or en
	Request  string // id of the request
	// Alive reads the store once more: an error with the session's code when it is over. For calls that last.
	Alive func(ctx context.Context) error
}

func (c Caller) actor() audit.Actor { return audit.Actor{Kind: audit.ByAccount, ID: c.Account.ID} }

// has tells whether the caller has one of roles.
func (c Caller) has(roles []string) bool {
	return slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(c.Account.Roles, role) })
}

// Catalog is catalog.Catalog.
type Catalog interface {
	View(name string) (*catalog.View, bool)
	Names() []string
	Grant(ctx context.Context, name string, ids []string, event audit.Event) error
}

// Keys signs the tokens for services. keys.Ring does.
type Keys interface {
	Active() (kid string, macKeyID uint32)
	Sign(kid string, claims token.Claims) (string, error)
}

// Journal records calls. Each method is one transaction, flushed to disk before it returns.
type Journal interface {
	// Begin records the event and that its end is not known yet, under an id that is new.
	Begin(ctx context.Context, id string, event audit.Event) error
	// End records the event and forgets the id; nothing when it was forgotten before.
	End(ctx context.Context, id string, event audit.Event) error
	// Open are events of calls that began before a time and have not ended, by id, at most so many.
	Open(ctx context.Context, before time.Time, limit int) (map[string]audit.Event, error)
}

// Roles say who may do what with a service.
type Roles struct{ Read, Write, Export []string }

// Limits bound what a service and a caller may use up. Zero members have the defaults named.
type Limits struct {
	InFlight int           // calls of one service under way, 64
	Answer   time.Duration // until a service begins to answer, 30 s
	Stall    time.Duration // between two pieces of a body, either way, 60 s
	Check    time.Duration // between two looks at the session of a call that lasts, 3 s
	Upload   int64         // bytes of a body that is no JSON, 1 GiB
	Body     int64         // bytes of a body that is JSON, 8 MiB
	Download int64         // bytes of an answer, 4 GiB
	Rows     int           // of one export, 5,000,000
}

// Config is what a Gateway is made of. Every member is required unless it says otherwise.
type Config struct {
	Issuer  string // our own address, the tokens' "iss"
	Roles   map[string]Roles
	Catalog Catalog
	Keys    Keys
	Journal Journal
	Log     *slog.Logger

	// Own is Munjigi itself as one more service, by language; optional. Its calls are no business of the gateway's.
	Own map[string]backoffice.Service

	Limits    Limits
	Now       func() time.Time  // optional
	Transport http.RoundTripper // optional
}

// Gateway is safe for concurrent use.
type Gateway struct {
	Config
	tokens   *tokens
	buffers  *buffers
	services map[string]*service
}

// service is one that can be called.
type service struct {
	name   string
	roles  Roles
	places chan struct{} // one is taken while a call is under way: a dead service costs nobody else
	table  atomic.Pointer[table]
	mu     sync.Mutex // held while the table is made
}

// New checks the configuration.
func New(c Config) (*Gateway, error) {
	if c.Issuer == "" || c.Catalog == nil || c.Keys == nil || c.Journal == nil || c.Log == nil {
		return nil, errors.New("gateway: issuer, catalog, keys, journal and log are required")
	}
	c.setDefaults()
	g := &Gateway{Config: c, tokens: newTokens(), buffers: newBuffers(), services: map[string]*service{}}
	for _, name := range c.Catalog.Names() {
		g.services[name] = &service{name: name, roles: c.Roles[name].complete(), places: make(chan struct{}, c.Limits.InFlight)}
	}
	return g, nil
}

// complete fills in what is not configured: nobody but administrators, and an export is a kind of reading.
func (r Roles) complete() Roles {
	if len(r.Write) == 0 {
		r.Write = []string{"admin"}
	}
	if len(r.Read) == 0 {
		r.Read = []string{"admin"}
	}
	r.Read = slices.Compact(slices.Sorted(slices.Values(slices.Concat(r.Read, r.Write))))
	if len(r.Export) == 0 {
		r.Export = r.Read
	}
	return r
}

func (c *Config) setDefaults() {
	l := &c.Limits
	l.InFlight = otherwise(l.InFlight, 64)
	l.Answer = otherwise(l.Answer, 30*time.Second)
	l.Stall = otherwise(l.Stall, 60*time.Second)
	l.Check = otherwise(l.Check, 3*time.Second)
	l.Upload = otherwise(l.Upload, 1<<30)
	l.Body = otherwise(l.Body, 8<<20)
	l.Download = otherwise(l.Download, 4<<30)
	l.Rows = otherwise(l.Rows, 5_000_000)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Transport == nil {
		c.Transport = newTransport(l.Answer, l.InFlight)
	}
}

func otherwise[T int | int64 | time.Duration](value, usual T) T {
	if value <= 0 {
		return usual
	}
	return value
}

// idleLimit is shorter than any usual server's (Node's is 5 s): a service that closes an idle connection just as a write is
// on its way leaves nobody knowing whether it was made.
const idleLimit = 3 * time.Second

// newTransport goes straight to the services: no proxy of the environment, which would read everything on the way to a
// private address, and no decompression, which would let a small answer grow.
func newTransport(answer time.Duration, inFlight int) *http.Transport {
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  answer,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    inFlight,
		IdleConnTimeout:        idleLimit,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// find is a service with what is known of it now. not_found; service_unreachable when its document never came.
func (g *Gateway) find(name string) (*service, *table, error) {
	s, ok := g.services[name]
	view, known := g.Catalog.View(name)
	if !ok || !known || view.State == catalog.Undocumented {
		return nil, nil, fault.New(fault.NotFound, "no service of the console has this name")
	}
	if len(view.Services) == 0 {
		return nil, nil, unreachable(name, "its document has not been read yet: "+string(view.State)+" "+view.Detail)
	}
	return s, s.tableOf(view), nil
}

// tableOf is what a view lets through; made anew when the view is another.
func (s *service) tableOf(view *catalog.View) *table {
	if t := s.table.Load(); t != nil && t.view == view {
		return t
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.table.Load(); t != nil && t.view == view {
		return t
	}
	t := newTable(view)
	s.table.Store(t)
	return t
}

// permit tells why the caller may not run an operation now; nil = they may.
func (s *service) permit(who Caller, t *table, o *backoffice.Operation) error {
	roles := s.roles.Read
	if o.Write() {
		roles = s.roles.Write
	}
	if t.facts[o].new {
		return &fault.Error{Code: fault.OperationNotGranted, Service: s.name}
	}
	return s.guarded(who, o, roles)
}

// guarded tells why the caller may not run an operation that asks for one of roles, and for what its guard does.
func (s *service) guarded(who Caller, o *backoffice.Operation, roles []string) error {
	switch {
	case !who.has(roles):
		return missing(s.name, roles)
	case len(o.Guard.Roles) > 0 && !who.has(o.Guard.Roles):
		return missing(s.name, o.Guard.Roles)
	case o.Guard.Approval > 0:
		return &fault.Error{Code: fault.ApprovalRequired, Service: s.name, Detail: "a second person has to approve this operation, and this version cannot ask one: run it in the service itself"}
	}
	return nil
}

func missing(service string, roles []string) error {
	return &fault.Error{Code: fault.RoleMissing, Service: service, Detail: "one of the roles " + list(roles), Err: rolesError(roles)}
}

// rolesError bears the roles to whoever shows why.
type rolesError []string

func (e rolesError) Error() string { return "roles: " + list(e) }
