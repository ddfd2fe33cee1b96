package keys_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/token"
)

const day = 24 * time.Hour

var command = audit.Actor{Kind: audit.ByCommand, ID: "boss"}

func open(t testing.TB, c keys.Config) *keys.Ring {
	t.Helper()
	ring, err := keys.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func published(r *keys.Ring) (kids []string) {
	for _, key := range r.PublicKeys() {
		kids = append(kids, key.ID)
	}
	return kids
}

func active(r *keys.Ring) string { kid, _ := r.Active(); return kid }

// next is the key that waits.
func next(r *keys.Ring) string {
	for _, record := range r.Records() {
		if record.ActiveAt.IsZero() && record.RetiredAt.IsZero() {
			return record.ID
		}
	}
	return ""
}

func TestFirstStartMakesEverything(t *testing.T) {
	store := &fakeStore{}
	ring := open(t, keys.Config{Store: store})
	kid, mac := ring.Active()
	if !ring.CanSign(kid) || mac != 1 || len(published(ring)) != 2 || !slices.Contains(published(ring), kid) {
		t.Errorf("active %q, secret %d, published %v", kid, mac, published(ring))
	}
	again := open(t, keys.Config{Store: store})
	if active(again) != kid || store.changes != 1 {
		t.Errorf("a second start: active %q after %q, %d changes", active(again), kid, store.changes)
	}
	if store.count(audit.KeyCreated) != 3 || store.count(audit.KeyRotated) != 1 {
		t.Errorf("events: %+v", store.events)
	}
}

func TestAlgorithms(t *testing.T) {
	for algorithm, kind := range map[token.Algorithm]any{token.ES256: &ecdsa.PublicKey{}, token.EdDSA: ed25519.PublicKey{}, token.RS256: &rsa.PublicKey{}} {
		ring := open(t, keys.Config{Store: &fakeStore{}, Algorithm: algorithm})
		one, err := ring.Sign(active(ring), token.Claims{ID: "x"})
		if err != nil {
			t.Fatal(err)
		}
		two, _ := ring.Sign(active(ring), token.Claims{ID: "x"})
		if one != two {
			t.Errorf("%s: two signatures of the same claims differ", algorithm)
		}
		for _, key := range ring.PublicKeys() {
			if key.Algorithm != algorithm || !cmp.Equal(typeName(key.Key), typeName(kind)) {
				t.Errorf("%s: got a %s for %s", algorithm, typeName(key.Key), key.Algorithm)
			}
		}
	}
	if _, err := keys.Open(t.Context(), keys.Config{Store: &fakeStore{}, Algorithm: "HS256"}); err == nil {
		t.Error("HS256: got no error")
	}
}

func typeName(v any) string {
	switch v.(type) {
	case *ecdsa.PublicKey:
		return "ECDSA"
	case ed25519.PublicKey:
		return "Ed25519"
	case *rsa.PublicKey:
		return "RSA"
	}
	return "?"
}

// The key that signs is never exchanged for another algorithm in place; keys that are made from then on have it.
func TestAlgorithmChangesWithTheNextKey(t *testing.T) {
	store, now := &fakeStore{}, time.Unix(1_700_000_000, 0)
	clock := func() time.Time { return now }
	before := open(t, keys.Config{Store: store, Now: clock})
	now = now.Add(31 * day)
	ring := open(t, keys.Config{Store: store, Now: clock, Algorithm: token.EdDSA})
	algorithms := map[string]string{}
	for _, record := range ring.Records() {
		algorithms[record.ID] = record.Algorithm
	}
	if algorithms[active(before)] != "ES256" || algorithms[active(ring)] != "ES256" || algorithms[next(ring)] != "EdDSA" {
		t.Errorf("got %v", algorithms)
	}
	now = now.Add(31 * day)
	ring = open(t, keys.Config{Store: store, Now: clock, Algorithm: token.EdDSA})
	if kid := active(ring); algorithms[kid] != "EdDSA" {
		t.Errorf("after the next rotation: got %s", algorithms[kid])
	}
}

func TestRotateWaitsUntilTheNextKeyIsKnown(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	store := &fakeStore{}
	ring := open(t, keys.Config{Store: store, Now: func() time.Time { return now }})
	if err := ring.Rotate(t.Context(), command); err != nil {
		t.Fatalf("the first two are published together: %v", err)
	}
	old, coming := active(ring), next(ring)
	now = now.Add(30*time.Second - time.Microsecond)
	if err := ring.Rotate(t.Context(), command); fault.CodeOf(err) != fault.RequestInvalid {
		t.Fatalf("too early: got %v", err)
	}
	now = now.Add(time.Microsecond)
	if err := ring.Rotate(t.Context(), command); err != nil {
		t.Fatal(err)
	}
	if active(ring) != coming || !ring.CanSign(old) || !slices.Contains(published(ring), old) || len(published(ring)) != 4 {
		t.Errorf("active %s after %s, want %s; published %v", active(ring), old, coming, published(ring))
	}
	if last := store.events[len(store.events)-1]; last.Actor != command {
		t.Errorf("actor: got %+v", last)
	}
}

func TestRetire(t *testing.T) {
	store := &fakeStore{}
	ring := open(t, keys.Config{Store: store})
	stolen, coming := active(ring), next(ring)
	if err := ring.Retire(t.Context(), stolen, command); err != nil {
		t.Fatal(err)
	}
	if active(ring) != coming || ring.CanSign(stolen) || slices.Contains(published(ring), stolen) || strings.Contains(string(ring.JWKS()), stolen) {
		t.Errorf("active %s, published %v", active(ring), published(ring))
	}
	if diff := cmp.Diff([]string{stolen}, store.withdrawn); diff != "" {
		t.Error(diff)
	}
	for _, record := range store.set.Keys {
		if record.ID == stolen && (record.Private != nil || record.WithdrawnAt.IsZero() || record.RetiredAt.IsZero()) {
			t.Errorf("record: %+v", record)
		}
	}
	if next(ring) == coming || len(published(ring)) != 2 {
		t.Errorf("no new next key: %v", published(ring))
	}
	if _, err := ring.Sign(stolen, token.Claims{}); err == nil {
		t.Error("a withdrawn key signs")
	}
}

func TestRetireOfTheNextKeyAndOfAnOldOne(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	store := &fakeStore{}
	ring := open(t, keys.Config{Store: store, Now: func() time.Time { return now }})
	signs, coming := active(ring), next(ring)
	if err := ring.Retire(t.Context(), coming, command); err != nil {
		t.Fatal(err)
	}
	if active(ring) != signs || next(ring) == coming || slices.Contains(published(ring), coming) {
		t.Errorf("after the next key's: active %s, published %v", active(ring), published(ring))
	}
	// A service that was handed the key as a file still trusts it, long after it left the JWKS.
	now = now.Add(31 * day)
	if err := ring.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	now = now.Add(100 * day)
	if slices.Contains(published(ring), signs) {
		t.Fatalf("published %v", published(ring))
	}
	if err := ring.Retire(t.Context(), signs, command); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{coming, signs}, store.withdrawn); diff != "" {
		t.Error(diff)
	}
}

func TestRetireRefusals(t *testing.T) {
	ring := open(t, keys.Config{Store: &fakeStore{}})
	kid := active(ring)
	if err := ring.Retire(t.Context(), "0123", command); fault.CodeOf(err) != fault.NotFound || !strings.Contains(err.Error(), `"0123"`) {
		t.Errorf("unknown: got %v", err)
	}
	if err := ring.Retire(t.Context(), kid, command); err != nil {
		t.Fatal(err)
	}
	if err := ring.Retire(t.Context(), kid, command); fault.CodeOf(err) != fault.NotFound || !strings.Contains(err.Error(), "already") {
		t.Errorf("twice: got %v", err)
	}
}

// "Done, but the answer was lost": the command failed for its caller, and the next poll still sees what was done.
func TestLostAnswerOfRetire(t *testing.T) {
	store := &fakeStore{}
	ring := open(t, keys.Config{Store: store})
	kid := active(ring)
	store.fail = errFailed
	if err := ring.Retire(t.Context(), kid, command); !errors.Is(err, errFailed) || active(ring) != kid {
		t.Errorf("failed: got %v, active %s", err, active(ring))
	}
	store.fail = errLost
	if err := ring.Retire(t.Context(), kid, command); !errors.Is(err, errLost) {
		t.Errorf("lost: got %v", err)
	}
	if err := ring.Reload(t.Context()); err != nil || active(ring) == kid || ring.CanSign(kid) {
		t.Errorf("after it: %v, active %s", err, active(ring))
	}
}

func TestNodesStartingAtOnceAgree(t *testing.T) {
	store := &fakeStore{}
	var rings [8]*keys.Ring
	var group sync.WaitGroup
	for i := range rings {
		group.Go(func() { rings[i], _ = keys.Open(context.Background(), keys.Config{Store: store}) })
	}
	group.Wait()
	for _, ring := range rings {
		if ring == nil || active(ring) != active(rings[0]) || string(ring.JWKS()) != string(rings[0].JWKS()) {
			t.Fatal("nodes disagree")
		}
	}
	if store.changes != 1 {
		t.Errorf("changes: got %d, want 1", store.changes)
	}
}

// Two running nodes and a command line: one rotation when it is due, seen by all within a poll.
func TestRunRotatesOnceAndFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &fakeStore{}
		ctx, cancel := context.WithCancel(t.Context())
		config := keys.Config{Store: store, RotateEvery: time.Hour, PublishAhead: time.Minute, KeepPrivate: 10 * time.Second}
		one, two, line := open(t, config), open(t, config), open(t, config)
		var group sync.WaitGroup
		for _, ring := range []*keys.Ring{one, two} {
			group.Go(func() {
				if err := ring.Run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		first := active(one)
		time.Sleep(time.Hour + 2*time.Second)
		if active(one) == first || active(one) != active(two) || store.count(audit.KeyRotated) != 2 {
			t.Errorf("active %s and %s after %s, %d rotations", active(one), active(two), first, store.count(audit.KeyRotated))
		}
		if err := line.Retire(ctx, active(one), command); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1100 * time.Millisecond)
		if active(one) != active(line) || active(two) != active(line) {
			t.Errorf("a second after the command: %s and %s, want %s", active(one), active(two), active(line))
		}

		// An outage of the store takes nothing away, and ends by itself.
		store.mu.Lock()
		store.down = true
		store.mu.Unlock()
		time.Sleep(2 * time.Hour)
		if !one.CanSign(active(one)) {
			t.Error("no key during an outage")
		}
		before := active(one)
		store.mu.Lock()
		store.down = false
		store.mu.Unlock()
		time.Sleep(2 * time.Second)
		if active(one) == before || active(one) != active(two) {
			t.Errorf("after the outage: %s and %s, both other than %s", active(one), active(two), before)
		}
		cancel()
		group.Wait()
	})
}

// A node that does not know a secret yet takes good refresh tokens for forged ones, so the new one waits.
func TestSecretsTakeOverAheadOfTime(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	ring := open(t, keys.Config{Store: &fakeStore{}, Now: func() time.Time { return now }, KeepSecrets: 90 * day})
	now = now.Add(30 * day)
	if err := ring.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, mac := ring.Active(); mac != 1 {
		t.Errorf("at once: got %d, want 1", mac)
	}
	if _, ok := ring.MACKey(2); !ok {
		t.Error("the new one is not known ahead")
	}
	now = now.Add(day)
	if _, mac := ring.Active(); mac != 2 {
		t.Errorf("a day later: got %d, want 2", mac)
	}
	now = now.Add(90 * day)
	if _, ok := ring.MACKey(1); !ok {
		t.Error("the old one is gone before the longest session is over")
	}
	now = now.Add(time.Minute)
	if _, ok := ring.MACKey(1); ok {
		t.Error("the old one verifies for ever")
	}
	if _, ok := ring.Derive(1, "sign-in attempt"); ok {
		t.Error("the old one derives for ever")
	}
}

func TestDeriveSeparatesUses(t *testing.T) {
	ring := open(t, keys.Config{Store: &fakeStore{}})
	_, id := ring.Active()
	mac, _ := ring.MACKey(id)
	refresh, _ := ring.Derive(id, "refresh token")
	attempt, ok := ring.Derive(id, "sign-in attempt")
	if !ok || mac.ID != id || mac.Key != refresh || attempt == refresh || attempt == [32]byte{} {
		t.Error("derived keys are not what their labels say")
	}
	if _, ok := ring.Derive(99, "sign-in attempt"); ok {
		t.Error("an unknown secret derives")
	}
}

func TestOpenRefusesBadSchedules(t *testing.T) {
	if _, err := keys.Open(t.Context(), keys.Config{Store: &fakeStore{}, RotateEvery: time.Hour, PublishAhead: 2 * time.Hour}); err == nil {
		t.Error("got no error")
	}
}

// A row that was tampered with must not become a key that signs or verifies.
func TestOpenRefusesKeysThatDoNotBelongTogether(t *testing.T) {
	for name, change := range map[string]func(a, b *keys.Record){
		"exchanged halves": func(a, b *keys.Record) { a.Public = b.Public },
		"other algorithm":  func(a, _ *keys.Record) { a.Algorithm = "RS256" },
		"not a key":        func(a, _ *keys.Record) { a.Private = []byte("x") },
	} {
		store := &fakeStore{}
		open(t, keys.Config{Store: store})
		change(&store.set.Keys[0], &store.set.Keys[1])
		if _, err := keys.Open(t.Context(), keys.Config{Store: store}); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// The next key was stolen on the day before its use: its successor has to be published first, so the old key signs on.
func TestScheduleWaitsUntilTheNextKeyIsKnown(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	ring := open(t, keys.Config{Store: &fakeStore{}, Now: func() time.Time { return now }})
	signs := active(ring)
	now = now.Add(30*day - time.Hour)
	if err := ring.Retire(t.Context(), next(ring), command); err != nil {
		t.Fatal(err)
	}
	coming := next(ring)
	now = now.Add(2 * time.Hour)
	if err := ring.Reload(t.Context()); err != nil || active(ring) != signs {
		t.Errorf("two hours later: %v, active %s, want %s", err, active(ring), signs)
	}
	now = now.Add(21 * time.Hour)
	if err := ring.Reload(t.Context()); err != nil || active(ring) != signs {
		t.Errorf("almost a day later: %v, active %s, want %s", err, active(ring), signs)
	}
	now = now.Add(time.Hour)
	if err := ring.Reload(t.Context()); err != nil || active(ring) != coming {
		t.Errorf("a day later: %v, active %s, want %s", err, active(ring), coming)
	}
}
