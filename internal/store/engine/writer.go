package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Kind tells the writer how to treat a change.
type Kind int

// The kinds, which can be combined.
const (
	// Usual is a change that can wait, of any number of statements.
	Usual Kind = 0
	// Urgent goes before everything that is not: what ends sessions never waits behind a queue of renewals.
	Urgent Kind = 1 << iota
	// Single is a change of one statement: it needs no savepoint to be undone alone.
	Single
)

// batchUsual and batchAll bound one transaction, so that an end which comes while one is being filled waits for a few
// milliseconds at most, and a flood of ends still leaves every batch room for renewals.
const (
	batchUsual = 128
	batchAll   = 512
)

// Errors of a change that are nobody's answer.
var (
	ErrClosed = errors.New("the store is closed")
	ErrPanic  = errors.New("panic in a transaction")
)

// job is one caller's change. Whoever moves state away from jobWaiting decides whether it runs.
type job struct {
	kind  Kind
	run   func(*Tx) error
	err   error         // written before done is closed
	done  chan struct{} // closed when the outcome is known
	state atomic.Int32
}

const (
	jobWaiting = iota
	jobTaken
	jobAbandoned
)

// writer is the one goroutine that changes the database. It takes whatever waits, never waits for more, runs it all in
// one transaction, and answers once that is flushed: many callers share one flush.
type writer struct {
	engine Engine
	db     *sql.DB
	tx     *Tx // the connection with its statements; nil = to be opened again. Only the goroutine touches it
	wake   chan struct{}
	gone   chan struct{} // closed when the goroutine has ended

	mu     sync.Mutex // guards everything below
	first  []*job     // urgent
	second []*job
	closed bool
}

func newWriter(e Engine, db *sql.DB) *writer {
	return &writer{engine: e, db: db, wake: make(chan struct{}, 1), gone: make(chan struct{})}
}

func (w *writer) close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.nudge()
	<-w.gone
	return w.db.Close()
}

func (w *writer) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *writer) do(ctx context.Context, k Kind, run func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{kind: k, run: run, done: make(chan struct{})}
	if err := w.push(j); err != nil {
		return err
	}
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		j.state.CompareAndSwap(jobWaiting, jobAbandoned)
		return ctx.Err()
	}
}

func (w *writer) push(j *job) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return ErrClosed
	}
	if j.kind&Urgent != 0 {
		w.first = append(w.first, j)
	} else {
		w.second = append(w.second, j)
	}
	w.nudge()
	return nil
}

// next takes the next job: an urgent one if there is any, else a usual one if the batch has room for it.
func (w *writer) next(room bool) *job {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		queue := &w.first
		if len(w.first) == 0 {
			queue = &w.second
			if !room || len(w.second) == 0 {
				return nil
			}
		}
		j := (*queue)[0]
		(*queue)[0] = nil
		*queue = (*queue)[1:]
		if j.state.CompareAndSwap(jobWaiting, jobTaken) {
			return j
		}
	}
}

func (w *writer) waiting() (jobs, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.first)+len(w.second) > 0, w.closed
}

func (w *writer) loop() {
	defer close(w.gone)
	for {
		jobs, closed := w.waiting()
		switch {
		case jobs:
			w.batch()
		case closed:
			w.disconnect()
			return
		default:
			<-w.wake
		}
	}
}

// batch runs what waits in one transaction and tells every caller the outcome. A commit that fails has failed for all
// of them, also for those whose answer is an error of the domain: they may have seen what was never written.
func (w *writer) batch() {
	jobs, err := w.fill()
	for _, j := range jobs {
		if err != nil {
			j.err = err
		}
		close(j.done)
	}
}

func (w *writer) fill() (jobs []*job, err error) {
	begun := w.begin()
	usuals := 0
	for len(jobs) < batchAll {
		j := w.next(usuals < batchUsual)
		if j == nil {
			break
		}
		if j.kind&Urgent == 0 {
			usuals++
		}
		jobs = append(jobs, j)
		if begun != nil {
			continue // they all fail, rather than each waiting for a database that is not there
		}
		if err := w.runAlone(j); err != nil {
			w.rollback()
			return jobs, err
		}
	}
	if begun != nil {
		return jobs, begun
	}
	if err := w.tx.Exec(`COMMIT`); err != nil {
		w.rollback()
		return jobs, fmt.Errorf("commit: %w", err)
	}
	return jobs, nil
}

func (w *writer) begin() error {
	if w.tx == nil {
		conn, err := w.db.Conn(context.Background())
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		w.tx = &Tx{conn: conn, statements: map[string]*sql.Stmt{}}
	}
	if err := w.tx.Exec(w.engine.Begin()); err != nil {
		w.rollback()
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}

// runAlone runs a job so that its error harms no other; the error it returns is one that harms them all. A change of
// one statement is undone by the database itself.
func (w *writer) runAlone(j *job) error {
	if j.kind&Single == 0 {
		if err := w.tx.Exec(`SAVEPOINT job`); err != nil {
			return err
		}
	}
	w.tx.trouble = nil
	j.err = run(w.tx, j.run)
	if trouble := w.tx.trouble; trouble != nil && !w.engine.Local(trouble) {
		return trouble
	}
	if j.kind&Single != 0 {
		return nil
	}
	if j.err != nil {
		if err := w.tx.Exec(`ROLLBACK TO job`); err != nil {
			return err
		}
	}
	return w.tx.Exec(`RELEASE job`)
}

// run calls f, and survives it.
func run(t *Tx, f func(*Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", ErrPanic, p, debug.Stack())
		}
	}()
	return f(t)
}

// rollback ends a transaction that failed. When even that does not work, as when SQLite has ended it on its own, the
// connection is given up, and the next batch opens another.
func (w *writer) rollback() {
	if err := w.tx.Exec(`ROLLBACK`); err != nil {
		w.disconnect()
	}
}

func (w *writer) disconnect() {
	if w.tx != nil {
		w.tx.close()
		w.tx = nil
	}
}
