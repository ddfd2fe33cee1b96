package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/token"
)

const (
	maxPage     = 16 << 20        // bytes of one page of the feed
	backoffMost = 5 * time.Second // between two connections to the feed
	backoffMin  = 50 * time.Millisecond
	pruneEvery  = time.Minute
	silenceMin  = 3 * time.Second // a stream that is silent for longer (or for MaxAge) is given up
)

// follower keeps the view of ended sessions. Only its own goroutine touches its members.
type follower struct {
	v        *Verifier
	epoch    string // epoch and n are the cursor; no epoch yet = from the start
	n        int64
	prunedAt time.Time
	lost     bool // the feed is lost and the log has been told
}

// run follows the feed until ctx is done. However a connection ends, the next one begins where it left off.
func (f *follower) run(ctx context.Context) {
	pause := backoffMin
	for {
		began := f.v.config.Now()
		beats, err := f.connect(ctx)
		if ctx.Err() != nil {
			return
		}
		if !f.lost {
			f.lost = true
			f.v.config.Log.Warn("revocation feed lost", "issuer", f.v.config.Issuer, "err", err)
		}
		// A connection that was good for a while is no sign of trouble: a server was restarted.
		if pause = min(2*pause, backoffMost); beats > 1 && f.v.config.Now().Sub(began) > backoffMost {
			pause = backoffMin
		}
		sleep(ctx, jitter(pause))
	}
}

// connect reads pages until nothing is missing, then follows the stream. It counts the events of the stream and always
// ends with an error.
func (f *follower) connect(ctx context.Context) (beats int, err error) {
	for more := true; more; {
		sent := f.v.config.Now()
		body, _, err := f.v.get(ctx, f.address(), maxPage)
		if err != nil {
			return 0, err
		}
		page, err := parsePage(body)
		if err != nil {
			return 0, err
		}
		if err := f.apply(page, sent); err != nil {
			return 0, err
		}
		more = page.More
	}
	return f.stream(ctx)
}

func (f *follower) address() string {
	address := strings.TrimSuffix(f.v.config.Issuer, "/") + "/revocations"
	if f.epoch != "" {
		address += "?after=" + url.QueryEscape(f.epoch+"."+strconv.FormatInt(f.n, 10))
	}
	return address
}

// stream follows the events. Whether the view is fresh depends on when the store was read: for the first event that
// counts from when we sent the request, by our own clock; for later ones from there on by the difference of the server's
// readings, which no skew between the machines disturbs. An event that was held back on the way is as old as it is. A
// server answers the first page and the first event from a reading that it began after we asked.
func (f *follower) stream(ctx context.Context) (beats int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := max(silenceMin, f.v.config.MaxAge)
	watchdog := time.AfterFunc(silence, func() { cancel(errors.New("no beat for too long")) })
	defer watchdog.Stop()
	defer func() {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
	}()

	sent := f.v.config.Now()
	response, err := f.open(ctx)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	events := newEventReader(response.Body, maxPage)
	var clock serverClock
	for {
		data, err := events.next()
		if err != nil {
			return beats, err
		}
		watchdog.Reset(silence)
		page, err := parsePage(data)
		if err != nil {
			return beats, err
		}
		at, err := clock.local(page.ReadAt, sent, f.v.config.Now())
		if err != nil {
			return beats, err
		}
		if err := f.apply(page, at); err != nil {
			return beats, err
		}
		// Something holds the events back, or one of the clocks runs faster: a new connection tells.
		if late := f.v.config.Now().Sub(at); late > f.v.config.MaxAge {
			return beats, fmt.Errorf("the feed is late by %s", late)
		}
		beats++
	}
}

func (f *follower) open(ctx context.Context) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.address(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("Accept-Encoding", "identity") // compressing holds events back
	response, err := f.v.client.Do(request)
	if err != nil {
		return nil, err
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if response.StatusCode != http.StatusOK || kind != "text/event-stream" {
		response.Body.Close()
		return nil, fmt.Errorf("GET %s: status %d, %q", request.URL, response.StatusCode, kind)
	}
	return response, nil
}

// serverClock translates the server's times on one connection into ours.
type serverClock struct {
	set   bool
	sent  time.Time // ours, with its monotonic reading
	first int64     // the server's, microseconds
}

// jumpMost is how far into our future a beat may seem to lie before the server's clock must have been set.
const jumpMost = time.Second

// local is when the store was read, by our clock, or somewhat earlier; never later than now. A server's clock that was
// set forward would hide every delay from then on, so it ends the connection, and the next one starts anew.
func (c *serverClock) local(readAt int64, sent, now time.Time) (time.Time, error) {
	if !c.set {
		*c = serverClock{set: true, sent: sent, first: readAt}
	}
	at := c.sent.Add(time.Duration(readAt-c.first) * time.Microsecond)
	if ahead := at.Sub(now); ahead > jumpMost {
		return time.Time{}, fmt.Errorf("the server's clock was set forward by %s", ahead)
	} else if ahead > 0 {
		at = now
	}
	return at, nil
}

func parsePage(data []byte) (page token.FeedPage, err error) {
	if err = json.Unmarshal(data, &page); err == nil && page.Epoch == "" {
		err = errors.New("no epoch")
	}
	if err == nil && page.More && len(page.Entries) == 0 {
		err = errors.New("it holds nothing and there is more")
	}
	if err != nil {
		return token.FeedPage{}, fmt.Errorf("read page of the feed: %w", err)
	}
	return page, nil
}

// apply puts a page in force, which was read at at or later. Entries that are known stay until their time is over, also
// under a new epoch, and when the numbers go back (another node that is a little behind, a store that was put back):
// whoever asks with a cursor that the server cannot know gets everything from the start.
// Withdrawn keys come first, and freshness last: it is claimed only when everything that the page says is in force.
func (f *follower) apply(page token.FeedPage, at time.Time) error {
	sessions, keys, err := revocations(page)
	if err != nil {
		return fmt.Errorf("read page of the feed: %w", err)
	}
	if len(keys) > 0 {
		f.v.keys.withdraw(keys)
	}
	last := f.v.view.Load()
	next := last.with(sessions)
	if page.More {
		f.epoch, f.n = page.Epoch, page.Entries[len(page.Entries)-1].N
	} else {
		f.epoch, f.n = page.Epoch, page.N
		if next.epoch != page.Epoch || at.After(last.asOf) {
			next.asOf = at
		}
		next.epoch = page.Epoch
	}
	now := f.v.config.Now()
	if f.prunedAt.IsZero() {
		f.prunedAt = now
	}
	if now.Sub(f.prunedAt) >= pruneEvery {
		f.prunedAt = now
		next = next.without(now.Unix())
	}
	f.v.view.Store(next)
	f.found()
	return nil
}

func (f *follower) found() {
	if f.v.view.Load().asOf.IsZero() {
		return
	}
	if f.lost {
		f.lost = false
		f.v.config.Log.Info("revocation feed found again", "issuer", f.v.config.Issuer)
	}
	f.v.settled()
}
