package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// ErrNewerSchema is what Open says of a database that a newer program has written.
var ErrNewerSchema = errors.New("the database was written by a newer version of this program")

// SchemaVersion is the number of the newest migration that this program knows.
const SchemaVersion = 1

var canaryAt = place{table: "canary", row: "1", version: 1}

const canaryPlain = "munjigi"

// migrate brings the schema up to date: forward only, one transaction each. It looks before it touches: a newer schema
// or another seal key is refused with nothing changed.
func (s *Store) migrate(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	files, err := fs.Glob(s.engine.migrations(), "*.sql")
	if err != nil || len(files) != SchemaVersion {
		return fmt.Errorf("migrations: found %d, want %d: %w", len(files), SchemaVersion, err)
	}
	for done := false; !done; {
		err := s.inTransaction(ctx, conn, func() error {
			version, err := schemaVersion(ctx, conn)
			if err != nil {
				return err
			}
			if version > 0 {
				if err := s.checkCanary(ctx, conn); err != nil {
					return err
				}
			}
			if done = version == SchemaVersion; done {
				return nil
			}
			return s.apply(ctx, conn, files[version], version+1)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// schemaVersion is the number of the last migration that was applied; 0 for an empty database.
func schemaVersion(ctx context.Context, conn *sql.Conn) (int, error) {
	_, err := conn.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS migrations (
		number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)`)
	if err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	var version int
	if err := conn.QueryRowContext(ctx, `SELECT coalesce(max(number), 0) FROM migrations`).Scan(&version); err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	if version > SchemaVersion {
		return 0, fmt.Errorf("%w: its schema is number %d, this program knows %d", ErrNewerSchema, version, SchemaVersion)
	}
	return version, nil
}

func (s *Store) apply(ctx context.Context, conn *sql.Conn, name string, number int) error {
	if digits, _, _ := strings.Cut(name, "_"); digits != fmt.Sprintf("%04d", number) {
		return fmt.Errorf("migration %s: want number %d", name, number)
	}
	script, err := fs.ReadFile(s.engine.migrations(), name)
	if err != nil {
		return fmt.Errorf("migration %s: %w", name, err)
	}
	if _, err := conn.ExecContext(ctx, string(script)); err != nil {
		return fmt.Errorf("migration %s: %w", name, err)
	}
	if number == 1 {
		if err := s.found(ctx, conn); err != nil {
			return err
		}
	}
	_, err = conn.ExecContext(ctx, `INSERT INTO migrations (number, name, applied_at) VALUES ($1, $2, $3)`, number, name, micros(s.Now()))
	if err != nil {
		return fmt.Errorf("migration %s: %w", name, err)
	}
	return nil
}

// found writes the first rows of a new store.
func (s *Store) found(ctx context.Context, conn *sql.Conn) error {
	sealed, err := s.seal([]byte(canaryPlain), canaryAt)
	if err != nil {
		return err
	}
	epoch, err := s.newEpoch()
	if err != nil {
		return err
	}
	rows := []struct {
		query string
		args  []any
	}{
		{`INSERT INTO canary (one, sealed) VALUES (1, $1)`, []any{sealed}},
		{`INSERT INTO feed_head (one, epoch, n) VALUES (1, $1, 0)`, []any{epoch}},
		{`INSERT INTO audit_head (one, n, hash) VALUES (1, 0, $1)`, []any{make([]byte, 32)}},
		{`INSERT INTO keys_head (one, version) VALUES (1, 0)`, nil},
		{`INSERT INTO lineage (one, rolled_back_at, recovered_at) VALUES (1, 0, 0)`, nil},
	}
	for _, row := range rows {
		if _, err := conn.ExecContext(ctx, row.query, row.args...); err != nil {
			return fmt.Errorf("found the store: %w", err)
		}
	}
	return nil
}

func (s *Store) checkCanary(ctx context.Context, conn *sql.Conn) error {
	var sealed []byte
	if err := conn.QueryRowContext(ctx, `SELECT sealed FROM canary WHERE one = 1`).Scan(&sealed); err != nil {
		return fmt.Errorf("read canary: %w", err)
	}
	if plain, err := s.Sealer.Open(sealed, canaryAt.bytes()); err != nil || string(plain) != canaryPlain {
		return errors.Join(ErrSealKey, err)
	}
	return nil
}

// newEpoch names one history of the feed.
func (s *Store) newEpoch() (string, error) {
	var raw [12]byte
	if _, err := io.ReadFull(s.Random, raw[:]); err != nil {
		return "", fmt.Errorf("draw epoch: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw[:]), nil
}

// inTransaction runs do between begin and commit on a connection of its own, before the writer has started.
func (s *Store) inTransaction(ctx context.Context, conn *sql.Conn, do func() error) error {
	if _, err := conn.ExecContext(ctx, s.engine.begin()); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	err := do()
	if err == nil {
		_, err = conn.ExecContext(ctx, `COMMIT`)
	}
	if err != nil {
		_, undo := conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
		return errors.Join(err, undo)
	}
	return nil
}
