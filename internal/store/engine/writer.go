package engine

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
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

// patience is how long a batch waits for a database that is away, retryFirst and retryMost how long between two tries.
const (
	patience   = 2 * time.Second
	retryFirst = 5 * time.Millisecond
	retryMost  = 200 * time.Millisecond
)

// Errors of a change that are nobody's answer.
var (
	ErrClosed = errors.New("the store is closed")
	ErrPanic  = errors.New("panic in a transaction")
)

// job is one caller's change. Whoever moves state away from jobWaiting decides whether it runs.
type job struct {
	kind  Kind
	ctx   context.Context //nolint:containedctx // of the caller who waits: a job is a call
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
	tx     *Tx  // the connection with its statements; nil = to be opened again. Only the goroutine touches it
	away   bool // the last batch found no database. Only the goroutine touches it
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
	j := &job{kind: k, ctx: ctx, run: run, done: make(chan struct{})}
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

// batch is what one transaction does.
type batch struct {
	jobs    []*job
	usuals  int
	careful bool // every job gets a savepoint, for one without has failed
}

// batch runs what waits in one transaction and tells every caller the outcome. A commit that fails has failed for all
// of them, also for those whose answer is an error of the domain: they may have seen what was never written.
func (w *writer) batch() {
	b := new(batch)
	err := w.persist(b)
	for _, j := range b.jobs {
		if err != nil {
			j.err = err
		}
		close(j.done)
	}
}

// persist tries until it works, the engine says that it will not, or patience is over. A database that is away is
// waited for once; as long as it stays away, everybody is told at the first try.
func (w *writer) persist(b *batch) error {
	wait, until := retryFirst, time.Now().Add(patience)
	for tries := 1; ; tries++ {
		err := w.try(b)
		// A node that was itself stopped for longer than its patience, and so lost its turn, has still not tried again.
		if err == nil || !errors.Is(err, errAgain) || w.away || tries > 2 && time.Now().After(until) {
			w.away = err != nil && errors.Is(err, errAgain)
			return err
		}
		if !errors.Is(err, errCareful) {
			time.Sleep(rand.N(wait) + wait/2) // two nodes that stood in each other's way must not meet again
		}
		b.jobs = slices.DeleteFunc(b.jobs, (*job).forgotten)
		wait = min(2*wait, retryMost)
	}
}

// errAgain marks errors of a transaction that was not committed and may go well at the next try, errCareful those of
// one that will do with savepoints.
var (
	errAgain   = errors.New("nothing was changed; try again")
	errCareful = fmt.Errorf("with savepoints: %w", errAgain)
)

// try runs the batch's jobs, and whatever else waits.
func (w *writer) try(b *batch) error {
	if err := w.begin(); err != nil {
		err = w.classed(err)
		if !errors.Is(err, errAgain) || w.away {
			b.takeAll(w) // they all fail, rather than each waiting for a database that is not there
		}
		return err
	}
	for _, j := range b.jobs {
		if err := w.runAlone(b, j); err != nil {
			w.rollback()
			return err
		}
	}
	for j := b.take(w); j != nil; j = b.take(w) {
		if err := w.runAlone(b, j); err != nil {
			w.rollback()
			return err
		}
	}
	if err := w.tx.Exec(`COMMIT`); err != nil {
		w.rollback()
		return fmt.Errorf("commit: %w", err) // whether it was done is not known: that is never tried again
	}
	return nil
}

// take takes one more job, if there is one and room for it.
func (b *batch) take(w *writer) *job {
	if len(b.jobs) == batchAll {
		return nil
	}
	j := w.next(b.usuals < batchUsual)
	if j == nil {
		return nil
	}
	if j.kind&Urgent == 0 {
		b.usuals++
	}
	b.jobs = append(b.jobs, j)
	return j
}

func (b *batch) takeAll(w *writer) {
	for b.take(w) != nil { //nolint:revive // take does it
	}
}

// forgotten tells that nobody waits for the job any more, and so that it need not be tried again.
func (j *job) forgotten() bool {
	if j.ctx.Err() == nil {
		return false
	}
	j.err = j.ctx.Err()
	close(j.done)
	return true
}

// classed marks what may be tried again.
func (w *writer) classed(err error) error {
	if w.engine.Again(err) {
		return errors.Join(err, errAgain)
	}
	return err
}

func (w *writer) begin() error {
	if w.tx == nil {
		conn, err := w.db.Conn(context.Background())
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		w.tx = &Tx{conn: conn, statements: map[string]*sql.Stmt{}}
	}
	for _, statement := range w.engine.Begin() {
		if err := w.tx.Exec(statement); err != nil {
			w.rollback()
			return fmt.Errorf("begin: %w", err)
		}
	}
	return nil
}

// runAlone runs a job so that its error harms no other; the error it returns is one that harms them all. A change of
// one statement is undone by the database itself, unless that aborts the transaction around it: then all is done again
// with savepoints.
func (w *writer) runAlone(b *batch, j *job) error {
	guarded := j.kind&Single == 0 || b.careful
	if guarded {
		if err := w.tx.Exec(`SAVEPOINT job`); err != nil {
			return w.classed(err)
		}
	}
	w.tx.trouble = nil
	j.err = run(w.tx, j.run)
	if trouble := w.tx.trouble; trouble != nil {
		if !w.engine.Local(trouble) {
			return w.classed(trouble)
		}
		j.err = cmp.Or(j.err, trouble) // what it did is undone, whatever it made of the error
		if !guarded && w.engine.Aborts() {
			b.careful = true
			return errors.Join(trouble, errCareful)
		}
	}
	if !guarded {
		return nil
	}
	if j.err != nil {
		if err := w.tx.Exec(`ROLLBACK TO job`); err != nil {
			return w.classed(err)
		}
	}
	if err := w.tx.Exec(`RELEASE job`); err != nil {
		return w.classed(err)
	}
	return nil
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
