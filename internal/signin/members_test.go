package signin

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
)

// village is a MemberStore and a Hasher. A hash is the password with its kind before it.
type village struct {
	members map[string]account.Member
	fails   error // of the store
	busy    error // of the hasher
	hashed  int   // hashes computed
	again   []string
}

func newVillage() *village {
	return &village{members: map[string]account.Member{
		"kim":  {Account: account.Account{ID: "1"}, Login: "kim", Hash: "new right", Secret: 4},
		"old":  {Account: account.Account{ID: "2"}, Login: "old", Hash: "old right", Secret: 1},
		"out":  {Account: account.Account{ID: "3", Disabled: true}, Login: "out", Hash: "new right", Secret: 1},
		"none": {Account: account.Account{ID: "4"}, Login: "none", Secret: 1},
	}}
}

func (v *village) checker() *Members {
	return &Members{Realm: "members", Store: v, Hasher: v, Log: slog.New(slog.DiscardHandler)}
}

func (v *village) Member(_ context.Context, _, login string) (account.Member, bool, error) {
	m, found := v.members[login]
	return m, found, v.fails
}

func (v *village) MemberOf(_ context.Context, id string) (account.Member, bool, error) {
	for _, m := range v.members {
		if m.ID == id {
			return m, true, v.fails
		}
	}
	return account.Member{}, false, v.fails
}

func (v *village) SetPassword(context.Context, PasswordChange) ([]session.Session, error) {
	return nil, nil
}

func (v *village) Rehash(_ context.Context, id string, _ int64, encoded string) error {
	v.again = append(v.again, id+" "+encoded)
	return v.fails
}

func (v *village) Turn(context.Context) (func(), error) { return func() {}, nil }

func (v *village) Hash(_ context.Context, p account.Password) (string, error) {
	return "new " + string(p), v.busy
}

func (v *village) Dummy() string { return "new \x00" }

func (v *village) Verify(_ context.Context, encoded string, p account.Password) (ok, outdated bool, err error) {
	v.hashed++
	return encoded[4:] == string(p), encoded[:4] == "old ", v.busy
}

func TestMembersCheck(t *testing.T) {
	for name, c := range map[string]struct {
		credentials Credentials
		account     string // that the audit is told of
		why         error
	}{
		"right":                      {Credentials{Login: "kim", Password: "right"}, "1", nil},
		"right, of an old hash":      {Credentials{Login: "old", Password: "right"}, "2", nil},
		"wrong":                      {Credentials{Login: "kim", Password: "wrong"}, "1", errPassword},
		"unknown":                    {Credentials{Login: "lee", Password: "right"}, "", errUnknownLogin},
		"disabled, right":            {Credentials{Login: "out", Password: "right"}, "3", errDisabled},
		"disabled, wrong":            {Credentials{Login: "out", Password: "wrong"}, "3", errPassword},
		"no guess left, right":       {Credentials{Login: "kim", Password: "right", Spent: true}, "1", errSpent},
		"no guess left, unknown":     {Credentials{Login: "lee", Password: "right", Spent: true}, "", errUnknownLogin},
		"no password yet":            {Credentials{Login: "none", Password: "right"}, "4", errPassword},
		"no password yet, and empty": {Credentials{Login: "none", Password: "\x00"}, "4", errPassword},
		"the dummy's own password":   {Credentials{Login: "lee", Password: "\x00"}, "", errUnknownLogin},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVillage()
			proved, err := v.checker().Check(t.Context(), c.credentials)
			if !errors.Is(err, c.why) || c.why != nil && fault.CodeOf(err) != fault.CredentialsWrong {
				t.Errorf("got %v, want %v", err, c.why)
			}
			if proved.Account != c.account || v.hashed != 1 {
				t.Errorf("of the account %q, after %d hashes; want %q and one", proved.Account, v.hashed, c.account)
			}
			if wrong, ok := errors.AsType[*fault.Error](err); ok && (wrong.Detail != "" || wrong.Fields != nil) {
				t.Errorf("the answer tells more than that it was wrong: %+v", wrong)
			}
			if again := name == "right, of an old hash"; (len(v.again) == 1) != again {
				t.Errorf("hashed anew: %q", v.again)
			}
		})
	}
}

// What is out of order is neither right nor wrong: no place is lost by it.
func TestMembersCheckOutOfOrder(t *testing.T) {
	down := fault.New(fault.StoreUnavailable, "")
	v := newVillage()
	v.fails = down
	if _, err := v.checker().Check(t.Context(), Credentials{Login: "kim", Password: "right"}); fault.CodeOf(err) != fault.StoreUnavailable {
		t.Errorf("store: got %v", err)
	}
	v = newVillage()
	v.busy = fault.New(fault.TooManyAttempts, "")
	if _, err := v.checker().Check(t.Context(), Credentials{Login: "kim", Password: "right"}); fault.CodeOf(err) != fault.TooManyAttempts {
		t.Errorf("hasher: got %v", err)
	}
}
