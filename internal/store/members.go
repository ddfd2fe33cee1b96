package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/pack"
)

// A hash is sealed to its account and to the count of its changes: whoever can write to the database can neither move
// one to another account nor bring an old one back, and whoever has a copy alone cannot try passwords on it.
func hashAt(account string, secret int64) place { return pack.At("members", account, secret) }

const memberColumns = `m.login, m.hash, m.secret, m.changed_at, ` + accountColumns

// memberRow takes memberColumns.
type memberRow struct {
	account.Member
	sealed  []byte
	changed int64
	who     accountRow
}

func (r *memberRow) dest() []any {
	return append([]any{&r.Login, &r.sealed, &r.Secret, &r.changed}, r.who.dest()...)
}

// member reads a row; the hash is opened elsewhere.
func (r *memberRow) member() (account.Member, error) {
	who, err := r.who.account()
	r.Account, r.ChangedAt = who, fromMicros(r.changed)
	return r.Member, err
}

func scanMember(row engine.Scanner) (account.Member, error) {
	var r memberRow
	if err := row.Scan(r.dest()...); err != nil {
		return account.Member{}, err
	}
	return r.member()
}

// Member implements signin.MemberStore.
func (s *Store) Member(ctx context.Context, realm, login string) (account.Member, bool, error) {
	return s.oneMember(ctx, `m.realm = $1 AND m.login = $2`, realm, login)
}

// MemberOf is the member with this account.
func (s *Store) MemberOf(ctx context.Context, id string) (account.Member, bool, error) {
	return s.oneMember(ctx, `m.account = $1`, id)
}

func (s *Store) oneMember(ctx context.Context, which string, args ...any) (account.Member, bool, error) {
	var r memberRow
	found, err := engine.Optional(s.db.Row(ctx, `SELECT `+memberColumns+` FROM members m JOIN accounts a ON a.id = m.account
		WHERE `+which, args...).Scan(r.dest()...))
	if err != nil || !found {
		return account.Member{}, false, unavailable("find member", err)
	}
	m, err := r.member()
	if err == nil && len(r.sealed) != 0 {
		var plain []byte
		plain, err = s.unseal(r.sealed, hashAt(m.ID, m.Secret))
		m.Hash = string(plain)
	}
	return m, err == nil, unavailable("find member", err)
}

// Members lists a realm's, or with "" every realm's, by their logins: those after a cursor, which is the last one's
// realm and login; "" is before the first. Their hashes are left out.
func (s *Store) Members(ctx context.Context, realm string, after account.Member, limit int) ([]account.Member, error) {
	members, err := engine.List(s.db.In(ctx), scanMember, `SELECT `+memberColumns+` FROM members m JOIN accounts a ON a.id = m.account
		WHERE ($1 = '' OR m.realm = $1) AND (m.realm > $2 OR m.realm = $2 AND m.login > $3) ORDER BY m.realm, m.login LIMIT $4`,
		realm, after.Realm, after.Login, limit)
	return members, unavailable("list members", err)
}

// AddMember makes an account with its login. Its password, if it has one, counts as the first. edit_conflict when the
// login is taken; a call that is repeated with the same ID finds its own member, and changes nothing.
func (s *Store) AddMember(ctx context.Context, m account.Member, event audit.Event) (account.Member, error) {
	m.Secret, m.Version, m.ChangedAt = 1, 1, fromMicros(micros(event.At))
	m.Profile = pack.Profile(m.Profile)
	return write(ctx, s, engine.Usual, "add member", func(t *tx) (account.Member, error) {
		var owner string
		taken, err := t.One(`SELECT account FROM members WHERE realm = $1 AND login = $2`, []any{m.Realm, m.Login}, &owner)
		if err != nil || owner == m.ID {
			return m, err
		}
		if taken {
			return account.Member{}, fault.New(fault.EditConflict, "this login is taken")
		}
		if err := s.insertMember(t, m, nil); err != nil {
			return m, err
		}
		event.Account = m.ID
		return m, t.record(event)
	})
}

func (s *Store) insertMember(t *tx, m account.Member, origin []byte) error {
	sealed, err := s.sealHash(m)
	if err != nil {
		return err
	}
	if err := t.Exec(`INSERT INTO accounts (id, realm, issuer, subject, email, name, search, roles, checked_at, disabled, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10)`,
		m.ID, m.Realm, m.Issuer, m.Subject, m.Email, m.Name, pack.Search(m.Profile), pack.Roles(m.Roles), pack.Number(m.Disabled), m.Version); err != nil {
		return fmt.Errorf("insert account: %w", err)
	}
	if err := t.Exec(`INSERT INTO members (account, realm, login, hash, secret, changed_at, origin) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		m.ID, m.Realm, m.Login, sealed, m.Secret, micros(m.ChangedAt), origin); err != nil {
		return fmt.Errorf("insert member: %w", err)
	}
	return nil
}

// sealHash is nil for no password.
func (s *Store) sealHash(m account.Member) ([]byte, error) {
	if m.Hash == "" {
		return nil, nil
	}
	return s.seal([]byte(m.Hash), hashAt(m.ID, m.Secret))
}

// Rehash implements signin.MemberStore.
func (s *Store) Rehash(ctx context.Context, id string, secret int64, encoded string) error {
	sealed, err := s.seal([]byte(encoded), hashAt(id, secret))
	if err != nil {
		return err
	}
	_, err = write(ctx, s, engine.Single, "hash password anew", func(t *tx) (struct{}, error) {
		return struct{}{}, t.Exec(`UPDATE members SET hash = $1 WHERE account = $2 AND secret = $3`, sealed, id, secret)
	})
	return err
}

// enter is signIn for a member: their profile stays what it is, and the session's is that one. The account's row is
// changed before the password is looked at, so no change of it can be raced.
func (t *tx) enter(b *session.Beginning) (account.Account, error) {
	var r accountRow
	var secret int64
	found, err := t.One(`UPDATE accounts AS a SET version = version + 1 WHERE a.realm = $1 AND a.issuer = $2 AND a.subject = $3 RETURNING `+accountReturned,
		[]any{b.Account.Realm, b.Account.Issuer, b.Account.Subject}, r.dest()...)
	if err != nil || !found {
		return account.Account{}, errors.Join(err, errors.New("no such member"))
	}
	if _, err := t.One(`SELECT secret FROM members WHERE account = $1`, []any{r.ID}, &secret); err != nil {
		return account.Account{}, err
	}
	if secret != b.Secret {
		return account.Account{}, fault.New(fault.CredentialsWrong, "")
	}
	who, err := r.account()
	b.Session.Rotation.Profile = who.Profile
	return who, err
}
