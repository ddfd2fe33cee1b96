package credentials

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/munjigi/munjigi/internal/account"
)

func exchanges(t *testing.T, secret string) Exchanges {
	t.Helper()
	e, err := NewExchanges([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// The same token of the same realm is known again, also by another process; nothing else is taken for it.
func TestHashesOfLegacyTokens(t *testing.T) {
	e := exchanges(t, "secret of the store")
	first := e.Hash("shops", legacyCanary)
	if again := exchanges(t, "secret of the store").Hash("shops", legacyCanary); again != first {
		t.Error("another process does not know the token again")
	}
	handle := e.Handle("shops", legacyCanary)
	for name, other := range map[string][32]byte{
		"another token": e.Hash("shops", legacyCanary+"x"), "another realm": e.Hash("shop", "s"+legacyCanary),
		"another secret": exchanges(t, "another").Hash("shops", legacyCanary),
	} {
		if other == first {
			t.Errorf("%s: has the same hash", name)
		}
	}
	if bytes.Equal(first[:16], handle[:]) || e.Handle("shops", "another") == handle {
		t.Error("a handle can be made from what is stored, or from another token")
	}
}

// What is in a database has to be found again by every later version: the derivation never changes.
func TestHashesStay(t *testing.T) {
	e := exchanges(t, "secret of the store")
	hash, handle := e.Hash("shops", account.Password("legacy")), e.Handle("shops", account.Password("legacy"))
	const (
		wantHash   = "054d0f9828a3b715e7ff753bfab69e835ab9b33a61e827be30419c81632c4eb3"
		wantHandle = "bd692ed92eaa5c07ad95070902a84496"
	)
	if got := hex.EncodeToString(hash[:]); got != wantHash {
		t.Errorf("hash: got %s", got)
	}
	if got := hex.EncodeToString(handle[:]); got != wantHandle {
		t.Errorf("handle: got %s", got)
	}
}
