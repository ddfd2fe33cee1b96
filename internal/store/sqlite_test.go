package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/token"
)

// Names with a character that a URL would take for itself.
func TestOpenPaths(t *testing.T) {
	for _, name := range []string{"plain.db", "a b.db", "100%.db", "what?.db", "x#y.db", "한국어.db", "a&_pragma=x.db"} {
		path := filepath.Join(t.TempDir(), name)
		s, err := Open(t.Context(), Config{Database: "sqlite:" + path, Sealer: newTestSealer("k")})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s: not where it was asked for: %v", name, err)
		}
	}
	for _, wrong := range []string{"", "sqlite:", "munjigi.db", "mysql:x", "sqlite:" + t.TempDir() + "/missing/x.db"} {
		if s, err := Open(t.Context(), Config{Database: wrong, Sealer: newTestSealer("k")}); err == nil {
			t.Errorf("%q: opened", wrong)
			_ = s.Close()
		}
	}
	if _, err := Open(t.Context(), Config{Database: "sqlite:" + filepath.Join(t.TempDir(), "x.db")}); err == nil {
		t.Error("opened without a sealer")
	}
}

func TestDurableSettings(t *testing.T) {
	s := mustOpen(t, sqliteAt(t.TempDir()))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		var got string
		if err := s.db.Do(t.Context(), engine.Usual, func(t *engine.Tx) error {
			_, err := t.One(`PRAGMA `+pragma, nil, &got)
			return err
		}); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", pragma, got, err, want)
		}
	}
	var n int64
	if err := s.db.Row(t.Context(), `DELETE FROM feed_head RETURNING n`).Scan(&n); err == nil {
		t.Error("a reader may write")
	}
}

func TestPrivateFile(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, sqliteAt(dir))
	mustBegin(t, s, beginning("kim", start))
	files, err := filepath.Glob(filepath.Join(dir, "munjigi.db*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("got %v, %v, want the database and its log", files, err)
	}
	for _, name := range files {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got %v, %v, want 0600", filepath.Base(name), info.Mode(), err)
		}
	}
}

func TestReopen(t *testing.T) { onBoth(t, testReopen) }

func testReopen(t *testing.T, c Config) {
	s := mustOpen(t, c)
	row, _ := mustBegin(t, s, beginning("kim", start))
	epoch := mustRevocations(t, s, 0).Epoch
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := mustOpen(t, c)
	if _, _, err := again.Session(t.Context(), row.ID); err != nil || mustRevocations(t, again, 0).Epoch != epoch {
		t.Errorf("reopened: %v", err)
	}
	if _, ok, err := again.Lease(t.Context(), row.Account, start, due); !ok || err != nil {
		t.Error(err)
	}
}

func TestWrongSealKey(t *testing.T) { onBoth(t, testWrongSealKey) }

func testWrongSealKey(t *testing.T, c Config) {
	s := mustOpen(t, c)
	mustBegin(t, s, beginning("kim", start))
	before := dump(t, s)
	wrong := c
	wrong.Sealer = newTestSealer("another seal key")
	if _, err := Open(t.Context(), wrong); !errors.Is(err, ErrSealKey) {
		t.Errorf("got %v, want ErrSealKey", err)
	}
	if before != dump(t, s) {
		t.Error("a refused start changed something")
	}
}

func TestNewerSchema(t *testing.T) { onBoth(t, testNewerSchema) }

func testNewerSchema(t *testing.T, c Config) {
	s := mustOpen(t, c)
	mustExec(t, s, `INSERT INTO migrations (number, name, applied_at) VALUES ($1, 'from the future', 0)`, SchemaVersion+1)
	if _, err := Open(t.Context(), c); !errors.Is(err, ErrNewerSchema) || !strings.Contains(err.Error(), "number "+strconv.Itoa(SchemaVersion+1)) {
		t.Errorf("got %v, want ErrNewerSchema with the number", err)
	}
}

// A migration that fails leaves nothing; and a file that is no database is refused.
func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "munjigi.db"), bytes.Repeat([]byte("not a database "), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), sqliteAt(dir)); err == nil {
		t.Error("a text file was opened as a database")
	}
	c, broken := sqliteAt(t.TempDir()), true
	good := c.Sealer
	c.Sealer = flakySealer{good, &broken}
	if _, err := Open(t.Context(), c); !errors.Is(err, errSealer) {
		t.Errorf("got %v", err)
	}
	broken = false
	mustOpen(t, c) // nothing of the first attempt is in the way
}

// What is sealed must not be found in the files, while they are in use and afterwards.
func TestSealedAtRest(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), sqliteAt(dir))
	if err != nil {
		t.Fatal(err)
	}
	b := beginning("kim", start)
	b.Grant = "CANARY-of-the-grant"
	b.Account.Email = "visible@example.com"
	mustBegin(t, s, b)
	if _, err := s.ChangeKeys(t.Context(), func(keys.Set) (keys.Change, error) {
		return keys.Change{
			Put:        []keys.Record{{ID: "one", Public: []byte("public"), Private: []byte("CANARY-of-the-private-key")}},
			PutSecrets: []keys.Secret{{ID: 1, Value: []byte("CANARY-of-the-secret")}},
		}, nil
	}); err != nil {
		t.Fatal(err)
	}
	search := func(when string) {
		t.Helper()
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		visible := false
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(data, []byte("CANARY")) {
				t.Errorf("%s: %s holds a secret in the clear", when, filepath.Base(name))
			}
			visible = visible || bytes.Contains(data, []byte("visible@example.com"))
		}
		if !visible {
			t.Errorf("%s: the search finds nothing at all", when)
		}
	}
	search("open")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	search("closed")
}

// A sealed value opens in its own row and version only.
func TestSealedValuesStayInPlace(t *testing.T) { onBoth(t, testSealedValuesStayInPlace) }

func testSealedValuesStayInPlace(t *testing.T, c Config) {
	s := mustOpen(t, c)
	_, kim := mustBegin(t, s, beginning("kim", start))
	_, lee := mustBegin(t, s, beginning("lee", start))
	mustExec(t, s, `UPDATE grants SET token = (SELECT token FROM grants WHERE account = $1) WHERE account = $2`, kim.ID, lee.ID)
	_, _, err := s.Lease(t.Context(), lee.ID, due, due.Add(lease))
	wantCode(t, err, fault.StoreUnavailable)
	if got := leaseDue(t, s, due.Add(lease), 10); len(got) != 1 || got[0].Account.ID != kim.ID {
		t.Errorf("one that cannot be opened keeps others waiting: got %v", got)
	}
	mustExec(t, s, `UPDATE grants SET version = 7 WHERE account = $1`, kim.ID)
	_, _, err = s.Lease(t.Context(), kim.ID, due.Add(time.Hour), due.Add(2*time.Hour))
	wantCode(t, err, fault.StoreUnavailable)
}

// The command line writes to the same file as the server.
func TestTwoHandles(t *testing.T) { onBoth(t, testTwoHandles) }

func testTwoHandles(t *testing.T, c Config) {
	handles := []*Store{mustOpen(t, c), mustOpen(t, c)}
	ctx := context.WithoutCancel(t.Context())
	inParallelDo(16, func(i int) {
		s, other := handles[i%2], handles[(i+1)%2]
		for range 10 {
			row, _, err := s.Begin(ctx, beginning(token.NewID(), start))
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := other.Rotate(ctx, row.ID, 0, rotated(row, start.Add(time.Minute)), nil, nil); err != nil {
				t.Error(err)
			}
			if ended, err := s.End(ctx, row.ID, ending(session.SignedOut, start.Add(time.Hour))); err != nil || ended.Rotation.Generation != 1 || ended.Ended == nil {
				t.Errorf("end: got %+v, %v", ended, err)
			}
		}
	})
	for _, s := range handles {
		check(t, s)
	}
}
