package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/demo"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/verify"
)

// hostConfig is a company with an office and, at another port, its members' sign-in; %s are: the two addresses, where
// they listen, and the two providers.
const hostConfig = `url: %[1]s
listen: %[3]s
database: sqlite:munjigi.db
seal_key_file: munjigi.key
console: staff
realms:
  staff:
    oidc: {issuer: "%[5]s", client_id: munjigi, client_secret_file: provider.secret, domains: [example.com]}
    roles: {admin: [boss@example.com], viewer: ["domain:example.com"]}
  members:
    url: %[2]s
    listen: %[4]s
    oidc: {issuer: "%[6]s", client_id: munjigi, client_secret_file: provider.secret, domains: [example.com]}
    session: {per_device_class: 1, when_full: refuse}
apps:
  shop: {realm: members, origins: ["http://127.0.0.1:1"], services: [wishlist]}
services:
  wishlist: {url: "http://127.0.0.1:1", realms: [staff, members]}
`

// twoHosts is the whole program with an address of its own for the members.
type twoHosts struct {
	*whole
	login string
}

func startTwoHosts(t *testing.T) twoHosts {
	t.Helper()
	w := twoHosts{whole: &whole{dir: t.TempDir(), log: new(lines)}}
	listen, second := freeAddress(t), freeAddress(t)
	w.url, w.login = "http://"+listen, "http://"+second
	w.startProvider(t)
	others := httptest.NewUnstartedServer(nil)
	others.Start()
	t.Cleanup(others.Close)
	provider, err := demo.NewProvider(demo.ProviderConfig{
		Issuer: others.URL, Dir: t.TempDir(), ClientID: "munjigi", ClientSecret: "secret of the client",
		RedirectURIs: []string{w.login + "/sign-in/members/callback"},
	})
	if err != nil {
		t.Fatal(err)
	}
	others.Config.Handler = provider
	w.write(t, "provider.secret", "secret of the client\n")
	w.write(t, "munjigi.yaml", fmt.Sprintf(hostConfig, w.url, w.login, listen, second, w.provider.URL, others.URL))
	if _, err := keys.CreateSealer(filepath.Join(w.dir, "munjigi.key")); err != nil {
		t.Fatal(err)
	}
	w.start(t)
	t.Cleanup(func() {
		w.kill()
		if t.Failed() {
			t.Logf("the program's log:\n%s", w.log)
		}
	})
	return w
}

// enter signs a member in, through the provider, and stops before the shop's page, which nobody serves.
func (w twoHosts) enter(t *testing.T, b *browser, email string) *http.Response {
	t.Helper()
	b.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == "127.0.0.1:1" {
			return http.ErrUseLastResponse
		}
		return nil
	}
	query := url.Values{"app": {"shop"}, "login_hint": {email}, "return_to": {"/cart"}}
	return b.visit(t, w.login+"/sign-in/members?"+query.Encode())
}

// shopCall is what the shop's page sends.
func shopCall(b *browser, method, address, body string) ([]byte, error) {
	return b.call(method, address, body, http.Header{"Origin": {"http://127.0.0.1:1"}, "Munjigi-App": {"shop"}})
}

func TestWholeARealmsOwnAddress(t *testing.T) {
	t.Parallel()
	w := startTwoHosts(t)
	b := w.browser()
	if to := w.enter(t, b, "viewer@example.com").Header.Get("Location"); to != "http://127.0.0.1:1/cart" {
		t.Fatalf("arrived at %s", to)
	}
	_, access, err := accessOf(shopCall(b, "POST", w.login+"/session", `{"app":"shop"}`))
	if err != nil {
		t.Fatal(err)
	}
	// The tokens are the one issuer's, and a service that knows that alone takes them.
	verifier, err := verify.New(verify.Config{Issuer: w.url, Service: "wishlist", Realms: []string{"members"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { verifier.Close() })
	service := httptest.NewServer(verifier.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("{}")) })))
	t.Cleanup(service.Close)
	wantCode(t, b.me(service.URL, access), "")

	for _, call := range []struct{ method, path, body string }{{"POST", "/session", `{"app":"shop"}`}, {"GET", "/session", ""}, {"DELETE", "/session", ""}} {
		_, err := shopCall(b, call.method, w.url+call.path, call.body)
		wrong, _ := err.(*ended)
		if wrong == nil || wrong.Status != http.StatusMisdirectedRequest || wrong.Code != fault.NotFound || !strings.Contains(wrong.Detail, w.login) {
			t.Errorf("%s %s at the office: got %v, want the right address", call.method, call.path, err)
		}
	}
	for path, want := range map[string]int{
		"/": 404, "/admin/sessions": 404, "/sign-in/staff?app=console": 404, "/sign-in/staff/callback": 404, "/people": 404,
		"/sign-in": 200, "/sign-in/options": 200, "/healthz": 200, "/.well-known/jwks.json": 200, "/revocations": 200,
	} {
		if answer := b.visit(t, w.login+path); answer.StatusCode != want {
			t.Errorf("%s at the members' address: got %s, want %d", path, answer.Status, want)
		}
	}
	if answer := b.visit(t, w.url+"/sign-in/members?app=shop"); answer.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("the members' sign-in at the office: got %s", answer.Status)
	}
	if _, err := shopCall(b, "DELETE", w.login+"/session", ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, func() error {
		if err := b.me(service.URL, access); codeOf(err) != fault.SessionSignedOut {
			return fmt.Errorf("got %w", errOf(err))
		}
		return nil
	})
}

// The demo's configuration is an ordinary one: a realm in it may get an address of its own, at another port.
func TestWholeDemoWithARealmsOwnAddress(t *testing.T) {
	t.Parallel()
	w, _ := startDemo(t)
	w.kill()
	second := strings.Replace(freeAddress(t), "127.0.0.1", "localhost", 1)
	file := filepath.Join(w.dir, "munjigi.yaml")
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	realm := fmt.Sprintf("\nrealms:\n  guests:\n    url: http://%[1]s\n    listen: %[1]s\n    password: {}\n", second)
	w.write(t, "munjigi.yaml", strings.Replace(string(before), "\nrealms:\n", realm, 1))
	w.process = w.command("demo", "--listen", strings.TrimPrefix(w.url, "http://"), "--dir", w.dir)
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
	b := w.browser()
	for address, want := range map[string]int{
		w.url + "/demo/": 200, w.url + "/sign-in": 200, w.url + "/sign-in/guests": 421,
		"http://" + second + "/demo/": 404, "http://" + second + "/": 404, "http://" + second + "/sign-in/guests": 200,
		"http://" + second + "/sign-in/staff": 404, "http://" + second + "/readyz": 200,
	} {
		if answer := b.visit(t, address); answer.StatusCode != want {
			t.Errorf("%s: got %s, want %d", address, answer.Status, want)
		}
	}
}
