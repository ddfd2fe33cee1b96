package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/demo"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/verify"
)

// The tests of the whole program run it as its users do: as a process of its own, on real sockets, against the demo's
// provider, with a service that verifies tokens alone.

// whole is a running program and everything around it.
type whole struct {
	dir, url string
	metrics  string // address of the metrics, where a test has them
	provider *httptest.Server
	service  *httptest.Server // GET /me answers when the token is good
	process  *exec.Cmd
	log      *lines
}

// wholeConfig is its configuration; %s are: url, listen, issuer, and what a test adds to the session's policy.
const wholeConfig = `url: %s
listen: %s
database: sqlite:munjigi.db
seal_key_file: munjigi.key
console: staff
realms:
  staff:
    oidc: {issuer: %s, client_id: munjigi, client_secret_file: provider.secret, domains: [example.com]}
    roles: {admin: [boss@example.com], editor: ["group:platform"], viewer: ["domain:example.com"]}
    session: {access: 5m, idle: 12h, max: 7d, %s}
    recheck: {every: 1s, max_stale: 4h}
apps:
  tools: {realm: staff, origins: ["%[1]s"], services: [wishlist]}
services:
  wishlist: {url: "http://127.0.0.1:1", realms: [staff]}
`

// startWhole starts a provider, the program, and a service. policy adds to the realm's session settings.
func startWhole(t *testing.T, policy string) *whole {
	t.Helper()
	w := &whole{dir: t.TempDir(), log: new(lines)}
	listen := freeAddress(t)
	w.url = "http://" + listen
	w.startProvider(t)
	w.write(t, "provider.secret", "secret of the client\n")
	w.write(t, "munjigi.yaml", fmt.Sprintf(wholeConfig, w.url, listen, w.provider.URL, policy))
	if _, err := keys.CreateSealer(filepath.Join(w.dir, "munjigi.key")); err != nil {
		t.Fatal(err)
	}
	w.start(t)
	w.startService(t, verify.Config{})
	t.Cleanup(func() {
		w.kill()
		if t.Failed() {
			t.Logf("the program's log:\n%s", w.log)
		}
	})
	return w
}

func (w *whole) startProvider(t *testing.T) {
	t.Helper()
	w.provider = httptest.NewUnstartedServer(nil)
	w.provider.Start()
	t.Cleanup(w.provider.Close)
	provider, err := demo.NewProvider(demo.ProviderConfig{
		Issuer: w.provider.URL, Dir: w.dir, ClientID: "munjigi",
		ClientSecret: "secret of the client", RedirectURIs: []string{w.url + "/sign-in/staff/callback"},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.provider.Config.Handler = provider
}

func (w *whole) startService(t *testing.T, c verify.Config) {
	t.Helper()
	w.service = httptest.NewServer(w.newService(t, c))
	t.Cleanup(w.service.Close)
}

// newService is the handler of a service with a verifier of its own.
func (w *whole) newService(t *testing.T, c verify.Config) http.Handler {
	t.Helper()
	c.Issuer, c.Service = w.url, "wishlist"
	if c.Realms == nil {
		c.Realms = []string{"staff"}
	}
	v, err := verify.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }))
}

// lines collects what a process prints while somebody reads it.
type lines struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// freeAddress is a loopback address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (w *whole) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// command is the program with arguments, in its directory. The test binary plays it: see TestMain.
func (w *whole) command(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), asProgram+"=1")
	c.Dir = w.dir
	return c
}

// start starts the program and waits until it is ready.
func (w *whole) start(t *testing.T) {
	t.Helper()
	w.startWith(t, "munjigi.yaml")
}

func (w *whole) startWith(t *testing.T, config string) {
	t.Helper()
	w.process = w.command("serve", "--config", config, "--log-level", "warn")
	w.process.Stderr = w.log
	if err := w.process.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, 30*time.Second, func() error {
		answer, err := http.Get(w.url + "/readyz")
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("readyz: %s", answer.Status)
		}
		return nil
	})
}

// kill ends the program as a power cut does.
func (w *whole) kill() {
	if w.process != nil {
		w.process.Process.Kill()
		w.process.Wait()
		w.process = nil
	}
}

// eventually calls try until it succeeds, or fails the test when that takes too long.
func eventually(t *testing.T, within time.Duration, try func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("not within %v: %v", within, err)
		case <-tick.C:
		}
	}
}

// browser is one browser of a person: a cookie jar.
type browser struct {
	*http.Client
	w     *whole
	agent string
}

func (w *whole) browser() *browser {
	jar, _ := cookiejar.New(nil) // never fails without options
	return &browser{
		Client: &http.Client{Jar: jar, Timeout: 20 * time.Second}, w: w,
		agent: "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
	}
}

// signIn goes to the provider and comes back with a cookie.
func (b *browser) signIn(email string) error {
	query := url.Values{"app": {"tools"}, "login_hint": {email}, "return_to": {"/healthz"}}
	request, err := http.NewRequest(http.MethodGet, b.w.url+"/sign-in/staff?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	request.Header.Set("User-Agent", b.agent)
	answer, err := b.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.Request.URL.Path != "/healthz" || b.cookie() == "" {
		return fmt.Errorf("signed in, but arrived at %s (%s)", answer.Request.URL, answer.Status)
	}
	return nil
}

// cookie is the refresh cookie's value.
func (b *browser) cookie() string {
	at, _ := url.Parse(b.w.url)
	for _, c := range b.Jar.Cookies(at) {
		if c.Name == "munjigi-staff" {
			return c.Value
		}
	}
	return ""
}

// ended is the answer that was not 200: which code, and what came with it.
type ended struct{ fault.Problem }

func (e *ended) Error() string { return string(e.Code) + ": " + e.Title }

// call sends a request and reads the answer: a Problem for anything that is not 2xx.
func (b *browser) call(method, path, body string, header http.Header) ([]byte, error) {
	request, err := http.NewRequest(method, path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Origin", b.w.url)
	request.Header.Set("Munjigi-App", "tools")
	request.Header.Set("User-Agent", b.agent)
	for name, values := range header {
		request.Header[name] = values
	}
	answer, err := b.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode/100 != 2 {
		problem := new(ended)
		if err := json.Unmarshal(text, problem); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", answer.Status, text, err)
		}
		return nil, problem
	}
	return text, err
}

// renew calls the session API with the jar's cookie, and keeps the new one.
func (b *browser) renew() (body []byte, access string, err error) {
	return accessOf(b.call(http.MethodPost, b.w.url+"/session", `{"app":"tools"}`, nil))
}

// present renews with a given cookie; the jar stays as it is.
func (b *browser) present(cookie string) (body []byte, access string, err error) {
	c := &browser{Client: &http.Client{Timeout: b.Timeout}, w: b.w, agent: b.agent}
	return accessOf(c.call(http.MethodPost, b.w.url+"/session", `{"app":"tools"}`, http.Header{"Cookie": {"munjigi-staff=" + cookie}}))
}

func accessOf(body []byte, err error) ([]byte, string, error) {
	if err != nil {
		return nil, "", err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	err = json.Unmarshal(body, &answer)
	return body, answer.AccessToken, err
}

// me calls the service with an access token.
func (b *browser) me(service, access string) error {
	_, err := b.call(http.MethodGet, service+"/me", "", http.Header{"Authorization": {"Bearer " + access}})
	return err
}

// codeOf is the code that a call was answered with; "" = it succeeded, or failed without an answer.
func codeOf(err error) fault.Code {
	if e, ok := errors.AsType[*ended](err); ok {
		return e.Code
	}
	return ""
}

func wantCode(t *testing.T, err error, want fault.Code) {
	t.Helper()
	if got := codeOf(err); got != want || (want == "" && err != nil) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// signedIn is a new browser of a person, with its first access token.
func (w *whole) signedIn(t *testing.T, email string) (*browser, string) {
	t.Helper()
	b := w.browser()
	if err := b.signIn(email); err != nil {
		t.Fatal(err)
	}
	_, access, err := b.renew()
	if err != nil {
		t.Fatal(err)
	}
	return b, access
}

// parallel calls do n times at once and returns what each returned.
func parallel[T any](n int, do func(i int) T) []T {
	results := make([]T, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { results[i] = do(i) })
	}
	wg.Wait()
	return results
}
