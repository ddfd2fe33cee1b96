package recheck

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"github.com/munjigi/munjigi/internal/upstream"
)

const (
	// poll is how often due grants are looked for; it is part of the second that a cut-off may take beyond `every`.
	poll = 200 * time.Millisecond
	// parallel bounds the questions to one provider that are under way at once.
	parallel = 64
	// leaseFor covers waiting for one's turn behind `parallel` others at the lowest rate (7 s). The question (10 s) and
	// writing down its answer have a whole one of their own, from Intend on.
	leaseFor = time.Minute
	// askFor is the part of a lease that a question needs.
	askFor = 15 * time.Second
	// handBackFor bounds one attempt to end leases; they end by themselves as well.
	handBackFor = 30 * time.Second
	// finishFor bounds how long Run, when it has ended, goes on trying to write down what providers have answered.
	finishFor = 30 * time.Second
	// checkLimit is how long a caller of Check waits at most.
	checkLimit = time.Second
	// resizeEvery is how often the number of people is counted anew; resizeRushed, while more are due than can be
	// asked within the time `rushed`.
	resizeEvery  = 10 * time.Second
	resizeRushed = 500 * time.Millisecond
	rushed       = 250 * time.Millisecond
)

// Provider is asked about one person at a time; upstream.Provider is one. It gives up by itself within ten seconds.
type Provider interface {
	Ask(ctx context.Context, refreshToken, subject string) upstream.Answer
}

// Realm is how the people of one provider are rechecked. Provider, Every and Roles are required.
type Realm struct {
	Name     string
	Provider Provider
	// Every is the longest time between two questions about a person, while the provider answers.
	Every time.Duration
	// MaxStale is how old a confirmation may become; zero = any age.
	MaxStale time.Duration
	Wave     WaveRule
	// Roles are those that the configuration gives to somebody; domain_refused for one who does not belong here (any
	// more). With any other error the person stays as they were.
	Roles func(upstream.Person) ([]string, error)
}

// Config is what a Worker is made of. Store, Waves and Realms are required.
type Config struct {
	Store  Store
	Waves  WaveStore
	Realms map[string]Realm // by the provider's issuer
	// Woken is called after sessions were ended, to wake the revocation feed, with the moment at which it was known
	// that they must: the provider's no.
	Woken      func(known time.Time)
	Registerer prometheus.Registerer
	Now        func() time.Time // nil = time.Now
	Random     func() float64   // for jitter, in [0, 1); nil = math/rand/v2
	Log        *slog.Logger
}

// Worker rechecks everybody whose grant is due. Several may work on one store, on one node or many: a lease keeps each
// grant to one of them at a time.
type Worker struct {
	cfg     Config
	metrics *metrics
	lanes   map[string]*lane
	flight  singleflight.Group // one Check per account

	// lasting ends some time after Run. It is no caller's: answers are written down for nobody's sake.
	lasting context.Context
	giveUp  context.CancelFunc

	mu     sync.Mutex      // guards closed and taken
	closed bool            // Run has ended: nothing begins any more
	taken  map[string]bool // accounts that this process asks about, or has an answer of that is still to be written down
	asking sync.WaitGroup
}

// New makes a Worker. Check works at once, the background needs Run.
func New(c Config) *Worker {
	if c.Woken == nil {
		c.Woken = func(time.Time) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Float64
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	w := &Worker{cfg: c, metrics: newMetrics(c.Registerer), lanes: map[string]*lane{}, taken: map[string]bool{}}
	w.lasting, w.giveUp = context.WithCancel(context.Background())
	for issuer, realm := range c.Realms {
		w.lanes[issuer] = newLane(w, issuer, realm)
	}
	return w
}

// Run rechecks until ctx ends. What was presented by then is finished before it returns: an answer that nobody writes
// down may have been the only copy of a rotated token. When the store cannot be reached it gives up after finishFor.
func (w *Worker) Run(ctx context.Context) error {
	var lanes sync.WaitGroup
	for _, l := range w.lanes {
		lanes.Go(func() { l.run(ctx) })
	}
	lanes.Wait()
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	defer w.giveUp()
	defer time.AfterFunc(finishFor, w.giveUp).Stop()
	w.asking.Wait()
	return nil
}

// take keeps an account to one question of this process at a time, even when a lease has run out because the store
// could not be reached: the answer that waits to be written down may bear the token's successor.
func (w *Worker) take(account string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	free := !w.taken[account]
	w.taken[account] = true
	return free
}

func (w *Worker) letGo(account string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.taken, account)
}

// begin registers a question that Run has to wait for; false when it is too late to begin one. Its end is
// w.asking.Done.
func (w *Worker) begin() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.asking.Add(1)
	}
	return !w.closed
}

// now is the time in the store's unit.
func (w *Worker) now() time.Time { return w.cfg.Now().Truncate(time.Microsecond) }

// sleep ends early, and says so, when ctx ends.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
