package signin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"
)

// AttemptLife is how long a person may take at the provider.
const AttemptLife = 10 * time.Minute

// attempt is one try to sign in, kept nowhere but in a cookie of the browser that began it. It is sealed, because the
// verifier and the nonce in it are what ties the provider's answer to this browser.
type attempt struct {
	ID       [16]byte  `json:"id"` // consumed by the callback: an attempt works once
	Realm    string    `json:"realm"`
	Issuer   string    `json:"iss"` // an attempt at one provider is never finished at another
	App      string    `json:"app"`
	ReturnTo string    `json:"to"` // absolute, checked
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"pkce"`
	Consent  bool      `json:"consent"` // the second round, that asks for offline access
	Until    time.Time `json:"until"`
}

func newAttempt(now time.Time) attempt {
	a := attempt{State: random(), Nonce: random(), Verifier: random(), Until: now.Add(AttemptLife)}
	rand.Read(a.ID[:]) // never fails: crypto/rand
	return a
}

// random is 256 bits as base64url: 43 characters, the least that RFC 7636 §4.1 wants of a verifier.
func random() string {
	var bits [32]byte
	rand.Read(bits[:])
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

// challenge is S256 of a verifier (RFC 7636 §4.2).
func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// AttemptName is the part of the cookie's name that tells parallel attempts of one browser apart.
func AttemptName(state string) string {
	sum := sha256.Sum256([]byte(state))
	return base64.RawURLEncoding.EncodeToString(sum[:6])
}

// attemptBox is how an attempt is sealed.
var attemptBox = box{label: "sign-in attempt", version: 1, longest: 4096}

var errAttempt = errors.New("this sign-in was not begun here, is over, or was tampered with")

func (a attempt) seal(keys Keys) (string, error) { return attemptBox.seal(keys, a) }

// openAttempt reads what seal wrote, and nothing else.
func openAttempt(text string, keys Keys, now time.Time) (a attempt, err error) {
	if !attemptBox.open(keys, text, &a) || !now.Before(a.Until) {
		return attempt{}, errAttempt
	}
	return a, nil
}
