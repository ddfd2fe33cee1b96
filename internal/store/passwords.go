package store

import (
	"context"
	"fmt"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/signin"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/pack"
	"github.com/munjigi/munjigi/internal/token"
)

// SetPassword implements signin.MemberStore. One that is repeated finds its own hash, and changes nothing.
func (s *Store) SetPassword(ctx context.Context, c signin.PasswordChange) ([]session.Session, error) {
	return write(ctx, s, engine.Urgent, "set password", func(t *tx) ([]session.Session, error) { return s.setPassword(t, c) })
}

func (s *Store) setPassword(t *tx, c signin.PasswordChange) ([]session.Session, error) {
	done, err := s.changeHash(t, c)
	if err != nil || done {
		return nil, err
	}
	ended, err := t.endAccount(c.Account, c.Except, c.Ending)
	if err != nil {
		return nil, err
	}
	events, err := t.revoke(ended, c.Ending)
	if err != nil {
		return nil, err
	}
	c.Event.Account = c.Account
	return ended, t.record(append([]audit.Event{c.Event}, events...)...)
}

// changeHash tells whether it had been done before. The account's row is changed first, as at a sign-in: one that
// runs at the same time either sees its session ended, or finds the password changed.
func (s *Store) changeHash(t *tx, c signin.PasswordChange) (done bool, err error) {
	if err := t.raise(c.Account); err != nil {
		return false, err
	}
	var m account.Member
	var sealed []byte
	found, err := t.One(`SELECT secret, hash FROM members WHERE account = $1`, []any{c.Account}, &m.Secret, &sealed)
	if err != nil {
		return false, err
	}
	if !found {
		return false, fault.New(fault.NotFound, "no member has this account")
	}
	if len(sealed) != 0 {
		plain, err := s.unseal(sealed, hashAt(c.Account, m.Secret))
		if err != nil || string(plain) == c.Hash {
			return err == nil, err
		}
	}
	if c.Secret != 0 && c.Secret != m.Secret {
		return false, fault.New(fault.CredentialsWrong, "")
	}
	m.ID, m.Secret, m.Hash = c.Account, m.Secret+1, c.Hash
	if sealed, err = s.sealHash(m); err != nil {
		return false, err
	}
	return false, t.Exec(`UPDATE members SET hash = $1, secret = $2, changed_at = $3 WHERE account = $4`,
		sealed, m.Secret, micros(c.Ending.At), c.Account)
}

// SetDisabled disables an account, which ends all its sessions, or enables it again. One that is that way already stays
// as it is, and nothing is recorded. not_found for an account that there is not.
func (s *Store) SetDisabled(ctx context.Context, id string, disabled bool, e session.Ending) ([]session.Session, error) {
	return write(ctx, s, engine.Urgent, "disable account", func(t *tx) ([]session.Session, error) {
		var realm string
		var now int64
		found, err := t.One(`SELECT realm, disabled FROM accounts WHERE id = $1`, []any{id}, &realm, &now)
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, fault.New(fault.NotFound, "no account has this id")
		}
		if now == pack.Number(disabled) {
			return nil, nil
		}
		if err := t.Exec(`UPDATE accounts SET disabled = $1, version = version + 1 WHERE id = $2`, pack.Number(disabled), id); err != nil {
			return nil, fmt.Errorf("disable account: %w", err)
		}
		event := audit.Event{At: e.At, Action: audit.AccountEnabled, Realm: realm, Account: id, Actor: e.Actor, From: e.From}
		if !disabled {
			return nil, t.record(event)
		}
		event.Action = audit.AccountDisabled
		ended, err := t.endAccount(id, token.SessionID{}, e)
		if err != nil {
			return nil, err
		}
		events, err := t.revoke(ended, e)
		if err != nil {
			return nil, err
		}
		return ended, t.record(append([]audit.Event{event}, events...)...)
	})
}
