package signin

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
)

// counting is a GuessStore that answers what a test says, and remembers.
type counting struct {
	mu      sync.Mutex // guards everything below
	answers []Places   // one after the other; the last one for ever
	asked   []Guess
	settled []bool // wrong
	fails   error
}

func (c *counting) Reserve(_ context.Context, g Guess) (Places, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, g)
	next := c.answers[0]
	if len(c.answers) > 1 {
		c.answers = c.answers[1:]
	}
	return next, c.fails
}

func (c *counting) Settle(ctx context.Context, _ [16]byte, wrong bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled = append(c.settled, wrong)
	return ctx.Err()
}

var (
	taken   = Place{Taken: true}
	free    = Places{From: taken, At: taken}
	full    = Places{From: taken, At: Place{Wait: time.Minute}}
	hopeful = Places{From: taken, At: Place{Open: 1}}
	crowded = Places{From: Place{Wait: 7 * time.Minute}}
)

func guardOf(t *testing.T, answers ...Places) (*guard, *counting) {
	t.Helper()
	store := &counting{answers: answers}
	m, err := newMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	return newGuard(Config{Guesses: store, Now: time.Now}, m), store
}

var kim = aim{realm: "members", login: "kim", from: "192.0.2.1"}

func TestAGuessIsSettled(t *testing.T) {
	for name, c := range map[string]struct {
		places Places
		err    error // of the check
		spent  bool  // what the check is told
		wrong  bool  // how it is settled
		want   fault.Code
	}{
		"right":                          {free, nil, false, false, ""},
		"wrong":                          {free, fault.New(fault.CredentialsWrong, ""), false, true, fault.CredentialsWrong},
		"cut off: the password is right": {free, fault.New(fault.SessionCutOff, ""), false, false, fault.SessionCutOff},
		"nothing found out":              {free, fault.New(fault.UpstreamUnavailable, ""), false, false, fault.UpstreamUnavailable},
		"no place, and checked as such":  {full, fault.New(fault.CredentialsWrong, ""), true, true, fault.CredentialsWrong},
		"no place, whatever a check did": {full, nil, true, true, fault.CredentialsWrong},
	} {
		t.Run(name, func(t *testing.T) {
			g, store := guardOf(t, c.places)
			told := !c.spent
			err := g.guess(t.Context(), kim, func(spent bool) error { told = spent; return c.err })
			if fault.CodeOf(err) != c.want || told != c.spent {
				t.Errorf("got %v, and the check was told spent=%t", err, told)
			}
			if len(store.settled) != 1 || store.settled[0] != c.wrong {
				t.Errorf("settled %v, want wrong=%t", store.settled, c.wrong)
			}
		})
	}
}

// Somebody who hangs up before the answer has guessed all the same; else guesses would cost nothing.
func TestWhoGoesAwayHasGuessed(t *testing.T) {
	g, store := guardOf(t, free)
	ctx, cancel := context.WithCancel(t.Context())
	err := g.guess(ctx, kim, func(bool) error { cancel(); return ctx.Err() })
	if !errors.Is(err, context.Canceled) || len(store.settled) != 1 || !store.settled[0] {
		t.Errorf("got %v, settled %v, want it settled as wrong", err, store.settled)
	}
}

func TestANetworkWithoutAPlaceIsNotChecked(t *testing.T) {
	g, store := guardOf(t, crowded)
	err := g.guess(t.Context(), kim, func(bool) error { t.Error("it was checked"); return nil })
	limit, ok := errors.AsType[*fault.Error](err)
	if !ok || limit.Code != fault.TooManyAttempts || limit.RetryAfter != 7*time.Minute || len(store.settled) != 0 {
		t.Errorf("got %v, settled %v", err, store.settled)
	}
	store.fails = fault.New(fault.StoreUnavailable, "")
	err = g.guess(t.Context(), kim, func(bool) error { t.Error("it was checked while nothing could be counted"); return nil })
	if fault.CodeOf(err) != fault.StoreUnavailable {
		t.Errorf("got %v", err)
	}
}

// Places that others may give back are waited for, but not for ever, and not when nobody will.
func TestPlacesUnderWayAreWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			answers []Places
			spent   bool
			most    time.Duration
		}{
			"one becomes free":   {[]Places{hopeful, hopeful, free}, false, 2 * lookAgain},
			"none does":          {[]Places{hopeful, hopeful, full}, true, 2 * lookAgain},
			"nobody lets go":     {[]Places{hopeful}, true, patience + lookAgain},
			"all are used up":    {[]Places{full}, true, 0},
			"there is one":       {[]Places{free}, false, 0},
			"in the network too": {[]Places{{From: Place{Open: 3}}, free}, false, lookAgain},
		} {
			began := time.Now()
			g, store := guardOf(t, c.answers...)
			told := !c.spent
			if err := g.guess(t.Context(), kim, func(spent bool) error { told = spent; return nil }); told != c.spent {
				t.Errorf("%s: spent=%t, %v", name, told, err)
			}
			if took := time.Since(began); took > c.most {
				t.Errorf("%s: took %v", name, took)
			}
			for _, again := range store.asked {
				if again.ID != store.asked[0].ID {
					t.Errorf("%s: asked again as another guess", name)
				}
			}
		}
	})
}

// What is counted together, and what apart.
func TestBuckets(t *testing.T) {
	g, _ := guardOf(t, free)
	of := func(a aim) Guess { return g.of(a) }
	if one := of(kim); one.At.Most != 10 || one.From.Most != 100 || one.Window != 15*time.Minute {
		t.Errorf("got %+v", one)
	}
	known := kim
	known.known = true
	if one := of(known); one.From != (Bucket{}) || one.At == of(kim).At || one.At.Most != 10 {
		t.Errorf("from a known device: %+v, want a bucket of its own, and none for its network", one)
	}
	if one := of(aim{realm: "members", from: "192.0.2.1"}); one.At != (Bucket{}) || one.From != of(kim).From {
		t.Errorf("without a login: %+v", one)
	}
	for _, c := range []struct {
		from string
		same bool
	}{{"192.0.2.1", true}, {"192.0.2.2", false}, {"2001:db8::1", false}, {"nonsense", false}} {
		other := kim
		other.from = c.from
		if got := of(other); (got.From == of(kim).From) != c.same || got.At != of(kim).At {
			t.Errorf("from %s: %+v", c.from, got)
		}
	}
	if source("2001:db8::1") != source("2001:db8::ffff:1") || source("2001:db8::1") == source("2001:db8:0:1::1") {
		t.Error("a network of IPv6 is a /64")
	}
	other := kim
	other.realm = "others"
	if of(other).At == of(kim).At {
		t.Error("the same login in another realm is counted together")
	}
}

// A hundred with the right password do not take each other's places: three are looked at at once, in their order.
func TestGuessesStandInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := guardOf(t, free)
		var mu sync.Mutex
		inside, most := 0, 0
		var group sync.WaitGroup
		for range 100 {
			group.Go(func() {
				err := g.guess(t.Context(), kim, func(bool) error {
					mu.Lock()
					inside++
					most = max(most, inside)
					mu.Unlock()
					time.Sleep(time.Second) // of the bubble: it takes no time
					mu.Lock()
					inside--
					mu.Unlock()
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if most != 3 {
			t.Errorf("%d at once, want 3", most)
		}
		if len(g.logins.byName) != 0 || len(g.sources.byName) != 0 || g.logins.all != 0 || g.sources.all != 0 {
			t.Errorf("left behind: %v, %v", g.logins, g.sources)
		}
	})
}

// slow is a GuessStore that takes its time to reserve, and notes for how many at once.
type slow struct {
	counting
	inside, most int
}

func (s *slow) Reserve(ctx context.Context, g Guess) (Places, error) {
	s.use()
	return s.counting.Reserve(ctx, g)
}

func (s *slow) use() {
	s.mu.Lock()
	s.inside++
	s.most = max(s.most, s.inside)
	s.mu.Unlock()
	time.Sleep(time.Millisecond)
	s.mu.Lock()
	s.inside--
	s.mu.Unlock()
}

func TestACrowdLeavesTheStoreToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := guardOf(t, free)
		store := &slow{counting: counting{answers: []Places{free}}}
		g.store.GuessStore = store
		var group sync.WaitGroup
		for i := range 500 {
			group.Go(func() {
				one := aim{realm: "members", login: fmt.Sprint("person", i), from: fmt.Sprintf("10.0.%d.%d", i/250, i%250)}
				if err := g.guess(t.Context(), one, func(bool) error { return nil }); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if len(store.settled) != 500 || store.most != atTheStore() {
			t.Errorf("%d of 500 were settled, up to %d at once, want %d", len(store.settled), store.most, atTheStore())
		}
		// Somebody who does not wait until it is their turn is not looked at.
		for len(g.store.turns) < cap(g.store.turns) {
			g.store.turns <- struct{}{}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := g.guess(ctx, kim, func(bool) error { t.Error("looked at"); return nil })
		if fault.CodeOf(err) != fault.TooManyAttempts {
			t.Errorf("got %v, want too_many_attempts", err)
		}
	})
}

func TestLinesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLines(1)
		leave, err := l.enter(t.Context(), "kim")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for range longestLine - 1 {
			group.Go(func() {
				if _, err := l.enter(ctx, "kim"); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
			})
		}
		synctest.Wait()
		if _, err := l.enter(t.Context(), "kim"); fault.CodeOf(err) != fault.TooManyAttempts {
			t.Errorf("one too many: got %v", err)
		}
		other, err := l.enter(t.Context(), "lee")
		if err != nil {
			t.Errorf("another line: %v", err)
		}
		nobody, err := l.enter(t.Context(), "")
		if err != nil {
			t.Errorf("no line: %v", err)
		}
		cancel()
		group.Wait()
		leave()
		other()
		nobody()
		if len(l.byName) != 0 || l.all != 0 {
			t.Errorf("left behind: %d lines, %d in them", len(l.byName), l.all)
		}
	})
}
