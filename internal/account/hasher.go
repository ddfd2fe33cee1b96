package account

import (
	"context"
	"crypto/rand"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/munjigi/munjigi/internal/fault"
)

// today is what a new hash costs: argon2id as OWASP's cheat sheet on password storage asks for at least, 19 MiB, two
// passes, one lane. Of the sets that it calls equal this one takes the least memory but for those that take more
// passes over less, and memory is what a flood of sign-ins runs out of first. A hash takes some 25 ms of one core.
var today = argon{memory: 19 << 10, passes: 2, lanes: 1, salt: make([]byte, 16), sum: make([]byte, 32)}

// HasherConfig bounds what hashing may take of the machine.
type HasherConfig struct {
	// Parallel is how many hashes are computed at once. 0 means half of the processors, at least one: the other half
	// is for renewals and verification.
	Parallel int
	// Queue is how many callers may wait beyond those. 0 means 128 for each of Parallel: some three seconds.
	Queue int
	// Compute does the work of one hash; nil means account.Compute, here. It is called by at most Parallel at once.
	Compute func(HashJob) (HashResult, error)
}

// HashJob is the work of one hash: to tell whether Password, in its normal form, is that of Encoded; without Encoded,
// to make a new hash of it as of today.
type HashJob struct {
	Encoded  string `json:"encoded,omitempty"`
	Password string `json:"password"`
}

// HashResult is, of a check, whether it Matches; of a new hash, Encoded.
type HashResult struct {
	Matches bool   `json:"matches,omitempty"`
	Encoded string `json:"encoded,omitempty"`
}

// Compute does a job in the caller's goroutine. Its error is that of ValidHash.
func Compute(job HashJob) (HashResult, error) {
	if job.Encoded == "" {
		made := today
		made.salt = random(len(today.salt))
		made.sum = argon2.IDKey([]byte(job.Password), made.salt, made.passes, made.memory, uint8(made.lanes), uint32(len(today.sum)))
		return HashResult{Encoded: made.String()}, nil
	}
	parsed, err := parseHash(job.Encoded)
	if err != nil {
		return HashResult{}, err
	}
	return HashResult{Matches: parsed.matches(job.Password)}, nil
}

// Hasher computes password hashes in a bounded pool. Its memory is at most Parallel × 38 MiB, plus 256 MiB while the
// one heavy hash that is let in at a time (imported, until its owner's first sign-in) is checked.
type Hasher struct {
	room     chan struct{} // those whose turn it is, and those who wait for it
	turns    chan struct{} // of those, the ones whose turn it is
	places   chan struct{} // those computing and those waiting
	slots    chan struct{} // those computing
	heavy    chan struct{} // of those, the one that is heavy
	work     func(HashJob) (HashResult, error)
	computed atomic.Uint64
	last     atomic.Int64 // nanoseconds that the latest hash took
	dummy    string
}

// NewHasher is a pool of its own; a program has one.
func NewHasher(config HasherConfig) *Hasher {
	if config.Parallel <= 0 {
		config.Parallel = max(1, runtime.GOMAXPROCS(0)/2)
	}
	if config.Queue <= 0 {
		config.Queue = 128 * config.Parallel
	}
	if config.Compute == nil {
		config.Compute = Compute
	}
	dummy := today
	dummy.salt, dummy.sum = random(len(today.salt)), random(len(today.sum))
	return &Hasher{
		room:   make(chan struct{}, config.Parallel+config.Queue),
		turns:  make(chan struct{}, config.Parallel+1),
		places: make(chan struct{}, config.Parallel+config.Queue),
		slots:  make(chan struct{}, config.Parallel),
		heavy:  make(chan struct{}, 1),
		work:   config.Compute,
		dummy:  dummy.String(),
	}
}

func random(n int) []byte {
	bytes := make([]byte, n)
	_, _ = rand.Read(bytes) // never fails (crypto/rand)
	return bytes
}

// Hash is a new hash of p as of today, with a salt of its own. Beside what the rules refuse it refuses what cannot be
// a password: nothing, more than MaxPasswordBytes, what is no UTF-8 or has a NUL. Its faults are those of Verify.
func (h *Hasher) Hash(ctx context.Context, p Password) (string, error) {
	if !p.hashable() {
		return "", fault.New(fault.RequestInvalid, "the password is empty, too long, or no text")
	}
	made, err := h.compute(ctx, false, HashJob{Password: p.prepared()})
	return made.Encoded, err
}

// Verify tells whether p is the password of an encoded hash, and whether that hash is outdated: anything but argon2id
// as of today, to be replaced by Hash(p) now that p is at hand. When all places are taken it is a too_many_attempts
// with RetryAfter at once; when ctx ends first, its error. An encoded text that is no hash is an error without a code:
// what is in the store was checked when it came in.
//
// Whatever p is, the hash is computed, so that the time tells nothing of it.
func (h *Hasher) Verify(ctx context.Context, encoded string, p Password) (ok, outdated bool, err error) {
	parsed, err := parseHash(encoded)
	if err != nil {
		return false, false, fmt.Errorf("stored password: %w", err)
	}
	prepared, possible := "", p.hashable()
	if possible {
		prepared = p.prepared()
	}
	result, err := h.compute(ctx, parsed.heavy(), HashJob{Encoded: encoded, Password: prepared})
	if err != nil {
		return false, false, err
	}
	a, isArgon := parsed.(argon)
	return result.Matches && possible, !isArgon || !a.like(today), nil
}

// Dummy is a hash of today's cost that no password has: Verify of it costs an unknown login what a known one costs.
func (h *Hasher) Dummy() string { return h.dummy }

// Computed is how many hashes were computed so far.
func (h *Hasher) Computed() uint64 { return h.computed.Load() }

// Waiting is how many callers are computing or wait for it.
func (h *Hasher) Waiting() int { return len(h.places) + max(0, len(h.room)-len(h.turns)) }

// Turn waits until a hash would be computed soon: it lasts until leave is called, and as many have theirs as compute,
// and one more, who is ready by then. So what somebody does before a hash is done no sooner than needed, and not at all
// for who is sent away: a too_many_attempts with RetryAfter at once when too many wait; when ctx ends first, its error.
// Nobody needs a turn to compute; who has one should not wait for anything else.
func (h *Hasher) Turn(ctx context.Context) (leave func(), err error) {
	if err := h.join(h.room); err != nil {
		return nil, err
	}
	if err := take(ctx, h.turns); err != nil {
		<-h.room
		return nil, err
	}
	return func() { <-h.turns; <-h.room }, nil
}

// join takes one of the places in a room, or tells when it will have been worked off.
func (h *Hasher) join(room chan struct{}) error {
	select {
	case room <- struct{}{}:
		return nil
	default:
		return &fault.Error{Code: fault.TooManyAttempts, Detail: "too many passwords are being checked", RetryAfter: h.drained()}
	}
}

// compute does a job when its turn comes; callers are served in the order in which they came.
func (h *Hasher) compute(ctx context.Context, heavy bool, job HashJob) (HashResult, error) {
	if err := h.join(h.places); err != nil {
		return HashResult{}, err
	}
	defer func() { <-h.places }()
	if heavy { // before a slot is taken: the heavy ones that wait must not keep others from theirs
		if err := take(ctx, h.heavy); err != nil {
			return HashResult{}, err
		}
		defer func() { <-h.heavy }()
	}
	if err := take(ctx, h.slots); err != nil {
		return HashResult{}, err
	}
	defer func() { <-h.slots }()
	started := time.Now()
	result, err := h.work(job)
	h.last.Store(int64(time.Since(started)))
	h.computed.Add(1)
	return result, err
}

func take(ctx context.Context, from chan struct{}) error {
	if err := ctx.Err(); err != nil { // select would choose by chance
		return err
	}
	select {
	case from <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// drained is about when the queue as it stands has been worked off.
func (h *Hasher) drained() time.Duration {
	rounds := (cap(h.places) + cap(h.slots) - 1) / cap(h.slots)
	return max(time.Second, time.Duration(rounds)*time.Duration(h.last.Load()))
}
