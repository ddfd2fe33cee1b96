package recheck

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/munjigi/munjigi/internal/session"
)

// outage makes methods of the store fail from now on, until the returned function says which do still.
func (s *scene) outage(fails func(op string) bool) (then func(fails func(op string) bool)) {
	var mu sync.Mutex
	s.store.fail = func(op string) string {
		mu.Lock()
		defer mu.Unlock()
		if fails(op) {
			return "before"
		}
		return ""
	}
	return func(now func(op string) bool) {
		mu.Lock()
		defer mu.Unlock()
		fails = now
	}
}

func all(string) bool  { return true }
func none(string) bool { return false }

// The store is away while a provider answers: what it said is written down when the store is back, however long that
// takes, and nobody presents the used-up token meanwhile.
func TestAnswerOutlastsTheStore(t *testing.T) {
	for _, gone := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t, 1, true)
			then := s.outage(none)
			s.provider.latency = 5 * time.Second
			s.provider.people[person(0)].gone = gone
			s.start()
			defer func() { s.stop() }()
			time.Sleep(time.Second)
			then(all)
			time.Sleep(3 * leaseFor)
			then(func(op string) bool { return op == "Confirm" || op == "Gone" }) // the lease has run out
			time.Sleep(5 * time.Second)
			then(none)
			time.Sleep(1100 * time.Millisecond)
			if gone {
				s.wantEnds(map[session.Reason]int{session.CutOff: 1})
				return
			}
			if row := s.store.get(person(0)); row.Version != 2 || row.Token != s.provider.person(person(0)).token {
				t.Errorf("got version %d with %q, want the rotated token", row.Version, row.Token)
			}
			if n := len(s.provider.asked()); n != 1 {
				t.Errorf("asked %d times, want once", n)
			}
			time.Sleep(2 * s.realm.Every)
			if s.provider.person(person(0)).revoked {
				t.Error("a used-up token was presented")
			}
		})
	}
}

// Only the end of the program bounds the wait for the store.
func TestStopWhileTheStoreIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 3, true)
		s.leave(2)
		then := s.outage(none)
		s.provider.latency = 5 * time.Second
		s.every(3 * time.Second)
		s.start()
		time.Sleep(4 * time.Second)
		then(all)
		time.Sleep(time.Hour)
		began := time.Now()
		s.stop()
		if took := time.Since(began); took < finishFor || took > finishFor+time.Second {
			t.Errorf("stopped after %s, want %s", took, finishFor)
		}
	})
}

// One person whose end cannot be written down does not keep the others.
func TestOneEndThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 5, true)
		s.store.stuck = person(0)
		s.leave(5)
		s.every(10 * time.Second)
		s.start()
		time.Sleep(s.realm.Every + time.Second)
		s.wantEnds(map[session.Reason]int{session.CutOff: 4})
		s.stop()
	})
}

// A worker that the store kept waiting until somebody else had its lease, or will have it before the provider has
// answered, asks nothing.
func TestLeaseLostBeforeTheQuestion(t *testing.T) {
	for _, stalled := range []time.Duration{leaseFor - time.Second, leaseFor + time.Second} {
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t, 1, false)
			s.provider.latency = 9 * time.Second
			s.stall("Intend", stalled)
			go s.worker().Check(t.Context(), person(0), time.Now().Add(time.Second))
			time.Sleep(leaseFor / 2)
			s.start()
			defer func() { s.stop() }()
			time.Sleep(leaseFor)
			if n := len(s.provider.asked()); n != 1 {
				t.Errorf("after %s: asked %d times, want once", stalled, n)
			}
		})
	}
}

func TestLeaseLostBeforeItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 1, false)
		s.provider.latency = 9 * time.Second
		var was atomic.Bool
		s.store.fail = func(op string) string {
			if op == "LeaseDue" && was.CompareAndSwap(false, true) {
				return "late"
			}
			return ""
		}
		s.start()
		time.Sleep(leaseFor / 2)
		s.start()
		defer func() { s.stop() }()
		time.Sleep(leaseFor)
		if n := len(s.provider.asked()); n != 1 {
			t.Errorf("asked %d times, want once", n)
		}
	})
}

// The question gets a whole lease of its own, however long its turn took to come.
func TestIntentRenewsTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 1, false)
		s.provider.latency = 9 * time.Second
		s.stall("LeaseDue", leaseFor-5*time.Second)
		s.start()
		time.Sleep(leaseFor - 2*time.Second)
		s.start()
		defer func() { s.stop() }()
		time.Sleep(20 * time.Second)
		if n := len(s.provider.asked()); n != 1 {
			t.Errorf("asked %d times, want once", n)
		}
	})
}

// stall keeps the first call of a method waiting.
func (s *scene) stall(method string, d time.Duration) {
	var waited atomic.Bool
	s.store.fail = func(op string) string {
		if op == method && waited.CompareAndSwap(false, true) {
			time.Sleep(d)
		}
		return ""
	}
}

// Whoever was put off by a clock that was ahead is asked now that it is right.
func TestDueInTheFarFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 2, true)
		s.store.rows[person(0)].DueAt = time.Now().AddDate(1, 0, 0)
		s.store.rows[person(1)].DueAt = time.Now().Add(s.realm.Every)
		s.start()
		defer func() { s.stop() }()
		time.Sleep(time.Second)
		if n := len(s.provider.asked()); n != 1 {
			t.Errorf("asked %d times, want once", n)
		}
	})
}
