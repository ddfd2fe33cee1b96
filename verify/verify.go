package verify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
)

// Config says whom to believe and what to admit. Issuer, Service and Realms are required; every other zero value works.
type Config struct {
	// Issuer is the address of Munjigi, exactly as its configuration's url and the tokens' iss have it.
	Issuer string
	// Service is this service's own name. Only tokens that are for it are admitted.
	Service string
	// Realms are the populations that are admitted. There is no "all": a service for the staff must not admit
	// members by an oversight. Munjigi's own calls are admitted by routes alone, see Munjigi.
	Realms []string

	// PublicKeyFile holds the issuer's public keys, as PEM, JWK or JWKS, when they shall not be fetched. A PEM key is
	// known by the id that Munjigi gives its keys. The file is read once.
	PublicKeyFile string
	// KeysMaxAge is how long the last good key set is used while the issuer cannot be asked; 24 hours.
	KeysMaxAge time.Duration

	// MaxAge is how old the view of ended sessions may be before it counts as stale; 3 seconds.
	MaxAge time.Duration
	// FailClosed refuses every request while the view is stale (revocations_stale). Without it the service goes on:
	// tokens live for minutes only. A single route demands the same with Need.Fresh.
	FailClosed bool

	// Leeway is how far our clock and the issuer's may be apart; 2 seconds, at most a minute.
	Leeway time.Duration
	// CacheTokens is how many tokens are remembered, about 2 KB each; 16,384.
	CacheTokens int
	// InsecureHTTP admits an issuer at http:// that is not on this machine. Whoever is on the way can then forge
	// keys, and with them anybody's token.
	InsecureHTTP bool

	// Client makes the requests to the issuer. Its time-out, redirects and cookies are not used; nil is one with
	// time-outs of its own.
	Client *http.Client
	// Log hears when the issuer is lost and when it is back; nil is silent. No token is ever logged.
	Log *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Verifier checks access tokens. It is safe for concurrent use. Make one for the whole service, and close it.
type Verifier struct {
	config Config // with the defaults filled in
	leeway int64  // seconds, rounded up

	trust atomic.Pointer[trust]
	view  atomic.Pointer[view]
	keys  *keySource
	feed  *follower

	ready  chan struct{} // closed, once, when keys and a first page of the feed are there
	once   sync.Once
	life   context.Context // ends with Close; everything in the background hangs on it
	stop   context.CancelFunc
	done   sync.WaitGroup
	client *http.Client
}

// New makes a verifier and starts to fetch the issuer's keys and to follow its feed. It does not wait for them: a
// service starts also when the issuer is down, and answers upstream_unavailable until it has keys (see Ready).
func New(config Config) (*Verifier, error) {
	if err := config.complete(); err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	v := &Verifier{config: config, leeway: ceilSeconds(config.Leeway), ready: make(chan struct{}), client: newClient(config.Client)}
	v.view.Store(&view{shelves: &shelves{}})
	v.trust.Store(v.newTrust(nil, nil))
	v.keys = &keySource{v: v}
	v.feed = &follower{v: v}
	if config.PublicKeyFile != "" {
		if err := v.keys.read(config.PublicKeyFile); err != nil {
			return nil, fmt.Errorf("verify: %w", err)
		}
	}
	v.life, v.stop = context.WithCancel(context.Background())
	if config.PublicKeyFile == "" {
		v.keys.begin()
		v.done.Go(func() { v.keys.run(v.life) })
	}
	v.done.Go(func() { v.feed.run(v.life) })
	return v, nil
}

// complete fills in defaults and refuses what would admit more than its author meant.
func (c *Config) complete() error {
	issuer, err := url.Parse(c.Issuer)
	switch {
	case c.Issuer == "" || err != nil || issuer.Host == "" || issuer.User != nil || issuer.RawQuery != "" || issuer.Fragment != "":
		return errors.New("want the Issuer: the address of Munjigi, such as https://office.example.com")
	case issuer.Scheme != "https" && (issuer.Scheme != "http" || !c.InsecureHTTP && !isLoopback(issuer.Hostname())):
		return errors.New("want an Issuer at https:// (http:// only on this machine, or with InsecureHTTP)")
	case c.Service == "":
		return errors.New("want the Service: the name of this service, which its tokens have as audience")
	case len(c.Realms) == 0 || slices.Contains(c.Realms, ""):
		return errors.New("want Realms: at least one to admit, such as staff, and none without a name")
	case slices.Contains(c.Realms, Munjigi):
		return errors.New("want Realms without " + Munjigi + ": its own calls are admitted by the routes that are made for them, with Need.Realm")
	case c.Leeway < 0 || c.Leeway > token.Skew:
		return fmt.Errorf("want a Leeway of at most %s: ended sessions are remembered no longer than that", token.Skew)
	case c.MaxAge < 0 || c.KeysMaxAge < 0 || c.CacheTokens < 0:
		return errors.New("want no negative MaxAge, KeysMaxAge or CacheTokens")
	}
	c.Realms = slices.Clone(c.Realms)
	c.MaxAge = orDefault(c.MaxAge, 3*time.Second)
	c.KeysMaxAge = orDefault(c.KeysMaxAge, 24*time.Hour)
	c.Leeway = orDefault(c.Leeway, 2*time.Second)
	c.CacheTokens = orDefault(c.CacheTokens, 16<<10)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// ceilSeconds rounds up: a part of a second is not taken away from anybody.
func ceilSeconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

func isLoopback(host string) bool {
	address := net.ParseIP(host)
	return host == "localhost" || address != nil && address.IsLoopback()
}

// Close ends the following of the feed and the fetching of keys, and waits until nothing of it runs any more.
func (v *Verifier) Close() {
	v.keys.mu.Lock() // no fetch may begin while we wait
	v.stop()
	v.keys.mu.Unlock()
	v.done.Wait()
	v.client.CloseIdleConnections()
}

// Ready waits until the verifier has keys and a first view of ended sessions, or ctx is done. A service may call it
// before it says that it is ready; it need not.
func (v *Verifier) Ready(ctx context.Context) error {
	select {
	case <-v.ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("verify: wait for %s: %w", v.config.Issuer, ctx.Err())
	}
}

// Munjigi is the realm of the calls that Munjigi itself makes, such as the question whether a password is right. A route
// that is made for them says Need{Realm: Munjigi}: it admits them, and no person. Every other route refuses them.
const Munjigi = token.Ourselves

// Need is what one route asks beyond a valid token. The zero value asks nothing.
type Need struct {
	// Realm admits this realm alone. It must be named with Roles when the verifier admits more than one.
	Realm string
	// Roles admits accounts that have at least one of these roles in Realm; else role_missing.
	Roles []string
	// MaxCheckAge admits only people whom the identity provider has confirmed within this time (and Leeway); else
	// token_stale_check, upon which the app renews with max_check_age.
	MaxCheckAge time.Duration
	// Fresh demands a view of ended sessions not older than Config.MaxAge; else revocations_stale.
	Fresh bool
}

// Verify checks one token: the text behind "Bearer ". The claims are valid only when the error is nil. An error bears
// one of the protocol's codes, see CodeOf.
func (v *Verifier) Verify(ctx context.Context, raw string) (Claims, error) {
	return v.Check(ctx, raw, Need{})
}

// Check is Verify for a route that needs more. ctx bounds only the wait for a key that is not known yet.
func (v *Verifier) Check(ctx context.Context, raw string, need Need) (Claims, error) {
	if len(raw) > token.MaxAccessSize { // before anything looks at all of it
		return Claims{}, fault.New(fault.TokenMalformed, "the token is too long")
	}
	trust := v.trust.Load()
	s := trust.seen.find(raw)
	known := s != nil
	if !known {
		var err error
		if s, trust, err = v.read(ctx, raw); err != nil {
			return Claims{}, err
		}
	}
	now := v.config.Now()
	if err := v.admit(s, now, need); err != nil {
		return Claims{}, err
	}
	if !known { // only now: tokens for others, or dead ones, shall not push ours out
		trust.seen.put(s, now.Unix())
	}
	if err := v.alive(s, now, need.Fresh); err != nil {
		return Claims{}, err
	}
	if err := v.satisfies(s, now, need); err != nil {
		return Claims{}, err
	}
	return s.claims, nil
}

// read is the first sight of a token. Until its signature holds, the answer tells nothing but its shape. It returns
// the keys that it was judged by: the token may be remembered with these only.
func (v *Verifier) read(ctx context.Context, raw string) (*seen, *trust, error) {
	if raw == "" {
		return nil, nil, fault.New(fault.TokenMissing, "send the access token as Authorization: Bearer")
	}
	jws, err := token.ParseJWS(raw)
	if errors.Is(err, token.ErrHeader) {
		return nil, nil, fault.Wrap(fault.TokenInvalid, err)
	}
	if err != nil {
		return nil, nil, fault.Wrap(fault.TokenMalformed, err)
	}
	if !jws.Header.IsAccessToken() {
		return nil, nil, fault.New(fault.TokenInvalid, "not an access token")
	}
	trust, key, err := v.keys.find(ctx, jws.Header.KeyID)
	if err != nil {
		return nil, nil, err
	}
	if err := jws.Verify(key); err != nil {
		return nil, nil, fault.Wrap(fault.TokenInvalid, err)
	}
	claims, err := jws.Claims()
	if err != nil {
		return nil, nil, fault.Wrap(fault.TokenMalformed, err)
	}
	if err := v.genuine(claims); err != nil {
		return nil, nil, err
	}
	return newSeen(raw, claims), trust, nil
}

// genuine judges what the token alone decides, once.
func (v *Verifier) genuine(c token.Claims) error {
	if c.Issuer != v.config.Issuer {
		return fault.New(fault.TokenInvalid, "the token is of another issuer")
	}
	if c.IssuedAt < 0 || c.ExpiresAt <= c.IssuedAt || c.ExpiresAt-c.IssuedAt > int64(token.MaxLifetime/time.Second) {
		return fault.New(fault.TokenInvalid, "the token lives longer than one hour, or not at all")
	}
	return nil
}

// admit judges realm, audience and time.
func (v *Verifier) admit(s *seen, now time.Time, need Need) error {
	seconds, leeway := now.Unix(), v.leeway
	switch {
	case !slices.Contains(v.config.Realms, s.claims.Realm) && (need.Realm != Munjigi || s.claims.Realm != Munjigi):
		return fault.New(fault.TokenInvalid, "the token is of a realm that is not admitted here")
	case !slices.Contains(s.claims.audience, v.config.Service):
		return fault.New(fault.TokenWrongAudience, "the token is for another service")
	case s.issued > seconds+leeway || s.nbf > seconds+leeway:
		return fault.New(fault.TokenNotYetValid, "the token was issued in the future")
	case s.expires <= seconds-leeway:
		return fault.New(fault.TokenExpired, "the token has expired")
	}
	return nil
}

// alive judges whether the session still lives, as far as the view knows.
func (v *Verifier) alive(s *seen, now time.Time, fresh bool) error {
	view := v.view.Load()
	if entry, ended := view.find(s.feed); ended {
		return endOf(s.session, entry.box)
	}
	if (fresh || v.config.FailClosed) && v.stale(view, now) {
		return &fault.Error{Code: fault.RevocationsStale, Detail: "the view of ended sessions is too old", RetryAfter: time.Second}
	}
	return nil
}

func (v *Verifier) stale(view *view, now time.Time) bool {
	return view.asOf.IsZero() || now.Sub(view.asOf) > v.config.MaxAge
}

// endOf tells how a session ended. A box that cannot be opened is no reason to let anybody in.
func endOf(session token.SessionID, box string) error {
	ended, err := session.OpenEnd(box)
	code := fault.Code("session_" + ended.Reason)
	if err != nil || code.Status() != http.StatusUnauthorized {
		return fault.Wrap(fault.SessionRevoked, err)
	}
	if code == fault.SessionReplaced {
		return &fault.Error{Code: code, ReplacedAt: ended.At, ReplacedBy: ended.By}
	}
	return &fault.Error{Code: code}
}

// ambiguous tells a need that forgot to say in which realm its roles count.
func (v *Verifier) ambiguous(need Need) bool {
	return len(need.Roles) > 0 && need.Realm == "" && len(v.config.Realms) > 1
}

// satisfies judges what the route needs.
func (v *Verifier) satisfies(s *seen, now time.Time, need Need) error {
	if v.ambiguous(need) {
		return fault.New(fault.Internal, "roles without a realm, where several realms are admitted")
	}
	if need.Realm != "" && need.Realm != s.claims.Realm {
		return fault.New(fault.RoleMissing, "this is for another realm")
	}
	if len(need.Roles) > 0 && !slices.ContainsFunc(need.Roles, func(role string) bool { return slices.Contains(s.claims.roles, role) }) {
		return fault.New(fault.RoleMissing, "none of the account's roles allows this")
	}
	if need.MaxCheckAge > 0 && now.Sub(time.Unix(s.checked, 0)) > need.MaxCheckAge+v.config.Leeway {
		return &fault.Error{Code: fault.TokenStaleCheck, Detail: "renew with max_check_age", MaxCheckAge: need.MaxCheckAge}
	}
	return nil
}

// CodeOf is the protocol's code of a refusal, such as "token_expired", "session_cut_off" or "role_missing"; "" for nil.
func CodeOf(err error) string { return string(fault.CodeOf(err)) }

// Stats is the verifier's state, for metrics.
type Stats struct {
	ViewAge time.Duration // since the store was read; negative before the first page
	Stale   bool          // ViewAge is over Config.MaxAge, or there is no view yet
	Entries int           // ended sessions in the view
	Keys    int           // keys that are trusted
	KeysAge time.Duration // since the key set was fetched; negative without one, 0 with PublicKeyFile
	Cached  int           // tokens that are remembered
}

// Stats reads the state.
func (v *Verifier) Stats() Stats {
	view, trust, now := v.view.Load(), v.trust.Load(), v.config.Now()
	stats := Stats{ViewAge: -1, Stale: v.stale(view, now), Entries: view.entries, Keys: len(trust.keys), Cached: int(trust.seen.count.Load())}
	if !view.asOf.IsZero() {
		stats.ViewAge = now.Sub(view.asOf)
	}
	stats.KeysAge = v.keys.age(now)
	return stats
}

// settled closes ready, once, when both halves are there. The caller is whoever brought one of them.
func (v *Verifier) settled() {
	if !v.trust.Load().known || v.view.Load().asOf.IsZero() {
		return
	}
	v.once.Do(func() { close(v.ready) })
}
