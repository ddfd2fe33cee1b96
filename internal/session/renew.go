package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
)

// Renewal is a refresh token that somebody presents.
type Renewal struct {
	App          account.App
	Service      string // a token for that one alone; "" = all of the app's
	RefreshToken string
	Body         bool          // it came in the body, not in a cookie
	MaxCheckAge  time.Duration // how old the provider's confirmation may be; negative = any age
	Caller       Caller
}

// confirmedSince is when the provider must have confirmed the person, or later. It counts from the arrival, however long
// it takes until it is looked at. Zero: any time will do.
func (r Renewal) confirmedSince(arrived time.Time) time.Time {
	if r.MaxCheckAge < 0 {
		return time.Time{}
	}
	return arrived.Add(-max(r.MaxCheckAge, leastCheckAge))
}

// raceTries bounds how often a renewal looks again after another one was faster. One look suffices unless every
// further one is overtaken too.
const raceTries = 8

// Renew answers a presented refresh token: with the last rotation's answer, with a new rotation, or with the fault
// that says why the session is over. N parallel renewals of one token cost one rotation and get one body.
func (m *Manager) Renew(ctx context.Context, r Renewal) (Answer, error) {
	refresh, err := m.open(r)
	if err != nil {
		return Answer{}, err
	}
	ask := asked{app: r.App, service: r.Service, handle: refresh.Handle}
	if _, err := audienceOf(ask.app, ask.service); err != nil {
		return Answer{}, err // before anything is rotated for nothing
	}
	confirmedSince := r.confirmedSince(m.now())
	row, who, remembered := m.last.take(refresh.Session)
	for range raceTries {
		if !remembered {
			if row, who, err = m.row(ctx, refresh); err != nil {
				return Answer{}, err
			}
		}
		p := Presented{Refresh: refresh, Device: r.Caller.Device, Now: m.now(), Force: m.forced(row, confirmedSince)}
		outcome := Decide(row, p, m.Realms[row.Realm].Policy)
		if remembered && outcome != Rotate {
			remembered = false // only the store itself may say anything but "go on"
			continue
		}
		if who.Disabled && outcome.goesOn() {
			return Answer{}, m.stop(ctx, row, CutOff)
		}
		if outcome != Rotate && outcome != LostAnswer {
			return m.conclude(ctx, row, ask, outcome, r.Caller)
		}
		decidedOn := row.Rotation.Generation
		if row, who, err = m.confirmed(ctx, row, who, confirmedSince); err != nil {
			return Answer{}, err
		}
		if row.Rotation.Generation != decidedOn { // another renewal was faster while this one waited for the provider
			remembered = false
			continue
		}
		next := m.nextRotation(row, who, p)
		stood, err := m.rotate(ctx, row, next, outcome, r.Caller)
		if err != nil {
			return Answer{}, err
		}
		if stood.Ended == nil && same(stood.Rotation, next) {
			m.last.put(stood, who)
			return m.compose(stood, ask)
		}
		remembered = false // another renewal, an end, or a new profile came first: decide anew on what it left
	}
	return Answer{}, &fault.Error{Code: fault.StoreUnavailable, Detail: "too many renewals of this session at once", RetryAfter: time.Second}
}

// open checks what can be checked without the store.
func (m *Manager) open(r Renewal) (token.Refresh, error) {
	if r.RefreshToken == "" {
		return token.Refresh{}, fault.New(fault.SessionMissing, "")
	}
	refresh, ok := m.Parse(r.RefreshToken)
	rightApp := refresh.App == AnyApp && !refresh.Body || refresh.App == r.App.Name && refresh.Body
	if !ok || refresh.Realm != r.App.Realm || refresh.Body != r.Body || r.App.Body != r.Body || !rightApp {
		return token.Refresh{}, fault.New(fault.SessionUnknown, "")
	}
	if m.lineage.Load().RolledBackAt != (time.Time{}) {
		return token.Refresh{}, fault.New(fault.StoreRolledBack, "run `munjigi store recovered`")
	}
	return refresh, nil
}

// row reads the session. A token that we made for a session that is not there, though no sweep can have removed it
// yet, comes from a future that the store has lost.
func (m *Manager) row(ctx context.Context, refresh token.Refresh) (Session, account.Account, error) {
	row, who, err := m.Store.Session(ctx, refresh.Session)
	if fault.CodeOf(err) == fault.SessionUnknown && m.now().Before(refresh.IssuedAt.Add(KeepEnded)) &&
		refresh.IssuedAt.After(m.lineage.Load().RecoveredAt) {
		return row, who, m.rolledBack(ctx, refresh.Session, "")
	}
	if err != nil {
		return row, who, fmt.Errorf("read session: %w", err)
	}
	return row, who, nil
}

// KeepEnded is how long after its absolute maximum a session's row stays in the store: who comes back late is told why
// it ended, and whoever brings a younger token of a session that is not there comes from another history of the store.
const KeepEnded = 24 * time.Hour

// forced tells that a repeat of the row's answer would not do: its key signs no more, or its confirmation is too old.
func (m *Manager) forced(s Session, confirmedSince time.Time) bool {
	tooOld := s.Rotation.CheckedAt.Before(confirmedSince)
	return tooOld && m.Realms[s.Realm].CheckEvery > 0 || !m.Keys.CanSign(s.Rotation.KeyID)
}

// conclude is every outcome that rotates nothing.
func (m *Manager) conclude(ctx context.Context, row Session, ask asked, o Outcome, c Caller) (Answer, error) {
	switch o {
	case Repeat:
		return m.compose(row, ask)
	case HasEnded:
		return Answer{}, m.Ended(row)
	case RolledBack:
		return Answer{}, m.rolledBack(ctx, row.ID, row.Account)
	case IsReused:
		ended, err := m.Store.End(ctx, row.ID, Ending{
			Reason: Reused, At: m.now(), From: c.From,
			Actor: audit.Actor{Kind: audit.ByProgram},
		})
		if err != nil {
			return Answer{}, fmt.Errorf("end reused session: %w", err)
		}
		m.Woken()
		return Answer{}, m.Ended(ended)
	}
	return Answer{}, fault.New(fault.SessionUnknown, "")
}

// rotate writes next, and with a lost answer its event.
func (m *Manager) rotate(ctx context.Context, row Session, next Rotation, o Outcome, c Caller) (Session, error) {
	lost := recent(row.Lost, next.At)
	var event *audit.Event
	if o == LostAnswer {
		lost = append(slices.Clone(lost), next.At)
		event = &audit.Event{
			At: next.At, Action: audit.AnswerLost, Realm: row.Realm, Account: row.Account,
			Session: row.ID.String(), Actor: audit.Actor{Kind: audit.ByAccount, ID: row.Account}, From: c.From,
			Details: map[string]string{"in_24h": strconv.Itoa(len(lost))},
		}
	}
	stood, err := m.Store.Rotate(ctx, row.ID, row.Rotation.Generation, next, lost, event)
	if err != nil {
		return Session{}, fmt.Errorf("rotate session: %w", err)
	}
	return stood, nil
}

// same tells whether the rotation that stands is the one that was asked for. Two renewals that wrote the same would
// also answer the same, so nothing else has to tell them apart.
func same(stood, next Rotation) bool {
	return stood.Generation == next.Generation && stood.Presented == next.Presented && stood.At.Equal(next.At) &&
		stood.KeyID == next.KeyID && stood.Device == next.Device
}

// leastCheckAge is the least age of a confirmation that can be asked for: tokens tell it in whole seconds, and what
// calls at the same moment shares one question.
const leastCheckAge = time.Second

// confirmed sees to it that the provider was asked recently enough before a rotation, and returns the row and the
// account as they stand afterwards.
func (m *Manager) confirmed(ctx context.Context, row Session, who account.Account, since time.Time) (Session, account.Account, error) {
	realm := m.Realms[row.Realm]
	if m.Checker == nil || realm.CheckEvery == 0 {
		return row, who, nil
	}
	now := m.now()
	demanded := who.CheckedAt.Before(since)
	stale := who.CheckedAt.Before(now.Add(-realm.MaxStale))
	overdue := who.CheckedAt.Before(now.Add(-realm.CheckEvery - checkSlack))
	if !demanded && !stale && !overdue {
		return row, who, nil
	}
	olderThan := now.Add(-realm.CheckEvery)
	if demanded {
		olderThan = since
	}
	err := m.Checker.Check(ctx, row.Account, olderThan)
	switch {
	case errors.Is(err, ErrNoGrant) && stale:
		return row, who, m.stop(ctx, row, Unconfirmed)
	case err != nil && (stale || demanded):
		return row, who, &fault.Error{Code: fault.UpstreamUnavailable, RetryAfter: 5 * time.Second, Err: err}
	case err != nil: // an outage signs nobody out, and holds nobody up
		m.Log.Debug("renewed without the overdue check", "account", row.Account, "err", err)
	}
	return m.reread(ctx, row.ID)
}

// checkSlack is how late the background may be before a renewal asks for itself.
const checkSlack = 2 * time.Second

// stop ends a session that must not go on, and is the fault that says why.
func (m *Manager) stop(ctx context.Context, row Session, why Reason) error {
	ended, err := m.Store.End(ctx, row.ID, Ending{Reason: why, At: m.now(), Actor: audit.Actor{Kind: audit.ByProgram}})
	if err != nil {
		return fmt.Errorf("end session as %s: %w", why, err)
	}
	m.Woken()
	return m.Ended(ended)
}

func (m *Manager) reread(ctx context.Context, id token.SessionID) (Session, account.Account, error) {
	row, who, err := m.Store.Session(ctx, id)
	if err != nil {
		return row, who, fmt.Errorf("read session again: %w", err)
	}
	return row, who, m.Ended(row)
}
