// Package gatekeeper stands in for Munjigi in the tests of the demo's services: it has a key, publishes it with an empty
// feed of ended sessions, and signs whatever token a test asks for. It must be imported by tests alone.
package gatekeeper

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/demo/service"
	"github.com/munjigi/munjigi/internal/token"
)

// ShopOrigin is the one shop whose pages may call the services here.
const ShopOrigin = "http://localhost:8084"

// Gatekeeper is as much of Munjigi as a service needs.
type Gatekeeper struct {
	URL string

	t      *testing.T
	key    *ecdsa.PrivateKey
	public token.PublicKey
}

// Start is one that ends with the test.
func Start(t *testing.T) *Gatekeeper {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := token.NewPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	set, err := token.MarshalJWKS([]token.PublicKey{public})
	if err != nil {
		t.Fatal(err)
	}
	g := &Gatekeeper{t: t, key: key, public: public}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, g.URL, g.URL+"/keys")
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) { w.Write(set) })
	mux.HandleFunc("GET /revocations", feed)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	g.URL = server.URL
	return g
}

// feed is empty and stays so.
func feed(w http.ResponseWriter, r *http.Request) {
	page := fmt.Sprintf(`{"epoch":"e","n":0,"read_at":%d,"entries":[]}`, time.Now().UnixMicro())
	if r.Header.Get("Accept") != "text/event-stream" {
		io.WriteString(w, page)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprintf(w, "data: %s\n\n", page)
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

// Token is one of an editor whom the company confirmed just now, unless change, which may be nil, makes another of it.
func (g *Gatekeeper) Token(change func(*token.Claims)) string {
	g.t.Helper()
	now := time.Now().Unix()
	claims := token.Claims{
		Issuer: g.URL, Subject: "a1", Audience: []string{"wishlist", "market"}, IssuedAt: now, ExpiresAt: now + 300,
		ID: "j1", ClientID: "staff-tools", SessionID: token.NewSessionID(), Realm: "staff", Roles: []string{"editor", "viewer"},
		AuthTime: now, Email: "editor@example.com", Name: "Edith Kim", CheckedAt: now,
	}
	if change != nil {
		change(&claims)
	}
	text, err := token.Sign(claims, g.public.ID, token.ES256, g.key)
	if err != nil {
		g.t.Fatal(err)
	}
	return text
}

// Roles is a token of the staff with other roles.
func (g *Gatekeeper) Roles(roles ...string) string {
	g.t.Helper()
	return g.Token(func(c *token.Claims) { c.Roles = roles })
}

// Serve starts a service that is ready; change, which may be nil, is for its configuration.
func (g *Gatekeeper) Serve(begin func(service.Config) (*service.Service, error), change func(*service.Config)) *httptest.Server {
	g.t.Helper()
	config := service.Config{Issuer: g.URL, Shops: []string{ShopOrigin}}
	if change != nil {
		change(&config)
	}
	s, err := begin(config)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(s.Close)
	if err := s.Ready(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
	server := httptest.NewServer(s)
	g.t.Cleanup(server.Close)
	return server
}

// Call is a request to a service.
type Call struct {
	Method, URL string
	Bearer      string            // "" = none
	Header      map[string]string // may be nil
	Body        string
}

// Said is what a service answered.
type Said struct {
	Status int
	Header http.Header
	Text   string
	JSON   map[string]any // nil when the text is no JSON object
}

// Code is the code of a problem, "" for none.
func (s Said) Code() string {
	code, _ := s.JSON["code"].(string)
	return code
}

// Do makes a call. It fails the test when there is no answer at all.
func (g *Gatekeeper) Do(call Call) Said {
	g.t.Helper()
	request, err := http.NewRequest(call.Method, call.URL, strings.NewReader(call.Body))
	if err != nil {
		g.t.Fatal(err)
	}
	if call.Body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range call.Header {
		request.Header.Set(name, value)
	}
	if call.Bearer != "" {
		request.Header.Set("Authorization", "Bearer "+call.Bearer)
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		g.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	said := Said{Status: answer.StatusCode, Header: answer.Header, Text: string(text)}
	json.Unmarshal(text, &said.JSON) // what is no object stays nil
	return said
}

// Ask is a call without a body by an editor.
func (g *Gatekeeper) Ask(method, url string) Said {
	g.t.Helper()
	return g.Do(Call{Method: method, URL: url, Bearer: g.Token(nil)})
}

// Send is a call with a body by an editor.
func (g *Gatekeeper) Send(method, url, body string) Said {
	g.t.Helper()
	return g.Do(Call{Method: method, URL: url, Bearer: g.Token(nil), Body: body})
}
