// Package recheck is the background worker that keeps asking the providers whether each signed-in person is still
// valid: leases, jitter, rate limit, circuit breaker, the wave. What a provider said is upstream's to tell; what an
// ended session is, session's.
package recheck

import (
	"context"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/session"
)

// Grant is the refresh token that a provider gave us for an account, leased to this worker.
type Grant struct {
	Account  account.Account // with its profile as last confirmed
	Provider string          // issuer
	Version  int64           // raised whenever the token is replaced; every method below applies only to this version
	Token    string          // the provider's refresh token, unsealed
	// Rotates tells whether the provider is known, or has to be feared, to rotate refresh tokens: true until a Valid
	// answer came without a new one.
	Rotates bool
	// Intent is when this version was presented without a definite answer since; zero = never.
	Intent time.Time
	// GoneAt is when the provider said no during a wave; the verdict waits for an administrator. Zero = not held.
	GoneAt time.Time
	DueAt  time.Time
	// LeasedUntil is the end of the lease, and its name: no two leases of a version end at the same time.
	LeasedUntil time.Time
	Failed      int // Unknown verdicts since the last definite one
}

// Due is what LeaseDue looks for.
type Due struct {
	Provider   string
	Now, Until time.Time // Until is the end of the leases
	// Latest is the latest time at which a grant can be due next. One that is due later was put off by a clock that was
	// ahead, and counts as due. Zero = there is no such time.
	Latest time.Time
	Limit  int
}

// Store is the worker's view of the grants. Each method is one serializable, flushed transaction with its audit events.
// A grant whose version is no longer the one given is left alone and (false, nil) returned: somebody signed in anew.
type Store interface {
	Leases
	// Confirm takes a Valid verdict: profile, token (empty = the same), next due time; closes the intent, ends the lease.
	// A changed role or name is an audit event of its own (person_changed).
	Confirm(ctx context.Context, g Grant, c Confirmation) (ok bool, err error)
	// Gone takes a Gone verdict: erases the grant, raises the account's version, ends every live session of it with
	// the reason of e (cut_off or unconfirmed), and returns those.
	Gone(ctx context.Context, g Grant, e session.Ending, event audit.Event) (ended []session.Session, err error)
	// Postpone takes an Unknown verdict: next due time; the intent stays open if keepIntent; ends the lease.
	Postpone(ctx context.Context, g Grant, dueAt time.Time, keepIntent bool) (ok bool, err error)
}

// Leases hand a grant to one caller at a time, until its lease is over or another method ends it. Intend, Release and
// Store.Postpone leave a grant alone as well whose lease is somebody else's by now; a verdict is none the less true for
// that, so Confirm and Gone do not ask.
type Leases interface {
	// LeaseDue leases at most limit grants of the provider that are due, not held, not leased, and whose account has
	// a live session; the most overdue first.
	LeaseDue(ctx context.Context, d Due) ([]Grant, error)
	// Lease leases one account's grant, due or not. ok is false when it has none (g is zero then) or when somebody
	// else has the lease (g.Account.ID is set then).
	Lease(ctx context.Context, account string, now, until time.Time) (g Grant, ok bool, err error)
	// Intend records, before the token is presented, that it will be, and has the lease end at until.
	Intend(ctx context.Context, g Grant, now, until time.Time) (ok bool, err error)
	// Release gives back a grant that was not presented, as it was leased: with the intent of g.
	Release(ctx context.Context, g Grant) (ok bool, err error)
}

// Confirmation is a Valid verdict.
type Confirmation struct {
	Profile account.Profile
	Token   string
	DueAt   time.Time
}

// Wave is an unusual number of people gone at one provider, stopped until an administrator decides.
type Wave struct {
	Provider string
	Since    time.Time
	Held     []account.Account // whose verdicts wait
	People   int               // with a live session when it was stopped
}

// WaveStore keeps the waves; the rules of Store hold.
type WaveStore interface {
	// Tally counts, for the wave's rule: people with a grant and a live session, those found gone since then, and
	// whether a wave is on.
	Tally(ctx context.Context, provider string, since, now time.Time) (Tally, error)
	// Hold takes a Gone verdict during a wave: the grant is kept and marked, its sessions live on, the lease ends.
	Hold(ctx context.Context, g Grant, h Holding) (ok bool, err error)
	// Waves lists those that are on.
	Waves(ctx context.Context) ([]Wave, error)
	// EndWave ends a wave. confirm: every held person is gone (as Store.Gone, with e); else their grants are due now.
	// Either way the count of people gone starts again at zero. It returns the sessions that it ended.
	EndWave(ctx context.Context, provider string, confirm bool, e session.Ending, event audit.Event) ([]session.Session, error)
}

// Holding is a Gone verdict that waits for an administrator.
type Holding struct {
	At    time.Time
	Token string // a new one that the provider gave with its verdict: the old one may be used up; empty = the same
	Held  audit.Event
	Stop  audit.Event // recorded with the first one of a wave
}

// Tally is what the wave's rule looks at.
type Tally struct {
	People int
	Gone   int // within the window, or since the last wave was decided
	On     bool
}
