package keys

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
)

// pollEvery is how soon a change by another node or by the command line is seen here.
const pollEvery = time.Second

// Config is what a Ring needs. Only Store is required.
type Config struct {
	Store     Store
	Algorithm token.Algorithm // of keys that are yet to be made; ES256

	RotateEvery  time.Duration // how long a key signs, and a secret makes tokens; 30 days
	PublishAhead time.Duration // how long a next key has to be in the JWKS before its use; 1 day, at most RotateEvery
	KeepPrivate  time.Duration // the longest renew_grace: repeats of an answer are signed anew; 1 minute
	KeepPublic   time.Duration // the longest life of an access token, and skew; token.MaxLifetime and token.Skew
	KeepSecrets  time.Duration // the longest session; 90 days

	Now func() time.Time // time.Now
	Log *slog.Logger     // none
}

// Ring holds the keys of a running program. Its methods that take no context read a snapshot: they never wait and never
// touch the store. It is safe for concurrent use.
type Ring struct {
	store     Store
	schedule  schedule
	algorithm token.Algorithm
	now       func() time.Time
	log       *slog.Logger

	snap atomic.Pointer[snapshot]
	// changing makes reading the store, changing it and storing snap one step, so that an older set never replaces a
	// newer one. Without it snap is only replaced by another view of the same set (see current).
	changing sync.Mutex
}

// Open reads the keys, and makes the first ones: one that signs, the next one, a secret.
func Open(ctx context.Context, c Config) (*Ring, error) {
	r := &Ring{store: c.Store, algorithm: c.Algorithm, now: c.Now, log: c.Log, schedule: schedule{
		rotateEvery: orDefault(c.RotateEvery, 30*24*time.Hour), publishAhead: orDefault(c.PublishAhead, 24*time.Hour),
		keepPrivate: orDefault(c.KeepPrivate, time.Minute), keepPublic: orDefault(c.KeepPublic, token.MaxLifetime+token.Skew),
		keepSecrets: orDefault(c.KeepSecrets, 90*24*time.Hour),
	}}
	if r.algorithm == "" {
		r.algorithm = token.ES256
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.schedule.publishAhead > r.schedule.rotateEvery {
		return nil, fmt.Errorf("open keys: publish ahead (%s) is longer than rotate every (%s)", r.schedule.publishAhead, r.schedule.rotateEvery)
	}
	if err := r.Reload(ctx); err != nil {
		return nil, fmt.Errorf("open keys: %w", err)
	}
	return r, nil
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// Run follows changes of other nodes, rotates by schedule and erases what is over, until ctx is done. What goes wrong
// with the store is logged and tried again; the keys that are here go on working.
func (r *Ring) Run(ctx context.Context) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		err := r.poll(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			r.log.Error("keys cannot be kept up to date", "err", err)
		}
		if err == nil && failing {
			r.log.Info("keys are up to date again")
		}
		failing = err != nil
	}
}

func (r *Ring) poll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*pollEvery)
	defer cancel()
	version, err := r.store.KeysVersion(ctx)
	if err != nil {
		return fmt.Errorf("read version of keys: %w", err)
	}
	snap := r.current()
	if version == snap.set.Version {
		due := r.schedule.decide(snap.set, r.moment(), audit.Actor{Kind: audit.ByProgram}, r.maker())
		if err := due.keep(); err != nil {
			return err
		}
		if due.change.IsEmpty() {
			return nil
		}
	}
	return r.Reload(ctx)
}

// Reload reads the keys now, and does what the schedule says is due.
func (r *Ring) Reload(ctx context.Context) error {
	return r.change(ctx, audit.Actor{Kind: audit.ByProgram}, (*decision).keep)
}

// Rotate makes the next key sign from now on. request_invalid when the last rotation was so short a time ago that a
// verifier may refuse to fetch the keys once more.
func (r *Ring) Rotate(ctx context.Context, actor audit.Actor) error {
	return r.change(ctx, actor, func(d *decision) error {
		active, next := d.find(Record.active), d.find(Record.next)
		if active != nil && next != nil {
			if ripe := d.ripeByHand(*next); d.now.Before(ripe) {
				return fault.New(fault.RequestInvalid, fmt.Sprintf("the next key %s was published at %s, so services may not know it before %s: rotate then, or retire the key that signs now if it was stolen",
					next.ID, next.CreatedAt.UTC().Format(time.RFC3339), ripe.UTC().Format(time.RFC3339)))
			}
			d.rotate(active, next)
		}
		return d.fill()
	})
}

// Retire withdraws a stolen key: whatever it signed, and will sign, is refused everywhere once the feed has told so.
// When it is the one that signs, the next key takes over at once. not_found when there is no such key, or it was retired before.
func (r *Ring) Retire(ctx context.Context, kid string, actor audit.Actor) error {
	return r.RetireFor(ctx, kid, "", actor)
}

// RetireFor is Retire with a reason in words, which is kept in the audit; "" = none.
func (r *Ring) RetireFor(ctx context.Context, kid, reason string, actor audit.Actor) error {
	return r.change(ctx, actor, func(d *decision) error {
		key := d.find(func(record Record) bool { return record.ID == kid })
		if key == nil {
			return fault.New(fault.NotFound, fmt.Sprintf("there is no signing key %q", kid))
		}
		if key.withdrawn() {
			return fault.New(fault.NotFound, fmt.Sprintf("signing key %s was retired already, at %s", kid, key.WithdrawnAt.UTC().Format(time.RFC3339)))
		}
		return d.withdraw(key, reason)
	})
}

// change does what do decides, if anything, and publishes what is then in the store.
func (r *Ring) change(ctx context.Context, actor audit.Actor, do func(*decision) error) error {
	r.changing.Lock()
	defer r.changing.Unlock()
	set, err := r.store.Keys(ctx)
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	now, fresh := r.moment(), r.maker()
	decide := func(set Set) (Change, error) {
		d := r.schedule.decide(set, now, actor, fresh)
		err := do(d)
		return d.change, err
	}
	first, err := decide(set) // outside of the transaction: making keys takes time, and mostly there is nothing to do
	if err != nil {
		return err
	}
	if !first.IsEmpty() {
		if set, err = r.store.ChangeKeys(ctx, decide); err != nil {
			return fmt.Errorf("change keys: %w", err)
		}
		r.log.Info("keys changed", "version", set.Version)
	}
	snap, err := r.schedule.snapshot(set, r.now(), r.snap.Load())
	if err != nil {
		return err
	}
	r.snap.Store(snap)
	return nil
}

// current is the snapshot of now: keys leave the JWKS, and secrets take over, also while the store is away.
func (r *Ring) current() *snapshot {
	snap := r.snap.Load()
	now := r.now()
	if !snap.over(now) {
		return snap
	}
	next, err := r.schedule.snapshot(snap.set, now, snap)
	if err != nil {
		r.log.Error("keys cannot be read", "err", err)
		return snap
	}
	if !r.snap.CompareAndSwap(snap, next) {
		return r.current() // somebody was faster, perhaps with a newer set
	}
	return next
}

// moment is now as a store keeps it.
func (r *Ring) moment() time.Time { return r.now().UTC().Truncate(time.Microsecond) }

func (r *Ring) maker() *maker { return &maker{algorithm: r.algorithm} }

// Active names what a rotation of a session is to be signed with: the signing key, and the key of refresh tokens.
func (r *Ring) Active() (kid string, macKeyID uint32) {
	snap := r.current()
	return snap.active, snap.making
}

// CanSign tells whether the key's private half is still here, and the key was not withdrawn.
func (r *Ring) CanSign(kid string) bool {
	_, ok := r.current().signers[kid]
	return ok
}

// Sign makes an access token. The same claims and kid give the same bytes on every node.
func (r *Ring) Sign(kid string, claims token.Claims) (string, error) {
	signer, ok := r.current().signers[kid]
	if !ok {
		return "", fmt.Errorf("sign: key %s cannot sign here any more", kid)
	}
	return token.Sign(claims, kid, signer.algorithm, signer.key)
}

// MACKey is the key of refresh tokens with that id, while such tokens may be alive.
func (r *Ring) MACKey(id uint32) (token.MACKey, bool) {
	key, ok := r.current().macs[id]
	return key, ok
}

// Derive makes a key for another use of the same secret; each use has its own label.
func (r *Ring) Derive(id uint32, label string) (key [32]byte, ok bool) {
	secret, ok := r.current().secrets[id]
	if !ok {
		return key, false
	}
	return derive(secret, label), true
}

// JWKS is the document to serve: the key that signs, the next one, and retired ones whose tokens may be alive; never a
// withdrawn one. The caller must not change it.
func (r *Ring) JWKS() []byte { return r.current().jwks }

// PublicKeys are those of the JWKS.
func (r *Ring) PublicKeys() []token.PublicKey { return slices.Clone(r.current().public) }

// Records are all keys that are remembered, oldest first, without their private halves.
func (r *Ring) Records() []Record {
	records := slices.Clone(r.current().set.Keys)
	for i := range records {
		records[i].Private = nil
	}
	return records
}
