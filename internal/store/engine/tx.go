package engine

import (
	"context"
	"database/sql"
	"errors"
)

// Tx is the writer's connection inside a transaction. It must not be used after the closure that got it has returned.
type Tx struct {
	conn       *sql.Conn
	statements map[string]*sql.Stmt
	trouble    error // the first error of the database in this job, whatever the job made of it
}

func (t *Tx) prepared(query string) (*sql.Stmt, error) {
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

func (t *Tx) failed(err error) error {
	if t.trouble == nil {
		t.trouble = err
	}
	return err
}

// Exec runs a statement whose rows do not matter.
func (t *Tx) Exec(query string, args ...any) error {
	_, err := t.Count(query, args...)
	return err
}

// Script runs statements that take nothing and give nothing, as a migration does.
func (t *Tx) Script(text string) error {
	if _, err := t.conn.ExecContext(context.Background(), text); err != nil {
		return t.failed(err)
	}
	return nil
}

// Count runs a statement and tells how many rows it changed.
func (t *Tx) Count(query string, args ...any) (int, error) {
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

// One runs a statement that gives at most one row into dest; found is false when it gave none.
func (t *Tx) One(query string, args []any, dest ...any) (found bool, err error) {
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

// Query runs a statement that gives rows; see List.
func (t *Tx) Query(query string, args ...any) (*sql.Rows, error) {
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

func (t *Tx) close() {
	for _, statement := range t.statements {
		_ = statement.Close() // the connection goes with it
	}
	_ = t.conn.Close()
}

// Querier is what a transaction and the readers have in common.
type Querier interface {
	Query(query string, args ...any) (*sql.Rows, error)
	failed(err error) error
}

// List reads every row with scan.
func List[T any](q Querier, scan func(Scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.Query(query, args...)
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

// Scanner is a *sql.Row or *sql.Rows.
type Scanner interface{ Scan(dest ...any) error }
