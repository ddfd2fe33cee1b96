package server

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/server/body"
)

// slowCaller has sent its headers, and sends its body when the test wants.
type slowCaller struct {
	net.Conn
	t     *testing.T
	lines *bufio.Reader
}

const slowBody = `{"app":"tools"}`

// slow opens a connection to where, and has the server ask for the body: it is waiting for it when this returns.
func slow(t *testing.T, where *httptest.Server, from string) *slowCaller {
	t.Helper()
	conn, err := net.Dial("tcp", where.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	c := &slowCaller{conn, t, bufio.NewReader(conn)}
	c.send(fmt.Sprintf("POST /session HTTP/1.1\r\nHost: x\r\nOrigin: %s\r\nX-Forwarded-For: %s\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", toolsAt, from, len(slowBody)))
	if got := c.status(); got != http.StatusContinue {
		t.Fatalf("got %d, want to be asked for the body", got)
	}
	c.send(slowBody[:1])
	return c
}

func (c *slowCaller) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

func (c *slowCaller) status() int {
	c.t.Helper()
	answer, err := http.ReadResponse(c.lines, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		c.t.Fatal(err)
	}
	return answer.StatusCode
}

func (o *office) listen() *httptest.Server {
	o.t.Helper()
	server := httptest.NewServer(o)
	o.t.Cleanup(server.Close)
	return server
}

// throughProxy has the test's connections say where they come from.
func throughProxy(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }

// Callers that send half a body must not keep the others from being answered.
func TestSlowBodiesTakeNoPlace(t *testing.T) {
	o := open(t, func(c *Config) { c.Limits.InFlight = 2 })
	where := o.listen()
	var waiting []*slowCaller
	for range 8 {
		waiting = append(waiting, slow(t, where, "192.0.2.1"))
	}
	for _, path := range []string{"/readyz", "/healthz", "/.well-known/jwks.json", "/revocations"} {
		wantStatus(t, o.do(from("", "GET", path, "")), 200)
	}
	refresh := o.person("kim", "tools")
	wantStatus(t, o.do(from(toolsAt, "POST", "/session", slowBody).cookie("__Host-munjigi-staff", refresh)), 200)
	for _, one := range waiting { // slow, but honest
		one.send(slowBody[1:])
		if got := one.status(); got != http.StatusUnauthorized {
			t.Errorf("a slow body: got %d, want its answer", got)
		}
	}
	if n := o.bodies.Waiting(); n != 0 {
		t.Errorf("%d bodies are still waited for", n)
	}
}

// Half-sent bodies take up memory. When there are too many, the one that took longest makes room: an attacker displaces
// themself, and somebody whose body comes at once is always answered.
func TestTheSlowestBodyMakesRoom(t *testing.T) {
	for name, c := range map[string]struct {
		limits Limits
		from   []string
		goes   int
	}{
		"of its network":          {Limits{Bodies: 2}, []string{"192.0.2.9", "192.0.2.1", "192.0.2.1", "192.0.2.1"}, 1},
		"of its network, of IPv6": {Limits{Bodies: 1}, []string{"2001:db8:9::", "2001:db8::1", "2001:db8::2"}, 1},
		"of all":                  {Limits{AllBodies: 3}, []string{"192.0.2.9", "192.0.2.1", "192.0.2.1", "192.0.2.2"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			o := open(t, func(config *Config) { throughProxy(config); config.Limits = c.limits })
			where := o.listen()
			var waiting []*slowCaller
			for _, from := range c.from {
				waiting = append(waiting, slow(t, where, from))
			}
			for i, one := range waiting {
				want := http.StatusTooManyRequests
				if i != c.goes {
					one.send(slowBody[1:])
					want = http.StatusUnauthorized
				}
				if got := one.status(); got != want {
					t.Errorf("body %d: got %d, want %d", i, got, want)
				}
			}
			if _, err := waiting[c.goes].lines.ReadByte(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the connection that made room: got %v, want it closed", err)
			}
			if n := o.bodies.Waiting(); n != 0 {
				t.Errorf("%d bodies are still waited for", n)
			}
		})
	}
}

// watched is a body that notes how many places were taken while it was read.
type watched struct {
	o      *office
	text   *strings.Reader
	places []int
}

func (b *watched) Read(into []byte) (int, error) {
	b.places = append(b.places, len(b.o.inFlight))
	return b.text.Read(into)
}

// A body that no handler wants is waited for by net/http while an answer is written: it too has to be in before.
func TestEveryBodyIsReadBeforeAPlaceIsTaken(t *testing.T) {
	o := open(t, nil)
	for path, methods := range o.everyPath() {
		for _, method := range append(methods, "PATCH") {
			body := &watched{o: o, text: strings.NewReader(slowBody)}
			r := httptest.NewRequest(method, own+path, body)
			r.Header.Set("Content-Type", "application/json")
			o.ServeHTTP(httptest.NewRecorder(), r)
			if len(body.places) == 0 {
				t.Errorf("%s %s: the body was not read", method, path)
			}
			for _, n := range body.places {
				if n != 0 {
					t.Errorf("%s %s: the body was read in a place", method, path)
				}
			}
		}
	}
	wantProblem(t, o.do(from("", "GET", "/assets/main-1a2b3c.js", strings.Repeat(" ", body.Most+1))), fault.TooLarge)
	wantStatus(t, o.do(from("", "GET", "/assets/main-1a2b3c.js", strings.Repeat(" ", body.Most))), 200)
}

// Whoever looks after the program has to hear from it, most of all when it has too much to do.
func TestProbesNeedNoPlace(t *testing.T) {
	o := open(t, func(c *Config) { c.Limits.InFlight = 1 })
	o.inFlight <- struct{}{}
	wantProblem(t, o.do(from("", "GET", "/.well-known/jwks.json", "")), fault.TooManyAttempts)
	for _, path := range []string{"/healthz", "/readyz"} {
		for _, method := range []string{"GET", "HEAD"} {
			wantStatus(t, o.do(from("", method, path, "")), 200)
		}
	}
}
