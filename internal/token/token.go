// Package token owns the bytes that both sides agree on: access tokens (JWS, JWKS, claims), refresh tokens, and the
// pages of the revocation feed. It decides nothing about sessions, stores nothing, and opens no connection; package
// verify and the server share it, so a token is read by the same code that wrote it.
package token

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"
)

// MaxLifetime is the longest exp − iat that a verifier admits.
const MaxLifetime = time.Hour

// Skew is how far the clocks of services may be off, at most: revocation entries are kept this much longer.
const Skew = time.Minute

// Ourselves is the realm, the subject and the client of the tokens by which Munjigi itself calls a service, for example
// to have it check a password. No realm, app or service of a configuration may be called so, and a verifier admits
// these tokens only on the routes that name this realm.
const Ourselves = "munjigi"

// SessionID is a session's "sid": 128 random bits. Its text form is base64url without padding, 22 characters.
type SessionID [16]byte

// NewSessionID draws one from the operating system's randomness.
func NewSessionID() (id SessionID) {
	rand.Read(id[:]) // never fails: crypto/rand
	return id
}

func (id SessionID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// IsZero tells the zero value, which is no session.
func (id SessionID) IsZero() bool { return id == SessionID{} }

// ParseSessionID reads the text form, strictly: one spelling for each id.
func ParseSessionID(text string) (id SessionID, err error) {
	return id, decode16(text, (*[16]byte)(&id), "session id")
}

// MarshalText is String, for JSON.
func (id SessionID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is ParseSessionID, for JSON.
func (id *SessionID) UnmarshalText(text []byte) error {
	return decode16(string(text), (*[16]byte)(id), "session id")
}

// FeedID is how the feed names a session to those who know it: SHA-256(sid), cut to 128 bits.
type FeedID [16]byte

func (id FeedID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// ParseFeedID reads the text form, as strictly as ParseSessionID.
func ParseFeedID(text string) (id FeedID, err error) {
	return id, decode16(text, (*[16]byte)(&id), "feed id")
}

// FeedID of a session.
func (id SessionID) FeedID() (feed FeedID) {
	sum := sha256.Sum256(id[:])
	copy(feed[:], sum[:])
	return feed
}

// NewID is a new account id: 128 random bits as base64url.
func NewID() string { return NewSessionID().String() }

// decode16 fills out with the 16 bytes that text spells; on an error it leaves out alone.
func decode16(text string, out *[16]byte, what string) error {
	raw, err := decodeBase64(text)
	if err != nil || len(raw) != len(out) {
		return fmt.Errorf("%s: want %d base64url characters", what, base64.RawURLEncoding.EncodedLen(len(out)))
	}
	copy(out[:], raw)
	return nil
}

// strictBase64 is made once, for Strict copies its tables.
var strictBase64 = base64.RawURLEncoding.Strict()

// decodeBase64 reads base64url without padding, in the only spelling that encoding the bytes again would give. The
// standard decoder, Strict included, passes over line breaks, so one value would have many spellings.
func decodeBase64(text string) ([]byte, error) {
	raw, err := strictBase64.DecodeString(text)
	if err != nil {
		return nil, err
	}
	if base64.RawURLEncoding.EncodedLen(len(raw)) != len(text) {
		return nil, base64.CorruptInputError(len(text))
	}
	return raw, nil
}
