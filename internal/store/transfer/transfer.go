// Package transfer copies a store from SQLite to PostgreSQL: everything as it is, sealed values too, so that nobody has
// to sign in again. It knows tables by what the database says of them, and nothing of what is in them but the audit's
// chain, by which it verifies the copy.
package transfer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/store"
	"github.com/munjigi/munjigi/internal/store/chain"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/migrations"
)

// Help is the command's.
const Help = `Copies everything from the SQLite database of one configuration into the PostgreSQL database of another, which must
be empty: sessions, members, keys, the audit. Stop munjigi serve first: what it would write meanwhile is refused, and what it
writes afterwards is lost. The copy is verified by counts and by the chain of the audit. One that was interrupted begins anew when
the command is run again. The seal key stays the same.

Example:

    munjigi store copy --config munjigi.yaml --to postgres.yaml`

// Config says what is copied where.
type Config struct {
	From, To string    // as in the configuration
	Out      io.Writer // hears how far it is, once a second
}

// Errors of databases that cannot be copied, or copied to.
var (
	ErrInUse    = errors.New("the new database holds a store already; give an empty one")
	ErrNoStore  = errors.New("there is no store to copy: start munjigi serve once with it")
	ErrOldStore = errors.New("the store is of an older version of this program: start munjigi serve once with it, and stop that again")
	ErrKinds    = errors.New("a store is copied from sqlite: to postgres://")
	ErrDiffers  = errors.New("the copy is not what was copied; run the command again")
)

// atOnce is how many rows go in one statement, and batch how many statements in one transaction.
const (
	atOnce = 100
	batch  = 20
)

type transfer struct {
	Config
	from   *engine.Tx
	to     *engine.DB
	counts map[string]int64
	last   time.Time
	began  time.Time
}

// Copy copies a store. The source is kept from changing meanwhile.
func Copy(ctx context.Context, c Config) (err error) {
	path, lite := strings.CutPrefix(c.From, "sqlite:")
	target, scripts, err := migrations.Of(c.To)
	if _, ok := target.(engine.Postgres); err != nil || !lite || !ok {
		return errors.Join(ErrKinds, err)
	}
	if _, err := os.Stat(path); err != nil {
		return errors.Join(ErrNoStore, err)
	}
	from, err := engine.Open(ctx, engine.SQLite{Path: path})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := engine.Open(ctx, target)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	return from.Do(ctx, engine.Usual, func(t *engine.Tx) error {
		x := &transfer{Config: c, from: t, to: to, counts: map[string]int64{}, began: time.Now(), last: time.Now()}
		return x.run(ctx, scripts)
	})
}

func (x *transfer) run(ctx context.Context, scripts fs.FS) error {
	tables, err := x.tables()
	if err != nil {
		return err
	}
	if err := x.prepare(ctx, scripts, tables); err != nil {
		return err
	}
	for _, table := range tables {
		if err := x.copy(ctx, table); err != nil {
			return fmt.Errorf("copy %s: %w", table, err)
		}
	}
	if err := x.verify(ctx); err != nil {
		return err
	}
	if err := x.finish(ctx); err != nil {
		return err
	}
	fmt.Fprintf(x.Out, "copied and verified in %s: %s\n", time.Since(x.began).Round(time.Millisecond), x.summary())
	return nil
}

// tables are the source's, those first to which others refer.
func (x *transfer) tables() ([]string, error) {
	tables, err := engine.List(x.from, scanText, `SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'migrations' ORDER BY name <> 'accounts', name`)
	if err != nil {
		return nil, err
	}
	if len(tables) == 0 {
		return nil, ErrNoStore
	}
	var version int
	if _, err := x.from.One(`SELECT coalesce(max(number), 0) FROM migrations`, nil, &version); err != nil {
		return nil, errors.Join(ErrNoStore, err)
	}
	if version > store.SchemaVersion {
		return nil, store.ErrNewerSchema
	}
	if version < store.SchemaVersion {
		return nil, ErrOldStore
	}
	return tables, nil
}

// prepare makes the target's tables. What an interrupted copy left there is deleted: its mark is still there.
func (x *transfer) prepare(ctx context.Context, scripts fs.FS, tables []string) error {
	return x.to.Do(ctx, engine.Usual, func(t *engine.Tx) error {
		there, err := engine.List(t, scanText, `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`)
		if err != nil {
			return err
		}
		if slices.Contains(there, "munjigi_copy") {
			return t.Script(`DELETE FROM ` + strings.Join(reversed(tables), `; DELETE FROM `))
		}
		if slices.Contains(there, "migrations") || slices.ContainsFunc(there, func(name string) bool { return slices.Contains(tables, name) }) {
			return ErrInUse
		}
		names, err := fs.Glob(scripts, "*.sql")
		if err != nil {
			return err
		}
		for _, name := range names {
			script, err := fs.ReadFile(scripts, name)
			if err == nil {
				err = t.Script(string(script))
			}
			if err != nil {
				return fmt.Errorf("make tables: %s: %w", name, err)
			}
		}
		return t.Script(`CREATE TABLE munjigi_copy (begun BIGINT NOT NULL)`)
	})
}

func reversed(list []string) []string {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

// copy copies a table, a batch in a transaction.
func (x *transfer) copy(ctx context.Context, table string) error {
	var all int64
	if _, err := x.from.One(`SELECT count(*) FROM `+table, nil, &all); err != nil {
		return err
	}
	rows, err := x.from.Query(`SELECT * FROM ` + table)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	for x.counts[table] < all {
		values, err := read(rows, len(columns))
		if err != nil {
			return err
		}
		if len(values) == 0 {
			break // verify will tell
		}
		if err := x.to.Do(ctx, engine.Usual, func(t *engine.Tx) error { return insert(t, table, columns, values) }); err != nil {
			return err
		}
		x.counts[table] += int64(len(values) / len(columns))
		x.tell(table, all)
	}
	return rows.Err()
}

func (x *transfer) tell(table string, all int64) {
	if time.Since(x.last) >= time.Second {
		x.last = time.Now()
		fmt.Fprintf(x.Out, "%s: %d of %d\n", table, x.counts[table], all)
	}
}

// read takes the next rows, one value after the other.
func read(rows *sql.Rows, width int) (values []any, err error) {
	for range atOnce * batch {
		if !rows.Next() {
			return values, rows.Err()
		}
		row, dest := make([]any, width), make([]any, width)
		for i := range row {
			dest[i] = &row[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		for _, value := range row {
			if bytes, ok := value.([]byte); ok && bytes == nil {
				value = []byte{} // an empty one, which the driver gives like that; NULL is nil itself
			}
			values = append(values, value)
		}
	}
	return values, nil
}

func insert(t *engine.Tx, table string, columns []string, values []any) error {
	for chunk := range slices.Chunk(values, atOnce*len(columns)) {
		var query strings.Builder
		fmt.Fprintf(&query, `INSERT INTO %s (%s) VALUES `, table, strings.Join(columns, ", "))
		for i := range chunk {
			switch {
			case i == 0:
				query.WriteString(`(`)
			case i%len(columns) == 0:
				query.WriteString(`), (`)
			default:
				query.WriteString(`, `)
			}
			fmt.Fprintf(&query, `$%d`, i+1)
		}
		query.WriteString(`)`)
		if err := t.Exec(query.String(), chunk...); err != nil {
			return err
		}
	}
	return nil
}

// verify holds the copy against the source: as many rows everywhere, the same heads, and an audit whose chain is whole
// up to the source's last record.
func (x *transfer) verify(ctx context.Context) error {
	for table, want := range x.counts {
		var got int64
		if err := x.to.Row(ctx, `SELECT count(*) FROM `+table).Scan(&got); err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("%w: %s has %d rows, want %d", ErrDiffers, table, got, want)
		}
	}
	var n, feed, copied int64
	var head []byte
	if _, err := x.from.One(`SELECT a.n, a.hash, f.n FROM audit_head a, feed_head f`, nil, &n, &head, &feed); err != nil {
		return err
	}
	if err := x.to.Row(ctx, `SELECT n FROM feed_head`).Scan(&copied); err != nil || copied != feed {
		return errors.Join(err, fmt.Errorf("%w: the feed is at %d, want %d", ErrDiffers, copied, feed))
	}
	last, err := x.follow(ctx)
	if err != nil {
		return err
	}
	if last.N != n || n > 0 && !slices.Equal(last.Hash[:], head) {
		return fmt.Errorf("%w: the audit ends with record %d, want %d", ErrDiffers, last.N, n)
	}
	return nil
}

// follow walks along the copy's chain.
func (x *transfer) follow(ctx context.Context) (last audit.Record, err error) {
	for {
		records, err := chain.Records(x.to.In(ctx), last.N, 1000)
		if err != nil || len(records) == 0 {
			return last, err
		}
		for _, r := range records {
			if err := audit.Verify(last, r); err != nil {
				return last, errors.Join(ErrDiffers, err)
			}
			last = r
		}
		if time.Since(x.last) >= time.Second {
			x.last = time.Now()
			fmt.Fprintf(x.Out, "audit: verified up to record %d\n", last.N)
		}
	}
}

// finish makes the copy a store: only now it has a version.
func (x *transfer) finish(ctx context.Context) error {
	rows, err := x.from.Query(`SELECT * FROM migrations`)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, err := read(rows, len(columns))
	if err != nil {
		return err
	}
	return x.to.Do(ctx, engine.Usual, func(t *engine.Tx) error {
		return errors.Join(
			t.Script(`CREATE TABLE IF NOT EXISTS migrations (number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)`),
			insert(t, "migrations", columns, values),
			t.Script(`SELECT setval(pg_get_serial_sequence('sessions', 'seq'), (SELECT coalesce(max(seq), 1) FROM sessions)); DROP TABLE munjigi_copy`),
		)
	})
}

func (x *transfer) summary() string {
	var parts []string
	for _, table := range []string{"accounts", "sessions", "audit"} {
		parts = append(parts, fmt.Sprintf("%d in %s", x.counts[table], table))
	}
	return strings.Join(parts, ", ")
}

func scanText(row engine.Scanner) (text string, err error) {
	err = row.Scan(&text)
	return text, err
}
