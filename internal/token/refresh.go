package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// RefreshPrefix begins every refresh token, so that scanners for leaked secrets know one.
const RefreshPrefix = "mjr_"

// MaxRefreshSize is the longest refresh token that is read.
const MaxRefreshSize = 1024

// ErrRefresh is everything that is not a refresh token of ours. There is one error: a forger learns nothing from it.
var ErrRefresh = errors.New("not a refresh token of this server")

// Refresh is what a refresh token holds. It is a secret: it prints as its prefix.
type Refresh struct {
	Realm      string
	App        string // "*" in a cookie: every app of the realm reads it
	Body       bool   // carrier: it travels in bodies, not in a cookie
	Session    SessionID
	Generation int64
	IssuedAt   time.Time // whole microseconds
	Handle     [16]byte  // random, drawn at sign-in, in no other artefact; the store has only its hash
}

func (r Refresh) String() string { return RefreshPrefix + "…" }

// GoString is String: %#v prints secrets too.
func (r Refresh) GoString() string { return r.String() }

// LogValue is String, for slog.
func (r Refresh) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MACKey is a key under which refresh tokens are made. Its ID stands in the token.
type MACKey struct {
	ID  uint32
	Key [32]byte
}

func (k MACKey) String() string { return fmt.Sprintf("MAC key %d", k.ID) }

// GoString is String: %#v prints secrets too.
func (k MACKey) GoString() string { return k.String() }

// LogValue is String, for slog.
func (k MACKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

const (
	refreshVersion = 1
	refreshFixed   = 1 + 4 + 1 + 1 + 1 + 16 + 8 + 8 + 16 // all but the realm's and the app's letters
	maxName        = 255
)

// Seal writes the token. It is deterministic: the same value and key give the same text. Names longer than 255 bytes
// do not fit; configuration does not admit them.
func (r Refresh) Seal(key MACKey) string {
	if len(r.Realm) > maxName || len(r.App) > maxName {
		panic("token: the name of a realm or an app is longer than 255 bytes")
	}
	raw := make([]byte, 0, refreshFixed+len(r.Realm)+len(r.App)+sha256.Size)
	raw = append(raw, refreshVersion)
	raw = binary.BigEndian.AppendUint32(raw, key.ID)
	if r.Body {
		raw = append(raw, 1)
	} else {
		raw = append(raw, 0)
	}
	raw = append(append(raw, byte(len(r.Realm))), r.Realm...)
	raw = append(append(raw, byte(len(r.App))), r.App...)
	raw = append(raw, r.Session[:]...)
	raw = binary.BigEndian.AppendUint64(raw, uint64(r.Generation))
	raw = binary.BigEndian.AppendUint64(raw, uint64(r.IssuedAt.UnixMicro()))
	raw = append(raw, r.Handle[:]...)
	return RefreshPrefix + base64.RawURLEncoding.EncodeToString(appendMAC(raw, key))
}

func appendMAC(raw []byte, key MACKey) []byte {
	mac := hmac.New(sha256.New, key.Key[:])
	mac.Write(raw)
	return mac.Sum(raw)
}

// OpenRefresh reads a token that Seal wrote under one of the keys that find knows; ErrRefresh for everything else.
// Every token has one spelling, and it takes the key, not the store, to refuse a forged one.
func OpenRefresh(text string, find func(id uint32) (MACKey, bool)) (Refresh, error) {
	encoded, ours := strings.CutPrefix(text, RefreshPrefix)
	if !ours || len(text) > MaxRefreshSize {
		return Refresh{}, ErrRefresh
	}
	raw, err := decodeBase64(encoded)
	if err != nil || len(raw) < refreshFixed+sha256.Size || raw[0] != refreshVersion {
		return Refresh{}, ErrRefresh
	}
	body, sum := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	key, found := find(binary.BigEndian.Uint32(body[1:]))
	if !found {
		return Refresh{}, ErrRefresh
	}
	mac := hmac.New(sha256.New, key.Key[:])
	mac.Write(body)
	if !hmac.Equal(mac.Sum(nil), sum) {
		return Refresh{}, ErrRefresh
	}
	return parseRefresh(body[5:])
}

// parseRefresh reads what follows the key id. The MAC holds, so only a bug of ours fails here.
func parseRefresh(body []byte) (r Refresh, err error) {
	carrier := body[0]
	realm, body, ok1 := cutName(body[1:])
	app, body, ok2 := cutName(body)
	if carrier > 1 || !ok1 || !ok2 || len(body) != 16+8+8+16 {
		return Refresh{}, ErrRefresh
	}
	r = Refresh{Realm: realm, App: app, Body: carrier == 1}
	copy(r.Session[:], body)
	r.Generation = int64(binary.BigEndian.Uint64(body[16:]))
	r.IssuedAt = time.UnixMicro(int64(binary.BigEndian.Uint64(body[24:]))).UTC()
	copy(r.Handle[:], body[32:])
	return r, nil
}

func cutName(body []byte) (name string, rest []byte, ok bool) {
	if len(body) == 0 || len(body) < 1+int(body[0]) {
		return "", nil, false
	}
	end := 1 + int(body[0])
	return string(body[1:end]), body[end:], true
}
