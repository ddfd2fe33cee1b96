package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/verify"
)

// membersConfig is of a marketplace's members; %s are: url, listen, and what a test adds to the session's policy.
const membersConfig = `url: %s
listen: %s
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
	listen := freeAddress(t)
	w.url = "http://" + listen
	w.write(t, "munjigi.yaml", fmt.Sprintf(membersConfig, w.url, listen, policy))
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

// guess signs in with a login and a password, as a page of the shop.
func (b *browser) guess(login, password string) ([]byte, error) {
	body, err := json.Marshal(map[string]string{"app": "shop", "login": login, "password": password})
	if err != nil {
		return nil, err
	}
	return b.call(http.MethodPost, b.w.url+"/sign-in/members", string(body), http.Header{"Munjigi-App": {"shop"}})
}

// renewShop is renew, as a page of the shop.
func (b *browser) renewShop() (string, error) {
	_, access, err := accessOf(b.call(http.MethodPost, b.w.url+"/session", `{"app":"shop"}`, nil))
	return access, err
}

func TestWholeMembersSignIn(t *testing.T) {
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
	if want := `{"console":"members","realms":[{"name":"members","kind":"password"}]}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
}
