package recheck

import (
	"context"
	"fmt"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
)

// leaseRetry is how often Check looks whether somebody else's question has been answered.
const leaseRetry = 50 * time.Millisecond

// Check asks the provider about an account now, for a renewal that cannot wait for the background. It keeps the
// contract of session.Checker: nil when the account was confirmed at olderThan or later, or its sessions are ended;
// session.ErrNoGrant; otherwise upstream_unavailable, after a second at most. Parallel callers share one question,
// which is finished even when they have gone.
func (w *Worker) Check(ctx context.Context, account string, olderThan time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	for {
		shared := w.flight.DoChan(account, func() (any, error) {
			checkedAt, err := w.check(account, olderThan)
			return checkedAt, err
		})
		select {
		case <-ctx.Done():
			return unavailable("the provider did not answer in time", ctx.Err())
		case done := <-shared:
			if done.Err != nil {
				return done.Err
			}
			// The question of a caller who came first may be older than this caller demands.
			if checkedAt, ok := done.Val.(time.Time); ok && !checkedAt.Before(olderThan) {
				return nil
			}
		}
	}
}

// check returns when the account was confirmed, or found gone.
func (w *Worker) check(account string, olderThan time.Time) (time.Time, error) {
	if !w.begin() {
		return time.Time{}, unavailable("shutting down", nil)
	}
	defer w.asking.Done()
	if len(w.lanes) == 0 {
		return time.Time{}, session.ErrNoGrant
	}
	if w.silent() {
		return time.Time{}, unavailable("the provider does not answer at present", nil)
	}
	ctx, cancel := context.WithTimeout(context.Background(), checkLimit)
	defer cancel()
	g, err := w.lease(ctx, account)
	if err != nil || g.Account.ID == "" {
		return w.now(), err // without an ID: somebody else found it gone
	}
	l, ok := w.lanes[g.Provider]
	switch {
	case !ok:
		w.release(ctx, g)
		return time.Time{}, session.ErrNoGrant // the provider is configured no more
	case !g.GoneAt.IsZero():
		w.release(ctx, g)
		return time.Time{}, unavailable("an administrator has to decide", nil)
	case !g.Account.CheckedAt.Before(olderThan) && !ahead(g.Account.CheckedAt, w.now()):
		w.release(ctx, g)
		return g.Account.CheckedAt, nil
	}
	return l.checkLeased(ctx, g)
}

// silent tells that nobody can be asked, without asking the store.
func (w *Worker) silent() bool {
	now := w.now()
	for _, l := range w.lanes {
		if l.breaker.room(now, 1) > 0 {
			return false
		}
	}
	return true
}

// lease waits while somebody else has the grant. A grant that vanishes meanwhile was found gone, which the zero Grant
// stands for; one that never was is ErrNoGrant.
func (w *Worker) lease(ctx context.Context, account string) (Grant, error) {
	for waited := false; ; waited = true {
		now := w.now()
		g, ok, err := w.cfg.Store.Lease(ctx, account, now, now.Add(leaseFor))
		switch {
		case err != nil:
			return Grant{}, fmt.Errorf("lease grant: %w", err)
		case ok:
			return g, nil
		case g.Account.ID == "" && waited:
			return Grant{}, nil
		case g.Account.ID == "":
			return Grant{}, session.ErrNoGrant
		case !sleep(ctx, leaseRetry):
			return Grant{}, unavailable("somebody else is asking", ctx.Err())
		}
	}
}

func (l *lane) checkLeased(ctx context.Context, g Grant) (time.Time, error) {
	l.pace.tick(l.now())
	if err := l.pace.wait(ctx); err != nil {
		l.release(ctx, g)
		return time.Time{}, unavailable("too many questions at once", err)
	}
	leave, ok := l.breaker.ask(l.now())
	if !ok {
		l.release(ctx, g)
		return time.Time{}, unavailable("the provider does not answer at present", nil)
	}
	if done := l.recheck(g, leave); done.confirmed || done.gone {
		return done.at, nil
	}
	return time.Time{}, unavailable("the provider gave no clear answer", nil)
}

// release ends the lease of a grant that was not presented.
func (w *Worker) release(ctx context.Context, g Grant) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handBackFor)
	defer cancel()
	if _, err := w.cfg.Store.Release(ctx, g); err != nil {
		w.cfg.Log.Debug("lease runs out by itself", "account", g.Account.ID, "err", err)
	}
}

func unavailable(detail string, err error) error {
	return &fault.Error{Code: fault.UpstreamUnavailable, Detail: detail, RetryAfter: firstPause, Err: err}
}
