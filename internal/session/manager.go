package session

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
)

// Keys signs access tokens and hands out the keys of refresh tokens.
type Keys interface {
	// Active is the key that signs now and the one that new refresh tokens bear.
	Active() (kid string, macKeyID uint32)
	// CanSign tells whether the private half of kid is still here and trusted.
	CanSign(kid string) bool
	// Sign gives the same bytes for the same claims and kid.
	Sign(kid string, claims token.Claims) (string, error)
	MACKey(id uint32) (token.MACKey, bool)
}

// Checker asks the provider about an account now. The worker of package recheck is one.
type Checker interface {
	// Check returns nil once the account's checked_at is later than olderThan, upstream_unavailable when nobody
	// could be asked within a second, and ErrNoGrant when there is nothing to ask with. Where the provider said no
	// it has ended the account's sessions before it returns nil.
	Check(ctx context.Context, account string, olderThan time.Time) error
}

// ErrNoGrant tells that no provider's refresh token is held for an account.
var ErrNoGrant = errors.New("no grant is held")

// Realm is what the manager needs to know of a realm.
type Realm struct {
	Policy Policy
	// CheckEvery and MaxStale are those of the realm's rechecks; zero where nobody is asked.
	CheckEvery, MaxStale time.Duration
}

// Config is what a Manager is made of. Every member but Checker, Woken and Now is required.
type Config struct {
	Issuer  string // "iss": the configured url
	Store   Store
	Lineage LineageStore
	Keys    Keys
	Checker Checker // nil where no realm has a provider
	Realms  map[string]Realm
	Woken   func() // called after every end, to wake the feed
	Now     func() time.Time
	Log     *slog.Logger
}

// Manager begins, renews and ends sessions. It is safe for concurrent use.
type Manager struct {
	Config
	lineage atomic.Pointer[Lineage]
	last    *lastRows
}

// NewManager checks the configuration and reads the store's lineage.
func NewManager(ctx context.Context, c Config) (*Manager, error) {
	if c.Issuer == "" || c.Store == nil || c.Lineage == nil || c.Keys == nil || len(c.Realms) == 0 || c.Log == nil {
		return nil, errors.New("session manager: issuer, store, lineage, keys, realms and log are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Woken == nil {
		c.Woken = func() {}
	}
	m := &Manager{Config: c, last: newLastRows()}
	return m, m.readLineage(ctx)
}

// now is the time in the store's unit, so that what is computed before a write equals what is read after it.
func (m *Manager) now() time.Time { return m.Now().Truncate(time.Microsecond) }

// Caller is who presents something.
type Caller struct {
	Device string // device class
	From   string // network address
}

// SignIn is a person whose identity was proved.
type SignIn struct {
	App       account.App
	Account   string // the id that the account gets if it is new; empty: a random one
	Identity  account.Identity
	Profile   account.Profile
	Grant     string           // the provider's refresh token; empty keeps the one that is held
	RecheckAt time.Time        // when the grant is due
	Secret    int64            // of the member whose password was right; 0 = no password of ours
	Brought   *token.SessionID // the session whose cookie the sign-in brought; it ends
	End       *token.SessionID // the session that the person chose to end for this one, after a session_limit
	Legacy    *Legacy          // the legacy token that proved it; nil = none
	Caller    Caller
}

// Begin turns a sign-in into a session and its first answer. session_limit (with Sessions []Session, those of which one
// has to end) and session_cut_off as Store.Begin; credentials_wrong for a legacy token that was exchanged before.
func (m *Manager) Begin(ctx context.Context, in SignIn) (Answer, error) {
	realm, ok := m.Realms[in.Identity.Realm]
	if !ok {
		return Answer{}, fmt.Errorf("begin session: no realm %q", in.Identity.Realm)
	}
	if m.lineage.Load().RolledBackAt != (time.Time{}) {
		return Answer{}, fault.New(fault.StoreRolledBack, "run `munjigi store recovered`")
	}
	handle, legacy := in.Legacy.use()
	now := m.now()
	begun := m.firstRow(in, realm.Policy, now)
	begun.HandleHash = sha256.Sum256(handle[:])
	row, who, err := m.Store.Begin(ctx, Beginning{
		Account: account.Account{ID: cmp.Or(in.Account, token.NewID()), Identity: in.Identity, Profile: in.Profile},
		Session: begun, Grant: in.Grant, RecheckAt: in.RecheckAt, Secret: in.Secret, Brought: in.Brought, End: in.End,
		Legacy: legacy, Policy: realm.Policy,
		Event: signedIn(in, now),
	})
	m.Woken() // a refused one may have ended a session all the same
	if err != nil {
		return Answer{}, fmt.Errorf("begin session: %w", err)
	}
	if row.ID != begun.ID {
		return m.exchangedBefore(ctx, row, who, in)
	}
	m.last.put(row, who)
	return m.compose(row, asked{app: in.App, handle: handle})
}

func signedIn(in SignIn, now time.Time) audit.Event {
	details := map[string]string{"app": in.App.Name, "device": in.Caller.Device}
	if in.Legacy != nil {
		details["proof"] = "legacy_token" // so that it can be seen how many still come with one
	}
	return audit.Event{
		At: now, Action: audit.SignedIn, Realm: in.Identity.Realm, From: in.Caller.From,
		Actor: audit.Actor{Kind: audit.ByAccount}, Details: details,
	}
}

func (m *Manager) firstRow(in SignIn, policy Policy, now time.Time) Session {
	s := Session{
		ID: token.NewSessionID(), Realm: in.Identity.Realm, App: in.App.Name, Body: in.App.Body,
		Device: in.Caller.Device, From: in.Caller.From, StartedAt: now, EndsAt: now.Add(policy.Max),
		AccessMax: policy.Access,
	}
	s.Rotation = m.rotation(s, policy, now)
	s.Rotation.Presented, s.Rotation.Device, s.Rotation.Profile = -1, in.Caller.Device, in.Profile
	return s
}

// Parse reads a refresh token of ours: its MAC is checked, the store is not asked.
func (m *Manager) Parse(text string) (token.Refresh, bool) {
	refresh, err := token.OpenRefresh(text, m.Keys.MACKey)
	return refresh, err == nil
}

// Identify tells whose live session a refresh token belongs to, checked against the store; nothing is written. A token
// whose answer may have been lost still names the session; an older one, which no honest browser has, does not.
func (m *Manager) Identify(ctx context.Context, text, realm string) (Session, account.Account, error) {
	if text == "" {
		return Session{}, account.Account{}, fault.New(fault.SessionMissing, "")
	}
	refresh, ok := m.Parse(text)
	if !ok || refresh.Realm != realm {
		return Session{}, account.Account{}, fault.New(fault.SessionUnknown, "")
	}
	s, who, err := m.Identified(ctx, refresh.Session)
	if err != nil {
		return Session{}, account.Account{}, err
	}
	last, generation := s.Rotation, refresh.Generation
	if generation > last.Generation {
		return Session{}, account.Account{}, m.rolledBack(ctx, s.ID, s.Account)
	}
	old := generation < last.Generation-1 && generation != last.Presented
	if old || sha256.Sum256(refresh.Handle[:]) != s.HandleHash {
		return Session{}, account.Account{}, fault.New(fault.SessionUnknown, "")
	}
	return s, who, nil
}

// Identified is the live session with this id, and its account. One of a disabled account does not count, though only a
// renewal ends it.
func (m *Manager) Identified(ctx context.Context, id token.SessionID) (Session, account.Account, error) {
	s, who, err := m.Store.Session(ctx, id)
	if err != nil {
		return Session{}, account.Account{}, fmt.Errorf("read session: %w", err)
	}
	if err := m.Ended(s); err != nil {
		return Session{}, account.Account{}, err
	}
	if who.Disabled {
		return Session{}, account.Account{}, fault.New(fault.SessionCutOff, "")
	}
	return s, who, nil
}

// Ended is the fault of a session that ended or expired: which code, and for a replaced one when and by what. nil
// while it lives.
func (m *Manager) Ended(s Session) error {
	switch {
	case s.Live(m.now()):
		return nil
	case s.Ended == nil:
		return fault.New(fault.SessionExpired, "")
	}
	ended := &fault.Error{Code: CodeOf(s.Ended.Reason)}
	if s.Ended.Reason == Replaced {
		ended.ReplacedAt, ended.ReplacedBy = s.Ended.At, s.Ended.By
	}
	return ended
}

// CodeOf is the code by which callers learn of a reason.
func CodeOf(r Reason) fault.Code { return fault.Code("session_" + string(r)) }
