package keys

import (
	"crypto"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/munjigi/munjigi/internal/token"
)

// refreshLabel is the use of a secret that refresh tokens' MACs have.
const refreshLabel = "refresh token"

// snapshot is a Set made ready for use at one moment. It never changes once it is published.
type snapshot struct {
	set    Set
	until  time.Time // when time alone makes another snapshot of the same set; zero = never
	active string
	making uint32 // the secret for new refresh tokens

	signers map[string]signer
	secrets map[uint32]Secret
	macs    map[uint32]token.MACKey
	public  []token.PublicKey
	jwks    []byte
}

type signer struct {
	algorithm token.Algorithm
	key       crypto.Signer
}

// snapshot reads the keys of a set. parsed holds those of the snapshot before, so that a change of one key costs one.
func (s schedule) snapshot(set Set, now time.Time, before *snapshot) (*snapshot, error) {
	snap := &snapshot{set: set, signers: map[string]signer{}, secrets: map[uint32]Secret{}, macs: map[uint32]token.MACKey{}}
	for _, record := range set.Keys {
		if err := snap.add(s, record, now, before); err != nil {
			return nil, err
		}
	}
	if snap.active == "" {
		return nil, fmt.Errorf("no signing key among %d", len(set.Keys))
	}
	for _, secret := range set.Secrets {
		snap.addSecret(s, secret, now)
	}
	making, ok := set.makesTokens(now)
	if !ok {
		return nil, fmt.Errorf("no secret for new tokens among %d", len(set.Secrets))
	}
	snap.making = making.ID
	snap.turn(making.RetiredAt, now)
	var err error
	if snap.jwks, err = token.MarshalJWKS(snap.public); err != nil {
		return nil, fmt.Errorf("publish keys: %w", err)
	}
	return snap, nil
}

func (snap *snapshot) add(s schedule, record Record, now time.Time, before *snapshot) error {
	if record.active() {
		snap.active = record.ID
	}
	if !record.RetiredAt.IsZero() {
		snap.turn(s.publicUntil(record), now)
		snap.turn(s.privateUntil(record), now)
	}
	if !s.published(record, now) && !s.canSign(record, now) {
		return nil
	}
	public, err := record.public()
	if err != nil {
		return err
	}
	if s.published(record, now) {
		snap.public = append(snap.public, public)
	}
	if !s.canSign(record, now) {
		return nil
	}
	if before != nil {
		if known, ok := before.signers[record.ID]; ok {
			snap.signers[record.ID] = known
			return nil
		}
	}
	key, err := record.private(public)
	if err != nil {
		return err
	}
	snap.signers[record.ID] = signer{public.Algorithm, key}
	return nil
}

func (snap *snapshot) addSecret(s schedule, secret Secret, now time.Time) {
	if !secret.RetiredAt.IsZero() {
		if !now.Before(s.secretUntil(secret)) {
			return
		}
		snap.turn(s.secretUntil(secret), now)
	}
	snap.secrets[secret.ID] = secret
	snap.macs[secret.ID] = token.MACKey{ID: secret.ID, Key: derive(secret, refreshLabel)}
}

// turn notes a moment at which this snapshot is over.
func (snap *snapshot) turn(at, now time.Time) {
	if at.After(now) && (snap.until.IsZero() || at.Before(snap.until)) {
		snap.until = at
	}
}

func (snap *snapshot) over(now time.Time) bool {
	return !snap.until.IsZero() && !now.Before(snap.until)
}

// derive makes the key for one use: whoever learns it learns no other, and not the secret.
func derive(secret Secret, label string) (key [32]byte) {
	derived, err := hkdf.Key(sha256.New, secret.Value, nil, label, len(key))
	if err != nil {
		panic(err) // only for lengths that SHA-256 cannot give
	}
	copy(key[:], derived)
	return key
}
