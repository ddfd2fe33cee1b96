package gateway

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/backoffice"
)

// identities are headers by which services and proxies learn who asks, from where and by what way.
var identities = []string{
	"X-User", "X-User-Id", "X-Username", "X-Remote-User", "Remote-User", "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Preferred-Username",
	"X-Auth-Request-User", "X-Auth-Request-Email", "X-Auth-User", "X-Authenticated-User", "X-WebAuth-User", "X-Email", "X-Account", "X-Account-Id", "X-Roles", "X-Role", "X-Groups",
	"X-Goog-Authenticated-User-Email", "X-MS-Client-Principal", "X-Amzn-Oidc-Identity", "X-Amzn-Oidc-Data", "Cf-Access-Authenticated-User-Email", "Tailscale-User-Login",
	"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-Prefix", "X-Forwarded-Server", "Forwarded", "X-Real-Ip", "X-Client-Ip",
	"True-Client-Ip", "X-Cluster-Client-Ip", "X-Original-Url", "X-Original-Uri", "X-Rewrite-Url", "X-Original-Method", "X-Http-Method-Override", "X-Envoy-Original-Path",
	"X-Accel-Redirect", "X-Sendfile", "Via", "Cookie", "Proxy-Authorization", "X-Api-Key", "X-Token", "X-Session-Id", "X-Csrf-Token", "Munjigi-App", "Munjigi-From", "Munjigi-Realm", "Origin", "Referer",
}

// written are the ways to write one name.
func written(name string) []string {
	return []string{name, strings.ToLower(name), strings.ToUpper(name), strings.ReplaceAll(name, "-", "_"), strings.ReplaceAll(strings.ToLower(name), "-", "_")}
}

// expected are the only headers that the service may see of such a call.
var expected = []string{"Accept-Encoding", "Accept-Language", "Authorization", "Munjigi-Request", "User-Agent"}

// The service never sees an identity that we did not set: each name in each spelling, alone, twice, and named by
// Connection. They are sent over a bare connection, because no client of Go's writes them all.
func TestNoIdentityFromOutside(t *testing.T) {
	w := open(t, nil)
	var lines []string
	for _, name := range identities {
		for _, spelling := range written(name) {
			lines = append(lines, spelling+": boss@example.com\r\n")
		}
		lines = append(lines, name+": a\r\n"+name+": b\r\n", name+":boss\r\n", name+":  boss \t\r\n", "Connection: "+name+"\r\n"+name+": boss\r\n")
	}
	lines = append(lines,
		"Authorization: Bearer forged\r\n", "Authorization: Basic Zm9v\r\n", "authorization: Bearer forged\r\nAUTHORIZATION: Bearer other\r\n", "Connection: Authorization\r\n", "Connection: close, Authorization, Munjigi-Request\r\n",
		"Munjigi-Request: mine\r\n", "User-Agent: boss\r\n", "X-Region: seoul\r\nX-User: boss\r\n", "Trailer: X-User\r\n", "TE: trailers\r\n", "Upgrade: websocket\r\nConnection: upgrade\r\n", "Keep-Alive: 1\r\n", "Expect: 100-continue\r\n",
	)
	if len(lines) < 200 {
		t.Fatalf("%d spellings", len(lines))
	}
	for _, line := range lines {
		before := w.asked()
		answer := raw(t, w, "GET /services/market/admin/orders HTTP/1.1\r\nHost: office.example.com\r\n"+line+"\r\n")
		if w.asked() == before {
			if !strings.HasPrefix(answer, "HTTP/1.1 4") {
				t.Errorf("%q: the service was not asked, and the answer is %q", line, answer)
			}
			continue
		}
		r := w.last()
		seen := slices.DeleteFunc(slices.Sorted(maps.Keys(r.Header)), func(name string) bool {
			return slices.Contains(expected, name) || name == "X-Region" && strings.HasPrefix(line, "X-Region")
		})
		if len(seen) != 0 {
			t.Errorf("%q: the service sees %q", line, seen)
		}
		if c := claims(t, r); c.Subject != "kim" || len(r.Header.Values("Authorization")) != 1 || r.Header.Get("Munjigi-Request") != "request-1" || r.Header.Get("User-Agent") != "munjigi" {
			t.Errorf("%q: the service sees %v", line, r.Header)
		}
		if r.Host != strings.TrimPrefix(w.market.URL, "http://") {
			t.Errorf("%q: Host %q", line, r.Host)
		}
	}
	if w.asked() < 150 {
		t.Errorf("of %d spellings only %d reached the service: nothing was tried", len(lines), w.asked())
	}
}

// raw sends bytes and returns the head of the answer.
func raw(t *testing.T, w *world, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.console.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprint(conn, request); err != nil {
		t.Fatal(err)
	}
	var head bytes.Buffer
	for !bytes.Contains(head.Bytes(), []byte("\r\n\r\n")) {
		var b [512]byte
		n, err := conn.Read(b[:])
		head.Write(b[:n])
		if err != nil {
			break
		}
	}
	return head.String()
}

// A document cannot ask for a header that says who asks; one that it may ask for comes once or not at all.
func TestReservedParameters(t *testing.T) {
	for _, name := range identities {
		for _, spelling := range written(name) {
			if !backoffice.ReservedHeader(spelling) {
				t.Errorf("%s could be a parameter", spelling)
			}
		}
	}
	for _, name := range []string{"X-Region", "X-Shop", "X-Currency", "X-Dry-Run", "Prefer", "X-Api-Version"} {
		if backoffice.ReservedHeader(name) {
			t.Errorf("%s cannot be a parameter", name)
		}
	}
	w := open(t, nil)
	if g := w.ask("GET", "/services/market/admin/orders", "", "X-Region", "a", "X-Region", "b"); g.status != 422 {
		t.Errorf("got %d", g.status)
	}
}

// Of what a service answers only the listed headers come back, and none that could act on our address.
func TestHeadersBack(t *testing.T) {
	w := open(t, nil)
	w.answers(func(out http.ResponseWriter, _ *http.Request) {
		for _, name := range []string{
			"Set-Cookie", "Set-Cookie2", "X-Accel-Redirect", "X-Accel-Buffering", "X-Sendfile", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Strict-Transport-Security",
			"Clear-Site-Data", "Refresh", "Server", "X-Powered-By", "WWW-Authenticate", "Proxy-Authenticate", "Alt-Svc", "Service-Worker-Allowed", "SourceMap", "NEL", "Report-To", "Public-Key-Pins",
			"X-Frame-Options", "Cache-Control", "Location", "Vary", "Trailer", "X-Anything", "Timing-Allow-Origin",
		} {
			out.Header().Set(name, "service")
		}
		out.Header().Set("Content-Security-Policy", "default-src *")
		out.Header().Set("X-Content-Type-Options", "off")
		out.Header().Set("X-Total-Count", "7")
		out.Header().Set("ETag", `"7"`)
		out.Header().Set("Last-Modified", "Thu, 26 Nov 2026 06:00:00 GMT")
		out.Header().Set("Content-Language", "ko")
		writeJSON(out, 200, `{}`)
		out.Header().Set("X-Late", "trailer")
	})
	g := w.ask("GET", "/services/market/admin/orders", "")
	want := http.Header{
		"Cache-Control": {"no-store"}, "Content-Language": {"ko"}, "Content-Security-Policy": {contentPolicy}, "Content-Type": {"application/json"},
		"Etag": {`"7"`}, "Last-Modified": {"Thu, 26 Nov 2026 06:00:00 GMT"}, "Munjigi-From": {"service"}, "Vary": {"Accept-Language"}, "X-Content-Type-Options": {"nosniff"}, "X-Total-Count": {"7"},
	}
	delete(g.header, "Date")
	delete(g.header, "Content-Length")
	if diff := cmp.Diff(want, g.header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

// What a service sends ahead of its answer goes nowhere, and takes nothing of ours away.
func TestEarlyHints(t *testing.T) {
	w := open(t, nil)
	w.answers(func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Link", "</evil.js>; rel=preload")
		out.Header().Set("Set-Cookie", "munjigi-staff=x")
		out.WriteHeader(http.StatusEarlyHints)
		out.Header().Del("Set-Cookie")
		writeJSON(out, 200, `{}`)
	})
	answer := raw(t, w, "GET /services/market/admin/orders HTTP/1.1\r\nHost: x\r\n\r\n")
	if !strings.HasPrefix(answer, "HTTP/1.1 200") || strings.Contains(answer, "Set-Cookie") || !strings.Contains(answer, contentPolicy) {
		t.Errorf("got %q", answer)
	}
}

// What a browser could show as a page becomes a file.
func TestDownloads(t *testing.T) {
	for _, c := range []struct{ kind, disposition, want string }{
		{"image/png", "", ""},
		{"image/svg+xml", "", "attachment"},
		{"image/svg+xml", `inline; filename="a.svg"`, `attachment; filename=a.svg`},
		{"text/xml", "inline", "attachment"},
		{"application/xhtml+xml", "", "attachment"},
		{"application/pdf", `attachment; filename="송장.pdf"`, `attachment; filename*=utf-8''%EC%86%A1%EC%9E%A5.pdf`},
		{"text/javascript", "", "attachment"},
		{"", "", "attachment"},
		{"nonsense", "", "attachment"},
		{"text/csv", `attachment; filename=a.csv`, `attachment; filename=a.csv`},
	} {
		w := open(t, nil)
		w.answers(func(out http.ResponseWriter, _ *http.Request) {
			out.Header()["Content-Type"] = []string{c.kind}
			if c.disposition != "" {
				out.Header().Set("Content-Disposition", c.disposition)
			}
			fmt.Fprint(out, "<script>alert(1)</script>")
		})
		g := w.ask("GET", "/services/market/admin/orders/7/picture", "")
		if g.status != 200 || g.header.Get("Content-Disposition") != c.want || g.header.Get("X-Content-Type-Options") != "nosniff" || g.header.Get("Content-Security-Policy") != contentPolicy {
			t.Errorf("%s, %q: got %d %q %v", c.kind, c.disposition, g.status, g.header.Get("Content-Disposition"), g.header)
		}
		if kind := g.header.Get("Content-Type"); kind == "" || kind == "nonsense" {
			t.Errorf("%s: is passed on as %q", c.kind, kind)
		}
	}
}

// The servers that people run close idle connections after 5 s (Node) and more; whoever closes first must be us.
func TestIdleConnectionsAreClosedHereFirst(t *testing.T) {
	t.Parallel() // it waits three seconds
	var closed atomic.Int64
	service := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	service.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed.Add(1)
		}
	}
	service.Start()
	defer service.Close()
	client := http.Client{Transport: newTransport(time.Second, 4)}
	began := time.Now()
	answer, err := client.Get(service.URL)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	eventually(t, func() bool { return closed.Load() == 1 })
	if took := time.Since(began); took < 2*time.Second || idleLimit >= 5*time.Second {
		t.Errorf("closed after %v, with a limit of %v", took, idleLimit)
	}
}
