package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
)

func TestTheCallersAddress(t *testing.T) {
	proxies := func(c *Config) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	}
	for _, c := range []struct {
		change    func(*Config)
		peer      string
		forwarded []string
		want      string
	}{
		{nil, "192.0.2.1:1", nil, "192.0.2.1"},
		{nil, "192.0.2.1:1", []string{"203.0.113.9"}, "192.0.2.1"},     // nobody is trusted
		{proxies, "192.0.2.1:1", []string{"203.0.113.9"}, "192.0.2.1"}, // this peer is not
		{proxies, "10.1.1.1:1", nil, "10.1.1.1"},
		{proxies, "10.1.1.1:1", []string{"203.0.113.9"}, "203.0.113.9"},
		{proxies, "10.1.1.1:1", []string{"6.6.6.6, 203.0.113.9"}, "203.0.113.9"}, // the left is the caller's own invention
		{proxies, "10.1.1.1:1", []string{"6.6.6.6", "203.0.113.9"}, "203.0.113.9"},
		{proxies, "10.1.1.1:1", []string{"203.0.113.9, 10.2.2.2"}, "203.0.113.9"},
		{proxies, "10.1.1.1:1", []string{"203.0.113.9, rubbish"}, "10.1.1.1"},
		{proxies, "10.1.1.1:1", []string{"203.0.113.9, 10.2.2.2, "}, "10.1.1.1"},
		{proxies, "10.1.1.1:1", []string{"10.3.3.3, 10.2.2.2"}, "10.3.3.3"},
		{proxies, "[fd00::1]:1", []string{"2001:db8::1"}, "2001:db8::1"},
		{proxies, "[::ffff:10.1.1.1]:1", []string{"203.0.113.9"}, "203.0.113.9"},
		{proxies, "10.1.1.1:1", []string{"203.0.113.9:4711"}, "10.1.1.1"}, // a port is not what proxies write
		{proxies, "@", []string{"203.0.113.9"}, "invalid IP"},
	} {
		r := httptest.NewRequest("GET", own+"/", nil)
		r.RemoteAddr = c.peer
		r.Header["X-Forwarded-For"] = c.forwarded
		if got := open(t, c.change).address(r).String(); got != c.want {
			t.Errorf("%s %q: got %s, want %s", c.peer, c.forwarded, got, c.want)
		}
	}
}

func TestTooManyAtOnce(t *testing.T) {
	o := open(t, func(c *Config) { c.Limits.InFlight = 1 })
	o.inFlight <- struct{}{}
	r := o.do(from(toolsAt, "POST", "/session", `{"app":"tools"}`))
	wantProblem(t, r, fault.TooManyAttempts)
	if r.Header.Get("Access-Control-Allow-Origin") != toolsAt {
		t.Error("the page cannot read why")
	}
	<-o.inFlight
	wantProblem(t, o.do(from(toolsAt, "POST", "/session", `{"app":"tools"}`)), fault.SessionMissing)
	if len(o.inFlight) != 0 {
		t.Error("a place was not given back")
	}
}

func TestAPanicIsInternal(t *testing.T) {
	registry := prometheus.NewRegistry()
	o := open(t, func(c *Config) {
		c.Registerer = registry
		c.Ready = func(context.Context) error { panic("canary in a panic") }
	})
	r := o.do(from("", "GET", "/readyz", ""))
	if got := text(t, r); r.StatusCode != 500 || strings.Contains(got, "canary") || !strings.Contains(got, `"code":"internal"`) {
		t.Errorf("got %d %s", r.StatusCode, got)
	}
	if len(o.inFlight) != 0 {
		t.Error("a place was not given back")
	}
	if log := o.log.String(); !strings.Contains(log, "canary in a panic") || !strings.Contains(log, r.Header.Get("Munjigi-Request")) {
		t.Errorf("the log: %s", log)
	}
	want := `# HELP munjigi_http_requests_total Requests answered, by route, HTTP status and the problem's code (empty = none).
# TYPE munjigi_http_requests_total counter
munjigi_http_requests_total{code="internal",route="GET /readyz",status="500"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "munjigi_http_requests_total"); err != nil {
		t.Error(err)
	}
	if _, err := New(o.Config); err == nil {
		t.Error("registered twice with one registry")
	}
}

// Whatever a caller sends as a secret, or could have put into an address, stays out of the log.
func TestTheLogHoldsNoSecret(t *testing.T) {
	o := open(t, nil)
	refresh := o.person("kim", "tools", "admin")
	access := o.access(refresh, nil)
	sid := strings.TrimSuffix(strings.TrimPrefix(refresh, "mjr_"), ".0")
	o.do(from(toolsAt, "POST", "/session", `{"app":"tools"}`).cookie("__Host-munjigi-staff", refresh))
	o.do(from(toolsAt, "POST", "/session", `{"app":"tools","refresh_token":"mjr_canary"}`))
	o.do(from("", "POST", "/session", `{"app":"cli","refresh_token":"mjr_canary"}`))
	o.do(from(toolsAt, "POST", "/session", `{"app":"mjr_canary"}`))
	o.do(from("", "GET", "/session?access_token=mjr_canary", "").with("Authorization", "Bearer "+access))
	o.do(from("", "GET", "/session", "").with("Authorization", "Bearer "+access))
	o.do(from("", "GET", "/mjr_canary?x=mjr_canary", ""))
	o.do(from(own, "DELETE", "/sessions/"+sid, "").with("Munjigi-App", "tools").cookie("__Host-munjigi-staff", refresh))
	b := o.browser()
	state := b.start("/sign-in/staff?app=console&return_to=/mjr_canary")
	b.get(callback(state, "mjr_canary") + "&error=mjr_canary")
	for name, secret := range map[string]string{"refresh token": refresh, "access token": access, "sid": sid, "state": state, "canary": "canary\"", "path": "/mjr_canary"} {
		if strings.Contains(o.log.String(), secret) && secret != "canary\"" {
			t.Errorf("the log holds the %s: %s", name, o.log)
		}
	}
	if o.log.Len() < 1000 {
		t.Errorf("hardly anything was logged: %s", o.log)
	}
}

func TestHealth(t *testing.T) {
	o := open(t, nil)
	for _, path := range []string{"/healthz", "/readyz"} {
		r := o.do(from("", "GET", path, ""))
		if got := text(t, r); r.StatusCode != 200 || got != `{"status":"ok"}` {
			t.Errorf("%s: got %d %s", path, r.StatusCode, got)
		}
	}
	o.fail = errors.New("no disk")
	wantProblem(t, o.do(from("", "GET", "/readyz", "")), fault.StoreUnavailable)
	wantStatus(t, o.do(from("", "GET", "/healthz", "")), 200)
}

func TestWellKnown(t *testing.T) {
	o := open(t, func(c *Config) { c.KeysMaxAge = 30 * time.Second })
	want := `{"issuer":"https://office.example.com","jwks_uri":"https://office.example.com/.well-known/jwks.json","response_types_supported":[],"grant_types_supported":[]}`
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
		a := from("", "GET", path, "")
		if r := o.do(a); text(t, r) != want {
			t.Errorf("%s: got %s, want %s", path, text(t, r), want)
		}
	}
	a := from("", "GET", "/.well-known/jwks.json", "")
	r := o.do(a)
	tag := r.Header.Get("ETag")
	if text(t, r) != `{"keys":[]}` || r.Header.Get("Cache-Control") != "public, max-age=30" || r.Header.Get("Content-Type") != "application/jwk-set+json" || len(tag) != 18 {
		t.Errorf("keys: got %v", r.Header)
	}
	for header, status := range map[string]int{tag: 304, `"x", ` + tag: 304, `"x"`: 200, "W/" + tag: 304, "*": 304} {
		if r := o.do(a.with("If-None-Match", header)); r.StatusCode != status {
			t.Errorf("If-None-Match %s: got %d, want %d", header, r.StatusCode, status)
		}
	}
}

func TestRevocationsAsPages(t *testing.T) {
	o := open(t, nil)
	o.feed.page.Entries = []token.FeedEntry{{N: 3, ID: "x", Until: 4}}
	r := o.do(from("", "GET", "/revocations?after=e1.2", ""))
	if got, want := text(t, r), `{"epoch":"e1","n":3,"read_at":0,"entries":[{"n":3,"id":"x","until":4}]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, cursor := range []string{"x", "e1.", ".1", "e1.-1", "e1.x"} {
		wantProblem(t, o.do(from("", "GET", "/revocations?after="+cursor, "")), fault.RequestInvalid)
	}
	o.feed.err = fault.New(fault.StoreUnavailable, "")
	for _, accept := range []string{"application/json", "text/event-stream"} {
		wantProblem(t, o.do(from("", "GET", "/revocations", "").with("Accept", accept)), fault.StoreUnavailable)
	}
}

// follow opens the stream on a real connection.
func (o *office) follow(header ...string) (*http.Response, *bufio.Reader) {
	o.t.Helper()
	server := httptest.NewServer(o)
	o.t.Cleanup(server.Close)
	r, err := http.NewRequestWithContext(o.t.Context(), http.MethodGet, server.URL+"/revocations", nil)
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := server.Client().Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { answer.Body.Close() })
	return answer, bufio.NewReader(answer.Body)
}

// event is the next one of a stream.
func event(t *testing.T, lines *bufio.Reader) string {
	t.Helper()
	var all strings.Builder
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == "\n" {
			return all.String()
		}
		all.WriteString(line)
	}
}

func TestRevocationsAsEvents(t *testing.T) {
	o := open(t, nil)
	r, lines := o.follow()
	if r.Header.Get("Content-Type") != "text/event-stream" || r.Header.Get("Cache-Control") != "no-store" ||
		r.Header.Get("X-Accel-Buffering") != "no" || r.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("got %v", r.Header)
	}
	if got, want := event(t, lines), "id: e1.3\ndata: {\"epoch\":\"e1\",\"n\":3,\"read_at\":0,\"entries\":[]}\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for n := range int64(3) { // each is there before the next one exists: nothing holds it back
		o.feed.pages <- token.FeedPage{Epoch: "e2", N: n, Entries: []token.FeedEntry{}}
		if got, want := event(t, lines), fmt.Sprintf("id: e2.%d\n", n); !strings.HasPrefix(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	o.Stop()
	if _, err := lines.ReadByte(); err == nil {
		t.Error("the stream goes on after Stop")
	}
	head := from("", "HEAD", "/revocations", "").with("Accept", "text/event-stream")
	wantStatus(t, o.do(head), 200) // and it returns
}

func TestOnlySoManyFollow(t *testing.T) {
	o := open(t, func(c *Config) { c.Limits.Streams = 1 })
	_, lines := o.follow()
	event(t, lines)
	wantProblem(t, o.do(from("", "GET", "/revocations", "").with("Accept", "text/event-stream")), fault.TooManyAttempts)
	wantStatus(t, o.do(from("", "GET", "/revocations", "")), 200)
}

// One network must not take up what is there for all of them.
func TestOnlySoManyOfANetworkFollow(t *testing.T) {
	o := open(t, func(c *Config) { throughProxy(c); c.Limits.NetworkStreams = 2 })
	for _, from := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.1", "2001:db8::1", "2001:db8::2"} {
		_, lines := o.follow("X-Forwarded-For", from)
		event(t, lines)
	}
	for _, from := range []string{"192.0.2.1", "2001:db8::3"} {
		if answer, _ := o.follow("X-Forwarded-For", from); answer.StatusCode != http.StatusTooManyRequests {
			t.Errorf("one more from %s: got %d", from, answer.StatusCode)
		}
	}
	wantStatus(t, o.do(from("", "GET", "/revocations", "")), 200)
}

func TestAPageOfRevocationsTakesAPlace(t *testing.T) {
	o := open(t, func(c *Config) { c.Limits.InFlight = 1 })
	page := from("", "GET", "/revocations", "")
	o.inFlight <- struct{}{}
	wantProblem(t, o.do(page), fault.TooManyAttempts)
	wantProblem(t, o.do(from("", "HEAD", "/revocations", "").with("Accept", "text/event-stream")), fault.TooManyAttempts)
	_, lines := o.follow() // a stream needs none
	event(t, lines)
	<-o.inFlight
	wantStatus(t, o.do(page), 200)
	if len(o.inFlight) != 0 {
		t.Error("a place was not given back")
	}
}

// A follower that does not read must not hold memory, or a place, for ever.
func TestASlowFollowerIsCutOff(t *testing.T) {
	o := open(t, nil)
	w := &slowWriter{header: http.Header{}}
	r := httptest.NewRequest("GET", own+"/revocations", nil)
	r.Header.Set("Accept", "text/event-stream")
	o.ServeHTTP(w, r) // returns because the write's deadline passed
	if w.deadline.IsZero() || w.deadline.After(time.Now().Add(followerLimit)) {
		t.Errorf("deadline %v, want one within %s", w.deadline, followerLimit)
	}
	if len(o.streams) != 0 || o.streamsOf.Networks() != 0 {
		t.Error("its place was not given back")
	}
}

// slowWriter is a connection whose peer does not read: writing fails once its deadline is over.
type slowWriter struct {
	header   http.Header
	deadline time.Time
}

func (w *slowWriter) Header() http.Header { return w.header }
func (w *slowWriter) WriteHeader(int)     {}
func (w *slowWriter) Write([]byte) (int, error) {
	return 0, errors.New("i/o timeout")
}
func (w *slowWriter) SetWriteDeadline(t time.Time) error { w.deadline = t; return nil }

func TestTheConsolesFiles(t *testing.T) {
	o := open(t, nil)
	for _, c := range []struct {
		path, accept string
		status       int
		kind, cache  string
	}{
		{"/", "", 200, "text/html; charset=utf-8", "no-store"},
		{"/sign-in", "text/html", 200, "text/html; charset=utf-8", "no-store"},
		{"/people/x/y", "text/html,*/*", 200, "text/html; charset=utf-8", "no-store"},
		{"/index.html", "", 200, "text/html; charset=utf-8", "no-store"},
		{"/assets/main-1a2b3c.js", "", 200, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		{"/munjigi.css", "", 200, "text/css; charset=utf-8", "public, max-age=3600"},
		{"/assets/none.js", "", 404, "application/problem+json", "no-store"},
		{"/assets/", "", 404, "application/problem+json", "no-store"},
		{"/people", "application/json", 404, "application/problem+json", "no-store"},
		{"/admin", "text/html", 404, "application/problem+json", "no-store"},
		{"/admin/nothing.json", "text/html", 404, "application/problem+json", "no-store"},
		{"/services/market/orders", "", 404, "application/problem+json", "no-store"},
		{"/.well-known/security.txt", "", 404, "application/problem+json", "no-store"},
		{"/session/x", "text/html", 404, "application/problem+json", "no-store"},
		{"/assets/%2e%2e/index.html", "", 404, "application/problem+json", "no-store"},
		{"/assets/..%2findex.html", "", 404, "application/problem+json", "no-store"},
	} {
		r := o.do(from("", "GET", c.path, "").with("Accept", c.accept))
		if r.StatusCode != c.status || r.Header.Get("Content-Type") != c.kind || r.Header.Get("Cache-Control") != c.cache {
			t.Errorf("%s: got %d %q %q, want %+v", c.path, r.StatusCode, r.Header.Get("Content-Type"), r.Header.Get("Cache-Control"), c)
		}
	}
	empty := open(t, func(c *Config) { c.Pages = nil })
	wantProblem(t, empty.do(from("", "GET", "/", "")), fault.NotFound)
	wantProblem(t, empty.do(from("", "GET", "/assets/x.js", "")), fault.NotFound)
}

// The mux redirects paths that it cleans; that must stay here, and bear the headers.
func TestCleanedPathsStayHere(t *testing.T) {
	o := open(t, nil)
	for _, path := range []string{"//evil.example/x", "/a/../../evil.example", "/./x", "///"} {
		r := o.do(from("", "GET", path, ""))
		if to := r.Header.Get("Location"); strings.HasPrefix(to, "//") || strings.Contains(to, "://") || strings.HasPrefix(to, `/\`) {
			t.Errorf("%s: sent to %s", path, to)
		}
		if r.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: no security headers", path)
		}
	}
}
