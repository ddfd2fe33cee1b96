package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/verify"
)

// membersConfig is of a marketplace's members; %s are: url, the two listeners, and what a test adds to the session's policy.
const membersConfig = `url: %s
listen: %s
metrics_listen: %s
realms:
  members:
    password: {}
    roles: {shop: []}
    session: {%s}
apps:
  shop: {realm: members, origins: ["%[1]s"], services: [wishlist]}
  phone: {realm: members, carrier: body, services: [wishlist]}
services:
  wishlist: {url: "http://127.0.0.1:1", realms: [members], roles: {read: [shop]}}
`

// canary is the password of every member here: nobody must find it anywhere.
const canary = "correct horse canary staple"

// startMembers starts the program with the members named, each with the password canary.
func startMembers(t *testing.T, policy string, logins ...string) *whole {
	t.Helper()
	w := &whole{dir: t.TempDir(), log: new(lines)}
	listen, metrics := freeAddress(t), freeAddress(t)
	w.url, w.metrics = "http://"+listen, "http://"+metrics
	w.write(t, "munjigi.yaml", fmt.Sprintf(membersConfig, w.url, listen, metrics, policy))
	if _, err := keys.CreateSealer(filepath.Join(w.dir, "munjigi.key")); err != nil {
		t.Fatal(err)
	}
	w.start(t)
	w.startService(t, verify.Config{Realms: []string{"members"}})
	t.Cleanup(func() {
		w.kill()
		if t.Failed() {
			t.Logf("the program's log:\n%s", w.log)
		}
	})
	for _, login := range logins {
		w.members(t, canary, "add", login, "--password-file", "-", "--role", "shop")
	}
	return w
}

// members runs munjigi members with a password on its standard input, and returns what it prints.
func (w *whole) members(t *testing.T, password string, args ...string) string {
	t.Helper()
	c := w.command(append([]string{"members"}, args...)...)
	c.Stdin = strings.NewReader(password + "\n")
	text, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("munjigi members %v: %v\n%s", args, err, text)
	}
	return string(text)
}

// patient is a browser that waits for as long as the program answers: hashes take their time where many share a machine.
func (w *whole) patient() *browser {
	b := w.browser()
	b.Timeout = time.Minute
	return b
}

// guess signs in with a login and a password, as a page of the shop.
func (b *browser) guess(login, password string) ([]byte, error) {
	body, err := json.Marshal(map[string]string{"app": "shop", "login": login, "password": password})
	if err != nil {
		return nil, err
	}
	return b.call(http.MethodPost, b.w.url+"/sign-in/members", string(body), http.Header{"Munjigi-App": {"shop"}})
}

// changePassword is PUT /account/password, as a page of the shop.
func (b *browser) changePassword(old, replacement string) ([]byte, error) {
	body, err := json.Marshal(map[string]string{"old": old, "new": replacement})
	if err != nil {
		return nil, err
	}
	return b.call(http.MethodPut, b.w.url+"/account/password", string(body), http.Header{"Munjigi-App": {"shop"}})
}

func (b *browser) cookies(t *testing.T) map[string]string {
	t.Helper()
	at, err := url.Parse(b.w.url)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, c := range b.Jar.Cookies(at) {
		values[c.Name] = c.Value
	}
	return values
}

func (b *browser) withCookies(values map[string]string) *browser {
	at, _ := url.Parse(b.w.url) // parsed before
	for name, value := range values {
		b.Jar.SetCookies(at, []*http.Cookie{{Name: name, Value: value}})
	}
	return b
}

// renewShop is renew, as a page of the shop.
func (b *browser) renewShop() (string, error) {
	_, access, err := accessOf(b.call(http.MethodPost, b.w.url+"/session", `{"app":"shop"}`, nil))
	return access, err
}

func TestWholeMembersSignIn(t *testing.T) {
	t.Parallel()
	w := startMembers(t, "", "Shop-17")
	b := w.browser()
	for _, login := range []string{"shop-17", " SHOP-17 ", "ｓｈｏｐ-17"} {
		_, access, err := accessOf(b.guess(login, canary))
		if err != nil {
			t.Fatalf("%q: %v", login, err)
		}
		wantCode(t, b.me(w.service.URL, access), "")
	}
	if access, err := b.renewShop(); err != nil || b.me(w.service.URL, access) != nil {
		t.Errorf("renewal: %q, %v", access, err)
	}
	for _, c := range [][2]string{{"shop-17", "wrong"}, {"shop-18", canary}, {"shop-17", canary + " "}} {
		_, err := b.guess(c[0], c[1])
		wantCode(t, err, fault.CredentialsWrong)
	}
	text, err := b.call(http.MethodGet, w.url+"/sign-in/options", "", nil)
	if want := `{"console":"members","realms":[{"name":"members","kind":"password","min_length":12}]}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
}

// metric reads one figure of the program; with a label, that one's.
func (w *whole) metric(t *testing.T, name string) float64 {
	t.Helper()
	answer, err := http.Get(w.metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			value, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				t.Fatal(err)
			}
			return value
		}
	}
	t.Fatalf("there is no %s in the metrics", name)
	return 0
}

const (
	hashes       = "munjigi_password_hashes_total"
	wrongGuesses = `munjigi_guesses_total{outcome="wrong"}`
	spentGuesses = `munjigi_guesses_total{outcome="spent"}`
)

// answerTo is all that somebody who guesses gets to see: status, headers, body, without what each answer has of its own.
func (b *browser) answerTo(t *testing.T, login, password string) string {
	t.Helper()
	body, _ := json.Marshal(map[string]string{"app": "shop", "login": login, "password": password}) // never fails
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.w.url+"/sign-in/members", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Content-Type": {"application/json"}, "Origin": {b.w.url}, "User-Agent": {b.agent}}
	answer, err := b.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	id := answer.Header.Get("Munjigi-Request")
	answer.Header.Del("Date")
	return fmt.Sprint(answer.Status, strings.ReplaceAll(fmt.Sprint(answer.Header), id, "ID"), strings.ReplaceAll(string(text), id, "ID"))
}

// Who guesses learns nothing but that it was wrong: not whether there is such a login, whether it is disabled, or
// whether anybody looked at all.
func TestWholeGuessesLookTheSame(t *testing.T) {
	t.Parallel()
	w := startMembers(t, "", "shop-1", "shop-2", "locked")
	w.members(t, "", "disable", "shop-2")
	for range 10 {
		w.browser().answerTo(t, "locked", "wrong")
	}
	before := w.metric(t, spentGuesses)
	answers := map[string]string{}
	for _, c := range []struct{ name, login, password string }{
		{"wrong", "shop-1", "wrong"},
		{"unknown", "nobody", "wrong"},
		{"disabled, right", "shop-2", canary},
		{"disabled, wrong", "shop-2", "wrong"},
		{"locked, right", "locked", canary},
		{"locked, wrong", "locked", "wrong"},
	} {
		computed := w.metric(t, hashes)
		answers[c.name] = w.browser().answerTo(t, c.login, c.password)
		if n := w.metric(t, hashes) - computed; n != 1 {
			t.Errorf("%s: %v hashes, want 1", c.name, n)
		}
	}
	for name, answer := range answers {
		if answer != answers["wrong"] || !strings.HasPrefix(answer, "401 ") || !strings.Contains(answer, "credentials_wrong") {
			t.Errorf("%s: got %s\nwant %s", name, answer, answers["wrong"])
		}
	}
	if n := w.metric(t, spentGuesses) - before; n != 2 {
		t.Errorf("%v guesses were without a place, want those at the locked one", n)
	}
	for range 10 { // an unknown login is locked alike
		w.browser().answerTo(t, "nobody", "wrong")
	}
	if n := w.metric(t, spentGuesses) - before; n != 3 {
		t.Errorf("%v guesses were without a place, want the eleventh at the unknown login too", n)
	}
}

// 200 guesses at once, in every spelling and at both routes that verify a password: ten are looked at. The owner,
// whose device is known, gets in all the while, and so does nobody else, even with the right password.
func TestWholeGuessesAtOnce(t *testing.T) {
	t.Parallel()
	w := startMembers(t, "", "Shop-17")
	owner, inside := w.patient(), w.patient()
	for _, b := range []*browser{owner, inside} {
		if _, err := b.guess("shop-17", canary); err != nil {
			t.Fatal(err)
		}
	}
	stolen := inside.cookies(t) // of a thief who has a session, but neither password nor known device
	delete(stolen, "munjigi-members-device")
	spellings := []string{"shop-17", "SHOP-17", " Shop-17", "shop-17\t", "ｓｈｏｐ-17", "sHoP－17"}
	before, computed := w.metric(t, wrongGuesses), w.metric(t, hashes)
	errs := parallel(200, func(i int) error {
		if i%2 == 0 {
			_, err := w.patient().guess(spellings[i/2%len(spellings)], "wrong "+strconv.Itoa(i))
			return err
		}
		_, err := w.patient().withCookies(stolen).changePassword("wrong "+strconv.Itoa(i), "a new one that nobody knows")
		return err
	})
	for i, err := range errs {
		if got := codeOf(err); got != fault.CredentialsWrong && got != fault.TooManyAttempts {
			t.Errorf("guess %d: got %v", i, err)
		}
	}
	if n := w.metric(t, wrongGuesses) - before; n != 10 {
		t.Errorf("%v guesses were looked at, want 10", n)
	}
	if n := w.metric(t, hashes) - computed; n > 110 {
		t.Errorf("%v hashes were computed, want at most those that the network may have wrong", n)
	}
	if _, err := w.browser().guess("shop-17", canary); codeOf(err) == "" {
		t.Error("a stranger got in")
	}
	if _, err := owner.guess("Shop-17", canary); err != nil {
		t.Errorf("the owner, on a known device: %v", err)
	}
	if _, err := owner.changePassword(canary, canary+" too"); err != nil {
		t.Errorf("the owner's change: %v", err)
	}
	if _, err := inside.renewShop(); codeOf(err) != fault.SessionRevoked {
		t.Errorf("the session that was stolen: %v", err)
	}
	if _, err := owner.renewShop(); err != nil {
		t.Errorf("the owner's own session: %v", err)
	}
	if _, err := owner.guess("shop-17", canary+" too"); err != nil {
		t.Errorf("the owner, on the device that has changed the password: %v", err)
	}
}

// 100 people at one account: each with the right password, one session. Nobody is taken for somebody who guesses.
func TestWholeHundredMembersSignIn(t *testing.T) {
	t.Parallel()
	w := startMembers(t, "per_account: 1", "shop-17")
	browsers := parallel(100, func(int) *browser { return w.patient() })
	for i, err := range parallel(100, func(i int) error { _, err := browsers[i].guess("shop-17", canary); return err }) {
		if err != nil {
			t.Errorf("sign-in %d: %v", i, err)
		}
	}
	alive := 0
	for _, err := range parallel(100, func(i int) error { _, err := browsers[i].renewShop(); return err }) {
		switch codeOf(err) {
		case "":
			alive++
		case fault.SessionReplaced:
		default:
			t.Errorf("got %v, want session_replaced", err)
		}
	}
	if alive != 1 {
		t.Errorf("%d sessions live, want 1", alive)
	}
	if n := w.metric(t, wrongGuesses) + w.metric(t, spentGuesses); n != 0 {
		t.Errorf("%v count as wrong guesses", n)
	}
}

// A disabled account is out at once, everywhere, and back when it is enabled.
func TestWholeDisabledMember(t *testing.T) {
	t.Parallel()
	w := startMembers(t, "", "shop-17")
	b := w.browser()
	_, access, err := accessOf(b.guess("shop-17", canary))
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, b.me(w.service.URL, access), "")
	w.members(t, "", "disable", "SHOP-17")
	w.wantRefused(t, b, access, fault.SessionCutOff)
	_, err = b.renewShop()
	wantCode(t, err, fault.SessionCutOff)
	_, err = b.guess("shop-17", canary)
	wantCode(t, err, fault.CredentialsWrong)
	if list := w.members(t, "", "list"); !strings.Contains(list, "disabled") {
		t.Errorf("the list: %s", list)
	}
	w.members(t, "", "enable", "shop-17")
	if _, err := b.guess("shop-17", canary); err != nil {
		t.Errorf("enabled again: %v", err)
	}
	w.members(t, "another password of theirs", "password", "shop-17", "--password-file", "-")
	_, err = b.renewShop()
	wantCode(t, err, fault.SessionRevoked)
	if _, err := b.guess("shop-17", "another password of theirs"); err != nil {
		t.Errorf("with the password that an administrator set: %v", err)
	}
}

// The password is in no log, audit record or database file, whether it was right, wrong, or typed in the wrong field.
func TestWholeNoPasswordAnywhere(t *testing.T) {
	t.Parallel()
	w := startMembers(t, "", "shop-17")
	secrets := []string{canary, "wrong canary staple", "typed canary as login", "new canary of theirs"}
	b := w.browser()
	for _, guess := range [][2]string{{"shop-17", canary}, {"shop-17", secrets[1]}, {secrets[2], "x"}} {
		_, _ = b.guess(guess[0], guess[1])
	}
	if _, err := b.changePassword(canary, secrets[3]); err != nil {
		t.Fatal(err)
	}
	_, _ = b.changePassword(secrets[1], secrets[3])
	_, _ = b.call(http.MethodPost, w.url+"/sign-in/members", `{"app":"shop","login":"shop-17","password":["`+canary+`"]}`, nil)
	_, _ = b.call(http.MethodPost, w.url+"/sign-in/members", `{"app":"shop","login":"shop-17","`+canary+`":1}`, nil)
	export, err := w.command("audit", "export").Output()
	if err != nil || !strings.Contains(string(export), "password_changed") || !strings.Contains(string(export), "sign_in_refused") {
		t.Fatalf("the audit: %v\n%s", err, export)
	}
	w.kill()
	texts := map[string]string{"the log": w.log.String(), "the audit": string(export)}
	files, err := filepath.Glob(filepath.Join(w.dir, "munjigi.db*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(file)] = string(text)
	}
	for where, text := range texts {
		for _, secret := range append(secrets, "$argon2id$") {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %q", where, secret)
			}
		}
	}
}
