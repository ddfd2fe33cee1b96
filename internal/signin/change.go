package signin

import (
	"context"
	"errors"
	"fmt"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

// Change is somebody's wish to change their own password.
type Change struct {
	Account account.Account
	Session token.SessionID // lives on; all others end
	Old     account.Password
	New     account.Password
	Device  string // the realm's cookie of a known device
	Caller  session.Caller
}

// PasswordChange is a new password as it is stored.
type PasswordChange struct {
	Account string
	// Secret is the account.Member's that was seen, so that of two changes at once one comes too late; 0 = whichever.
	Secret int64
	Hash   string
	Except token.SessionID // lives on; zero = none
	Ending session.Ending  // of all other sessions
	Event  audit.Event
}

// ChangePassword sets a new password and ends the account's other sessions as revoked; it returns the device's new
// cookie. A wrong old one is credentials_wrong and counts as a guess; a new one that the rules refuse is
// request_invalid, and does not.
func (f *Flow) ChangePassword(ctx context.Context, c Change) (device string, err error) {
	realm := f.Realms[c.Account.Realm]
	members, ok := realm.Checker.(*Members)
	if !ok {
		return "", fault.New(fault.NotFound, "the password of this account is not kept here")
	}
	member, found, err := members.Store.MemberOf(ctx, c.Account.ID)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "the account has no password")
	}
	if err != nil {
		return "", fmt.Errorf("change password: %w", err)
	}
	if c.Old == "" {
		return "", invalid("/old", "the password as it is now")
	}
	if err := members.newRules().Check(c.New, member.Login, member.Name); err != nil {
		return "", err
	}
	if err := f.guessOld(ctx, realm, member, c); err != nil {
		f.refusals.record(ctx, refusal{err: err, realm: c.Account.Realm, from: c.Caller.From, account: c.Account.ID})
		return "", err
	}
	if err := f.setPassword(ctx, members, member, c); err != nil {
		return "", err
	}
	return f.Know(member.Realm, member.Login, member.Secret+1)
}

func (f *Flow) guessOld(ctx context.Context, realm Realm, member account.Member, c Change) error {
	old := Credentials{Realm: member.Realm, Login: member.Login, Password: c.Old, Device: c.Device, Caller: c.Caller}
	known, err := f.known(ctx, realm, old)
	if err != nil {
		return err
	}
	return f.guard.guess(ctx, aim{member.Realm, member.Login, known, c.Caller.From}, func(spent bool) error {
		old.Spent = spent
		proved, err := realm.Checker.Check(ctx, old)
		if err == nil && proved.Secret != member.Secret {
			err = fault.Wrap(fault.CredentialsWrong, errors.New("the password has just changed"))
		}
		return err
	})
}

func (f *Flow) setPassword(ctx context.Context, members *Members, member account.Member, c Change) error {
	encoded, err := members.Hasher.Hash(ctx, c.New)
	if err != nil {
		return fmt.Errorf("hash new password: %w", err)
	}
	now, actor := f.Now(), audit.Actor{Kind: audit.ByAccount, ID: member.ID}
	_, err = members.Store.SetPassword(ctx, PasswordChange{
		Account: member.ID, Secret: member.Secret, Hash: encoded, Except: c.Session,
		Ending: session.Ending{Reason: session.Revoked, At: now, Actor: actor, From: c.Caller.From},
		Event:  audit.Event{At: now, Action: audit.PasswordChanged, Realm: member.Realm, Actor: actor, From: c.Caller.From},
	})
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	f.Woken()
	return nil
}
