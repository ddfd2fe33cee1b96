package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
)

var says = token.Claims{
	Issuer: "https://office.example.com", Subject: "kim", Audience: []string{"munjigi"}, IssuedAt: 1, ExpiresAt: 2, ID: "1", ClientID: "console",
	SessionID: token.SessionID{1}, Realm: "staff", Roles: []string{"viewer"}, AuthTime: 1,
}

func signed(t *testing.T, key crypto.Signer, alg token.Algorithm) (string, token.PublicKey) {
	t.Helper()
	text, err := token.Sign(says, "k1", alg, key)
	if err != nil {
		t.Fatal(err)
	}
	return text, token.PublicKey{ID: "k1", Algorithm: alg, Key: key.Public()}
}

// A token is read the same the second time; when its key is gone, or another one has its name, it counts no more.
func TestClaims(t *testing.T) {
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	for alg, key := range map[token.Algorithm]crypto.Signer{token.ES256: ec, token.EdDSA: ed} {
		c := NewChecker()
		text, public := signed(t, key, alg)
		for range 3 {
			got, err := c.Claims(text, []token.PublicKey{{ID: "k0", Algorithm: alg, Key: other.Public()}, public})
			if diff := cmp.Diff(says, got); err != nil || diff != "" {
				t.Fatalf("%s: %v\n%s", alg, err, diff)
			}
			got.Roles[0], got.Audience[0] = "admin", "market" // whoever got it may do with it what they like
		}
		for name, published := range map[string][]token.PublicKey{
			"withdrawn":    nil,
			"another name": {{ID: "k2", Algorithm: alg, Key: key.Public()}},
			"another key":  {{ID: "k1", Algorithm: token.ES256, Key: other.Public()}},
		} {
			if got, err := c.Claims(text, published); fault.CodeOf(err) != fault.TokenInvalid {
				t.Errorf("%s, %s: got %+v, %v", alg, name, got, err)
			}
		}
	}
}

// What was refused is not remembered as good, and what is remembered has a bound.
func TestCheckerIsBounded(t *testing.T) {
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	c := NewChecker()
	text, public := signed(t, ec, token.ES256)
	keys := []token.PublicKey{public}
	end := strings.LastIndexByte(text, '.') + 1
	forged := text[:end] + strings.Repeat("A", len(text)-end)
	for range 2 {
		if _, err := c.Claims(forged, keys); fault.CodeOf(err) != fault.TokenInvalid {
			t.Errorf("forged: got %v", err)
		}
		if _, err := c.Claims(strings.Repeat("a.", 1<<20), keys); fault.CodeOf(err) != fault.TokenMalformed {
			t.Errorf("long: got %v", err)
		}
	}
	if len(c.good) != 0 {
		t.Errorf("%d bad tokens are remembered", len(c.good))
	}
	for i := range most {
		c.good[[32]byte{byte(i), byte(i >> 8), 1}] = checked{}
	}
	if _, err := c.Claims(text, keys); err != nil || len(c.good) > most {
		t.Errorf("%d are remembered, %v", len(c.good), err)
	}
}
