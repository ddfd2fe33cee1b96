package credentials

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"

	"github.com/munjigi/munjigi/internal/account"
)

// MaxLegacyToken is the longest legacy token that is looked at, in bytes: what fits into a cookie.
const MaxLegacyToken = 4 << 10

// Labels of the keys that are derived from the store's secret: whoever learns one of them learns no other.
const (
	hashLabel   = "munjigi: legacy token"
	handleLabel = "munjigi: session of a legacy token"
)

// Exchanges makes of a legacy token what an exchange needs. A token is exchanged once, so it has to be known again for
// as long as exchanges go on; hence one secret that stays, not those of refresh tokens, which are erased in turn.
type Exchanges struct{ hash, handle [sha256.Size]byte }

// NewExchanges derives the keys from the store's secret.
func NewExchanges(secret []byte) (Exchanges, error) {
	var e Exchanges
	for label, key := range map[string]*[sha256.Size]byte{hashLabel: &e.hash, handleLabel: &e.handle} {
		derived, err := hkdf.Key(sha256.New, secret, nil, label, len(key))
		if err != nil {
			return Exchanges{}, fmt.Errorf("derive key of legacy tokens: %w", err)
		}
		copy(key[:], derived)
	}
	return e, nil
}

// Hash is by which a token is known again within a realm. Without the key nobody can tell whether a token that they
// guess, or hold, is among those in a copy of the database.
func (e Exchanges) Hash(realm string, legacy account.Password) [sha256.Size]byte {
	return keyed(e.hash, realm, legacy)
}

// Handle is that of the refresh tokens of the session for which the token is exchanged. It is a function of the token,
// so that whoever presents it again, because the answer was lost, can be given the same answer: nothing that is stored
// could make it.
func (e Exchanges) Handle(realm string, legacy account.Password) (handle [16]byte) {
	sum := keyed(e.handle, realm, legacy)
	copy(handle[:], sum[:])
	return handle
}

// keyed is HMAC-SHA-256. A realm's name holds no NUL, so no two pairs are the same bytes.
func keyed(key [sha256.Size]byte, realm string, legacy account.Password) (sum [sha256.Size]byte) {
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(realm + "\x00" + string(legacy)))
	mac.Sum(sum[:0])
	return sum
}
