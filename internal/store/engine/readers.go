package engine

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"sync"
)

// readers are connections beside the writer's. Each statement sees what was committed before it began.
type readers struct {
	db    *sql.DB
	again func(error) bool

	mu         sync.RWMutex // guards everything below
	statements map[string]*sql.Stmt
}

func newReaders(e Engine, db *sql.DB) *readers {
	return &readers{db: db, again: e.Again, statements: map[string]*sql.Stmt{}}
}

// readTries is how often a statement that only reads is tried, when the engine says that it may go well: a connection
// of the pool may have died since it was used last.
const readTries = 3

func (r *readers) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	r.mu.RLock()
	statement := r.statements[query]
	r.mu.RUnlock()
	if statement != nil {
		return statement, nil
	}
	statement, err := r.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if other := r.statements[query]; other != nil {
		return other, statement.Close()
	}
	r.statements[query] = statement
	return statement, nil
}

func (r *readers) row(ctx context.Context, query string, args ...any) Scanner {
	if err := ctx.Err(); err != nil {
		return failedRow{err}
	}
	return &row{r, ctx, query, args}
}

// row is read when it is scanned.
type row struct {
	readers *readers
	ctx     context.Context //nolint:containedctx // lives until Scan
	query   string
	args    []any
}

func (r *row) Scan(dest ...any) error {
	ctx := context.WithoutCancel(r.ctx)
	return r.readers.persist(r.ctx, func() error {
		statement, err := r.readers.prepared(ctx, r.query)
		if err != nil {
			return err
		}
		return statement.QueryRowContext(ctx, r.args...).Scan(dest...)
	})
}

// silent tells that the other side said nothing for too long: it would not answer the next time either.
func silent(err error) bool {
	trouble, ok := errors.AsType[net.Error](err)
	return ok && trouble.Timeout()
}

func (r *readers) persist(ctx context.Context, read func() error) (err error) {
	for range readTries {
		if err = read(); err == nil || !r.again(err) || ctx.Err() != nil || silent(err) {
			return err
		}
	}
	return err
}

// reading is a Querier.
type reading struct {
	*readers
	ctx context.Context //nolint:containedctx // lives for one call of List
}

func (r reading) Query(query string, args ...any) (rows *sql.Rows, err error) {
	err = r.persist(r.ctx, func() error {
		statement, err := r.prepared(r.ctx, query)
		if err != nil {
			return err
		}
		rows, err = statement.QueryContext(r.ctx, args...) //nolint:sqlclosecheck // the caller closes it
		return err
	})
	return rows, err
}

func (r reading) failed(err error) error { return err }

// Optional turns the absence of a row into found = false.
func Optional(err error) (found bool, _ error) {
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func (r *readers) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, statement := range r.statements {
		_ = statement.Close() // the database is closed next
	}
	return r.db.Close()
}

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }
