package store

import (
	"fmt"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/pack"
)

// The columns of an account, under the name a and, for RETURNING, without one.
const (
	accountColumns  = `a.id, a.realm, a.issuer, a.subject, a.email, a.name, a.roles, a.checked_at, a.disabled, a.version`
	accountReturned = `id, realm, issuer, subject, email, name, roles, checked_at, disabled, version`
)

// accountRow takes accountColumns.
type accountRow struct {
	account.Account
	roles               string
	checkedAt, disabled int64
}

func (r *accountRow) dest() []any {
	return []any{&r.ID, &r.Realm, &r.Issuer, &r.Subject, &r.Email, &r.Name, &r.roles, &r.checkedAt, &r.disabled, &r.Version}
}

func (r *accountRow) account() (account.Account, error) {
	roles, err := pack.ReadRoles(r.roles)
	r.Roles, r.CheckedAt, r.Disabled = roles, fromMicros(r.checkedAt), r.disabled != 0
	return r.Account, err
}

func scanAccount(row engine.Scanner) (account.Account, error) {
	var r accountRow
	if err := row.Scan(r.dest()...); err != nil {
		return account.Account{}, err
	}
	return r.account()
}

// account reads one as it stands in the transaction.
func (t *tx) account(id string) (account.Account, error) {
	var r accountRow
	if _, err := t.One(`SELECT `+accountColumns+` FROM accounts a WHERE a.id = $1`, []any{id}, r.dest()...); err != nil {
		return account.Account{}, err
	}
	return r.account()
}

// signIn finds or makes the account, raises its version, and gives it its new profile. Every sign-in does this first,
// so that on every engine two of one account wait for each other.
func (t *tx) signIn(a account.Account) (account.Account, error) {
	a.Profile = pack.Profile(a.Profile)
	var disabled int64
	_, err := t.One(`INSERT INTO accounts (id, realm, issuer, subject, email, name, search, roles, checked_at, disabled, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 1)
		ON CONFLICT (realm, issuer, subject) DO UPDATE SET email = excluded.email, name = excluded.name,
			search = excluded.search, roles = excluded.roles, checked_at = excluded.checked_at, version = accounts.version + 1
		RETURNING id, disabled, version`,
		[]any{a.ID, a.Realm, a.Issuer, a.Subject, a.Email, a.Name, pack.Search(a.Profile), pack.Roles(a.Roles), micros(a.CheckedAt)},
		&a.ID, &disabled, &a.Version)
	a.Disabled = disabled != 0
	if err != nil {
		return a, fmt.Errorf("upsert account: %w", err)
	}
	return a, nil
}

// raise raises an account's version, before all its sessions are ended.
func (t *tx) raise(id string) error {
	return t.Exec(`UPDATE accounts SET version = version + 1 WHERE id = $1`, id)
}
