package session

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
)

// entries is a FeedStore in memory.
type entries struct {
	mu    sync.Mutex
	epoch string
	all   []token.FeedEntry
	err   error
}

func (e *entries) Revocations(_ context.Context, after int64, now time.Time, limit int) (token.FeedPage, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		return token.FeedPage{}, e.err
	}
	page := token.FeedPage{Epoch: e.epoch, N: int64(len(e.all))}
	for _, entry := range e.all {
		if entry.N > after && entry.Until > now.Unix() {
			if len(page.Entries) == limit {
				page.More, page.N = true, page.Entries[limit-1].N
				break
			}
			page.Entries = append(page.Entries, entry)
		}
	}
	return page, nil
}

func (e *entries) set(change func(*entries)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change(e)
}

func (e *entries) end(id string, lives time.Duration) {
	e.set(func(e *entries) {
		e.all = append(e.all, token.FeedEntry{N: int64(len(e.all) + 1), ID: id, Until: time.Now().Add(lives).Unix()})
	})
}

// following runs a feed over a fake store in a synctest bubble.
func following(t *testing.T, test func(t *testing.T, store *entries, feed *Feed)) {
	synctest.Test(t, func(t *testing.T) {
		store := &entries{epoch: "e1"}
		feed := NewFeed(FeedConfig{Store: store, Log: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- feed.Run(ctx) }()
		synctest.Wait()
		test(t, store, feed)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}

func ids(page token.FeedPage) []string {
	var ids []string
	for _, e := range page.Entries {
		ids = append(ids, e.ID)
	}
	return ids
}

func TestFeedTellsWhatIsWokenAtOnceAndTheRestWithinItsPoll(t *testing.T) {
	following(t, func(t *testing.T, store *entries, feed *Feed) {
		for _, woken := range []bool{true, false} {
			page, err := feed.Page(t.Context(), Cursor{}, 100)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			store.end("s", time.Hour)
			if woken {
				feed.Wake()
			}
			page, err = feed.Wait(t.Context(), Cursor{page.Epoch, page.N}, 100)
			if err != nil || len(page.Entries) != 1 {
				t.Fatalf("got %+v, %v; want the one new entry", page, err)
			}
			limit := feedPoll
			if woken {
				limit = 0
			}
			if took := time.Since(start); took > limit {
				t.Errorf("woken %v: told after %v, want at most %v", woken, took, limit)
			}
		}
	})
}

func TestFeedBeatsOnlyAfterARead(t *testing.T) {
	following(t, func(t *testing.T, store *entries, feed *Feed) {
		before := time.Now()
		page, err := feed.Wait(t.Context(), Cursor{"e1", 0}, 100)
		if err != nil || len(page.Entries) != 0 || time.Since(before) > feedBeat {
			t.Fatalf("got %+v, %v after %v; want an empty beat within %v", page, err, time.Since(before), feedBeat)
		}
		if age := time.Since(time.UnixMicro(page.ReadAt)); age > feedPoll {
			t.Errorf("the beat's read is %v old", age)
		}
		store.set(func(e *entries) { e.err = errors.New("gone") })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if page, err := feed.Wait(ctx, Cursor{"e1", 0}, 100); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without a store: got %+v, %v; want no beat at all", page, err)
		}
		if _, err := feed.Page(t.Context(), Cursor{}, 100); fault.CodeOf(err) != fault.StoreUnavailable {
			t.Errorf("a new follower without a store: got %v, want store_unavailable", err)
		}
		store.set(func(e *entries) { e.err = nil })
		if _, err := feed.Wait(t.Context(), Cursor{"e1", 0}, 100); err != nil {
			t.Errorf("the store is back: %v", err)
		}
	})
}

func TestFeedPages(t *testing.T) {
	following(t, func(t *testing.T, store *entries, feed *Feed) {
		for _, id := range []string{"a", "b", "c"} {
			store.end(id, time.Hour)
		}
		time.Sleep(feedPoll)
		synctest.Wait()
		for name, test := range map[string]struct {
			after Cursor
			limit int
			want  []string
			more  bool
			n     int64
		}{
			"from the start":           {Cursor{}, 100, []string{"a", "b", "c"}, false, 3},
			"after the second":         {Cursor{"e1", 2}, 100, []string{"c"}, false, 3},
			"a page that is too short": {Cursor{}, 2, []string{"a", "b"}, true, 2},
			"another epoch":            {Cursor{"e0", 3}, 100, []string{"a", "b", "c"}, false, 3},
			"from the future":          {Cursor{"e1", 9}, 100, []string{"a", "b", "c"}, false, 3},
		} {
			page, err := feed.Page(t.Context(), test.after, test.limit)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, ids(page)); diff != "" || page.More != test.more || page.N != test.n {
				t.Errorf("%s: n %d, more %v, ids (-want +got):\n%s", name, page.N, page.More, diff)
			}
		}
	})
}

func TestFeedStartsOverWithAnotherEpoch(t *testing.T) {
	following(t, func(t *testing.T, store *entries, feed *Feed) {
		store.end("old", time.Hour)
		time.Sleep(feedPoll)
		store.set(func(e *entries) { e.epoch, e.all = "e2", nil })
		store.end("new", time.Hour)
		time.Sleep(feedPoll)
		synctest.Wait()
		page, err := feed.Page(t.Context(), Cursor{"e1", 1}, 100)
		if diff := cmp.Diff([]string{"new"}, ids(page)); diff != "" || err != nil || page.Epoch != "e2" {
			t.Errorf("epoch %s, %v, ids (-want +got):\n%s", page.Epoch, err, diff)
		}
	})
}

func TestFeedForgetsWhatIsOver(t *testing.T) {
	following(t, func(t *testing.T, store *entries, feed *Feed) {
		store.end("short", time.Minute)
		store.end("long", time.Hour)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		page, err := feed.Page(t.Context(), Cursor{}, 100)
		if diff := cmp.Diff([]string{"long"}, ids(page)); diff != "" || err != nil {
			t.Errorf("%v, ids (-want +got):\n%s", err, diff)
		}
	})
}

func TestFeedTellsOfAWithdrawnKey(t *testing.T) {
	told := 0
	store := &entries{epoch: "e1"}
	feed := NewFeed(FeedConfig{Store: store, Withdrawn: func(context.Context) { told++ }, Log: slog.New(slog.DiscardHandler)})
	for _, e := range []token.FeedEntry{{N: 1, ID: "s", Until: token.Forever}, {N: 2, KeyID: "k", Until: token.Forever}} {
		store.set(func(s *entries) { s.all = append(s.all, e) })
		if err := feed.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := int(e.N - 1); told != want {
			t.Errorf("after entry %d: told %d times, want %d", e.N, told, want)
		}
	}
}

func TestParseCursor(t *testing.T) {
	for text, want := range map[string]Cursor{"": {}, "e.0": {"e", 0}, "abc.12": {"abc", 12}} {
		if got, err := ParseCursor(text); err != nil || got != want {
			t.Errorf("ParseCursor(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"12", "e.", "e.-1", ".3", "e.1.2", "e.x", "e.99999999999999999999"} {
		if got, err := ParseCursor(text); fault.CodeOf(err) != fault.RequestInvalid {
			t.Errorf("ParseCursor(%q) = %v, %v; want request_invalid", text, got, err)
		}
	}
}

func TestANewFollowerIsAnsweredFromAReadAfterItsRequest(t *testing.T) {
	following(t, func(t *testing.T, store *entries, feed *Feed) {
		time.Sleep(feedPoll / 2) // between two polls
		store.end("s", time.Hour)
		asked := time.Now()
		page, err := feed.Page(t.Context(), Cursor{}, 100)
		if err != nil || len(page.Entries) != 1 || page.ReadAt < asked.UnixMicro() {
			t.Errorf("got %+v, %v; want the entry, read at %d or later", page, err, asked.UnixMicro())
		}
	})
}

func TestFeedShowsNoPartOfAFirstReadAsTheWhole(t *testing.T) {
	store := &entries{epoch: "e1"}
	for range feedBatch + 1 {
		store.end("s", time.Hour)
	}
	feed := NewFeed(FeedConfig{Store: store, Log: slog.New(slog.DiscardHandler)})
	if err := feed.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(feed.page(Cursor{}, 2*feedBatch).Entries); got != feedBatch+1 {
		t.Errorf("%d entries after one read, want %d", got, feedBatch+1)
	}
}
