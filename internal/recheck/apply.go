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

// apply writes down a decision, again and again while the store fails: "done, but the answer was lost" is harmless,
// because a verdict only applies to the version of the grant that was presented.
func (l *lane) apply(ctx context.Context, q asked, d decision) result {
	answered := l.now()
	ctx, cancel := context.WithTimeout(ctx, applyFor)
	defer cancel()
	verdict := d.kind
	var err error
	switch {
	case d.kind == cutOff || d.kind == giveUp:
		verdict, err = l.end(ctx, q, d.kind, answered)
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

// persist repeats a change of the store until it is done or ctx ends.
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
// whom we could not ask is not counted as a leaver.
func (l *lane) end(ctx context.Context, q asked, k kind, answered time.Time) (kind, error) {
	l.wave <- struct{}{}
	defer func() { <-l.wave }()
	var tally Tally
	if k == cutOff {
		err := l.persist(ctx, func() (err error) {
			tally, err = l.cfg.Waves.Tally(ctx, l.issuer, answered.Add(-waveWindow), answered)
			return err
		})
		if err != nil {
			return k, fmt.Errorf("tally: %w", err)
		}
		if l.realm.Wave.stops(tally) {
			return held, l.hold(ctx, q, tally)
		}
	}
	at := l.now()
	ending := session.Ending{Reason: k.reason(), At: at, Actor: l.actor()}
	err := l.persist(ctx, func() error {
		_, err := l.cfg.Store.Gone(ctx, q.grant, ending, l.event(audit.PersonGone, q, map[string]string{"reason": string(k.reason())}))
		return err
	})
	if err != nil {
		return k, fmt.Errorf("end sessions: %w", err)
	}
	l.cfg.Woken(answered)
	if k == cutOff {
		l.metrics.cutOff.Observe(l.now().Sub(answered).Seconds())
	}
	l.log.Info("sessions ended", "account", q.grant.Account.ID, "reason", k.reason())
	return k, nil
}

func (l *lane) actor() audit.Actor { return audit.Actor{Kind: audit.ByProvider, ID: l.issuer} }

// event is one about the person of a question.
func (l *lane) event(action audit.Action, q asked, details map[string]string) audit.Event {
	return audit.Event{
		At: l.now(), Action: action, Realm: l.realm.Name, Account: q.grant.Account.ID, Actor: l.actor(), Details: details,
	}
}
