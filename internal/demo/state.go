package demo

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// grantsPerPerson is how many refresh tokens one person may have; the oldest is dropped, as Google does (at 100).
const grantsPerPerson = 200

// state is what the provider keeps in its file, so that a restart of the demo signs nobody out.
type state struct {
	SigningKey string   `json:"signing_key"` // PEM, PKCS #8
	Left       []string `json:"left"`        // e-mails of those who left the company
	Grants     []grant  `json:"grants"`      // oldest first
}

// grant is one refresh token that still works. The token itself is not in the file.
type grant struct {
	Hash     string `json:"hash"` // hex SHA-256 of the token
	Email    string `json:"email"`
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
	AuthTime int64  `json:"auth_time"` // seconds since 1970
}

func (s state) clone() state {
	s.Left, s.Grants = slices.Clone(s.Left), slices.Clone(s.Grants)
	return s
}

func (s *state) add(g grant) {
	theirs := 0
	for _, other := range s.Grants {
		if other.Email == g.Email {
			theirs++
		}
	}
	if theirs >= grantsPerPerson {
		oldest := slices.IndexFunc(s.Grants, func(other grant) bool { return other.Email == g.Email })
		s.Grants = slices.Delete(s.Grants, oldest, oldest+1)
	}
	s.Grants = append(s.Grants, g)
}

// errRefused leaves the book as it was.
var errRefused = errors.New("refused")

// book is the state and its file. A change is in the file before anybody is told of it; it is renamed into place, so a
// crash leaves either the old or the new one. It is not flushed to disk: a power cut may cost the demo its last second.
type book struct {
	path string

	mu  sync.Mutex // guards now, and the file
	now state
}

func openBook(path string) (*book, error) {
	b := &book{path: path}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return b, b.create()
	}
	if err != nil {
		return nil, fmt.Errorf("read provider state: %w", err)
	}
	if err := json.Unmarshal(data, &b.now); err != nil {
		return nil, fmt.Errorf("read provider state %s: %w", path, err)
	}
	return b, nil
}

func (b *book) create() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("make provider key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("make provider key: %w", err)
	}
	return b.change(func(s *state) error {
		s.SigningKey = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		return nil
	})
}

func (b *book) signingKey() (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(b.read().SigningKey))
	if block == nil {
		return nil, fmt.Errorf("provider state %s: no signing key", b.path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("provider state %s: %w", b.path, err)
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("provider state %s: the signing key is not RSA", b.path)
	}
	return private, nil
}

// read is a copy of the state.
func (b *book) read() state {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now.clone()
}

// change applies edit to all or, when it or the file fails, to nothing.
func (b *book) change(edit func(*state) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := b.now.clone()
	if err := edit(&next); err != nil {
		return err
	}
	data, err := json.MarshalIndent(next, "", " ")
	if err != nil {
		return fmt.Errorf("write provider state: %w", err)
	}
	if err := writeFile(b.path, data); err != nil {
		return fmt.Errorf("write provider state: %w", err)
	}
	b.now = next
	return nil
}

// writeFile replaces a file of the demo's directory at once; only its owner may read it.
func writeFile(path string, data []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // fails when all went well: it has been renamed
	if _, err := temporary.Write(data); err != nil {
		temporary.Close()
		return err
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}
