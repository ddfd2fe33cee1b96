package gateway

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/catalog"
)

// Whatever becomes of calls, nothing of them goes on afterwards: callers that leave in the middle, services that never
// answer, break off or answer nonsense, and streams that nobody reads to the end.
func TestNothingGoesOnAfterCalls(t *testing.T) {
	w := open(t, func(c *Config) { c.Limits.Answer = time.Hour }) // no limit ends what nobody waits for
	left := make(chan struct{})
	w.answers(func(out http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("status") {
		case "never":
			select {
			case <-r.Context().Done():
			case <-left:
			}
		case "stream":
			out.Header().Set("Content-Type", "text/event-stream")
			for r.Context().Err() == nil {
				if _, err := out.Write([]byte("data: 1\n\n")); err != nil {
					return
				}
				out.(http.Flusher).Flush()
			}
		case "torn":
			out.Header().Set("Content-Length", "100")
			out.Write([]byte(`{"items":[`))
		case "page":
			out.Header().Set("Content-Type", "text/html")
			out.Write([]byte("<h1>hello</h1>"))
		case "broken":
			panic(http.ErrAbortHandler)
		default:
			writeJSON(out, 200, `{"items":[],"total":0}`)
		}
	})
	defer close(left)
	client := w.console.Client()
	call := func(kind string, patience time.Duration) {
		ctx, stop := context.WithTimeout(context.Background(), patience)
		defer stop()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.console.URL+"/services/market/admin/orders?status="+kind, nil)
		if err != nil {
			t.Error(err)
			return
		}
		answer, err := client.Do(r)
		if err != nil {
			return
		}
		defer answer.Body.Close()
		_, _ = answer.Body.Read(make([]byte, 1))
	}
	quiet := func() int {
		client.CloseIdleConnections()
		w.Transport.(interface{ CloseIdleConnections() }).CloseIdleConnections()
		return runtime.NumGoroutine()
	}
	call("fine", 10*time.Second)
	before := quiet()
	var all sync.WaitGroup
	for _, kind := range strings.Fields("never stream torn page broken fine") {
		for range 20 {
			all.Go(func() { call(kind, 300*time.Millisecond) })
		}
		all.Wait() // more at once would not come as far as the service
	}
	if w.asked() < 60 {
		t.Errorf("the service was asked %d times: most calls never came as far", w.asked())
	}
	deadline := time.Now().Add(15 * time.Second)
	for quiet() > before+2 { // connections that are just being closed
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// A document that was fetched again and is the same makes no other screens; how old one is that may be out of date is told.
func TestScreensStayTheSame(t *testing.T) {
	w := open(t, nil)
	view, _ := w.View("market")
	ask := func(do func(http.ResponseWriter, *http.Request, Caller) error, tag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/screens/market", nil)
		r.SetPathValue("service", "market")
		r.Header.Set("If-None-Match", tag)
		out := httptest.NewRecorder()
		if err := do(out, r, w.who); err != nil {
			t.Fatal(err)
		}
		return out
	}
	for name, do := range map[string]func(http.ResponseWriter, *http.Request, Caller) error{"all": w.Screens, "one": w.Screen} {
		view.State, view.FetchedAt = catalog.Ready, w.clock
		tag := ask(do, "").Header().Get("ETag")
		view.FetchedAt = w.clock.Add(time.Minute)
		if got := ask(do, tag); got.Code != http.StatusNotModified {
			t.Errorf("%s: a minute later: got %d %s", name, got.Code, got.Body)
		}
		view.State = catalog.Unreachable
		if got := ask(do, tag); got.Code != 200 || !strings.Contains(got.Body.String(), `"fetched_at":1790000060`) {
			t.Errorf("%s: out of date: got %d %s", name, got.Code, got.Body)
		}
	}
}
