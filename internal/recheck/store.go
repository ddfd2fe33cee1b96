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
	Failed int // Unknown verdicts since the last definite one
}

// Store is the worker's view of the grants. Each method is one serializable, flushed transaction with its audit events.
// A grant whose version is no longer the one given is left alone and (false, nil) returned: somebody signed in anew.
// LeaseDue and Lease hand a grant to one caller at a time, until its lease is over or one of the other methods ends it.
type Store interface {
	// LeaseDue leases at most limit grants of the provider that are due, not held, not leased, and whose account has
	// a live session; the most overdue first.
	LeaseDue(ctx context.Context, provider string, now, until time.Time, limit int) ([]Grant, error)
	// Lease leases one account's grant, due or not. ok is false when it has none (g is zero then) or when somebody
	// else has the lease (g.Account.ID is set then).
	Lease(ctx context.Context, account string, now, until time.Time) (g Grant, ok bool, err error)
	// Intend records, before the token is presented, that it will be.
	Intend(ctx context.Context, g Grant, now time.Time) (ok bool, err error)
	// Confirm takes a Valid verdict: profile, token (empty = the same), next due time; closes the intent, ends the lease.
	// A changed role or name is an audit event of its own (person_changed).
	Confirm(ctx context.Context, g Grant, c Confirmation) (ok bool, err error)
	// Gone takes a Gone verdict: erases the grant, raises the account's version, ends every live session of it with
	// the reason of e (cut_off or unconfirmed), and returns those.
	Gone(ctx context.Context, g Grant, e session.Ending, event audit.Event) (ended []session.Session, err error)
	// Postpone takes an Unknown verdict: next due time; the intent stays open if keepIntent; ends the lease.
	Postpone(ctx context.Context, g Grant, dueAt time.Time, keepIntent bool) (ok bool, err error)
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
	// The first one of a wave also records wave_stopped (made from stop).
	Hold(ctx context.Context, g Grant, at time.Time, held, stop audit.Event) (ok bool, err error)
	// Waves lists those that are on.
	Waves(ctx context.Context) ([]Wave, error)
	// EndWave ends a wave. confirm: every held person is gone (as Store.Gone, with e); else their grants are due now.
	// Either way the count of people gone starts again at zero. It returns the sessions that it ended.
	EndWave(ctx context.Context, provider string, confirm bool, e session.Ending, event audit.Event) ([]session.Session, error)
}

// Tally is what the wave's rule looks at.
type Tally struct {
	People int
	Gone   int // within the window, or since the last wave was decided
	On     bool
}
