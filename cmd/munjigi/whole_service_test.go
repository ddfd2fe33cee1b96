package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/verify"
)

// accountsConfig is of a market that keeps the accounts of its shops; %s are: url, listen, what a test adds to the
// session's policy, the last day of exchanges, and the market.
const accountsConfig = `url: %s
listen: %s
console: staff
realms:
  staff: {password: {}}
  shops:
    credentials: {service: market, path: /private/credentials, roles: [shop], legacy_until: %[4]s}
    session: {%[3]s}
apps:
  desk: {realm: shops, origins: ["%[1]s"], services: [market]}
services:
  market: {url: "%[5]s", realms: [shops], roles: {read: [shop]}}
`

// keeper is a service that keeps one account, of the login kim; every legacy token that begins with "old" is its.
type keeper struct {
	server *httptest.Server
	asked  atomic.Int64
	// instead answers a question in the place of the service, while it is set.
	instead atomic.Pointer[http.HandlerFunc]
}

// startAccounts starts the program and the service that it asks.
func startAccounts(t *testing.T, policy, legacyUntil string) (*whole, *keeper) {
	t.Helper()
	w, k := &whole{dir: t.TempDir(), log: new(lines)}, new(keeper)
	k.server = httptest.NewServer(nil) // before a port is chosen for the program: it would take that one
	t.Cleanup(k.server.Close)
	listen := freeAddress(t)
	w.url = "http://" + listen
	w.write(t, "munjigi.yaml", fmt.Sprintf(accountsConfig, w.url, listen, policy, legacyUntil, k.server.URL))
	if _, err := keys.CreateSealer(filepath.Join(w.dir, "munjigi.key")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.kill()
		if t.Failed() {
			t.Logf("the program's log:\n%s", w.log)
		}
	})
	w.start(t)
	k.server.Config.Handler = k.handler(t, verify.Config{Issuer: w.url, Service: "market", Realms: []string{"shops"}})
	return w, k
}

func (k *keeper) handler(t *testing.T, c verify.Config) http.Handler {
	t.Helper()
	v, err := verify.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	if err := v.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /private/credentials", v.Require(verify.Need{Realm: verify.Munjigi}, http.HandlerFunc(k.check)))
	mux.Handle("GET /me", v.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") })))
	return mux
}

func (k *keeper) check(w http.ResponseWriter, r *http.Request) {
	k.asked.Add(1)
	if instead := k.instead.Load(); instead != nil {
		(*instead)(w, r)
		return
	}
	var asked map[string]string
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if !strings.HasPrefix(asked["legacy_token"], "old") && (!strings.EqualFold(asked["login"], "kim") || asked["password"] != canary) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"id":"kim@4711","name":"Kim","roles":["shop","admin"]}`)
}

// show signs in at the desk with what proves it.
func (b *browser) show(proof map[string]string) (access string, err error) {
	proof["app"] = "desk"
	body, err := json.Marshal(proof)
	if err != nil {
		return "", err
	}
	_, access, err = accessOf(b.call(http.MethodPost, b.w.url+"/sign-in/shops", string(body), http.Header{"Munjigi-App": {"desk"}}))
	return access, err
}

func kim(password string) map[string]string {
	return map[string]string{"login": "kim", "password": password}
}

func old(token string) map[string]string { return map[string]string{"legacy_token": token} }

// 200 guesses at once, in every spelling: the service is asked about ten. Afterwards it is not even asked about the right
// one, except by the owner, whose device is known.
func TestWholeGuessesAtAService(t *testing.T) {
	t.Parallel()
	w, k := startAccounts(t, "", "2099-12-31")
	owner := w.patient()
	if _, err := owner.show(kim(canary)); err != nil {
		t.Fatal(err)
	}
	before := k.asked.Load()
	spellings := []string{"kim", "KIM", " Kim", "ｋｉｍ"}
	for i, err := range parallel(200, func(i int) error {
		_, err := w.patient().show(map[string]string{"login": spellings[i%len(spellings)], "password": "wrong " + strconv.Itoa(i)})
		return err
	}) {
		if got := codeOf(err); got != fault.CredentialsWrong && got != fault.TooManyAttempts {
			t.Errorf("guess %d: got %v", i, err)
		}
	}
	if n := k.asked.Load() - before; n != 10 {
		t.Errorf("the service was asked about %d guesses, want 10", n)
	}
	if _, err := w.patient().show(kim(canary)); codeOf(err) == "" || k.asked.Load()-before != 10 {
		t.Errorf("a stranger with the right password: %v, asked about %d", err, k.asked.Load()-before)
	}
	if _, err := owner.show(kim(canary)); err != nil {
		t.Errorf("the owner, on a known device: %v", err)
	}
	// An id may look like an e-mail: it names the account all the same.
	out, err := w.command("sessions", "revoke", "--account", "shops:market:kim@4711").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "1 session of shops:market:kim@4711 ended") {
		t.Errorf("revoke: %v\n%s", err, out)
	}
}

// Legacy tokens are guessed at no account, so the network that guesses is stopped.
func TestWholeGuessesAtLegacyTokens(t *testing.T) {
	t.Parallel()
	w, k := startAccounts(t, "", "2099-12-31")
	var last error
	for i := 0; i < 400 && codeOf(last) != fault.TooManyAttempts; i++ {
		_, last = w.browser().show(old("forged " + strconv.Itoa(i)))
	}
	wantCode(t, last, fault.TooManyAttempts)
	if n := k.asked.Load(); n > 100 {
		t.Errorf("the service was asked about %d guesses of one network, want at most 100", n)
	}
	_, err := w.browser().show(old("old token of kim"))
	wantCode(t, err, fault.TooManyAttempts)
}

// A service that is set up wrongly, or that answers nonsense, costs nobody a guess, and leads nothing of what was
// presented elsewhere.
func TestWholeAServiceThatIsBroken(t *testing.T) {
	t.Parallel()
	w, k := startAccounts(t, "", "2099-12-31")
	var strayed atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	defer elsewhere.Close()
	wrongly := k.handler(t, verify.Config{Issuer: w.url, Service: "another", Realms: []string{"shops"}}).ServeHTTP
	for name, instead := range map[string]http.HandlerFunc{
		"takes itself for another": wrongly,
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/steal", http.StatusTemporaryRedirect)
		},
		"is a login page": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<p>Sign in") },
		"names nobody": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"name":"Kim"}`)
		},
	} {
		k.instead.Store(&instead)
		for range 4 {
			_, err := w.browser().show(kim(canary))
			if codeOf(err) != fault.UpstreamUnavailable {
				t.Errorf("%s: got %v", name, err)
			}
		}
	}
	if n := strayed.Load(); n != 0 {
		t.Errorf("%d requests went elsewhere", n)
	}
	k.instead.Store(nil)
	access, err := w.browser().show(kim(canary)) // sixteen tries were no guesses
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, func() error { return w.browser().me(k.server.URL, access) })
}

// An exchange that finds no room leaves the token good, and the ticket stands for it until a session is chosen to end.
func TestWholeAnExchangeWithoutRoom(t *testing.T) {
	t.Parallel()
	w, _ := startAccounts(t, "per_account: 1, when_full: refuse", "2099-12-31")
	if _, err := w.on(onWindows).show(kim(canary)); err != nil {
		t.Fatal(err)
	}
	b := w.browser()
	_, err := b.show(old("old token of kim"))
	wantLimit(t, err, 1)
	_, err = b.show(old("old token of kim"))
	limit := wantLimit(t, err, 1)
	if _, err := b.show(map[string]string{"ticket": limit.Ticket, "end": limit.Sessions[0].ID}); err != nil {
		t.Fatal(err)
	}
	if n := w.exchanged(t); n != 1 {
		t.Errorf("%d tokens were exchanged, want 1", n)
	}
	_, err = w.on(onPhone).show(old("old token of kim"))
	wantCode(t, err, fault.CredentialsWrong)
}

// exchanged counts what the database knows of exchanges.
func (w *whole) exchanged(t *testing.T) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.dir, "munjigi.db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM legacy_tokens`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// The power fails after the service has said yes, and before anything is stored: the token is as good as before. Once
// exchanges are over nobody is asked any more, and what was exchanged is forgotten.
func TestWholeACrashWithinAnExchange(t *testing.T) {
	t.Parallel()
	w, k := startAccounts(t, "", "2099-12-31")
	reached, gone := make(chan struct{}), make(chan struct{})
	late := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // so that it is seen when the other side goes away
		close(reached)
		<-r.Context().Done()
		close(gone)
	})
	k.instead.Store(&late)
	done := make(chan error)
	go func() {
		_, err := w.browser().show(old("old token of kim"))
		done <- err
	}()
	<-reached
	w.kill()
	if err := <-done; err == nil || codeOf(err) != "" {
		t.Errorf("the first try: %v, want no answer", err)
	}
	<-gone
	k.instead.Store(nil)
	w.start(t)
	if _, err := w.browser().show(old("old token of kim")); err != nil {
		t.Errorf("the same token after the crash: %v", err)
	}
	if n := w.exchanged(t); n != 1 {
		t.Errorf("%d exchanges, want 1", n)
	}

	w.kill()
	listen := strings.TrimPrefix(w.url, "http://")
	w.write(t, "munjigi.yaml", fmt.Sprintf(accountsConfig, w.url, listen, "", "2020-01-31", k.server.URL))
	w.start(t)
	asked := k.asked.Load()
	_, err := w.browser().show(old("another old token"))
	wantCode(t, err, fault.CredentialsWrong)
	if k.asked.Load() != asked {
		t.Error("the service was asked about a token when exchanges were over")
	}
	eventually(t, 30*time.Second, func() error {
		if n := w.exchanged(t); n != 0 {
			return fmt.Errorf("%d exchanges are remembered", n)
		}
		return nil
	})
}
