package mail

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// post is an Outgoing whose answers are told to it.
type post struct {
	mu     sync.Mutex // guards everything below
	answer func(Letter) error
	hang   bool
	sent   []Letter
	tried  []time.Time
}

func (p *post) Send(ctx context.Context, l Letter) error {
	p.mu.Lock()
	p.tried = append(p.tried, time.Now())
	answer, hang := p.answer, p.hang
	p.mu.Unlock()
	if hang {
		<-ctx.Done()
		return &Failure{Stage: "connect", text: "no answer in time"}
	}
	if answer != nil {
		if err := answer(l); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, l)
	return nil
}

func (p *post) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

type scene struct {
	*Queue
	out      *post
	log      *bytes.Buffer
	registry *prometheus.Registry
	stop     func() // ends Run, and waits for it
}

func newScene(t *testing.T, c QueueConfig) *scene {
	t.Helper()
	s := &scene{out: &post{}, log: new(bytes.Buffer), registry: prometheus.NewRegistry()}
	c.Out, c.Log, c.Registerer = s.out, slog.New(slog.NewTextHandler(s.log, nil)), s.registry
	s.Queue = NewQueue(c)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	s.stop = sync.OnceFunc(func() { cancel(); <-ended })
	return s
}

func job(l Letter, life time.Duration) Job {
	return Job{Kind: l.Kind, Until: time.Now().Add(life), Write: func(context.Context) (*Letter, error) { return &l, nil }}
}

func (s *scene) want(t *testing.T, sent, failed, dropped, waiting float64) {
	t.Helper()
	synctest.Wait()
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := family.GetName()
			for _, label := range m.GetLabel() {
				name = label.GetValue()
			}
			got[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	want := map[string]float64{"sent": sent, "failed": failed, "dropped": dropped, "munjigi_mail_queue": waiting}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: got %v, want %v", name, got[name], want[name])
		}
	}
}

var errAway = &Failure{Stage: "connect", text: "connection refused"}

// A server that is away gets each letter when it is back; the pauses grow to two minutes and no further.
func TestQueueTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, QueueConfig{})
		defer s.stop()
		s.out.answer = func(Letter) error { return errAway }
		if !s.Post(job(letter(), time.Hour)) {
			t.Fatal("not taken")
		}
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		s.want(t, 0, float64(len(s.out.tried)), 0, 1)
		if first := s.out.tried[1].Sub(s.out.tried[0]); first != time.Second {
			t.Errorf("tried again after %v", first)
		}
		last := len(s.out.tried) - 1
		if pause := s.out.tried[last].Sub(s.out.tried[last-1]); pause != longPause {
			t.Errorf("tries again after %v", pause)
		}
		s.out.set(func() { s.out.answer = nil })
		time.Sleep(longPause)
		s.want(t, 1, float64(last+1), 0, 0)
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(s.out.sent) != 1 {
			t.Errorf("sent %d times", len(s.out.sent))
		}
	})
}

// A letter that is of no use any more is dropped, and the log says neither to whom nor what.
func TestQueueDrops(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		tries int
	}{
		"too late":    {errAway, 6}, // at 0, 1, 3, 7, 15 and 31 seconds
		"refused":     {&Failure{Stage: "recipient", Code: 550, Permanent: true, err: errors.New("kim@example.com unknown")}, 1},
		"not written": {nil, 6},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, QueueConfig{})
				defer s.stop()
				s.out.answer = func(Letter) error { return test.err }
				j, written := job(letter(), time.Minute), 0
				if test.err == nil {
					j.Write = func(context.Context) (*Letter, error) { written++; return nil, errors.New("store unavailable") }
				}
				s.Post(j)
				time.Sleep(time.Hour)
				s.want(t, 0, float64(test.tries), 1, 0)
				text := s.log.String()
				if !strings.Contains(text, "mail dropped") || strings.Contains(text, "kim@example.com") || strings.Contains(text, "mjl_") {
					t.Errorf("log:\n%s", text)
				}
			})
		})
	}
}

// A letter is written once, away from the caller, and nobody may be the one to write to.
func TestQueueWritesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, QueueConfig{})
		defer s.stop()
		written := 0
		fails := true
		s.out.answer = func(Letter) error {
			if fails {
				fails = false
				return errAway
			}
			return nil
		}
		s.Post(Job{Until: time.Now().Add(time.Hour), Write: func(context.Context) (*Letter, error) {
			written++
			l := letter()
			return &l, nil
		}})
		time.Sleep(time.Minute)
		s.want(t, 1, 1, 0, 0)
		s.Post(Job{Until: time.Now().Add(time.Hour), Write: func(context.Context) (*Letter, error) { return nil, nil }})
		time.Sleep(time.Minute)
		s.want(t, 1, 1, 0, 0)
		if written != 1 {
			t.Errorf("written %d times", written)
		}
	})
}

// Post never waits, also when the mail server hangs; what is too much is refused and counted.
func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, QueueConfig{Most: 10, AtOnce: 2})
		s.out.set(func() { s.out.hang = true })
		began := time.Now()
		taken := 0
		for range 25 {
			if s.Post(job(letter(), time.Hour)) {
				taken++
			}
			synctest.Wait()
		}
		if taken != 10 || time.Since(began) != 0 {
			t.Errorf("%d taken in %v", taken, time.Since(began))
		}
		s.want(t, 0, 0, 15, 10)
		if len(s.out.tried) != 2 {
			t.Errorf("%d connections at once", len(s.out.tried))
		}
		// The program stops although the server hangs, and says what is lost.
		s.stop()
		if took := time.Since(began); took != lastChance {
			t.Errorf("stopped after %v", took)
		}
		s.want(t, 0, 2, 25, 0)
		if s.Post(job(letter(), time.Hour)) {
			t.Error("taken by a queue that has stopped")
		}
	})
}

// A stop gives what waits a last chance, at once.
func TestQueueStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, QueueConfig{})
		s.out.answer = func(Letter) error { return errAway }
		for range 3 {
			s.Post(job(letter(), time.Hour))
		}
		time.Sleep(5 * time.Minute)
		s.out.set(func() { s.out.answer = nil })
		began := time.Now()
		s.stop()
		if len(s.out.sent) != 3 || time.Since(began) != 0 {
			t.Errorf("%d sent in %v", len(s.out.sent), time.Since(began))
		}
	})
}

// One that has to wait does not hold up those behind it.
func TestQueueOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, QueueConfig{AtOnce: 1})
		defer s.stop()
		began := time.Now()
		s.out.answer = func(l Letter) error {
			if l.Kind == SignUp && time.Since(began) < 3*time.Second {
				return errAway
			}
			return nil
		}
		for _, kind := range []Kind{SignUp, Forgotten, Changed, Known} {
			l := letter()
			l.Kind = kind
			s.Post(job(l, time.Hour))
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		var order []Kind
		for _, l := range s.out.sent {
			order = append(order, l.Kind)
		}
		if want := []Kind{Forgotten, Changed, Known, SignUp}; !slices.Equal(order, want) {
			t.Errorf("got %v, want %v", order, want)
		}
	})
}
