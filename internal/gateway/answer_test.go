package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/fault"
)

// A service that does not do its part is told apart from everything else, and signs nobody out.
func TestServiceInTrouble(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		status int
	}{
		{"500", func(out http.ResponseWriter, _ *http.Request) { writeJSON(out, 500, `{"code":"session_revoked"}`) }, 502},
		{"503", func(out http.ResponseWriter, _ *http.Request) { out.WriteHeader(503) }, 502},
		{"a web page", func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set("Content-Type", "Text/HTML; charset=x")
			fmt.Fprint(out, "<p>hi")
		}, 502},
		{"a web page, 404", func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set("Content-Type", "text/html")
			out.WriteHeader(404)
		}, 502},
		{"a redirect", func(out http.ResponseWriter, r *http.Request) {
			http.Redirect(out, r, "/admin/orders/8", http.StatusFound)
		}, 502},
		{"a redirect elsewhere", func(out http.ResponseWriter, r *http.Request) {
			out.Header().Set("Location", "http://evil.test")
			out.WriteHeader(307)
		}, 502},
		{"a hangup", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 502},
		{"too slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 504},
		{"switching protocols", func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set("Upgrade", "x")
			out.Header().Set("Connection", "upgrade")
			out.WriteHeader(101)
		}, 502},
		{"not JSON where it has to be masked", func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set("Content-Type", "text/csv")
			fmt.Fprint(out, "phone\n010")
		}, 502},
		{"encoded where it has to be masked", func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set("Content-Encoding", "gzip")
			writeJSON(out, 200, "x")
		}, 502},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := open(t, func(c *Config) { c.Limits.Answer = 200 * time.Millisecond })
			w.answers(c.answer)
			g := w.ask("GET", "/services/market/admin/orders/7", "")
			if g.status != c.status || g.code != fault.ServiceUnreachable || !strings.Contains(g.body, `"service":"market"`) {
				t.Errorf("got %d %s (%v)", g.status, g.body, g.err)
			}
		})
	}
	t.Run("down", func(t *testing.T) {
		w := open(t, nil)
		w.market.Close()
		if g := w.ask("POST", "/services/market/admin/recount", ""); g.status != 502 || g.code != fault.ServiceUnreachable {
			t.Errorf("got %d %s", g.status, g.body)
		}
		if got := w.events(); !cmp.Equal(got, []string{"called recount", "call_ended recount unknown"}) {
			t.Errorf("events: %q", got)
		}
	})
}

// What a service refuses is passed on as JSON. Its 401 is not the person's.
func TestServiceRefuses(t *testing.T) {
	for _, c := range []struct {
		status           int
		kind, body, want string
	}{
		{422, "application/problem+json", `{"errors":[{"pointer":"/amount","detail":"too much"}],"n":9223372036854775807}`, `{"errors":[{"pointer":"/amount","detail":"too much"}],"n":9223372036854775807,"service":"market","status":422}`},
		{409, "application/json", `{"title":"not paid"}`, `{"service":"market","status":409,"title":"not paid"}`},
		{403, "application/json", `{"code":"role_missing"}`, `{"code":"role_missing","service":"market","status":403}`},
		{404, "text/plain", "no such order\n", `{"detail":"no such order","service":"market","status":404}`},
		{429, "", "", `{"service":"market","status":429}`},
		{400, "application/json", "[1]", `{"detail":"[1]","service":"market","status":400}`},
		{400, "application/json", "{", `{"detail":"{","service":"market","status":400}`},
		{401, "application/problem+json", `{"code":"session_revoked","title":"over"}`, `{"status":401,"title":"over"}`},
		{401, "application/problem+json", `{"code":"token_expired","service":"other"}`, `{"status":401}`},
		{401, "application/problem+json", `{"code":7}`, `{"status":401}`},
		{401, "application/problem+json", `{"code":"token_stale_check","max_check_age":30}`, `{"code":"token_stale_check","max_check_age":30,"status":401}`},
	} {
		w := open(t, nil)
		w.answers(func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set("WWW-Authenticate", `Bearer error="invalid_token", code="session_revoked"`)
			out.Header()["Content-Type"] = []string{c.kind}
			out.WriteHeader(c.status)
			fmt.Fprint(out, c.body)
		})
		g := w.ask("GET", "/services/market/admin/jobs/7", "")
		if g.status != c.status || g.body != c.want || g.header.Get("Content-Type") != "application/problem+json" || g.header.Get("Munjigi-From") != "service" || g.header.Get("WWW-Authenticate") != "" {
			t.Errorf("%d %s: got %d %s %v", c.status, c.body, g.status, g.body, g.header)
		}
	}
}

// A refusal may show the record: its sensitive fields are hidden by their names.
func TestRefusalIsMasked(t *testing.T) {
	w := open(t, nil)
	w.answers(func(out http.ResponseWriter, _ *http.Request) {
		writeJSON(out, 409, `{"current":{"phone":"010","title":"x"}}`)
	})
	if g := w.ask("GET", "/services/market/admin/orders/7", ""); g.body != `{"current":{"phone":"••••","title":"x"},"service":"market","status":409}` {
		t.Errorf("got %s", g.body)
	}
}

// A lost update is ours to tell; the tag goes both ways, and the answer to one that has it is empty.
func TestTags(t *testing.T) {
	w := open(t, nil)
	w.answers(func(out http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("If-Match") == `"6"`:
			writeJSON(out, 412, `{}`)
		case r.Header.Get("If-None-Match") == `"7"`:
			out.Header().Set("ETag", `"7"`)
			out.WriteHeader(304)
		default:
			out.WriteHeader(204)
		}
	})
	merge := []string{"Content-Type", "application/merge-patch+json", "If-Match"}
	if g := w.ask("PATCH", "/services/market/admin/orders/7", `{"title":"x"}`, append(merge, `"6"`)...); g.status != 412 || g.code != fault.EditConflict {
		t.Errorf("got %d %s", g.status, g.body)
	}
	if g := w.ask("PATCH", "/services/market/admin/orders/7", `{"title":"x"}`, append(merge, `"7"`)...); g.status != 204 {
		t.Errorf("got %d %s", g.status, g.body)
	}
	if g := w.ask("GET", "/services/market/admin/orders/7", "", "If-None-Match", `"7"`); g.status != 304 || g.header.Get("ETag") != `"7"` || g.body != "" {
		t.Errorf("got %d %s", g.status, g.body)
	}
	if got := w.events(); !cmp.Equal(got, []string{"called updateOrder", "call_ended updateOrder status_412", "called updateOrder", "call_ended updateOrder"}) {
		t.Errorf("events: %q", got)
	}
}

// Where a long action can be asked about is told as an address of ours; everything else is not told.
func TestLocation(t *testing.T) {
	w := open(t, nil)
	for location, want := range map[string]string{
		"/admin/jobs/7":                         "/services/market/admin/jobs/7",
		"jobs/7":                                "/services/market/admin/jobs/7",
		w.market.URL + "/admin/jobs/7?full=yes": "/services/market/admin/jobs/7?full=yes",
		"//evil.test/admin/jobs/7":              "",
		"http://evil.test/admin/jobs/7":         "",
		"https" + strings.TrimPrefix(w.market.URL, "http") + "/admin/jobs/7": "",
		"/admin/../../jobs": "/services/market/jobs",
		"/admin/%2e%2e/x":   "",
		"/a//b":             "",
		"javascript:1":      "",
	} {
		w.answers(func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set("Location", location)
			out.Header().Add("Link", "<"+location+`>; rel="next", </admin/orders?x=1,2>; rel="prev"`)
			out.WriteHeader(202)
		})
		g := w.ask("POST", "/services/market/admin/recount", "")
		links := `</services/market/admin/orders?x=1,2>; rel="prev"`
		if want != "" {
			links = "<" + want + `>; rel="next", ` + links
		}
		if g.status != 202 || g.header.Get("Location") != want || g.header.Get("Link") != links {
			t.Errorf("%q: got %d %q, %q", location, g.status, g.header.Get("Location"), g.header.Get("Link"))
		}
	}
}

// Sensitive fields are shown of one record, to who says so, and that is in the audit before they are.
func TestReveal(t *testing.T) {
	w := open(t, nil)
	w.answers(func(out http.ResponseWriter, _ *http.Request) { writeJSON(out, 200, `{"id":1,"phone":"010-1"}`) })
	if g := w.ask("GET", "/services/market/admin/orders/1", ""); g.body != `{"id":1,"phone":"••••"}` {
		t.Errorf("got %s", g.body)
	}
	if g := w.ask("GET", "/services/market/admin/orders/1", "", "Munjigi-Reveal", "true"); g.body != `{"id":1,"phone":"010-1"}` {
		t.Errorf("got %s", g.body)
	}
	if got := w.events(); !cmp.Equal(got, []string{"revealed getOrder", "call_ended getOrder"}) {
		t.Errorf("events: %q", got)
	}
	for _, path := range []string{"/services/market/admin/orders", "/services/market/admin/orders/7/picture"} {
		if g := w.ask("GET", path, "", "Munjigi-Reveal", "true"); g.code != fault.RequestInvalid {
			t.Errorf("%s: got %d %s", path, g.status, g.body)
		}
	}
	w.failing = fault.New(fault.StoreUnavailable, "")
	before := w.asked()
	if g := w.ask("GET", "/services/market/admin/orders/1", "", "Munjigi-Reveal", "true"); g.code != fault.StoreUnavailable || w.asked() != before {
		t.Errorf("what cannot be recorded is not done: got %d %s", g.status, g.body)
	}
	if g := w.ask("POST", "/services/market/admin/recount", ""); g.code != fault.StoreUnavailable || w.asked() != before {
		t.Errorf("what cannot be recorded is not done: got %d %s", g.status, g.body)
	}
}

// A body of another kind than documented is refused; one that is too large is cut off.
func TestBodies(t *testing.T) {
	w := open(t, func(c *Config) { c.Limits.Body, c.Limits.Upload = 100, 1000 })
	w.answers(func(out http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			writeJSON(out, 200, `{}`)
		}
	})
	form := "multipart/form-data; boundary=x"
	for _, c := range []struct {
		method, path, body string
		header             []string
		want               fault.Code
	}{
		{"POST", "/admin/orders", `{}`, nil, ""},
		{"POST", "/admin/orders", `{}`, []string{"Content-Type", "application/json; charset=utf-8"}, ""},
		{"POST", "/admin/orders", ``, nil, ""},
		{"POST", "/admin/orders", `a=b`, []string{"Content-Type", "application/x-www-form-urlencoded"}, fault.RequestInvalid},
		{"POST", "/admin/orders", `{}`, []string{"Content-Type", "text/plain"}, fault.RequestInvalid},
		{"POST", "/admin/orders", `{}`, []string{"Content-Encoding", "gzip"}, fault.RequestInvalid},
		{"POST", "/admin/recount", `{}`, nil, fault.RequestInvalid},
		{"GET", "/admin/orders", `{}`, nil, fault.RequestInvalid},
		{"DELETE", "/admin/orders/7", `{}`, nil, fault.RequestInvalid},
		{"POST", "/admin/orders", `"` + strings.Repeat("x", 200) + `"`, nil, fault.TooLarge},
		{"PUT", "/admin/orders/7/picture", strings.Repeat("x", 500), []string{"Content-Type", form}, ""},
		{"PUT", "/admin/orders/7/picture", strings.Repeat("x", 2000), []string{"Content-Type", form}, fault.TooLarge},
	} {
		if g := w.ask(c.method, "/services/market"+c.path, c.body, c.header...); g.code != c.want {
			t.Errorf("%s %s %.20s: got %d %s, want %q", c.method, c.path, c.body, g.status, g.body, c.want)
		}
	}
	// Without a length it shows only on the way.
	r, _ := http.NewRequest("POST", w.console.URL+"/services/market/admin/orders", io.MultiReader(strings.NewReader(strings.Repeat("x", 200))))
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || answer.StatusCode != 413 {
		t.Errorf("chunked: got %v, %v", answer, err)
	}
}

// A query has the operation's parameters and no other, each once unless it is a list.
func TestQuery(t *testing.T) {
	w := open(t, nil)
	for raw, want := range map[string]string{
		"status=paid":                  "status=paid",
		"tag=a&tag=b&tag%5B%5D=c":      "tag=a&tag=b&tag%5B%5D=c",
		"status=%EC%A3%BC&cursor=a%26": "status=%EC%A3%BC&cursor=a%26",
		"&&status=a":                   "status=a",
		"status":                       "status=",
		"status=paid&status=x":         "!",
		"admin=true":                   "!",
		"Status=paid":                  "!",
		"status%00=x":                  "!",
		"status=a;tag=b":               "!",
		"status=%zz":                   "!",
		"id=7":                         "!",
	} {
		g := w.ask("GET", "/services/market/admin/orders?"+raw, "")
		if want == "!" {
			if g.code != fault.RequestInvalid {
				t.Errorf("%q: got %d %s", raw, g.status, g.body)
			}
		} else if g.status != 200 || w.last().URL.RawQuery != want {
			t.Errorf("%q: got %d %s, the service saw %q", raw, g.status, g.body, w.last().URL.RawQuery)
		}
	}
}

// One dead service has no more of us than its places: who comes next is told at once, and others notice nothing.
func TestBulkhead(t *testing.T) {
	w := open(t, func(c *Config) { c.Limits.InFlight = 3; c.Limits.Answer = 20 * time.Second })
	hang := make(chan struct{})
	w.answers(func(http.ResponseWriter, *http.Request) { <-hang })
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() { w.ask("GET", "/services/market/admin/jobs/7", "") })
	}
	eventually(t, func() bool { return w.asked() == 3 })
	began := time.Now()
	if g := w.ask("GET", "/services/market/admin/jobs/7", ""); g.code != fault.ServiceUnreachable || time.Since(began) > 5*time.Second {
		t.Errorf("got %d %s after %v", g.status, g.body, time.Since(began))
	}
	close(hang)
	group.Wait()
	w.answers(func(out http.ResponseWriter, _ *http.Request) { writeJSON(out, 200, `{}`) })
	if g := w.ask("GET", "/services/market/admin/jobs/7", ""); g.status != 200 {
		t.Errorf("afterwards: got %d %s", g.status, g.body)
	}
}

func eventually(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came")
		}
	}
}

// When the session ends so does the stream, and nothing is left of it.
func TestEndedSessionCutsStreams(t *testing.T) {
	w := open(t, nil)
	gone := make(chan struct{})
	w.answers(func(out http.ResponseWriter, r *http.Request) {
		out.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(out, "data: 1\n\n")
		out.(http.Flusher).Flush()
		<-r.Context().Done()
		close(gone)
	})
	began := make(chan got)
	go func() { began <- w.ask("GET", "/services/market/admin/jobs/7", "") }()
	eventually(t, func() bool { return w.asked() == 1 })
	w.mu.Lock()
	w.ended = fault.New(fault.SessionRevoked, "")
	w.mu.Unlock()
	if g := <-began; g.status != 200 || g.err == nil || g.body != "data: 1\n\n" {
		t.Errorf("got %d %q, %v", g.status, g.body, g.err)
	}
	<-gone
	// Before the answer has begun it is told.
	w.answers(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	if g := w.ask("GET", "/services/market/admin/jobs/7", ""); g.code != fault.SessionRevoked {
		t.Errorf("got %d %s", g.status, g.body)
	}
	// That the store cannot be read is no verdict.
	w.mu.Lock()
	w.ended = fault.New(fault.StoreUnavailable, "")
	w.mu.Unlock()
	w.answers(func(out http.ResponseWriter, _ *http.Request) {
		time.Sleep(200 * time.Millisecond)
		writeJSON(out, 200, `{}`)
	})
	if g := w.ask("GET", "/services/market/admin/jobs/7", ""); g.status != 200 {
		t.Errorf("got %d %s", g.status, g.body)
	}
}

// What stops in the middle is broken off, not waited for.
func TestStall(t *testing.T) {
	w := open(t, func(c *Config) { c.Limits.Stall = 100 * time.Millisecond })
	w.answers(func(out http.ResponseWriter, r *http.Request) {
		out.Header().Set("Content-Type", "text/plain")
		fmt.Fprint(out, "half")
		out.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	if g := w.ask("GET", "/services/market/admin/jobs/7", ""); g.err == nil || g.body != "half" || errors.Is(g.err, context.DeadlineExceeded) {
		t.Errorf("got %d %q, %v", g.status, g.body, g.err)
	}
}

// Whoever goes away takes the call with them, and no goroutine stays.
func TestGone(t *testing.T) {
	w := open(t, nil)
	gone := make(chan struct{}, 10)
	w.answers(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done(); gone <- struct{}{} })
	before := runtime.NumGoroutine()
	for range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		r, _ := http.NewRequestWithContext(ctx, "GET", w.console.URL+"/services/market/admin/jobs/7", nil)
		asked := w.asked()
		go func() { eventually(t, func() bool { return w.asked() > asked }); cancel() }()
		if answer, err := http.DefaultTransport.RoundTrip(r); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, %v", answer, err)
		}
		<-gone
	}
	w.console.CloseClientConnections()
	w.market.CloseClientConnections()
	eventually(t, func() bool { return runtime.NumGoroutine() <= before+4 })
}

// Uploads and downloads pass as they come: the service has the first half before the second one is sent.
func TestStreaming(t *testing.T) {
	w := open(t, nil)
	first := make(chan string, 1)
	w.answers(func(out http.ResponseWriter, r *http.Request) {
		half := make([]byte, 5)
		_, _ = io.ReadFull(r.Body, half)
		first <- string(half)
		rest, _ := io.ReadAll(r.Body)
		out.Header().Set("Content-Type", "text/plain")
		out.Write(rest)
	})
	body, write := io.Pipe()
	r, _ := http.NewRequest("PUT", w.console.URL+"/services/market/admin/orders/7/picture", body)
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	go func() {
		fmt.Fprint(write, "12345")
		if got := <-first; got != "12345" {
			t.Errorf("got %q", got)
		}
		fmt.Fprint(write, "67890")
		write.Close()
	}()
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); string(text) != "67890" || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
}

// A write goes out once: net/http, too, must not repeat it when the connection breaks.
func TestWritesAreNotRepeated(t *testing.T) {
	w := open(t, nil)
	w.ask("GET", "/services/market/admin/jobs/7", "") // there is a connection to be used again
	w.answers(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	before := w.asked()
	if g := w.ask("POST", "/services/market/admin/recount", "", "Idempotency-Key", "k"); g.code != fault.ServiceUnreachable {
		t.Errorf("got %d %s", g.status, g.body)
	}
	if n := w.asked() - before; n != 1 {
		t.Errorf("the service was asked %d times", n)
	}
	if n := len(w.open); n != 0 {
		t.Errorf("%d calls are open", n)
	}
}

// Keys of intentions.
func TestIdempotencyKeys(t *testing.T) {
	w := open(t, nil)
	keys := map[string]bool{}
	for range 3 {
		w.ask("POST", "/services/market/admin/recount", "")
		keys[w.last().Header.Get("Idempotency-Key")] = true
	}
	if len(keys) != 3 || keys[""] {
		t.Errorf("keys of ours: %v", keys)
	}
	for _, bad := range []string{"", "a b", strings.Repeat("k", 256), "é"} {
		if g := w.ask("POST", "/services/market/admin/recount", "", "Idempotency-Key", bad); g.code != fault.RequestInvalid {
			t.Errorf("%q: got %d %s", bad, g.status, g.body)
		}
	}
	w.ask("GET", "/services/market/admin/jobs/7", "", "Idempotency-Key", "k")
	if got := w.last().Header.Get("Idempotency-Key"); got != "" {
		t.Errorf("a read bears %q", got)
	}
}

// A token is used again until half of its life is over, and never after anything in it has changed.
func TestTokens(t *testing.T) {
	w := open(t, nil)
	ask := func() string {
		w.ask("GET", "/services/market/admin/jobs/7", "")
		return w.last().Header.Get("Authorization")
	}
	first := ask()
	w.clock = w.clock.Add(149 * time.Second)
	if ask() != first {
		t.Error("it is not used again")
	}
	w.clock = w.clock.Add(2 * time.Second)
	second := ask()
	if second == first {
		t.Error("it is used when more than half of its life is over")
	}
	w.who.Account.Roles = []string{"editor", "admin"}
	if ask() == second {
		t.Error("it is used after the roles have changed")
	}
	w.who.Session.Rotation.Access = time.Minute
	w.who.Account.Name = "Kim again"
	ask()
	if c := claims(t, w.last()); c.ExpiresAt-c.IssuedAt != 60 {
		t.Errorf("it lives for %d s, longer than the session's own", c.ExpiresAt-c.IssuedAt)
	}
	w.who.Session.EndsAt = w.clock.Add(10 * time.Second)
	ask()
	if c := claims(t, w.last()); c.ExpiresAt != w.who.Session.EndsAt.Unix() {
		t.Errorf("it outlives the session: %d", c.ExpiresAt)
	}
}

// Calls that a crash left open are ended at the next start, once.
func TestRecover(t *testing.T) {
	w := open(t, nil)
	w.answers(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	c, err := w.prepare(httptest.NewRequest("POST", "/services/market/admin/recount", nil), w.who, "market/admin/recount")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.begin(t.Context(), c, "called"); err != nil {
		t.Fatal(err)
	}
	began := w.Now()
	if err := w.Recover(t.Context(), began.Add(-time.Hour)); err != nil || len(w.events()) != 1 {
		t.Fatalf("another node's call was ended: %v, %q", err, w.events())
	}
	for range 2 {
		if err := w.Recover(t.Context(), began.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.events(); !cmp.Equal(got, []string{"called recount", "call_ended recount unknown"}) {
		t.Errorf("events: %q", got)
	}
}
