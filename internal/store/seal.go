package store

import (
	"errors"
	"fmt"

	"github.com/munjigi/munjigi/internal/store/pack"
)

// Sealer is authenticated encryption with associated data.
type Sealer interface {
	Seal(plain, associated []byte) ([]byte, error)
	Open(sealed, associated []byte) ([]byte, error)
}

// ErrSealKey is what Open says of a database that was sealed with another key.
var ErrSealKey = errors.New("the seal key is not the one that this database was sealed with")

type place = pack.Place

func (s *Store) seal(plain []byte, at place) ([]byte, error) {
	sealed, err := s.Sealer.Seal(plain, at.Bytes())
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", at.Table, err)
	}
	return sealed, nil
}

func (s *Store) unseal(sealed []byte, at place) ([]byte, error) {
	plain, err := s.Sealer.Open(sealed, at.Bytes())
	if err != nil {
		return nil, fmt.Errorf("open sealed %s: %w", at.Table, err)
	}
	return plain, nil
}
