package mail

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Outgoing hands letters over. Sender does. A letter is sent when it returns nil; what a *Failure calls permanent is
// not tried again.
type Outgoing interface {
	Send(ctx context.Context, l Letter) error
}

// Job is a letter that is yet to be written.
type Job struct {
	Kind Kind
	// Until is when the letter is of no use any more.
	Until time.Time
	// Write writes the letter, away from the request that asked for it: so the answer takes the same time whether or not
	// there is somebody to write to. nil = there is nobody. After an error it is called again; once it has succeeded, never.
	Write func(ctx context.Context) (*Letter, error)
}

// The pace of the queue. An attempt that failed waits twice as long as the one before it.
const (
	firstPause = time.Second
	longPause  = 2 * time.Minute
	// lastChance is for what still waits when the program stops.
	lastChance = 5 * time.Second
)

// QueueConfig is what a Queue is made of. Out and Log are required.
type QueueConfig struct {
	Out        Outgoing
	Most       int // jobs that wait or are worked on; default 1,000
	AtOnce     int // connections to the mail server; default 4
	Registerer prometheus.Registerer
	Log        *slog.Logger
}

// Queue sends letters in the background. It is safe for concurrent use. What it holds is lost with the process: a link
// can be asked for again.
type Queue struct {
	QueueConfig
	metrics *metrics
	woken   chan struct{} // there is something to wait for

	mu      sync.Mutex // guards everything below
	waiting []*task    // by due
	atWork  int
	closed  bool
}

// task is a job on its way.
type task struct {
	Job
	letter   *Letter // once it is written
	due      time.Time
	attempts int
}

// NewQueue makes an empty queue; Run works on it.
func NewQueue(c QueueConfig) *Queue {
	if c.Most <= 0 {
		c.Most = 1000
	}
	if c.AtOnce <= 0 {
		c.AtOnce = 4
	}
	q := &Queue{QueueConfig: c, woken: make(chan struct{}, 1)}
	q.metrics = newMetrics(c.Registerer, q.depth)
	return q
}

// Post takes a job, and returns at once. false: there are too many already, or the program stops. That does not depend
// on whom the letter is for.
func (q *Queue) Post(j Job) bool {
	if !q.add(&task{Job: j, due: time.Now()}, true) {
		q.drop(&task{Job: j}, "the queue is full")
		return false
	}
	return true
}

func (q *Queue) depth() float64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return float64(len(q.waiting) + q.atWork)
}

// add puts a task where it belongs. A fresh one is refused when the queue is full or closed; what is on its way stays.
func (q *Queue) add(t *task, fresh bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if fresh && (q.closed || len(q.waiting)+q.atWork >= q.Most) {
		return false
	}
	if !fresh {
		q.atWork--
	}
	at, _ := slices.BinarySearchFunc(q.waiting, t.due, func(other *task, due time.Time) int {
		if other.due.After(due) {
			return 1
		}
		return -1 // behind those that are due at the same time
	})
	q.waiting = slices.Insert(q.waiting, at, t)
	select {
	case q.woken <- struct{}{}:
	default: // Run will look anyway
	}
	return true
}

// next takes out the first task that is due, or tells how long to wait for one.
func (q *Queue) next(now time.Time) (t *task, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return nil, time.Hour
	}
	if t = q.waiting[0]; t.due.After(now) {
		return nil, t.due.Sub(now)
	}
	q.waiting = slices.Delete(q.waiting, 0, 1)
	q.atWork++
	return t, 0
}

func (q *Queue) done() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.atWork--
}

// Run sends what is posted until ctx ends. Then it takes no more, and gives what waits one last chance.
func (q *Queue) Run(ctx context.Context) error {
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	last := context.AfterFunc(ctx, func() { time.AfterFunc(lastChance, stop) })
	defer last()
	free := make(chan struct{}, q.AtOnce)
	var work sync.WaitGroup
	begin := func(t *task) {
		free <- struct{}{}
		work.Go(func() {
			q.attempt(working, t)
			<-free
		})
	}
	for ctx.Err() == nil {
		t, wait := q.next(time.Now())
		if t != nil {
			begin(t)
			continue
		}
		pause := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-q.woken:
		case <-pause.C:
		}
		pause.Stop()
	}
	q.finish(begin)
	work.Wait()
	q.giveUp()
	return nil
}

// finish closes the queue and begins a last attempt for each task that waits.
func (q *Queue) finish(begin func(*task)) {
	q.mu.Lock()
	q.closed = true
	rest := q.waiting
	q.waiting = nil
	q.atWork += len(rest)
	q.mu.Unlock()
	for _, t := range rest {
		begin(t)
	}
}

// giveUp drops what the last chance did not help.
func (q *Queue) giveUp() {
	q.mu.Lock()
	rest := q.waiting
	q.waiting = nil
	q.mu.Unlock()
	for _, t := range rest {
		q.drop(t, "the program stops")
	}
}

// attempt writes the letter, if it is not written, and sends it; or puts the task back. Once the last chance is over
// it is no attempt.
func (q *Queue) attempt(ctx context.Context, t *task) {
	if ctx.Err() != nil {
		q.add(t, false)
		return
	}
	t.attempts++
	err := q.try(ctx, t)
	failure, _ := errors.AsType[*Failure](err)
	switch {
	case err == nil:
		q.done()
	case failure != nil && failure.Permanent:
		q.done()
		q.metrics.count("failed")
		q.drop(t, failure.Error())
	default:
		q.metrics.count("failed")
		t.due = time.Now().Add(min(firstPause<<min(t.attempts-1, 16), longPause))
		if t.due.After(t.Until) {
			q.done()
			q.drop(t, "too late: "+err.Error())
			return
		}
		q.Log.Warn("mail not sent yet", "kind", string(t.Kind), "attempt", t.attempts, "err", err)
		q.add(t, false)
	}
}

func (q *Queue) try(ctx context.Context, t *task) error {
	if t.letter == nil {
		letter, err := t.Write(ctx)
		if err != nil || letter == nil {
			return err
		}
		t.letter = letter
	}
	if err := q.Out.Send(ctx, *t.letter); err != nil {
		return err
	}
	q.metrics.count("sent")
	return nil
}

// drop says that a letter will not be sent: neither to whom nor what was in it.
func (q *Queue) drop(t *task, why string) {
	q.metrics.count("dropped")
	q.Log.Error("mail dropped", "kind", string(t.Kind), "attempts", t.attempts, "why", why)
}
