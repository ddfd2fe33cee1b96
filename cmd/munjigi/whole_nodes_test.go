package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/store/pgtest"
	"github.com/munjigi/munjigi/verify"
)

// nodes are three processes on one PostgreSQL, all under the address of the first.
type nodes struct {
	*whole
	database pgtest.Server
	each     []*whole // its url is where it listens
}

func startNodes(t *testing.T, policy string) *nodes {
	t.Helper()
	n := &nodes{whole: &whole{dir: t.TempDir(), log: new(lines)}, database: pgtest.Server{Durable: true}}
	if err := n.database.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.database.Stop(); err != nil {
			t.Error(err)
		}
	})
	for range 3 {
		n.each = append(n.each, &whole{dir: n.dir, url: "http://" + freeAddress(t), log: n.log})
	}
	n.url = n.each[0].url
	n.startProvider(t)
	n.write(t, "provider.secret", "secret of the client\n")
	n.configure(t, policy)
	if _, err := keys.CreateSealer(filepath.Join(n.dir, "munjigi.key")); err != nil {
		t.Fatal(err)
	}
	parallel(3, func(i int) any { n.each[i].startAs(t, i); return nil }) // on an empty database, all at once
	t.Cleanup(func() {
		for _, one := range n.each {
			one.kill()
		}
		if t.Failed() {
			t.Logf("the nodes' log:\n%s", n.log)
		}
	})
	return n
}

// configure writes a file for each node; all but the listener is the same.
func (n *nodes) configure(t *testing.T, policy string) {
	t.Helper()
	for i, one := range n.each {
		text := fmt.Sprintf(wholeConfig, n.url, strings.TrimPrefix(one.url, "http://"), n.provider.URL, policy)
		text = strings.Replace(text, "sqlite:munjigi.db", "postgres://postgres@"+n.database.Address()+"/postgres?sslmode=disable", 1)
		n.write(t, fmt.Sprintf("node%d.yaml", i), text)
	}
}

func (w *whole) startAs(t *testing.T, i int) {
	t.Helper()
	w.startWith(t, fmt.Sprintf("node%d.yaml", i))
}

// at is the same browser, whose requests go to one of the nodes.
func (n *nodes) at(b *browser, i int) *browser {
	client := *b.Client
	client.Transport = n.via(i)
	return &browser{Client: &client, w: b.w, agent: b.agent}
}

// via sends what is meant for the nodes' common address to one of them.
func (n *nodes) via(i int) *http.Transport {
	common, node := strings.TrimPrefix(n.url, "http://"), strings.TrimPrefix(n.each[i].url, "http://")
	return &http.Transport{MaxIdleConnsPerHost: 64, DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == common {
			address = node
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
}

// present is browser.present at a node.
func (n *nodes) present(b *browser, i int, cookie string) ([]byte, error) {
	c := &browser{Client: &http.Client{Timeout: b.Timeout, Transport: n.via(i)}, w: b.w, agent: b.agent}
	return c.call(http.MethodPost, n.url+"/session", `{"app":"tools"}`, http.Header{"Cookie": {"munjigi-staff=" + cookie}})
}

func soak() bool { return os.Getenv("MUNJIGI_SOAK") != "" }

// Three nodes are one: whatever one has said holds at the others, also when nodes and database die.
func TestNodes(t *testing.T) {
	t.Parallel()
	n := startNodes(t, "renew_grace: 5s, lost_answers: 1000, per_account: 0")
	people := n.threeSignedIn(t)
	t.Run("a store that is copied goes on", n.testCopied)
	t.Run("what ends at one node is refused by those who follow another", n.testRevoked)
	t.Run("a key that one rotates is used by all", n.testKeys)
	t.Run("64 renewals of one token are one", func(t *testing.T) { n.testOneLineage(t, people) })
	t.Run("killed under load", n.testKilled)
	t.Run("100 sign-ins, one place", n.testOnePlace)
	t.Run("as one node could have answered", n.testHistory)
	if out, err := n.command("audit", "verify", "--config", "node0.yaml").CombinedOutput(); err != nil {
		t.Errorf("audit verify: %v: %s", err, out)
	}
}

// testCopied moves another, smaller installation to the nodes' database server.
func (n *nodes) testCopied(t *testing.T) {
	w := startWhole(t, "renew_grace: 1s")
	b, _ := w.signedIn(t, "viewer@example.com")
	w.kill()
	text, err := os.ReadFile(filepath.Join(w.dir, "munjigi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, "new.yaml", strings.Replace(string(text), "sqlite:munjigi.db", n.database.Schema(t), 1))
	if out, err := w.command("store", "copy", "--to", "new.yaml").CombinedOutput(); err != nil || !bytes.Contains(out, []byte("copied and verified")) {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := w.command("store", "copy", "--to", "new.yaml").CombinedOutput(); err == nil || !bytes.Contains(out, []byte("holds a store already")) {
		t.Errorf("again: %v: %s", err, out)
	}
	w.startWith(t, "new.yaml")
	if _, _, err := b.renew(); err != nil {
		t.Errorf("the session of before: %v", err)
	}
	if err := w.browser().signIn("editor@example.com"); err != nil {
		t.Error(err)
	}
}

// threeSignedIn are three people, each at a node.
func (n *nodes) threeSignedIn(t *testing.T) []*browser {
	t.Helper()
	return parallel(3, func(i int) *browser {
		b := n.at(n.browser(), i)
		if err := b.signIn([]string{"viewer@example.com", "editor@example.com", "boss@example.com"}[i]); err != nil {
			t.Error(err)
		}
		return b
	})
}

func (n *nodes) testOneLineage(t *testing.T, people []*browser) {
	rounds := 1
	if soak() {
		rounds = 50
	}
	for round := range rounds {
		// A renewal rotates again when the policy's grace is over: that is part of what is tried, not a wait for anything.
		time.Sleep(5100 * time.Millisecond)
		parallel(len(people), func(p int) any { n.renewEverywhere(t, people[p], round); return nil })
	}
}

// renewEverywhere presents a browser's token 64 times at once, over all nodes.
func (n *nodes) renewEverywhere(t *testing.T, b *browser, round int) {
	cookie := b.cookie()
	bodies := parallel(64, func(i int) []byte {
		body, err := n.present(b, i%3, cookie)
		if err != nil {
			t.Errorf("round %d, node %d: %v", round, i%3, err)
		}
		return body
	})
	body, _, err := n.at(b, round%3).renew() // one more, for its cookie
	if err != nil || !bytes.Contains(body, fmt.Appendf(nil, `"generation":%d,`, round+1)) {
		t.Errorf("round %d: got %s, %v", round, body, err)
	}
	for _, other := range bodies {
		if !bytes.Equal(body, other) {
			t.Errorf("round %d: two answers:\n%s\n%s", round, body, other)
			return
		}
	}
}

func (n *nodes) testRevoked(t *testing.T) {
	follower := *n.whole
	follower.service = nil
	follower.startService(t, verify.Config{Client: &http.Client{Transport: n.via(1)}})
	var took []time.Duration
	count := 20
	if soak() {
		count = 1000
	}
	for range count {
		b := n.at(n.browser(), 2)
		if err := b.signIn("viewer@example.com"); err != nil {
			t.Fatal(err)
		}
		_, access, err := b.renew()
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, 10*time.Second, func() error { return b.me(follower.service.URL, access) })
		if _, err := n.at(b, 0).call(http.MethodDelete, n.url+"/session", "", nil); err != nil {
			t.Fatal(err)
		}
		ended := time.Now()
		eventually(t, 10*time.Second, func() error {
			if err := b.me(follower.service.URL, access); codeOf(err) != fault.SessionSignedOut {
				return fmt.Errorf("got %w", errOf(err))
			}
			return nil
		})
		took = append(took, time.Since(ended))
		for i := range n.each { // the very next question, anywhere
			_, err := n.present(b, i, b.cookie())
			if code := codeOf(err); code != fault.SessionMissing && code != fault.SessionSignedOut {
				t.Errorf("renewed at node %d after its end: %v", i, errOf(err))
			}
		}
	}
	slices.Sort(took)
	t.Logf("%d ends, refused by a service that follows another node after: median %v, longest %v", count, took[count/2], took[count-1])
	if took[count/2] > time.Second { // most of them: one may meet a pause of the machine
		t.Errorf("a node sees what ended at another only after %v", took[count/2])
	}
}

func (n *nodes) testKeys(t *testing.T) {
	n.startService(t, verify.Config{Client: &http.Client{Transport: n.via(2)}})
	before := n.keyIDs(t, 1)
	if out, err := n.command("keys", "rotate", "--config", "node0.yaml").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b := n.browser()
	if err := n.at(b, 0).signIn("editor@example.com"); err != nil {
		t.Fatal(err)
	}
	for i := range n.each {
		eventually(t, 10*time.Second, func() error {
			if after := n.keyIDs(t, i); after == before {
				return errors.New("the node publishes the keys of before")
			}
			return nil
		})
		_, access, err := n.at(b, i).renew()
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, b.me(n.service.URL, access), "")
	}
}

// keyIDs is the key set that a node publishes.
func (n *nodes) keyIDs(t *testing.T, i int) string {
	t.Helper()
	text, err := n.at(n.browser(), i).call(http.MethodGet, n.url+"/.well-known/jwks.json", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// testKilled kills a node, then the database, in the middle of load. What was acknowledged has held, and all goes on by itself.
func (n *nodes) testKilled(t *testing.T) {
	rounds := 1
	if soak() {
		rounds = 20
	}
	ends, lives := 0, 0
	for round := range rounds {
		sessions := n.load(t, func(acknowledged *atomic.Int64) {
			more := func(by int64) {
				until := acknowledged.Load() + by
				eventually(t, 60*time.Second, func() error {
					if got := acknowledged.Load(); got < until {
						return fmt.Errorf("only %d acknowledged, want %d", got, until)
					}
					return nil
				})
			}
			more(10)
			n.each[2].kill()
			more(10) // the others go on
			n.each[2].startAs(t, 2)
			signal := []os.Signal{syscall.SIGQUIT, syscall.SIGINT}[round%2]
			if err := n.database.End(signal); err != nil {
				t.Fatal(err)
			}
			if err := n.database.Run(); err != nil {
				t.Fatal(err)
			}
			more(15)
		})
		for i := range n.each {
			eventually(t, 30*time.Second, func() error { return n.at(n.browser(), i).signIn("boss@example.com") })
		}
		for _, s := range sessions {
			_, err := n.present(s.browser, len(s.cookie)%3, s.cookie)
			switch {
			case s.ended && codeOf(err) != fault.SessionSignedOut:
				t.Errorf("an acknowledged end was lost: %v", errOf(err))
			case !s.ended && !s.asked && err != nil:
				t.Errorf("a session was lost: %v", err)
			}
			if s.ended {
				ends++
			} else if err == nil {
				lives++
			}
		}
	}
	t.Logf("%d acknowledged ends held, %d sessions lived on", ends, lives)
	if ends == 0 || lives == 0 {
		t.Error("the load made no ends or left no sessions: it shows nothing")
	}
}

// load runs people at all nodes while trouble does, and returns what they know.
func (n *nodes) load(t *testing.T, trouble func(acknowledged *atomic.Int64)) []*killed {
	t.Helper()
	var mu sync.Mutex
	var sessions []*killed
	var wg sync.WaitGroup
	var acknowledged atomic.Int64
	stop := make(chan struct{})
	for worker := range 6 {
		wg.Go(func() {
			for turn := 0; ; turn++ {
				select {
				case <-stop:
					return
				default:
				}
				s := &killed{browser: n.at(n.browser(), worker%3)}
				if err := s.signIn("viewer@example.com"); err != nil {
					continue
				}
				s.renew() // its answer may be lost
				s.cookie = s.browser.cookie()
				if turn%2 == 0 {
					s.asked = true
					_, err := n.at(s.browser, turn%3).call(http.MethodDelete, n.url+"/session", "", nil)
					s.ended = err == nil
				}
				mu.Lock()
				sessions = append(sessions, s)
				mu.Unlock()
				acknowledged.Add(1)
			}
		})
	}
	trouble(&acknowledged)
	close(stop)
	wg.Wait()
	return sessions
}

// testOnePlace lets one person sign in everywhere at once, in a realm with room for one.
func (n *nodes) testOnePlace(t *testing.T) {
	for _, one := range n.each {
		one.kill()
	}
	n.configure(t, "renew_grace: 50ms, lost_answers: 1000, per_account: 1")
	parallel(3, func(i int) any { n.each[i].startAs(t, i); return nil })
	const many = 100
	all := parallel(many, func(i int) *browser {
		b := n.at(n.browser(), i%3)
		if err := b.signIn("editor@example.com"); err != nil {
			t.Error(err)
		}
		return b
	})
	alive, replaced := 0, 0
	for i, b := range all {
		_, err := n.present(b, (i+1)%3, b.cookie())
		switch codeOf(err) {
		case fault.SessionReplaced:
			replaced++
		case "":
			if err == nil {
				alive++
			}
		}
		if err != nil && codeOf(err) != fault.SessionReplaced {
			t.Errorf("sign-in %d: %v", i, err)
		}
	}
	if alive != 1 || replaced != many-1 {
		t.Errorf("%d are alive and %d were replaced, want 1 and %d", alive, replaced, many-1)
	}
	boss := n.browser()
	query := url.Values{"app": {"console"}, "login_hint": {"boss@example.com"}, "return_to": {"/healthz"}}
	boss.visit(t, n.url+"/sign-in/staff?"+query.Encode())
	records, err := boss.call(http.MethodGet, n.url+"/admin/audit?limit=200", "", http.Header{"Munjigi-App": {"console"}})
	if got := bytes.Count(records, []byte(`"reason":"replaced"`)); err != nil || got < many-1 {
		t.Errorf("the audit tells of %d that were replaced, %v, want at least %d", got, err, many-1)
	}
}
