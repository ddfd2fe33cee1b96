package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/store/pgtest"
	"github.com/munjigi/munjigi/verify"
)

// example copies examples/three-nodes, with ports, database and provider of this test.
func (w *whole) example(t *testing.T, database string, ports []string) {
	t.Helper()
	change := strings.NewReplacer(
		"8080", ports[0], "8081", ports[1], "8082", ports[2], "8083", ports[3],
		"postgres://munjigi@127.0.0.1:5432/munjigi?sslmode=disable&passfile=pgpass", database,
		"https://accounts.google.com", w.provider.URL, "12345.apps.googleusercontent.com", "munjigi",
	)
	for _, name := range []string{"munjigi.yaml", "nginx.conf", "nodes"} {
		text, err := fs.ReadFile(os.DirFS("../../examples/three-nodes"), name)
		if err != nil {
			t.Fatal(err)
		}
		w.write(t, name, change.Replace(string(text)))
	}
}

// nodes runs the example's script.
func (w *whole) nodes(what string) ([]byte, error) {
	c := exec.Command("bash", filepath.Join(w.dir, "nodes"), what)
	c.Env = append(os.Environ(), asProgram+"=1", "MUNJIGI="+os.Args[0])
	return c.CombinedOutput()
}

// The example of three nodes behind nginx: while they are restarted one after the other, nobody notices.
func TestThreeNodesBehindNginx(t *testing.T) {
	t.Parallel()
	database := pgtest.Server{}
	if err := database.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := database.Stop(); err != nil {
			t.Error(err)
		}
	})
	w := &whole{dir: t.TempDir(), log: new(lines)}
	var ports []string
	for range 4 {
		_, port, _ := strings.Cut(freeAddress(t), ":")
		ports = append(ports, port)
	}
	w.url = "http://localhost:" + ports[0]
	w.startProvider(t)
	w.example(t, database.URL(), ports)
	w.write(t, "provider.secret", "secret of the client\n")
	if _, err := keys.CreateSealer(filepath.Join(w.dir, "munjigi.key")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if out, err := w.nodes("stop"); err != nil {
			t.Errorf("stop: %v: %s", err, out)
		}
	})
	if out, err := w.nodes("start"); err != nil {
		t.Fatalf("start: %v: %s", err, out)
	}
	w.startService(t, verify.Config{})
	people := parallel(8, func(i int) *browser {
		b := w.browser()
		eventually(t, 30*time.Second, func() error { return b.signIn([]string{"viewer@example.com", "boss@example.com"}[i%2]) })
		return b
	})
	work, rolled := new(rolling), make(chan struct{})
	var wg sync.WaitGroup
	for _, b := range people {
		wg.Go(func() { work.until(rolled, b) })
	}
	out, err := w.nodes("roll")
	close(rolled)
	wg.Wait()
	if err != nil {
		t.Errorf("roll: %v: %s", err, out)
	}
	if work.done.Load() < 100 || work.failed.Load() != 0 {
		t.Errorf("%d requests, %d failed, the first: %v", work.done.Load(), work.failed.Load(), *cmp.Or(work.first.Load(), new(string)))
	}
	t.Logf("%d requests while three nodes were restarted, %d failed", work.done.Load(), work.failed.Load())
}

// rolling is what people do meanwhile.
type rolling struct {
	done, failed atomic.Int64
	first        atomic.Pointer[string]
}

func (r *rolling) until(over <-chan struct{}, b *browser) {
	for {
		select {
		case <-over:
			return
		default:
		}
		_, access, err := b.renew()
		if err == nil {
			err = b.me(b.w.service.URL, access)
		}
		_, other := b.call(http.MethodGet, b.w.url+"/sessions", "", nil)
		if err := errors.Join(err, other); err != nil {
			r.failed.Add(1)
			text := fmt.Sprint(time.Now().Format(time.TimeOnly), " ", err)
			r.first.CompareAndSwap(nil, &text)
		}
		r.done.Add(2)
	}
}
