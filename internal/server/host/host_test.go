package host

import (
	"errors"
	"net/http"
	"testing"

	"github.com/munjigi/munjigi/internal/fault"
)

func to(host string) *http.Request { return &http.Request{Host: host} }

func mustNew(t *testing.T, office string, realms map[string]string) *Homes {
	t.Helper()
	h, err := New(office, realms)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestAt(t *testing.T) {
	h := mustNew(t, "https://office.example.com", map[string]string{
		"staff": "", "members": "https://login.example.com", "sellers": "https://login.example.com:443", "six": "https://[2001:db8::1]",
	})
	for host, want := range map[string]string{
		"office.example.com":       "https://office.example.com",
		"Office.Example.Com:443":   "https://office.example.com",
		"login.example.com":        "https://login.example.com",
		"[2001:db8::1]":            "https://[2001:db8::1]",
		"[2001:DB8::1]:443":        "https://[2001:db8::1]",
		"login.example.com:8443":   "",
		"login.example.com:80":     "",
		"login.example.com.":       "",
		"x.login.example.com":      "",
		"login.example.com@evil":   "",
		"evil.example":             "",
		"127.0.0.1:8080":           "",
		"":                         "",
		"office.example.com:443:1": "",
	} {
		at := h.At(to(host))
		if at == nil {
			at = new(Home)
		}
		if at.Own != want || at.Office != (want == "https://office.example.com") {
			t.Errorf("%q: got %+v, want %q", host, *at, want)
		}
	}
	if h.Of("members") != h.Of("sellers") || h.Of("members").Office || h.Of("staff").Own != "https://office.example.com" || h.Of("nobody") != nil {
		t.Error("two realms may share an address of their own, and no other")
	}
	if got := h.Own(to("evil.example")); got != "https://office.example.com" {
		t.Errorf("got %s: nothing is made from a Host that is not configured", got)
	}
}

// On one machine addresses differ by their ports, and port 80 is left out.
func TestAtAPort(t *testing.T) {
	h := mustNew(t, "http://localhost:8080", map[string]string{"members": "http://localhost", "sellers": "http://localhost:9001"})
	for host, want := range map[string]string{
		"localhost:8080": "http://localhost:8080", "localhost": "http://localhost", "localhost:80": "http://localhost",
		"LOCALHOST:9001": "http://localhost:9001",
	} {
		if got := h.Own(to(host)); got != want || h.At(to(host)) == nil {
			t.Errorf("%q: got %s, want %s", host, got, want)
		}
	}
	if at := h.At(to("localhost:443")); at != nil {
		t.Errorf("got %+v", at)
	}
}

// With one address nothing depends on the Host: a proxy may send any.
func TestOneAddress(t *testing.T) {
	h := mustNew(t, "https://office.example.com", map[string]string{"staff": "", "members": "https://office.example.com"})
	if at := h.At(to("127.0.0.1:8080")); at == nil || !at.Office || !h.One() {
		t.Errorf("got %+v", at)
	}
	if err := h.Check(to("127.0.0.1:8080"), "members"); err != nil {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	h := mustNew(t, "https://office.example.com", map[string]string{"staff": "", "members": "https://login.example.com"})
	for _, c := range []struct{ host, realm, want string }{
		{"office.example.com", "staff", ""},
		{"login.example.com", "members", ""},
		{"office.example.com", "nobody", ""}, // is refused elsewhere
		{"office.example.com", "members", "the realm members is at https://login.example.com"},
		{"login.example.com", "staff", "-"}, // nothing is told
		{"10.0.0.7", "members", "this is none of the configured addresses; the first of them is https://office.example.com"},
		{"10.0.0.7", "staff", "this is none of the configured addresses; the first of them is https://office.example.com"},
	} {
		err := h.Check(to(c.host), c.realm)
		elsewhere, _ := errors.AsType[Elsewhere](err)
		got := elsewhere.Where
		if err != nil && got == "" {
			got = "-"
		}
		if got != c.want || err != nil && fault.CodeOf(err) != fault.NotFound {
			t.Errorf("%s at %s: got %q (%v), want %q", c.realm, c.host, got, err, c.want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range [][2]string{
		{"ftp://office.example.com", ""},
		{"https://office.example.com", "https://login.example.com/path"},
		{"https://office.example.com", "http://localhost:9001"},
		{"http://localhost:8080", "https://login.example.com"},
		{"https://office.example.com", "login.example.com"},
	} {
		if h, err := New(c[0], map[string]string{"members": c[1]}); err == nil {
			t.Errorf("%s and %s: got %+v", c[0], c[1], h)
		}
	}
}
