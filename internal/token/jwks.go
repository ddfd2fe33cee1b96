package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// MaxJWKSSize is the largest key set that is read.
const MaxJWKSSize = 256 << 10

// PublicKey is a key that verifies access tokens. One key has one algorithm.
type PublicKey struct {
	ID        string // kid
	Algorithm Algorithm
	Key       crypto.PublicKey // *ecdsa.PublicKey (P-256), ed25519.PublicKey or *rsa.PublicKey
}

// jwk is a JSON Web Key as we write it: the members of RFC 7518 §6 and RFC 8037 §2 in the order of RFC 7638, which
// makes the first half of it the input of the thumbprint.
type jwk struct {
	Curve    string    `json:"crv,omitempty"`
	Exponent string    `json:"e,omitempty"`
	Type     string    `json:"kty"`
	Modulus  string    `json:"n,omitempty"`
	X        string    `json:"x,omitempty"`
	Y        string    `json:"y,omitempty"`
	ID       string    `json:"kid,omitempty"`
	Alg      Algorithm `json:"alg,omitempty"`
	Use      string    `json:"use,omitempty"`
}

func jwkOf(key crypto.PublicKey) (jwk, Algorithm, error) {
	encode := base64.RawURLEncoding.EncodeToString
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil || key.Curve != elliptic.P256() {
			return jwk{}, "", errors.New("not a point of P-256")
		}
		return jwk{Type: "EC", Curve: "P-256", X: encode(point[1:33]), Y: encode(point[33:])}, ES256, nil
	case ed25519.PublicKey:
		return jwk{Type: "OKP", Curve: "Ed25519", X: encode(key)}, EdDSA, nil
	case *rsa.PublicKey:
		return jwk{Type: "RSA", Modulus: encode(key.N.Bytes()), Exponent: encode(big.NewInt(int64(key.E)).Bytes())}, RS256, nil
	}
	return jwk{}, "", fmt.Errorf("no signing key of ours: %T", key)
}

// NewPublicKey names a key by itself: its ID is the first half of its JWK thumbprint (RFC 7638, SHA-256) in
// hexadecimal, which nobody has to quote on a command line. So whoever is handed the bare key in a file knows its kid,
// and nobody can call a withdrawn key by another name.
func NewPublicKey(key crypto.PublicKey) (PublicKey, error) {
	members, alg, err := jwkOf(key)
	if err != nil {
		return PublicKey{}, err
	}
	text, err := json.Marshal(members)
	if err != nil {
		return PublicKey{}, fmt.Errorf("write JWK: %w", err)
	}
	sum := sha256.Sum256(text)
	return PublicKey{ID: hex.EncodeToString(sum[:16]), Algorithm: alg, Key: key}, nil
}

// MarshalJWKS writes a key set (RFC 7517 §5).
func MarshalJWKS(keys []PublicKey) ([]byte, error) {
	set := struct {
		Keys []jwk `json:"keys"`
	}{Keys: make([]jwk, 0, len(keys))}
	for _, key := range keys {
		members, alg, err := jwkOf(key.Key)
		if err != nil || alg != key.Algorithm {
			return nil, fmt.Errorf("write key %q: a %T does not sign %s", key.ID, key.Key, key.Algorithm)
		}
		members.ID, members.Alg, members.Use = key.ID, alg, "sig"
		set.Keys = append(set.Keys, members)
	}
	return json.Marshal(set)
}

// ParseJWKS reads a key set. Keys that are not for verifying with an algorithm of ours are left out, silently: other
// uses may stand beside ours. Two keys of one kid make the whole set an error, as nobody can say which one is meant.
func ParseJWKS(data []byte) ([]PublicKey, error) {
	if len(data) > MaxJWKSSize {
		return nil, fmt.Errorf("read key set: larger than %d bytes", MaxJWKSSize)
	}
	r := reader{text: string(data)}
	keys, found := []PublicKey{}, false
	err := r.object(func(name string) error {
		if name != "keys" {
			return r.skip()
		}
		found = true
		return r.list('[', ']', func() error {
			key, usable, err := r.jwk()
			if usable {
				keys = append(keys, key)
			}
			return err
		})
	})
	if err != nil || !found || !r.end() {
		return nil, fmt.Errorf("read key set: %w", errJSON)
	}
	ids := map[string]bool{}
	for _, key := range keys {
		if ids[key.ID] {
			return nil, fmt.Errorf("read key set: two keys are called %q", key.ID)
		}
		ids[key.ID] = true
	}
	return keys, nil
}

// ParsePublicKeys reads keys that were handed over as a file: PEM ("PUBLIC KEY", any number), a JWK, or a JWKS. A key
// without a kid gets the one of NewPublicKey. No key at all is an error.
func ParsePublicKeys(data []byte) (keys []PublicKey, err error) {
	block, rest := pem.Decode(data)
	switch {
	case block != nil:
		keys, err = parsePEM(block, rest)
	default:
		if keys, err = ParseJWKS(data); err != nil {
			keys, err = ParseJWKS(slices.Concat([]byte(`{"keys":[`), data, []byte(`]}`)))
		}
	}
	if err == nil && len(keys) == 0 {
		err = errors.New("no public key for ES256, EdDSA or RS256 in it")
	}
	if err != nil {
		return nil, err
	}
	for i, key := range keys {
		if key.ID != "" {
			continue
		}
		if keys[i], err = NewPublicKey(key.Key); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

func parsePEM(block *pem.Block, rest []byte) (keys []PublicKey, err error) {
	for ; block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "PUBLIC KEY" {
			return nil, fmt.Errorf("want PEM of type PUBLIC KEY, not %s", block.Type)
		}
		parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read public key: %w", err)
		}
		key, err := NewPublicKey(parsed)
		if err != nil {
			return nil, err
		}
		if public, ok := parsed.(*rsa.PublicKey); ok && !sound(public) {
			return nil, errors.New("read public key: RSA keys have 2048 to 8192 bits")
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// jwkMembers is what a JWK says, before anybody asks what it can do.
type jwkMembers struct {
	jwk
	ops     []string
	private bool
}

// jwk reads one key of a set; usable is false for one that we must not or cannot verify with.
func (r *reader) jwk() (key PublicKey, usable bool, err error) {
	var m jwkMembers
	err = r.object(func(name string) (err error) {
		if name == "key_ops" {
			m.ops, err = r.strings()
			return err
		}
		if field := m.field(name); field != nil {
			*field, err = r.string()
			return err
		}
		// A private or symmetric key in public is nobody's any more.
		m.private = m.private || slices.Contains([]string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}, name)
		return r.skip()
	})
	if err != nil {
		return PublicKey{}, false, err
	}
	key, usable = m.publicKey()
	return key, usable, nil
}

func (m *jwkMembers) field(name string) *string {
	switch name {
	case "kty":
		return &m.Type
	case "crv":
		return &m.Curve
	case "x":
		return &m.X
	case "y":
		return &m.Y
	case "n":
		return &m.Modulus
	case "e":
		return &m.Exponent
	case "kid":
		return &m.ID
	case "alg":
		return (*string)(&m.Alg)
	case "use":
		return &m.Use
	}
	return nil
}

// publicKey honours use, key_ops and alg (RFC 7517 §4.2–4.4): whoever says that a key is for something else is
// believed.
func (m jwkMembers) publicKey() (PublicKey, bool) {
	if m.private || m.Use != "" && m.Use != "sig" || m.ops != nil && !slices.Contains(m.ops, "verify") {
		return PublicKey{}, false
	}
	var key crypto.PublicKey
	var alg Algorithm
	switch {
	case m.Type == "EC" && m.Curve == "P-256":
		key, alg = m.ec(), ES256
	case m.Type == "OKP" && m.Curve == "Ed25519":
		key, alg = m.ed25519(), EdDSA
	case m.Type == "RSA":
		key, alg = m.rsa(), RS256
	}
	if key == nil || m.Alg != "" && m.Alg != alg {
		return PublicKey{}, false
	}
	return PublicKey{ID: m.ID, Algorithm: alg, Key: key}, true
}

// ec is nil unless the point lies on the curve: another one would make the check worth nothing.
func (m jwkMembers) ec() crypto.PublicKey {
	x, err1 := decodeBase64(m.X)
	y, err2 := decodeBase64(m.Y)
	if err1 != nil || err2 != nil || len(x) != 32 || len(y) != 32 {
		return nil
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil
	}
	return key
}

func (m jwkMembers) ed25519() crypto.PublicKey {
	x, err := decodeBase64(m.X)
	if err != nil || len(x) != ed25519.PublicKeySize {
		return nil
	}
	return ed25519.PublicKey(x)
}

func (m jwkMembers) rsa() crypto.PublicKey {
	n, err1 := decodeBase64(m.Modulus)
	e, err2 := decodeBase64(m.Exponent)
	if err1 != nil || err2 != nil || len(e) == 0 || len(e) > 4 || len(n) > 1024 {
		return nil
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	if !sound(key) {
		return nil
	}
	return key
}

// sound refuses RSA keys that are weak, and those so large that one check of a signature costs a denial of service.
func sound(key *rsa.PublicKey) bool {
	bits := key.N.BitLen()
	return bits >= 2048 && bits <= 8192 && key.E >= 3 && key.E%2 == 1 && key.E <= 1<<31-1
}
