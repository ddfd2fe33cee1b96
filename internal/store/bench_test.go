package store

import (
	"context"
	"database/sql"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/pgtest"
	"github.com/munjigi/munjigi/internal/token"
)

// benchCallers renew at the same time, benchSessions each have their own.
const (
	benchCallers  = 64
	benchSessions = 10_000
)

// BenchmarkRotate is what a renewal costs in the store. Each is one durable rotation; compare bare with rotate, and
// renew (which reads the session first) with both. One run shows them side by side.
func BenchmarkRotate(b *testing.B) {
	b.Run("bare", benchmarkBare)
	b.Run("rotate", func(b *testing.B) { benchmarkRotate(b, false, sqliteAt(b.TempDir())) })
	b.Run("renew", func(b *testing.B) { benchmarkRotate(b, true, sqliteAt(b.TempDir())) })
}

// BenchmarkPostgres is the same on PostgreSQL with every flush, by one node and by two that share the callers.
func BenchmarkPostgres(b *testing.B) {
	durable := pgtest.Server{Named: server.Named, Durable: true}
	defer durable.Stop() //nolint:errcheck // nothing of it is kept
	c := configOf(durable.Schema(b))
	b.Run("one node", func(b *testing.B) { benchmarkRotate(b, true, c) })
	b.Run("two nodes", func(b *testing.B) { benchmarkRotate(b, true, c, c) })
}

func benchmarkRotate(b *testing.B, read bool, nodes ...Config) {
	var stores []*Store
	for _, c := range nodes {
		stores = append(stores, mustOpen(b, c))
	}
	rows := fillSessions(b, stores[0])
	var turn atomic.Int64
	inParallel(b, func(ctx context.Context) error {
		i := turn.Add(1) - 1
		row, s := &rows[i%benchSessions], stores[i%int64(len(stores))] // 64 callers are far apart from each other
		if read {
			if _, _, err := s.Session(ctx, row.ID); err != nil {
				return err
			}
		}
		next, err := s.Rotate(ctx, row.ID, row.Rotation.Generation, rotated(*row, row.Rotation.At.Add(time.Minute)), nil, nil)
		*row = next
		return err
	})
}

func fillSessions(b *testing.B, s *Store) []session.Session {
	rows := make([]session.Session, benchSessions)
	var next atomic.Int64
	done := make(chan error, benchCallers)
	for range benchCallers {
		go func() {
			for {
				i := next.Add(1) - 1
				if i >= benchSessions {
					done <- nil
					return
				}
				row, _, err := s.Begin(context.Background(), beginning(token.NewID(), start))
				if err != nil {
					done <- err
					return
				}
				rows[i] = row
			}
		}()
	}
	for range benchCallers {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	return rows
}

// inParallel runs do from benchCallers goroutines and reports how often a second.
func inParallel(b *testing.B, do func(context.Context) error) {
	ctx, cancel := context.WithCancel(b.Context()) // as a request's: it can end
	defer cancel()
	var left atomic.Int64
	left.Store(int64(b.N))
	done := make(chan error, benchCallers)
	b.ReportAllocs()
	b.ResetTimer()
	for range benchCallers {
		go func() {
			var err error
			for err == nil && left.Add(-1) >= 0 {
				err = do(ctx)
			}
			done <- err
		}()
	}
	for range benchCallers {
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "renewals/s")
}

// benchmarkBare is the least that a durable rotation can be: one row of four columns, one compare-and-swap without
// anything read back, in the plainest group commit.
func benchmarkBare(b *testing.B) {
	db, err := sql.Open("sqlite", engine.SQLite{Path: filepath.Join(b.TempDir(), "bare.db")}.DSN())
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	ids := fillBare(b, db)
	swaps := make(chan bareSwap, benchCallers)
	go bareWriter(b, db, swaps)
	defer close(swaps)
	var turn atomic.Int64
	generations := make([]int64, benchSessions)
	inParallel(b, func(context.Context) error {
		i := (turn.Add(1) - 1) % benchSessions
		swap := bareSwap{ids[i], generations[i], make(chan error, 1)}
		generations[i]++
		swaps <- swap
		return <-swap.done
	})
}

type bareSwap struct {
	id   []byte
	from int64
	done chan error
}

func fillBare(b *testing.B, db *sql.DB) [][]byte {
	b.Helper()
	if _, err := db.Exec(`CREATE TABLE bare (id BLOB PRIMARY KEY, generation BIGINT, ended BIGINT, snapshot BLOB)`); err != nil {
		b.Fatal(err)
	}
	ids := make([][]byte, benchSessions)
	tx, err := db.Begin()
	if err != nil {
		b.Fatal(err)
	}
	for i := range ids {
		id := token.NewSessionID()
		ids[i] = id[:]
		if _, err := tx.Exec(`INSERT INTO bare VALUES ($1, 0, 0, $2)`, ids[i], make([]byte, 200)); err != nil {
			b.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
	return ids
}

func bareWriter(b *testing.B, db *sql.DB, swaps <-chan bareSwap) {
	conn, err := db.Conn(context.Background())
	if err != nil {
		b.Error(err)
		return
	}
	defer conn.Close()
	prepare := func(query string) *sql.Stmt {
		statement, err := conn.PrepareContext(context.Background(), query)
		if err != nil {
			b.Error(err)
		}
		return statement
	}
	begin, commit := prepare(`BEGIN IMMEDIATE`), prepare(`COMMIT`)
	swap := prepare(`UPDATE bare SET generation = $1, snapshot = $2 WHERE id = $3 AND generation = $4 AND ended = 0`)
	snapshot := make([]byte, 200)
	for first := range swaps {
		batch := []bareSwap{first}
		for more := true; more && len(batch) < 128; {
			select {
			case next, ok := <-swaps:
				if more = ok; ok {
					batch = append(batch, next)
				}
			default:
				more = false
			}
		}
		_, err := begin.Exec()
		for _, s := range batch {
			if err == nil {
				_, err = swap.Exec(s.from+1, snapshot, s.id, s.from)
			}
		}
		if err == nil {
			_, err = commit.Exec()
		}
		for _, s := range batch {
			s.done <- err
		}
	}
}
