package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/verify"
)

type renewed struct {
	body []byte
	err  error
}

func TestWholeThousandRenewalsAreOneRotationAlsoAcrossAKill(t *testing.T) {
	t.Parallel()
	w := startWhole(t, "renew_grace: 60s")
	b, _ := w.signedIn(t, "viewer@example.com")
	cookie := b.cookie()
	var answered atomic.Int64
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		for answered.Load() < 100 && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		w.kill()
		w.start(t)
	}()
	results := parallel(1000, func(int) renewed {
		deadline := time.Now().Add(time.Minute)
		for {
			body, _, err := b.present(cookie)
			if err == nil {
				answered.Add(1)
			}
			if err == nil || codeOf(err) != "" || time.Now().After(deadline) {
				return renewed{body, err}
			}
			<-killed // no answer: the program is down; ask again when it is back
		}
	})
	<-killed
	for _, r := range results {
		if r.err != nil {
			t.Fatal(r.err)
		}
		if !bytes.Equal(r.body, results[0].body) {
			t.Fatalf("two bodies:\n%s\n%s", r.body, results[0].body)
		}
	}
}

func TestWholeAnOlderTokenIsRefusedAtTheServiceWithinASecond(t *testing.T) {
	t.Parallel()
	w := startWhole(t, "renew_grace: 1ms")
	b, _ := w.signedIn(t, "viewer@example.com")
	stolen := b.cookie()
	var access string
	for range 3 {
		time.Sleep(2 * time.Millisecond) // past the grace
		var err error
		if _, access, err = b.renew(); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, b.me(w.service.URL, access), "")
	_, _, err := b.present(stolen)
	wantCode(t, err, fault.SessionReused)
	w.wantRefused(t, b, access, fault.SessionReused)
}

// wantRefused waits at most a second, with room for a busy machine, until the service refuses the token with the code.
func (w *whole) wantRefused(t *testing.T, b *browser, access string, want fault.Code) *ended {
	t.Helper()
	start := time.Now()
	var told *ended
	eventually(t, 5*time.Second, func() error {
		err := b.me(w.service.URL, access)
		if codeOf(err) != want {
			return fmt.Errorf("got %w, want %s", errOf(err), want)
		}
		told, _ = errors.AsType[*ended](err)
		return nil
	})
	t.Logf("%s at the service after %v", want, time.Since(start).Round(time.Millisecond))
	return told
}

func errOf(err error) error {
	if err == nil {
		return errors.New("an answer")
	}
	return err
}

func TestWholeAThirdLostAnswerIsReuse(t *testing.T) {
	t.Parallel()
	w := startWhole(t, "renew_grace: 1ms, lost_answers: 2")
	b, _ := w.signedIn(t, "viewer@example.com")
	cookie, access := b.cookie(), ""
	for range 2 {
		time.Sleep(2 * time.Millisecond)
		if _, _, err := b.present(cookie); err != nil { // its answer never arrives
			t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond)
		var err error
		if _, access, err = b.renew(); err != nil {
			t.Fatal(err)
		}
		cookie = b.cookie()
	}
	time.Sleep(2 * time.Millisecond)
	if _, _, err := b.present(cookie); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Millisecond)
	_, _, err := b.present(cookie)
	wantCode(t, err, fault.SessionReused)
	w.wantRefused(t, b, access, fault.SessionReused)
}

func TestWholeHundredSignInsLeaveOneAlive(t *testing.T) {
	t.Parallel()
	w := startWhole(t, "per_account: 1, when_full: replace")
	browsers := parallel(100, func(i int) *browser {
		b := w.browser()
		if i%2 == 0 {
			b.agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
		}
		if err := b.signIn("viewer@example.com"); err != nil {
			t.Error(err)
		}
		return b
	})
	alive := 0
	for _, b := range browsers {
		_, _, err := b.renew()
		if err == nil {
			alive++
			continue
		}
		told, _ := errors.AsType[*ended](err)
		if told == nil || told.Code != fault.SessionReplaced || told.ReplacedAt == 0 || !strings.Contains(told.ReplacedBy, " on ") {
			t.Errorf("got %v (%+v), want session_replaced with when and by what device", err, told)
		}
	}
	if alive != 1 {
		t.Errorf("%d alive, want 1", alive)
	}
}

func TestWholeReplacedIsToldAtTheService(t *testing.T) {
	t.Parallel()
	w := startWhole(t, "per_account: 1, when_full: replace")
	first, access := w.signedIn(t, "viewer@example.com")
	wantCode(t, first.me(w.service.URL, access), "")
	w.signedIn(t, "viewer@example.com")
	told := w.wantRefused(t, first, access, fault.SessionReplaced)
	if told.ReplacedAt == 0 || told.ReplacedBy != "Firefox on Linux" {
		t.Errorf("replaced at %d by %q, want when and by which device", told.ReplacedAt, told.ReplacedBy)
	}
}

// The agents of a person's devices.
const (
	onWindows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
	onPhone   = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)

func TestWholeHundredSignInsLeaveOneOfEachClass(t *testing.T) {
	t.Parallel()
	w := startWhole(t, "per_device_class: 1")
	devices := map[string]string{onWindows: "Chrome on Windows", onPhone: "Safari on iOS"}
	agents := []string{onWindows, onPhone}
	browsers := parallel(100, func(i int) *browser {
		b := w.browser()
		b.agent = agents[i%2]
		if err := b.signIn("viewer@example.com"); err != nil {
			t.Error(err)
		}
		return b
	})
	alive := map[string]int{}
	for _, b := range browsers {
		_, _, err := b.renew()
		if err == nil {
			alive[b.agent]++
			continue
		}
		told, _ := errors.AsType[*ended](err)
		if told == nil || told.Code != fault.SessionReplaced || told.ReplacedAt == 0 || told.ReplacedBy != devices[b.agent] {
			t.Errorf("got %v (%+v), want session_replaced by another %s", err, told, devices[b.agent])
		}
	}
	if alive[onWindows] != 1 || alive[onPhone] != 1 {
		t.Errorf("alive: %v, want one of each class", alive)
	}
	// The services learn of each loser exactly once.
	page, err := browsers[0].call(http.MethodGet, w.url+"/revocations", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	var feed struct{ Entries []struct{ ID string } }
	if err := json.Unmarshal(page, &feed); err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, entry := range feed.Entries {
		told[entry.ID] = true
	}
	if len(feed.Entries) != 98 || len(told) != 98 {
		t.Errorf("the feed has %d entries about %d sessions, want one about each of 98", len(feed.Entries), len(told))
	}
}

// A PC and a phone at once, at two services; another PC takes the first one's place, and the phone notices nothing.
func TestWholeAPhoneBesideAPC(t *testing.T) {
	t.Parallel()
	w := startWhole(t, "per_device_class: 1")
	second := httptest.NewServer(w.newService(t, verify.Config{}))
	defer second.Close()
	pc, onPC := w.signedIn(t, "viewer@example.com")
	phone := w.browser()
	phone.agent = onPhone
	if err := phone.signIn("viewer@example.com"); err != nil {
		t.Fatal(err)
	}
	_, access, err := phone.renew()
	if err != nil {
		t.Fatal(err)
	}
	for _, service := range []string{w.service.URL, second.URL} {
		wantCode(t, pc.me(service, onPC), "")
		wantCode(t, phone.me(service, access), "")
	}
	other := w.browser()
	other.agent = onWindows
	if err := other.signIn("viewer@example.com"); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Second, func() error {
		for _, service := range []string{w.service.URL, second.URL} {
			told, _ := errors.AsType[*ended](pc.me(service, onPC))
			if told == nil || told.Code != fault.SessionReplaced || told.ReplacedBy != "Chrome on Windows" || told.ReplacedAt == 0 {
				return fmt.Errorf("%s: %+v", service, told)
			}
		}
		return nil
	})
	_, _, err = pc.renew()
	wantCode(t, err, fault.SessionReplaced)
	for _, service := range []string{w.service.URL, second.URL} {
		wantCode(t, phone.me(service, access), "")
	}
	_, _, err = phone.renew()
	wantCode(t, err, "")
}

func TestWholeAStorePutBackStopsRenewals(t *testing.T) {
	t.Parallel()
	w := startWhole(t, "renew_grace: 1ms")
	w.kill()
	// The provider takes an old grant for a stolen one, and is not asked in between.
	config, err := os.ReadFile(filepath.Join(w.dir, "munjigi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, "munjigi.yaml", strings.Replace(string(config), "every: 1s", "every: 1h", 1))
	w.start(t)
	b, _ := w.signedIn(t, "viewer@example.com")
	w.kill()
	files := []string{"munjigi.db", "munjigi.db-wal"}
	for _, name := range files {
		w.copyFile(t, name, name+".copy")
	}
	w.start(t)
	if _, _, err := b.renew(); err != nil {
		t.Fatal(err)
	}
	w.kill()
	for _, name := range append(files, "munjigi.db-shm") {
		os.Remove(filepath.Join(w.dir, name))
		w.copyFile(t, name+".copy", name)
	}
	w.start(t)
	_, _, err = b.renew()
	wantCode(t, err, fault.StoreRolledBack)

	if out, err := w.command("store", "recovered", "--config", "munjigi.yaml", "--yes").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	eventually(t, 10*time.Second, func() error {
		if _, _, err = b.renew(); codeOf(err) != fault.SessionRevoked {
			return errOf(err)
		}
		return nil
	})
	w.signedIn(t, "viewer@example.com")
}

// copyFile copies a file of the directory; one that is not there is not copied.
func (w *whole) copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, from))
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, to, string(data))
}

func TestWholeRevokedFromAnotherDevice(t *testing.T) {
	t.Parallel()
	w := startWhole(t, "per_account: 5")
	here, _ := w.signedIn(t, "viewer@example.com")
	there, access := w.signedIn(t, "viewer@example.com")
	wantCode(t, there.me(w.service.URL, access), "")
	sid := strings.SplitN(there.hint(), ".", 2)[0]
	if _, err := here.call(http.MethodDelete, w.url+"/sessions/"+sid, "", nil); err != nil {
		t.Fatal(err)
	}
	w.wantRefused(t, there, access, fault.SessionRevoked)
	_, _, err := there.renew()
	wantCode(t, err, fault.SessionRevoked)
	_, _, err = here.renew()
	wantCode(t, err, "")
}

// hint is the hint cookie's value: sid.generation.
func (b *browser) hint() string {
	request, _ := http.NewRequest(http.MethodGet, b.w.url, nil)
	for _, c := range b.Jar.Cookies(request.URL) {
		if c.Name == "munjigi-staff-hint" {
			return c.Value
		}
	}
	return ""
}

// Without domains a role is what admits somebody. Who loses the last one at the provider, or here, is out.
func TestWholeARoleThatAdmittedIsLost(t *testing.T) {
	t.Parallel()
	w := startWhole(t, "")
	rewrite := func(old, new string) {
		t.Helper()
		w.kill()
		text, err := os.ReadFile(filepath.Join(w.dir, "munjigi.yaml"))
		if err != nil || !strings.Contains(string(text), old) {
			t.Fatalf("%q is not in the configuration: %v", old, err)
		}
		w.write(t, "munjigi.yaml", strings.Replace(string(text), old, new, 1))
		w.start(t)
	}
	rewrite(`, domains: [example.com]`, "")
	editor, _ := w.signedIn(t, "editor@example.com")
	boss, _ := w.signedIn(t, "boss@example.com")
	rewrite(`editor: ["group:platform"], viewer: ["domain:example.com"]`, `editor: ["group:design"]`)
	eventually(t, 10*time.Second, func() error {
		if _, _, err := editor.renew(); codeOf(err) != fault.SessionCutOff {
			return fmt.Errorf("got %v, want %q", err, fault.SessionCutOff)
		}
		return nil
	})
	if _, _, err := boss.renew(); err != nil {
		t.Errorf("one who still has a role: %v", err)
	}
}
