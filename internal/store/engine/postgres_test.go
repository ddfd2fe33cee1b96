package engine

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/store/pgtest"
)

// What is wrong with a database is told with the server's code and what to do, and never with the password.
func TestPostgresRefusals(t *testing.T) {
	whole, err := url.Parse(server.Schema(t))
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(*url.URL)) string {
		u := *whole
		u.User = url.UserPassword(whole.User.Username(), "hush")
		change(&u)
		return u.String()
	}
	query := func(name, value string) func(*url.URL) {
		return func(u *url.URL) {
			q := u.Query()
			q.Set(name, value)
			u.RawQuery = q.Encode()
		}
	}
	for name, test := range map[string]struct {
		address string
		want    []string
	}{
		"nothing listens": {with(func(u *url.URL) { u.Host = "127.0.0.1:1" }), []string{"cannot connect", "127.0.0.1:1", "see that it runs"}},
		"no such user":    {with(func(u *url.URL) { u.User = url.UserPassword("nobody", "hush") }), []string{`user "nobody"`, "(28000)", "pg_hba.conf"}},
		"no database":     {with(func(u *url.URL) { u.Path = "/missing" }), []string{`no database "missing"`, "(3D000)", "CREATE DATABASE"}},
		"no address":      {"postgres://u:hu%sh/x@db/m", []string{"cannot be read", "postgres://USER:PASSWORD@HOST:PORT/DATABASE"}},
		"no pool":         {with(query("pool_size", "none")), []string{`pool_size is "none"`, "1 or more"}},
		"no time":         {with(query("statement_timeout", "soon")), []string{`statement_timeout is "soon"`, "30s"}},
		"forgetful":       {with(query("synchronous_commit", "off")), []string{"synchronous_commit = off", "set it to on"}},
	} {
		db, err := Open(t.Context(), Postgres{test.address})
		if err == nil {
			t.Errorf("%s: opened", name)
			_ = db.Close()
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %q, want %q in it", name, err, want)
			}
		}
		if strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "hu%") {
			t.Errorf("%s: the password is in %q", name, err)
		}
	}
}

// Two nodes that count together lose nothing, and neither is told of the other; nor does it matter that their
// connections are cut all the while: what was not committed is done again, and what was acknowledged is there.
func TestPostgresTwoNodes(t *testing.T) {
	address := server.Schema(t)
	nodes := []*DB{}
	for range 2 {
		db, err := Open(t.Context(), Postgres{address})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		nodes = append(nodes, db)
	}
	if err := nodes[0].Do(t.Context(), Usual, func(t *Tx) error {
		return t.Script(`CREATE TABLE counter (one BIGINT PRIMARY KEY, n BIGINT NOT NULL); INSERT INTO counter VALUES (1, 0)`)
	}); err != nil {
		t.Fatal(err)
	}
	var done, unknown atomic.Int64
	stop := make(chan struct{})
	var workers sync.WaitGroup
	for i := range 16 {
		workers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := nodes[i%2].Do(context.Background(), Usual, increment); err == nil {
					done.Add(1)
				} else if strings.Contains(err.Error(), "commit") {
					unknown.Add(1) // it may have been done
				} else {
					t.Errorf("a change that was certainly not made was not made again: %v", err)
				}
			}
		})
	}
	for range 10 {
		at := done.Load()
		for done.Load() < at+20 && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
		cut(t, nodes[0])
	}
	close(stop)
	workers.Wait()
	var n int64
	if err := nodes[1].Row(t.Context(), `SELECT n FROM counter`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	if n < done.Load() || n > done.Load()+unknown.Load() {
		t.Errorf("counted %d, acknowledged %d, unknown %d", n, done.Load(), unknown.Load())
	}
	t.Logf("counted %d, acknowledged %d, unknown %d", n, done.Load(), unknown.Load())
}

// increment reads and then writes, which only a transaction that is alone may do.
func increment(t *Tx) error {
	var n int64
	if _, err := t.One(`SELECT n FROM counter WHERE one = 1`, nil, &n); err != nil {
		return err
	}
	return t.Exec(`UPDATE counter SET n = $1 WHERE one = 1`, n+1)
}

// cut ends all connections of this test binary's nodes but the one that does it.
func cut(t *testing.T, db *DB) {
	t.Helper()
	var n int64
	if err := db.Row(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE application_name = 'munjigi' AND pid <> pg_backend_pid()`).Scan(&n); err != nil && !(Postgres{}).Again(err) {
		t.Fatal(err)
	}
}

// A connection that is lost at COMMIT leaves it open whether that was done: it is not done again, and everybody is told.
func TestPostgresLostCommit(t *testing.T) {
	db, err := Open(t.Context(), Postgres{server.Schema(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Do(t.Context(), Usual, func(t *Tx) error {
		return t.Script(`CREATE TABLE last (n BIGINT PRIMARY KEY);
			CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
			CREATE CONSTRAINT TRIGGER gone AFTER INSERT ON last DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gone()`)
	}); err != nil {
		t.Fatal(err)
	}
	var calls atomic.Int64
	err = db.Do(t.Context(), Single, func(t *Tx) error {
		calls.Add(1)
		return t.Exec(`INSERT INTO last (n) VALUES (1)`)
	})
	if err == nil || !strings.Contains(err.Error(), "commit") || calls.Load() != 1 {
		t.Errorf("got %v after %d calls, want an error of the commit after one", err, calls.Load())
	}
	if err := db.Do(t.Context(), Usual, func(*Tx) error { return nil }); err != nil { // and then goes on
		t.Error(err)
	}
}

// A node that stops in the middle of a transaction keeps the others waiting for its turn, but not for long.
func TestPostgresStoppedNode(t *testing.T) {
	address := server.Schema(t) + "&idle_in_transaction_session_timeout=200ms"
	stopped, err := Open(t.Context(), Postgres{address})
	if err != nil {
		t.Fatal(err)
	}
	defer stopped.Close()
	other, err := Open(t.Context(), Postgres{address})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	release := holdWriter(t, stopped)
	time.Sleep(patience + 100*time.Millisecond) // longer than it would try again: this is the fault itself
	if err := other.Do(t.Context(), Usual, func(*Tx) error { return nil }); err != nil {
		t.Errorf("the other node: %v", err)
	}
	if err := release(); err != nil { // its transaction was undone, and is done again
		t.Errorf("the one that had stopped: %v", err)
	}
}

// A node that is cut off from the database is not kept waiting for ever, and goes on when the way is there again.
func TestPostgresCutOff(t *testing.T) {
	whole, err := url.Parse(server.Schema(t))
	if err != nil {
		t.Fatal(err)
	}
	valve := pgtest.NewValve(t, whole.Host)
	whole.Host = valve.Address()
	db, err := Open(t.Context(), Postgres{whole.String() + "&statement_timeout=100ms&connect_timeout=1"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	change := func() error { return db.Do(context.Background(), Usual, func(*Tx) error { return nil }) }
	read := func() error {
		var n int
		return db.Row(context.Background(), `SELECT 1`).Scan(&n)
	}
	if err := errors.Join(change(), read()); err != nil {
		t.Fatal(err)
	}
	valve.Cut(true)
	if change() == nil || read() == nil {
		t.Error("went well without a database")
	}
	valve.Cut(false)
	if err := errors.Join(change(), read()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// A change that failed for a lost connection is not tried again for somebody who has gone.
func TestPostgresForgotten(t *testing.T) {
	db, err := Open(t.Context(), Postgres{server.Schema(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var calls atomic.Int64
	err = db.Do(ctx, Usual, func(tx *Tx) error {
		calls.Add(1)
		cancel()
		return tx.Exec(`SELECT pg_terminate_backend(pg_backend_pid())`)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := db.Do(t.Context(), Usual, func(*Tx) error { return nil }); err != nil { // after it
		t.Error(err)
	}
	if calls.Load() != 1 {
		t.Errorf("called %d times", calls.Load())
	}
}
