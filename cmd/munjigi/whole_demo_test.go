package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/demo/members"
	"github.com/munjigi/munjigi/internal/fault"
)

// demoPorts is how many ports in a row the demo takes.
const demoPorts = 7

// demoEvery is the demo's recheck.every.
const demoEvery = 5 * time.Second

// demoFile is what the demo tells other programs of itself.
type demoFile struct {
	URL      string            `json:"url"`
	Provider string            `json:"provider"`
	Services map[string]string `json:"services"`
	Mail     string            `json:"mail"`
	Shop     string            `json:"shop"`
	Members  []members.Member  `json:"members"`
}

// startDemo runs `munjigi demo`, with more arguments if there are any, and reads its demo.json.
func startDemo(t *testing.T, more ...string) (*whole, demoFile) {
	t.Helper()
	port := freePorts(t, demoPorts)
	w := &whole{dir: t.TempDir(), log: new(lines), url: fmt.Sprintf("http://localhost:%d", port)}
	t.Cleanup(func() {
		w.kill()
		if t.Failed() {
			t.Logf("the demo's log:\n%s", w.log)
		}
	})
	w.runDemo(t, more...)
	data, err := os.ReadFile(filepath.Join(w.dir, "demo.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file demoFile
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return w, file
}

// runDemo starts the demo and waits until it is ready.
func (w *whole) runDemo(t *testing.T, more ...string) {
	t.Helper()
	w.process = w.command(append([]string{"demo", "--listen", strings.TrimPrefix(w.url, "http://"), "--dir", w.dir}, more...)...)
	out := new(lines)
	w.process.Stdout, w.process.Stderr = out, w.log
	if err := w.process.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, 60*time.Second, func() error {
		if !strings.Contains(out.String(), "ready "+w.url) {
			return fmt.Errorf("it printed %q", out.String())
		}
		return nil
	})
}

// restartDemo has the power fail, and come back.
func (w *whole) restartDemo(t *testing.T) {
	t.Helper()
	w.kill()
	w.runDemo(t)
}

// freePorts is the first of n ports in a row that nobody listens on.
func freePorts(t *testing.T, n int) int {
	t.Helper()
	for range 100 {
		first := 20000 + rand.IntN(20000)
		if portsAreFree(first, n) {
			return first
		}
	}
	t.Fatal("no free ports")
	return 0
}

func portsAreFree(first, n int) bool {
	for port := first; port < first+n; port++ {
		l, err := net.Listen("tcp", fmt.Sprintf("localhost:%d", port))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}

// demoSignIn is a browser of somebody who uses the demo's staff-tools.
func (w *whole) demoSignIn(t *testing.T, email string) *browser {
	t.Helper()
	b := w.browser()
	query := url.Values{"app": {"staff-tools"}, "login_hint": {email}, "return_to": {"/healthz"}}
	request, err := http.NewRequest(http.MethodGet, w.url+"/sign-in/staff?"+query.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("User-Agent", b.agent) // the device that it renews from as well
	answer, err := b.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if b.cookie() == "" {
		t.Fatalf("%s is not signed in: %s %s", email, answer.Request.URL, answer.Status)
	}
	return b
}

func (b *browser) demoRenew() (string, error) {
	_, access, err := accessOf(b.call(http.MethodPost, b.w.url+"/session", `{"app":"staff-tools"}`, http.Header{"Munjigi-App": {"staff-tools"}}))
	return access, err
}

// post calls one of the demo provider's controls.
func post(t *testing.T, address, body string) {
	t.Helper()
	answer, err := http.Post(address, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		t.Fatalf("POST %s: %s", address, answer.Status)
	}
}

func TestWholeDemoWhoLeavesIsCutOff(t *testing.T) {
	t.Parallel()
	w, demo := startDemo(t)
	b := w.demoSignIn(t, "viewer@example.com")
	access, err := b.demoRenew()
	if err != nil {
		t.Fatal(err)
	}
	wishlist := demo.Services["wishlist"]
	eventually(t, 10*time.Second, func() error { return b.me(wishlist, access) })
	time.Sleep(demoEvery / 2) // somewhere within the interval, as people do
	left := time.Now()
	post(t, demo.Provider+"/people/viewer@example.com/leave", "")
	eventually(t, demoEvery+3*time.Second, func() error {
		if err := b.me(wishlist, access); codeOf(err) != fault.SessionCutOff {
			return errOf(err)
		}
		return nil
	})
	t.Logf("session_cut_off at wishlist %v after leaving", time.Since(left).Round(time.Millisecond))
	_, err = b.demoRenew()
	wantCode(t, err, fault.SessionCutOff)

	post(t, demo.Provider+"/people/viewer@example.com/return", "")
	again := w.demoSignIn(t, "viewer@example.com")
	access, err = again.demoRenew()
	wantCode(t, err, "")
	wantCode(t, again.me(wishlist, access), "")
}

func TestWholeDemoAnOutageSignsNobodyOut(t *testing.T) {
	t.Parallel()
	w, demo := startDemo(t)
	people := map[string]*browser{}
	for _, email := range []string{"boss@example.com", "editor@example.com", "viewer@example.com"} {
		people[email] = w.demoSignIn(t, email)
	}
	for _, mode := range []string{"down", "500", "429", "slow", "invalid_client", "html"} {
		post(t, demo.Provider+"/faults", `{"mode":"`+mode+`"}`)
		for range 2 * int(demoEvery/time.Second) {
			time.Sleep(time.Second) // the fault lasts two intervals
			for email, b := range people {
				access, err := b.demoRenew()
				if err != nil {
					t.Fatalf("%s: %s: %v", mode, email, err)
				}
				wantCode(t, b.me(demo.Services["market"], access), "")
			}
		}
	}
	post(t, demo.Provider+"/faults", `{"mode":"ok"}`)
	recovered := time.Now()
	for email, b := range people { // everybody is confirmed again, with nobody doing anything
		eventually(t, 4*demoEvery, func() error {
			text, err := b.call(http.MethodGet, w.url+"/session", "", http.Header{"Munjigi-App": {"staff-tools"}})
			if err != nil {
				return err
			}
			var who struct {
				CheckedAt int64 `json:"checked_at"`
			}
			if err := json.Unmarshal(text, &who); err != nil || who.CheckedAt <= recovered.Unix() {
				return fmt.Errorf("%s was last confirmed at %d (%v)", email, who.CheckedAt, err)
			}
			return nil
		})
	}
}

func TestWholeDemoRefusesAForeignDomain(t *testing.T) {
	t.Parallel()
	w, _ := startDemo(t)
	jar, _ := cookiejar.New(nil)
	stranger := &http.Client{Jar: jar}
	answer, err := stranger.Get(w.url + "/sign-in/staff?app=staff-tools&login_hint=visitor@elsewhere.test")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	at, _ := url.Parse(w.url)
	if got := answer.Request.URL; got.Path != "/sign-in" || got.Query().Get("reason") != string(fault.DomainRefused) {
		t.Errorf("arrived at %s, want the sign-in page with domain_refused", got)
	}
	for _, c := range jar.Cookies(at) {
		if c.Name == "munjigi-staff" {
			t.Error("a stranger has a session")
		}
	}
}

func TestDemoSaysWhichPortIsTaken(t *testing.T) {
	t.Parallel()
	port := freePorts(t, demoPorts)
	l, err := net.Listen("tcp", fmt.Sprintf("localhost:%d", port+1))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w := &whole{dir: t.TempDir()}
	out, err := w.command("demo", "--listen", fmt.Sprintf("localhost:%d", port), "--dir", w.dir).CombinedOutput()
	if err == nil || !strings.Contains(string(out), fmt.Sprint(port+1)) {
		t.Errorf("got %v and %q, want an error that names port %d", err, out, port+1)
	}
}
