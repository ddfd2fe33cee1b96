package links

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/mail"
	"github.com/munjigi/munjigi/internal/session"
)

// world is a store, a hasher and a post in memory, with a clock.
type world struct {
	*Manager
	clock time.Time

	mu      sync.Mutex // guards everything below
	members map[string]account.Member
	links   map[[sha256.Size]byte]Link
	used    map[[sha256.Size]byte]bool
	events  []audit.Event
	jobs    []mail.Job
	full    bool
	hashed  int
	woken   int
	away    bool // the store
	sealer  error
	lost    bool // the store does, and its answer is lost
}

const base = "https://login.example.com"

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		clock: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), members: map[string]account.Member{},
		links: map[[sha256.Size]byte]Link{}, used: map[[sha256.Size]byte]bool{},
	}
	m, err := New(Config{
		Realms: map[string]Realm{
			"members": {URL: base, SignUp: true}, "closed": {URL: base},
		},
		Store: w, Hasher: w, Post: w, Woken: func() { w.woken++ }, Know: w.know, Now: func() time.Time { return w.clock }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Manager = m
	w.members["shop"] = account.Member{Login: "shop", Secret: 7, Hash: "old", Account: account.Account{
		ID: "shop", Identity: account.Identity{Realm: "members"}, Profile: account.Profile{Email: "shop@example.com", Name: "상점"},
	}}
	w.members["kim"] = account.Member{Login: "kim@example.com", Secret: 1, Account: account.Account{
		ID: "kim", Identity: account.Identity{Realm: "members"}, Profile: account.Profile{Email: "kim@example.com"},
	}}
	return w
}

var errAway = fault.New(fault.StoreUnavailable, "")

func (w *world) Post(j mail.Job) bool {
	if w.full {
		return false
	}
	w.jobs = append(w.jobs, j)
	return true
}

// deliver writes the letters that wait, as the queue does. It returns those that had somebody to go to.
func (w *world) deliver(t *testing.T) (letters []mail.Letter) {
	t.Helper()
	jobs := w.jobs
	w.jobs = nil
	for _, j := range jobs {
		letter, err := j.Write(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if letter != nil {
			letters = append(letters, *letter)
		}
	}
	return letters
}

func (w *world) know(realm, login string, secret int64) (string, error) {
	if w.sealer != nil {
		return "", w.sealer
	}
	return fmt.Sprint(realm, " ", login, " ", secret), nil
}

func (w *world) Hash(context.Context, account.Password) (string, error) {
	w.hashed++
	return "new", nil
}

func (w *world) Member(_ context.Context, realm, login string) (account.Member, bool, error) {
	if w.away {
		return account.Member{}, false, errAway
	}
	for _, m := range w.members {
		if m.Realm == realm && m.Login == login {
			return m, true, nil
		}
	}
	return account.Member{}, false, nil
}

func (w *world) MemberOf(_ context.Context, id string) (account.Member, bool, error) {
	m, found := w.members[id]
	return m, found, nil
}

func (w *world) MakeLink(_ context.Context, l Link, limit Limit, event audit.Event) (bool, error) {
	if _, again := w.links[l.Hash]; again {
		return true, nil
	}
	n := 0
	for other := range maps.Values(w.links) {
		if other.Realm == l.Realm && other.Login == l.Login && other.MadeAt.After(limit.Since) {
			n++
		}
	}
	if limit.Most > 0 && n >= limit.Most {
		return false, nil
	}
	w.links[l.Hash] = l
	if event.Action != "" {
		w.events = append(w.events, event)
	}
	if w.lost {
		return false, errors.New("answer lost")
	}
	return true, nil
}

func (w *world) Link(_ context.Context, hash [sha256.Size]byte, now time.Time) (Link, bool, error) {
	l, found := w.links[hash]
	return l, found && !w.used[hash] && l.Until.After(now), nil
}

func (w *world) UseLink(ctx context.Context, u Using) (Used, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l, found, _ := w.Link(ctx, u.Hash, u.At)
	if !found {
		return Used{}, fault.New(fault.SessionUnknown, "")
	}
	m := w.members[l.Account]
	if l.Account == "" {
		m = u.Fresh
	} else if m.Secret != l.Changes || m.Disabled {
		return Used{}, fault.New(fault.SessionUnknown, "")
	}
	w.used[u.Hash] = true
	m.Hash, m.Secret = u.Encoded, m.Secret+1
	w.members[m.ID] = m
	return Used{Member: m, Made: l.Account == "", Ended: []session.Session{{}}}, nil
}

func logins(w *world) []string {
	var list []string
	for _, m := range w.members {
		list = append(list, m.Login)
	}
	slices.Sort(list)
	return list
}
