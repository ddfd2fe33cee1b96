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
	"io/fs"
	"log/slog"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/links"
	"github.com/munjigi/munjigi/internal/recheck"
	"github.com/munjigi/munjigi/internal/roster"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/signin"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/finder"
	"github.com/munjigi/munjigi/internal/store/migrations"
	"github.com/munjigi/munjigi/internal/store/pack"
	"github.com/munjigi/munjigi/internal/store/papers"
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
	_ signin.MemberStore   = (*Store)(nil)
	_ signin.GuessStore    = (*Store)(nil)
	_ links.Store          = (*Store)(nil)
	_ roster.Store         = (*Store)(nil)
	_ audit.Log            = (*Store)(nil)
)

// Config says where the data are. Database and Sealer are required.
type Config struct {
	// Database is "sqlite:PATH" (a file that is missing is created, readable by its owner alone) or "postgres://…".
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
	db       *engine.DB
	guessKey []byte
	walk     walk
}

// Open opens the database, makes it where there is none, and brings its schema up to date. ErrSealKey when it was
// sealed with another key, ErrNewerSchema when a newer program has written it.
func Open(ctx context.Context, c Config) (*Store, error) {
	e, files, err := migrations.Of(c.Database)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return openOn(ctx, e, files, c)
}

// openOn opens the store on an engine, whose migrations are files.
func openOn(ctx context.Context, e engine.Engine, files fs.FS, c Config) (*Store, error) {
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
	db, err := engine.Open(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s := &Store{Config: c, db: db}
	if err := errors.Join(s.migrate(ctx, files), s.readGuessKey(ctx)); err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), s.Close())
	}
	return s, nil
}

// Close waits for the changes that are under way, and refuses all others from then on.
func (s *Store) Close() error { return s.db.Close() }

// Ping reads something: store_unavailable when that does not work.
func (s *Store) Ping(ctx context.Context) error {
	var n int64
	return unavailable("ping", s.db.Row(ctx, `SELECT n FROM feed_head WHERE one = 1`).Scan(&n))
}

func unavailable(op string, err error) error { return pack.Unavailable(op, err) }

// Papers are what is kept of services: their documents, what was granted of them, and calls under way.
func (s *Store) Papers() *papers.Papers { return papers.New(s.db) }

// Finder is what administrators look up.
func (s *Store) Finder() *finder.Finder { return finder.New(s.db) }

// tx is a transaction of ours: the methods that know tables are in the files of what they change. It must not be used
// after the closure that got it has returned.
type tx struct{ *engine.Tx }

// write runs a change. Its result is read only when the outcome is known.
func write[T any](ctx context.Context, s *Store, k engine.Kind, op string, change func(*tx) (T, error)) (T, error) {
	var zero T
	result := new(T)
	err := s.db.Do(ctx, k, func(t *engine.Tx) (err error) {
		*result, err = change(&tx{t})
		return err
	})
	if err != nil {
		return zero, unavailable(op, err)
	}
	return *result, nil
}

// micros is a time as it is stored: whole microseconds since 1970, 0 for the zero time.
func micros(at time.Time) int64 { return pack.Micros(at) }

func fromMicros(at int64) time.Time { return pack.Time(at) }
