package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
)

// town is an office and a login address of its own for the members, on two ports of this machine.
type town struct {
	*office
	at, login string
}

func openTown(t *testing.T) town {
	t.Helper()
	var o *office
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { o.ServeHTTP(w, r) })
	first, second := httptest.NewServer(handler), httptest.NewServer(handler)
	t.Cleanup(first.Close)
	t.Cleanup(second.Close)
	w := town{at: first.URL, login: second.URL}
	o = open(t, func(c *Config) {
		c.URL = w.at
		realm := c.Realms["members"]
		realm.URL = w.login
		c.Realms["members"] = realm
		c.Apps = map[string]account.App{
			"console": {Name: "console", Realm: "staff"}, "tools": {Name: "tools", Realm: "staff", Origins: []string{w.at}},
			"shop":       {Name: "shop", Realm: "members", Origins: []string{"http://127.0.0.1:1"}},
			"shop-phone": {Name: "shop-phone", Realm: "members", Body: true},
		}
	})
	w.office = o
	return w
}

// send is a real request, of which nothing follows redirects.
func (w town) send(t *testing.T, url string, a ask) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), a.method, url+a.path, strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range a.header {
		r.Header[name] = values
	}
	if host := a.header.Get("Host"); host != "" {
		r.Host = host
	}
	for name, value := range a.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

// What answers where: every route and some pages, at the office, at the members' address, and under a name that is
// none of ours. A route that is added has to be put into one of the lists.
func TestWhatAnswersAtWhichAddress(t *testing.T) {
	w := openTown(t)
	machines := []string{
		"/healthz", "/readyz", "/revocations", "/.well-known/jwks.json", "/.well-known/openid-configuration",
		"/.well-known/oauth-authorization-server",
	}
	office := []string{"/", "/people", "/index.html", "/admin/nothing", "/services/market/x", "/sign-in/staff/page", "/sign-in/nobody/page"}
	for path := range w.everyPath() {
		if strings.HasPrefix(path, "/admin/") || strings.HasPrefix(path, "/sign-in/staff") {
			office = append(office, path)
		}
	}
	for path, methods := range w.everyPath() {
		if len(methods) == 0 || methods[0] != "GET" {
			methods = append(methods, "GET")
		}
		for _, method := range methods {
			a := from("", method, path, "")
			if method != "GET" {
				a = from(w.at, method, path, "{}").with("Munjigi-App", "console")
			}
			r := w.send(t, w.at, a.with("Host", "10.0.0.7:8080"))
			if machine := slices.Contains(machines, path); machine != (r.StatusCode != http.StatusMisdirectedRequest) {
				t.Errorf("%s %s under another name: got %d", method, path, r.StatusCode)
			}
			if r := w.send(t, w.at, a); r.StatusCode == http.StatusMisdirectedRequest {
				t.Errorf("%s %s at the office: got %d", method, path, r.StatusCode)
			}
		}
	}
	for _, path := range office {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			r := w.send(t, w.login, from(w.login, method, path, `{"app":"console"}`).with("Munjigi-App", "console"))
			if r.StatusCode != http.StatusNotFound || len(r.Header["Set-Cookie"]) != 0 || strings.Contains(text(t, r), w.at) {
				t.Errorf("%s %s at the members' address: got %d, want a 404 that tells nothing", method, path, r.StatusCode)
			}
		}
	}
	for _, path := range append(machines, "/sign-in", "/sign-in/options", "/sign-in/members", "/sign-in/members/password", "/munjigi.css", "/assets/main-1a2b3c.js") {
		if r := w.send(t, w.login, from("", "GET", path, "")); r.StatusCode != http.StatusOK {
			t.Errorf("%s at the members' address: got %d", path, r.StatusCode)
		}
		if path != "/sign-in/members" && path != "/sign-in/members/password" {
			continue
		}
		r := w.send(t, w.at, from("", "GET", path, ""))
		if r.StatusCode != http.StatusMisdirectedRequest || !strings.Contains(text(t, r), w.login) {
			t.Errorf("%s at the office: got %d, want 421 and the right address", path, r.StatusCode)
		}
	}
}

func TestEachAddressOffersItsOwnRealms(t *testing.T) {
	w := openTown(t)
	for at, want := range map[string]string{w.at: "staff staff", w.login: "members "} {
		var options struct {
			Realms  []struct{ Name string }
			Console string
		}
		if err := json.Unmarshal([]byte(text(t, w.send(t, at, from("", "GET", "/sign-in/options", "")))), &options); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, realm := range options.Realms {
			got += realm.Name + " "
		}
		if got += options.Console; got != want {
			t.Errorf("%s offers %q, want %q", at, got, want)
		}
	}
}

// A session call names its app, and is answered where the app's realm is.
func TestSessionCallsAreAnsweredAtTheRealmsAddress(t *testing.T) {
	w := openTown(t)
	shopAt := "http://127.0.0.1:1"
	kim, boss := w.personOf("kim", w.Apps["shop"]), w.personOf("boss", w.Apps["console"], "admin")
	calls := func(app, origin, realm, refresh string) []ask {
		asks := []ask{
			from(origin, "POST", "/session", `{"app":"`+app+`"}`), from(origin, "GET", "/session", ""), from(origin, "GET", "/sessions", ""),
			from(origin, "DELETE", "/sessions/"+strings.Repeat("A", 22), ""), from(origin, "DELETE", "/session", ""),
		}
		for i, a := range asks {
			asks[i] = a.with("Munjigi-App", app).cookie("munjigi-"+realm, refresh)
		}
		return asks
	}
	for _, a := range calls("shop", shopAt, "members", kim) {
		p := wantProblem(t, w.send(t, w.at, a), fault.NotFound)
		if p.Status != http.StatusMisdirectedRequest || p.Detail != "the realm members is at "+w.login {
			t.Errorf("%s %s at the office: got %+v", a.method, a.path, p)
		}
		if got := w.called(); len(got) != 0 {
			t.Errorf("%s %s at the office reached the domain: %q", a.method, a.path, got)
		}
	}
	for _, a := range calls("console", w.at, "staff", boss) {
		if p := wantProblem(t, w.send(t, w.login, a), fault.NotFound); p.Status != http.StatusNotFound || p.Detail != "" {
			t.Errorf("%s %s at the members' address: got %+v", a.method, a.path, p)
		}
	}
	phone := from("", "POST", "/session", `{"app":"shop-phone","refresh_token":"x"}`)
	if p := wantProblem(t, w.send(t, w.at, phone), fault.NotFound); p.Status != http.StatusMisdirectedRequest {
		t.Errorf("without a browser: got %+v", p)
	}
	w.called()
	for _, a := range calls("shop", shopAt, "members", kim) {
		r := w.send(t, w.login, a)
		noSuchSession := strings.HasPrefix(a.path, "/sessions/")
		if r.StatusCode >= 300 && !noSuchSession || r.StatusCode == http.StatusMisdirectedRequest {
			t.Errorf("%s %s at the members' address: got %d %s", a.method, a.path, r.StatusCode, text(t, r))
		}
		if r.Header.Get("Access-Control-Allow-Origin") != shopAt {
			t.Errorf("%s %s: the shop's page cannot read it", a.method, a.path)
		}
	}
	// Members look after their account on our own page at their address, for whichever app they came from; the office's
	// page is none of theirs, and theirs none of the office's.
	for _, a := range calls("shop", w.login, "members", kim)[:1] {
		if r := w.send(t, w.login, a); r.StatusCode != http.StatusOK {
			t.Errorf("%s %s from the members' page: got %d", a.method, a.path, r.StatusCode)
		}
	}
	for _, a := range calls("shop", w.at, "members", kim)[:1] {
		wantProblem(t, w.send(t, w.login, a), fault.OriginRefused)
	}
	for _, a := range calls("console", w.login, "staff", boss)[:1] {
		wantProblem(t, w.send(t, w.at, a), fault.OriginRefused)
	}
	// A token of a member's is worth nothing at the office.
	w.called()
	access := w.access(kim, func(c *token.Claims) { c.Issuer, c.ClientID = w.at, "shop" })
	r := w.send(t, w.at, from(shopAt, "GET", "/session", "").with("Authorization", "Bearer "+access))
	if p := wantProblem(t, r, fault.NotFound); p.Status != http.StatusMisdirectedRequest {
		t.Errorf("a member's access token at the office: got %+v", p)
	}
}

func TestTheIssuerStaysAndLinksAreConfigured(t *testing.T) {
	w := openTown(t)
	for _, at := range []string{w.at, w.login} {
		var discovery struct {
			Issuer string `json:"issuer"`
			JWKS   string `json:"jwks_uri"`
		}
		r := w.send(t, at, from("", "GET", "/.well-known/openid-configuration", "").with("Host", "evil.example"))
		if err := json.Unmarshal([]byte(text(t, r)), &discovery); err != nil {
			t.Fatal(err)
		}
		if discovery.Issuer != w.at || discovery.JWKS != w.at+"/.well-known/jwks.json" {
			t.Errorf("got %+v", discovery)
		}
	}
	r := w.send(t, w.at, from("", "GET", "/sign-in/staff/callback?state=x", ""))
	if to := r.Header.Get("Location"); !strings.HasPrefix(to, w.at+"/sign-in?reason=") {
		t.Errorf("a failed sign-in goes to %s", to)
	}
}

func TestTheHintKeepsToItsDomain(t *testing.T) {
	o := open(t, func(c *Config) {
		c.CookieDomain = "example.com"
		members := c.Realms["members"]
		members.URL = "https://login.example.net"
		c.Realms["members"] = members
	})
	if got := o.hintDomain("staff"); got != "example.com" {
		t.Errorf("staff: got %q", got)
	}
	if got := o.hintDomain("members"); got != "" {
		t.Errorf("members: got %q, which a browser refuses from login.example.net", got)
	}
}

func TestARealmsAddressIsChecked(t *testing.T) {
	for _, url := range []string{"http://login.example.com", "https://login.example.com/x", "login"} {
		c := Config{URL: own, Console: "staff", Realms: map[string]Realm{"staff": {}, "members": {URL: url}}}
		s := &Server{Config: c, own: own}
		if err := s.openHomes(); err == nil {
			t.Errorf("%s was taken", url)
		}
	}
}
