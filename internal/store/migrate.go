package store

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/munjigi/munjigi/internal/store/engine"
)

// ErrNewerSchema is what Open says of a database that a newer program has written.
var ErrNewerSchema = errors.New("the database was written by a newer version of this program")

// SchemaVersion is the number of the newest migration that this program knows.
const SchemaVersion = 4

// membersMigration makes the tables of members and guesses.
const membersMigration = 3

var canaryAt = place{table: "canary", row: "1", version: 1}

const canaryPlain = "munjigi"

// migrate brings the schema up to date: forward only, one transaction each. It looks before it touches: a newer schema
// or another seal key is refused with nothing changed.
func (s *Store) migrate(ctx context.Context, files fs.FS) error {
	names, err := fs.Glob(files, "*.sql")
	if err != nil || len(names) != SchemaVersion {
		return fmt.Errorf("migrations: found %d, want %d: %w", len(names), SchemaVersion, err)
	}
	for done := false; !done && err == nil; {
		err = s.db.Do(ctx, engine.Usual, func(t *engine.Tx) error {
			version, err := s.checkSchema(&tx{t})
			if err != nil {
				return err
			}
			if done = version == SchemaVersion; done {
				return nil
			}
			return s.apply(&tx{t}, files, names[version], version+1)
		})
	}
	return err
}

// checkSchema is the number of the last migration that was applied; 0 for an empty database.
func (s *Store) checkSchema(t *tx) (version int, err error) {
	err = t.Exec(`CREATE TABLE IF NOT EXISTS migrations (number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)`)
	if err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	if _, err := t.One(`SELECT coalesce(max(number), 0) FROM migrations`, nil, &version); err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	if version > SchemaVersion {
		return 0, fmt.Errorf("%w: its schema is number %d, this program knows %d", ErrNewerSchema, version, SchemaVersion)
	}
	if version == 0 {
		return 0, nil
	}
	return version, s.checkCanary(t)
}

func (s *Store) checkCanary(t *tx) error {
	var sealed []byte
	if _, err := t.One(`SELECT sealed FROM canary WHERE one = 1`, nil, &sealed); err != nil {
		return fmt.Errorf("read canary: %w", err)
	}
	if plain, err := s.Sealer.Open(sealed, canaryAt.bytes()); err != nil || string(plain) != canaryPlain {
		return errors.Join(ErrSealKey, err)
	}
	return nil
}

func (s *Store) apply(t *tx, files fs.FS, name string, number int) error {
	if digits, _, _ := strings.Cut(name, "_"); digits != fmt.Sprintf("%04d", number) {
		return fmt.Errorf("migration %s: want number %d", name, number)
	}
	script, err := fs.ReadFile(files, name)
	if err == nil {
		err = t.Script(string(script))
	}
	if err == nil && number == 1 {
		err = s.found(t)
	}
	if err == nil && number == membersMigration {
		err = s.newGuessKey(t)
	}
	if err == nil {
		err = t.Exec(`INSERT INTO migrations (number, name, applied_at) VALUES ($1, $2, $3)`, number, name, micros(s.Now()))
	}
	if err != nil {
		return fmt.Errorf("migration %s: %w", name, err)
	}
	return nil
}

// found writes the first rows of a new store.
func (s *Store) found(t *tx) error {
	sealed, err := s.seal([]byte(canaryPlain), canaryAt)
	if err != nil {
		return err
	}
	epoch, err := s.newEpoch()
	if err != nil {
		return err
	}
	return errors.Join(
		t.Exec(`INSERT INTO canary (one, sealed) VALUES (1, $1)`, sealed),
		t.Exec(`INSERT INTO feed_head (one, epoch, n) VALUES (1, $1, 0)`, epoch),
		t.Exec(`INSERT INTO audit_head (one, n, hash) VALUES (1, 0, $1)`, make([]byte, 32)),
		t.Exec(`INSERT INTO keys_head (one, version) VALUES (1, 0)`),
		t.Exec(`INSERT INTO lineage (one, rolled_back_at, recovered_at) VALUES (1, 0, 0)`),
	)
}

// newEpoch names one history of the feed.
func (s *Store) newEpoch() (string, error) {
	var raw [12]byte
	if _, err := io.ReadFull(s.Random, raw[:]); err != nil {
		return "", fmt.Errorf("draw epoch: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw[:]), nil
}
