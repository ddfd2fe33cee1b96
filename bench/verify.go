package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/munjigi/munjigi/internal/token"
	"github.com/munjigi/munjigi/verify"
)

// poolSize is how many tokens first sights go round in: more than the verifier remembers there.
const poolSize = 64

// verifySubject is what a service pays for each request.
func verifySubject() (subject, error) {
	office, err := newOffice()
	if err != nil {
		return subject{}, err
	}
	usual, err1 := office.verifier(0, 0)
	small, err2 := office.verifier(1, 0)
	full, err3 := office.verifier(0, 100_000)
	if err := errors.Join(err1, err2, err3); err != nil {
		return subject{}, err
	}
	es := office.signers[token.ES256]
	goldenSecond := func(r testing.BenchmarkResult, faster float64) bool {
		return perOp(r) <= 250 && r.AllocsPerOp() == 0 && faster >= 300
	}
	rows := []row{
		{name: "golang-jwt ES256, every time", run: es.golangJWT},
		{name: "verify, second sight", beside: "golang-jwt ES256, every time", goal: "≤ 250 ns, 0 allocs, ≥ 300 ×", meets: goldenSecond, run: again(usual, es.pool[0])},
		{
			name: "…, all cores", beside: "verify, second sight", goal: "≥ 0.75 × the cores", run: againParallel(usual, es.pool[0]),
			meets: func(_ testing.BenchmarkResult, faster float64) bool { return faster >= 0.75*float64(cores()) },
		},
		{name: "…, 100,000 ended sessions", beside: "golang-jwt ES256, every time", goal: "≤ 250 ns, 0 allocs, ≥ 300 ×", meets: goldenSecond, run: again(full, es.pool[0])},
	}
	first := func(_ testing.BenchmarkResult, faster float64) bool { return faster >= 1/1.10 }
	for _, alg := range []token.Algorithm{token.ES256, token.EdDSA, token.RS256} {
		s := office.signers[alg]
		bare := "bare " + string(alg) + " check"
		rows = append(rows,
			row{name: bare, run: s.bare},
			row{name: "verify, first sight, " + string(alg), beside: bare, goal: "≤ 1.10 × the bare check", meets: first, run: s.first(small)},
			row{name: "golang-jwt, " + string(alg), beside: bare, run: s.golangJWT},
		)
	}
	stop := func() {
		usual.Close()
		small.Close()
		full.Close()
		office.server.Close()
	}
	return subject{name: "verify an access token", rows: rows, stop: stop}, nil
}

// office is an issuer with a key of each algorithm.
type office struct {
	server  *httptest.Server
	signers map[token.Algorithm]*signer
	keys    []byte
	ended   atomic.Int64 // how many sessions the feed names
}

type signer struct {
	public token.PublicKey
	pool   []string
	checks []bareCheck
	issuer string
}

// bareCheck is a token taken apart beforehand: all that is left is the signature.
type bareCheck struct{ input, signature []byte }

func newOffice() (*office, error) {
	o := &office{signers: map[token.Algorithm]*signer{}}
	o.server = httptest.NewServer(o)
	ec, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, ed, err2 := ed25519.GenerateKey(rand.Reader)
	rs, err3 := rsa.GenerateKey(rand.Reader, 2048)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	var keys []token.PublicKey
	for _, private := range []crypto.Signer{ec, ed, rs} {
		s, err := newSigner(o.server.URL, private)
		if err != nil {
			return nil, err
		}
		o.signers[s.public.Algorithm] = s
		keys = append(keys, s.public)
	}
	var err error
	o.keys, err = token.MarshalJWKS(keys)
	return o, err
}

func newSigner(issuer string, private crypto.Signer) (*signer, error) {
	public, err := token.NewPublicKey(private.Public())
	if err != nil {
		return nil, err
	}
	s := &signer{public: public, issuer: issuer}
	for range poolSize {
		now := time.Now().Unix()
		raw, err := token.Sign(token.Claims{
			Issuer: issuer, Subject: token.NewID(), Audience: []string{"wishlist", "market"}, IssuedAt: now, ExpiresAt: now + 3600,
			ID: token.NewID(), ClientID: "staff-tools", SessionID: token.NewSessionID(), Realm: "staff", Roles: []string{"viewer", "editor"},
			AuthTime: now, Email: "kim@example.com", Name: "김하나", CheckedAt: now,
		}, public.ID, public.Algorithm, private)
		if err != nil {
			return nil, err
		}
		check, err := takeApart(raw, public.Algorithm)
		if err != nil {
			return nil, err
		}
		s.pool, s.checks = append(s.pool, raw), append(s.checks, check)
	}
	return s, nil
}

func takeApart(raw string, alg token.Algorithm) (bareCheck, error) {
	dot := strings.LastIndexByte(raw, '.')
	signature, err := base64.RawURLEncoding.DecodeString(raw[dot+1:])
	if err == nil && alg == token.ES256 {
		parts := struct{ R, S *big.Int }{new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])}
		signature, err = asn1.Marshal(parts)
	}
	return bareCheck{[]byte(raw[:dot]), signature}, err
}

func (o *office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/.well-known/openid-configuration":
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, o.server.URL, o.server.URL+"/keys")
	case r.URL.Path == "/keys":
		_, _ = w.Write(o.keys)
	case r.URL.Path == "/revocations" && !strings.Contains(r.Header.Get("Accept"), "event-stream"):
		_ = json.NewEncoder(w).Encode(o.page())
	default:
		o.stream(w, r)
	}
}

func (o *office) page() token.FeedPage {
	page := token.FeedPage{Epoch: "e", N: o.ended.Load(), ReadAt: time.Now().UnixMicro(), Entries: []token.FeedEntry{}}
	for n := range o.ended.Load() {
		page.Entries = append(page.Entries, token.FeedEntry{N: n + 1, ID: token.NewSessionID().FeedID().String(), Until: time.Now().Unix() + 3600})
	}
	return page
}

func (o *office) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	beat := time.NewTicker(time.Second)
	defer beat.Stop()
	for r.Context().Err() == nil {
		fmt.Fprintf(w, "data: {\"epoch\":\"e\",\"n\":%d,\"read_at\":%d,\"entries\":[]}\n\n", o.ended.Load(), time.Now().UnixMicro())
		w.(http.Flusher).Flush()
		select {
		case <-beat.C:
		case <-r.Context().Done():
		}
	}
}

// verifier follows the office after so many sessions have ended there; it remembers about cache tokens.
func (o *office) verifier(cache int, ended int64) (*verify.Verifier, error) {
	o.ended.Store(ended)
	v, err := verify.New(verify.Config{Issuer: o.server.URL, Service: "wishlist", Realms: []string{"staff"}, CacheTokens: cache})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return v, v.Ready(ctx)
}

func cores() int { return runtime.GOMAXPROCS(0) }

// need is what a route of the staff asks for.
func need() verify.Need {
	return verify.Need{Roles: []string{"editor"}, MaxCheckAge: time.Hour}
}

func again(v *verify.Verifier, raw string) func(*testing.B) {
	return func(b *testing.B) {
		ctx, need := b.Context(), need()
		for b.Loop() {
			if _, err := v.Check(ctx, raw, need); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func againParallel(v *verify.Verifier, raw string) func(*testing.B) {
	return func(b *testing.B) {
		ctx, need := b.Context(), need()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := v.Check(ctx, raw, need); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
}

func (s *signer) first(v *verify.Verifier) func(*testing.B) {
	return func(b *testing.B) {
		ctx, need, i := b.Context(), need(), 0
		for b.Loop() {
			if _, err := v.Check(ctx, s.pool[i%poolSize], need); err != nil {
				b.Fatal(err)
			}
			i++
		}
	}
}

func (s *signer) bare(b *testing.B) {
	i := 0
	for b.Loop() {
		check := s.checks[i%poolSize]
		if !s.holds(check) {
			b.Fatal("the signature does not hold")
		}
		i++
	}
}

func (s *signer) holds(check bareCheck) bool {
	switch key := s.public.Key.(type) {
	case *ecdsa.PublicKey:
		digest := sha256.Sum256(check.input)
		return ecdsa.VerifyASN1(key, digest[:], check.signature)
	case ed25519.PublicKey:
		return ed25519.Verify(key, check.input, check.signature)
	case *rsa.PublicKey:
		digest := sha256.Sum256(check.input)
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], check.signature) == nil
	}
	return false
}

// golangJWT checks what that library checks when it is used with care.
func (s *signer) golangJWT(b *testing.B) {
	parser := jwt.NewParser(jwt.WithValidMethods([]string{string(s.public.Algorithm)}), jwt.WithIssuer(s.issuer),
		jwt.WithAudience("wishlist"), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
	key := func(*jwt.Token) (any, error) { return s.public.Key, nil }
	i := 0
	for b.Loop() {
		if _, err := parser.ParseWithClaims(s.pool[i%poolSize], jwt.MapClaims{}, key); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
