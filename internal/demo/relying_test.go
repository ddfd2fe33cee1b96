package demo

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// relying is a client of the provider made of libraries that know nothing of it.
type relying struct {
	t        *testing.T
	server   *httptest.Server
	handler  *swapped
	oauth    oauth2.Config
	verifier *oidc.IDTokenVerifier
	provider *oidc.Provider
}

// swapped is a handler that a test may replace while the server runs.
type swapped struct{ now atomic.Pointer[http.Handler] }

func (s *swapped) get() http.Handler                                { return *s.now.Load() }
func (s *swapped) set(h http.Handler)                               { s.now.Store(&h) }
func (s *swapped) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.get().ServeHTTP(w, r) }

const callback = "http://localhost:8080/sign-in/staff/callback"

// startProvider serves a provider on a real socket and finds it by its discovery document.
func startProvider(t *testing.T, dir string, change func(*ProviderConfig)) *relying {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	issuer := "http://" + server.Listener.Addr().String()
	config := ProviderConfig{Issuer: issuer, Dir: dir, ClientID: "demo", ClientSecret: "s3cret&+ %", RedirectURIs: []string{callback}}
	if change != nil {
		change(&config)
	}
	provider, err := NewProvider(config)
	if err != nil {
		t.Fatal(err)
	}
	handler := &swapped{}
	handler.set(provider)
	server.Config.Handler = handler
	server.Start()
	t.Cleanup(server.Close)
	found, err := oidc.NewProvider(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &relying{
		t: t, server: server, handler: handler, provider: found,
		oauth: oauth2.Config{
			ClientID: "demo", ClientSecret: "s3cret&+ %", Endpoint: found.Endpoint(), RedirectURL: callback,
			Scopes: []string{"openid", "email", "profile", "offline_access"},
		},
		verifier: found.Verifier(&oidc.Config{ClientID: "demo"}),
	}
}

// authorize asks for a code and is the answer's query; it follows no redirect.
func (c *relying) authorize(verifier string, more ...oauth2.AuthCodeOption) url.Values {
	c.t.Helper()
	options := append([]oauth2.AuthCodeOption{oauth2.S256ChallengeOption(verifier), oidc.Nonce("n0nce")}, more...)
	answer := c.get(c.oauth.AuthCodeURL("st4te", options...))
	location, err := answer.Location()
	if err != nil {
		c.t.Fatalf("authorize answered %d, want a redirect", answer.StatusCode)
	}
	if !strings.HasPrefix(location.String(), callback+"?") {
		c.t.Fatalf("redirected to %s, want the callback", location)
	}
	query := location.Query()
	if query.Get("state") != "st4te" || query.Get("iss") != c.server.URL {
		c.t.Errorf("state %q, iss %q; want st4te and %s", query.Get("state"), query.Get("iss"), c.server.URL)
	}
	return query
}

func (c *relying) get(address string) *http.Response {
	c.t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Get(address)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { answer.Body.Close() })
	return answer
}

// signIn is the whole way of somebody, as far as the tokens.
func (c *relying) signIn(email string) *oauth2.Token {
	c.t.Helper()
	verifier := oauth2.GenerateVerifier()
	query := c.authorize(verifier, oauth2.SetAuthURLParam("login_hint", email))
	tokens, err := c.oauth.Exchange(c.t.Context(), query.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		c.t.Fatal(err)
	}
	return tokens
}

func (c *relying) refresh(refreshToken string) (*oauth2.Token, error) {
	return c.oauth.TokenSource(c.t.Context(), &oauth2.Token{RefreshToken: refreshToken}).Token()
}

func (c *relying) post(path, body string) *http.Response {
	c.t.Helper()
	answer, err := http.Post(c.server.URL+path, "application/json", strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { answer.Body.Close() })
	return answer
}

// wantOAuthError checks the code of a refused token request.
func wantOAuthError(t *testing.T, err error, status int, want string) {
	t.Helper()
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		t.Fatalf("got %v, want an OAuth error", err)
	}
	if refused.ErrorCode != want || refused.Response.StatusCode != status {
		t.Errorf("got %d %q, want %d %q", refused.Response.StatusCode, refused.ErrorCode, status, want)
	}
}
