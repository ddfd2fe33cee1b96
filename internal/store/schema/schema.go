// Package schema brings the tables of a database up to date: numbered scripts, forward only, one transaction each. What
// is in the tables is the store's.
package schema

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/munjigi/munjigi/internal/store/engine"
)

// ErrNewer is a database that a newer program has written.
var ErrNewer = errors.New("the database was written by a newer version of this program")

// Migrations are the scripts that a program knows, and what it does around them.
type Migrations struct {
	Files  fs.FS // 0001_name.sql, 0002_…
	Newest int   // the number of the last one
	// Look is asked about a database that has tables before anything of it is touched.
	Look func(*engine.Tx) error
	// Fill writes what a script cannot, right after the one with this number.
	Fill func(t *engine.Tx, number int) error
	// Now is in the unit of the database.
	Now func() int64
}

// Run applies what is missing. It looks before it touches: a newer schema, or what Look refuses, changes nothing.
func (m Migrations) Run(ctx context.Context, db *engine.DB) error {
	names, err := fs.Glob(m.Files, "*.sql")
	if err != nil || len(names) != m.Newest {
		return fmt.Errorf("migrations: found %d, want %d: %w", len(names), m.Newest, err)
	}
	for done := false; !done && err == nil; {
		err = db.Do(ctx, engine.Usual, func(t *engine.Tx) error {
			version, err := m.version(t)
			if err != nil {
				return err
			}
			if done = version == m.Newest; done {
				return nil
			}
			return m.apply(t, names[version], version+1)
		})
	}
	return err
}

// version is the number of the last script that was applied; 0 for an empty database.
func (m Migrations) version(t *engine.Tx) (version int, err error) {
	err = t.Exec(`CREATE TABLE IF NOT EXISTS migrations (number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)`)
	if err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	if _, err := t.One(`SELECT coalesce(max(number), 0) FROM migrations`, nil, &version); err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	if version > m.Newest {
		return 0, fmt.Errorf("%w: its schema is number %d, this program knows %d", ErrNewer, version, m.Newest)
	}
	if version == 0 {
		return 0, nil
	}
	return version, m.Look(t)
}

func (m Migrations) apply(t *engine.Tx, name string, number int) error {
	if digits, _, _ := strings.Cut(name, "_"); digits != fmt.Sprintf("%04d", number) {
		return fmt.Errorf("migration %s: want number %d", name, number)
	}
	script, err := fs.ReadFile(m.Files, name)
	if err == nil {
		err = t.Script(string(script))
	}
	if err == nil {
		err = m.Fill(t, number)
	}
	if err == nil {
		err = t.Exec(`INSERT INTO migrations (number, name, applied_at) VALUES ($1, $2, $3)`, number, name, m.Now())
	}
	if err != nil {
		return fmt.Errorf("migration %s: %w", name, err)
	}
	return nil
}
