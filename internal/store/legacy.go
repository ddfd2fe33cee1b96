package store

import (
	"context"
	"fmt"
	"io"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/pack"
	"github.com/munjigi/munjigi/internal/token"
)

var legacySecretAt = pack.At("legacy_secret", "1", 1)

// LegacySecret is the secret from which the hashes of legacy tokens are made; the first call draws it. It stays: the
// secrets of refresh tokens are erased when no session can need them any more, and a token that was exchanged under an
// erased one could be exchanged again.
func (s *Store) LegacySecret(ctx context.Context) ([]byte, error) {
	fresh := make([]byte, 32)
	if _, err := io.ReadFull(s.Random, fresh); err != nil {
		return nil, fmt.Errorf("draw secret of legacy tokens: %w", err)
	}
	sealed, err := s.seal(fresh, legacySecretAt)
	if err != nil {
		return nil, unavailable("make secret of legacy tokens", err)
	}
	stands, err := write(ctx, s, engine.Single, "make secret of legacy tokens", func(t *tx) (stands []byte, err error) {
		if err := t.Exec(`INSERT INTO legacy_secret (one, sealed) VALUES (1, $1) ON CONFLICT (one) DO NOTHING`, sealed); err != nil {
			return nil, err
		}
		_, err = t.One(`SELECT sealed FROM legacy_secret WHERE one = 1`, nil, &stands)
		return stands, err
	})
	if err != nil {
		return nil, err
	}
	secret, err := s.unseal(stands, legacySecretAt)
	return secret, unavailable("read secret of legacy tokens", err)
}

// exchangedBefore finds the session for which the legacy token of the sign-in was exchanged, if it was.
func (t *tx) exchangedBefore(b session.Beginning) (before begun, found bool, err error) {
	if b.Legacy == nil {
		return begun{}, false, nil
	}
	var raw []byte
	found, err = t.One(`SELECT session FROM legacy_tokens WHERE realm = $1 AND hash = $2`, []any{b.Session.Realm, b.Legacy[:]}, &raw)
	if err != nil || !found {
		return begun{}, false, err
	}
	var id token.SessionID
	copy(id[:], raw)
	before, found, err = t.begunBefore(id)
	if err == nil && !found { // its session has been cleared away; that it was exchanged is remembered
		err = fault.New(fault.CredentialsWrong, "")
	}
	return before, found, err
}

// exchange records that the legacy token of the sign-in, if there is one, was exchanged for the session that begins. A
// sign-in that was refused leaves it good for another.
func (t *tx) exchange(b session.Beginning) error {
	if b.Legacy == nil {
		return nil
	}
	return t.Exec(`INSERT INTO legacy_tokens (realm, hash, session, at) VALUES ($1, $2, $3, $4)`,
		b.Session.Realm, b.Legacy[:], b.Session.ID[:], micros(b.Session.StartedAt))
}

// SweepLegacy forgets up to limit of the legacy tokens that were exchanged in a realm, and tells how many they were. It
// is for realms in which exchanges are over: what is forgotten could be exchanged once more.
func (s *Store) SweepLegacy(ctx context.Context, realm string, limit int) (int, error) {
	return write(ctx, s, engine.Usual, "sweep legacy tokens", func(t *tx) (int, error) {
		return t.Count(`DELETE FROM legacy_tokens WHERE realm = $1 AND hash IN
			(SELECT hash FROM legacy_tokens WHERE realm = $1 ORDER BY hash LIMIT $2)`, realm, limit)
	})
}
