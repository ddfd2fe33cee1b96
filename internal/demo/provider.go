package demo

import (
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/munjigi/munjigi/internal/demo/service"
)

// ProviderConfig says whom the provider serves. Issuer, Dir, the client and its addresses are required.
type ProviderConfig struct {
	Issuer       string   // its own address, without a slash at the end
	Dir          string   // where provider.json is kept
	ClientID     string   // the one client that it knows
	ClientSecret string   //
	RedirectURIs []string // compared exactly
	// Slow is how late the fault "slow" answers; zero = 15 s.
	Slow time.Duration
	Now  func() time.Time // nil = time.Now
	Log  *slog.Logger     // nil = discarded
}

// Provider is an ordinary OpenID provider (authorization code with PKCE, rotating refresh tokens) whose people can
// leave and return, and that fails on request. It is an http.Handler.
type Provider struct {
	config ProviderConfig
	book   *book
	key    *rsa.PrivateKey
	signer jose.Signer
	mux    *http.ServeMux
	pages  *template.Template
	texts  map[string]texts

	mu       sync.Mutex // guards everything below; lost at a restart, as the tokens in it live for minutes
	fault    string
	codes    map[string]code   // by the code
	bearers  map[string]bearer // by the access token
	sweeping time.Time         // when codes and bearers were last rid of what is over
}

// NewProvider opens the state in Dir, or begins it.
func NewProvider(config ProviderConfig) (*Provider, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Slow == 0 {
		config.Slow = 15 * time.Second
	}
	book, err := openBook(filepath.Join(config.Dir, "provider.json"))
	if err != nil {
		return nil, err
	}
	key, err := book.signingKey()
	if err != nil {
		return nil, err
	}
	p := &Provider{config: config, book: book, key: key, fault: faultNone, codes: map[string]code{}, bearers: map[string]bearer{}}
	if p.signer, err = newSigner(key); err != nil {
		return nil, err
	}
	if err := p.loadPages(); err != nil {
		return nil, err
	}
	p.mux = p.routes()
	return p, nil
}

// routes is the provider's whole surface. What goes through failing obeys the fault that was chosen; the page and the
// three controls never fail, or the demo could not be brought back.
func (p *Provider) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /.well-known/openid-configuration": p.discovery,
		"GET /jwks":                             p.jwks,
		"GET /authorize":                        p.authorize,
		"POST /authorize":                       p.authorize, // OpenID Connect Core §3.1.2.1 wants both
		"POST /token":                           p.token,
		"GET /userinfo":                         p.userinfo,
		"POST /userinfo":                        p.userinfo,
	} {
		mux.Handle(pattern, p.failing(handler))
	}
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /people":                 p.listPeople,
		"POST /people/{email}/leave":  p.leave,
		"POST /people/{email}/return": p.comeBack,
		"GET /faults":                 p.showFault,
		"POST /faults":                p.setFault,
		"OPTIONS /people/":            service.Preflight,
		"OPTIONS /people":             service.Preflight,
		"OPTIONS /faults":             service.Preflight,
	} {
		mux.Handle(pattern, service.OnThisMachine(handler))
	}
	mux.HandleFunc("GET /{$}", p.home)
	mux.Handle("GET /provider.css", asset("web/provider/provider.css"))
	mux.Handle("GET /provider.js", asset("web/provider/provider.js"))
	mux.Handle("GET /icon.svg", asset("web/icon.svg"))
	return mux
}

func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	p.mux.ServeHTTP(w, r)
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	at := func(path string) string { return p.config.Issuer + path }
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                         p.config.Issuer,
		"authorization_endpoint":                         at("/authorize"),
		"token_endpoint":                                 at("/token"),
		"userinfo_endpoint":                              at("/userinfo"),
		"jwks_uri":                                       at("/jwks"),
		"scopes_supported":                               []string{"openid", "email", "profile", "groups", "offline_access"},
		"response_types_supported":                       []string{"code"},
		"response_modes_supported":                       []string{"query"},
		"grant_types_supported":                          []string{"authorization_code", "refresh_token"},
		"subject_types_supported":                        []string{"public"},
		"id_token_signing_alg_values_supported":          []string{"RS256"},
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic", "client_secret_post"},
		"code_challenge_methods_supported":               []string{"S256"},
		"authorization_response_iss_parameter_supported": true, // RFC 9207
		"claims_supported": []string{
			"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "email", "email_verified",
			"name", "hd", "groups",
		},
	})
}

func (p *Provider) jwks(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=300")
	writeJSON(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{
		Key: p.key.Public(), KeyID: keyID(p.key), Algorithm: string(jose.RS256), Use: "sig",
	}}})
}

// userinfo says what the ID token said, of a person who is still here (OpenID Connect Core §5.3).
func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) {
	holder, ok := p.bearer(r.Header.Get("Authorization"))
	if !ok || p.left(holder.email) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_token"})
		return
	}
	person, _ := personByEmail(holder.email)
	writeJSON(w, http.StatusOK, profileClaims(person, holder.scope))
}

// left tells whether somebody is no longer with the company.
func (p *Provider) left(email string) bool {
	for _, gone := range p.book.read().Left {
		if gone == email {
			return true
		}
	}
	return false
}

// serverError answers what only a full disk or the like can cause.
func (p *Provider) serverError(w http.ResponseWriter, err error) {
	p.config.Log.Error("demo provider cannot answer", "err", err)
	writeJSON(w, http.StatusInternalServerError, map[string]string{"error": "server_error"})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	writeBody(w, status, "application/json", body)
}

func writeBody(w http.ResponseWriter, status int, contentType string, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	w.Write(append(data, '\n')) // a client that went away needs no answer
}

// decodeJSON reads a small body, strictly.
func decodeJSON(w http.ResponseWriter, r *http.Request, into any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	if decoder.More() {
		return errors.New("read body: more than one value")
	}
	return nil
}
