// Package links owns the one-time links by which people set a password without having one: whoever forgot theirs, who
// signs up, and to whom an administrator hands a link. It decides who gets one and what using it does; letters are
// written and sent by mail, away from the request that asked.
//
// It must not tell a caller whether there is an account: it answers before anybody has looked. It keeps no secret of a
// link: the store knows its hash alone.
package links

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/mail"
	"github.com/munjigi/munjigi/internal/session"
)

// The lives of links.
const (
	ForgottenLife = 30 * time.Minute
	SignUpLife    = 24 * time.Hour
	HandedLife    = 24 * time.Hour // by an administrator
)

// Within the window a login is sent at most so many links: a mailbox is not flooded by who knows its address.
const (
	Window = 15 * time.Minute
	most   = 3
)

// Secret is what a link is worth: whoever has it may set one password, once. It prints as nothing.
type Secret string

const (
	redacted = "[redacted]"
	prefix   = "mjl_"
	random   = 32 // bytes
)

// String implements fmt.Stringer.
func (Secret) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (Secret) GoString() string { return redacted }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// NewSecret draws one: 256 random bits, so that its plain hash says nothing of it.
func NewSecret() Secret {
	var bytes [random]byte
	_, _ = rand.Read(bytes[:]) // never fails (crypto/rand)
	return Secret(prefix + base64.RawURLEncoding.EncodeToString(bytes[:]))
}

// Hash is what the store knows of it. Everything that cannot be a secret of ours has none.
func (s Secret) Hash() (hash [sha256.Size]byte, ok bool) {
	text, ours := strings.CutPrefix(string(s), prefix)
	bytes, err := base64.RawURLEncoding.DecodeString(text)
	if !ours || err != nil || len(bytes) != random {
		return hash, false
	}
	return sha256.Sum256([]byte(s)), true
}

// URL is the page where the link is used. The secret is in the fragment: no server sees it in an address, no log and no
// referrer has it.
func (s Secret) URL(base, realm string) string {
	return base + "/sign-in/" + realm + "/password#" + string(s)
}

// Link is one that was made.
type Link struct {
	Hash  [sha256.Size]byte
	Realm string
	// Account whose password it sets; empty: it makes an account for Login.
	Account string
	// Changes is the account.Member's Secret when it was made: once the password has changed, older links are of no use.
	Changes int64
	// Login is the account's, or the one to be: then it is the e-mail, too.
	Login  string
	Name   string // of the account to be
	MadeAt time.Time
	Until  time.Time
}

// Limit is how many links a login may have been sent since a moment, the new one among them; zero is no limit.
type Limit struct {
	Most  int
	Since time.Time
}

// Using is the use of a link.
type Using struct {
	Hash    [sha256.Size]byte
	Encoded string // the new password's hash
	// Fresh is the account that a sign-up makes: everything but its password.
	Fresh account.Member
	At    time.Time
	From  string // network address of the caller
}

// Used is what using a link did.
type Used struct {
	Member account.Member // as it stands now
	Made   bool           // it is a new account
	Ended  []session.Session
}

// Store keeps links. Every method that changes something is one transaction, durable when it returns nil.
type Store interface {
	// Member finds a member by the login, as account.Login gives it.
	Member(ctx context.Context, realm, login string) (m account.Member, found bool, err error)
	// MemberOf finds a member by the account.
	MemberOf(ctx context.Context, account string) (m account.Member, found bool, err error)
	// MakeLink keeps a link and its event, unless the limit of its realm and login is reached: then false. A call that is
	// repeated with the same link changes nothing more.
	MakeLink(ctx context.Context, l Link, limit Limit, event audit.Event) (made bool, err error)
	// Link finds one that can be used at a moment.
	Link(ctx context.Context, hash [sha256.Size]byte, now time.Time) (l Link, found bool, err error)
	// UseLink uses a link up, sets the password (or makes the account), ends all sessions of the account as revoked, and
	// records all of it, in one transaction. session_unknown when the link has been used or is over, when the password has
	// changed since it was made, when the account is disabled, and when a new account's login is taken by now.
	UseLink(ctx context.Context, u Using) (Used, error)
}

// Hasher hashes passwords. account.Hasher does.
type Hasher interface {
	Hash(ctx context.Context, p account.Password) (encoded string, err error)
}

// Post takes letters that are yet to be written. mail.Queue does.
type Post interface {
	// Post returns at once; false when there are too many letters already.
	Post(j mail.Job) bool
}

// Realm is one with passwords.
type Realm struct {
	URL    string // links begin with it: from the configuration, never from a request
	SignUp bool
	Rules  account.PasswordRules
}

// Config is what a Manager is made of. Store, Hasher and Log are required.
type Config struct {
	Realms map[string]Realm
	Store  Store
	Hasher Hasher
	Post   Post   // nil: no mail is configured; then nobody can ask for a link
	Woken  func() // called when sessions have ended; optional
	// Know makes the cookie of a known device, as signin.Flow's does; optional. Who used a link can sign in at once, however
	// much was guessed at the login: else others could lock them out all the same.
	Know func(realm, login string, secret int64) (string, error)
	Now  func() time.Time
	Log  *slog.Logger
}

// Manager makes links and lets them be used. It is safe for concurrent use.
type Manager struct{ Config }

// New checks the configuration.
func New(c Config) (*Manager, error) {
	if c.Store == nil || c.Hasher == nil || c.Log == nil {
		return nil, errors.New("links: store, hasher and log are required")
	}
	if c.Woken == nil {
		c.Woken = func() {}
	}
	if c.Know == nil {
		c.Know = func(string, string, int64) (string, error) { return "", nil }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Manager{c}, nil
}

// now is a moment as the store keeps it.
func (m *Manager) now() time.Time { return m.Now().UTC().Truncate(time.Microsecond) }
