package recheck

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/session"
)

// waveWindow is the time in which leavers are counted together.
const waveWindow = 5 * time.Minute

// WaveRule tells leavers from a provider's mistake: more than Share of the people, and at least AtLeast of them, gone
// within five minutes stop until an administrator decides.
type WaveRule struct {
	Share   float64 // zero = 0.2
	AtLeast int     // zero = 10
}

// stops tells whether one more is too many. The share is of those who were there before the first one went.
func (r WaveRule) stops(t Tally) bool {
	if r.Share == 0 {
		r.Share = 0.2
	}
	if r.AtLeast == 0 {
		r.AtLeast = 10
	}
	gone := t.Gone + 1
	return t.On || gone >= r.AtLeast && float64(gone) > r.Share*float64(t.People+t.Gone)
}

// hold keeps a verdict for an administrator, and the token that may have come with it. The caller has the lane's place
// for that.
func (l *lane) hold(ctx context.Context, q asked, token string, t Tally) (bool, error) {
	kept := l.event(audit.PersonHeld, q, nil)
	stop := l.event(audit.WaveStopped, q, map[string]string{"gone": strconv.Itoa(t.Gone + 1), "people": strconv.Itoa(t.People + t.Gone)})
	stop.Account = ""
	ok, err := l.cfg.Waves.Hold(ctx, q.grant, Holding{At: kept.At, Token: token, Held: kept, Stop: stop})
	if err != nil {
		return ok, fmt.Errorf("hold verdict: %w", err)
	}
	return ok, nil
}

// Waves lists what waits for an administrator.
func (w *Worker) Waves(ctx context.Context) ([]Wave, error) { return w.cfg.Waves.Waves(ctx) }

// ConfirmWave has everybody gone whom the wave held.
func (w *Worker) ConfirmWave(ctx context.Context, provider string, actor audit.Actor) error {
	return w.endWave(ctx, provider, true, actor)
}

// DismissWave has everybody asked again whom the wave held; those who are gone then are gone.
func (w *Worker) DismissWave(ctx context.Context, provider string, actor audit.Actor) error {
	return w.endWave(ctx, provider, false, actor)
}

func (w *Worker) endWave(ctx context.Context, provider string, confirmed bool, actor audit.Actor) error {
	now := w.now()
	action := audit.WaveDismissed
	if confirmed {
		action = audit.WaveConfirmed
	}
	event := audit.Event{
		At: now, Action: action, Realm: w.cfg.Realms[provider].Name, Actor: actor, Details: map[string]string{"provider": provider},
	}
	ending := session.Ending{Reason: session.CutOff, At: now, Actor: actor}
	if _, err := w.cfg.Waves.EndWave(ctx, provider, confirmed, ending, event); err != nil {
		return fmt.Errorf("end wave: %w", err)
	}
	w.metrics.wave(provider, false)
	w.cfg.Woken(now)
	return nil
}
