package recheck

import (
	"context"
	"fmt"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/session"
)

// result is what a recheck came to. The zero value: nothing is known.
type result struct {
	confirmed bool // somebody was confirmed, at the time of the question
	gone      bool // the sessions are ended
	at        time.Time
}

// apply writes down a decision, again and again while the store fails, as long as this process lives: a rotated token
// exists nowhere else. "Done, but the answer was lost" is harmless, and so is coming late, because a verdict only applies
// to the version of the grant that was presented.
func (l *lane) apply(q asked, d decision) result {
	answered := l.now()
	ctx := l.lasting
	verdict := d.kind
	var err error
	switch {
	case d.kind == cutOff || d.kind == giveUp:
		verdict, err = l.end(ctx, q, d, answered)
	case d.kind == postpone && d.confirmation.Token == "":
		err = l.persist(ctx, func() error {
			_, err := l.cfg.Store.Postpone(ctx, q.grant, d.dueAt, d.keepIntent)
			return err
		})
	default:
		err = l.persist(ctx, func() error {
			_, err := l.cfg.Store.Confirm(ctx, q.grant, d.confirmation)
			return err
		})
	}
	if err != nil {
		l.log.Error("a verdict could not be written down", "account", q.grant.Account.ID, "verdict", d.kind, "err", err)
		return result{}
	}
	l.metrics.verdicts.WithLabelValues(l.issuer, string(verdict)).Inc()
	return result{confirmed: verdict == confirm, gone: verdict == cutOff || verdict == giveUp, at: q.at}
}

// persist repeats a change of the store until it is done or ctx ends. It tries at least once.
func (l *lane) persist(ctx context.Context, try func() error) error {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := try()
		if err == nil || !sleep(ctx, pause) {
			return err
		}
	}
}

// held is the kind of a Gone that waits for an administrator.
const held kind = "held"

// end takes somebody off, unless so many are gone at once that it is more likely the provider's mistake. Somebody
// whom we could not ask is not counted as a leaver. Each attempt waits for the lane's place anew: one person whose end
// cannot be written down must not keep the others.
func (l *lane) end(ctx context.Context, q asked, d decision, answered time.Time) (kind, error) {
	verdict := d.kind
	var began *Tally // what a wave began with, in any of the attempts
	err := l.persist(ctx, func() error {
		l.wave <- struct{}{}
		defer func() { <-l.wave }()
		if d.kind == cutOff {
			t, err := l.cfg.Waves.Tally(ctx, l.issuer, answered.Add(-waveWindow), answered)
			if err != nil {
				return fmt.Errorf("tally: %w", err)
			}
			if l.realm.Wave.stops(t) {
				if !t.On {
					began = &t
				}
				ok, err := l.hold(ctx, q, d.confirmation.Token, t)
				if ok {
					verdict = held
				}
				return err
			}
		}
		ending := session.Ending{Reason: d.kind.reason(), At: l.now(), Actor: l.actor()}
		_, err := l.cfg.Store.Gone(ctx, q.grant, ending, l.event(audit.PersonGone, q, map[string]string{"reason": string(ending.Reason)}))
		return err
	})
	if err != nil {
		return verdict, fmt.Errorf("end sessions: %w", err)
	}
	l.tellEnd(q, verdict, began, answered)
	return verdict, nil
}

// tellEnd tells everybody else what end has written down.
func (l *lane) tellEnd(q asked, verdict kind, began *Tally, answered time.Time) {
	if verdict == held {
		l.metrics.wave(l.issuer, true)
		if began != nil {
			l.log.Error("too many people gone at once: the rest waits for an administrator", "gone", began.Gone+1, "people", began.People+began.Gone)
		}
		return
	}
	l.cfg.Woken(answered)
	if verdict == cutOff {
		l.metrics.cutOff.Observe(l.now().Sub(answered).Seconds())
	}
	l.log.Info("sessions ended", "account", q.grant.Account.ID, "reason", verdict.reason())
}

func (l *lane) actor() audit.Actor { return audit.Actor{Kind: audit.ByProvider, ID: l.issuer} }

// event is one about the person of a question.
func (l *lane) event(action audit.Action, q asked, details map[string]string) audit.Event {
	return audit.Event{
		At: l.now(), Action: action, Realm: l.realm.Name, Account: q.grant.Account.ID, Actor: l.actor(), Details: details,
	}
}
