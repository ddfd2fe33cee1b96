package signin

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
)

// What may be guessed. docs/decisions/0010-guessing.md says why these numbers.
const (
	guessWindow   = 15 * time.Minute
	loginGuesses  = 10  // wrong ones at a login from devices that nobody knows, and as many from known ones
	sourceGuesses = 100 // wrong ones from a network, at whatever logins
)

// GuessStore counts guesses for all nodes. Every method is one transaction, flushed to disk before it returns.
type GuessStore interface {
	// Reserve takes a place for a guess before anybody finds out whether it is right, in its buckets as Guess says; so
	// however many are made at once, no more are looked at than there are places. A call that is repeated with the same
	// ID finds the places that it has.
	Reserve(ctx context.Context, g Guess) (Places, error)
	// Settle tells what came of a guess: a wrong one keeps its places until the window is over, all others give them
	// back. One that is never settled counts as wrong.
	Settle(ctx context.Context, id [16]byte, wrong bool) error
}

// Guess is one that is about to be made.
type Guess struct {
	ID [16]byte
	// From is where it comes from; the zero Bucket bounds nothing. Where there is no place nothing is taken at all.
	From Bucket
	// At is what it is a guess at.
	At     Bucket
	Now    time.Time
	Window time.Duration
}

// Bucket has so many places. The store keeps a keyed hash of its name: what was typed as a login may be a password.
type Bucket struct {
	Name string
	Most int
}

// Places tell what a guess got.
type Places struct{ From, At Place }

// Place is one in a bucket, or none.
type Place struct {
	Taken bool
	// Open is, where none was left, how many guesses are being looked at just now: they may give theirs back.
	Open int
	// Wait is, where none was left, until when the oldest guess counts.
	Wait time.Duration
}

// paced is a Checker that can check only so many at once. A guess waits for its turn before it is counted, rather than
// after: counting it is a write, a renewal would have to wait for most of the five hundred who sign in at nine o'clock,
// and whoever is sent away would have been counted for nothing.
type paced interface {
	Turn(ctx context.Context) (leave func(), err error)
}

// turns are those of a Checker that is not paced: so many at once.
type turns chan struct{}

const atOnce = 32

func (t turns) Turn(ctx context.Context) (leave func(), err error) {
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// aim is what a guess is at and where it comes from, before it is known who may make it.
type aim struct {
	realm, login string // login: as account.Login gives it; "" where only the network can be bounded
	known        bool   // from a device that has had the right password
	from         string // network address
}

// guard has guesses looked at in turn, and none that there is no place for.
type guard struct {
	store   GuessStore
	pace    map[string]paced // by realm
	now     func() time.Time
	logins  *lines
	sources *lines
	metrics *metrics
}

func newGuard(c Config, m *metrics) *guard {
	pace := map[string]paced{}
	for name, realm := range c.Realms {
		pace[name] = turns(make(chan struct{}, atOnce))
		if own, ok := realm.Checker.(paced); ok {
			pace[name] = own
		}
	}
	return &guard{store: c.Guesses, pace: pace, now: c.Now, logins: newLines(3), sources: newLines(20), metrics: m}
}

// guess calls check, which is to answer credentials_wrong for a wrong guess and, when spent, in any case: then there is
// no place left, and nothing may be found out. too_many_attempts, without a check, for a network without a place.
//
// The two lines keep those who guess at one login, or come from one network, from taking up all places at once with
// guesses that are still being looked at: else a hundred people with the right password would find none.
func (g *guard) guess(ctx context.Context, a aim, check func(spent bool) error) error {
	err := g.inTurn(ctx, a, check)
	if err != nil && ctx.Err() != nil && fault.CodeOf(err) == fault.Internal {
		err = &fault.Error{Code: fault.TooManyAttempts, Detail: "it took too long", RetryAfter: time.Second, Err: err} // nobody's mistake here
	}
	return err
}

func (g *guard) inTurn(ctx context.Context, a aim, check func(spent bool) error) error {
	guess := g.of(a)
	for _, line := range []struct {
		*lines
		name string
	}{{g.logins, guess.At.Name}, {g.sources, guess.From.Name}} {
		leave, err := line.enter(ctx, line.name)
		if err != nil {
			g.metrics.count(refusedGuess)
			return err
		}
		defer leave()
	}
	places, leave, err := g.reserve(ctx, guess, g.pace[a.realm])
	if err != nil {
		return err
	}
	defer leave()
	if !places.From.Taken {
		g.metrics.count(refusedGuess)
		return &fault.Error{Code: fault.TooManyAttempts, Detail: "too many wrong guesses from this network", RetryAfter: places.From.Wait}
	}
	return g.settle(ctx, guess.ID, !places.At.Taken, check)
}

// of is a guess with its buckets. One from a known device is bounded by what it guesses at alone: nobody in the same
// network, and nobody who guesses at the same login, can keep its owner out.
func (g *guard) of(a aim) Guess {
	guess := Guess{Now: g.now(), Window: guessWindow}
	rand.Read(guess.ID[:]) // never fails: crypto/rand
	what := "login"
	if a.known {
		what = "known"
	} else {
		guess.From = Bucket{"network " + source(a.from), sourceGuesses}
	}
	if a.login != "" {
		guess.At = Bucket{what + " " + a.realm + "\n" + a.login, loginGuesses}
	}
	return guess
}

// source is what one caller can be assumed to have of addresses: a /64 of IPv6.
func source(from string) string {
	address, err := netip.ParseAddr(from)
	if err != nil {
		return "unknown"
	}
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	prefix, _ := address.Prefix(bits) // bits is within the address
	return prefix.String()
}

// Places that are taken only by guesses under way may become free: they are waited for, this long at most, and looked
// for this often. It happens only where several nodes check guesses at one login.
const (
	patience  = 3 * time.Second
	lookAgain = 50 * time.Millisecond
)

// reserve waits for a turn, which lasts until leave is called, and takes places. While it waits for others to give
// theirs back, the turn is somebody else's.
func (g *guard) reserve(ctx context.Context, guess Guess, pace paced) (places Places, leave func(), err error) {
	until := guess.Now.Add(patience)
	for {
		if leave, err = pace.Turn(ctx); err != nil {
			g.metrics.count(refusedGuess)
			return Places{}, nil, err
		}
		if places, err = g.store.Reserve(ctx, guess); err != nil {
			leave()
			return Places{}, nil, fmt.Errorf("reserve guess: %w", err)
		}
		hopeful := !places.From.Taken && places.From.Open > 0 || places.From.Taken && !places.At.Taken && places.At.Open > 0
		if !hopeful || !guess.Now.Before(until) {
			return places, leave, nil
		}
		leave()
		if err := pause(ctx, lookAgain); err != nil {
			return Places{}, nil, err
		}
		guess.Now = g.now()
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settle makes the guess. Somebody who goes away before the answer has guessed all the same.
func (g *guard) settle(ctx context.Context, id [16]byte, spent bool, check func(spent bool) error) error {
	err := check(spent)
	code := fault.CodeOf(err)
	if spent && err == nil {
		code, err = fault.CredentialsWrong, fault.Wrap(fault.CredentialsWrong, errSpent)
	}
	wrong := code == fault.CredentialsWrong || err != nil && ctx.Err() != nil
	g.metrics.count(outcomeOf(code, spent))
	// The caller may be gone, and what they found out counts.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if settleErr := g.store.Settle(last, id, wrong); settleErr != nil && err == nil {
		return fmt.Errorf("settle guess: %w", settleErr)
	}
	return err
}
