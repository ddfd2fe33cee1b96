package verify_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/token"
	"github.com/munjigi/munjigi/verify"
)

// issuer is a Munjigi that a test can break: discovery, keys and feed. It serves over a real listener, or in memory as
// the transport of a client, which testing/synctest can wait for.
type issuer struct {
	url  string
	skew time.Duration // of its clock against ours

	mu       sync.Mutex
	keys     []token.PublicKey // published
	signer   crypto.Signer     // of the first key ever
	kid      string
	override map[string]http.HandlerFunc // by path
	requests map[string]int              // by path; "stream" for the feed's
	entries  []token.FeedEntry
	epoch    string
	n        int64
	pageSize int
	lag      time.Duration // events are held back for so long
	mute     bool          // the stream is open and silent
	streams  map[chan struct{}]context.CancelFunc
}

func newIssuer(t testing.TB, url string) *issuer {
	i := &issuer{
		url: url, override: map[string]http.HandlerFunc{}, requests: map[string]int{}, epoch: "e1", pageSize: 1000,
		streams: map[chan struct{}]context.CancelFunc{},
	}
	i.kid, i.signer = i.addKey(t)
	return i
}

// addKey publishes one more key.
func (i *issuer) addKey(t testing.TB) (string, crypto.Signer) {
	t.Helper()
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := token.NewPublicKey(&signer.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = append(i.keys, key)
	return key.ID, signer
}

func (i *issuer) set(change func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change()
}

func (i *issuer) count(what string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.requests[what]
}

// breakPath answers a path by something else; nil mends it.
func (i *issuer) breakPath(path string, handler http.HandlerFunc) {
	i.set(func() { i.override[path] = handler })
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func body(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

// end puts a session into the feed and wakes the streams.
func (i *issuer) end(sid token.SessionID, ended token.Ended) {
	i.publish(token.FeedEntry{ID: sid.FeedID().String(), Until: time.Now().Add(time.Hour).Unix(), Box: sid.SealEnd(ended)})
}

func (i *issuer) publish(entry token.FeedEntry) {
	i.set(func() {
		i.n++
		entry.N = i.n
		i.entries = append(i.entries, entry)
		for wake := range i.streams {
			select {
			case wake <- struct{}{}:
			default:
			}
		}
	})
}

// cut breaks every open stream.
func (i *issuer) cut() {
	i.set(func() {
		for _, cancel := range i.streams {
			cancel()
		}
	})
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if path == "/revocations" && strings.Contains(r.Header.Get("Accept"), "event-stream") {
		path = "stream"
	}
	i.mu.Lock()
	i.requests[path]++
	override, keys := i.override[path], i.keys
	i.mu.Unlock()
	if override != nil {
		override(w, r)
		return
	}
	switch path {
	case "/.well-known/openid-configuration":
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, i.url, i.url+"/keys")
	case "/keys":
		data, _ := token.MarshalJWKS(keys)
		_, _ = w.Write(data)
	case "/revocations":
		page, _ := i.page(r.FormValue("after"))
		_ = json.NewEncoder(w).Encode(page)
	case "stream":
		i.stream(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (i *issuer) page(cursor string) (token.FeedPage, string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	after := int64(0)
	if epoch, n, _ := strings.Cut(cursor, "."); epoch == i.epoch {
		if after, _ = strconv.ParseInt(n, 10, 64); after > i.n {
			after = 0
		}
	}
	page := token.FeedPage{Epoch: i.epoch, N: i.n, ReadAt: time.Now().Add(i.skew - i.lag).UnixMicro(), Entries: []token.FeedEntry{}}
	last := i.n
	for _, entry := range i.entries {
		if entry.N <= after {
			continue
		}
		if len(page.Entries) == i.pageSize {
			page.More, last = true, page.Entries[i.pageSize-1].N
			break
		}
		page.Entries = append(page.Entries, entry)
	}
	return page, i.epoch + "." + strconv.FormatInt(last, 10)
}

func (i *issuer) stream(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	wake := make(chan struct{}, 1)
	i.set(func() { i.streams[wake] = cancel })
	defer i.set(func() { delete(i.streams, wake) })
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	beat := time.NewTicker(time.Second)
	defer beat.Stop()
	cursor := r.FormValue("after")
	for ctx.Err() == nil {
		i.mu.Lock()
		mute := i.mute
		i.mu.Unlock()
		if !mute {
			page, next := i.page(cursor)
			cursor = next
			data, _ := json.Marshal(page)
			if _, err := fmt.Fprintf(w, ": beat\nid: %s\ndata: %s\n\n", cursor, data); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			if page.More {
				continue
			}
		}
		select {
		case <-ctx.Done():
		case <-beat.C:
		case <-wake:
		}
	}
}

// inMemory is a transport that calls a handler, without a socket: synctest knows what its goroutines wait for.
type inMemory struct{ handler http.Handler }

func (m inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	reader, writer := io.Pipe()
	w := &pipeWriter{writer: writer, header: http.Header{}, began: make(chan struct{})}
	context.AfterFunc(ctx, func() { writer.CloseWithError(ctx.Err()) })
	go func() {
		defer cancel()
		m.handler.ServeHTTP(w, r.WithContext(ctx))
		w.WriteHeader(http.StatusOK)
		writer.Close()
	}()
	select {
	case <-w.began:
		return &http.Response{StatusCode: w.status, Header: w.header, Body: closer{reader, cancel}, Request: r}, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

type closer struct {
	*io.PipeReader
	cancel func()
}

func (c closer) Close() error {
	c.cancel()
	return c.PipeReader.Close()
}

type pipeWriter struct {
	writer *io.PipeWriter
	header http.Header
	status int
	once   sync.Once
	began  chan struct{}
}

func (w *pipeWriter) Header() http.Header { return w.header }
func (w *pipeWriter) Flush()              {}
func (w *pipeWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status = status
		close(w.began)
	})
}

func (w *pipeWriter) Write(data []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.writer.Write(data)
}

// claims are those of a good token, now.
func (i *issuer) claims() token.Claims {
	now := time.Now().Unix()
	return token.Claims{
		Issuer: i.url, Subject: "a1", Audience: []string{"wishlist", "market"}, IssuedAt: now, ExpiresAt: now + 300, ID: "j1", ClientID: "tools",
		SessionID: token.NewSessionID(), Realm: "staff", Roles: []string{"viewer"}, AuthTime: now - 60, Email: "kim@example.com", Name: "Kim", CheckedAt: now - 30,
	}
}

func (i *issuer) sign(t testing.TB, change func(*token.Claims)) string {
	t.Helper()
	claims := i.claims()
	if change != nil {
		change(&claims)
	}
	return signed(t, claims, i.kid, i.signer)
}

func signed(t testing.TB, claims token.Claims, kid string, signer crypto.Signer) string {
	t.Helper()
	raw, err := token.Sign(claims, kid, token.ES256, signer)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// config is that of a service beside the issuer; in memory.
func (i *issuer) config() verify.Config {
	return verify.Config{Issuer: i.url, Service: "wishlist", Realms: []string{"staff"}, Client: &http.Client{Transport: inMemory{i}}}
}

func start(t testing.TB, config verify.Config) *verify.Verifier {
	t.Helper()
	v, err := verify.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

func ready(t testing.TB, config verify.Config) *verify.Verifier {
	t.Helper()
	v := start(t, config)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := v.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	return v
}

func check(t testing.TB, v *verify.Verifier, raw, want string) {
	t.Helper()
	claims, err := v.Verify(t.Context(), raw)
	if got := verify.CodeOf(err); got != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
	if err != nil && claims.Subject != "" {
		t.Errorf("claims beside an error: %+v", claims)
	}
}

// ecdsaSignature is the signature of any JWS input by the issuer's key.
func ecdsaSignature(t testing.TB, i *issuer, input string) string {
	t.Helper()
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, i.signer.(*ecdsa.PrivateKey), digest[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return base64.RawURLEncoding.EncodeToString(signature)
}
