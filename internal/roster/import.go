package roster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
)

// Outcome is what became of an entry. The zero value is none.
type Outcome struct {
	Kind   string
	Reason string // of a refusal
}

// Kinds of outcomes.
const (
	Added     = "added"
	Updated   = "updated"
	Unchanged = "unchanged" // was there already, with the same data
	Refused   = "refused"
)

// Store is what an import asks of the store.
type Store interface {
	// Member finds one by the login, as account.Login gives it.
	Member(ctx context.Context, realm, login string) (m account.Member, found bool, err error)
	// Import adds the entries whose login is free in its realm, all in one transaction, and says of each what became of
	// it, in their order. One whose login is taken is Unchanged if nothing of the member differs (Entry.Onto), else
	// Refused with what does; with update it is changed, and the member's sessions end if the password, the roles or
	// disabled did. Called again after its answer was lost it changes nothing.
	Import(ctx context.Context, entries []Entry, update bool, by audit.Event) ([]Outcome, error)
}

// Hasher makes and checks hashes of passwords. account.Hasher does.
type Hasher interface {
	Hash(ctx context.Context, p account.Password) (encoded string, err error)
	Verify(ctx context.Context, encoded string, p account.Password) (ok, outdated bool, err error)
}

// Config is one import. All but Update, Progress and Refused is required.
type Config struct {
	Realm     string
	CheckRole func(role string) error // its error says what was expected
	Store     Store
	Hasher    Hasher
	Update    bool // change members who are there already
	Actor     audit.Actor
	Now       func() time.Time // in whole microseconds
	Progress  func(Count)      // after each batch
	Refused   func(Refusal)
}

// Count is how far an import is.
type Count struct {
	Added     int   `json:"added"`
	Updated   int   `json:"updated"`
	Unchanged int   `json:"unchanged"`
	Refused   int   `json:"refused"`
	Bytes     int64 `json:"-"` // of the list
}

// Rows is how many were dealt with.
func (c Count) Rows() int { return c.Added + c.Updated + c.Unchanged + c.Refused }

// A batch is a transaction: so many rows, fewer where each has to be hashed, so that a stopped run loses seconds.
const (
	batchRows   = 256
	batchHashes = 64
)

// longestPause is enough for whoever waits for the database to get it, also on a machine that is slow for everybody.
const longestPause = 25 * time.Millisecond

// importer is one import that runs.
type importer struct {
	Config
	reader *reader
	count  Count
	seen   map[string]int // login → line
	batch  []Entry
}

// Import reads a list to its end. Rows that are wrong are refused one by one; the error is about the list as a whole,
// the store, or ctx, and what was counted until then is in the store for good.
func Import(ctx context.Context, c Config, from io.Reader, format Format) (Count, error) {
	r, err := newReader(from, format)
	if err != nil {
		return Count{}, err
	}
	i := &importer{Config: c, reader: r, seen: map[string]int{}}
	for {
		more, err := i.fill(ctx)
		if err == nil && len(i.batch) > 0 {
			err = i.flush(ctx)
		}
		i.count.Bytes = r.bytes
		if i.Progress != nil {
			i.Progress(i.count)
		}
		if err != nil || !more {
			return i.count, err
		}
	}
}

// fill reads the next batch; more is false at the end of the list.
func (i *importer) fill(ctx context.Context) (more bool, err error) {
	i.batch = i.batch[:0]
	hashes := 0
	for rows := 0; rows < batchRows && hashes < batchHashes; rows++ {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		one, err := i.reader.next()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err == nil {
			err = i.take(one)
		}
		if refused, ok := errors.AsType[*Refusal](err); ok {
			i.refuse(*refused)
			continue
		}
		if err != nil {
			return false, fmt.Errorf("read line %d: %w", i.reader.line, err)
		}
		if one.Password != "" {
			hashes++
		}
	}
	return true, nil
}

// take puts a row into the batch.
func (i *importer) take(one row) error {
	entry, err := one.entry(i.Realm, i.CheckRole)
	entry.Line = i.reader.line
	if err != nil {
		login := entry.Login
		if login == "" {
			login = shortened(one.Login)
		}
		return &Refusal{entry.Line, login, err.Error()}
	}
	if first := i.seen[entry.Login]; first != 0 {
		return &Refusal{entry.Line, entry.Login, fmt.Sprintf("this login is on line %d already", first)}
	}
	i.seen[entry.Login] = entry.Line
	entry.ID, entry.Subject = token.NewID(), token.NewID()
	i.batch = append(i.batch, entry)
	return nil
}

func (i *importer) refuse(r Refusal) {
	i.count.Refused++
	if i.Refused != nil {
		i.Refused(r)
	}
}

// flush brings a batch into the store, then leaves the database to a running server for half as long as it took: SQLite
// has one writer, and who waits for it waits by asking again.
func (i *importer) flush(ctx context.Context) error {
	entries, err := i.hash(ctx)
	if err != nil || len(entries) == 0 {
		return err
	}
	started := time.Now()
	outcomes, err := i.Store.Import(ctx, entries, i.Update, audit.Event{At: i.Now(), Realm: i.Realm, Actor: i.Actor, Details: map[string]string{"by": "import"}})
	if err != nil {
		return err
	}
	for n, outcome := range outcomes {
		switch outcome.Kind {
		case Added:
			i.count.Added++
		case Updated:
			i.count.Updated++
		case Unchanged:
			i.count.Unchanged++
		default:
			i.refuse(Refusal{entries[n].Line, entries[n].Login, outcome.Reason})
		}
	}
	select {
	case <-time.After(min(time.Since(started)/2, longestPause)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// hash hashes the passwords of the batch in parallel, and returns the entries that are left: a password that cannot be
// one, or another than that of a member who is there, is refused here.
func (i *importer) hash(ctx context.Context) ([]Entry, error) {
	group, ctx := errgroup.WithContext(ctx)
	var mu sync.Mutex // guards refused
	refused := map[int]string{}
	for n := range i.batch {
		if i.batch[n].password == "" {
			continue
		}
		group.Go(func() error {
			reason, err := i.hashOne(ctx, &i.batch[n])
			mu.Lock()
			defer mu.Unlock()
			if reason != "" {
				refused[n] = reason
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, len(i.batch))
	for n, entry := range i.batch {
		if reason, out := refused[n]; out {
			i.refuse(Refusal{entry.Line, entry.Login, reason})
			continue
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

func (i *importer) hashOne(ctx context.Context, e *Entry) (reason string, err error) {
	there, found, err := i.Store.Member(ctx, e.Realm, e.Login)
	if err != nil {
		return "", err
	}
	if found && there.Hash != "" {
		same, _, err := i.Hasher.Verify(ctx, there.Hash, e.password)
		if err != nil {
			return "", err
		}
		if same {
			e.Same = there.Secret
			return "", nil
		}
		if !i.Update {
			return "is there already with another password", nil
		}
	}
	e.Hash, err = i.Hasher.Hash(ctx, e.password)
	if fault.CodeOf(err) == fault.RequestInvalid {
		return "password: want text without control characters", nil
	}
	return "", err
}
