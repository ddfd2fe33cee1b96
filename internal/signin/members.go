package signin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
)

// Hasher makes and checks hashes of passwords. account.Hasher does.
type Hasher interface {
	// Turn waits until a hash can be computed soon, and lasts until leave is called.
	Turn(ctx context.Context) (leave func(), err error)
	Hash(ctx context.Context, p account.Password) (encoded string, err error)
	Verify(ctx context.Context, encoded string, p account.Password) (ok, outdated bool, err error)
	// Dummy is a hash that no password has, and that costs what any other does.
	Dummy() string
}

// MemberStore is what a realm with passwords asks of the store.
type MemberStore interface {
	// Member finds one by the login, as account.Login gives it.
	Member(ctx context.Context, realm, login string) (m account.Member, found bool, err error)
	// MemberOf finds one by the account's id.
	MemberOf(ctx context.Context, account string) (m account.Member, found bool, err error)
	// SetPassword raises the member's Secret with the new hash and ends the account's sessions but one, with an entry
	// and an event each; it returns those that it ended. credentials_wrong when the Secret is another than was seen.
	SetPassword(ctx context.Context, c PasswordChange) (ended []session.Session, err error)
	// Rehash replaces the hash of a password that stays what it was, if it is still that one.
	Rehash(ctx context.Context, account string, secret int64, encoded string) error
}

// Members are the people of one realm, with passwords that are kept here: a Checker.
type Members struct {
	Realm  string
	Store  MemberStore
	Hasher Hasher
	Rules  account.PasswordRules // of new passwords
	Log    *slog.Logger
}

var (
	errUnknownLogin = errors.New("unknown login")
	errPassword     = errors.New("wrong password")
	errDisabled     = errors.New("the account is disabled")
	errSpent        = errors.New("too many wrong guesses")
)

// Check implements Checker. One hash is computed in every case, so that neither the answer nor its time tells whether
// there is such a login.
func (m *Members) Check(ctx context.Context, c Credentials) (Proved, error) {
	if c.LegacyToken != "" {
		return Proved{}, invalid("/legacy_token", "this realm takes a login and a password")
	}
	member, found, err := m.Store.Member(ctx, m.Realm, c.Login)
	if err != nil {
		return Proved{}, fmt.Errorf("find member: %w", err)
	}
	proved := Proved{Account: member.ID, Identity: member.Identity, Profile: member.Profile, Secret: member.Secret}
	compared := found && !c.Spent && member.Hash != ""
	encoded := m.Hasher.Dummy()
	if compared {
		encoded = member.Hash
	}
	right, outdated, err := m.Hasher.Verify(ctx, encoded, c.Password)
	if err != nil {
		return proved, fmt.Errorf("check password: %w", err)
	}
	switch {
	case !found:
		return Proved{}, fault.Wrap(fault.CredentialsWrong, errUnknownLogin)
	case c.Spent:
		return proved, fault.Wrap(fault.CredentialsWrong, errSpent)
	case !right || !compared:
		return proved, fault.Wrap(fault.CredentialsWrong, errPassword)
	case member.Disabled:
		return proved, fault.Wrap(fault.CredentialsWrong, errDisabled)
	}
	if outdated {
		m.renew(ctx, member, c.Password)
	}
	return proved, nil
}

// Turn implements paced.
func (m *Members) Turn(ctx context.Context) (leave func(), err error) { return m.Hasher.Turn(ctx) }

// Secret implements changing.
func (m *Members) Secret(ctx context.Context, login string) (int64, error) {
	member, _, err := m.Store.Member(ctx, m.Realm, login)
	if err != nil {
		return 0, fmt.Errorf("find member: %w", err)
	}
	return member.Secret, nil
}

// newRules are those for PUT /account/password.
func (m *Members) newRules() account.PasswordRules {
	rules := m.Rules
	rules.Pointer = "/new"
	return rules
}

// renew hashes a password as of today, now that it is at hand. Whatever stops it, the sign-in goes on: the next one
// tries again.
func (m *Members) renew(ctx context.Context, member account.Member, p account.Password) {
	encoded, err := m.Hasher.Hash(ctx, p)
	if err == nil {
		err = m.Store.Rehash(ctx, member.ID, member.Secret, encoded)
	}
	if err != nil {
		m.Log.Warn("password not hashed anew", "account", member.ID, "err", err)
	}
}
