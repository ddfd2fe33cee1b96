package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
)

// Algorithm is a JWS "alg" (RFC 7518 §3.1, RFC 8037 §3.1). These three are all that we make and all that we read.
type Algorithm string

// The algorithms.
const (
	ES256 Algorithm = "ES256" // the default
	EdDSA Algorithm = "EdDSA" // Ed25519
	RS256 Algorithm = "RS256"
)

// Type is the "typ" of an access token (RFC 9068 §2.1).
const Type = "at+jwt"

// MaxAccessSize is the longest access token that is read. Web servers admit header lines of about this size.
const MaxAccessSize = 8 << 10

// Claims is what an access token says. Times are whole seconds since 1970. Sign writes them, JWS.Claims reads them.
type Claims struct {
	Issuer    string    `json:"iss"`
	Subject   string    `json:"sub"`
	Audience  []string  `json:"aud"`
	IssuedAt  int64     `json:"iat"`
	ExpiresAt int64     `json:"exp"`
	ID        string    `json:"jti"`
	ClientID  string    `json:"client_id"`
	SessionID SessionID `json:"sid"`
	Realm     string    `json:"realm"`
	Roles     []string  `json:"roles"`
	AuthTime  int64     `json:"auth_time"`
	Email     string    `json:"email,omitempty"`
	Name      string    `json:"name,omitempty"`
	CheckedAt int64     `json:"checked_at,omitempty"` // when the provider last confirmed the person
	NotBefore int64     `json:"nbf,omitempty"`        // never written by us; honoured when read (RFC 7519 §4.1.5)
}

// Sign makes an access token. The same input gives the same bytes with every algorithm: ES256 is the deterministic
// form of RFC 6979, the other two are deterministic by themselves. A repeat of a renewal relies on it.
func Sign(claims Claims, kid string, alg Algorithm, key crypto.Signer) (string, error) {
	if claims.Audience == nil {
		claims.Audience = []string{}
	}
	if claims.Roles == nil {
		claims.Roles = []string{}
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("write claims: %w", err)
	}
	header, err := json.Marshal(struct {
		Algorithm Algorithm `json:"alg"`
		KeyID     string    `json:"kid"`
		Type      string    `json:"typ"`
	}{alg, kid, Type})
	if err != nil {
		return "", fmt.Errorf("write header: %w", err)
	}
	input := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(payload)
	signature, err := sign([]byte(input), alg, key)
	if err != nil {
		return "", fmt.Errorf("sign access token: %w", err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

func sign(input []byte, alg Algorithm, key crypto.Signer) ([]byte, error) {
	if !fits(alg, key.Public()) {
		return nil, fmt.Errorf("a %T does not sign %s", key, alg)
	}
	if alg == EdDSA {
		return key.Sign(nil, input, crypto.Hash(0))
	}
	digest := sha256.Sum256(input)
	signature, err := key.Sign(nil, digest[:], crypto.SHA256) // no randomness: RFC 6979
	if err != nil || alg == RS256 {
		return signature, err
	}
	return joseSignature(signature)
}

// joseSignature turns the ASN.1 of an ECDSA signature into r‖s, 32 bytes each (RFC 7518 §3.4).
func joseSignature(der []byte) ([]byte, error) {
	var parts struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &parts); err != nil {
		return nil, err
	}
	signature := make([]byte, 64)
	parts.R.FillBytes(signature[:32])
	parts.S.FillBytes(signature[32:])
	return signature, nil
}

// fits tells whether a public key is of the kind that alg uses.
func fits(alg Algorithm, key crypto.PublicKey) bool {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		return alg == ES256 && key.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return alg == EdDSA
	case *rsa.PublicKey:
		return alg == RS256
	}
	return false
}
