// Package session owns the life of a session: begin, renew, replace, end. What a presented refresh token means is a
// pure decision (Decide), and the answer to it is a pure function of the session's row and the handle (compose).
//
// It speaks no HTTP and no SQL, and it never asks a provider itself.
package session

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/token"
)

// Reason is why a session ended: exactly one, for good.
type Reason string

// The reasons.
const (
	SignedOut   Reason = "signed_out"
	Replaced    Reason = "replaced"
	Revoked     Reason = "revoked"
	CutOff      Reason = "cut_off"
	Unconfirmed Reason = "unconfirmed"
	Reused      Reason = "reused"
	Expired     Reason = "expired"
)

// Session is one sign-in of one account in one browser or device: a row of the store. Times are whole microseconds.
type Session struct {
	ID        token.SessionID
	Account   string // account id
	Realm     string
	App       string // the app that it signed in with
	Body      bool   // carrier: the refresh token travels in bodies, not in a cookie
	Device    string // device class at sign-in, such as "Chrome on Windows"
	From      string // network address at sign-in; shown to its owner and to administrators only
	StartedAt time.Time
	EndsAt    time.Time     // the absolute maximum; no access token outlives it
	AccessMax time.Duration // the longest lifetime of any access token that was signed for it

	HandleHash [sha256.Size]byte // of the refresh tokens' handle; the handle itself is stored nowhere
	Rotation   Rotation          // everything that the current answer is made of
	Lost       []time.Time       // when lost answers were made good, oldest first, only those of the last 24 h
	Ended      *End              // nil while it lives (but see Live)
}

// Rotation is the snapshot that a rotation leaves in the row. It is durable before anybody gets its answer.
type Rotation struct {
	Generation int64 // G
	Presented  int64 // P: the generation whose presentation caused this rotation; -1 at sign-in
	At         time.Time
	IdleUntil  time.Time
	KeyID      string // kid of the signing key
	MACKeyID   uint32 // key of the refresh token's MAC
	Access     time.Duration
	Device     string // device class of whoever caused it
	account.Profile
}

// End is how a session ended.
type End struct {
	Reason Reason
	At     time.Time
	By     string // device class of the session that replaced it; empty for every other reason
}

// Live tells whether the session is neither ended nor expired; expired counts as ended whether or not the row says so.
func (s Session) Live(now time.Time) bool {
	return s.Ended == nil && now.Before(s.EndsAt) && now.Before(s.Rotation.IdleUntil)
}

// Policy is a realm's rule for its sessions. Every member is required; cmd fills in the defaults.
type Policy struct {
	Access     time.Duration // lifetime of an access token, at most token.MaxLifetime
	Idle       time.Duration
	Max        time.Duration
	PerAccount int // live sessions of one account; 0 = no limit
	// PerDeviceClass is how many of them may be on devices of one Class; 0 = no limit.
	PerDeviceClass int
	WhenFull       string // Replace or Refuse
	RenewGrace     time.Duration
	LostAnswers    int // in 24 h
}

// What happens at a sign-in when an account has as many sessions already as the policy lets it have.
const (
	Replace = "replace"
	Refuse  = "refuse"
)

// Beginning is a sign-in that is to become a session.
type Beginning struct {
	Account   account.Account  // Identity and Profile; ID is used only when the identity is new
	Session   Session          // Account is filled in by the store
	Grant     string           // the provider's refresh token, to be sealed; empty keeps the one that is held
	RecheckAt time.Time        // when the grant is due; zero where the realm has no provider
	Secret    int64            // see account.Member; not 0: the account is a member's, and keeps the profile that it has
	Brought   *token.SessionID // the session whose cookie the sign-in brought: ended as signed_out
	End       *token.SessionID // the session that the person chose to end for this one, if any: ended as replaced
	// Legacy is the hash of the legacy token for which the session is begun; nil = none.
	Legacy *[sha256.Size]byte
	Policy Policy
	Event  audit.Event // signed_in; the store fills in Account and Session
}

// Ending ends one session, or all of an account's.
type Ending struct {
	Reason Reason
	At     time.Time
	Actor  audit.Actor
	From   string
}

// Store is what the manager asks of the store. Every method is one transaction, serializable, flushed to disk before
// it returns, together with the audit events and revocation entries it says. It is safe for concurrent use. An error
// without a code becomes store_unavailable; after any error a change may or may not have been made ("done, but the
// answer was lost"), so every caller may be repeated.
type Store interface {
	// Begin finds or makes the account (its version is raised), takes its new profile and grant, ends the session
	// that was brought, makes room as Displaced says, and inserts the session. It returns both as stored.
	// session_cut_off when the account is disabled, credentials_wrong when the member's password is not the one of
	// Secret any more. session_limit (with Sessions []Session) when the policy refuses:
	// nothing begins, and the session that was brought lives on; but the profile and the grant are taken, because a
	// provider may have withdrawn the older grant, and what Displaced ends all the same has ended.
	// A legacy token is exchanged once: if a session of its realm was begun for it before, that one is returned as it
	// stands and nothing is changed; credentials_wrong when it has been cleared away.
	Begin(ctx context.Context, b Beginning) (Session, account.Account, error)

	// Session reads one session and its account as they stand. session_unknown when there is no such row.
	Session(ctx context.Context, id token.SessionID) (Session, account.Account, error)

	// Rotate replaces the session's rotation and lost answers if its generation is still from, it has not ended, and
	// its account is not disabled and has still next.Profile, so that nothing outdated is signed. It raises AccessMax when need
	// be, and returns the row as it now stands: with next when it was done, without it when it was not. event is
	// recorded only when it was done; nil = none.
	Rotate(ctx context.Context, id token.SessionID, from int64, next Rotation, lost []time.Time, event *audit.Event) (Session, error)

	// End ends one session with its revocation entry and audit event, and returns the row. A session that has ended
	// or expired already keeps the end that it has. session_unknown when there is no such row.
	End(ctx context.Context, id token.SessionID, e Ending) (Session, error)

	// EndAccount raises the account's version and ends all its live sessions but except (zero = none), an entry and
	// an event each, and returns those that it ended.
	EndAccount(ctx context.Context, account string, except token.SessionID, e Ending) ([]Session, error)

	// Sessions lists an account's live sessions, newest first.
	Sessions(ctx context.Context, account string, now time.Time) ([]Session, error)
}
