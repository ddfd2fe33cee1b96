// Package signin is one flow for every way in: a provider (OpenID Connect), or what a Checker takes: a login and a
// password. It begins the session; it neither draws pages nor keeps anything itself.
package signin

import (
	"context"
	"time"

	"github.com/munjigi/munjigi/internal/account"
)

// Store is what a sign-in asks of the store.
type Store interface {
	// Consume records that the attempt was used, until then; used is true when it had been before. One transaction,
	// flushed, so that a callback works once whatever node it reaches.
	Consume(ctx context.Context, attempt [16]byte, now, until time.Time) (used bool, err error)
	// HasGrant tells whether a usable grant is held for the identity.
	HasGrant(ctx context.Context, identity account.Identity) (bool, error)
}
