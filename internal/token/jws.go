package token

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"strings"
)

var (
	// ErrMalformed is a text that is no token of ours in shape: not compact, not strict base64url, not strict JSON,
	// too long, or without the claims that every access token has.
	ErrMalformed = errors.New("not a compact JWS of the expected shape")
	// ErrHeader is a header that names a key or an extension of its own: jku, jwk, x5u, x5c or crit.
	ErrHeader = errors.New("the header brings its own key or extension")
	// ErrSignature is a signature that does not hold, or a key that is not for this algorithm.
	ErrSignature = errors.New("the signature does not hold")
)

// JWS is a compact JWS (RFC 7515 §7.1) that has been read and not yet believed. Verify before using anything of it
// but the Header.
type JWS struct {
	Header    Header
	payload   string
	input     string // what is signed
	signature []byte
}

// Header is what we read of a JOSE header. Nothing here is trusted: KeyID only chooses among keys that are held, and
// Algorithm must be the one of that key.
type Header struct {
	Algorithm Algorithm
	KeyID     string
	Type      string
}

// ParseJWS reads a token without judging its signature. Its cost is bounded whatever raw is: the length is looked at
// before anything else.
func ParseJWS(raw string) (JWS, error) {
	if len(raw) > MaxAccessSize {
		return JWS{}, ErrMalformed
	}
	head, rest, _ := strings.Cut(raw, ".")
	body, tail, found := strings.Cut(rest, ".")
	if !found || tail == "" || strings.IndexByte(tail, '.') >= 0 { // four dots would be a JWE
		return JWS{}, ErrMalformed
	}
	header, err1 := decodeBase64(head)
	payload, err2 := decodeBase64(body)
	signature, err3 := decodeBase64(tail)
	if err1 != nil || err2 != nil || err3 != nil {
		return JWS{}, ErrMalformed
	}
	jws := JWS{payload: string(payload), input: raw[:len(head)+1+len(body)], signature: signature}
	return jws, jws.Header.parse(string(header))
}

func (h *Header) parse(text string) error {
	r := reader{text: text}
	err := r.object(func(name string) (err error) {
		switch name {
		case "alg":
			var alg string
			alg, err = r.string()
			h.Algorithm = Algorithm(alg)
		case "kid":
			h.KeyID, err = r.string()
		case "typ":
			h.Type, err = r.string()
		case "jku", "jwk", "x5u", "x5c", "crit":
			return ErrHeader
		default:
			err = r.skip()
		}
		return err
	})
	if errors.Is(err, ErrHeader) {
		return ErrHeader
	}
	if err != nil || !r.end() || h.Algorithm == "" {
		return ErrMalformed
	}
	return nil
}

// IsAccessToken tells whether the header's typ is that of an access token. Media types have no case, and
// "application/" may stand before it (RFC 7515 §4.1.9).
func (h Header) IsAccessToken() bool {
	return strings.EqualFold(h.Type, Type) || strings.EqualFold(h.Type, "application/"+Type)
}

// Verify returns nil when the signature holds under key, and key's algorithm is the one that the header names.
func (j JWS) Verify(key PublicKey) error {
	if j.Header.Algorithm != key.Algorithm || !fits(key.Algorithm, key.Key) {
		return ErrSignature
	}
	holds := false
	switch public := key.Key.(type) {
	case *ecdsa.PublicKey:
		holds = verifyECDSA(public, j.input, j.signature)
	case ed25519.PublicKey:
		holds = len(public) == ed25519.PublicKeySize && ed25519.Verify(public, []byte(j.input), j.signature)
	case *rsa.PublicKey:
		digest := sha256.Sum256([]byte(j.input))
		holds = rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], j.signature) == nil
	}
	if !holds {
		return ErrSignature
	}
	return nil
}

// verifyECDSA takes r‖s. Numbers outside 1 … n−1 are refused here already: a zero was once a signature for
// everything (CVE-2022-21449).
func verifyECDSA(key *ecdsa.PublicKey, input string, signature []byte) bool {
	if len(signature) != 64 || !inRange(signature[:32]) || !inRange(signature[32:]) {
		return false
	}
	digest := sha256.Sum256([]byte(input))
	return ecdsa.VerifyASN1(key, digest[:], derSignature(signature))
}

// order is the order of P-256, big-endian.
var order = elliptic.P256().Params().N.Bytes()

func inRange(number []byte) bool {
	return bytes.Compare(number, order) < 0 && len(bytes.TrimLeft(number, "\x00")) > 0
}

// derSignature is the ASN.1 of r‖s, which the standard library asks for: SEQUENCE { INTEGER, INTEGER }. By hand, as
// going through big.Int costs a tenth of the whole check.
func derSignature(signature []byte) []byte {
	der := make([]byte, 2, 2+2*(2+33))
	for _, number := range [][]byte{signature[:32], signature[32:]} {
		number = bytes.TrimLeft(number, "\x00")
		der = append(der, 2, byte(len(number)))
		if number[0] >= 0x80 { // it would be negative
			der[len(der)-1]++
			der = append(der, 0)
		}
		der = append(der, number...)
	}
	der[0], der[1] = 0x30, byte(len(der)-2)
	return der
}

// Payload is what was signed.
func (j JWS) Payload() []byte { return []byte(j.payload) }

// Claims reads the payload as the claims of an access token; ErrMalformed when it is anything else.
func (j JWS) Claims() (Claims, error) {
	r := reader{text: j.payload}
	var c Claims
	seen := 0
	err := r.object(func(name string) error {
		required, err := c.read(&r, name)
		if required {
			seen++
		}
		return err
	})
	if err != nil || !r.end() || seen != requiredClaims {
		return Claims{}, ErrMalformed
	}
	return c, nil
}

// requiredClaims is how many names Claims.read calls required; none of them can occur twice.
const requiredClaims = 11

// read takes the value of one claim. Claims that we do not know are passed over (RFC 7519 §4).
func (c *Claims) read(r *reader, name string) (required bool, err error) {
	switch name {
	case "iss":
		c.Issuer, err = r.string()
	case "sub":
		c.Subject, err = r.string()
	case "aud":
		c.Audience, err = r.audience()
	case "iat":
		c.IssuedAt, err = r.integer()
	case "exp":
		c.ExpiresAt, err = r.integer()
	case "jti":
		c.ID, err = r.string()
	case "client_id":
		c.ClientID, err = r.string()
	case "sid":
		c.SessionID, err = r.sessionID()
	case "realm":
		c.Realm, err = r.string()
	case "roles":
		c.Roles, err = r.strings()
	case "auth_time":
		c.AuthTime, err = r.integer()
	default:
		return false, c.readOptional(r, name)
	}
	return true, err
}

func (c *Claims) readOptional(r *reader, name string) (err error) {
	switch name {
	case "email":
		c.Email, err = r.string()
	case "name":
		c.Name, err = r.string()
	case "checked_at":
		c.CheckedAt, err = r.integer()
	case "nbf":
		c.NotBefore, err = r.integer()
	default:
		err = r.skip()
	}
	return err
}

// audience is an array, or one string (RFC 7519 §4.1.3).
func (r *reader) audience() ([]string, error) {
	if r.peek() == '[' {
		return r.strings()
	}
	one, err := r.string()
	return []string{one}, err
}

func (r *reader) sessionID() (SessionID, error) {
	text, err := r.string()
	if err != nil {
		return SessionID{}, err
	}
	return ParseSessionID(text)
}
