package keys

import (
	"context"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
)

// Record is one signing key as the store keeps it. A zero time has not come yet.
type Record struct {
	ID        string // kid
	Algorithm string // "ES256", "EdDSA" or "RS256"
	Public    []byte // PKIX, DER (RFC 5280 §4.1.2.7)
	Private   []byte // PKCS #8, DER; sealed at rest by the store; nil once erased

	CreatedAt time.Time // published in the JWKS from then on
	ActiveAt  time.Time // signs from then on; zero for the next key, which waits published
	RetiredAt time.Time // signs no more; its private half lives until the grace of its last rotation is over
	// WithdrawnAt is when it was declared stolen: it is out of the JWKS, and the feed names it for ever.
	WithdrawnAt time.Time
}

// Secret is symmetric key material: the root of what is derived per use (HKDF, one label each).
type Secret struct {
	ID        uint32 // counts from 1
	Value     []byte // 32 random bytes; sealed at rest by the store
	CreatedAt time.Time
	// RetiredAt is when its successor takes over, set ahead of time so that every node has the successor by then. It
	// makes nothing new from then on, and verifies until the longest session is over.
	RetiredAt time.Time
}

// Set is all key material at one moment.
type Set struct {
	Keys    []Record // oldest first
	Secrets []Secret // oldest first
	Version int64    // raised by every change
}

// Change is what a decision wants done to a Set.
type Change struct {
	Put           []Record // inserted, or replaced by ID
	PutSecrets    []Secret
	Delete        []string // kids
	DeleteSecrets []uint32
	Withdraw      []string // kids that get an entry in the revocation feed
	At            time.Time
	Events        []audit.Event
}

// IsEmpty tells that nothing is to be done, so the version stays what it is.
func (c Change) IsEmpty() bool {
	return len(c.Put)+len(c.PutSecrets)+len(c.Delete)+len(c.DeleteSecrets)+len(c.Withdraw)+len(c.Events) == 0
}

// Store keeps the key material.
type Store interface {
	// Keys reads the set.
	Keys(ctx context.Context) (Set, error)
	// KeysVersion reads only its version: cheap, for polling.
	KeysVersion(ctx context.Context) (int64, error)
	// ChangeKeys gives decide the set as it stands inside one serializable transaction, does what it returns, and
	// returns the new set. decide may run more than once; an empty Change changes nothing; its error ends it all.
	ChangeKeys(ctx context.Context, decide func(Set) (Change, error)) (Set, error)
}
