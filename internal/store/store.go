// Package store keeps everything that must outlive the process: all SQL is here, and nothing else knows any. It
// implements the interfaces that session, keys, recheck, signin and audit declare; every method that changes something
// is one serializable transaction, flushed to disk before it returns.
//
// It decides nothing of the domain: who must make room at a sign-in, or what a refresh token means, is asked of the
// domain packages inside the transaction.
package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/recheck"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/signin"
)

var (
	_ session.Store        = (*Store)(nil)
	_ session.LineageStore = (*Store)(nil)
	_ session.FeedStore    = (*Store)(nil)
	_ session.Directory    = (*Store)(nil)
	_ keys.Store           = (*Store)(nil)
	_ recheck.Store        = (*Store)(nil)
	_ recheck.WaveStore    = (*Store)(nil)
	_ signin.Store         = (*Store)(nil)
	_ audit.Log            = (*Store)(nil)
)

// Config says where the data are. Database and Sealer are required.
type Config struct {
	// Database is "sqlite:PATH"; a file that is missing is created, readable by its owner alone.
	Database string
	// Sealer encrypts private keys, secrets and grants.
	Sealer Sealer
	// Now is the clock; nil = time.Now. Only migrations ask it: every other time comes with the call.
	Now func() time.Time
	// Log is nil for none.
	Log *slog.Logger
	// Random makes the epoch; nil = crypto/rand.
	Random io.Reader
}

// Store is the database. It is safe for concurrent use.
type Store struct {
	Config
	engine  engine
	readers *readers
	writer  *writer
	walk    walk
}

// Open opens the database, makes it where there is none, and brings its schema up to date. ErrSealKey when it was
// sealed with another key, ErrNewerSchema when a newer program has written it.
func Open(ctx context.Context, c Config) (*Store, error) {
	engine, err := engineOf(c.Database)
	if err != nil {
		return nil, err
	}
	return openOn(ctx, engine, c)
}

func openOn(ctx context.Context, e engine, c Config) (*Store, error) {
	if c.Sealer == nil {
		return nil, errors.New("open store: no sealer")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	s := &Store{Config: c, engine: e}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	writing, reading, err := s.engine.open()
	if err != nil {
		return err
	}
	s.writer = newWriter(s.engine, writing)
	s.readers = newReaders(reading)
	if err := s.migrate(ctx, writing); err != nil {
		return err
	}
	s.writer.start()
	return nil
}

// Close waits for the changes that are under way, and refuses all others from then on.
func (s *Store) Close() error {
	var errs []error
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	if s.readers != nil {
		errs = append(errs, s.readers.close())
	}
	return errors.Join(errs...)
}

// Ping reads something: store_unavailable when that does not work.
func (s *Store) Ping(ctx context.Context) error {
	var n int64
	return unavailable("ping", s.readers.row(ctx, `SELECT n FROM feed_head WHERE one = 1`).Scan(&n))
}

// unavailable gives an error of the database its code. One that bears a code already is the domain's own answer.
func unavailable(op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	return fault.Wrap(fault.StoreUnavailable, fmt.Errorf("%s: %w", op, err))
}
