package keys_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/keys"
)

// fakeStore keeps its promises and no more: it runs every decision twice, as a store that repeats a transaction does.
type fakeStore struct {
	mu        sync.Mutex
	set       keys.Set
	withdrawn []string
	events    []audit.Event
	changes   int
	// fail is the next ChangeKeys' fate: errFailed does nothing, errLost does it and loses the answer.
	fail error
	down bool
}

var (
	errFailed = errors.New("failed")
	errLost   = errors.New("done, but the answer was lost")
)

func (f *fakeStore) Keys(context.Context) (keys.Set, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return keys.Set{}, errFailed
	}
	return f.copy(), nil
}

func (f *fakeStore) KeysVersion(context.Context) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return 0, errFailed
	}
	return f.set.Version, nil
}

func (f *fakeStore) copy() keys.Set {
	return keys.Set{Keys: slices.Clone(f.set.Keys), Secrets: slices.Clone(f.set.Secrets), Version: f.set.Version}
}

func (f *fakeStore) ChangeKeys(_ context.Context, decide func(keys.Set) (keys.Change, error)) (keys.Set, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fail := f.fail
	f.fail = nil
	if f.down || errors.Is(fail, errFailed) {
		return keys.Set{}, errFailed
	}
	if _, err := decide(f.copy()); err != nil {
		return keys.Set{}, err
	}
	change, err := decide(f.copy())
	if err != nil {
		return keys.Set{}, err
	}
	if !change.IsEmpty() {
		f.apply(change)
	}
	return f.copy(), fail
}

func (f *fakeStore) apply(c keys.Change) {
	records, secrets := map[string]keys.Record{}, map[uint32]keys.Secret{}
	for _, record := range slices.Concat(f.set.Keys, c.Put) {
		records[record.ID] = record
	}
	for _, secret := range slices.Concat(f.set.Secrets, c.PutSecrets) {
		secrets[secret.ID] = secret
	}
	for _, kid := range c.Delete {
		delete(records, kid)
	}
	for _, id := range c.DeleteSecrets {
		delete(secrets, id)
	}
	f.set.Keys = slices.SortedFunc(maps.Values(records), func(a, b keys.Record) int {
		return cmpOr(a.CreatedAt.Compare(b.CreatedAt), a.ActiveAt.Compare(b.ActiveAt)*-1)
	})
	f.set.Secrets = slices.SortedFunc(maps.Values(secrets), func(a, b keys.Secret) int { return int(a.ID) - int(b.ID) })
	f.set.Version++
	f.changes++
	f.withdrawn = append(f.withdrawn, c.Withdraw...)
	f.events = append(f.events, c.Events...)
}

func cmpOr(a, b int) int {
	if a != 0 {
		return a
	}
	return b
}

func (f *fakeStore) count(action audit.Action) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, event := range f.events {
		if event.Action == action {
			n++
		}
	}
	return n
}
