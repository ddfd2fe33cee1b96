package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store/pgtest"
	"github.com/munjigi/munjigi/internal/token"
)

// start is when every test begins. It has a fraction below the microsecond, which no store can give back.
var start = time.Date(2026, 3, 1, 9, 0, 0, 123456789, time.UTC)

const (
	issuer   = "https://accounts.example.com"
	idle     = 12 * time.Hour
	longest  = 7 * 24 * time.Hour
	accesses = 5 * time.Minute
)

// testSealer is AES-GCM under SHA-256 of a name: two names are two seal keys.
type testSealer struct{ aead cipher.AEAD }

func newTestSealer(name string) testSealer {
	key := sha256.Sum256([]byte(name))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return testSealer{aead}
}

func (s testSealer) Seal(plain, associated []byte) ([]byte, error) {
	return s.aead.Seal(nil, nil, plain, associated), nil
}

func (s testSealer) Open(sealed, associated []byte) ([]byte, error) {
	return s.aead.Open(nil, nil, sealed, associated)
}

// sqliteAt is a configuration of a database in dir.
func sqliteAt(dir string) Config { return configOf("sqlite:" + filepath.Join(dir, "munjigi.db")) }

func configOf(database string) Config {
	return Config{Database: database, Sealer: newTestSealer("seal key")}
}

// server is the PostgreSQL of this test binary; TestMain ends it.
var server = pgtest.Server{Named: os.Getenv("MUNJIGI_TEST_POSTGRES")}

// postgresFor is a configuration of an empty database.
func postgresFor(t testing.TB) Config {
	t.Helper()
	return configOf(server.Schema(t))
}

// onBoth runs a test on both engines, with an empty database.
func onBoth(t *testing.T, test func(*testing.T, Config)) {
	onEach(t, func(t *testing.T, empty func(*testing.T) Config) { test(t, empty(t)) })
}

// onEach is onBoth for tests that need several; a new one ends the life of the one before.
func onEach(t *testing.T, test func(t *testing.T, empty func(*testing.T) Config)) {
	t.Run("sqlite", func(t *testing.T) { test(t, func(t *testing.T) Config { return sqliteAt(t.TempDir()) }) })
	t.Run("postgres", func(t *testing.T) {
		c := postgresFor(t)
		made := false
		test(t, func(t *testing.T) Config {
			if made {
				s, err := Open(t.Context(), c)
				if err != nil {
					t.Fatal(err)
				}
				mustEmpty(t, s)
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			made = true
			return c
		})
	})
}

func mustOpen(t testing.TB, c Config) *Store {
	t.Helper()
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// beginning is a sign-in of the person named by subject, in a browser of its own, at the time at.
func beginning(subject string, at time.Time) session.Beginning {
	profile := account.Profile{Email: subject + "@example.com", Name: "Name of " + subject, Roles: []string{"viewer"}, CheckedAt: at}
	s := session.Session{
		ID: token.NewSessionID(), Realm: "staff", App: "console", Device: "Chrome on Windows", From: "192.0.2.7",
		StartedAt: at, EndsAt: at.Add(longest), AccessMax: accesses,
		Rotation: session.Rotation{
			Generation: 0, Presented: -1, At: at, IdleUntil: at.Add(idle), KeyID: "key 1", MACKeyID: 1,
			Access: accesses, Device: "Chrome on Windows", Profile: profile,
		},
	}
	rand.Read(s.HandleHash[:])
	return session.Beginning{
		Account: account.Account{ID: token.NewID(), Identity: account.Identity{Realm: "staff", Issuer: issuer, Subject: subject}, Profile: profile},
		Session: s, Grant: "grant of " + subject, RecheckAt: at.Add(5 * time.Minute),
		Policy: session.Policy{WhenFull: session.Replace},
		Event:  audit.Event{At: at, Action: audit.SignedIn, Realm: "staff", Actor: audit.Actor{Kind: audit.ByAccount}, From: "192.0.2.7"},
	}
}

func mustBegin(t testing.TB, s *Store, b session.Beginning) (session.Session, account.Account) {
	t.Helper()
	row, who, err := s.Begin(t.Context(), b)
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	return row, who
}

// rotated is the rotation that follows the session's.
func rotated(s session.Session, at time.Time) session.Rotation {
	next := s.Rotation
	next.Presented, next.Generation = next.Generation, next.Generation+1
	next.At, next.IdleUntil = at, at.Add(idle)
	return next
}

func ending(reason session.Reason, at time.Time) session.Ending {
	return session.Ending{Reason: reason, At: at, Actor: audit.Actor{Kind: audit.ByProgram}, From: "192.0.2.9"}
}

// flakySealer fails on demand.
type flakySealer struct {
	Sealer
	fail *bool
}

var errSealer = errors.New("sealer is broken on purpose")

func (s flakySealer) Seal(plain, associated []byte) ([]byte, error) {
	if *s.fail {
		return nil, fmt.Errorf("seal: %w", errSealer)
	}
	return s.Sealer.Seal(plain, associated)
}
