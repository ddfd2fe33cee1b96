package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/config"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/signin"
	"github.com/munjigi/munjigi/internal/store"
)

// What happens to members after they were added.

// memberFlags name one member.
type memberFlags struct {
	configFlag
	realmFlag
	Login string `arg:"" help:"The member's login."`
}

// openMember gives do the member, with the database that they are in.
func (f memberFlags) openMember(ctx context.Context, do func(c config.Config, st *store.Store, m account.Member) error) (err error) {
	c, st, err := f.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	realm, _, err := f.password(c)
	if err != nil {
		return err
	}
	login, err := account.Login(f.Login)
	if err != nil {
		return usageError{fmt.Errorf("login: want %w", err)}
	}
	member, found, err := st.Member(ctx, realm, login)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("there is no %s in the realm %s", plain(login), realm)
	}
	return do(c, st, member)
}

type membersPasswordCommand struct {
	memberFlags
	passwordFlag
	Link bool `help:"Print a link with which they choose a password themselves; it works once, for 24 hours."`
}

func (membersPasswordCommand) Help() string {
	return `The password is asked for, twice. All the member's sessions end; devices where they signed in before are strangers again.
With --link nothing changes before the link is used; who has it can set the password, so hand it to nobody else.

Examples:

    munjigi members password shop-17
    munjigi members password shop-17 --link
    munjigi members password shop-17 --password-file - < password.txt`
}

func (c membersPasswordCommand) Run(ctx context.Context, t *terminal) error {
	if c.Link && c.PasswordFile != "" {
		return usageError{errors.New("say --link or --password-file: with a link they choose the password themselves")}
	}
	return c.openMember(ctx, func(config config.Config, st *store.Store, m account.Member) error {
		if c.Link {
			return handLink(ctx, t, &config, st, m)
		}
		encoded, err := c.newHash(ctx, t, passwordRules(&config, m.Realm), m)
		if err != nil {
			return err
		}
		now, actor := moment(), operator()
		ended, err := st.SetPassword(ctx, signin.PasswordChange{
			Account: m.ID, Hash: encoded, Ending: session.Ending{Reason: session.Revoked, At: now, Actor: actor},
			Event: audit.Event{At: now, Action: audit.PasswordChanged, Realm: m.Realm, Actor: actor},
		})
		if err != nil {
			return err
		}
		t.printf("the password of %s is changed; %s ended\n", plain(m.Login), plural(len(ended), "session"))
		return nil
	})
}

type membersDisableCommand struct{ memberFlags }

func (membersDisableCommand) Help() string {
	return `Every service refuses the member's sessions within a second. Whoever tries to sign in is told what a wrong password is told.

Example:

    munjigi members disable shop-17`
}

func (c membersDisableCommand) Run(ctx context.Context, t *terminal) error {
	return c.setDisabled(ctx, true, func(m account.Member, ended int) {
		t.printf("%s is disabled; %s ended\n", plain(m.Login), plural(ended, "session"))
	})
}

type membersEnableCommand struct{ memberFlags }

func (membersEnableCommand) Help() string {
	return `Example:

    munjigi members enable shop-17`
}

func (c membersEnableCommand) Run(ctx context.Context, t *terminal) error {
	return c.setDisabled(ctx, false, func(m account.Member, _ int) { t.printf("%s can sign in again\n", plain(m.Login)) })
}

func (f memberFlags) setDisabled(ctx context.Context, disabled bool, say func(m account.Member, ended int)) error {
	return f.openMember(ctx, func(_ config.Config, st *store.Store, m account.Member) error {
		ended, err := st.SetDisabled(ctx, m.ID, disabled, session.Ending{Reason: session.CutOff, At: moment(), Actor: operator()})
		if err == nil {
			say(m, len(ended))
		}
		return err
	})
}

type membersListCommand struct {
	configFlag
	jsonFlag
	Realm string `placeholder:"NAME" help:"Only of this realm."`
}

func (membersListCommand) Help() string {
	return `Example:

    munjigi members list --realm members`
}

// membersPage is how many members are read at once.
const membersPage = 500

func (c membersListCommand) Run(ctx context.Context, t *terminal) (err error) {
	config, st, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if c.Realm != "" {
		if _, _, err := (realmFlag{c.Realm}).password(config); err != nil {
			return err
		}
	}
	list := []memberRow{}
	rows := [][]string{{"LOGIN", "REALM", "NAME", "ROLES", "PASSWORD SET", ""}}
	for last := (account.Member{}); ; {
		page, err := st.Members(ctx, c.Realm, last, membersPage)
		if err != nil {
			return err
		}
		for _, m := range page {
			last = m
			list = append(list, memberRowOf(m))
			rows = append(rows, []string{plain(m.Login), m.Realm, plain(m.Name), strings.Join(m.Roles, ","), when(m.ChangedAt), standing(m)})
		}
		if len(page) < membersPage {
			break
		}
	}
	if c.JSON {
		return t.json(map[string]any{"members": list})
	}
	return t.table(rows)
}

func standing(m account.Member) string {
	if m.Disabled {
		return "disabled"
	}
	return ""
}
