package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/verify"
)

// counter is a service with a document: what it is, how often it was asked to add one, and whether it hangs.
type counter struct {
	document atomic.Pointer[string]
	added    atomic.Int64
	hang     chan struct{} // closed = it does not
	verifier *verify.Verifier
}

const counterDocument = `{"openapi":"3.1.0","info":{"title":"Counter","version":"1"},"paths":{
	"/count":{"get":{"operationId":"getCount","responses":{"200":{"description":"","content":{"application/json":{"schema":{"type":"object","properties":{"n":{"type":"integer"}}}}}}}},
		"post":{"operationId":"addOne","responses":{"204":{"description":""}}}}%s}}`

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/openapi.json" {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, *c.document.Load())
		return
	}
	c.verifier.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, _ := verify.FromContext(r.Context())
		if claims.ClientID != "munjigi-gateway" {
			http.Error(w, "not through the gateway", http.StatusForbidden)
			return
		}
		if r.Method == http.MethodPost {
			c.added.Add(1)
			<-c.hang
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"n":%d}`, c.added.Load())
	})).ServeHTTP(w, r)
}

// startCounter is Munjigi with a counter that the console's people may use.
func startCounter(t *testing.T, hang chan struct{}) (*whole, *counter, *httptest.Server) {
	t.Helper()
	w := startWhole(t, "per_account: 0")
	c := &counter{hang: hang}
	c.publish("")
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	var err error
	if c.verifier, err = verify.New(verify.Config{Issuer: w.url, Service: "counter", Realms: []string{"staff"}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.verifier.Close)
	w.kill()
	text, err := os.ReadFile(filepath.Join(w.dir, "munjigi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, "munjigi.yaml", string(text)+fmt.Sprintf("  counter: {url: %q, realms: [staff], openapi: /openapi.json, roles: {read: [viewer], write: [admin]}}\n", server.URL))
	w.start(t)
	return w, c, server
}

func (c *counter) publish(more string) {
	text := fmt.Sprintf(counterDocument, more)
	c.document.Store(&text)
}

// clerk is somebody who uses the console.
type clerk struct {
	*browser
	token string
}

func (w *whole) clerk(t *testing.T, email string) *clerk {
	t.Helper()
	b := w.browser()
	query := url.Values{"app": {"console"}, "login_hint": {email}, "return_to": {"/healthz"}}
	b.visit(t, w.url+"/sign-in/staff?"+query.Encode())
	_, token, err := accessOf(b.call(http.MethodPost, w.url+"/session", `{"app":"console"}`, nil))
	if err != nil {
		t.Fatal(err)
	}
	return &clerk{b, token}
}

func (c *clerk) ask(method, path, body string) (string, error) {
	text, err := c.call(method, c.w.url+path, body, http.Header{"Munjigi-App": {"console"}, "Authorization": {"Bearer " + c.token}})
	return string(text), err
}

// reaches waits until the service's document is there, and the service knows our keys.
func (c *clerk) reaches(t *testing.T, path string) {
	t.Helper()
	eventually(t, 30*time.Second, func() error { _, err := c.ask(http.MethodGet, path, ""); return err })
}

func TestWholeGateway(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	close(hang)
	w, counter, service := startCounter(t, hang)
	viewer, boss := w.clerk(t, "viewer@example.com"), w.clerk(t, "boss@example.com")
	viewer.reaches(t, "/services/counter/count")
	if text, err := viewer.ask(http.MethodGet, "/services/counter/count", ""); err != nil || text != `{"n":0}` {
		t.Errorf("got %s, %v", text, err)
	}
	_, err := viewer.ask(http.MethodPost, "/services/counter/count", "")
	wantCode(t, err, fault.RoleMissing)
	_, err = boss.ask(http.MethodPost, "/services/counter/count", "")
	wantCode(t, err, "")
	_, err = boss.ask(http.MethodGet, "/services/counter/openapi.json", "")
	wantCode(t, err, fault.OperationUnknown)
	_, err = viewer.call(http.MethodGet, w.url+"/services/counter/count", "", http.Header{"Munjigi-App": {"console"}}) // by its cookie
	wantCode(t, err, fault.TokenMissing)
	if n := counter.added.Load(); n != 1 {
		t.Errorf("the service counted %d", n)
	}

	// A later document: its new operation waits, over a restart with the service down as well.
	counter.publish(`,"/reset":{"post":{"operationId":"reset","responses":{"204":{"description":""}}}}`)
	w.kill()
	w.start(t)
	eventually(t, 30*time.Second, func() error {
		if _, err := boss.ask(http.MethodPost, "/services/counter/reset", ""); codeOf(err) != fault.OperationNotGranted {
			return errOf(err)
		}
		return nil
	})
	service.Close()
	w.kill()
	w.start(t)
	text, err := boss.ask(http.MethodGet, "/screens/counter", "")
	if err != nil || !strings.Contains(text, `"reset":{"code":"operation_not_granted"}`) || !strings.Contains(text, `"title":"Counter"`) {
		t.Errorf("with the service down: %s, %v", text, err)
	}
	_, err = viewer.ask(http.MethodGet, "/services/counter/count", "")
	wantCode(t, err, fault.ServiceUnreachable)
	_, err = viewer.ask(http.MethodPost, "/admin/services/counter/operations/grant", `{"operations":["reset"]}`)
	wantCode(t, err, fault.RoleMissing)
	if _, err := boss.ask(http.MethodPost, "/admin/services/counter/operations/grant", `{"operations":["reset"]}`); err != nil {
		t.Fatal(err)
	}
	_, err = boss.ask(http.MethodPost, "/services/counter/reset", "")
	wantCode(t, err, fault.ServiceUnreachable)
	if text, err := viewer.ask(http.MethodGet, "/screens", ""); err != nil || strings.Contains(text, "pending") || !strings.Contains(text, `"name":"counter"`) {
		t.Errorf("got %s, %v", text, err)
	}
}

// A crash between the call and its answer: the audit says that it was made, and that nobody knows what came of it.
func TestWholeACrashWithinACall(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	w, counter, _ := startCounter(t, hang)
	boss := w.clerk(t, "boss@example.com")
	boss.reaches(t, "/services/counter/count")
	answered := make(chan error, 1)
	go func() { _, err := boss.ask(http.MethodPost, "/services/counter/count", ""); answered <- err }()
	eventually(t, 30*time.Second, func() error {
		if counter.added.Load() == 0 {
			return fmt.Errorf("not called yet")
		}
		return nil
	})
	w.kill()
	if err := <-answered; err == nil {
		t.Error("it was answered by nobody")
	}
	close(hang)
	w.start(t)
	text, err := boss.ask(http.MethodGet, "/admin/audit?limit=200", "")
	if err != nil {
		t.Fatal(err)
	}
	var found struct {
		Records []struct {
			Action, Outcome string
			Details         map[string]string
		}
	}
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		t.Fatal(err)
	}
	var calls []string
	for _, r := range found.Records {
		if r.Details["operation"] == "addOne" {
			calls = append(calls, r.Action+" "+r.Outcome)
		}
	}
	if len(calls) != 2 || calls[1] != "called " || calls[0] != "call_ended unknown" {
		t.Errorf("the audit says %q", calls)
	}
}
