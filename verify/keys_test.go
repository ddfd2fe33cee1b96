package verify_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/munjigi/munjigi/internal/token"
)

// A key that was not there a moment ago is learnt at once; keys that are nobody's cost one fetch in ten seconds.
func TestUnknownKids(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, office)
		v := ready(t, i.config())
		kid, signer := i.addKey(t)
		check(t, v, signed(t, i.claims(), kid, signer), "")
		if got := i.count("/keys"); got != 2 {
			t.Errorf("got %d fetches, want 2", got)
		}
		stranger := newIssuer(t, office)
		for range 40 { // 20 s of flood
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() { check(t, v, stranger.sign(t, nil), "token_invalid") })
			}
			all.Wait()
			time.Sleep(500 * time.Millisecond)
		}
		if got := i.count("/keys"); got > 4 {
			t.Errorf("got %d fetches, want at most one in 10 s", got)
		}
		time.Sleep(10 * time.Second)
		kid, signer = i.addKey(t)
		check(t, v, signed(t, i.claims(), kid, signer), "")
		v.Close()
	})
}

// A key that is published ahead is known before anybody uses it, though nobody asks.
func TestPublishedAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, office)
		v := ready(t, i.config())
		i.addKey(t)
		time.Sleep(5*time.Minute + time.Second)
		if got := v.Stats().Keys; got != 2 {
			t.Errorf("got %d keys, want 2", got)
		}
		v.Close()
	})
}

// Whoever is signed in stays so while the issuer cannot be asked, for as long as is said, whatever it answers.
func TestKeysOutlastAnOutage(t *testing.T) {
	huge := body(`{"keys":[]}` + strings.Repeat(" ", token.MaxJWKSSize))
	elsewhere := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://evil.example/keys", http.StatusFound)
	}
	for name, broken := range map[string]http.HandlerFunc{
		"down": status(503), "empty": body(`{"keys":[]}`), "HTML": body(`<html>`), "cut off": body(`{"keys":[{"kty":`), "huge": huge, "redirect": elsewhere,
		"of no use": body(`{"keys":[{"kty":"oct","k":"AAAA","kid":"x"}]}`),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := newIssuer(t, office)
				config := i.config()
				config.KeysMaxAge = time.Hour
				v := ready(t, config)
				stranger := newIssuer(t, office)
				i.breakPath("/keys", broken)
				time.Sleep(50 * time.Minute)
				check(t, v, i.sign(t, nil), "")
				check(t, v, stranger.sign(t, nil), "upstream_unavailable") // it cannot be told just now whose key that is
				time.Sleep(20 * time.Minute)
				check(t, v, i.sign(t, nil), "upstream_unavailable")
				i.breakPath("/keys", nil)
				time.Sleep(10 * time.Second)
				check(t, v, i.sign(t, nil), "")
				check(t, v, stranger.sign(t, nil), "token_invalid")
				v.Close()
			})
		})
	}
}

func TestIssuerDownAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, office)
		i.breakPath("/.well-known/openid-configuration", status(502))
		i.breakPath("/revocations", status(502))
		v := start(t, i.config())
		check(t, v, i.sign(t, nil), "upstream_unavailable")
		check(t, v, "hello", "token_malformed")
		if stats := v.Stats(); stats.Keys != 0 || stats.KeysAge >= 0 || !stats.Stale || stats.ViewAge >= 0 {
			t.Errorf("got %+v", stats)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if v.Ready(ctx) == nil {
			t.Error("ready without an issuer")
		}
		if got := i.count("/.well-known/openid-configuration"); got > 20 {
			t.Errorf("asked %d times in a minute", got)
		}
		i.breakPath("/.well-known/openid-configuration", nil)
		i.breakPath("/revocations", nil)
		if err := v.Ready(t.Context()); err != nil {
			t.Error(err)
		}
		check(t, v, i.sign(t, nil), "")
		v.Close()
	})
}

// Keys are taken from the issuer's own origin only.
func TestDiscoveryRefuses(t *testing.T) {
	for name, document := range map[string]string{
		"another issuer":  `{"issuer":"https://evil.example","jwks_uri":"https://office.example.com/keys"}`,
		"another origin":  `{"issuer":"https://office.example.com","jwks_uri":"https://evil.example/keys"}`,
		"another port":    `{"issuer":"https://office.example.com","jwks_uri":"https://office.example.com:8443/keys"}`,
		"plain http":      `{"issuer":"https://office.example.com","jwks_uri":"http://office.example.com/keys"}`,
		"with a user":     `{"issuer":"https://office.example.com","jwks_uri":"https://a@office.example.com/keys"}`,
		"no address":      `{"issuer":"https://office.example.com"}`,
		"something else":  `[]`,
		"larger than all": `{"issuer":"https://office.example.com","jwks_uri":"https://office.example.com/keys"}` + strings.Repeat(" ", 1<<20),
	} {
		synctest.Test(t, func(t *testing.T) {
			i := newIssuer(t, office)
			i.breakPath("/.well-known/openid-configuration", body(document))
			v := start(t, i.config())
			time.Sleep(time.Minute)
			if got := i.count("/keys"); got != 0 || v.Stats().Keys != 0 {
				t.Errorf("%s: %d fetches of keys", name, got)
			}
			v.Close()
		})
	}
}

// A withdrawn key is worth nothing from the moment the feed says so: not for tokens that are remembered, not when the
// issuer publishes it again, not when it came as a file.
func TestWithdrawnKey(t *testing.T) {
	for _, source := range []string{"issuer", "PEM", "JWKS"} {
		t.Run(source, func(t *testing.T) {
			i := newIssuer(t, office)
			config := i.config()
			config.PublicKeyFile = keyFile(t, i, source)
			synctest.Test(t, func(t *testing.T) {
				v := ready(t, config)
				cached := i.sign(t, nil)
				check(t, v, cached, "")
				i.publish(token.FeedEntry{KeyID: i.kid, Until: token.Forever})
				synctest.Wait()
				check(t, v, cached, "token_invalid")
				forged := i.sign(t, func(c *token.Claims) { c.ExpiresAt = c.IssuedAt + 3600 })
				check(t, v, forged, "token_invalid")
				i.set(func() { i.epoch, i.entries, i.n = "e2", nil, 0 })
				i.cut()
				time.Sleep(time.Hour)
				check(t, v, i.sign(t, nil), "token_invalid")
				kid, signer := i.addKey(t)
				want := ""
				if source != "issuer" {
					want = "token_invalid"
				}
				check(t, v, signed(t, i.claims(), kid, signer), want)
				v.Close()
			})
		})
	}
}

// keyFile writes the issuer's key; "" where it is to be fetched.
func keyFile(t *testing.T, i *issuer, kind string) string {
	t.Helper()
	var data []byte
	switch kind {
	case "PEM":
		der, err := x509.MarshalPKIXPublicKey(i.signer.Public())
		if err != nil {
			t.Fatal(err)
		}
		data = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	case "JWKS":
		data, _ = token.MarshalJWKS(i.keys)
	default:
		return ""
	}
	name := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestPublicKeyFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, office)
		config := i.config()
		config.PublicKeyFile = keyFile(t, i, "PEM")
		v := ready(t, config)
		check(t, v, i.sign(t, nil), "")
		check(t, v, signed(t, i.claims(), "by another name", i.signer), "token_invalid")
		check(t, v, newIssuer(t, office).sign(t, nil), "token_invalid")
		time.Sleep(48 * time.Hour) // a file does not grow old
		check(t, v, i.sign(t, nil), "")
		if got := i.count("/keys"); got != 0 {
			t.Errorf("fetched %d times", got)
		}
		v.Close()
	})
}

// A key that leaves the set takes the tokens that are remembered with it.
func TestKeyLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, office)
		v := ready(t, i.config())
		raw := i.sign(t, func(c *token.Claims) { c.ExpiresAt = c.IssuedAt + 3600 })
		check(t, v, raw, "")
		i.addKey(t)
		i.set(func() { i.keys = i.keys[1:] })
		time.Sleep(6 * time.Minute)
		check(t, v, raw, "token_invalid")
		v.Close()
	})
}

func TestCloseWhileAsked(t *testing.T) {
	i := newIssuer(t, office)
	v := ready(t, i.config())
	stranger := newIssuer(t, office)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				if _, err := v.Verify(context.Background(), stranger.sign(t, nil)); err == nil {
					t.Error("accepted")
				}
			}
		})
	}
	v.Close()
	all.Wait()
	v.Close()

	w := ready(t, i.config())
	w.Close()
	before := i.count("/keys")
	check(t, w, stranger.sign(t, nil), "token_invalid")
	check(t, w, i.sign(t, nil), "")
	if got := i.count("/keys"); got != before {
		t.Error("fetched after it was closed")
	}
}
