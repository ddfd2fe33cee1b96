// Package passage is the gateway as it runs, from its HTTP surface to its store, and a service behind it; and beside it
// a bare reverse proxy to the same service.
package passage

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing/fstest"
	"time"

	"github.com/munjigi/munjigi/bench/renew"
	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/catalog"
	"github.com/munjigi/munjigi/internal/compile"
	"github.com/munjigi/munjigi/internal/gateway"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/server"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store"
)

const origin = "http://localhost:8080"

// document has a list of which nothing is sensitive, and one of which something is.
const document = `{"openapi":"3.1.0","info":{"title":"Market","version":"1"},"paths":{
	"/orders":{"get":{"operationId":"listOrders","parameters":[{"name":"page","in":"query","schema":{"type":"integer"}}],
		"responses":{"200":{"description":"","content":{"application/json":{"schema":{"type":"array","items":{"type":"object","properties":{
			"id":{"type":"integer"},"customer":{"type":"string"},"status":{"type":"string"},"amount":{"type":"integer"},"phone":{"type":"string"}}}}}}}}}},
	"/customers":{"get":{"operationId":"listCustomers","responses":{"200":{"description":"","content":{"application/json":{"schema":{"type":"array","items":{"type":"object","properties":{
			"id":{"type":"integer"},"customer":{"type":"string"},"phone":{"type":"string","x-admin":{"sensitive":true}}}}}}}}}}}}}`

// rows are what both lists answer: a page of 20.
func rows() []byte {
	var list []map[string]any
	for i := range 20 {
		list = append(list, map[string]any{"id": i, "customer": fmt.Sprintf("고객 %d", i), "status": "paid", "amount": 1000 * i, "phone": "010-0000-0000", "note": strings.Repeat("x", 80)})
	}
	text, _ := json.Marshal(list)
	return text
}

// Road is a way to the service, with what a request needs.
type Road struct {
	URL    string
	Header http.Header
}

// Field is everything that runs.
type Field struct {
	Bare, Plain, Masked Road
	stops               []func()
}

// Stop ends everything.
func (f *Field) Stop() {
	for _, stop := range f.stops {
		stop()
	}
}

// Start starts everything, with its files in dir.
func Start(ctx context.Context, dir string) (*Field, error) {
	f := new(Field)
	answer := rows()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/openapi.json" {
			io.WriteString(w, document)
			return
		}
		w.Write(answer)
	}))
	f.stops = append(f.stops, service.Close)
	at, err := url.Parse(service.URL)
	if err != nil {
		return nil, err
	}
	bare := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(at) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
	})
	f.stops = append(f.stops, bare.Close)
	ours, access, err := f.munjigi(ctx, dir, service.URL)
	if err != nil {
		f.Stop()
		return nil, err
	}
	header := http.Header{"Authorization": {"Bearer " + access}}
	f.Bare = Road{bare.URL + "/orders?page=1", header}
	f.Plain = Road{ours + "/services/market/orders?page=1", header}
	f.Masked = Road{ours + "/services/market/customers", header}
	return f, nil
}

// munjigi is the real thing, with one person signed in.
func (f *Field) munjigi(ctx context.Context, dir, service string) (address, access string, err error) {
	log := slog.New(slog.DiscardHandler)
	sealer, err := keys.CreateSealer(filepath.Join(dir, "munjigi.key"))
	if err != nil {
		return "", "", err
	}
	st, err := store.Open(ctx, store.Config{Database: "sqlite:" + filepath.Join(dir, "munjigi.db"), Sealer: sealer, Log: log})
	if err != nil {
		return "", "", err
	}
	f.stops = append(f.stops, func() { st.Close() })
	ring, err := keys.Open(ctx, keys.Config{Store: st, Log: log})
	if err != nil {
		return "", "", err
	}
	papers := st.Papers()
	services, err := catalog.Open(ctx, catalog.Config{
		Issuer: origin, Sources: []catalog.Source{{Name: "market", URL: service, OpenAPI: "/openapi.json"}},
		Keys: ring, Store: papers, Compile: compile.Service, Log: log,
	})
	if err != nil {
		return "", "", err
	}
	services.Refresh(ctx, "market")
	office, err := gateway.New(gateway.Config{
		Issuer: origin, Roles: map[string]gateway.Roles{"market": {Read: []string{"viewer"}}}, Catalog: services, Keys: ring, Journal: papers, Log: log,
	})
	if err != nil {
		return "", "", err
	}
	feed := session.NewFeed(session.FeedConfig{Store: st, Log: log})
	manager, err := session.NewManager(ctx, session.Config{
		Issuer: origin, Store: st, Lineage: st, Keys: ring, Woken: feed.Wake, Log: log,
		Realms: map[string]session.Realm{"staff": {Policy: session.Policy{Access: 5 * time.Minute, Idle: time.Hour, Max: time.Hour, WhenFull: session.Replace}}},
	})
	if err != nil {
		return "", "", err
	}
	console := account.App{Name: account.Console, Realm: "staff"}
	handler, err := server.New(server.Config{
		URL: origin, Console: "staff", Realms: map[string]server.Realm{"staff": {Kind: server.OIDC}}, Apps: map[string]account.App{account.Console: console},
		Sessions: manager, Devices: manager, SignIn: noSignIn{}, Keys: ring, Feed: feed, Directory: st, Audit: st, Office: office, Grants: office,
		Tools: renew.Tools(ring, st, feed), Ready: st.Ping, Pages: fs.FS(fstest.MapFS{}), Log: log,
	})
	if err != nil {
		return "", "", err
	}
	listening := httptest.NewServer(handler)
	f.stops = append([]func(){listening.Close}, f.stops...)
	access, err = signIn(ctx, manager, console)
	return listening.URL, access, err
}

func signIn(ctx context.Context, manager *session.Manager, console account.App) (access string, err error) {
	answer, err := manager.Begin(ctx, session.SignIn{
		App: console, Identity: account.Identity{Realm: "staff", Issuer: "https://id.example.com", Subject: "1"},
		Profile: account.Profile{Email: "kim@example.com", Name: "Kim", Roles: []string{"viewer"}, CheckedAt: time.Now()},
	})
	if err != nil {
		return "", err
	}
	var body struct {
		AccessToken string `json:"access_token"`
	}
	err = json.Unmarshal(answer.JSON, &body)
	return body.AccessToken, err
}

// noSignIn stands where nobody comes in.
type noSignIn struct{ entrance }

type entrance = server.SignIn
