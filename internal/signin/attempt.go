package signin

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
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

// attemptLabel is the use of the derived key; the version byte of a box follows changes of its form.
const (
	attemptLabel   = "sign-in attempt"
	attemptVersion = 1
	attemptHead    = 1 + 4 // version, key id
	longestAttempt = 4096
)

var errAttempt = errors.New("this sign-in was not begun here, is over, or was tampered with")

// seal is version, key id, nonce and AES-GCM of the attempt, as base64url.
func (a attempt) seal(keys Keys) (string, error) {
	_, id := keys.Active()
	box, err := gcm(keys, id)
	if err != nil {
		return "", err
	}
	plain, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	head := binary.BigEndian.AppendUint32([]byte{attemptVersion}, id)
	nonce := make([]byte, box.NonceSize())
	rand.Read(nonce)
	sealed := box.Seal(append(append([]byte{}, head...), nonce...), nonce, plain, head)
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// openAttempt reads what seal wrote, and nothing else.
func openAttempt(text string, keys Keys, now time.Time) (a attempt, err error) {
	if len(text) > longestAttempt || strings.ContainsAny(text, "\r\n") { // the decoder passes over line breaks
		return a, errAttempt
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) < attemptHead || raw[0] != attemptVersion {
		return a, errAttempt
	}
	box, err := gcm(keys, binary.BigEndian.Uint32(raw[1:attemptHead]))
	if err != nil || len(raw) < attemptHead+box.NonceSize() {
		return a, errAttempt
	}
	nonce, sealed := raw[attemptHead:attemptHead+box.NonceSize()], raw[attemptHead+box.NonceSize():]
	plain, err := box.Open(nil, nonce, sealed, raw[:attemptHead])
	if err != nil {
		return a, errAttempt
	}
	if err := json.Unmarshal(plain, &a); err != nil || !now.Before(a.Until) {
		return a, errAttempt
	}
	return a, nil
}

func gcm(keys Keys, id uint32) (cipher.AEAD, error) {
	key, ok := keys.Derive(id, attemptLabel)
	if !ok {
		return nil, errAttempt
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
