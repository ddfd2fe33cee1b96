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
	realms := map[string]Realm{"members": {}, "others": {}}
	return newGuard(Config{Guesses: store, Now: time.Now, Realms: realms}, m), store
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

// slow is a GuessStore that takes its time to reserve.
type slow struct{ counting }

func (s *slow) Reserve(ctx context.Context, g Guess) (Places, error) {
	time.Sleep(time.Millisecond)
	return s.counting.Reserve(ctx, g)
}

// office is a Checker that sees two at once, and has chairs for fifty more.
type office struct {
	Checker
	chairs, desks chan struct{}
}

func (o *office) Turn(ctx context.Context) (leave func(), err error) {
	select {
	case o.chairs <- struct{}{}:
	default:
		return nil, fault.New(fault.TooManyAttempts, "")
	}
	away, err := turns(o.desks).Turn(ctx)
	if err != nil {
		<-o.chairs
		return nil, err
	}
	return func() { away(); <-o.chairs }, nil
}

// A guess is counted when its turn has come, and not at all for who is sent away: else the store would have a crowd to
// write down before everybody who only renews.
func TestACrowdIsCountedAsItIsChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := guardOf(t, free)
		store := &slow{counting{answers: []Places{free}}}
		g.store, g.pace["members"] = store, &office{chairs: make(chan struct{}, 52), desks: make(chan struct{}, 2)}
		var mu sync.Mutex
		let, sent, ahead := 0, 0, 0
		var group sync.WaitGroup
		for i := range 500 {
			group.Go(func() {
				one := aim{realm: "members", login: fmt.Sprint("person", i), from: fmt.Sprintf("10.0.%d.%d", i/250, i%250)}
				err := g.guess(t.Context(), one, func(bool) error {
					time.Sleep(25 * time.Millisecond)
					store.mu.Lock()
					defer store.mu.Unlock()
					ahead = max(ahead, len(store.asked)-len(store.settled))
					return nil
				})
				mu.Lock()
				defer mu.Unlock()
				switch fault.CodeOf(err) {
				case "":
					let++
				case fault.TooManyAttempts:
					sent++
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if let != 52 || sent != 448 || len(store.asked) != 52 || len(store.settled) != 52 || ahead != 2 {
			t.Errorf("%d were let in, %d sent away, %d counted, up to %d ahead; want 52, 448, 52, 2", let, sent, len(store.asked), ahead)
		}
	})
}

// Where a service checks, so many are asked about at once; who does not wait for their turn is not looked at.
func TestAServiceIsAskedAboutSoManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, store := guardOf(t, free)
		for range atOnce {
			if _, err := g.pace["members"].Turn(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := g.guess(ctx, kim, func(bool) error { t.Error("looked at"); return nil })
		if fault.CodeOf(err) != fault.TooManyAttempts || len(store.asked) != 0 {
			t.Errorf("got %v, %d counted, want too_many_attempts and none", err, len(store.asked))
		}
		other := kim
		other.realm = "others"
		if err := g.guess(t.Context(), other, func(bool) error { return nil }); err != nil {
			t.Errorf("another realm: %v", err)
		}
	})
}

// Whoever waits for others' places does not keep the turn from those who need none.
func TestWaitingForAPlaceTakesNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := guardOf(t, hopeful, free)
		only := turns(make(chan struct{}, 1))
		g.pace["members"] = only
		var group sync.WaitGroup
		group.Go(func() {
			if err := g.guess(t.Context(), kim, func(bool) error { return nil }); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		if len(only) != 0 {
			t.Error("the turn is kept while nothing is checked")
		}
		group.Wait()
		if len(only) != 0 {
			t.Error("the turn is kept afterwards")
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
