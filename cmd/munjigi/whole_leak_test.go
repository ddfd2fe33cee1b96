package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Callers who go away, a service that hangs and then is gone: nothing of it stays in the program.
func TestWholeNoGoroutineIsLeftOver(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	w, counter, service := startCounter(t, hang)
	w.kill()
	w.metrics = freeAddress(t)
	text, err := os.ReadFile(filepath.Join(w.dir, "munjigi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, "munjigi.yaml", string(text)+"metrics_listen: "+w.metrics+"\n")
	w.start(t)
	boss := w.clerk(t, "boss@example.com")
	boss.reaches(t, "/services/counter/count")
	if _, err := boss.ask(http.MethodGet, "/screens/counter", ""); err != nil {
		t.Fatal(err)
	}
	before := w.goroutines(t)

	const calls = 60
	var group sync.WaitGroup
	ctx, goAway := context.WithCancel(t.Context())
	for range calls {
		group.Go(func() { boss.begin(ctx, http.MethodPost, "/services/counter/count") })
	}
	eventually(t, 30*time.Second, func() error {
		if n := counter.added.Load(); n < calls {
			return fmt.Errorf("%d of %d calls are at the service", n, calls)
		}
		return nil
	})
	if during := w.goroutines(t); during < before+calls {
		t.Errorf("%d goroutines with %d calls under way, %d before: what is counted?", during, calls, before)
	}
	goAway()
	group.Wait()
	close(hang)
	service.CloseClientConnections()
	service.Close()
	for range calls {
		group.Go(func() { boss.begin(t.Context(), http.MethodGet, "/services/counter/count") })
	}
	group.Wait()
	boss.CloseIdleConnections()
	eventually(t, time.Minute, func() error {
		if after := w.goroutines(t); after > before+10 { // those who follow the feed come and go
			return fmt.Errorf("%d goroutines, %d before", after, before)
		}
		return nil
	})
}

// begin calls, whatever comes of it.
func (c *clerk) begin(ctx context.Context, method, path string) {
	request, err := http.NewRequestWithContext(ctx, method, c.w.url+path, http.NoBody)
	if err != nil {
		panic(err)
	}
	request.Header = http.Header{"Munjigi-App": {"console"}, "Authorization": {"Bearer " + c.token}, "Origin": {c.w.url}}
	if answer, err := c.Do(request); err == nil {
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
}

var goroutines = regexp.MustCompile(`(?m)^go_goroutines (\d+)$`)

// goroutines are how many the program has, as its metrics say.
func (w *whole) goroutines(t *testing.T) int {
	t.Helper()
	answer, err := http.Get("http://" + w.metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var text strings.Builder
	if _, err := io.Copy(&text, answer.Body); err != nil {
		t.Fatal(err)
	}
	found := goroutines.FindStringSubmatch(text.String())
	if found == nil {
		t.Fatalf("no go_goroutines in %s", text.String())
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
