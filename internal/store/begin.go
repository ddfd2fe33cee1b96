package store

import (
	"context"
	"errors"
	"slices"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/pack"
	"github.com/munjigi/munjigi/internal/token"
)

// begun is what a sign-in leaves: a session, or why there is none though something was changed.
type begun struct {
	session session.Session
	account account.Account
	refused error
}

// Begin implements session.Store. One that is repeated finds its own session, and changes nothing.
func (s *Store) Begin(ctx context.Context, b session.Beginning) (session.Session, account.Account, error) {
	if b.Account.ID == "" {
		b.Account.ID = token.NewID()
	}
	done, err := write(ctx, s, engine.Usual, "begin session", func(t *tx) (begun, error) { return s.begin(t, b) })
	return done.session, done.account, errors.Join(err, done.refused)
}

func (s *Store) begin(t *tx, b session.Beginning) (begun, error) {
	if before, found, err := t.begunBefore(b.Session.ID); found || err != nil {
		return before, err
	}
	if before, found, err := t.exchangedBefore(b); found || err != nil {
		return before, err
	}
	who, err := t.whoBegins(&b)
	if err != nil {
		return begun{}, err
	}
	if who.Disabled {
		return begun{}, fault.New(fault.SessionCutOff, "the account is disabled")
	}
	if err := s.takeGrant(t, b, who); err != nil {
		return begun{}, err
	}
	events, refused, err := t.makeRoom(b, who)
	if err != nil {
		return begun{}, err
	}
	if refused != nil {
		return begun{refused: refused}, t.record(events...)
	}
	b.Session.Account = who.ID
	row, err := t.insertSession(b.Session)
	if err != nil {
		return begun{}, err
	}
	if err := t.exchange(b); err != nil {
		return begun{}, err
	}
	b.Event.Account, b.Event.Session = who.ID, row.ID.String()
	return begun{session: row, account: who}, t.record(append(events, b.Event)...)
}

func (t *tx) whoBegins(b *session.Beginning) (account.Account, error) {
	if b.Secret != 0 {
		return t.enter(b)
	}
	return t.signIn(b.Account)
}

// begunBefore is what an earlier call with this session left, though its answer was lost.
func (t *tx) begunBefore(id token.SessionID) (before begun, found bool, err error) {
	before.session, err = t.session(id)
	if fault.CodeOf(err) == fault.SessionUnknown {
		return begun{}, false, nil
	}
	if err != nil {
		return begun{}, false, err
	}
	before.account, err = t.account(before.session.Account)
	return before, true, err
}

// makeRoom ends the session that was brought, and those that the policy displaces; when that refuses, only what was
// chosen to end. It returns the events.
func (t *tx) makeRoom(b session.Beginning, who account.Account) (events []audit.Event, refused, err error) {
	now := b.Session.StartedAt
	live, err := liveSessions(t, who.ID, now)
	if err != nil {
		return nil, nil, err
	}
	live = slices.DeleteFunc(live, func(s session.Session) bool { return b.Brought != nil && s.ID == *b.Brought })
	displaced, refused := session.Displaced(live, session.Arrival{Device: b.Session.Device, End: b.End}, b.Policy)
	ending := session.Ending{At: now, Actor: audit.Actor{Kind: audit.ByAccount, ID: who.ID}, From: b.Session.From}
	var ended []session.Session
	if b.Brought != nil && refused == nil {
		ending.Reason = session.SignedOut
		one, err := t.endOne(*b.Brought, ending, "")
		if err != nil {
			return nil, nil, err
		}
		ended = append(ended, one...)
	}
	ending.Reason = session.Replaced
	for _, old := range displaced {
		one, err := t.endOne(old.ID, ending, b.Session.Device)
		if err != nil {
			return nil, nil, err
		}
		ended = append(ended, one...)
	}
	events, err = t.revoke(ended, ending)
	return events, refused, err
}

func (t *tx) insertSession(row session.Session) (session.Session, error) {
	row.StartedAt, row.EndsAt = fromMicros(micros(row.StartedAt)), fromMicros(micros(row.EndsAt))
	row.Rotation = normalRotation(row.Rotation)
	row.AccessMax = max(row.AccessMax, row.Rotation.Access)
	row.Ended, row.Lost = nil, nil
	return row, t.Exec(`INSERT INTO sessions (id, account, ends_at, idle_until, access_max, generation, ended, fixed, rotation)
		VALUES ($1, $2, $3, $4, $5, $6, '', $7, $8)`,
		row.ID[:], row.Account, micros(row.EndsAt), micros(row.Rotation.IdleUntil), row.AccessMax.Microseconds(),
		row.Rotation.Generation, pack.Fixed(&row), pack.Rotation(&row.Rotation, nil))
}
