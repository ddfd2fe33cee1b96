package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/pgtest"
	"github.com/munjigi/munjigi/internal/token"
)

// server is the PostgreSQL of this test binary; TestMain ends it.
var server = pgtest.Server{Named: os.Getenv("MUNJIGI_TEST_POSTGRES")}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// source is a store with people, of whom every other one has signed out, and with what every table can hold.
func source(t *testing.T, people int) (address string, sealer *keys.Sealer, live session.Session) {
	t.Helper()
	dir := t.TempDir()
	sealer, err := keys.CreateSealer(filepath.Join(dir, "munjigi.key"))
	if err != nil {
		t.Fatal(err)
	}
	address = "sqlite:" + filepath.Join(dir, "munjigi.db")
	st := open(t, address, sealer)
	if _, err := keys.Open(t.Context(), keys.Config{Store: st}); err != nil {
		t.Fatal(err)
	}
	for i := range people {
		row, _, err := st.Begin(t.Context(), beginning(fmt.Sprintf("사람 %d", i)))
		if err != nil {
			t.Fatal(err)
		}
		live = row
		if i%2 == 1 {
			if _, err := st.End(t.Context(), row.ID, session.Ending{Reason: session.SignedOut, At: row.StartedAt.Add(time.Minute)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := st.LegacySecret(t.Context()); err != nil {
		t.Fatal(err)
	}
	exec(t, engine.SQLite{Path: strings.TrimPrefix(address, "sqlite:")}, `
		INSERT INTO gone (provider, account, at) VALUES ('p', 'a', 1); INSERT INTO waves (provider, since, people) VALUES ('p', 1, 2);
		INSERT INTO attempts (id, until) VALUES (x'00ff', 9223372036854775807); INSERT INTO operations (service, operation, terms) -- more than one batch, and not a whole number of statements
			WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2101) SELECT 'wishlist', 'GET /' || n, '{}' FROM n;
		INSERT INTO legacy_tokens (realm, hash, session, at) VALUES ('r', x'', x'01', -1);
		INSERT INTO members (account, realm, login, hash, secret, changed_at, origin) SELECT id, realm, email, NULL, 1, 2, x'07' FROM accounts LIMIT 5;
		INSERT INTO guesses (id, bucket, at, open) VALUES (x'01', x'02', 3, 1); INSERT INTO links (hash, realm, account, changes, login, name, made_at, until, used_at) VALUES (x'01', 'r', '', 0, 'l', 'n''"\', 1, 2, 0);
		INSERT INTO documents (service, language, etag, fetched_at, body) VALUES ('market', 'ko', '"1"', 5, x'00ec'); INSERT INTO operations (service, operation, terms) VALUES ('market', '', '{}');
		INSERT INTO calls (id, event, at) VALUES ('1', '{}', 7)`)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	return address, sealer, live
}

func beginning(subject string) session.Beginning {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	profile := account.Profile{Email: subject + "@example.com", Name: subject, Roles: []string{"viewer"}, CheckedAt: at}
	return session.Beginning{
		Account: account.Account{ID: token.NewID(), Identity: account.Identity{Realm: "staff", Issuer: "https://accounts.example.com", Subject: subject}, Profile: profile},
		Session: session.Session{
			ID: token.NewSessionID(), Realm: "staff", App: "console", StartedAt: at, EndsAt: at.AddDate(1, 0, 0), AccessMax: time.Minute,
			Rotation: session.Rotation{Presented: -1, At: at, IdleUntil: at.AddDate(0, 6, 0), KeyID: "k", MACKeyID: 1, Access: time.Minute, Profile: profile},
		},
		Grant: "grant of " + subject, RecheckAt: at, Policy: session.Policy{WhenFull: session.Replace},
		Event: audit.Event{At: at, Action: audit.SignedIn, Realm: "staff", Details: map[string]string{"name": subject}},
	}
}

func open(t *testing.T, address string, sealer *keys.Sealer) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), store.Config{Database: address, Sealer: sealer})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// exec runs a script on a database.
func exec(t *testing.T, e engine.Engine, script string) {
	t.Helper()
	use(t, e, func(db *engine.DB) error {
		return db.Do(t.Context(), engine.Usual, func(tx *engine.Tx) error { return tx.Script(script) })
	})
}

func use(t *testing.T, e engine.Engine, do func(*engine.DB) error) {
	t.Helper()
	db, err := engine.Open(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(do(db), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// dump is everything in the tables.
func dump(t *testing.T, e engine.Engine, tables []string) (lines []string) {
	t.Helper()
	use(t, e, func(db *engine.DB) error {
		for _, table := range tables {
			rows, err := db.In(t.Context()).Query(`SELECT * FROM ` + table)
			if err != nil {
				return err
			}
			columns, err := rows.Columns()
			if err != nil {
				return err
			}
			var found []string
			for {
				values, err := read(rows, len(columns))
				if err != nil {
					return err
				}
				if len(values) == 0 {
					break
				}
				for i := 0; i < len(values); i += len(columns) {
					found = append(found, fmt.Sprintf("%s %v %x", table, columns, values[i:i+len(columns)]))
				}
			}
			if err := rows.Close(); err != nil {
				return err
			}
			if len(found) == 0 {
				t.Errorf("%s is empty: its copy shows nothing", table)
			}
			lines = append(lines, found...)
		}
		return nil
	})
	slices.Sort(lines)
	return lines
}

func tablesOf(t *testing.T, address string) (tables []string) {
	t.Helper()
	use(t, engine.SQLite{Path: strings.TrimPrefix(address, "sqlite:")}, func(db *engine.DB) (err error) {
		tables, err = engine.List(db.In(t.Context()), scanText, `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
		return err
	})
	return tables
}

func wantSame(t *testing.T, from, to string) {
	t.Helper()
	tables := tablesOf(t, from)
	diff := cmp.Diff(dump(t, engine.SQLite{Path: strings.TrimPrefix(from, "sqlite:")}, tables), dump(t, engine.Postgres{URL: to}, tables))
	if diff != "" {
		t.Errorf("source and copy (-want +got):\n%s", diff)
	}
}

func TestCopy(t *testing.T) {
	from, sealer, live := source(t, 51)
	to := server.Schema(t)
	var out bytes.Buffer
	if err := Copy(t.Context(), Config{from, to, &out}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "copied and verified") || !strings.Contains(out.String(), "51 in accounts") {
		t.Errorf("said %q", &out)
	}
	wantSame(t, from, to)
	st := open(t, to, sealer)
	defer st.Close()
	row, _, err := st.Session(t.Context(), live.ID)
	if err != nil || row.Ended != nil {
		t.Fatalf("the session of before: %+v, %v", row, err)
	}
	if _, _, err := st.Begin(t.Context(), beginning("somebody new")); err != nil {
		t.Errorf("a sign-in after it: %v", err)
	}
	if _, err := keys.Open(t.Context(), keys.Config{Store: st}); err != nil {
		t.Errorf("its keys: %v", err)
	}
	if err := Copy(t.Context(), Config{from, to, &out}); !errors.Is(err, ErrInUse) {
		t.Errorf("into a store that is in use: %v", err)
	}
}

// One that was interrupted begins anew, and an unfinished one is no store.
func TestCopyIsInterrupted(t *testing.T) {
	from, sealer, _ := source(t, 30)
	to := server.Schema(t)
	copyIs := func(want error) {
		t.Helper()
		if err := Copy(context.WithoutCancel(t.Context()), Config{from, to, &bytes.Buffer{}}); !errors.Is(err, want) {
			t.Fatalf("got %v, want %v", err, want)
		}
	}
	copyIs(nil)
	half := `DROP TABLE migrations; DELETE FROM audit WHERE n > 10; UPDATE feed_head SET n = 1; CREATE TABLE munjigi_copy (begun BIGINT)`
	exec(t, engine.Postgres{URL: to}, half)
	if st, err := store.Open(t.Context(), store.Config{Database: to, Sealer: sealer}); err == nil {
		t.Error("half a copy was opened as a store")
		_ = st.Close()
	}
	// What the new database loses, or keeps otherwise, is noticed.
	exec(t, engine.Postgres{URL: to}, `CREATE RULE lose AS ON INSERT TO sessions WHERE new.seq = 7 DO INSTEAD NOTHING`)
	copyIs(ErrDiffers)
	exec(t, engine.Postgres{URL: to}, `DROP RULE lose ON sessions`)
	copyIs(nil)
	wantSame(t, from, to)
}

// A source whose audit was tampered with is not copied as if it were whole.
func TestCopyOfABrokenChain(t *testing.T) {
	from, _, _ := source(t, 3)
	exec(t, engine.SQLite{Path: strings.TrimPrefix(from, "sqlite:")}, `UPDATE audit SET realm = 'members' WHERE n = 2`)
	to := server.Schema(t)
	if err := Copy(t.Context(), Config{from, to, &bytes.Buffer{}}); !errors.Is(err, ErrDiffers) {
		t.Errorf("got %v", err)
	}
}

func TestCopyRefuses(t *testing.T) {
	from, sealer, _ := source(t, 1)
	empty, used := server.Schema(t), server.Schema(t)
	if err := open(t, used, sealer).Close(); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(t.TempDir(), "none.db")
	use(t, engine.SQLite{Path: none}, func(*engine.DB) error { return nil })
	for name, test := range map[string]struct {
		from, to string
		want     error
	}{
		"from PostgreSQL": {used, empty, ErrKinds}, "to SQLite": {from, from + "2", ErrKinds},
		"a store that is used": {from, used, ErrInUse}, "no store": {"sqlite:" + none, empty, ErrNoStore}, "no file": {"sqlite:" + none + "2", empty, ErrNoStore},
	} {
		if err := Copy(t.Context(), Config{test.from, test.to, &bytes.Buffer{}}); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	exec(t, engine.SQLite{Path: strings.TrimPrefix(from, "sqlite:")}, `DELETE FROM migrations WHERE number = 6`)
	if err := Copy(t.Context(), Config{from, empty, &bytes.Buffer{}}); !errors.Is(err, ErrOldStore) {
		t.Errorf("an older store: got %v", err)
	}
	exec(t, engine.SQLite{Path: strings.TrimPrefix(from, "sqlite:")}, `INSERT INTO migrations VALUES (1000, 'future', 0)`)
	if err := Copy(t.Context(), Config{from, empty, &bytes.Buffer{}}); !errors.Is(err, store.ErrNewerSchema) {
		t.Errorf("a newer store: got %v", err)
	}
}
