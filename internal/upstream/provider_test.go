package upstream

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	testIssuer = "https://id.example.net"
	testClient = "munjigi-test"
)

// fakeProvider is an OpenID provider in memory. Its members are set before it is asked.
type fakeProvider struct {
	t      *testing.T
	issuer string
	client *http.Client

	mu       sync.Mutex // guards everything below
	metadata map[string]any
	idToken  map[string]any // claims; nil = none in the answer
	userinfo map[string]any // nil = 404
	answer   map[string]any // more members of the token answer
	token    http.HandlerFunc
	info     http.HandlerFunc
	header   jose.SignatureAlgorithm
	kid      string
	key      *ecdsa.PrivateKey
	forms    []map[string]string
	basics   []string

	keyFetches, infoFetches atomic.Int64
}

func newFakeProvider(t *testing.T) *fakeProvider {
	return newFakeProviderAt(t, testIssuer)
}

func newFakeProviderAt(t *testing.T, issuer string) *fakeProvider {
	f := &fakeProvider{t: t, issuer: issuer, kid: "one"}
	f.newKey()
	f.metadata = map[string]any{
		"issuer": issuer, "authorization_endpoint": issuer + "/auth", "token_endpoint": issuer + "/token",
		"jwks_uri": issuer + "/keys", "userinfo_endpoint": issuer + "/me",
		"id_token_signing_alg_values_supported": []string{"ES256", "none"},
		"scopes_supported":                      []string{"openid", "email", "profile", "offline_access"},
	}
	f.idToken = map[string]any{
		"iss": issuer, "sub": "s1", "aud": testClient, "nonce": "n", "name": "Kim",
		"email": "Kim@Example.com", "email_verified": true,
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	f.client = &http.Client{Transport: f.listen()}
	return f
}

// listen serves without sockets, so that it works in a synctest bubble, and over a real transport, so that what was
// written and what was not is as it would be.
func (f *fakeProvider) listen() *http.Transport {
	listener := &memoryListener{conns: make(chan net.Conn), done: make(chan struct{})}
	server := &http.Server{Handler: http.HandlerFunc(f.serve)}
	go server.Serve(listener)
	transport := &http.Transport{DialTLSContext: listener.dial, DialContext: listener.dial}
	f.t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
	})
	return transport
}

type memoryListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *memoryListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.done:
		return nil, &net.OpError{Op: "dial", Err: io.EOF}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *memoryListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

func (f *fakeProvider) newKey() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.t.Fatal(err)
	}
	f.key = key
}

// set changes the provider while it runs.
func (f *fakeProvider) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeProvider) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	token, info := f.token, f.info
	f.mu.Unlock()
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		f.document(w, func() any { return f.metadata })
	case "/keys":
		f.keyFetches.Add(1)
		f.document(w, func() any {
			return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &f.key.PublicKey, KeyID: f.kid, Algorithm: "ES256"}}}
		})
	case "/me":
		f.infoFetches.Add(1)
		if info != nil {
			info(w, r)
			return
		}
		f.document(w, func() any { return f.userinfo })
	case "/token":
		f.note(r)
		if token != nil {
			token(w, r)
			return
		}
		f.document(w, func() any { return f.tokenAnswer() })
	default:
		http.NotFound(w, r)
	}
}

func (f *fakeProvider) note(r *http.Request) {
	r.ParseForm()
	form := map[string]string{}
	for name := range r.PostForm {
		form[name] = r.PostForm.Get(name)
	}
	user, _, _ := r.BasicAuth()
	f.set(func() { f.forms, f.basics = append(f.forms, form), append(f.basics, user) })
}

func (f *fakeProvider) document(w http.ResponseWriter, make func() any) {
	f.mu.Lock()
	body, err := json.Marshal(make())
	f.mu.Unlock()
	if err != nil {
		f.t.Error(err)
	}
	if string(body) == "null" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(body)
}

// tokenAnswer needs mu.
func (f *fakeProvider) tokenAnswer() map[string]any {
	answer := map[string]any{"access_token": "at", "token_type": "Bearer", "expires_in": 300}
	if f.idToken != nil {
		answer["id_token"] = f.sign(f.idToken)
	}
	maps.Copy(answer, f.answer)
	return answer
}

func (f *fakeProvider) sign(claims map[string]any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		f.t.Error(err)
	}
	var key any = jose.JSONWebKey{Key: f.key, KeyID: f.kid}
	algorithm := jose.ES256
	if f.header == jose.HS256 {
		algorithm, key = jose.HS256, []byte(strings.Repeat("secret", 8))
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, nil)
	if err != nil {
		f.t.Error(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		f.t.Error(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		f.t.Error(err)
	}
	return text
}

func (f *fakeProvider) config() Config {
	return Config{
		Issuer: f.issuer, ClientID: testClient, ClientSecret: "hush", RedirectURL: "https://office.example.com/cb",
		Domains: []string{"example.com"}, Client: f.client,
	}
}

// answerWith has the token endpoint answer just so.
func (f *fakeProvider) answerWith(status int, kind, body string) {
	f.set(func() {
		f.token = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	})
}
