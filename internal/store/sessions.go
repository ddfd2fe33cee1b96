package store

import (
	"context"
	"errors"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/pack"
	"github.com/munjigi/munjigi/internal/token"
)

// The columns of a session, under the name s and, for RETURNING, without one.
const (
	sessionColumns  = `s.id, s.account, s.ends_at, s.idle_until, s.access_max, s.generation, s.ended, s.fixed, s.rotation`
	sessionReturned = `id, account, ends_at, idle_until, access_max, generation, ended, fixed, rotation`
)

// sessionRow takes sessionColumns.
type sessionRow struct {
	session.Session
	id, fixed, rotation          []byte
	endsAt, idleUntil, accessMax int64
	ended                        string
}

func (r *sessionRow) dest() []any {
	return []any{&r.id, &r.Account, &r.endsAt, &r.idleUntil, &r.accessMax, &r.Rotation.Generation, &r.ended, &r.fixed, &r.rotation}
}

func (r *sessionRow) session() (session.Session, error) {
	s := &r.Session
	copy(s.ID[:], r.id)
	s.EndsAt, s.Rotation.IdleUntil = fromMicros(r.endsAt), fromMicros(r.idleUntil)
	s.AccessMax = time.Duration(r.accessMax) * time.Microsecond
	ended, err := pack.OpenEnd(r.ended)
	s.Ended = ended
	return *s, errors.Join(err, pack.OpenFixed(r.fixed, s), pack.OpenRotation(r.rotation, s))
}

func scanSession(row engine.Scanner) (session.Session, error) {
	var r sessionRow
	if err := row.Scan(r.dest()...); err != nil {
		return session.Session{}, err
	}
	return r.session()
}

// live is the condition for a session s at the time that the placeholder bears. It names ended = ” as the partial
// index does.
func live(at string) string {
	return `s.ended = '' AND s.ends_at > ` + at + ` AND s.idle_until > ` + at
}

// Session implements session.Store.
func (s *Store) Session(ctx context.Context, id token.SessionID) (session.Session, account.Account, error) {
	var row sessionRow
	var who accountRow
	found, err := engine.Optional(s.db.Row(ctx, `SELECT `+sessionColumns+`, `+accountColumns+`
		FROM sessions s JOIN accounts a ON a.id = s.account WHERE s.id = $1`, id[:]).Scan(append(row.dest(), who.dest()...)...))
	if err == nil && !found {
		err = fault.New(fault.SessionUnknown, "")
	}
	if err != nil {
		return session.Session{}, account.Account{}, unavailable("read session", err)
	}
	live, err := row.session()
	owner, other := who.account()
	return live, owner, unavailable("read session", errors.Join(err, other))
}

// Sessions implements session.Store.
func (s *Store) Sessions(ctx context.Context, account string, now time.Time) ([]session.Session, error) {
	sessions, err := liveSessions(s.db.In(ctx), account, now)
	return sessions, unavailable("list sessions", err)
}

// liveSessions are an account's, newest first.
func liveSessions(q engine.Querier, account string, now time.Time) ([]session.Session, error) {
	return engine.List(q, scanSession, `SELECT `+sessionColumns+` FROM sessions s
		WHERE s.account = $1 AND `+live(`$2`)+` ORDER BY s.seq DESC`, account, micros(now))
}

// session reads one session as it stands in the transaction. session_unknown when there is no such row.
func (t *tx) session(id token.SessionID) (session.Session, error) {
	var row sessionRow
	found, err := t.One(`SELECT `+sessionColumns+` FROM sessions s WHERE s.id = $1`, []any{id[:]}, row.dest()...)
	if err == nil && !found {
		err = fault.New(fault.SessionUnknown, "")
	}
	if err != nil {
		return session.Session{}, err
	}
	return row.session()
}

// Rotate implements session.Store: one compare-and-swap, which most often is the whole transaction.
func (s *Store) Rotate(ctx context.Context, id token.SessionID, from int64, next session.Rotation, lost []time.Time, event *audit.Event) (session.Session, error) {
	k := engine.Single
	if event != nil {
		k = engine.Usual
	}
	next = normalRotation(next)
	packed := pack.Rotation(&next, lost)
	return write(ctx, s, k, "rotate session", func(t *tx) (session.Session, error) {
		row := sessionRow{id: id[:], rotation: packed, idleUntil: micros(next.IdleUntil)}
		row.Rotation.Generation = next.Generation
		done, err := t.One(`UPDATE sessions SET generation = $1, idle_until = $2,
				access_max = CASE WHEN access_max < $3 THEN $3 ELSE access_max END, rotation = $4
			WHERE id = $5 AND generation = $6 AND ended = '' AND EXISTS (SELECT 1 FROM accounts a WHERE a.id = sessions.account
				AND a.email = $7 AND a.name = $8 AND a.roles = $9 AND a.checked_at = $10 AND a.disabled = 0)
			RETURNING account, ends_at, access_max, fixed`,
			[]any{
				next.Generation, row.idleUntil, next.Access.Microseconds(), packed, id[:], from,
				next.Email, next.Name, pack.Roles(next.Roles), micros(next.CheckedAt),
			},
			&row.Account, &row.endsAt, &row.accessMax, &row.fixed)
		if err != nil {
			return session.Session{}, err
		}
		if !done {
			return t.session(id)
		}
		if event != nil {
			if err := t.record(*event); err != nil {
				return session.Session{}, err
			}
		}
		return row.session()
	})
}

// normalRotation is a rotation as it comes back from the database.
func normalRotation(r session.Rotation) session.Rotation {
	r.At, r.IdleUntil = fromMicros(micros(r.At)), fromMicros(micros(r.IdleUntil))
	r.Profile = pack.Profile(r.Profile)
	return r
}
