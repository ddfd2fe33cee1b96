package keys

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// ErrSeal is what Open says of bytes that this key did not seal for this use: another seal key, or a changed database.
var ErrSeal = errors.New("sealed with another seal key, or changed since")

// maxSealFile bounds what is read of a seal key file; a keyset with dozens of keys is far smaller.
const maxSealFile = 1 << 20

// Sealer encrypts what the store keeps at rest: private keys, secrets, grants. Safe for concurrent use.
type Sealer struct{ aead tink.AEAD }

// CreateSealer makes a new key and writes it, flushed, to a new file that only its owner may read. A file that is
// already there is never touched: that is an error with fs.ErrExist.
//
// The key is XChaCha20-Poly1305: its nonces are long enough to draw at random for ever. The file is a Tink keyset in
// the clear, in Tink's own JSON form.
func CreateSealer(path string) (*Sealer, error) {
	handle, err := keyset.NewHandle(aead.XChaCha20Poly1305KeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("create seal key: %w", err)
	}
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&text)); err != nil {
		return nil, fmt.Errorf("create seal key: %w", err)
	}
	if err := writeNew(path, append(text.Bytes(), '\n')); err != nil {
		return nil, fmt.Errorf("create seal key file: %w", err)
	}
	return newSealer(handle)
}

// OpenSealer reads the key file. A file that others than its owner may read is refused: whoever has it and a copy of
// the database has every grant and every private key.
func OpenSealer(path string) (*Sealer, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open seal key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("seal key file %s: not a regular file", path)
	}
	if open := info.Mode().Perm() & 0o077; open != 0 {
		return nil, fmt.Errorf("seal key file %s: its mode is %04o, so others than its owner may use it; run: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	if info.Size() > maxSealFile {
		return nil, fmt.Errorf("seal key file %s: %d bytes are too many for a keyset", path, info.Size())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read seal key file: %w", err)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		return nil, fmt.Errorf("seal key file %s: not a keyset: %w", path, err)
	}
	sealer, err := newSealer(handle)
	if err != nil {
		return nil, fmt.Errorf("seal key file %s: %w", path, err)
	}
	return sealer, nil
}

func newSealer(handle *keyset.Handle) (*Sealer, error) {
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("seal key: %w", err)
	}
	return &Sealer{aead: primitive}, nil
}

// Seal encrypts plain. associated says what it is and whose, such as "grant ACCOUNT VERSION": the same must be given to
// Open, so that a sealed value copied into another row does not open there.
func (s *Sealer) Seal(plain, associated []byte) ([]byte, error) {
	sealed, err := s.aead.Encrypt(plain, associated)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return sealed, nil
}

// Open decrypts what Seal made, or returns ErrSeal.
func (s *Sealer) Open(sealed, associated []byte) ([]byte, error) {
	plain, err := s.aead.Decrypt(sealed, associated)
	if err != nil {
		return nil, ErrSeal // the primitive's own error says no more, on purpose
	}
	return plain, nil
}

// writeNew writes a file of mode 0600 that did not exist, and flushes it and its name in the directory. When that
// goes wrong half-way it leaves no file behind.
func writeNew(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = syncDirectory(filepath.Dir(path))
	}
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	err = directory.Sync()
	// Some file systems cannot flush a directory; the file itself is flushed by then.
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrInvalid) {
		err = nil
	}
	return errors.Join(err, directory.Close())
}
