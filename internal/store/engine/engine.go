// Package engine runs transactions on a database: one writer that lets many callers share one flush, and readers beside
// it. It knows no table and no word of the domain; package store is its only user.
package engine

import (
	"context"
	"database/sql"
	"errors"
)

// Engine is all that differs between databases beside the migrations; the SQL text is the same: $n parameters in the
// order of their first appearance, times as integers, nothing that only one of them has.
type Engine interface {
	// Open opens the database twice: one connection that writes, several that read.
	Open(ctx context.Context) (writing, reading *sql.DB, err error)
	// Begin are the statements that start a serializable transaction which may write.
	Begin() []string
	// Local tells whether an error undid its own statement only (or, where Aborts says so, what follows the last
	// savepoint), so that the transaction around it can go on.
	Local(err error) bool
	// Aborts tells that after any error a transaction can go on only from a savepoint.
	Aborts() bool
	// Again tells of an error before a commit that nothing was done, and that the same may go well when it is tried again.
	Again(err error) bool
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	writer  *writer
	readers *readers
}

// Open connects, and starts the writer.
func Open(ctx context.Context, e Engine) (*DB, error) {
	writing, reading, err := e.Open(ctx)
	if err != nil {
		return nil, err
	}
	db := &DB{newWriter(e, writing), newReaders(e, reading)}
	go db.writer.loop()
	return db, nil
}

// Close waits for the changes that are under way, and refuses all others from then on.
func (db *DB) Close() error { return errors.Join(db.writer.close(), db.readers.close()) }

// Do runs a change and returns once it is on disk, or was not made. When ctx ends first, a change that still waits is
// not made any more; whether one that has begun was made is not known then. Its error is the change's own, or that of
// the transaction that it shared with others. A change may be called again when what it did was undone; the last call counts.
func (db *DB) Do(ctx context.Context, k Kind, change func(*Tx) error) error {
	return db.writer.do(ctx, k, change)
}

// Row reads one row by its key. Such a read takes microseconds, so ctx is looked at only before it: the driver starts a
// goroutine for every statement whose context can end.
func (db *DB) Row(ctx context.Context, query string, args ...any) Scanner {
	return db.readers.row(ctx, query, args...)
}

// In is for List, outside of a transaction: the statement is interrupted when ctx ends.
func (db *DB) In(ctx context.Context) Querier { return reading{db.readers, ctx} }
