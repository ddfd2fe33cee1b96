package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/recheck"
	"github.com/munjigi/munjigi/internal/roster"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/migrations"
	"github.com/munjigi/munjigi/internal/token"
)

// How a commit goes.
const (
	commitWorks  = iota
	commitFails  // nothing was done, and the answer says so
	commitIsLost // it was done, but the answer says that it was not
)

var errCommit = errors.New("commit broken on purpose")

// faulty is an engine whose commits can be made to fail.
type faulty struct {
	engine.Engine
	dsn  string
	mode *atomic.Int32
}

func (e faulty) Open(ctx context.Context) (writing, reading *sql.DB, err error) {
	plain, reading, err := e.Engine.Open(ctx)
	if err != nil {
		return nil, nil, err
	}
	writing = sql.OpenDB(faultyConnector{e, plain.Driver()})
	writing.SetMaxOpenConns(1)
	return writing, reading, plain.Close()
}

type faultyConnector struct {
	engine faulty
	driver driver.Driver
}

func (c faultyConnector) Driver() driver.Driver { return c.driver }

func (c faultyConnector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.engine.dsn)
	return faultyConn{conn, c.engine}, err
}

type faultyConn struct {
	driver.Conn
	engine faulty
}

func (c faultyConn) Prepare(query string) (driver.Stmt, error) {
	statement, err := c.Conn.Prepare(query)
	if err != nil || query != `COMMIT` {
		return statement, err
	}
	return faultyCommit{statement, c.engine}, nil
}

type faultyCommit struct {
	driver.Stmt
	engine faulty
}

func (c faultyCommit) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	mode := c.engine.mode.Load()
	if mode == commitFails {
		return nil, errCommit
	}
	result, err := c.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
	if mode == commitIsLost && err == nil {
		err = errCommit
	}
	return result, err
}

func openFaulty(t *testing.T, c Config) (*Store, faulty) {
	t.Helper()
	e, files, err := migrations.Of(c.Database)
	if err != nil {
		t.Fatal(err)
	}
	broken := faulty{e, c.Database, new(atomic.Int32)}
	if lite, ok := e.(engine.SQLite); ok {
		broken.dsn = lite.DSN()
	}
	if s, err := Open(t.Context(), c); err != nil || s.Close() != nil { // the faulty driver runs no scripts
		t.Fatal(err)
	}
	s, err := openOn(t.Context(), broken, files, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, broken
}

// change is a call that changes something, and may be repeated.
type change struct {
	name string
	do   func(context.Context, *Store, scene) error
	// repeats tells that a repeat after a lost answer adds to what was done: only where the interface allows it.
	repeats bool
}

// scene is what a change finds: kim with a session and a leased grant; lee's verdict held by a wave.
type scene struct {
	kim   session.Session
	grant recheck.Grant
}

var changes = []change{
	{"Begin", func(ctx context.Context, s *Store, sc scene) error {
		b := beginning("kim", start.Add(time.Minute))
		b.Session.ID = token.SessionID{1}
		b.Policy.PerAccount = 1
		_, _, err := s.Begin(ctx, b)
		return err
	}, false},
	{"Rotate", func(ctx context.Context, s *Store, sc scene) error {
		_, err := s.Rotate(ctx, sc.kim.ID, 0, rotated(sc.kim, start.Add(time.Minute)), nil, &audit.Event{Action: audit.AnswerLost})
		return err
	}, false},
	{"End", func(ctx context.Context, s *Store, sc scene) error {
		_, err := s.End(ctx, sc.kim.ID, ending(session.SignedOut, start.Add(time.Minute)))
		return err
	}, false},
	{"EndAccount", func(ctx context.Context, s *Store, sc scene) error {
		_, err := s.EndAccount(ctx, sc.kim.Account, token.SessionID{}, ending(session.Revoked, start.Add(time.Minute)))
		return err
	}, true}, // the version is raised once more
	{"Gone", func(ctx context.Context, s *Store, sc scene) error {
		_, err := s.Gone(ctx, sc.grant, ending(session.CutOff, due), gone(due))
		return err
	}, false},
	{"Confirm", func(ctx context.Context, s *Store, sc scene) error {
		_, err := s.Confirm(ctx, sc.grant, recheck.Confirmation{Profile: account.Profile{Name: "New"}, Token: "new", DueAt: due})
		return err
	}, false},
	{"Hold", func(ctx context.Context, s *Store, sc scene) error {
		_, err := s.Hold(ctx, sc.grant, recheck.Holding{At: due, Token: "rotated", Held: audit.Event{Action: audit.PersonHeld}, Stop: audit.Event{Action: audit.WaveStopped}})
		return err
	}, true}, // the event is recorded once more
	{"EndWave", func(ctx context.Context, s *Store, sc scene) error {
		_, err := s.EndWave(ctx, issuer, true, ending(session.CutOff, due), audit.Event{Action: audit.WaveConfirmed})
		return err
	}, false},
	{"Consume", func(ctx context.Context, s *Store, sc scene) error {
		_, err := s.Consume(ctx, [16]byte{1}, start, start.Add(time.Minute))
		return err
	}, false},
	{"Import", func(ctx context.Context, s *Store, sc scene) error {
		_, err := s.Import(ctx, []roster.Entry{onList("kim", "hash")}, true, importing(start))
		return err
	}, false},
	{"ChangeKeys", func(ctx context.Context, s *Store, sc scene) error {
		_, err := s.ChangeKeys(ctx, func(set keys.Set) (keys.Change, error) {
			if len(set.Keys) > 0 {
				return keys.Change{}, nil
			}
			return keys.Change{Put: []keys.Record{{ID: "one", Public: []byte("public")}}, Withdraw: []string{"zero"}, At: start}, nil
		})
		return err
	}, false},
	{"MarkRolledBack", func(ctx context.Context, s *Store, sc scene) error {
		return s.MarkRolledBack(ctx, start, audit.Event{Action: audit.StoreRolledBack})
	}, false},
	{"Append", func(ctx context.Context, s *Store, sc scene) error {
		return s.Append(ctx, audit.Event{Action: audit.ConfigLoaded})
	}, true},
}

func setScene(t *testing.T, s *Store) scene {
	t.Helper()
	kim, who := mustBegin(t, s, beginning("kim", start))
	_, lee := mustBegin(t, s, beginning("lee", start))
	if ok, err := s.Hold(t.Context(), mustLease(t, s, lee.ID, due), recheck.Holding{At: due, Held: gone(due), Stop: gone(due)}); !ok || err != nil {
		t.Fatal(ok, err)
	}
	mustAdd(t, s, "kim")
	mustReserve(t, s, guessAt("kim", "here", 99, start))
	return scene{kim, mustLease(t, s, who.ID, due)}
}

// "Failed": nothing is left of it, whatever it was, and the same call works later.
func TestCommitFails(t *testing.T) { onEach(t, testCommitFails) }

func testCommitFails(t *testing.T, open func(*testing.T) Config) {
	for _, ch := range slices.Concat(changes, memberChanges()) {
		t.Run(ch.name, func(t *testing.T) {
			s, e := openFaulty(t, open(t))
			sc := setScene(t, s)
			before := dump(t, s)
			e.mode.Store(commitFails)
			err := ch.do(t.Context(), s, sc)
			wantCode(t, err, fault.StoreUnavailable)
			if !errors.Is(err, errCommit) {
				t.Errorf("got %v, want the cause kept", err)
			}
			if diff := cmp.Diff(before, dump(t, s)); diff != "" {
				t.Errorf("failed, but changed:\n%s", diff)
			}
			e.mode.Store(commitWorks)
			if err := ch.do(t.Context(), s, sc); err != nil || before == dump(t, s) {
				t.Errorf("repeated: %v", err)
			}
			check(t, s)
		})
	}
}

// "Done, but the answer was lost": the same call does not do it twice.
func TestCommitIsLost(t *testing.T) { onEach(t, testCommitIsLost) }

func testCommitIsLost(t *testing.T, open func(*testing.T) Config) {
	for _, ch := range slices.Concat(changes, memberChanges()) {
		t.Run(ch.name, func(t *testing.T) {
			s, e := openFaulty(t, open(t))
			sc := setScene(t, s)
			before := dump(t, s)
			e.mode.Store(commitIsLost)
			wantCode(t, ch.do(t.Context(), s, sc), fault.StoreUnavailable)
			done := dump(t, s)
			if before == done {
				t.Fatal("nothing was done: this test shows nothing")
			}
			e.mode.Store(commitWorks)
			if err := ch.do(t.Context(), s, sc); err != nil {
				t.Errorf("repeated: %v", err)
			}
			if diff := cmp.Diff(done, dump(t, s)); diff != "" && !ch.repeats {
				t.Errorf("repeated, and changed once more:\n%s", diff)
			}
			check(t, s)
		})
	}
}

// A full disk: 503 for whoever writes, reading goes on, and all is well again when there is space, without a restart.
func TestDiskFull(t *testing.T) {
	s := mustOpen(t, sqliteAt(t.TempDir()))
	row, _ := mustBegin(t, s, beginning("kim", start))
	limit := func(pages string) {
		t.Helper()
		if err := s.db.Do(t.Context(), engine.Usual, func(t *engine.Tx) error {
			var got int64
			_, err := t.One(`PRAGMA max_page_count = `+pages, nil, &got)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	limit("1") // SQLite makes it the size that the file has
	acknowledged := map[token.SessionID]bool{}
	var full error
	for i := 0; full == nil && i < 10_000; i++ {
		b := beginning(fmt.Sprint("person ", i), start)
		if _, _, full = s.Begin(t.Context(), b); full == nil {
			acknowledged[b.Session.ID] = true
		}
	}
	wantCode(t, full, fault.StoreUnavailable)
	if _, _, err := s.Session(t.Context(), row.ID); err != nil {
		t.Errorf("reading: %v", err)
	}
	limit("1000000")
	mustBegin(t, s, beginning("lee", start))
	rows := allSessions(t, s)
	for _, row := range rows {
		delete(acknowledged, row.ID)
	}
	if len(acknowledged) > 0 {
		t.Errorf("%d acknowledged sign-ins are missing", len(acknowledged))
	}
	check(t, s)
}

// When sealing fails, nothing of the sign-in is left.
func TestSealerFails(t *testing.T) { onBoth(t, testSealerFails) }

func testSealerFails(t *testing.T, c Config) {
	broken := false
	c.Sealer = flakySealer{c.Sealer, &broken}
	s := mustOpen(t, c)
	mustBegin(t, s, beginning("kim", start))
	before := dump(t, s)
	broken = true
	_, _, err := s.Begin(t.Context(), beginning("kim", start.Add(time.Minute)))
	wantCode(t, err, fault.StoreUnavailable)
	_, err = s.ChangeKeys(t.Context(), putKey("one", []byte("private")))
	wantCode(t, err, fault.StoreUnavailable)
	if diff := cmp.Diff(before, dump(t, s)); diff != "" {
		t.Errorf("changed:\n%s", diff)
	}
}
