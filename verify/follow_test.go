package verify_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/munjigi/munjigi/internal/token"
	"github.com/munjigi/munjigi/verify"
)

func stale(t testing.TB, v *verify.Verifier, want bool) {
	t.Helper()
	if stats := v.Stats(); stats.Stale != want {
		t.Errorf("got %+v, want stale %v", stats, want)
	}
}

// Over real sockets: an end is known at once, a cut stream is taken up where it was.
func TestFollowOverHTTP(t *testing.T) {
	before := runtime.NumGoroutine()
	i := newIssuer(t, "")
	server := httptest.NewServer(i)
	i.url = server.URL
	config := i.config()
	config.Client = nil
	v := ready(t, config)
	eventually(t, func() bool { return i.count("stream") == 1 })
	for round := range 3 {
		sid := token.NewSessionID()
		raw := i.sign(t, func(c *token.Claims) { c.SessionID = sid })
		check(t, v, raw, "")
		if round == 1 {
			i.cut()
		}
		if round == 2 {
			server.CloseClientConnections()
		}
		i.end(sid, token.Ended{Reason: "cut_off"})
		eventually(t, func() bool { return v.Stats().Entries == round+1 })
		check(t, v, raw, "session_cut_off")
	}
	v.Close()
	server.Close()
	eventually(t, func() bool { return runtime.NumGoroutine() <= before })
}

// The first view takes as many pages as there are; later ones continue.
func TestManyPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, office)
		i.pageSize = 10
		var sids []token.SessionID
		end := func(count int) {
			for range count {
				sid := token.NewSessionID()
				sids = append(sids, sid)
				i.end(sid, token.Ended{Reason: "revoked"})
			}
		}
		end(95)
		v := ready(t, i.config())
		if got := v.Stats().Entries; got != 95 || i.count("/revocations") != 10 {
			t.Errorf("got %d entries in %d pages, want 95 in 10", got, i.count("/revocations"))
		}
		synctest.Wait()
		end(35)
		synctest.Wait()
		if got := v.Stats().Entries; got != 130 || i.count("/revocations") != 10 {
			t.Errorf("got %d entries in %d pages, want 130 in 10", got, i.count("/revocations"))
		}
		for _, sid := range sids {
			check(t, v, i.sign(t, func(c *token.Claims) { c.SessionID = sid }), "session_revoked")
		}
		v.Close()
	})
}

// A view without beats is stale after MaxAge; routes that must, close; everything is well again afterwards.
func TestStale(t *testing.T) {
	breaks := map[string]func(*issuer){
		"cut off": func(i *issuer) {
			i.breakPath("/revocations", status(503))
			i.breakPath("stream", status(503))
			i.cut()
		},
		"silent": func(i *issuer) {
			i.breakPath("/revocations", status(503))
			i.set(func() { i.mute = true })
		},
		"held back": func(i *issuer) { // the store was read long before
			i.breakPath("/revocations", status(503))
			i.set(func() { i.lag = 10 * time.Second })
		},
		"no longer read": func(i *issuer) { // beats without a new reading of the store
			i.breakPath("/revocations", status(503))
			frozen := time.Now()
			i.set(func() { i.lag = 0 })
			go func() {
				for range 600 {
					i.set(func() { i.lag = time.Since(frozen) })
					time.Sleep(100 * time.Millisecond)
				}
			}()
		},
	}
	for name, broken := range breaks {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := newIssuer(t, office)
				v := ready(t, i.config())
				closed := i.config()
				closed.FailClosed = true
				w := ready(t, closed)
				raw := i.sign(t, nil)
				time.Sleep(30 * time.Second)
				stale(t, v, false)
				check(t, w, raw, "")
				if streams := i.count("stream"); streams != 2 {
					t.Errorf("got %d streams, want one for each", streams)
				}
				broken(i)
				time.Sleep(1500 * time.Millisecond)
				stale(t, v, false)
				time.Sleep(3 * time.Second)
				stale(t, v, true)
				check(t, v, raw, "")
				check(t, w, raw, "revocations_stale")
				if _, err := v.Check(t.Context(), raw, verify.Need{Fresh: true}); verify.CodeOf(err) != "revocations_stale" {
					t.Errorf("got %v", err)
				}
				time.Sleep(70 * time.Second)
				stale(t, v, true)
				i.breakPath("/revocations", nil)
				i.breakPath("stream", nil)
				i.set(func() { i.mute, i.lag = false, 0 })
				time.Sleep(10 * time.Second)
				stale(t, v, false)
				check(t, w, i.sign(t, nil), "")
				v.Close()
				w.Close()
			})
		})
	}
}

// The clocks of the two machines need not agree, nor stay as they are.
func TestSkew(t *testing.T) {
	for _, skew := range []time.Duration{-time.Hour, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			i := newIssuer(t, office)
			i.skew = skew
			v := ready(t, i.config())
			time.Sleep(time.Minute)
			stale(t, v, false)
			i.set(func() { i.lag = 20 * time.Second; i.override["/revocations"] = status(503) })
			time.Sleep(5 * time.Second)
			stale(t, v, true)
			i.set(func() { i.lag = 0; delete(i.override, "/revocations") })
			time.Sleep(10 * time.Second)
			stale(t, v, false)

			// Set forward: what is held back from then on must not look fresh.
			i.set(func() { i.skew += 30 * time.Minute })
			time.Sleep(5 * time.Second)
			stale(t, v, false)
			i.set(func() { i.lag = 20 * time.Second; i.override["/revocations"] = status(503) })
			time.Sleep(5 * time.Second)
			stale(t, v, true)
			i.set(func() { i.lag = 0; delete(i.override, "/revocations") })
			time.Sleep(10 * time.Second)

			// Set back: every beat looks late, until a new connection compares the clocks anew.
			i.set(func() { i.skew -= 10 * time.Minute })
			time.Sleep(5 * time.Second)
			stale(t, v, false)
			v.Close()
		})
	}
}

// A stream that says nothing any more is given up, though nobody closes it.
func TestSilentStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, office)
		v := ready(t, i.config())
		time.Sleep(time.Minute)
		before := i.count("stream")
		i.set(func() { i.mute = true })
		time.Sleep(time.Minute)
		if got := i.count("stream") - before; got < 5 || got > 20 {
			t.Errorf("connected %d times in a minute", got)
		}
		v.Close()
	})
}

// A new epoch means "start over": what was known stays known, what is new is learnt.
func TestEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, office)
		old, new := token.NewSessionID(), token.NewSessionID()
		oldRaw := i.sign(t, func(c *token.Claims) { c.SessionID = old })
		newRaw := i.sign(t, func(c *token.Claims) { c.SessionID = new })
		for range 5 {
			i.end(token.NewSessionID(), token.Ended{Reason: "revoked"})
		}
		i.end(old, token.Ended{Reason: "signed_out"})
		v := ready(t, i.config())
		check(t, v, oldRaw, "session_signed_out")
		i.set(func() { i.epoch, i.entries, i.n = "e2", nil, 0 })
		i.end(new, token.Ended{Reason: "reused"})
		i.cut()
		time.Sleep(10 * time.Second)
		check(t, v, oldRaw, "session_signed_out")
		check(t, v, newRaw, "session_reused")
		stale(t, v, false)

		// A store that went back in time under the same epoch has other entries behind the same numbers.
		third := token.NewSessionID()
		for range 5 {
			i.end(token.NewSessionID(), token.Ended{Reason: "revoked"})
		}
		synctest.Wait()
		i.set(func() { i.entries, i.n = nil, 0 })
		i.end(third, token.Ended{Reason: "revoked"})
		time.Sleep(10 * time.Second)
		check(t, v, i.sign(t, func(c *token.Claims) { c.SessionID = third }), "session_revoked")
		v.Close()
	})
}

// Entries are forgotten when no token of their session can be alive, and not before.
func TestEntriesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, office)
		sid := token.NewSessionID()
		raw := i.sign(t, func(c *token.Claims) { c.SessionID, c.ExpiresAt = sid, c.IssuedAt+3500 })
		i.end(sid, token.Ended{Reason: "revoked"}) // for an hour
		v := ready(t, i.config())
		time.Sleep(3490 * time.Second)
		check(t, v, raw, "session_revoked")
		time.Sleep(5 * time.Minute)
		if got := v.Stats().Entries; got != 0 {
			t.Errorf("got %d entries", got)
		}
		check(t, v, raw, "token_expired")
		v.Close()
	})
}

// Nonsense on the feed costs freshness, never an entry that is known, and never more than a few requests.
func TestBrokenFeed(t *testing.T) {
	event := func(data string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(w, "data: %s\n\n", data)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
	}
	elsewhere := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://evil.example/", http.StatusFound)
	}
	feeds := map[string][2]http.HandlerFunc{
		"HTML":                {body("<html>"), nil},
		"redirect":            {elsewhere, nil},
		"no epoch":            {body(`{"n":1,"entries":[]}`), nil},
		"an id that is none":  {body(`{"epoch":"x","n":1,"entries":[{"n":1,"id":"AAA","until":99999999999}]}`), nil},
		"more of nothing":     {body(`{"epoch":"x","n":1,"more":true,"entries":[]}`), nil},
		"stream is no stream": {nil, body("data: {\"epoch\":\"e1\",\"n\":2,\"entries\":[{\"n\":2,\"id\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"until\":99999999999}]}\n\n")},
		"stream redirects":    {nil, elsewhere},
		"event is HTML":       {nil, event("<html>")},
		"event too large":     {nil, event(strings.Repeat("x", 17<<20))},
	}
	for name, handlers := range feeds {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := newIssuer(t, office)
				sid := token.NewSessionID()
				i.end(sid, token.Ended{Reason: "revoked"})
				v := ready(t, i.config())
				synctest.Wait()
				i.breakPath("/revocations", handlers[0])
				i.breakPath("stream", handlers[1])
				i.cut()
				time.Sleep(time.Minute)
				if handlers[0] != nil {
					stale(t, v, true)
				}
				if got := v.Stats().Entries; got != 1 {
					t.Errorf("got %d entries, want the one that was known", got)
				}
				check(t, v, i.sign(t, func(c *token.Claims) { c.SessionID = sid }), "session_revoked")
				if got := i.count("/revocations") + i.count("stream"); got > 50 {
					t.Errorf("got %d requests in a minute", got)
				}
				v.Close()
			})
		})
	}
}

// The loss of the feed is told once, and its end.
func TestLogOfAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, office)
		var lost, found atomic.Int32
		config := i.config()
		config.Log = slog.New(slog.NewTextHandler(writerFunc(func(line []byte) {
			if strings.Contains(string(line), "feed lost") {
				lost.Add(1)
			}
			if strings.Contains(string(line), "found again") {
				found.Add(1)
			}
		}), nil))
		v := ready(t, config)
		synctest.Wait()
		i.breakPath("/revocations", status(500))
		i.cut()
		time.Sleep(time.Minute)
		i.breakPath("/revocations", nil)
		time.Sleep(time.Minute)
		if lost.Load() != 1 || found.Load() != 1 {
			t.Errorf("lost %d times, found %d times", lost.Load(), found.Load())
		}
		v.Close()
	})
}

type writerFunc func([]byte)

func (f writerFunc) Write(data []byte) (int, error) { f(data); return len(data), nil }
