package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/catalog"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

// world is a gateway with one service behind it.
type world struct {
	*Gateway
	t       *testing.T
	console *httptest.Server // stands for the server: it says who asks
	market  *httptest.Server
	clock   time.Time

	mu      sync.Mutex // guards what follows
	handler http.HandlerFunc
	seen    []*http.Request
	bodies  []string
	who     Caller
	ended   error // what the store says of the session
	service backoffice.Service
	waiting map[string]catalog.Waiting
	view    *catalog.View
	journal []audit.Event
	open    map[string]audit.Event
	failing error // of the journal
	signed  int
}

var fakeAddress = &httptest.Server{URL: "http://market"}

func text(name string) backoffice.Field { return backoffice.Field{Name: name, Type: "string"} }

func hidden(name string) backoffice.Field {
	return backoffice.Field{Name: name, Type: "string", Sensitive: true}
}

func object(fields ...backoffice.Field) *backoffice.Field {
	return &backoffice.Field{Type: "object", Fields: fields}
}

func path(name string) backoffice.Parameter {
	return backoffice.Parameter{In: "path", Field: text(name)}
}

func inQuery(name, kind string) backoffice.Parameter {
	return backoffice.Parameter{In: "query", Field: backoffice.Field{Name: name, Type: kind}}
}

// theMarket is what the service's document says.
func theMarket() backoffice.Service {
	order := object(backoffice.Field{Name: "id", Type: "integer", Format: "int64"}, text("title"), hidden("phone"))
	anything := &backoffice.Body{Media: "application/json", Schema: *object(text("amount"))}
	rows := &backoffice.Field{Type: "object", Fields: []backoffice.Field{
		{Name: "items", Type: "array", Items: order}, {Name: "next", Type: "string"}, {Name: "total", Type: "integer"},
	}}
	return backoffice.Service{
		Name: "market", Title: "Market", Version: "1.4",
		Operations: []backoffice.Operation{
			{ID: "listOrders", Method: "GET", Path: "/admin/orders", Kind: backoffice.List, Parameters: []backoffice.Parameter{
				inQuery("status", "string"), inQuery("tag", "array"), inQuery("cursor", "string"), inQuery("size", "integer"),
				{In: "header", Field: text("X-Region")},
				{In: "header", Field: text("X-User")},
			}, Answer: &backoffice.Answer{Status: 200, Media: "application/json", Schema: rows}},
			{ID: "getOrder", Method: "GET", Path: "/admin/orders/{id}", Kind: backoffice.Get, Parameters: []backoffice.Parameter{path("id")}, Answer: &backoffice.Answer{Status: 200, Media: "application/json", Schema: order}},
			{ID: "searchOrders", Method: "GET", Path: "/admin/orders/search", Kind: backoffice.ReportOn, Parameters: []backoffice.Parameter{inQuery("q", "string")}},
			{ID: "createOrder", Method: "POST", Path: "/admin/orders", Kind: backoffice.Create, Body: anything, Answer: &backoffice.Answer{Status: 201, Media: "application/json", Schema: order}},
			{ID: "updateOrder", Method: "PATCH", Path: "/admin/orders/{id}", Kind: backoffice.Update, Body: &backoffice.Body{Media: "application/merge-patch+json", Schema: *object(text("title"))}},
			{ID: "deleteOrder", Method: "DELETE", Path: "/admin/orders/{id}", Kind: backoffice.Delete},
			{ID: "refund", Method: "POST", Path: "/admin/orders/{id}/refund", Kind: backoffice.Action, Body: anything, Guard: backoffice.Guard{Reason: true, Roles: []string{"editor"}}},
			{ID: "cancel", Method: "POST", Path: "/admin/orders/{id}:cancel", Kind: backoffice.Action},
			{ID: "purge", Method: "POST", Path: "/admin/purge", Kind: backoffice.Action, Guard: backoffice.Guard{Approval: 1}},
			{ID: "upload", Method: "PUT", Path: "/admin/orders/{id}/picture", Kind: backoffice.Update, Body: &backoffice.Body{Media: "multipart/form-data"}},
			{ID: "picture", Method: "GET", Path: "/admin/orders/{id}/picture", Kind: backoffice.Run, Answer: &backoffice.Answer{Status: 200, Media: "image/png"}},
			{ID: "recount", Method: "POST", Path: "/admin/recount", Kind: backoffice.Action},
			{ID: "job", Method: "GET", Path: "/admin/jobs/{id}", Kind: backoffice.Get},
		},
		Resources: []backoffice.Resource{{
			Key: "orders", List: "listOrders", Get: "getOrder", Rows: "/items", Row: *order,
			Paging: backoffice.Paging{Style: "cursor", Param: "cursor", Size: "size", SizeMost: 2, Next: "/next", Total: "header:X-Total-Count"},
		}},
	}
}

// open makes the world. Limits are short, so that waiting for them is as well.
func open(t *testing.T, change func(*Config)) *world {
	t.Helper()
	w := &world{t: t, clock: time.Unix(1_790_000_000, 0), service: theMarket(), open: map[string]audit.Event{}}
	w.market = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.market.Close)
	w.answers(func(out http.ResponseWriter, _ *http.Request) { writeJSON(out, 200, `{"id":1}`) })
	w.who = Caller{
		Session:  session.Session{ID: token.NewSessionID(), Realm: "staff", Account: "kim", StartedAt: w.clock, EndsAt: w.clock.Add(time.Hour), Rotation: session.Rotation{Access: 5 * time.Minute}},
		Account:  account.Account{ID: "kim", Identity: account.Identity{Realm: "staff"}, Profile: account.Profile{Name: "Kim", Email: "kim@example.com", Roles: []string{"editor"}}},
		From:     "192.0.2.7",
		Language: "en", Request: "request-1",
		Alive: func(context.Context) error { w.mu.Lock(); defer w.mu.Unlock(); return w.ended },
	}
	c := Config{
		Issuer: "https://office.example.com", Catalog: w, Keys: w, Journal: w, Log: slog.New(slog.DiscardHandler), Now: w.now,
		Roles:  map[string]Roles{"market": {Read: []string{"viewer"}, Write: []string{"editor"}}},
		Limits: Limits{Answer: 2 * time.Second, Check: 20 * time.Millisecond},
	}
	if change != nil {
		change(&c)
	}
	var err error
	if w.Gateway, err = New(c); err != nil {
		t.Fatal(err)
	}
	w.console = httptest.NewServer(http.HandlerFunc(w.asServer))
	t.Cleanup(w.console.Close)
	return w
}

func (w *world) now() time.Time { return w.clock }

// serve is the service: it remembers what it was asked.
func (w *world) serve(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	handler := w.handler
	w.seen = append(w.seen, r)
	w.mu.Unlock()
	handler(out, r)
}

func (w *world) answers(handler http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.handler = handler
}

// last is what the service was asked last.
func (w *world) last() *http.Request {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.seen) == 0 {
		w.t.Fatal("the service was asked nothing")
	}
	return w.seen[len(w.seen)-1]
}

func (w *world) asked() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.seen)
}

// asServer is what package server does around a passage.
func (w *world) asServer(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	who := w.who
	w.mu.Unlock()
	do := w.Call
	if strings.HasPrefix(r.URL.EscapedPath(), "/exports/") {
		do = w.Export
	}
	if err := do(out, r, who); err != nil {
		problem := fault.ProblemOf(err, who.Language, who.Request)
		out.Header().Set("Content-Type", "application/problem+json")
		out.WriteHeader(problem.Status)
		_ = json.NewEncoder(out).Encode(problem)
	}
}

// View implements Catalog.
func (w *world) View(name string) (*catalog.View, bool) {
	if name != "market" {
		return nil, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.view == nil {
		w.view = &catalog.View{
			Name: "market", URL: w.market.URL, State: catalog.Ready, FetchedAt: w.clock, Waiting: w.waiting,
			Services: map[string]backoffice.Service{"en": w.service},
			Masks: map[string][]string{
				"GET /admin/orders": {"/items/*/phone"}, "GET /admin/orders/{}": {"/phone"}, "POST /admin/orders": {"/phone"},
			},
		}
	}
	return w.view, true
}

// Names implements Catalog.
func (w *world) Names() []string { return []string{"market"} }

// Grant implements Catalog.
func (w *world) Grant(context.Context, string, []string, audit.Event) error { return nil }

// Active implements Keys.
func (w *world) Active() (string, uint32) { return "key-1", 1 }

// Sign implements Keys: the claims can be read.
func (w *world) Sign(kid string, claims token.Claims) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.signed++
	text, err := json.Marshal(claims)
	return fmt.Sprintf("%s.%x.%d", kid, text, w.signed), err
}

// claims are those of a request's token.
func claims(t *testing.T, r *http.Request) (c token.Claims) {
	t.Helper()
	parts := strings.Split(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), ".")
	if len(parts) != 3 {
		t.Fatalf("Authorization: %q", r.Header.Get("Authorization"))
	}
	var text []byte
	if _, err := fmt.Sscanf(parts[1], "%x", &text); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// Begin implements Journal.
func (w *world) Begin(_ context.Context, id string, event audit.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failing != nil {
		return w.failing
	}
	w.journal, w.open[id] = append(w.journal, event), event
	return nil
}

// End implements Journal.
func (w *world) End(_ context.Context, id string, event audit.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, there := w.open[id]; !there {
		return nil
	}
	if event.Details["call"] != id {
		w.t.Errorf("the end of %s is of %s", id, event.Details["call"])
	}
	delete(w.open, id)
	w.journal = append(w.journal, event)
	return nil
}

// Open implements Journal.
func (w *world) Open(_ context.Context, before time.Time, _ int) (map[string]audit.Event, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	open := maps.Clone(w.open)
	maps.DeleteFunc(open, func(_ string, e audit.Event) bool { return !e.At.Before(before) })
	return open, nil
}

// events are what the journal has, shortly.
func (w *world) events() (list []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.journal {
		list = append(list, strings.TrimSpace(strings.Join([]string{string(e.Action), e.Details["operation"], e.Outcome, e.Details["rows"]}, " ")))
	}
	return list
}

// got is an answer that was read to its end.
type got struct {
	status int
	header http.Header
	body   string
	code   fault.Code
	err    error // of reading it
}

// ask sends what is written here, exactly: no path is tidied.
func (w *world) ask(method, path, body string, header ...string) got {
	w.t.Helper()
	r, err := http.NewRequest(method, w.console.URL, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	raw, query, _ := strings.Cut(path, "?")
	r.URL.Opaque, r.URL.RawQuery = "//"+r.URL.Host+raw, query
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header[header[i]] = append(slices.Clone(r.Header[header[i]]), header[i+1])
		if header[i] == "Content-Type" {
			r.Header.Set("Content-Type", header[i+1])
		}
	}
	client := &http.Client{Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		return got{err: err}
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	g := got{status: answer.StatusCode, header: answer.Header, body: string(data), err: err}
	var problem struct{ Code fault.Code }
	if json.NewDecoder(bytes.NewReader(data)).Decode(&problem) == nil {
		g.code = problem.Code
	}
	return g
}

func writeJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}
