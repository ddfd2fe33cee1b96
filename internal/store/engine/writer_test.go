package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/munjigi/munjigi/internal/store/pgtest"
)

// counting is an engine that counts the transactions which begin.
type counting struct {
	Engine
	begun *atomic.Int32
}

func (e counting) Begin() []string {
	e.begun.Add(1)
	return e.Engine.Begin()
}

// server is the PostgreSQL of this test binary; TestMain ends it.
var server = pgtest.Server{Named: os.Getenv("MUNJIGI_TEST_POSTGRES")}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// onBoth runs a test on both engines.
func onBoth(t *testing.T, test func(*testing.T, Engine)) {
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite{filepath.Join(t.TempDir(), "test.db")}) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres{server.Schema(t)}) })
}

func open(t *testing.T, plain Engine) (*DB, counting) {
	t.Helper()
	e := counting{plain, new(atomic.Int32)}
	db, err := Open(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // TestClose has closed it
	if err := db.Do(t.Context(), Usual, func(t *Tx) error {
		return t.Script(`CREATE TABLE numbers (n INTEGER PRIMARY KEY);
			CREATE TABLE pointers (n INTEGER REFERENCES numbers (n) DEFERRABLE INITIALLY DEFERRED);`)
	}); err != nil {
		t.Fatal(err)
	}
	return db, e
}

// holdWriter keeps the writer inside a batch until release is called, which returns the outcome of the batch.
func holdWriter(t *testing.T, db *DB) (release func() error) {
	t.Helper()
	entered, leave, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	var once sync.Once // a batch may be run again
	go func() {
		done <- db.writer.do(context.Background(), Usual, func(*Tx) error {
			once.Do(func() { close(entered) })
			<-leave
			return nil
		})
	}()
	<-entered
	return func() error {
		close(leave)
		return <-done
	}
}

// queue puts a job into the writer's queue, in order, without waiting for it.
func queue(t *testing.T, db *DB, k Kind, run func(*Tx) error) *job {
	t.Helper()
	j := &job{kind: k, ctx: context.Background(), run: run, done: make(chan struct{})}
	if err := db.writer.push(j); err != nil {
		t.Fatal(err)
	}
	return j
}

func (j *job) wait() error {
	<-j.done
	return j.err
}

func insert(n int) func(*Tx) error {
	return func(t *Tx) error { return t.Exec(`INSERT INTO numbers (n) VALUES ($1)`, n) }
}

func numbers(t *testing.T, db *DB) []int {
	t.Helper()
	rows, err := List(db.In(t.Context()), func(row Scanner) (n int, err error) { return n, row.Scan(&n) }, `SELECT n FROM numbers ORDER BY n`)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestEndsGoFirst(t *testing.T) { onBoth(t, testEndsGoFirst) }

func testEndsGoFirst(t *testing.T, plain Engine) {
	db, e := open(t, plain)
	var order []string
	note := func(name string) func(*Tx) error {
		return func(*Tx) error { order = append(order, name); return nil }
	}
	release := holdWriter(t, db)
	begun := e.begun.Load()
	var last *job
	for i := range 300 {
		last = queue(t, db, Single, note("renewal"))
		if i == 200 { // an end comes while renewals run: it is the very next
			queue(t, db, Urgent, func(*Tx) error {
				order = append(order, "first end")
				return nil
			})
		}
	}
	var late *job
	renewal := queue(t, db, Single, func(*Tx) error {
		order = append(order, "renewal that sees an end coming")
		late = queue(t, db, Urgent, note("second end"))
		return nil
	})
	if err := release(); err != nil {
		t.Error(err)
	}
	for _, j := range []**job{&last, &renewal, &late} { // late exists once renewal has run
		if err := (*j).wait(); err != nil {
			t.Error(err)
		}
	}
	if order[0] != "first end" {
		t.Errorf("an end waited behind %d renewals", slices.Index(order, "first end"))
	}
	if i := slices.Index(order, "renewal that sees an end coming"); order[i+1] != "second end" {
		t.Errorf("after it came %q", order[i+1])
	}
	// 302 renewals with the one that held the writer: 128, 128 and 46 to a batch.
	if got := 1 + e.begun.Load() - begun; got != 3 {
		t.Errorf("got %d transactions, want 3", got)
	}
}

func TestBatchSharesOneCommit(t *testing.T) { onBoth(t, testBatchSharesOneCommit) }

func testBatchSharesOneCommit(t *testing.T, plain Engine) {
	db, e := open(t, plain)
	release := holdWriter(t, db)
	before := e.begun.Load()
	var jobs []*job
	for i := range 50 {
		jobs = append(jobs, queue(t, db, Single, insert(i)))
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	for _, j := range jobs {
		if err := j.wait(); err != nil {
			t.Error(err)
		}
	}
	if got := e.begun.Load() - before; got != 0 || len(numbers(t, db)) != 50 {
		t.Errorf("got %d more transactions for %d numbers, want none for 50", got, len(numbers(t, db)))
	}
}

// One caller's error, constraint or panic undoes what that caller did, and nothing else.
func TestOneErrorHarmsNoOther(t *testing.T) { onBoth(t, testOneErrorHarmsNoOther) }

func testOneErrorHarmsNoOther(t *testing.T, plain Engine) {
	db, _ := open(t, plain)
	refusal := errors.New("refused by the domain")
	release := holdWriter(t, db)
	good := []*job{queue(t, db, Single, insert(1)), queue(t, db, Usual, insert(2))}
	refused := queue(t, db, Usual, func(tx *Tx) error { return errors.Join(insert(3)(tx), refusal) })
	twice := queue(t, db, Single, insert(1))
	half := queue(t, db, Usual, func(tx *Tx) error { return errors.Join(insert(4)(tx), insert(2)(tx)) })
	panics := queue(t, db, Usual, func(tx *Tx) error {
		if err := insert(5)(tx); err != nil {
			return err
		}
		panic("on purpose")
	})
	good = append(good, queue(t, db, Urgent, insert(6)), queue(t, db, Usual, insert(7)))
	if err := release(); err != nil {
		t.Error(err)
	}
	for i, j := range good {
		if err := j.wait(); err != nil {
			t.Errorf("good job %d: %v", i, err)
		}
	}
	if err := refused.wait(); !errors.Is(err, refusal) {
		t.Errorf("refused: got %v", err)
	}
	if err := panics.wait(); !errors.Is(err, ErrPanic) {
		t.Errorf("panics: got %v", err)
	}
	if twice.wait() == nil || half.wait() == nil {
		t.Error("a violated constraint passed")
	}
	if got := numbers(t, db); !slices.Equal(got, []int{1, 2, 6, 7}) {
		t.Errorf("got %v, want 1 2 6 7", got)
	}
}

// A commit that fails has failed for everybody in the batch; the writer goes on. Here it fails because a foreign key
// that is looked at last leads nowhere.
func TestCommitFailsForAll(t *testing.T) { onBoth(t, testCommitFailsForAll) }

func testCommitFailsForAll(t *testing.T, plain Engine) {
	db, _ := open(t, plain)
	release := holdWriter(t, db)
	refusal := errors.New("an answer that may rest on what was never written")
	jobs := []*job{
		queue(t, db, Single, insert(1)),
		queue(t, db, Urgent, insert(2)),
		queue(t, db, Usual, func(*Tx) error { return refusal }),
		queue(t, db, Single, func(t *Tx) error { return t.Exec(`INSERT INTO pointers (n) VALUES (99)`) }),
	}
	if err := release(); err == nil {
		t.Error("the job that held the writer was told that it is done")
	}
	for i, j := range jobs {
		if err := j.wait(); err == nil || errors.Is(err, refusal) {
			t.Errorf("job %d: got %v", i, err)
		}
	}
	if err := queue(t, db, Single, insert(3)).wait(); err != nil {
		t.Error(err)
	}
	if got := numbers(t, db); !slices.Equal(got, []int{3}) {
		t.Errorf("got %v, want 3", got)
	}
}

// Who gives up while waiting leaves nothing behind.
func TestCancelledWhileWaiting(t *testing.T) { onBoth(t, testCancelledWhileWaiting) }

func testCancelledWhileWaiting(t *testing.T, plain Engine) {
	db, _ := open(t, plain)
	release := holdWriter(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error, 1)
	go func() { gaveUp <- db.writer.do(ctx, Single, insert(1)) }()
	for jobs := false; !jobs; jobs, _ = db.writer.waiting() {
		runtime.Gosched() // until it waits in the queue
	}
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	if err := db.writer.do(t.Context(), Single, insert(2)); err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, db); !slices.Equal(got, []int{2}) {
		t.Errorf("got %v, want 2", got)
	}
}

func TestClose(t *testing.T) { onBoth(t, testClose) }

func testClose(t *testing.T, plain Engine) {
	db, _ := open(t, plain)
	release := holdWriter(t, db)
	waiting := queue(t, db, Single, insert(1))
	closed := make(chan error, 1)
	go func() { closed <- db.Close() }()
	if err := release(); err != nil {
		t.Error(err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := waiting.wait(); err != nil {
		t.Errorf("a change that was under way: %v", err)
	}
	if err := db.writer.do(t.Context(), Single, insert(2)); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: got %v", err)
	}
}
