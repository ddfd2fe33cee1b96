package store

import (
	"context"
	"fmt"
	"strconv"

	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/pack"
	"github.com/munjigi/munjigi/internal/token"
)

func keyAt(id string) place    { return pack.At("signing_keys", id, 1) }
func secretAt(id uint32) place { return pack.At("secrets", strconv.FormatUint(uint64(id), 10), 1) }

// Keys implements keys.Store.
func (s *Store) Keys(ctx context.Context) (keys.Set, error) {
	set, err := s.readKeys(ctx)
	return set, unavailable("read keys", err)
}

// readKeys reads until the version was the same before and after: then nothing was changed in between.
func (s *Store) readKeys(ctx context.Context) (set keys.Set, err error) {
	for {
		if set.Version, err = s.KeysVersion(ctx); err != nil {
			return keys.Set{}, err
		}
		q := s.db.In(ctx)
		set.Keys, err = engine.List(q, s.scanKey, `SELECT kid, algorithm, public, private, created_at, active_at, retired_at, withdrawn_at
			FROM signing_keys ORDER BY created_at, kid`)
		if err != nil {
			return keys.Set{}, err
		}
		set.Secrets, err = engine.List(q, s.scanSecret, `SELECT id, value, created_at, retired_at FROM secrets ORDER BY id`)
		if err != nil {
			return keys.Set{}, err
		}
		if now, err := s.KeysVersion(ctx); err != nil || now == set.Version {
			return set, err
		}
	}
}

func (s *Store) scanKey(row engine.Scanner) (k keys.Record, err error) {
	var sealed []byte
	var created, active, retired, withdrawn int64
	if err := row.Scan(&k.ID, &k.Algorithm, &k.Public, &sealed, &created, &active, &retired, &withdrawn); err != nil {
		return k, err
	}
	k.CreatedAt, k.ActiveAt, k.RetiredAt, k.WithdrawnAt = fromMicros(created), fromMicros(active), fromMicros(retired), fromMicros(withdrawn)
	if sealed != nil {
		k.Private, err = s.unseal(sealed, keyAt(k.ID))
	}
	return k, err
}

func (s *Store) scanSecret(row engine.Scanner) (x keys.Secret, err error) {
	var sealed []byte
	var created, retired int64
	if err := row.Scan(&x.ID, &sealed, &created, &retired); err != nil {
		return x, err
	}
	x.CreatedAt, x.RetiredAt = fromMicros(created), fromMicros(retired)
	x.Value, err = s.unseal(sealed, secretAt(x.ID))
	return x, err
}

// KeysVersion implements keys.Store.
func (s *Store) KeysVersion(ctx context.Context) (version int64, err error) {
	err = s.db.Row(ctx, `SELECT version FROM keys_head WHERE one = 1`).Scan(&version)
	return version, unavailable("read version of keys", err)
}

// ChangeKeys implements keys.Store. decide runs outside the writer, because making a key takes its time; what it
// decided is done only if the set is still the one that it saw, else it decides again.
func (s *Store) ChangeKeys(ctx context.Context, decide func(keys.Set) (keys.Change, error)) (keys.Set, error) {
	for {
		set, err := s.Keys(ctx)
		if err != nil {
			return keys.Set{}, err
		}
		change, err := decide(set)
		if err != nil || change.IsEmpty() {
			return set, err
		}
		rows, err := s.sealChange(change)
		if err != nil {
			return keys.Set{}, unavailable("change keys", err)
		}
		done, err := write(ctx, s, engine.Urgent, "change keys", func(t *tx) (bool, error) { return t.changeKeys(set.Version, change, rows) })
		if err != nil {
			return keys.Set{}, err
		}
		if done {
			return s.Keys(ctx)
		}
	}
}

// sealedChange holds the statements' arguments of a change.
type sealedChange struct{ keys, secrets [][]any }

func (s *Store) sealChange(c keys.Change) (rows sealedChange, err error) {
	for _, k := range c.Put {
		var sealed []byte
		if k.Private != nil {
			if sealed, err = s.seal(k.Private, keyAt(k.ID)); err != nil {
				return rows, err
			}
		}
		rows.keys = append(rows.keys, []any{
			k.ID, k.Algorithm, k.Public, sealed,
			micros(k.CreatedAt), micros(k.ActiveAt), micros(k.RetiredAt), micros(k.WithdrawnAt),
		})
	}
	for _, x := range c.PutSecrets {
		sealed, err := s.seal(x.Value, secretAt(x.ID))
		if err != nil {
			return rows, err
		}
		rows.secrets = append(rows.secrets, []any{int64(x.ID), sealed, micros(x.CreatedAt), micros(x.RetiredAt)})
	}
	return rows, nil
}

func (t *tx) changeKeys(version int64, c keys.Change, rows sealedChange) (bool, error) {
	var now int64
	same, err := t.One(`UPDATE keys_head SET version = version + 1 WHERE one = 1 AND version = $1 RETURNING version`, []any{version}, &now)
	if err != nil || !same {
		return false, err
	}
	if err := t.putKeys(rows); err != nil {
		return false, err
	}
	for _, id := range c.Delete {
		if err := t.Exec(`DELETE FROM signing_keys WHERE kid = $1`, id); err != nil {
			return false, fmt.Errorf("delete key: %w", err)
		}
	}
	for _, id := range c.DeleteSecrets {
		if err := t.Exec(`DELETE FROM secrets WHERE id = $1`, int64(id)); err != nil {
			return false, fmt.Errorf("delete secret: %w", err)
		}
	}
	entries := make([]token.FeedEntry, len(c.Withdraw))
	for i, id := range c.Withdraw {
		entries[i] = token.FeedEntry{KeyID: id, Until: token.Forever}
	}
	if err := t.announce(entries); err != nil {
		return false, err
	}
	return true, t.record(c.Events...)
}

func (t *tx) putKeys(rows sealedChange) error {
	for _, args := range rows.keys {
		err := t.Exec(`INSERT INTO signing_keys (kid, algorithm, public, private, created_at, active_at, retired_at, withdrawn_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (kid) DO UPDATE SET algorithm = excluded.algorithm, public = excluded.public, private = excluded.private,
				created_at = excluded.created_at, active_at = excluded.active_at, retired_at = excluded.retired_at,
				withdrawn_at = excluded.withdrawn_at`, args...)
		if err != nil {
			return fmt.Errorf("put key: %w", err)
		}
	}
	for _, args := range rows.secrets {
		err := t.Exec(`INSERT INTO secrets (id, value, created_at, retired_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET value = excluded.value, created_at = excluded.created_at, retired_at = excluded.retired_at`, args...)
		if err != nil {
			return fmt.Errorf("put secret: %w", err)
		}
	}
	return nil
}
