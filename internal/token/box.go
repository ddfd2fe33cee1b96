package token

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
	"unicode/utf8"
)

// What a box holds, before it is sealed: version, time, reason and device class, filled up with zeros. It has the same
// length whatever it says, so the feed does not tell how sessions end.
const (
	boxVersion = 1
	boxSize    = 64
	boxLabel   = "munjigi: how a session ended"
)

var errBox = errors.New("this box is not of this session")

// SealEnd seals how the session ended, for those who know its id. A device class that is too long for the box loses
// its end.
func (id SessionID) SealEnd(e Ended) string {
	plain := make([]byte, 0, boxSize)
	plain = append(plain, boxVersion)
	plain = binary.BigEndian.AppendUint64(plain, uint64(e.At.Unix()))
	plain = appendShort(plain, e.Reason, boxSize-len(plain)-2)
	plain = appendShort(plain, e.By, boxSize-len(plain)-1)
	return base64.RawURLEncoding.EncodeToString(id.box().Seal(nil, nil, plain[:boxSize], nil))
}

// OpenEnd reads what SealEnd wrote for the same session.
func (id SessionID) OpenEnd(box string) (Ended, error) {
	sealed, err := decodeBase64(box)
	if err != nil {
		return Ended{}, errBox
	}
	plain, err := id.box().Open(nil, nil, sealed, nil)
	if err != nil || len(plain) != boxSize || plain[0] != boxVersion {
		return Ended{}, errBox
	}
	at := time.Unix(int64(binary.BigEndian.Uint64(plain[1:])), 0).UTC()
	reason, rest, ok1 := cutName(plain[9:])
	by, rest, ok2 := cutName(rest)
	if !ok1 || !ok2 || len(bytes.Trim(rest, "\x00")) > 0 {
		return Ended{}, errBox
	}
	return Ended{Reason: reason, At: at, By: by}, nil
}

// box is AES-GCM under a key that is derived from the session's id and used for nothing else. The nonce is random and
// stands in front: sealing the same end twice is harmless.
func (id SessionID) box() cipher.AEAD {
	key, err := hkdf.Key(sha256.New, id[:], nil, boxLabel, 32)
	if err != nil {
		panic("token: " + err.Error()) // only when asked for more than 255 hashes
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("token: " + err.Error()) // only for a key of another length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("token: " + err.Error()) // only for a block of another length
	}
	return aead
}

// appendShort writes text behind its length, cut between two characters when it is longer than limit.
func appendShort(plain []byte, text string, limit int) []byte {
	if len(text) > limit {
		cut := limit
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut]
	}
	return append(append(plain, byte(len(text))), text...)
}
