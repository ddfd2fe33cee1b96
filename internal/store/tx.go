package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// tx is the writer's connection inside a transaction. It must not be used after the closure that got it has returned.
type tx struct {
	conn       *sql.Conn
	statements map[string]*sql.Stmt
	trouble    error // the first error of the database in this job, whatever the job made of it
}

func (t *tx) prepared(query string) (*sql.Stmt, error) {
	if statement, ok := t.statements[query]; ok {
		return statement, nil
	}
	// No context with an end is ever given to the driver: it would start a goroutine for each statement.
	statement, err := t.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, t.failed(err)
	}
	t.statements[query] = statement
	return statement, nil
}

func (t *tx) failed(err error) error {
	if t.trouble == nil {
		t.trouble = err
	}
	return err
}

// exec runs a statement whose rows do not matter.
func (t *tx) exec(query string, args ...any) error {
	_, err := t.count(query, args...)
	return err
}

// count runs a statement and tells how many rows it changed.
func (t *tx) count(query string, args ...any) (int, error) {
	statement, err := t.prepared(query)
	if err != nil {
		return 0, err
	}
	result, err := statement.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, t.failed(err)
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// one runs a statement that gives at most one row into dest; found is false when it gave none.
func (t *tx) one(query string, args []any, dest ...any) (found bool, err error) {
	statement, err := t.prepared(query)
	if err != nil {
		return false, err
	}
	err = statement.QueryRowContext(context.Background(), args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, t.failed(err)
	}
	return true, nil
}

// query runs a statement that gives rows; see list.
func (t *tx) query(query string, args ...any) (*sql.Rows, error) {
	statement, err := t.prepared(query)
	if err != nil {
		return nil, err
	}
	rows, err := statement.QueryContext(context.Background(), args...)
	if err != nil {
		return nil, t.failed(err)
	}
	return rows, nil
}

func (t *tx) close() {
	for _, statement := range t.statements {
		_ = statement.Close() // the connection goes with it
	}
	_ = t.conn.Close()
}

// querier is what a transaction and the readers have in common.
type querier interface {
	query(query string, args ...any) (*sql.Rows, error)
	failed(err error) error
}

// list reads every row with scan.
func list[T any](q querier, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var items []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, q.failed(err)
		}
		items = append(items, item)
	}
	if err := rows.Err(); err != nil {
		return nil, q.failed(err)
	}
	return items, nil
}

// scanner is a *sql.Row or *sql.Rows.
type scanner interface{ Scan(dest ...any) error }

// write runs a change through the writer. Its result is read only when the outcome is known.
func write[T any](ctx context.Context, s *Store, k kind, op string, change func(*tx) (T, error)) (T, error) {
	var zero T
	result := new(T)
	err := s.writer.do(ctx, k, func(t *tx) (err error) {
		*result, err = change(t)
		return err
	})
	if err != nil {
		return zero, unavailable(op, err)
	}
	return *result, nil
}

// micros is a time as it is stored: whole microseconds since 1970, 0 for the zero time.
func micros(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro()
}

func fromMicros(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.UnixMicro(at).UTC()
}
