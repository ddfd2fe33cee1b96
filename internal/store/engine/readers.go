package engine

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// readers are connections beside the writer's. Each statement sees what was committed before it began.
type readers struct {
	db *sql.DB

	mu         sync.RWMutex // guards everything below
	statements map[string]*sql.Stmt
}

func newReaders(db *sql.DB) *readers { return &readers{db: db, statements: map[string]*sql.Stmt{}} }

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
	statement, err := r.prepared(ctx, query)
	if err != nil {
		return failedRow{err}
	}
	return statement.QueryRowContext(context.WithoutCancel(ctx), args...)
}

// reading is a Querier.
type reading struct {
	*readers
	ctx context.Context //nolint:containedctx // lives for one call of List
}

func (r reading) Query(query string, args ...any) (*sql.Rows, error) {
	statement, err := r.prepared(r.ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.QueryContext(r.ctx, args...)
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
