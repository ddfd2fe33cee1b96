package recheck

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
)

var _ session.Checker = (*Worker)(nil)

// idle is a scene where nobody is due, so that only Check asks.
func idle(t *testing.T) *scene {
	s := newScene(t, 1, true)
	s.store.rows[person(0)].DueAt = time.Now().Add(24 * time.Hour)
	time.Sleep(time.Minute)
	return s
}

// checks calls Check n times at once and returns what each got and the longest time that one took.
func checks(w *Worker, n int, olderThan time.Time) (errs []error, longest time.Duration) {
	errs = make([]error, n)
	var all sync.WaitGroup
	began := time.Now()
	for i := range n {
		all.Go(func() { errs[i] = w.Check(context.Background(), person(0), olderThan) })
	}
	all.Wait()
	return errs, time.Since(began)
}

func wantCode(t *testing.T, errs []error, want fault.Code) {
	t.Helper()
	for _, err := range errs {
		if fault.CodeOf(err) != want {
			t.Fatalf("got %v, want code %q", err, want)
		}
	}
}

func TestCheckJoinsCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := idle(t)
		errs, _ := checks(s.worker(), 100, time.Now())
		wantCode(t, errs, "")
		if n := len(s.provider.asked()); n != 1 {
			t.Errorf("100 callers asked %d times, want once", n)
		}
		if age := time.Since(s.store.get(person(0)).Account.CheckedAt); age > time.Second {
			t.Errorf("confirmed %s ago, want now", age)
		}
	})
}

// A caller who comes while a question is under way, and demands a younger one, gets one of its own.
func TestCheckDoesNotPassOffAnOldAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := idle(t)
		s.provider.latency = 300 * time.Millisecond
		w := s.worker()
		go w.Check(t.Context(), person(0), time.Now())
		time.Sleep(100 * time.Millisecond)
		demanded := time.Now()
		if err := w.Check(t.Context(), person(0), demanded); err != nil {
			t.Fatal(err)
		}
		if got := s.store.get(person(0)).Account.CheckedAt; got.Before(demanded) {
			t.Errorf("confirmed %s before it was demanded", demanded.Sub(got))
		}
	})
}

func TestCheckAsksNobodyWhoIsConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := idle(t)
		errs, _ := checks(s.worker(), 3, time.Now().Add(-2*time.Minute))
		wantCode(t, errs, "")
		if n := len(s.provider.asked()); n != 0 {
			t.Errorf("asked %d times, want 0", n)
		}
		if row := s.store.get(person(0)); !row.LeasedUntil.IsZero() || row.DueAt.Before(time.Now()) || row.Failed != 0 {
			t.Errorf("got lease %s, due time %s and %d failures, want none, the old one and none", row.LeasedUntil, row.DueAt, row.Failed)
		}
	})
}

// A confirmation that a clock dated which was ahead may be of any age.
func TestCheckMistrustsTheFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := idle(t)
		s.store.rows[person(0)].Account.CheckedAt = time.Now().Add(time.Hour)
		if err := s.worker().Check(t.Context(), person(0), time.Now()); err != nil {
			t.Fatal(err)
		}
		if n := len(s.provider.asked()); n != 1 {
			t.Errorf("asked %d times, want once", n)
		}
	})
}

// A slow provider holds nobody up for longer than a second, and its answer is kept all the same.
func TestCheckIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := idle(t)
		s.provider.latency = 8 * time.Second
		errs, longest := checks(s.worker(), 5, time.Now())
		wantCode(t, errs, fault.UpstreamUnavailable)
		if longest > checkLimit {
			t.Errorf("took %s", longest)
		}
		time.Sleep(10 * time.Second)
		if row := s.store.get(person(0)); row.Version != 2 || row.Token != s.provider.person(person(0)).token {
			t.Errorf("the answer that came late was lost: version %d, token %q", row.Version, row.Token)
		}
	})
}

func TestCheckEndsWhoIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := idle(t)
		s.provider.people[person(0)].gone = true
		errs, _ := checks(s.worker(), 10, time.Now())
		wantCode(t, errs, "")
		s.wantEnds(map[session.Reason]int{session.CutOff: 1})
	})
}

func TestCheckWithoutAGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newScene(t, 0, true).worker()
		if err := w.Check(t.Context(), "nobody", time.Now()); !errors.Is(err, session.ErrNoGrant) {
			t.Errorf("got %v, want ErrNoGrant", err)
		}
	})
}

// A grant that another node is asking with is no missing grant: its sessions must not end for that.
func TestCheckWaitsForAnotherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := idle(t)
		here, there := s.worker(), s.worker()
		s.provider.latency = 400 * time.Millisecond
		demanded := time.Now()
		go there.Check(t.Context(), person(0), demanded)
		synctest.Wait()
		if err := here.Check(t.Context(), person(0), demanded); err != nil {
			t.Fatal(err)
		}
		if n := len(s.provider.asked()); n != 1 {
			t.Errorf("asked %d times, want once", n)
		}
		s.provider.set(func() { s.provider.people[person(0)].gone = true })
		demanded = time.Now()
		go there.Check(t.Context(), person(0), demanded)
		synctest.Wait()
		if err := here.Check(t.Context(), person(0), demanded); err != nil {
			t.Errorf("while another node finds the person gone: %v", err)
		}
		s.wantEnds(map[session.Reason]int{session.CutOff: 1})
	})
}

func TestCheckWaitsNoLongerThanASecondForAnotherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := idle(t)
		s.store.rows[person(0)].LeasedUntil = time.Now().Add(leaseFor)
		errs, longest := checks(s.worker(), 3, time.Now())
		wantCode(t, errs, fault.UpstreamUnavailable)
		if longest > checkLimit {
			t.Errorf("took %s", longest)
		}
		time.Sleep(checkLimit)
	})
}

// While the breaker is open nobody waits, and the provider is left alone.
func TestCheckDuringAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := idle(t)
		s.provider.mode = "500"
		w := s.worker()
		for range faultsToOpen {
			w.Check(t.Context(), person(0), time.Now())
		}
		before := len(s.provider.asked())
		errs, longest := checks(w, 100, time.Now())
		wantCode(t, errs, fault.UpstreamUnavailable)
		if n := len(s.provider.asked()); n != before || longest > 0 {
			t.Errorf("asked %d more times and waited %s, want neither", n-before, longest)
		}
		s.provider.set(func() { s.provider.mode = "" })
		time.Sleep(firstPause)
		// The old token still serves: the provider had not rotated it.
		if err := w.Check(t.Context(), person(0), time.Now()); err != nil {
			t.Errorf("after the pause: %v", err)
		}
		s.wantEnds(map[session.Reason]int{})
	})
}

// Whom a wave holds is neither confirmed nor ended by a renewal.
func TestCheckOfSomebodyHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := idle(t)
		s.store.rows[person(0)].GoneAt = time.Now()
		errs, _ := checks(s.worker(), 2, time.Now())
		wantCode(t, errs, fault.UpstreamUnavailable)
		s.wantEnds(map[session.Reason]int{})
	})
}

func TestCheckAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := idle(t)
		w := s.start()
		s.stop()
		wantCode(t, []error{w.Check(t.Context(), person(0), time.Now())}, fault.UpstreamUnavailable)
	})
}
