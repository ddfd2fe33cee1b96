package store

import (
	"context"
	"errors"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/recheck"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store/engine"
)

// people counts those with a grant of the provider $1 and a session that is live at $2.
var people = `SELECT count(*) FROM grants g WHERE g.provider = $1 AND g.token IS NOT NULL
	AND EXISTS (SELECT 1 FROM sessions s WHERE s.account = g.account AND ` + live(`$2`) + `)`

// Tally implements recheck.WaveStore.
func (s *Store) Tally(ctx context.Context, provider string, since, now time.Time) (recheck.Tally, error) {
	var tally recheck.Tally
	var on int64
	err := s.db.Row(ctx, `SELECT (`+people+`),
			(SELECT count(*) FROM gone WHERE provider = $1 AND at >= $3),
			(SELECT count(*) FROM waves WHERE provider = $1)`,
		provider, micros(now), micros(since)).Scan(&tally.People, &tally.Gone, &on)
	tally.On = on > 0
	return tally, unavailable("tally", err)
}

// Hold implements recheck.WaveStore.
func (s *Store) Hold(ctx context.Context, g recheck.Grant, h recheck.Holding) (bool, error) {
	return write(ctx, s, engine.Usual, "hold verdict", func(t *tx) (bool, error) {
		ok, err := s.holdGrant(t, g, h)
		if err != nil || !ok {
			return false, err
		}
		if err := t.countGone(g.Provider, g.Account.ID, h.At); err != nil {
			return false, err
		}
		first, err := t.startWave(g.Provider, h.At)
		if err != nil {
			return false, err
		}
		if first {
			return true, t.record(h.Stop, h.Held)
		}
		return true, t.record(h.Held)
	})
}

func (s *Store) holdGrant(t *tx, g recheck.Grant, h recheck.Holding) (bool, error) {
	var account string
	if h.Token == "" {
		return t.One(`UPDATE grants SET gone_at = $1, intent_at = 0, leased_until = 0
			WHERE account = $2 AND version = $3 AND token IS NOT NULL RETURNING account`,
			[]any{micros(h.At), g.Account.ID, g.Version}, &account)
	}
	sealed, err := s.seal([]byte(h.Token), grantAt(g.Account.ID, g.Version+1))
	if err != nil {
		return false, err
	}
	return t.One(`UPDATE grants SET gone_at = $1, intent_at = 0, leased_until = 0, version = version + 1, token = $4, rotates = 1
		WHERE account = $2 AND version = $3 AND token IS NOT NULL RETURNING account`,
		[]any{micros(h.At), g.Account.ID, g.Version, sealed}, &account)
}

// startWave tells whether there was none.
func (t *tx) startWave(provider string, at time.Time) (first bool, err error) {
	var since int64
	on, err := t.One(`SELECT since FROM waves WHERE provider = $1`, []any{provider}, &since)
	if err != nil || on {
		return false, err
	}
	var count int64
	if _, err := t.One(people, []any{provider, micros(at)}, &count); err != nil {
		return false, err
	}
	return true, t.Exec(`INSERT INTO waves (provider, since, people) VALUES ($1, $2, $3)`, provider, micros(at), count)
}

// Waves implements recheck.WaveStore.
func (s *Store) Waves(ctx context.Context) ([]recheck.Wave, error) {
	waves, err := engine.List(s.db.In(ctx), scanWave, `SELECT provider, since, people FROM waves ORDER BY since, provider`)
	for i := range waves {
		if err != nil {
			break
		}
		waves[i].Held, err = engine.List(s.db.In(ctx), scanAccount, `SELECT `+accountColumns+` FROM grants g JOIN accounts a ON a.id = g.account
			WHERE g.provider = $1 AND g.gone_at <> 0 ORDER BY g.gone_at, a.id`, waves[i].Provider)
	}
	return waves, unavailable("list waves", err)
}

func scanWave(row engine.Scanner) (w recheck.Wave, err error) {
	var since int64
	err = row.Scan(&w.Provider, &since, &w.People)
	w.Since = fromMicros(since)
	return w, err
}

// waveBatch bounds how many held people one transaction ends, so that others get their turn in between: a wave may be
// the whole company.
const waveBatch = 100

// EndWave implements recheck.WaveStore. When no wave is on it does nothing. A larger wave takes several transactions,
// the last of which ends it: whoever is interrupted finds it still on, with those held who are left.
func (s *Store) EndWave(ctx context.Context, provider string, confirm bool, e session.Ending, event audit.Event) ([]session.Session, error) {
	var all []session.Session
	for {
		part, err := write(ctx, s, engine.Urgent, "end wave", func(t *tx) (waveEnd, error) { return t.endWave(provider, confirm, e, event) })
		all = append(all, part.ended...)
		if err != nil || part.over {
			return all, err
		}
	}
}

// waveEnd is what one transaction did.
type waveEnd struct {
	ended []session.Session
	over  bool
}

func (t *tx) endWave(provider string, confirm bool, e session.Ending, event audit.Event) (done waveEnd, err error) {
	var since int64
	on, err := t.One(`SELECT since FROM waves WHERE provider = $1`, []any{provider}, &since)
	if err != nil || !on {
		return waveEnd{over: true}, err
	}
	done.over = true
	if confirm {
		if done, err = t.confirmHeld(provider, e); err != nil || !done.over {
			return done, err
		}
	} else if err := t.Exec(`UPDATE grants SET gone_at = 0, due_at = $1 WHERE provider = $2 AND gone_at <> 0`, micros(e.At), provider); err != nil {
		return done, err
	}
	return done, errors.Join(
		t.Exec(`DELETE FROM waves WHERE provider = $1`, provider),
		t.Exec(`DELETE FROM gone WHERE provider = $1`, provider),
		t.record(event),
	)
}

// confirmHeld takes verdicts that waited, as Gone would have.
func (t *tx) confirmHeld(provider string, e session.Ending) (done waveEnd, err error) {
	people, err := engine.List(t, scanHeld, `SELECT g.version, `+accountColumns+` FROM grants g JOIN accounts a ON a.id = g.account
		WHERE g.provider = $1 AND g.gone_at <> 0 ORDER BY g.gone_at, a.id LIMIT $2`, provider, waveBatch)
	if err != nil {
		return done, err
	}
	for _, h := range people {
		if _, err := t.eraseGrant(h.who.ID, h.version); err != nil {
			return done, err
		}
		ended, err := t.goneAccount(h.who.ID, e, audit.Event{At: e.At, Action: audit.PersonGone, Realm: h.who.Realm, Account: h.who.ID, Actor: e.Actor})
		if err != nil {
			return done, err
		}
		done.ended = append(done.ended, ended...)
	}
	done.over = len(people) < waveBatch
	return done, nil
}

type held struct {
	version int64
	who     account.Account
}

func scanHeld(row engine.Scanner) (h held, err error) {
	var r accountRow
	if err := row.Scan(append([]any{&h.version}, r.dest()...)...); err != nil {
		return h, err
	}
	h.who, err = r.account()
	return h, err
}
