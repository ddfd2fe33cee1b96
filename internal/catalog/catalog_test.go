package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
)

// world is a catalog with one service. Its documents are the screens themselves, as JSON.
type world struct {
	*Catalog
	t      *testing.T
	market *httptest.Server
	clock  time.Time

	mu        sync.Mutex // guards what follows
	handler   http.HandlerFunc
	seen      []*http.Request
	documents map[string]Document
	granted   map[string]Terms
	events    []audit.Event
	kept      int
	failing   error
}

func field(name string, sensitive bool) backoffice.Field {
	return backoffice.Field{Name: name, Type: "string", Sensitive: sensitive}
}

func operation(id, method, path string, guard backoffice.Guard, fields ...backoffice.Field) backoffice.Operation {
	o := backoffice.Operation{ID: id, Method: method, Path: path, Guard: guard}
	if fields != nil {
		o.Answer = &backoffice.Answer{Status: 200, Schema: &backoffice.Field{Type: "object", Fields: fields}}
	}
	return o
}

func document(t *testing.T, title string, operations ...backoffice.Operation) string {
	t.Helper()
	text, err := json.Marshal(backoffice.Service{Title: title, Operations: operations})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func compileFake(name string, text, _ []byte) (s backoffice.Service, err error) {
	err = json.Unmarshal(text, &s)
	s.Name = name
	return s, err
}

var (
	reason = backoffice.Guard{Reason: true}
	first  = []backoffice.Operation{
		operation("get", "GET", "/shops/{id}", backoffice.Guard{}, field("name", false), field("phone", true)),
		operation("close", "POST", "/shops/{id}/close", reason),
	}
)

func newWorld(t *testing.T) *world {
	w := &world{t: t, clock: time.Unix(1_790_000_000, 0), documents: map[string]Document{}, granted: map[string]Terms{}}
	w.market = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		handler := w.handler
		w.seen = append(w.seen, r)
		w.mu.Unlock()
		handler(out, r)
	}))
	t.Cleanup(w.market.Close)
	return w
}

// start is a start of the program.
func (w *world) start() *world {
	w.t.Helper()
	var err error
	w.Catalog, err = Open(w.t.Context(), Config{
		Issuer: "https://office.example.com", Keys: w, Store: w, Compile: compileFake, Log: slog.New(slog.DiscardHandler),
		Sources: []Source{{Name: "market", URL: w.market.URL, OpenAPI: "/openapi.json"}, {Name: "silent", URL: w.market.URL}},
		Every:   20 * time.Millisecond, Limit: 2 * time.Second, Now: func() time.Time { return w.clock },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return w
}

func (w *world) serves(handler http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.handler = handler
}

// publishes has the service give these documents, by language.
func (w *world) publishes(en, ko string) {
	w.serves(func(out http.ResponseWriter, r *http.Request) {
		text := en
		if r.Header.Get("Accept-Language") == "ko" {
			text = ko
		}
		tag := fmt.Sprintf(`"%x"`, sha256.Sum256([]byte(text)))
		out.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			out.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(out, text)
	})
}

func (w *world) view(name string) *View {
	w.t.Helper()
	v, ok := w.View(name)
	if !ok {
		w.t.Fatalf("there is no %s", name)
	}
	return v
}

// refreshed is the view after the service was asked.
func (w *world) refreshed() *View {
	w.Refresh(w.t.Context(), "market")
	return w.view("market")
}

func (w *world) Active() (string, uint32) { return "key-1", 1 }

func (w *world) Sign(_ string, c token.Claims) (string, error) {
	text, err := json.Marshal(c)
	return fmt.Sprintf("%x", text), err
}

func (w *world) Documents(context.Context) ([]Document, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Collect(maps.Values(w.documents)), nil
}

func (w *world) Keep(_ context.Context, d Document) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failing == nil {
		w.documents[d.Language] = d
		w.kept++
	}
	return w.failing
}

func (w *world) Grants(_ context.Context, service string) (map[string]Terms, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if service != "market" {
		return map[string]Terms{}, nil
	}
	return maps.Clone(w.granted), w.failing
}

func (w *world) Grant(_ context.Context, _ string, terms map[string]Terms, events ...audit.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failing == nil {
		maps.Copy(w.granted, terms)
		w.events = append(w.events, events...)
	}
	return w.failing
}

// The document comes in both languages, by a token of ours, and only when it has changed.
func TestFetch(t *testing.T) {
	w := newWorld(t).start()
	if v := w.view("market"); v.State != Loading || len(v.Services) != 0 {
		t.Errorf("before: %+v", v)
	}
	if v := w.view("silent"); v.State != Undocumented {
		t.Errorf("silent: %+v", v)
	}
	w.publishes(document(t, "Market", first...), document(t, "장터 이야기", first...))
	v := w.refreshed()
	en, _ := v.In("en")
	ko, _ := v.In("ko")
	if v.State != Ready || en.Title != "Market" || ko.Title != "장터 이야기" || !v.FetchedAt.Equal(w.clock) {
		t.Errorf("got %+v", v)
	}
	if other, ok := v.In("fr"); !ok || other.Title != "Market" {
		t.Errorf("fr: %+v", other)
	}
	var text []byte
	var c token.Claims
	r := w.seen[0]
	if _, err := fmt.Sscanf(r.Header.Get("Authorization"), "Bearer %x", &text); err != nil || json.Unmarshal(text, &c) != nil {
		t.Fatalf("Authorization: %v", r.Header)
	}
	if c.Subject != "munjigi" || c.Realm != "munjigi" || !cmp.Equal(c.Audience, []string{"market"}) || r.URL.Path != "/openapi.json" {
		t.Errorf("asked %s with %+v", r.URL, c)
	}
	w.clock = w.clock.Add(time.Minute)
	if v := w.refreshed(); !v.FetchedAt.Equal(w.clock) || w.kept != 2 {
		t.Errorf("what has not changed is kept anew: %d times, %v", w.kept, v.FetchedAt)
	}
	if got := w.seen[2].Header.Get("If-None-Match"); got == "" {
		t.Error("the service is not told what we have")
	}
}

// Whatever is wrong with a service, the last good document stays, also over a restart.
func TestTroubleKeepsTheLastGood(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		state  State
	}{
		"500": {func(out http.ResponseWriter, _ *http.Request) { out.WriteHeader(500) }, Unreachable},
		"a redirect": {func(out http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/other" { // would be a document
				fmt.Fprint(out, document(t, "elsewhere", first...))
				return
			}
			http.Redirect(out, r, "/other", http.StatusFound)
		}, Unreachable},
		"a hangup": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, Unreachable},
		"a page":   {func(out http.ResponseWriter, _ *http.Request) { fmt.Fprint(out, "<html>") }, Invalid},
		"too much": {func(out http.ResponseWriter, _ *http.Request) {
			for range maxDocument/1024 + 1 {
				fmt.Fprint(out, strings.Repeat(" ", 1024))
			}
		}, Unreachable},
		"half": {func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set("Content-Length", "100")
			fmt.Fprint(out, "{")
		}, Unreachable},
		"304 of nothing": {func(out http.ResponseWriter, _ *http.Request) {
			out.WriteHeader(http.StatusNotModified)
		}, Ready},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t).start()
			if name != "304 of nothing" {
				w.serves(c.answer)
				if v := w.refreshed(); v.State != c.state || len(v.Services) != 0 || v.Detail == "" {
					t.Errorf("without a document: %s %q", v.State, v.Detail)
				}
			}
			w.publishes(document(t, "Market", first...), document(t, "시장", first...))
			w.refreshed()
			w.serves(c.answer)
			for _, when := range []string{"now", "after a restart"} {
				if v := w.refreshed(); v.State != c.state || v.Services["en"].Title != "Market" || v.Services["ko"].Title != "시장" || len(v.Waiting) != 0 {
					t.Errorf("%s: %+v", when, v)
				}
				w.start()
				if v := w.view("market"); v.Services["en"].Title != "Market" || v.State != Ready {
					t.Errorf("%s, before it is asked: %+v", when, v)
				}
			}
			w.publishes(document(t, "Market again", first...), document(t, "시장", first...))
			if v := w.refreshed(); v.State != Ready || v.Services["en"].Title != "Market again" || v.Detail != "" {
				t.Errorf("afterwards: %+v", v)
			}
		})
	}
}

// A service's first document is taken as it is; what may write later waits, what reads does not.
func TestNewOperationsWait(t *testing.T) {
	w := newWorld(t).start()
	w.publishes(document(t, "Market", first...), document(t, "시장", first...))
	if v := w.refreshed(); len(v.Waiting) != 0 {
		t.Fatalf("the first document waits: %v", v.Waiting)
	}
	more := append(slices.Clone(first), operation("purge", "DELETE", "/shops/{id}", backoffice.Guard{}), operation("list", "GET", "/shops", backoffice.Guard{}, field("phone", true)))
	w.publishes(document(t, "Market", more...), document(t, "시장", more...))
	want := map[string]Waiting{"DELETE /shops/{}": {New: true}}
	for _, when := range []string{"now", "after a restart"} {
		if diff := cmp.Diff(want, w.refreshed().Waiting); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
		w.start()
	}
	w.refreshed()
	for _, ids := range [][]string{{"get"}, {"purge", "nothing"}, {}, {"purge", "close"}} {
		if err := w.Catalog.Grant(t.Context(), "market", ids, audit.Event{}); fault.CodeOf(err) != fault.RequestInvalid {
			t.Errorf("%v: got %v", ids, err)
		}
	}
	if err := w.Catalog.Grant(t.Context(), "nowhere", []string{"purge"}, audit.Event{}); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("got %v", err)
	}
	if err := w.Catalog.Grant(t.Context(), "market", []string{"purge", "purge"}, audit.Event{Account: "boss"}); err != nil {
		t.Fatal(err)
	}
	if v := w.view("market"); len(v.Waiting) != 0 {
		t.Errorf("granted, and waits: %v", v.Waiting)
	}
	if e := w.events[0]; len(w.events) != 1 || e.Action != audit.Granted || e.Account != "boss" || e.Details["operations"] != "DELETE /shops/{}" {
		t.Errorf("events: %+v", w.events)
	}
	// The name of a parameter is no other operation.
	renamed := operation("purge", "DELETE", "/shops/{shop_id}", backoffice.Guard{})
	w.publishes(document(t, "Market", append(slices.Clone(first), renamed)...), document(t, "x"))
	if v := w.refreshed(); len(v.Waiting) != 0 {
		t.Errorf("renamed, and waits: %v", v.Waiting)
	}
}

// A guard that becomes weaker and a sensitive field that becomes plain stay as they were until somebody grants it; what
// becomes stricter does so at once, and going back from there waits as well.
func TestWeakerVersionsWait(t *testing.T) {
	w := newWorld(t).start()
	show := func(guard backoffice.Guard, sensitive bool) *View {
		list := []backoffice.Operation{operation("get", "GET", "/shops/{id}", backoffice.Guard{}, field("name", false), field("phone", sensitive)), operation("close", "POST", "/shops/{id}/close", guard)}
		text := document(t, fmt.Sprint("Market", guard, sensitive), list...)
		w.publishes(text, text)
		return w.refreshed()
	}
	guardOf := func(v *View) backoffice.Guard { return v.Services["ko"].Operations[1].Guard }
	check := func(what string, v *View, guard backoffice.Guard, masks, waiting []string) {
		t.Helper()
		if diff := cmp.Diff(guard, guardOf(v)); diff != "" {
			t.Errorf("%s: guard in force (-want +got):\n%s", what, diff)
		}
		if diff := cmp.Diff(masks, v.Masks["GET /shops/{}"]); diff != "" {
			t.Errorf("%s: masks (-want +got):\n%s", what, diff)
		}
		if got := slices.Sorted(maps.Keys(v.Waiting)); !slices.Equal(got, waiting) {
			t.Errorf("%s: waiting %q, want %q", what, got, waiting)
		}
	}
	phone := []string{"/phone"}
	closing, getting := "POST /shops/{}/close", "GET /shops/{}"
	check("first", show(reason, true), reason, phone, nil)
	check("weaker", show(backoffice.Guard{}, false), reason, phone, []string{getting, closing})
	check("restart", w.start().view("market"), reason, phone, []string{getting, closing})
	check("back", show(reason, true), reason, phone, nil)
	strict := backoffice.Guard{Reason: true, Approval: 1, Roles: []string{"boss"}}
	check("stricter", show(strict, true), strict, phone, nil)
	check("weaker again", show(reason, true), strict, phone, []string{closing})
	if err := w.Catalog.Grant(t.Context(), "market", []string{"close"}, audit.Event{}); err != nil {
		t.Fatal(err)
	}
	check("granted", w.view("market"), reason, phone, nil)
	other := backoffice.Guard{Reason: true, Roles: []string{"editor"}}
	check("other roles", show(other, true), other, phone, nil)
	third := backoffice.Guard{Reason: true, Roles: []string{"viewer"}}
	check("yet others", show(third, true), backoffice.Guard{Reason: true, Roles: []string{nobody}}, phone, []string{closing})
}

// A document that the compiler stumbles over costs its own service its freshness, and nobody the program.
func TestCompilerPanics(t *testing.T) {
	w := newWorld(t).start()
	w.publishes(document(t, "Market", first...), document(t, "시장", first...))
	w.refreshed()
	w.Compile = func(string, []byte, []byte) (backoffice.Service, error) { panic("nil map") }
	w.publishes(document(t, "Market 2", first...), document(t, "시장 2", first...))
	if v := w.refreshed(); v.State != Invalid || v.Services["en"].Title != "Market" || strings.Contains(v.Detail, "nil map") {
		t.Errorf("got %+v", v)
	}
}

// While the store cannot be read, nothing of a new version counts: what was in force stays.
func TestStoreInTrouble(t *testing.T) {
	w := newWorld(t).start()
	w.publishes(document(t, "Market", first...), document(t, "시장", first...))
	w.refreshed()
	w.failing = errors.New("disk full")
	more := append(slices.Clone(first), operation("purge", "DELETE", "/shops/{id}", backoffice.Guard{}))
	w.publishes(document(t, "Market 2", more...), document(t, "시장 22", more...))
	if v := w.refreshed(); v.Services["en"].Title != "Market" {
		t.Errorf("got %+v", v)
	}
	w.failing = nil
	if v := w.refreshed(); v.Services["en"].Title != "Market 2" || !v.Waiting["DELETE /shops/{}"].New || w.documents["en"].ETag == "" {
		t.Errorf("got %+v", v)
	}
}

// Run asks by itself, and a service that hangs holds up no other.
func TestRun(t *testing.T) {
	w := newWorld(t)
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hang.Close()
	w.publishes(document(t, "Market", first...), document(t, "시장", first...))
	w.start()
	w.entries["hang"] = &entry{Source: Source{Name: "hang", URL: hang.URL, OpenAPI: "/"}, documents: map[string]Document{}, compiled: map[string]backoffice.Service{}}
	w.entries["hang"].show(Loading, "")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- w.Run(ctx) }()
	for deadline := time.Now().Add(20 * time.Second); w.view("market").State != Ready; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it is not asked")
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Sensitive fields are found wherever a schema has them.
func TestSensitive(t *testing.T) {
	f := func(name string, fields ...backoffice.Field) backoffice.Field {
		return backoffice.Field{Name: name, Type: "object", Fields: fields}
	}
	secret := field("phone", true)
	plain := field("phone", false)
	items := f("", secret)
	for name, c := range map[string]struct {
		schema backoffice.Field
		want   []string
	}{
		"none":      {f("", plain), nil},
		"the whole": {backoffice.Field{Sensitive: true}, []string{""}},
		"a field":   {f("", secret, field("a/b~", true)), []string{"/a~1b~0", "/phone"}},
		"in a list": {backoffice.Field{Type: "array", Items: &items}, []string{"/*/phone"}},
		"in a map":  {f("", backoffice.Field{Name: "by_id", Rest: &items}), []string{"/by_id/*/phone"}},
		"a list of": {f("", backoffice.Field{Name: "phones", Items: &secret}), []string{"/phones/*"}},
		"variants":  {backoffice.Field{Variants: []backoffice.Variant{{Field: f("", plain)}, {Field: f("", secret)}}}, []string{"/phone"}},
		"in itself": {f("", secret, backoffice.Field{Name: "children", Items: &backoffice.Field{Again: "Node"}}), []string{"/children/*/**/phone", "/phone"}},
	} {
		if diff := cmp.Diff(c.want, sensitive(&c.schema)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
