package signin

import (
	"context"
	"fmt"
	"strings"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

// Credentials are what somebody sends to sign in at a realm without a provider.
type Credentials struct {
	Realm       string
	App         string
	Login       string // as typed; a Checker gets it as account.Login gives it
	Typed       string // for a Checker: the login as it was typed, without the space around it
	Password    account.Password
	LegacyToken account.Password // instead of login and password; as secret as one
	Ticket      string           // of an earlier session_limit, instead of both
	End         string           // with a ticket: the session that ends for the new one
	Device      string           // the realm's cookie of a known device
	Brought     string           // the realm's refresh cookie, if there is one: its session ends
	Caller      session.Caller

	// Spent tells a Checker that no guess is left: it does the work that a wrong password costs, learns nothing, and
	// answers credentials_wrong.
	Spent bool
}

// Checker is a realm's way in: it proves who somebody is, and begins nothing. It is safe for concurrent use.
type Checker interface {
	// Check is credentials_wrong for an unknown login, a wrong password and a disabled account alike, after the same
	// work for each; Proved.Account is then filled in where the login is known, for the audit alone. Every other error
	// tells that nothing was found out about the password.
	Check(ctx context.Context, c Credentials) (Proved, error)
}

// Proved is who somebody is.
type Proved struct {
	Account  string // id, where one is known by then: that of the account, or the one that a new account gets
	Identity account.Identity
	Profile  account.Profile
	// Secret is the account.Member's whose password was right; 0 where passwords are kept elsewhere. With it the session
	// begins only while the password is still that one.
	Secret int64
	// Legacy is the legacy token that proved it; nil = none.
	Legacy *session.Legacy
}

// Entered is a sign-in that has become a session.
type Entered struct {
	session.Answer
	Device string // the realm's cookie of a known device, for DeviceLife; "" changes nothing
}

// SignIn turns credentials into a session. credentials_wrong; too_many_attempts for a network that has been wrong too
// often, or when there is more to check than can be; those of the realm's Checker and of session.Manager's Begin. A
// session_limit bears Sessions []Choice and a Ticket, with which it is called again.
func (f *Flow) SignIn(ctx context.Context, c Credentials) (Entered, error) {
	if c.Ticket != "" {
		return f.choose(ctx, c)
	}
	app, realm, err := f.entrance(&c)
	if err != nil {
		return Entered{}, err
	}
	proved, err := f.prove(ctx, realm, c)
	if err == nil {
		var entered Entered
		if entered, err = f.enter(ctx, app, proved, c); err == nil {
			return entered, nil
		}
	}
	f.refusals.record(ctx, refusal{err: err, realm: c.Realm, app: c.App, from: c.Caller.From, account: proved.Account})
	return Entered{}, err
}

// entrance is the app and the realm of credentials, whose login is then as it is compared.
func (f *Flow) entrance(c *Credentials) (account.App, Realm, error) {
	realm, known := f.Realms[c.Realm]
	if !known || realm.Checker == nil {
		return account.App{}, Realm{}, fault.New(fault.NotFound, "no realm with passwords has this name")
	}
	app, known := f.Apps[c.App]
	if !known || app.Realm != c.Realm {
		return account.App{}, Realm{}, invalid("/app", "an app of this realm")
	}
	if c.LegacyToken != "" && c.Login == "" && c.Password == "" {
		return app, realm, nil
	}
	login, err := account.Login(c.Login)
	if err != nil {
		return account.App{}, Realm{}, invalid("/login", err.Error())
	}
	if c.Password == "" || c.LegacyToken != "" {
		return account.App{}, Realm{}, invalid("/password", "login and password, and nothing else")
	}
	c.Login, c.Typed = login, strings.TrimSpace(c.Login)
	return app, realm, nil
}

// prove has the realm's Checker look at credentials, as far as they may still be guessed.
func (f *Flow) prove(ctx context.Context, realm Realm, c Credentials) (proved Proved, err error) {
	known, err := f.known(ctx, realm, c)
	if err != nil {
		return Proved{}, err
	}
	err = f.guard.guess(ctx, aim{c.Realm, c.Login, known, c.Caller.From}, func(spent bool) (err error) {
		c.Spent = spent
		proved, err = realm.Checker.Check(ctx, c)
		return err
	})
	return proved, err
}

func (f *Flow) enter(ctx context.Context, app account.App, proved Proved, c Credentials) (Entered, error) {
	answer, err := f.begin(ctx, session.SignIn{
		App: app, Account: proved.Account, Identity: proved.Identity, Profile: proved.Profile, Secret: proved.Secret, Legacy: proved.Legacy,
		Brought: f.broughtTo(c.Realm, c.Brought), Caller: c.Caller,
	}, ticket{Login: c.Login})
	if fault.CodeOf(err) == fault.SessionCutOff {
		// Disabled since it was checked: that looks like any other refusal.
		err = fault.Wrap(fault.CredentialsWrong, err)
	}
	if err != nil {
		return Entered{}, fmt.Errorf("enter: %w", err)
	}
	device := ""
	if !app.Body {
		device, err = f.Know(c.Realm, c.Login, proved.Secret)
	}
	return Entered{answer, device}, err
}

// broughtTo is the session whose cookie came along, if that is one of this realm.
func (f *Flow) broughtTo(realm, cookie string) *token.SessionID {
	refresh, ok := f.Sessions.Parse(cookie)
	if !ok || refresh.Realm != realm || refresh.Body {
		return nil
	}
	return &refresh.Session
}

func invalid(pointer, detail string) error {
	return &fault.Error{Code: fault.RequestInvalid, Fields: []fault.Field{{Pointer: pointer, Detail: detail}}}
}
