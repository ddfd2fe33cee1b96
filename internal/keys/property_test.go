package keys_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/munjigi/munjigi/internal/keys"
)

// world is two nodes, a command line, and every token that they ever made.
type world struct {
	first []string // kids of the first key set

	store  *fakeStore
	now    time.Time
	nodes  []*keys.Ring
	polled []time.Time
	seen   []int64 // version of the store at that poll
	config keys.Config
	made   []made
	// birth is when a key was first in a JWKS; hurried are those that an emergency made sign.
	birth   map[string]time.Time
	hurried map[string]bool
	signed  map[string]bool
}

type made struct {
	kid string
	mac uint32
	at  time.Time
}

const (
	access = 5 * time.Minute
	grace  = 10 * time.Second
	maxAge = 20 * day
	// A key is made at least 30 s before a command may use it: for half of that a node may be late with publishing it (after
	// a lost answer, say), in the other half a verifier that has just fetched the keys may refuse to fetch them again.
	behind = 15 * time.Second
	known  = 15 * time.Second
)

// TestWhateverHappensTokensStayGood drives random times, rotations, thefts, outages and late nodes.
func TestWhateverHappensTokensStayGood(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{store: &fakeStore{}, now: time.Unix(1_700_000_000, 0), birth: map[string]time.Time{}, hurried: map[string]bool{}, signed: map[string]bool{}}
		w.config = keys.Config{
			Store: w.store, Now: func() time.Time { return w.now }, RotateEvery: 3 * day, PublishAhead: day,
			KeepPrivate: grace, KeepPublic: access + time.Minute, KeepSecrets: maxAge,
		}
		for range 2 {
			node, err := keys.Open(t.Context(), w.config)
			if err != nil {
				t.Fatal(err)
			}
			w.nodes, w.polled, w.seen = append(w.nodes, node), append(w.polled, w.now), append(w.seen, w.store.set.Version)
		}
		t.Repeat(map[string]func(*rapid.T){
			"":          w.check,
			"make":      w.make,
			"pass":      w.pass,
			"poll":      w.poll,
			"rotate":    w.rotate,
			"retire":    w.retire,
			"restart":   w.restart,
			"lose next": func(t *rapid.T) { w.store.fail = rapid.SampledFrom([]error{errFailed, errLost}).Draw(t, "fate") },
		})
	})
}

func (w *world) node(t *rapid.T) *keys.Ring {
	return w.nodes[rapid.IntRange(0, len(w.nodes)-1).Draw(t, "node")]
}

func (w *world) make(t *rapid.T) {
	kid, mac := w.node(t).Active()
	w.made = append(w.made, made{kid, mac, w.now})
}

func (w *world) pass(t *rapid.T) {
	step := rapid.SampledFrom([]time.Duration{time.Microsecond, time.Second, 9 * time.Second, 20 * time.Second, time.Minute, 5 * time.Minute, time.Hour, day, 4 * day, 30 * day}).Draw(t, "time")
	w.pollBefore(t, w.now.Add(step)) // a long time has polls at its beginning too
	w.check(t)
	w.now = w.now.Add(step)
	w.pollBefore(t, w.now)
}

// pollBefore has those nodes poll now that would be too late at that time.
func (w *world) pollBefore(t *rapid.T, at time.Time) {
	for i, node := range w.nodes {
		if at.Sub(w.polled[i]) > behind {
			w.reload(t, i, node)
		}
	}
}

func (w *world) poll(t *rapid.T) {
	i := rapid.IntRange(0, len(w.nodes)-1).Draw(t, "node")
	w.reload(t, i, w.nodes[i])
}

// reload is a node's polls until one succeeds: a failed one is repeated a second later.
func (w *world) reload(t *rapid.T, i int, node *keys.Ring) {
	for range 3 {
		if node.Reload(t.Context()) == nil {
			w.polled[i], w.seen[i] = w.now, w.store.set.Version
			return
		}
	}
	t.Fatal("a node cannot reload")
}

func (w *world) rotate(t *rapid.T) {
	_ = w.node(t).Rotate(t.Context(), command) // may be too early
}

func (w *world) retire(t *rapid.T) {
	kid := w.store.set.Keys[rapid.IntRange(0, len(w.store.set.Keys)-1).Draw(t, "key")].ID
	w.store.fail = nil
	if w.node(t).Retire(t.Context(), kid, command) == nil {
		for _, record := range w.store.set.Keys { // the one that was next, if it signs now
			w.hurried[record.ID] = w.hurried[record.ID] || record.ActiveAt.Equal(w.now)
		}
	}
}

func (w *world) restart(t *rapid.T) {
	i := rapid.IntRange(0, len(w.nodes)-1).Draw(t, "node")
	w.store.fail = nil
	node, err := keys.Open(t.Context(), w.config)
	if err != nil {
		t.Fatal(err)
	}
	w.nodes[i], w.polled[i], w.seen[i] = node, w.now, w.store.set.Version
}

func (w *world) check(t *rapid.T) {
	for i, node := range w.nodes {
		kids := published(node)
		w.checkActive(t, node, kids)
		upToDate := w.seen[i] == w.store.set.Version
		for _, kid := range w.store.withdrawn {
			if upToDate && (slices.Contains(kids, kid) || node.CanSign(kid)) {
				t.Fatalf("node %d: withdrawn key %s is in use", i, kid)
			}
		}
		for _, m := range w.made {
			if w.hurried[m.kid] && !upToDate {
				continue // after two thefts within one poll a late node knows neither successor
			}
			w.checkMade(t, node, kids, m)
		}
	}
	for i, kid := range w.store.withdrawn {
		if slices.Contains(w.store.withdrawn[:i], kid) {
			t.Fatalf("key %s was withdrawn twice", kid)
		}
	}
	if n := len(w.store.set.Keys) - len(w.store.withdrawn); n > 16 {
		t.Fatalf("%d keys are remembered", n)
	}
}

func (w *world) checkActive(t *rapid.T, node *keys.Ring, kids []string) {
	kid, mac := node.Active()
	if !node.CanSign(kid) || !slices.Contains(kids, kid) {
		t.Fatalf("active key %s cannot be used; published %v", kid, kids)
	}
	if _, ok := node.MACKey(mac); !ok {
		t.Fatalf("secret %d cannot be used", mac)
	}
	if len(w.birth) == 0 {
		w.first = kids // the first two were published together, so nobody has one without the other
	}
	for _, kid := range kids {
		if _, ok := w.birth[kid]; !ok {
			w.birth[kid] = w.now
		}
	}
	if !w.signed[kid] && !slices.Contains(w.first, kid) && !w.hurried[kid] && w.now.Sub(w.birth[kid]) < known {
		t.Fatalf("key %s signs %s after it was published", kid, w.now.Sub(w.birth[kid]))
	}
	w.signed[kid] = true
}

func (w *world) checkMade(t *rapid.T, node *keys.Ring, kids []string, m made) {
	age := w.now.Sub(m.at)
	if _, ok := node.MACKey(m.mac); !ok && age < maxAge {
		t.Fatalf("refresh token %s old is refused: secret %d", age, m.mac)
	}
	if slices.Contains(w.store.withdrawn, m.kid) {
		return
	}
	if age < access+time.Minute && !slices.Contains(kids, m.kid) {
		t.Fatalf("access token %s old is refused: key %s, published %v", age, m.kid, kids)
	}
	if age < grace && !node.CanSign(m.kid) {
		t.Fatalf("an answer %s old cannot be repeated: key %s", age, m.kid)
	}
}
