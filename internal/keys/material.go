package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"strconv"
	"time"

	"github.com/munjigi/munjigi/internal/token"
)

// rsaBits is the size of RS256 keys: what RFC 7518 §3.3 asks for at least, and what every service's library takes.
const rsaBits = 2048

// maker makes key material for a decision. A decision may run several times inside a transaction that others wait for,
// and an RSA key takes a while: what one run made, the next one takes again.
type maker struct {
	algorithm token.Algorithm
	made      []Record
	used      int
	value     []byte // of the new secret
}

func (m *maker) rewind() { m.used = 0 }

func (m *maker) record(now time.Time) (Record, error) {
	if m.used == len(m.made) {
		record, err := newRecord(m.algorithm)
		if err != nil {
			return Record{}, err
		}
		m.made = append(m.made, record)
	}
	record := m.made[m.used]
	m.used++
	record.CreatedAt = now
	return record, nil
}

func (m *maker) secret(now time.Time) Secret {
	if m.value == nil {
		m.value = make([]byte, 32)
		rand.Read(m.value) // never fails: crypto/rand
	}
	return Secret{ID: 1, Value: m.value, CreatedAt: now}
}

// newRecord draws a key. It is named by itself (token.NewPublicKey), so a bare public key says which one it is.
func newRecord(algorithm token.Algorithm) (Record, error) {
	private, err := generate(algorithm)
	if err != nil {
		return Record{}, fmt.Errorf("create %s key: %w", algorithm, err)
	}
	public, err := token.NewPublicKey(private.Public())
	if err != nil {
		return Record{}, fmt.Errorf("create %s key: %w", algorithm, err)
	}
	record := Record{ID: public.ID, Algorithm: string(algorithm)}
	if record.Private, err = x509.MarshalPKCS8PrivateKey(private); err != nil {
		return Record{}, fmt.Errorf("create %s key: %w", algorithm, err)
	}
	if record.Public, err = x509.MarshalPKIXPublicKey(public.Key); err != nil {
		return Record{}, fmt.Errorf("create %s key: %w", algorithm, err)
	}
	return record, nil
}

func generate(algorithm token.Algorithm) (crypto.Signer, error) {
	switch algorithm {
	case token.ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case token.EdDSA:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	case token.RS256:
		return rsa.GenerateKey(rand.Reader, rsaBits)
	}
	return nil, fmt.Errorf("no such algorithm; there are %s, %s and %s", token.ES256, token.EdDSA, token.RS256)
}

// public reads the public half, and checks that the record names it and its algorithm rightly: one key, one algorithm.
func (r Record) public() (token.PublicKey, error) {
	key, err := x509.ParsePKIXPublicKey(r.Public)
	if err != nil {
		return token.PublicKey{}, fmt.Errorf("key %s: %w", r.ID, err)
	}
	public, err := token.NewPublicKey(key)
	if err != nil {
		return token.PublicKey{}, fmt.Errorf("key %s: %w", r.ID, err)
	}
	if public.ID != r.ID || string(public.Algorithm) != r.Algorithm {
		return token.PublicKey{}, fmt.Errorf("key %s for %s: its public half is that of key %s for %s", r.ID, r.Algorithm, public.ID, public.Algorithm)
	}
	return public, nil
}

// private reads the private half, and checks that it belongs to the public one.
func (r Record) private(public token.PublicKey) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(r.Private)
	if err != nil {
		return nil, fmt.Errorf("key %s: private half: %w", r.ID, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("key %s: private half: a %T cannot sign", r.ID, key)
	}
	if same, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !same.Equal(public.Key) {
		return nil, fmt.Errorf("key %s: private and public half do not belong together", r.ID)
	}
	return signer, nil
}

func secretName(id uint32) string { return strconv.FormatUint(uint64(id), 10) }
