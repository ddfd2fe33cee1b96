package store

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/recheck"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/pack"
	"github.com/munjigi/munjigi/internal/token"
)

// never is the due_at of a grant that nobody needs for now: its account has no live session. A sign-in sets it anew.
const (
	never     = math.MaxInt64
	neverText = "9223372036854775807"
)

func grantAt(account string, version int64) place { return pack.At("grants", account, version) }

const grantColumns = `g.provider, g.version, g.token, g.rotates, g.intent_at, g.gone_at, g.due_at, g.leased_until, g.failed, ` + accountColumns

// grantRow takes grantColumns.
type grantRow struct {
	recheck.Grant
	sealed                             []byte
	rotates, intent, gone, due, leased int64
	who                                accountRow
}

func scanGrant(row engine.Scanner) (grantRow, error) {
	var r grantRow
	dest := []any{&r.Provider, &r.Version, &r.sealed, &r.rotates, &r.intent, &r.gone, &r.due, &r.leased, &r.Failed}
	return r, row.Scan(append(dest, r.who.dest()...)...)
}

func (s *Store) grant(r grantRow) (recheck.Grant, error) {
	who, err := r.who.account()
	if err != nil {
		return recheck.Grant{}, err
	}
	plain, err := s.unseal(r.sealed, grantAt(who.ID, r.Version))
	if err != nil {
		return recheck.Grant{}, err
	}
	r.Account, r.Token, r.Rotates = who, string(plain), r.rotates != 0
	r.Intent, r.GoneAt, r.DueAt, r.LeasedUntil = fromMicros(r.intent), fromMicros(r.gone), fromMicros(r.due), fromMicros(r.leased)
	return r.Grant, nil
}

// takeGrant keeps the grant that a sign-in brought, as a new version; or only makes the one that is held due anew.
func (s *Store) takeGrant(t *tx, b session.Beginning, who account.Account) error {
	if b.Grant == "" {
		if b.RecheckAt.IsZero() {
			return nil
		}
		held, err := t.Count(`UPDATE grants SET due_at = $1, failed = 0 WHERE account = $2 AND token IS NOT NULL`, micros(b.RecheckAt), who.ID)
		if err == nil && held == 0 {
			// Erased since the sign-in looked for it. The session could never be rechecked; the next try asks for consent.
			err = fault.New(fault.UpstreamUnavailable, "no grant is held any more: sign in again")
		}
		return err
	}
	var version int64
	if _, err := t.One(`SELECT version FROM grants WHERE account = $1`, []any{who.ID}, &version); err != nil {
		return err
	}
	version++
	sealed, err := s.seal([]byte(b.Grant), grantAt(who.ID, version))
	if err != nil {
		return err
	}
	return t.Exec(`INSERT INTO grants (account, provider, version, token, rotates, intent_at, gone_at, due_at, leased_until, failed)
		VALUES ($1, $2, $3, $4, 1, 0, 0, $5, 0, 0)
		ON CONFLICT (account) DO UPDATE SET provider = excluded.provider, version = excluded.version, token = excluded.token,
			rotates = 1, intent_at = 0, gone_at = 0, due_at = excluded.due_at, leased_until = 0, failed = 0`,
		who.ID, who.Issuer, version, sealed, micros(b.RecheckAt))
}

// LeaseDue implements recheck.Store. It looks with the readers, so that nothing due costs the writer nothing, and then
// takes each by compare-and-swap.
func (s *Store) LeaseDue(ctx context.Context, d recheck.Due) ([]recheck.Grant, error) {
	latest := micros(d.Latest)
	if latest == 0 {
		latest = never
	}
	due, err := s.dueAccounts(ctx, d, latest)
	if err != nil || len(due) == 0 {
		return nil, unavailable("find due grants", err)
	}
	rows, err := write(ctx, s, engine.Usual, "lease due grants", func(t *tx) ([]grantRow, error) {
		var rows []grantRow
		for _, account := range due {
			leased, err := t.lease(account, d.Now, d.Until, ` AND g.gone_at = 0 AND (g.due_at <= $2 OR g.due_at > $5 AND g.due_at < `+neverText+`)`, latest)
			if err != nil {
				return nil, err
			}
			rows = append(rows, leased...)
		}
		return rows, nil
	})
	if err != nil {
		return nil, err
	}
	return s.readable(rows), nil
}

// dueAccounts are those that LeaseDue may take: the most overdue first, then those that a clock put off that was ahead.
// They are two ranges of one index.
func (s *Store) dueAccounts(ctx context.Context, d recheck.Due, latest int64) ([]string, error) {
	query := `SELECT g.account FROM grants g
		WHERE g.provider = $1 AND g.gone_at = 0 AND g.token IS NOT NULL AND g.due_at >= $5 AND g.due_at <= $6
			AND (g.leased_until <= $2 OR g.leased_until > $4)
			AND EXISTS (SELECT 1 FROM sessions s WHERE s.account = g.account AND ` + live(`$2`) + `)
		ORDER BY g.due_at LIMIT $3`
	now, tooLate := micros(d.Now), micros(farLease(d.Now, d.Until))
	due, err := engine.List(s.db.In(ctx), scanText, query, d.Provider, now, d.Limit, tooLate, 0, now)
	if err != nil || len(due) == d.Limit || latest == never {
		return due, err
	}
	ahead, err := engine.List(s.db.In(ctx), scanText, query, d.Provider, now, d.Limit-len(due), tooLate, latest+1, int64(never-1))
	return append(due, ahead...), err
}

// farLease is the longest that a lease can be: one beyond it was taken by a clock that was ahead. Whoever has it still
// finds out at Intend.
func farLease(now, until time.Time) time.Time { return until.Add(until.Sub(now)) }

// readable opens what was leased. One that cannot be opened does not keep the others from their turn.
func (s *Store) readable(rows []grantRow) []recheck.Grant {
	grants := make([]recheck.Grant, 0, len(rows))
	for _, r := range rows {
		g, err := s.grant(r)
		if err != nil {
			s.Log.Error("grant not readable", "account", r.who.ID, "err", err)
			continue
		}
		grants = append(grants, g)
	}
	return grants
}

// lease takes a grant that nobody else has; none when somebody does. also narrows it, with args from $5 on.
func (t *tx) lease(account string, now, until time.Time, also string, args ...any) ([]grantRow, error) {
	args = append([]any{micros(until), micros(now), account, micros(farLease(now, until))}, args...)
	leased, err := engine.List(t, scanText, `UPDATE grants AS g SET leased_until = $1
		WHERE (g.leased_until <= $2 OR g.leased_until > $4) AND g.account = $3 AND g.token IS NOT NULL`+also+` RETURNING account`, args...)
	if err != nil || len(leased) == 0 {
		return nil, err
	}
	return engine.List(t, scanGrant, `SELECT `+grantColumns+` FROM grants g JOIN accounts a ON a.id = g.account WHERE g.account = $1`, account)
}

// Lease implements recheck.Store.
func (s *Store) Lease(ctx context.Context, account string, now, until time.Time) (g recheck.Grant, ok bool, err error) {
	rows, err := write(ctx, s, engine.Usual, "lease grant", func(t *tx) ([]grantRow, error) { return t.lease(account, now, until, "") })
	if err != nil {
		return recheck.Grant{}, false, err
	}
	if len(rows) == 0 {
		g.Account.ID, err = s.leasedTo(ctx, account)
		return g, false, err
	}
	g, err = s.grant(rows[0])
	return g, err == nil, unavailable("lease grant", err)
}

// leasedTo gives the account's ID back when it has a grant, so that a grant in somebody's hands is not taken for none.
func (s *Store) leasedTo(ctx context.Context, account string) (string, error) {
	found, err := engine.List(s.db.In(ctx), scanText, `SELECT account FROM grants WHERE account = $1 AND token IS NOT NULL`, account)
	if err != nil || len(found) == 0 {
		return "", unavailable("find grant", err)
	}
	return found[0], nil
}

// Intend implements recheck.Store. The first intent of a version stays: it tells since when its fate is unknown.
func (s *Store) Intend(ctx context.Context, g recheck.Grant, now, until time.Time) (bool, error) {
	return s.changeGrant(ctx, "intend", `UPDATE grants SET intent_at = CASE WHEN intent_at = 0 THEN $1 ELSE intent_at END, leased_until = $2
		WHERE account = $3 AND version = $4 AND leased_until = $5 AND token IS NOT NULL RETURNING account`,
		micros(now), micros(until), g.Account.ID, g.Version, micros(g.LeasedUntil))
}

// Postpone implements recheck.Store.
func (s *Store) Postpone(ctx context.Context, g recheck.Grant, dueAt time.Time, keepIntent bool) (bool, error) {
	return s.changeGrant(ctx, "postpone", `UPDATE grants SET due_at = $1, intent_at = CASE WHEN $2 = 1 THEN intent_at ELSE 0 END,
			failed = failed + 1, leased_until = 0
		WHERE account = $3 AND version = $4 AND leased_until = $5 AND token IS NOT NULL RETURNING account`,
		micros(dueAt), pack.Number(keepIntent), g.Account.ID, g.Version, micros(g.LeasedUntil))
}

// Release implements recheck.Store.
func (s *Store) Release(ctx context.Context, g recheck.Grant) (bool, error) {
	return s.changeGrant(ctx, "release", `UPDATE grants SET intent_at = $1, leased_until = 0
		WHERE account = $2 AND version = $3 AND leased_until = $4 AND token IS NOT NULL RETURNING account`,
		micros(g.Intent), g.Account.ID, g.Version, micros(g.LeasedUntil))
}

// changeGrant is a change of one statement, which returns a row when the grant's version was still the one given.
func (s *Store) changeGrant(ctx context.Context, op, query string, args ...any) (bool, error) {
	return write(ctx, s, engine.Single, op, func(t *tx) (bool, error) {
		var account string
		return t.One(query, args, &account)
	})
}

// Confirm implements recheck.Store.
func (s *Store) Confirm(ctx context.Context, g recheck.Grant, c recheck.Confirmation) (bool, error) {
	return write(ctx, s, engine.Usual, "confirm grant", func(t *tx) (bool, error) {
		ok, err := s.confirmGrant(t, g, c)
		if err != nil || !ok {
			return false, err
		}
		before, err := t.account(g.Account.ID)
		if err != nil {
			return false, err
		}
		after := pack.Profile(c.Profile)
		if !before.CheckedAt.Equal(g.Account.CheckedAt) && after.CheckedAt.Before(before.CheckedAt) {
			after.CheckedAt = before.CheckedAt // a sign-in meanwhile is newer; what stood before may be of a clock that was ahead
		}
		if err := t.setProfile(before.ID, after); err != nil {
			return false, err
		}
		return true, t.record(changedEvents(before, after)...)
	})
}

func (s *Store) confirmGrant(t *tx, g recheck.Grant, c recheck.Confirmation) (bool, error) {
	var account string
	if c.Token == "" {
		return t.One(`UPDATE grants SET rotates = 0, intent_at = 0, gone_at = 0, due_at = $1, leased_until = 0, failed = 0
			WHERE account = $2 AND version = $3 AND token IS NOT NULL RETURNING account`,
			[]any{micros(c.DueAt), g.Account.ID, g.Version}, &account)
	}
	sealed, err := s.seal([]byte(c.Token), grantAt(g.Account.ID, g.Version+1))
	if err != nil {
		return false, err
	}
	return t.One(`UPDATE grants SET version = version + 1, token = $1, rotates = 1, intent_at = 0, gone_at = 0, due_at = $2, leased_until = 0, failed = 0
		WHERE account = $3 AND version = $4 AND token IS NOT NULL RETURNING account`,
		[]any{sealed, micros(c.DueAt), g.Account.ID, g.Version}, &account)
}

func (t *tx) setProfile(id string, p account.Profile) error {
	return t.Exec(`UPDATE accounts SET email = $1, name = $2, search = $3, roles = $4, checked_at = $5 WHERE id = $6`,
		p.Email, p.Name, pack.Search(p), pack.Roles(p.Roles), micros(p.CheckedAt), id)
}

// changedEvents tells what a provider changed in a person; nothing when nothing was.
func changedEvents(before account.Account, after account.Profile) []audit.Event {
	var changed []string
	details := map[string]string{}
	if before.Email != after.Email {
		changed = append(changed, "email")
	}
	if before.Name != after.Name {
		changed = append(changed, "name")
	}
	if !slices.Equal(before.Roles, after.Roles) {
		changed = append(changed, "roles")
		details["roles_before"], details["roles"] = strings.Join(before.Roles, ","), strings.Join(after.Roles, ",")
	}
	if len(changed) == 0 {
		return nil
	}
	details["changed"] = strings.Join(changed, ",")
	return []audit.Event{{
		At: after.CheckedAt, Action: audit.PersonChanged, Realm: before.Realm, Account: before.ID,
		Actor: audit.Actor{Kind: audit.ByProvider, ID: before.Issuer}, Details: details,
	}}
}

// Gone implements recheck.Store.
func (s *Store) Gone(ctx context.Context, g recheck.Grant, e session.Ending, event audit.Event) ([]session.Session, error) {
	return write(ctx, s, engine.Urgent, "end sessions of a person who is gone", func(t *tx) ([]session.Session, error) {
		erased, err := t.eraseGrant(g.Account.ID, g.Version)
		if err != nil || !erased {
			return nil, err
		}
		if e.Reason == session.CutOff {
			if err := t.countGone(g.Provider, g.Account.ID, e.At); err != nil {
				return nil, err
			}
		}
		return t.goneAccount(g.Account.ID, e, event)
	})
}

// goneAccount ends all sessions of a person who is gone. The event of the person comes before those of the sessions.
func (t *tx) goneAccount(account string, e session.Ending, event audit.Event) ([]session.Session, error) {
	ended, err := t.endAccount(account, token.SessionID{}, e)
	if err != nil {
		return nil, err
	}
	events, err := t.revoke(ended, e)
	if err != nil {
		return nil, err
	}
	return ended, t.record(append([]audit.Event{event}, events...)...)
}

// eraseGrant forgets the token. The row stays with a raised version: a verdict on an old version must never meet a
// new grant that counts from one again.
func (t *tx) eraseGrant(account string, version int64) (bool, error) {
	var provider string
	found, err := t.One(`UPDATE grants SET token = NULL, version = version + 1, intent_at = 0, gone_at = 0, leased_until = 0, failed = 0
		WHERE account = $1 AND version = $2 AND token IS NOT NULL RETURNING provider`, []any{account, version}, &provider)
	if err != nil {
		return false, fmt.Errorf("erase grant: %w", err)
	}
	return found, nil
}

func (t *tx) countGone(provider, account string, at time.Time) error {
	return t.Exec(`INSERT INTO gone (provider, account, at) VALUES ($1, $2, $3)
		ON CONFLICT (provider, account) DO UPDATE SET at = excluded.at`, provider, account, micros(at))
}

func scanText(row engine.Scanner) (text string, err error) {
	err = row.Scan(&text)
	return text, err
}
