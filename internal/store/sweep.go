package store

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/onetime"
	"github.com/munjigi/munjigi/internal/store/pack"
)

// The margins after which something is of no use to anybody.
const (
	// keepGone covers every wave's window.
	keepGone = 24 * time.Hour
	// keepGuesses is longer than the window in which guesses count.
	keepGuesses = time.Hour
	// restGrant is how long a grant of somebody without a session is found due before it is laid to rest.
	restGrant = time.Hour
)

// walk is where the last sweep stopped looking. No index knows which sessions are idle: it would have to change with
// every renewal. So each sweep reads on for a while, and begins again at the end.
type walk struct {
	mu      sync.Mutex // guards everything below; one sweep at a time
	session int64      // seq
	grant   string
}

// Swept counts what a sweep did.
type Swept struct {
	Expired  int // sessions that were marked
	Sessions int // sessions that were deleted
	Entries  int // of the feed
	Attempts int
	Guesses  int
	Grants   int // laid to rest until their owner signs in again
}

// Sweep clears away: of each kind it looks at no more than limit rows. It marks sessions that have expired, with an
// event each, and deletes what no token can need any more. Nothing depends on it but the size of the database.
func (s *Store) Sweep(ctx context.Context, now time.Time, limit int) (swept Swept, err error) {
	s.walk.mu.Lock()
	defer s.walk.mu.Unlock()
	for _, step := range []func(context.Context, time.Time, int, *Swept) error{s.sweepSessions, s.sweepGrants, s.sweepRest} {
		if err := step(ctx, now, limit, &swept); err != nil {
			return swept, unavailable("sweep", err)
		}
	}
	return swept, nil
}

// seen is what the walk looks at.
type seen struct {
	seq, endsAt, idleUntil int64
	ended                  string
}

func scanSeen(row engine.Scanner) (x seen, err error) {
	err = row.Scan(&x.seq, &x.endsAt, &x.idleUntil, &x.ended)
	return x, err
}

func (s *Store) sweepSessions(ctx context.Context, now time.Time, limit int, swept *Swept) error {
	rows, err := engine.List(s.db.In(ctx), scanSeen, `SELECT seq, ends_at, idle_until, ended FROM sessions
		WHERE seq > $1 ORDER BY seq LIMIT $2`, s.walk.session, limit)
	if err != nil {
		return err
	}
	s.walk.session = 0
	if len(rows) == limit {
		s.walk.session = rows[limit-1].seq
	}
	rows = slices.DeleteFunc(rows, func(x seen) bool { return !x.expired(now) && !x.dead(now) })
	if len(rows) == 0 {
		return nil
	}
	done, err := write(ctx, s, engine.Usual, "sweep sessions", func(t *tx) (Swept, error) { return t.sweepSessions(rows, now) })
	swept.Expired, swept.Sessions = done.Expired, done.Sessions
	return err
}

func (x seen) expired(now time.Time) bool {
	return x.ended == "" && min(x.endsAt, x.idleUntil) <= micros(now)
}

func (x seen) dead(now time.Time) bool {
	return x.endsAt+session.KeepEnded.Microseconds() <= micros(now)
}

func (t *tx) sweepSessions(rows []seen, now time.Time) (swept Swept, err error) {
	var events []audit.Event
	for _, x := range rows {
		if x.expired(now) {
			event, err := t.expire(x, now)
			if err != nil {
				return swept, err
			}
			events = append(events, event...)
		}
		if x.dead(now) {
			if err := t.Exec(`DELETE FROM sessions WHERE seq = $1`, x.seq); err != nil {
				return swept, err
			}
			swept.Sessions++
		}
	}
	swept.Expired = len(events)
	return swept, t.record(events...)
}

// expire marks a session, unless it was renewed or ended meanwhile. The feed need not name it: its tokens are over.
func (t *tx) expire(x seen, now time.Time) ([]audit.Event, error) {
	marked, err := engine.List(t, scanSession, `UPDATE sessions SET ended = $1
		WHERE seq = $2 AND ended = '' AND ends_at = $3 AND idle_until = $4 RETURNING `+sessionReturned,
		pack.End(session.End{Reason: session.Expired, At: fromMicros(min(x.endsAt, x.idleUntil))}), x.seq, x.endsAt, x.idleUntil)
	if err != nil || len(marked) == 0 {
		return nil, err
	}
	return []audit.Event{endedEvent(marked[0], session.Ending{At: now, Actor: audit.Actor{Kind: audit.ByProgram}})}, nil
}

// useless are grants that have been due for a while though nobody asks: their account has no live session.
var useless = `g.token IS NOT NULL AND g.gone_at = 0 AND g.due_at <= $1
	AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.account = g.account AND ` + live(`$2`) + `)`

// sweepGrants lays them to rest, so that looking for due grants does not meet them again and again.
func (s *Store) sweepGrants(ctx context.Context, now time.Time, limit int, swept *Swept) error {
	accounts, err := engine.List(s.db.In(ctx), scanText, `SELECT account FROM grants WHERE account > $1 ORDER BY account LIMIT $2`, s.walk.grant, limit)
	if err != nil || len(accounts) == 0 {
		s.walk.grant = ""
		return err
	}
	from, to := accounts[0], accounts[len(accounts)-1]
	s.walk.grant = to
	resting, err := engine.List(s.db.In(ctx), scanText, `SELECT g.account FROM grants g WHERE `+useless+` AND g.account >= $3 AND g.account <= $4`,
		micros(now.Add(-restGrant)), micros(now), from, to)
	if err != nil || len(resting) == 0 {
		return err
	}
	swept.Grants, err = write(ctx, s, engine.Usual, "sweep grants", func(t *tx) (int, error) {
		return t.Count(`UPDATE grants AS g SET due_at = `+neverText+` WHERE `+useless+` AND g.account >= $3 AND g.account <= $4`,
			micros(now.Add(-restGrant)), micros(now), from, to)
	})
	return err
}

func (s *Store) sweepRest(ctx context.Context, now time.Time, limit int, swept *Swept) error {
	done, err := write(ctx, s, engine.Usual, "sweep", func(t *tx) (done Swept, err error) {
		if done.Entries, err = t.Count(`DELETE FROM revocations WHERE n IN
			(SELECT n FROM revocations WHERE until <= $1 ORDER BY until LIMIT $2)`, now.Unix(), limit); err != nil {
			return done, err
		}
		if done.Attempts, err = t.Count(`DELETE FROM attempts WHERE id IN
			(SELECT id FROM attempts WHERE until <= $1 ORDER BY until LIMIT $2)`, micros(now), limit); err != nil {
			return done, err
		}
		if done.Guesses, err = t.Count(`DELETE FROM guesses WHERE (id, bucket) IN
			(SELECT id, bucket FROM guesses WHERE at <= $1 ORDER BY at LIMIT $2)`, micros(now.Add(-keepGuesses)), limit); err != nil {
			return done, err
		}
		if err := onetime.Sweep(t.Tx, now, limit); err != nil {
			return done, err
		}
		return done, t.Exec(`DELETE FROM gone WHERE at <= $1`, micros(now.Add(-keepGone)))
	})
	swept.Entries, swept.Attempts, swept.Guesses = done.Entries, done.Attempts, done.Guesses
	return err
}
