package recheck

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/munjigi/munjigi/internal/upstream"
)

// lane is the work on one provider.
type lane struct {
	*Worker
	issuer  string
	realm   Realm
	log     *slog.Logger
	breaker breaker
	pace    *pace
	busy    atomic.Int64 // questions of the background under way
	oldest  atomic.Int64 // checked_at of the longest unconfirmed among the last that were due, µs; 0 = none was
	sizedAt time.Time    // of run alone

	// wave has one place: one Gone at a time is held against the wave's rule, so that a burst cannot slip through. It is
	// held while the store is waited for, so it is no mutex: whoever waits for that is not seen as waiting by a fake clock.
	wave chan struct{}
}

func newLane(w *Worker, issuer string, realm Realm) *lane {
	l := &lane{Worker: w, issuer: issuer, realm: realm, log: w.cfg.Log.With("provider", issuer), pace: newPace(), wave: make(chan struct{}, 1)}
	l.breaker.longest = min(longestPause, realm.Every)
	l.metrics.watch(l)
	return l
}

func (l *lane) run(ctx context.Context) {
	storeFails := false
	for ctx.Err() == nil {
		if l.now().Sub(l.sizedAt) >= resizeEvery {
			l.resize(ctx)
		}
		n, err := l.turn(ctx)
		if err != nil && !storeFails && ctx.Err() == nil {
			l.log.Error("rechecks wait for the store", "err", err)
		}
		storeFails = err != nil
		if n == 0 {
			sleep(ctx, poll)
		}
	}
}

// resize fits the rate to the number of people.
func (l *lane) resize(ctx context.Context) {
	now := l.now()
	l.sizedAt = now
	tally, err := l.cfg.Waves.Tally(ctx, l.issuer, now.Add(-waveWindow), now)
	if err != nil {
		return // the rate stays; turn will tell of the store's failure
	}
	l.pace.resize(tally.People, l.realm.Every)
	l.metrics.people.WithLabelValues(l.issuer).Set(float64(tally.People))
	l.metrics.wave(l.issuer, tally.On)
}

// turn leases what is due and can be asked now, and begins the questions. It returns how many it leased.
func (l *lane) turn(ctx context.Context) (int, error) {
	now := l.now()
	l.pace.tick(now)
	limit := l.breaker.room(now, parallel-int(l.busy.Load()))
	if limit <= 0 {
		return 0, nil
	}
	grants, err := l.cfg.Store.LeaseDue(ctx, Due{
		Provider: l.issuer, Now: now, Until: now.Add(leaseFor), Latest: now.Add(2 * l.realm.Every), Limit: limit,
	})
	if err != nil {
		return 0, err
	}
	l.note(grants)
	// In a rush of sign-ins the number of people outgrows its last count.
	if l.pace.lasts(len(grants)) > rushed && now.Sub(l.sizedAt) >= resizeRushed {
		l.resize(ctx)
		l.pace.tick(now)
	}
	for i, g := range grants {
		if !l.dispatch(ctx, g) {
			l.handBack(grants[i:])
			return 0, nil
		}
	}
	return len(grants), nil
}

// dispatch waits for the turn of a grant and begins its question; false when it must not be asked now.
func (l *lane) dispatch(ctx context.Context, g Grant) bool {
	if err := l.pace.wait(ctx); err != nil {
		return false
	}
	leave, ok := l.breaker.ask(l.now())
	if !ok {
		return false
	}
	if !l.begin() {
		l.breaker.giveBack(leave)
		return false
	}
	l.busy.Add(1)
	go func() {
		defer l.asking.Done()
		defer l.busy.Add(-1)
		l.recheck(g, leave)
	}()
	return true
}

// note remembers how long the longest unconfirmed of those that were due has waited.
func (l *lane) note(grants []Grant) {
	var oldest int64
	for _, g := range grants {
		if at := g.Account.CheckedAt.UnixMicro(); oldest == 0 || at < oldest {
			oldest = at
		}
	}
	if oldest != 0 || !l.breaker.isOpen() {
		l.oldest.Store(oldest)
	}
}

// overdue is how long ago somebody should have been confirmed, in seconds.
func (l *lane) overdue() float64 {
	oldest := l.oldest.Load()
	if oldest == 0 {
		return 0
	}
	return max(0, (l.now().Sub(time.UnixMicro(oldest)) - l.realm.Every).Seconds())
}

// handBack ends the leases of grants that were not presented.
func (l *lane) handBack(grants []Grant) {
	ctx, cancel := context.WithTimeout(context.Background(), handBackFor)
	defer cancel()
	for _, g := range grants {
		if _, err := l.cfg.Store.Release(ctx, g); err != nil {
			l.log.Debug("lease runs out by itself", "account", g.Account.ID, "err", err)
			return
		}
	}
}

// recheck asks about one leased grant and writes down what came of it. It is not bound to anybody's patience: a token
// that was presented may be rotated, and then the answer is its only successor.
func (l *lane) recheck(g Grant, leave pass) result {
	if !l.take(g.Account.ID) {
		l.breaker.giveBack(leave)
		return result{} // the lease stays for a while, so that nobody tries again at once
	}
	defer l.letGo(g.Account.ID)
	ctx, cancel := context.WithTimeout(context.Background(), leaseFor)
	defer cancel()
	q := asked{grant: g, realm: l.realm, at: l.now(), jitter: l.cfg.Random()}
	q.grant.LeasedUntil = q.at.Add(leaseFor)
	if !l.intend(ctx, g, q) {
		l.breaker.giveBack(leave)
		return result{}
	}
	answer := l.realm.Provider.Ask(ctx, g.Token, g.Account.Subject)
	l.observe(leave, answer)
	decided := decide(q, answer)
	if decided.kind == postpone && !answer.ProviderFault {
		l.log.Warn("the provider's answer about a person is unclear", "account", g.Account.ID, "err", answer.Err)
	}
	return l.apply(q, decided)
}

// intend announces a question about g, and tells whether it may be asked.
func (l *lane) intend(ctx context.Context, g Grant, q asked) bool {
	ok, err := l.cfg.Store.Intend(ctx, g, q.at, q.grant.LeasedUntil)
	switch {
	case err != nil:
		l.log.Warn("not asked, because that could not be written down", "account", g.Account.ID, "err", err)
		l.handBack([]Grant{q.grant, g}) // it may have been written down, or not
		return false
	case ok && l.now().After(q.grant.LeasedUntil.Add(-askFor)):
		l.handBack([]Grant{q.grant}) // the store took so long that somebody else may come to ask as well
		return false
	}
	return ok
}

// observe tells the breaker, and the log once an outage.
func (l *lane) observe(leave pass, answer upstream.Answer) {
	now := l.now()
	did, lasted := l.breaker.record(leave, now, answer.ProviderFault)
	switch did {
	case opened:
		l.log.Error("the provider does not answer; nobody is signed out by that", "err", answer.Err)
	case closed:
		l.pace.recover(now)
		l.log.Info("the provider answers again", "after", lasted)
	}
}
