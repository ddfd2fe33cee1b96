package main

import (
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
)

// killed is what one of the load's people knows of a session when the program dies.
type killed struct {
	*browser
	cookie string // the newest, also after a sign-out has taken it out of the jar
	ended  bool   // its end was acknowledged
	asked  bool   // its end was asked for, and the answer never came: either is right
}

// TestWholeKilledUnderLoad kills the program again and again while people sign in, renew and sign out. Afterwards every
// end that was acknowledged has held, and every session that nobody ended lives.
func TestWholeKilledUnderLoad(t *testing.T) {
	t.Parallel()
	kills := 8
	if os.Getenv("MUNJIGI_SOAK") != "" {
		kills = 50
	}
	w := startWhole(t, "renew_grace: 10s, lost_answers: 100, per_account: 0")
	ends, lives := 0, 0
	for range kills {
		sessions := w.load(t, 300*time.Millisecond+time.Duration(rand.IntN(400))*time.Millisecond)
		w.start(t)
		for _, s := range sessions {
			_, _, err := s.present(s.cookie)
			switch {
			case s.ended && codeOf(err) != fault.SessionSignedOut:
				t.Errorf("an acknowledged end was lost: %v", errOf(err))
			case !s.ended && !s.asked && err != nil:
				t.Errorf("a session was lost: %v", err)
			}
			if s.ended {
				ends++
			} else if err == nil {
				lives++
			}
		}
	}
	t.Logf("%d kills: %d acknowledged ends held, %d sessions lived on", kills, ends, lives)
	if ends == 0 || lives == 0 {
		t.Error("the load made no ends or left no sessions: it shows nothing")
	}
	if out, err := w.command("audit", "verify", "--config", "munjigi.yaml").CombinedOutput(); err != nil {
		t.Errorf("audit verify: %v: %s", err, out)
	}
}

// load runs people for a while, kills the program in the middle of it, and returns what they know.
func (w *whole) load(t *testing.T, lasts time.Duration) []*killed {
	t.Helper()
	var mu sync.Mutex
	var sessions []*killed
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				s := &killed{browser: w.browser()}
				if s.signIn("viewer@example.com") != nil {
					continue
				}
				mu.Lock()
				sessions = append(sessions, s)
				mu.Unlock()
				s.renew()
				s.cookie = s.browser.cookie()
				if rand.IntN(2) == 0 {
					s.asked = true
					_, err := s.call(http.MethodDelete, w.url+"/session", "", nil)
					s.ended = err == nil
				}
			}
		})
	}
	time.Sleep(lasts) // the length of the load, not a wait for anything
	w.kill()
	close(stop)
	wg.Wait()
	return sessions
}
