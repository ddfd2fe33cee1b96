package store

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/links"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/signin"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/onetime"
	"github.com/munjigi/munjigi/internal/store/pack"
)

// MakeLink implements links.Store.
func (s *Store) MakeLink(ctx context.Context, l links.Link, limit links.Limit, event audit.Event) (bool, error) {
	return write(ctx, s, engine.Usual, "make link", func(t *tx) (bool, error) {
		made, err := onetime.Make(t.Tx, l, limit)
		if err != nil || made != onetime.Fresh || event.Action == "" {
			return made != onetime.Refused, err
		}
		return true, t.record(event)
	})
}

// Link implements links.Store.
func (s *Store) Link(ctx context.Context, hash [sha256.Size]byte, now time.Time) (links.Link, bool, error) {
	row := func(query string, args ...any) engine.Scanner { return s.db.Row(ctx, query, args...) }
	l, found, err := onetime.Find(row, hash, now)
	return l, found, unavailable("find link", err)
}

// UseLink implements links.Store.
func (s *Store) UseLink(ctx context.Context, u links.Using) (links.Used, error) {
	return write(ctx, s, engine.Urgent, "use link", func(t *tx) (links.Used, error) {
		l, found, err := onetime.Use(t.Tx, u.Hash, u.At)
		if err != nil {
			return links.Used{}, err
		}
		if !found {
			return links.Used{}, fault.New(fault.SessionUnknown, "the link is used or over")
		}
		if l.Account == "" {
			return s.useForSignUp(t, u, l)
		}
		return s.useForPassword(t, u, l)
	})
}

func (s *Store) useForSignUp(t *tx, u links.Using, l links.Link) (links.Used, error) {
	var owner string
	taken, err := t.One(`SELECT account FROM members WHERE realm = $1 AND login = $2`, []any{l.Realm, l.Login}, &owner)
	if err != nil {
		return links.Used{}, err
	}
	if taken {
		return links.Used{}, fault.New(fault.SessionUnknown, "the address has an account by now")
	}
	m := u.Fresh
	m.Hash, m.Secret, m.Version, m.ChangedAt, m.Profile = u.Encoded, 1, 1, fromMicros(micros(u.At)), pack.Profile(m.Profile)
	if err := s.insertMember(t, m, nil); err != nil {
		return links.Used{}, err
	}
	return links.Used{Member: m, Made: true}, t.record(audit.Event{
		At: u.At, Action: audit.MemberAdded, Realm: l.Realm, From: u.From, Account: m.ID,
		Actor: audit.Actor{Kind: audit.ByAccount, ID: m.ID}, Details: map[string]string{"by": "sign_up"},
	})
}

func (s *Store) useForPassword(t *tx, u links.Using, l links.Link) (links.Used, error) {
	actor := audit.Actor{Kind: audit.ByAccount, ID: l.Account}
	ended, err := s.setPassword(t, signin.PasswordChange{
		Account: l.Account, Secret: l.Changes, Hash: u.Encoded,
		Ending: session.Ending{Reason: session.Revoked, At: u.At, Actor: actor, From: u.From},
		Event: audit.Event{
			At: u.At, Action: audit.PasswordChanged, Realm: l.Realm, From: u.From, Actor: actor, Details: map[string]string{"by": "link"},
		},
	})
	if code := fault.CodeOf(err); code == fault.CredentialsWrong || code == fault.NotFound {
		return links.Used{}, fault.New(fault.SessionUnknown, "the password has changed since the link was made")
	}
	if err != nil {
		return links.Used{}, err
	}
	who, err := t.account(l.Account)
	if err == nil && who.Disabled {
		err = fault.New(fault.SessionUnknown, "the account is disabled")
	}
	m := account.Member{Account: who, Login: l.Login, Hash: u.Encoded, Secret: l.Changes + 1, ChangedAt: fromMicros(micros(u.At))}
	return links.Used{Member: m, Ended: ended}, err
}
