package main

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/store"
	"github.com/munjigi/munjigi/internal/token"
	"github.com/munjigi/munjigi/verify"
)

// TestWholeStolenKey: whoever has stolen the signing key can forge anything, until one command makes it useless
// everywhere, also where it is cached and where it was handed over as a file.
func TestWholeStolenKey(t *testing.T) {
	t.Parallel()
	w := startWhole(t, "per_account: 5")
	b, access := w.signedIn(t, "viewer@example.com")
	stolen := w.steal(t)
	out, err := w.command("keys", "export", stolen.id, "--config", "munjigi.yaml").Output()
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, "public.pem", string(out))
	file := httptest.NewServer(w.newService(t, verify.Config{PublicKeyFile: filepath.Join(w.dir, "public.pem")}))
	defer file.Close()
	services := []string{w.service.URL, file.URL}
	for _, service := range services {
		eventually(t, 5*time.Second, func() error { return b.me(service, access) })
		wantCode(t, b.me(service, stolen.forge(t, w.url)), "")
	}

	cached := stolen.forge(t, w.url)
	wantCode(t, b.me(w.service.URL, cached), "")
	if out, err := w.command("keys", "retire", stolen.id, "--config", "munjigi.yaml", "--yes").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	start := time.Now()
	for _, service := range services {
		for name, forged := range map[string]string{"seen before": cached, "new": stolen.forge(t, w.url)} {
			eventually(t, 4*time.Second, func() error {
				if err := b.me(service, forged); codeOf(err) != fault.TokenInvalid {
					return fmt.Errorf("%s: got %w, want token_invalid", name, errOf(err))
				}
				return nil
			})
		}
	}
	t.Logf("refused everywhere %v after the command", time.Since(start).Round(time.Millisecond))
	eventually(t, 4*time.Second, func() error { // honest people renew, and go on
		if _, access, err = b.renew(); err != nil {
			return err
		}
		return b.me(w.service.URL, access)
	})
}

// stolenKey is a private key in the hands of a thief.
type stolenKey struct {
	id  string
	key crypto.Signer
}

// steal reads the signing key out of the store, as whoever has its file and the seal key can.
func (w *whole) steal(t *testing.T) stolenKey {
	t.Helper()
	sealer, err := keys.OpenSealer(filepath.Join(w.dir, "munjigi.key"))
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), store.Config{
		Database: "sqlite:" + filepath.Join(w.dir, "munjigi.db"), Sealer: sealer,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	ring, err := keys.Open(t.Context(), keys.Config{Store: st})
	if err != nil {
		t.Fatal(err)
	}
	set, err := st.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	active, _ := ring.Active()
	for _, record := range set.Keys {
		if record.ID == active {
			private, err := x509.ParsePKCS8PrivateKey(record.Private)
			if err != nil {
				t.Fatal(err)
			}
			return stolenKey{record.ID, private.(crypto.Signer)}
		}
	}
	t.Fatalf("no key %s", active)
	return stolenKey{}
}

// forge signs a token of a session that never was, as long as a verifier admits.
func (k stolenKey) forge(t *testing.T, issuer string) string {
	t.Helper()
	now := time.Now()
	text, err := token.Sign(token.Claims{
		Issuer: issuer, Subject: "intruder", Audience: []string{"wishlist"}, ID: token.NewID(),
		ClientID: "tools", SessionID: token.NewSessionID(), Realm: "staff", Roles: []string{"admin"},
		IssuedAt: now.Unix(), ExpiresAt: now.Add(time.Hour).Unix(), AuthTime: now.Unix(), CheckedAt: now.Unix(),
	},
		k.id, token.ES256, k.key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
