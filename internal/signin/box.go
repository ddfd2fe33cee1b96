package signin

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
)

// box seals what a browser keeps for us between two requests, so that nothing has to be kept here and any node may go
// on with what another began. What was sealed for one use opens for no other.
type box struct {
	label   string // the use of the derived key
	version byte   // follows changes of the form
	longest int    // of a sealed text, so that nobody has us decode more
}

const boxHead = 1 + 4 // version, key id

var errNoKey = errors.New("no such key")

// seal is version, key id, nonce and AES-GCM of the value, as base64url.
func (b box) seal(keys Keys, value any) (string, error) {
	_, id := keys.Active()
	aead, err := b.gcm(keys, id)
	if err != nil {
		return "", err
	}
	plain, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	head := binary.BigEndian.AppendUint32([]byte{b.version}, id)
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce)
	sealed := aead.Seal(append(append([]byte{}, head...), nonce...), nonce, plain, head)
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// open reads what seal wrote into value, and tells whether it was that.
func (b box) open(keys Keys, text string, value any) bool {
	if len(text) > b.longest || strings.ContainsAny(text, "\r\n") { // the decoder passes over line breaks
		return false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) < boxHead || raw[0] != b.version {
		return false
	}
	aead, err := b.gcm(keys, binary.BigEndian.Uint32(raw[1:boxHead]))
	if err != nil || len(raw) < boxHead+aead.NonceSize() {
		return false
	}
	nonce, sealed := raw[boxHead:boxHead+aead.NonceSize()], raw[boxHead+aead.NonceSize():]
	plain, err := aead.Open(nil, nonce, sealed, raw[:boxHead])
	return err == nil && json.Unmarshal(plain, value) == nil
}

func (b box) gcm(keys Keys, id uint32) (cipher.AEAD, error) {
	key, ok := keys.Derive(id, b.label)
	if !ok {
		return nil, errNoKey
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
