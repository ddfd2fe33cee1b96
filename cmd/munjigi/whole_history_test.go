package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/store/pgtest"
)

// What people at three nodes did and saw, held against what one node, doing one thing at a time, could have answered.

// step is what somebody asked for. Sessions are numbered by the sign-in that began them.
type step struct {
	account int
	what    string // sign in, renew, check, revoke
	session int
}

// The outcomes. unknown: no answer came, and so it may be done later still.
const (
	done    = "done"
	over    = "over"   // the session has ended
	reused  = "reused" // so it has, and this may have ended it
	unknown = "unknown"
)

// onePlace is an account with room for one session: its state is the session that lives, 0 = none.
func onePlace() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Partition: func(history []porcupine.Operation) (parts [][]porcupine.Operation) {
			byAccount := map[int][]porcupine.Operation{}
			for _, o := range history {
				account := o.Input.(step).account
				byAccount[account] = append(byAccount[account], o)
			}
			for _, part := range byAccount {
				parts = append(parts, part)
			}
			return parts
		},
		Init: func() []any { return []any{0} },
		Step: func(state, input, output any) []any {
			lives, asked := state.(int), input.(step)
			next, ok := asked.next(lives, output.(string))
			if !ok {
				return nil
			}
			if output == unknown && next != lives {
				return []any{lives, next}
			}
			return []any{next}
		},
	}
	return model.ToModel()
}

// next is what lives after it was done, and whether that answer was possible.
func (s step) next(lives int, outcome string) (after int, ok bool) {
	its := lives == s.session
	switch s.what {
	case "sign in":
		return s.session, true
	case "revoke": // also of one that has ended: there was nothing to do
		if its {
			return 0, true
		}
		return lives, true
	}
	switch {
	case outcome == done:
		return lives, its
	case outcome == over:
		return lives, !its
	case its && s.what == "renew": // reused; or nobody knows what a token that came late found
		return 0, true
	}
	return lives, true
}

// history collects steps from all sides.
type history struct {
	began time.Time
	mu    sync.Mutex // guards steps
	steps []porcupine.Operation
}

// record makes a call and keeps what came of it.
func (h *history) record(s step, call func() error) string {
	from := time.Since(h.began)
	err := call()
	to := time.Since(h.began).Nanoseconds()
	outcome := outcomeOf(err)
	if outcome == unknown {
		if s.what == "check" {
			return outcome // it changes nothing, whenever it is done
		}
		to = math.MaxInt64
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.steps = append(h.steps, porcupine.Operation{Input: s, Call: from.Nanoseconds(), Output: outcome, Return: to})
	return outcome
}

func outcomeOf(err error) string {
	code := codeOf(err)
	switch {
	case err == nil:
		return done
	case code == fault.SessionReused:
		return reused
	case strings.HasPrefix(string(code), "session_"):
		return over
	}
	return unknown
}

// A history that no single node could have answered must be refused, or the test above it shows nothing.
func TestHistoriesThatAreRefused(t *testing.T) {
	signIn, other := step{0, "sign in", 1}, step{0, "sign in", 2}
	renew, check, revoke := step{0, "renew", 1}, step{0, "check", 1}, step{0, "revoke", 1}
	type did struct {
		step
		outcome string
	}
	for name, test := range map[string]struct {
		all  []did
		want bool
	}{
		"in order":                 {[]did{{signIn, done}, {renew, done}, {other, done}, {renew, over}, {revoke, done}, {step{0, "check", 2}, done}}, true},
		"renewed after its end":    {[]did{{signIn, done}, {revoke, done}, {renew, done}}, false},
		"seen after its end":       {[]did{{signIn, done}, {revoke, done}, {check, done}}, false},
		"two live":                 {[]did{{signIn, done}, {other, done}, {renew, done}}, false},
		"ended by nobody":          {[]did{{signIn, done}, {check, over}}, false},
		"lives again":              {[]did{{signIn, done}, {other, done}, {check, over}, {check, done}}, false},
		"perhaps it was revoked":   {[]did{{signIn, done}, {revoke, unknown}, {check, done}, {check, over}}, true},
		"it was never revoked":     {[]did{{signIn, done}, {check, over}, {revoke, unknown}}, false},
		"perhaps there is another": {[]did{{signIn, done}, {other, unknown}, {check, done}, {check, over}, {step{0, "check", 2}, done}}, true},
	} {
		var steps []porcupine.Operation
		for i, d := range test.all {
			o := porcupine.Operation{Input: d.step, Output: d.outcome, Call: int64(2 * i), Return: int64(2*i + 1)}
			if d.outcome == unknown {
				o.Return = math.MaxInt64
			}
			steps = append(steps, o)
		}
		if got := porcupine.CheckOperations(onePlace(), steps); got != test.want {
			t.Errorf("%s: possible is %v, want %v", name, got, test.want)
		}
	}
}

// testHistory expects nodes with room for one session of an account.
func (n *nodes) testHistory(t *testing.T) {
	v := pgtest.NewValve(t, n.database.Address())
	n.each[1].kill()
	text, err := os.ReadFile(filepath.Join(n.dir, "node1.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	n.write(t, "node1.yaml", strings.Replace(string(text), n.database.Address(), v.Address(), 1))
	n.each[1].startAs(t, 1)
	lasts := 5 * time.Second
	if soak() {
		lasts = 10 * time.Minute
	}
	for end := time.Now().Add(lasts); time.Now().Before(end); { // each history is checked by itself, so that checking stays quick
		h := &history{began: time.Now()}
		var sessions atomic.Int64
		var wg sync.WaitGroup
		stop := make(chan struct{})
		for worker := range 6 {
			wg.Go(func() { n.live(h, worker%3, &sessions, stop) })
		}
		n.trouble(t, v)
		close(stop)
		wg.Wait()
		counts := map[string]int{}
		for _, o := range h.steps {
			counts[o.Input.(step).what+" "+o.Output.(string)]++
		}
		t.Logf("%d steps: %v", len(h.steps), counts)
		for _, needed := range []string{"sign in done", "renew done", "check done", "check over", "revoke done"} {
			if counts[needed] == 0 {
				t.Errorf("nothing of this happened: %s", needed)
			}
		}
		if got := porcupine.CheckOperationsTimeout(onePlace(), h.steps, time.Minute); got != porcupine.Ok {
			t.Fatalf("this history is %s:\n%s", got, h)
		}
	}
}

// trouble is a node that is cut off from the database, and one that is killed, for seconds each.
func (n *nodes) trouble(t *testing.T, v *pgtest.Valve) {
	t.Helper()
	pause := func() { time.Sleep(700 * time.Millisecond) } // how long each state lasts, not a wait for anything
	pause()
	v.Cut(true)
	pause()
	n.each[2].kill()
	pause()
	v.Cut(false)
	n.each[2].startAs(t, 2)
	pause()
}

func (h *history) String() string {
	var text strings.Builder
	for _, o := range h.steps {
		fmt.Fprintln(&text, time.Duration(o.Call), time.Duration(o.Return), o.Input, o.Output)
	}
	return text.String()
}

// live is somebody with an account who signs in, uses the session at all nodes, and ends it now and then, though
// somebody else with the same account does the same.
func (n *nodes) live(h *history, account int, sessions *atomic.Int64, stop <-chan struct{}) {
	email := []string{"viewer@example.com", "editor@example.com", "boss@example.com"}[account]
	for {
		b, session := n.browser(), int(sessions.Add(1))
		b.Timeout = time.Second
		at := func() *browser { c := n.at(b, rand.IntN(3)); c.Timeout = b.Timeout; return c }
		lives := h.record(step{account, "sign in", session}, func() error { return at().signIn(email) }) == done
		for afterwards := 0; afterwards < 2; { // it stays over
			select {
			case <-stop:
				return
			default:
			}
			if !lives {
				break // nobody knows its cookie
			}
			outcome := done
			switch rand.IntN(8) {
			case 0:
				cookie := http.Header{"Cookie": {"munjigi-staff=" + b.cookie()}}
				h.record(step{account, "revoke", session}, func() error {
					c := at()
					c.Jar = nil // so that the cookie is kept, and tried again
					_, err := c.call(http.MethodDelete, n.url+"/session", "", cookie)
					return err
				})
				continue
			case 1, 2, 3:
				outcome = h.record(step{account, "renew", session}, func() error { _, _, err := at().renew(); return err })
			default:
				outcome = h.record(step{account, "check", session}, func() error {
					_, err := at().call(http.MethodGet, n.url+"/session", "", nil)
					return err
				})
			}
			if outcome == over || outcome == reused {
				afterwards++
			}
		}
		select {
		case <-stop:
			return
		default:
		}
	}
}
