package store

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Sealer is authenticated encryption with associated data.
type Sealer interface {
	Seal(plain, associated []byte) ([]byte, error)
	Open(sealed, associated []byte) ([]byte, error)
}

// ErrSealKey is what Open says of a database that was sealed with another key.
var ErrSealKey = errors.New("the seal key is not the one that this database was sealed with")

// place is where a sealed value stands. It is authenticated with the value, so that nobody who can write to the
// database can move one sealed value into another's row, or bring an old one back.
type place struct {
	table, row string
	version    int64
}

func (p place) bytes() []byte {
	out := []byte("munjigi store 1\n")
	out = append(binary.AppendUvarint(out, uint64(len(p.table))), p.table...)
	out = append(binary.AppendUvarint(out, uint64(len(p.row))), p.row...)
	return binary.AppendVarint(out, p.version)
}

func (s *Store) seal(plain []byte, at place) ([]byte, error) {
	sealed, err := s.Sealer.Seal(plain, at.bytes())
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", at.table, err)
	}
	return sealed, nil
}

func (s *Store) unseal(sealed []byte, at place) ([]byte, error) {
	plain, err := s.Sealer.Open(sealed, at.bytes())
	if err != nil {
		return nil, fmt.Errorf("open sealed %s: %w", at.table, err)
	}
	return plain, nil
}
