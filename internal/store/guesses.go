package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"time"

	"github.com/munjigi/munjigi/internal/signin"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/pack"
)

var guessKeyAt = pack.At("guess_key", "1", 1)

// stalled is after how long a guess that is still open is not waited for any more: its node is gone.
const stalled = 30 * time.Second

// newGuessKey draws the key under which names of buckets are hashed. It is never rotated: then an account would have
// its guesses anew.
func (s *Store) newGuessKey(t *tx) error {
	var key [32]byte
	if _, err := io.ReadFull(s.Random, key[:]); err != nil {
		return fmt.Errorf("draw guess key: %w", err)
	}
	sealed, err := s.seal(key[:], guessKeyAt)
	if err != nil {
		return err
	}
	return t.Exec(`INSERT INTO guess_key (one, sealed) VALUES (1, $1)`, sealed)
}

// readGuessKey is for Open, once the schema is there.
func (s *Store) readGuessKey(ctx context.Context) error {
	var sealed []byte
	if err := s.db.Row(ctx, `SELECT sealed FROM guess_key WHERE one = 1`).Scan(&sealed); err != nil {
		return fmt.Errorf("read guess key: %w", err)
	}
	key, err := s.unseal(sealed, guessKeyAt)
	s.guessKey = key
	return err
}

func (s *Store) bucket(name string) []byte {
	mac := hmac.New(sha256.New, s.guessKey)
	mac.Write([]byte(name)) // never fails
	return mac.Sum(nil)
}

// Reserve implements signin.GuessStore.
func (s *Store) Reserve(ctx context.Context, g signin.Guess) (signin.Places, error) {
	return write(ctx, s, engine.Usual, "reserve guess", func(t *tx) (places signin.Places, err error) {
		if places.From, err = s.reserve(t, g, g.From); err != nil || !places.From.Taken {
			return places, err
		}
		places.At, err = s.reserve(t, g, g.At)
		return places, err
	})
}

// reserve takes a place in one bucket. Its own, of an earlier call, does not count against it.
func (s *Store) reserve(t *tx, g signin.Guess, b signin.Bucket) (signin.Place, error) {
	if b.Name == "" {
		return signin.Place{Taken: true}, nil
	}
	name := s.bucket(b.Name)
	var count, open, oldest int64
	_, err := t.One(`SELECT count(*), coalesce(sum(CASE WHEN open = 1 AND at > $1 THEN 1 ELSE 0 END), 0), coalesce(min(at), 0)
		FROM guesses WHERE bucket = $2 AND at > $3 AND id <> $4`,
		[]any{micros(g.Now.Add(-stalled)), name, micros(g.Now.Add(-g.Window)), g.ID[:]}, &count, &open, &oldest)
	if err != nil {
		return signin.Place{}, err
	}
	if count >= int64(b.Most) {
		wait := max(fromMicros(oldest).Add(g.Window).Sub(g.Now), time.Second)
		return signin.Place{Open: int(open), Wait: min(wait, g.Window)}, nil
	}
	return signin.Place{Taken: true}, t.Exec(`INSERT INTO guesses (id, bucket, at, open) VALUES ($1, $2, $3, 1)
		ON CONFLICT (id, bucket) DO NOTHING`, g.ID[:], name, micros(g.Now))
}

// Settle implements signin.GuessStore.
func (s *Store) Settle(ctx context.Context, id [16]byte, wrong bool) error {
	query := `DELETE FROM guesses WHERE id = $1`
	if wrong {
		query = `UPDATE guesses SET open = 0 WHERE id = $1`
	}
	_, err := write(ctx, s, engine.Single, "settle guess", func(t *tx) (struct{}, error) { return struct{}{}, t.Exec(query, id[:]) })
	return err
}
