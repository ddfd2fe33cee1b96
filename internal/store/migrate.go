package store

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/pack"
	"github.com/munjigi/munjigi/internal/store/schema"
)

// ErrNewerSchema is what Open says of a database that a newer program has written.
var ErrNewerSchema = schema.ErrNewer

// SchemaVersion is the number of the newest migration that this program knows.
const SchemaVersion = 6

// membersMigration makes the tables of members and guesses.
const membersMigration = 3

var canaryAt = pack.At("canary", "1", 1)

const canaryPlain = "munjigi"

func (s *Store) migrate(ctx context.Context, files fs.FS) error {
	return schema.Migrations{
		Files: files, Newest: SchemaVersion, Now: func() int64 { return micros(s.Now()) },
		Look: func(t *engine.Tx) error { return s.checkCanary(&tx{t}) },
		Fill: func(t *engine.Tx, number int) error {
			switch number {
			case 1:
				return s.found(&tx{t})
			case membersMigration:
				return s.newGuessKey(&tx{t})
			}
			return nil
		},
	}.Run(ctx, s.db)
}

func (s *Store) checkCanary(t *tx) error {
	var sealed []byte
	if _, err := t.One(`SELECT sealed FROM canary WHERE one = 1`, nil, &sealed); err != nil {
		return fmt.Errorf("read canary: %w", err)
	}
	if plain, err := s.Sealer.Open(sealed, canaryAt.Bytes()); err != nil || string(plain) != canaryPlain {
		return errors.Join(ErrSealKey, err)
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
