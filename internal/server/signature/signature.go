// Package signature checks who signed an access token, and remembers it: the console shows the same one with each of its
// calls. What the token says, and whether its session lives, is decided elsewhere each time.
package signature

import (
	"crypto"
	"crypto/sha256"
	"slices"
	"sync"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
)

// most bounds what is remembered: a token for each tab of a large company, in about two megabytes.
const most = 4096

// Checker is safe for concurrent use.
type Checker struct {
	mu   sync.Mutex // guards good
	good map[[sha256.Size]byte]checked
}

// checked is a token whose signature held, under its hash.
type checked struct {
	key    token.PublicKey
	claims token.Claims
}

// signedBy compares whole keys: a name alone would let another key stand in.
func (c checked) signedBy(key token.PublicKey) bool {
	own, ok := c.key.Key.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.ID == c.key.ID && key.Algorithm == c.key.Algorithm && own.Equal(key.Key)
}

// NewChecker remembers nothing yet.
func NewChecker() *Checker { return &Checker{good: map[[sha256.Size]byte]checked{}} }

// Claims is what a token says, when one of the published keys signed it: the key as it is now, so a token whose key was
// withdrawn is as bad as a forged one. token_malformed, token_invalid.
func (c *Checker) Claims(text string, published []token.PublicKey) (token.Claims, error) {
	if len(text) > token.MaxAccessSize {
		return token.Claims{}, fault.New(fault.TokenMalformed, "it is too long")
	}
	hash := sha256.Sum256([]byte(text))
	c.mu.Lock()
	known, ok := c.good[hash]
	c.mu.Unlock()
	if ok && slices.ContainsFunc(published, known.signedBy) {
		return cloned(known.claims), nil
	}
	claims, key, err := check(text, published)
	if err != nil {
		return token.Claims{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.good) >= most {
		clear(c.good)
	}
	c.good[hash] = checked{key, cloned(claims)}
	return claims, nil
}

// cloned shares nothing that a caller could change.
func cloned(c token.Claims) token.Claims {
	c.Audience, c.Roles = slices.Clone(c.Audience), slices.Clone(c.Roles)
	return c
}

func check(text string, published []token.PublicKey) (token.Claims, token.PublicKey, error) {
	jws, err := token.ParseJWS(text)
	if err != nil {
		return token.Claims{}, token.PublicKey{}, fault.Wrap(fault.TokenMalformed, err)
	}
	if !jws.Header.IsAccessToken() {
		return token.Claims{}, token.PublicKey{}, fault.New(fault.TokenInvalid, "not an access token")
	}
	i := slices.IndexFunc(published, func(key token.PublicKey) bool { return key.ID == jws.Header.KeyID })
	if i < 0 {
		return token.Claims{}, token.PublicKey{}, fault.New(fault.TokenInvalid, "unknown key")
	}
	if err := jws.Verify(published[i]); err != nil {
		return token.Claims{}, token.PublicKey{}, fault.Wrap(fault.TokenInvalid, err)
	}
	claims, err := jws.Claims()
	if err != nil {
		return token.Claims{}, token.PublicKey{}, fault.Wrap(fault.TokenInvalid, err)
	}
	return claims, published[i], nil
}
