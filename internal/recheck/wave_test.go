package recheck

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/upstream"
)

func (s *scene) leave(n int) {
	s.provider.set(func() {
		for i := range n {
			s.provider.people[person(i)].gone = true
		}
	})
}

func TestWaveStopsAndIsDecided(t *testing.T) {
	admin := audit.Actor{Kind: audit.ByAccount, ID: "boss"}
	for _, confirmed := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t, 200, true)
			s.realm.Wave.Share = 0.05
			w := s.start()
			defer func() { s.stop() }()
			time.Sleep(s.realm.Every)
			s.leave(15)
			time.Sleep(s.realm.Every + time.Second)
			// 5 % of 200 are 10: the eleventh is too many.
			s.wantEnds(map[session.Reason]int{session.CutOff: 10})
			waves, err := w.Waves(t.Context())
			if err != nil || len(waves) != 1 || len(waves[0].Held) != 5 {
				t.Fatalf("got %+v, %v, want one wave with 5 people", waves, err)
			}
			if stopped, held, alerts := s.store.count(audit.WaveStopped), s.store.count(audit.PersonHeld), s.log.count("too many people gone"); stopped != 1 || held != 5 || alerts != 1 {
				t.Errorf("got %d, %d events and %d alerts, want 1, 5 and 1", stopped, held, alerts)
			}
			time.Sleep(time.Hour)
			s.wantEnds(map[session.Reason]int{session.CutOff: 10})
			if confirmed {
				err = w.ConfirmWave(t.Context(), testIssuer, admin)
				s.wantEnds(map[session.Reason]int{session.CutOff: 15})
			} else {
				s.provider.set(func() {
					for _, who := range s.provider.people {
						who.gone, who.revoked = false, false
					}
				})
				err = w.DismissWave(t.Context(), testIssuer, admin)
				time.Sleep(2 * time.Second)
				s.wantEnds(map[session.Reason]int{session.CutOff: 10})
				if old := time.Since(s.lastConfirmed()); old > s.realm.Every+time.Second {
					t.Errorf("somebody was not asked again after the wave was dismissed, for %s", old)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			if waves, err := w.Waves(t.Context()); err != nil || len(waves) != 0 {
				t.Errorf("got %+v, %v, want no wave any more", waves, err)
			}
		})
	}
}

func TestSmallCompaniesHaveNoWaves(t *testing.T) {
	for _, test := range []struct{ people, leave int }{{3, 1}, {1, 1}, {9, 9}} {
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t, test.people, true)
			s.start()
			defer func() { s.stop() }()
			time.Sleep(s.realm.Every)
			s.leave(test.leave)
			time.Sleep(s.realm.Every + time.Second)
			s.wantEnds(map[session.Reason]int{session.CutOff: test.leave})
		})
	}
}

func TestWaveRule(t *testing.T) {
	for _, test := range []struct {
		name  string
		rule  WaveRule
		tally Tally
		want  bool
	}{
		{"the tenth of 49", WaveRule{}, Tally{People: 40, Gone: 9}, true},
		{"the ninth of 20", WaveRule{}, Tally{People: 12, Gone: 8}, false},
		{"a fifth exactly", WaveRule{}, Tally{People: 91, Gone: 19}, false},
		{"more than a fifth", WaveRule{}, Tally{People: 80, Gone: 20}, true},
		{"one of two", WaveRule{}, Tally{People: 2}, false},
		{"one more of a wave", WaveRule{}, Tally{People: 200, On: true}, true},
		{"configured", WaveRule{Share: 0.5, AtLeast: 2}, Tally{People: 2, Gone: 1}, true},
		{"configured, half exactly", WaveRule{Share: 0.5, AtLeast: 2}, Tally{People: 3, Gone: 1}, false},
	} {
		if got := test.rule.stops(test.tally); got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

// A mistake in the roles looks like a wave. The tokens that came with those verdicts are what the people are asked with
// after it was dismissed.
func TestWaveKeepsRotatedTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 40, true)
		var mistaken atomic.Bool
		s.realm.Roles = func(upstream.Person) ([]string, error) {
			if mistaken.Load() {
				return nil, fault.New(fault.DomainRefused, "no role")
			}
			return []string{"viewer"}, nil
		}
		w := s.start()
		defer func() { s.stop() }()
		time.Sleep(s.realm.Every)
		mistaken.Store(true)
		time.Sleep(s.realm.Every + time.Second)
		s.wantEnds(map[session.Reason]int{session.CutOff: 9})
		mistaken.Store(false)
		if err := w.DismissWave(t.Context(), testIssuer, audit.Actor{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(s.realm.Every)
		s.wantEnds(map[session.Reason]int{session.CutOff: 9})
		if late := time.Since(s.lastConfirmed()); late > s.realm.Every+time.Second {
			t.Errorf("somebody was unconfirmed for %s", late)
		}
	})
}
