// Package server is Munjigi's HTTP surface: routes.go shows all of it. A handler decodes, makes one call into the
// domain, and encodes; what goes wrong it returns, and problem.go alone turns that into an answer.
//
// It decides nothing about sessions, holds no state but limits, and reads no store itself.
package server

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/server/admin"
	"github.com/munjigi/munjigi/internal/server/host"
	"github.com/munjigi/munjigi/internal/server/limit"
	"github.com/munjigi/munjigi/internal/server/meter"
	"github.com/munjigi/munjigi/internal/server/signature"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/signin"
	"github.com/munjigi/munjigi/internal/token"
)

// Sessions is what the session routes ask of session.Manager.
type Sessions interface {
	Renew(ctx context.Context, r session.Renewal) (session.Answer, error)
	// Identify and Identified read the store at every call, so an ended session is refused at once.
	Identify(ctx context.Context, refreshToken, realm string) (session.Session, account.Account, error)
	Identified(ctx context.Context, id token.SessionID) (session.Session, account.Account, error)
	// Parse tells which session a refresh token of ours names, live or not, without the store.
	Parse(refreshToken string) (token.Refresh, bool)
	// SignOut is durable when it returns nil; after an error nobody may be told that they are signed out.
	SignOut(ctx context.Context, s session.Session, everywhere bool, c session.Caller) error
}

// Devices lists and ends sessions on behalf of their owner or an administrator. session.Manager does. An end is durable
// when it returns nil.
type Devices interface {
	Sessions(ctx context.Context, account string) ([]session.Session, error)
	Revoke(ctx context.Context, id token.SessionID, actor audit.Actor, from string) (session.Session, error)
	RevokeAccount(ctx context.Context, account string, actor audit.Actor, from string) ([]session.Session, error)
}

// SignIn is signin.Flow.
type SignIn interface {
	SignIn(ctx context.Context, c signin.Credentials) (signin.Entered, error)
	ChangePassword(ctx context.Context, c signin.Change) (device string, err error)
	Start(ctx context.Context, r signin.Request) (signin.Redirect, error)
	Finish(ctx context.Context, c signin.Callback) (signin.Finished, error)
	// Choosing reads what a ticket offers, and uses nothing up.
	Choosing(ticket, realm string) (signin.Choosing, error)
}

// Keys is what keys.Ring shows.
type Keys interface {
	JWKS() []byte
	PublicKeys() []token.PublicKey // those of the JWKS
}

// Feed is session.Feed.
type Feed interface {
	// Page is what the store holds above a cursor, read after the call. store_unavailable.
	Page(ctx context.Context, after session.Cursor, limit int) (token.FeedPage, error)
	// Wait returns when there is something above the cursor, or at the next beat.
	Wait(ctx context.Context, after session.Cursor, limit int) (token.FeedPage, error)
}

// Kind is a realm's way to sign in.
type Kind string

// The kinds.
const (
	OIDC        Kind = "oidc"
	Password    Kind = "password"
	Credentials Kind = "credentials" // as Password, but a service keeps them
)

// Realm is what the sign-in page shows of a realm.
type Realm struct {
	Kind      Kind
	Provider  string // host of its OpenID provider; of OIDC alone
	SignUp    bool   // people may make their own account; of Password alone
	MinLength int    // of a password, in characters; of Password alone
	Forgotten bool   // whoever forgot their password can be sent a link; of Password alone
	URL       string // where its people sign in and its apps call; empty = the server's
}

// Config is what a Server is made of. Every member is required unless it says otherwise.
type Config struct {
	URL          string // the address that people use, and the issuer; links are made from it, never from a request's Host
	CookieDomain string // of the hint cookie; optional
	Console      string // the realm whose administrators these are
	Realms       map[string]Realm
	Apps         map[string]account.App // the console among them; it and Munjigi's own pages have the URL's origin
	// TrustedProxies may tell the caller's address in X-Forwarded-For; none: the peer's address counts.
	TrustedProxies []netip.Prefix

	Sessions  Sessions
	Devices   Devices
	SignIn    SignIn
	Keys      Keys
	Feed      Feed
	Directory session.Directory
	Audit     audit.Log
	Tools     admin.Tools                 // what administrators have beside the above
	Waves     admin.Waves                 // optional: where no realm has a provider
	Links     Links                       // optional: where no realm has passwords
	Office    Office                      // optional: without it there are no services in the console
	Grants    Grants                      // with Office
	Ready     func(context.Context) error // nil when the store can be read and there are keys
	Pages     fs.FS                       // the console: index.html and assets/; optional

	KeysMaxAge time.Duration // how long a JWKS may be cached, at most what keys are published ahead; default a minute
	Limits     Limits
	Registerer prometheus.Registerer // optional
	Now        func() time.Time      // optional
	Log        *slog.Logger
}

// Limits bound what callers may use up. Zero members have the defaults named.
type Limits struct {
	InFlight         int     // requests being answered at once, 2,000
	Bodies           int     // half-sent bodies of one network, 2,000; each may take up 64 KB
	AllBodies        int     // of all networks, 4,000
	Streams          int     // followers of the feed, 10,000
	NetworkStreams   int     // of one network, 2,000; a proxy that is not trusted is one
	SignInsPerSecond float64 // of one address (a company's whole office may be one), 20
	SignInsAtOnce    int     // 600
	LettersPerSecond float64 // letters that one address asks for, 0.2
	LettersAtOnce    int     // 60
}

// Server is an http.Handler. It is safe for concurrent use.
type Server struct {
	Config
	base      *url.URL
	own       string // origin of base
	homes     *host.Homes
	secure    bool // base is https
	origins   map[string]bool
	csrf      *http.CrossOriginProtection // trusts the apps' origins
	mux       *http.ServeMux
	page      *template.Template
	metrics   *meter.Meter
	signed    *signature.Checker
	inFlight  chan struct{}
	bodies    *limit.Bodies
	streams   chan struct{}
	streamsOf *limit.Count
	signIns   *limit.Rate
	letters   *limit.Rate

	stopping context.Context // done once Stop was called
	stop     context.CancelFunc
}

// realmName keeps realms usable in paths and cookie names. A dot, or an ending "-hint" or "-device", would let the cookies
// of one realm be taken for those of another.
var realmName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

// New checks the configuration.
func New(c Config) (*Server, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	c.setDefaults()
	base, err := baseURL(c.URL)
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	s := &Server{
		Config: c, base: base, own: base.Scheme + "://" + base.Host, secure: base.Scheme == "https",
		origins: map[string]bool{}, signed: signature.NewChecker(), csrf: http.NewCrossOriginProtection(), mux: http.NewServeMux(),
		inFlight: make(chan struct{}, c.Limits.InFlight), streams: make(chan struct{}, c.Limits.Streams),
		bodies:    limit.NewBodies(c.Limits.Bodies, c.Limits.AllBodies),
		streamsOf: limit.NewCount(c.Limits.NetworkStreams),
		signIns:   limit.NewRate(c.Limits.SignInsPerSecond, c.Limits.SignInsAtOnce, c.Now),
		letters:   limit.NewRate(c.Limits.LettersPerSecond, c.Limits.LettersAtOnce, c.Now),
	}
	s.stopping, s.stop = context.WithCancel(context.Background())
	if err := errors.Join(s.openHomes(), s.trustOrigins()); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	if s.page, err = template.ParseFS(pageFiles, "page/page.html"); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	if s.metrics, err = meter.New(c.Registerer); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	s.register()
	return s, nil
}

func (c *Config) check() error {
	if c.Sessions == nil || c.Devices == nil || c.SignIn == nil || c.Keys == nil || c.Feed == nil ||
		c.Directory == nil || c.Audit == nil || !c.Tools.Complete() || c.Ready == nil || c.Log == nil {
		return errors.New("a required part is missing")
	}
	if console, ok := c.Apps[account.Console]; !ok || console.Realm != c.Console || console.Body {
		return fmt.Errorf("the app %q must be there, in the realm %q", account.Console, c.Console)
	}
	for name, realm := range c.Realms {
		if realm.Kind == "" {
			return fmt.Errorf("realm %q: of no kind", name)
		}
		if !realmName.MatchString(name) || strings.HasSuffix(name, "-hint") || strings.HasSuffix(name, "-device") || name == "options" || name == "password" {
			return fmt.Errorf("realm %q: use lower-case letters, digits, - and _, not ending in -hint or -device, not \"options\" or \"password\"", name)
		}
	}
	return nil
}

func (c *Config) setDefaults() {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.KeysMaxAge <= 0 {
		c.KeysMaxAge = time.Minute
	}
	l := &c.Limits
	if l.InFlight <= 0 {
		l.InFlight = 2_000
	}
	if l.Bodies <= 0 {
		l.Bodies = 2_000
	}
	if l.AllBodies <= 0 {
		l.AllBodies = 4_000
	}
	if l.Streams <= 0 {
		l.Streams = 10_000
	}
	if l.NetworkStreams <= 0 {
		l.NetworkStreams = 2_000
	}
	if l.SignInsPerSecond <= 0 {
		l.SignInsPerSecond = 20
	}
	if l.SignInsAtOnce <= 0 {
		l.SignInsAtOnce = 600
	}
	if l.LettersPerSecond <= 0 {
		l.LettersPerSecond = 0.2
	}
	if l.LettersAtOnce <= 0 {
		l.LettersAtOnce = 60
	}
}

// baseURL reads the configured address. Without TLS only the machine itself may be served: anywhere else a cookie
// would travel in the clear.
func baseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("url %q: want https://HOST[:PORT] and nothing after it", text)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, fmt.Errorf("url %q: want https, or http on a loopback address", text)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && address.IsLoopback()
}

// trustOrigins collects who may call with a cookie: each app's origins, and ours for the console.
func (s *Server) trustOrigins() error {
	console := s.Apps[account.Console]
	if len(console.Origins) != 0 && (len(console.Origins) != 1 || console.Origins[0] != s.own) {
		return fmt.Errorf("the console's origin is %s and no other", s.own)
	}
	s.origins[s.own] = true
	for _, app := range s.Apps {
		for _, origin := range app.Origins {
			s.origins[origin] = true
		}
	}
	for origin := range s.origins {
		if err := s.csrf.AddTrustedOrigin(origin); err != nil {
			return fmt.Errorf("origin %q: %w", origin, err)
		}
	}
	return nil
}

// Stop ends the streams, which otherwise outlive every http.Server.Shutdown; give it to RegisterOnShutdown.
func (s *Server) Stop() { s.stop() }
