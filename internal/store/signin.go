package store

import (
	"context"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/store/engine"
)

// Consume implements signin.Store.
func (s *Store) Consume(ctx context.Context, attempt [16]byte, now, until time.Time) (used bool, err error) {
	fresh, err := write(ctx, s, engine.Single, "use sign-in attempt", func(t *tx) (bool, error) {
		var is int64
		return t.One(`INSERT INTO attempts (id, until) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING RETURNING until`,
			[]any{attempt[:], micros(until)}, &is)
	})
	return err == nil && !fresh, err
}

// HasGrant implements signin.Store. One whose verdict waits for an administrator is not usable.
func (s *Store) HasGrant(ctx context.Context, identity account.Identity) (bool, error) {
	var version int64
	found, err := engine.Optional(s.db.Row(ctx, `SELECT g.version FROM accounts a JOIN grants g ON g.account = a.id
		WHERE a.realm = $1 AND a.issuer = $2 AND a.subject = $3 AND g.token IS NOT NULL AND g.gone_at = 0`,
		identity.Realm, identity.Issuer, identity.Subject).Scan(&version))
	return found, unavailable("look for grant", err)
}
