package session

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
)

// FeedStore is where the feed reads what was committed. Nothing committed is ever skipped: an entry's number is taken
// from a counter in the transaction that ends the session, so commit order is number order.
type FeedStore interface {
	// Revocations reads, in one snapshot, the store's epoch, its newest number, and at most limit entries numbered
	// above after whose until is later than now, in order of number.
	Revocations(ctx context.Context, after int64, now time.Time, limit int) (token.FeedPage, error)
}

// Cursor is a place in the feed. The zero value is its start.
type Cursor struct {
	Epoch string
	N     int64
}

func (c Cursor) String() string {
	if c == (Cursor{}) {
		return ""
	}
	return c.Epoch + "." + strconv.FormatInt(c.N, 10)
}

// ParseCursor reads "EPOCH.N"; "" is the start. request_invalid otherwise.
func ParseCursor(text string) (Cursor, error) {
	if text == "" {
		return Cursor{}, nil
	}
	epoch, number, ok := strings.Cut(text, ".")
	n, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || n < 0 || epoch == "" || len(text) > 100 {
		return Cursor{}, &fault.Error{Code: fault.RequestInvalid, Detail: "after: want EPOCH.N, as the page before gave it"}
	}
	return Cursor{Epoch: epoch, N: n}, nil
}

// The feed reads the store this often even when nobody wakes it, because other nodes and the command line write too;
// it tells its followers at least every beat, so that silence means trouble.
const (
	feedPoll  = 200 * time.Millisecond
	feedBeat  = time.Second
	feedBatch = 10_000
	// feedPatience is how long a new follower waits for a read of the store.
	feedPatience = 2 * time.Second
)

// FeedConfig is what a Feed is made of.
type FeedConfig struct {
	Store FeedStore
	// Withdrawn is called when a signing key was withdrawn, by whatever node or command, so that nothing is signed
	// with it here any more. It may wait for the store; nil = nobody asks.
	Withdrawn  func(context.Context)
	Registerer prometheus.Registerer // nil = no metrics
	Now        func() time.Time
	Log        *slog.Logger
}

// Feed holds every revocation that can still matter, and tells its followers of new ones and of each beat. Followers
// never touch the store.
type Feed struct {
	FeedConfig
	wake    chan struct{}
	latency prometheus.Histogram

	mu      sync.Mutex // guards everything below
	next    *reading   // the one that begins next
	noticed []time.Time
	live    view
	told    chan struct{} // closed when there is something to tell, then replaced
	toldAt  time.Time
}

// reading is one look at the store.
type reading struct {
	over chan struct{} // closed when err is known
	err  error
}

func newReading() *reading { return &reading{over: make(chan struct{})} }

// view is one state of the feed. Its entries are never changed in place, only replaced or appended to.
type view struct {
	cursor  Cursor
	readAt  time.Time
	entries []token.FeedEntry // in order of N
}

// NewFeed makes a feed; Run fills it.
func NewFeed(c FeedConfig) *Feed {
	if c.Now == nil {
		c.Now = time.Now
	}
	f := &Feed{FeedConfig: c, wake: make(chan struct{}, 1), next: newReading(), told: make(chan struct{})}
	f.latency = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "munjigi_revocation_told_seconds",
		Help:    "Seconds from the moment a session had to end (for a cut-off: the provider's no) to telling the feed's followers.",
		Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
	})
	if c.Registerer != nil {
		c.Registerer.MustRegister(f.latency)
	}
	return f
}

// Wake makes the feed read the store at once.
func (f *Feed) Wake() { f.WakeSince(f.Now()) }

// WakeSince is Wake for something that was noticed earlier, such as a provider's no: the time from then until the
// followers are told is measured.
func (f *Feed) WakeSince(noticed time.Time) {
	f.mu.Lock()
	if len(f.noticed) < 1000 {
		f.noticed = append(f.noticed, noticed)
	}
	f.mu.Unlock()
	f.nudge()
}

func (f *Feed) nudge() {
	select {
	case f.wake <- struct{}{}:
	default: // one is pending: the read that follows sees this change too
	}
}

// Run reads the store until ctx ends. Without a Read before it the feed has no page to show at first.
func (f *Feed) Run(ctx context.Context) error {
	poll := time.NewTicker(feedPoll)
	defer poll.Stop()
	for failing := false; ; {
		err := f.Read(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			f.Log.Error("revocations not read: followers hear no beat until it works again", "alert", "revocations_stale", "err", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-poll.C:
		case <-f.wake:
		}
	}
}

// Read takes over what was committed since the last read. Only one may run at a time: call it before Run, so that
// whoever asks first is answered.
func (f *Feed) Read(ctx context.Context) error {
	f.mu.Lock()
	since, noticed, this := f.live.cursor, f.noticed, f.next
	f.noticed, f.next = nil, newReading()
	f.mu.Unlock()
	readAt := f.Now()
	page, err := f.pages(ctx, since, readAt)
	if err == nil {
		f.take(page, readAt, noticed)
	}
	this.err = err
	close(this.over)
	withdrawn := func(e token.FeedEntry) bool { return e.KeyID != "" }
	if f.Withdrawn != nil && slices.ContainsFunc(page.Entries, withdrawn) {
		f.Withdrawn(ctx)
	}
	return err
}

// pages reads everything after since, batch by batch, into one page: followers never see a part of it as the whole.
func (f *Feed) pages(ctx context.Context, since Cursor, now time.Time) (all token.FeedPage, err error) {
	all = token.FeedPage{Epoch: since.Epoch, N: since.N, More: true}
	for all.More {
		page, err := f.Store.Revocations(ctx, all.N, now, feedBatch)
		if err != nil {
			return token.FeedPage{}, fmt.Errorf("read revocations: %w", err)
		}
		if page.Epoch != all.Epoch && all.N > 0 { // another store, whose numbers start over
			all = token.FeedPage{Epoch: page.Epoch, More: true}
			continue
		}
		all.Epoch, all.N, all.More = page.Epoch, page.N, page.More
		all.Entries = append(all.Entries, page.Entries...)
	}
	return all, nil
}

// take adds a page to the view and tells the followers when there is something to tell.
func (f *Feed) take(page token.FeedPage, readAt time.Time, noticed []time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if page.Epoch != f.live.cursor.Epoch {
		f.live = view{}
	}
	f.live.cursor, f.live.readAt = Cursor{page.Epoch, page.N}, readAt
	f.live.entries = append(f.live.entries, page.Entries...)
	if len(page.Entries) == 0 && readAt.Sub(f.toldAt) < feedBeat {
		return
	}
	f.prune(readAt)
	f.toldAt = readAt
	close(f.told)
	f.told = make(chan struct{})
	for _, at := range noticed {
		f.latency.Observe(f.Now().Sub(at).Seconds())
	}
}

// prune drops what no token can need any more, once it is worth a copy. Views that followers hold stay as they are.
func (f *Feed) prune(now time.Time) {
	over := func(e token.FeedEntry) bool { return e.Until <= now.Unix() }
	dead := 0
	for _, e := range f.live.entries {
		if over(e) {
			dead++
		}
	}
	if dead > len(f.live.entries)/4 {
		f.live.entries = slices.DeleteFunc(slices.Clone(f.live.entries), over)
	}
}

// Page is what follows the cursor: at most limit entries, More when there are others. It waits for a read of the store
// that begins after the call, so a follower may count the page's age from its own request. A cursor of another epoch,
// or one from this epoch's future, gets everything from the start. store_unavailable when the store cannot be read.
func (f *Feed) Page(ctx context.Context, after Cursor, limit int) (token.FeedPage, error) {
	f.mu.Lock()
	reading := f.next
	f.mu.Unlock()
	f.nudge()
	ctx, cancel := context.WithTimeout(ctx, feedPatience)
	defer cancel()
	select {
	case <-reading.over:
	case <-ctx.Done():
		return token.FeedPage{}, fault.Wrap(fault.StoreUnavailable, ctx.Err())
	}
	if reading.err != nil {
		return token.FeedPage{}, &fault.Error{Code: fault.StoreUnavailable, Detail: "the revocations cannot be read just now", Err: reading.err}
	}
	return f.page(after, limit), nil
}

// page is what follows the cursor as far as it is known.
func (f *Feed) page(after Cursor, limit int) token.FeedPage {
	f.mu.Lock()
	live := f.live
	f.mu.Unlock()
	if after.Epoch != live.cursor.Epoch || after.N > live.cursor.N {
		after = Cursor{}
	}
	first, _ := slices.BinarySearchFunc(live.entries, after.N+1, func(e token.FeedEntry, n int64) int { return cmp.Compare(e.N, n) })
	page := token.FeedPage{Epoch: live.cursor.Epoch, N: live.cursor.N, ReadAt: live.readAt.UnixMicro(), Entries: live.entries[first:]}
	if len(page.Entries) > limit {
		page.Entries, page.More = page.Entries[:limit], true
		page.N = page.Entries[limit-1].N
	}
	if page.Entries == nil {
		page.Entries = []token.FeedEntry{}
	}
	return page
}

// Wait is what follows the cursor as soon as there is something new, or at the next beat: an empty page that tells
// when the store was read last. Without a store it waits.
func (f *Feed) Wait(ctx context.Context, after Cursor, limit int) (token.FeedPage, error) {
	f.mu.Lock()
	told, current := f.told, f.live.cursor
	f.mu.Unlock()
	if current == after || current == (Cursor{}) {
		select {
		case <-ctx.Done():
			return token.FeedPage{}, ctx.Err()
		case <-told:
		}
	}
	return f.page(after, limit), nil
}
