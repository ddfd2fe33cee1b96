package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/config"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
)

type membersCommand struct {
	Add      membersAddCommand      `cmd:"" help:"Add a member with a login and a password."`
	Import   membersImportCommand   `cmd:"" help:"Bring a list of members from a legacy system."`
	List     membersListCommand     `cmd:"" help:"List the members."`
	Password membersPasswordCommand `cmd:"" help:"Set a member's password, and end their sessions."`
	Disable  membersDisableCommand  `cmd:"" help:"Let a member in no more, and end their sessions."`
	Enable   membersEnableCommand   `cmd:"" help:"Let a member in again."`
}

// realmFlag is of every command about a member.
type realmFlag struct {
	Realm string `placeholder:"NAME" help:"The realm; only needed where several have passwords."`
}

// password is the realm that is meant.
func (f realmFlag) password(c config.Config) (string, config.Realm, error) {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(c.Realms)) {
		if c.Realms[name].Password != nil && (f.Realm == "" || f.Realm == name) {
			names = append(names, name)
		}
	}
	switch {
	case len(names) == 1:
		return names[0], c.Realms[names[0]], nil
	case f.Realm != "":
		return "", config.Realm{}, usageError{fmt.Errorf("the realm %q has no passwords in the configuration", f.Realm)}
	case len(names) == 0:
		return "", config.Realm{}, usageError{errors.New("no realm has passwords in the configuration: give one password: {}")}
	}
	return "", config.Realm{}, usageError{fmt.Errorf("several realms have passwords: say --realm %s", strings.Join(names, " or --realm "))}
}

// passwordFlag is where a password comes from: never from the command line, which others on the machine can see.
type passwordFlag struct {
	PasswordFile string `placeholder:"FILE" help:"A file that holds the password; - for standard input. Default: it is asked for."`
}

// maxPasswordFile is what is read of one.
const maxPasswordFile = 4096

func (f passwordFlag) readPassword(t *terminal) (account.Password, error) {
	if f.PasswordFile == "" {
		return t.askPassword("Password")
	}
	from := t.In
	if f.PasswordFile != "-" {
		file, err := os.Open(f.PasswordFile)
		if err != nil {
			return "", usageError{err}
		}
		defer file.Close()
		from = file
	}
	text, err := io.ReadAll(io.LimitReader(from, maxPasswordFile))
	if err != nil {
		return "", err
	}
	password := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if strings.ContainsAny(password, "\r\n") || password == "" {
		return "", usageError{fmt.Errorf("%s: want the password alone, on one line", f.PasswordFile)}
	}
	return account.Password(password), nil
}

// newHash asks for a member's new password, and is the hash of one that the rules admit.
func (f passwordFlag) newHash(ctx context.Context, t *terminal, rules account.PasswordRules, m account.Member) (string, error) {
	password, err := f.readPassword(t)
	if err != nil {
		return "", err
	}
	if err := rules.Check(password, m.Login, m.Name); err != nil {
		return "", refusedPassword(err)
	}
	return account.NewHasher(account.HasherConfig{}).Hash(ctx, password)
}

type membersAddCommand struct {
	configFlag
	jsonFlag
	realmFlag
	passwordFlag
	Login string   `arg:"" help:"What they sign in with; upper and lower case are the same."`
	Name  string   `placeholder:"NAME" help:"What they are called."`
	Email string   `placeholder:"EMAIL" help:"Where a link goes when they have forgotten their password."`
	Role  []string `placeholder:"ROLE" help:"A role; may be given several times."`
}

func (membersAddCommand) Help() string {
	return `The password is asked for, twice; a command line would show it to everybody on the machine.

Examples:

    munjigi members add shop-17 --name "Shop 17" --role shop
    munjigi members add kim@example.com --email kim@example.com --password-file - < password.txt`
}

func (c membersAddCommand) Run(ctx context.Context, t *terminal) (err error) {
	config, st, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	name, realm, err := c.password(config)
	if err != nil {
		return err
	}
	member, err := c.member(name, realm)
	if err != nil {
		return usageError{err}
	}
	if member.Hash, err = c.newHash(ctx, t, passwordRules(&config, name), member); err != nil {
		return err
	}
	added, err := st.AddMember(ctx, member, audit.Event{At: moment(), Action: audit.MemberAdded, Realm: name, Actor: operator()})
	if fault.CodeOf(err) == fault.EditConflict {
		return fmt.Errorf("%s is taken in the realm %s", member.Login, name)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return t.json(memberRowOf(added))
	}
	t.printf("%s can sign in at %s; account %s\n", plain(added.Login), name, added.ID)
	return nil
}

func (c membersAddCommand) member(name string, realm config.Realm) (account.Member, error) {
	login, err := account.Login(c.Login)
	if err != nil {
		return account.Member{}, fmt.Errorf("login: want %w", err)
	}
	email := strings.ToLower(strings.TrimSpace(c.Email))
	if email != "" && !account.IsDomain(account.Domain(email)) {
		return account.Member{}, fmt.Errorf("--email %q: want an e-mail address", c.Email)
	}
	roles := slices.Compact(slices.Sorted(slices.Values(c.Role)))
	for _, role := range roles {
		if err := realm.CheckRole(role); err != nil {
			return account.Member{}, fmt.Errorf("--role %q: %w", role, err)
		}
	}
	return account.Member{Login: login, Account: account.Account{
		ID:       token.NewID(),
		Identity: account.Identity{Realm: name, Issuer: account.PasswordIssuer, Subject: token.NewID()},
		Profile:  account.Profile{Email: email, Name: c.Name, Roles: roles},
	}}, nil
}

// refusedPassword says why a password may not be set, without what only the wire needs.
func refusedPassword(err error) error {
	if refused, ok := errors.AsType[*fault.Error](err); ok {
		return errors.New(refused.Detail)
	}
	return err
}

// passwordRules are those of a realm with passwords.
func passwordRules(c *config.Config, realm string) account.PasswordRules {
	of := c.Realms[realm]
	return account.PasswordRules{MinLength: of.Password.MinLength, Site: []string{account.Host(c.URL), account.Host(of.URL), realm}}
}

// memberRow is a member in a list.
type memberRow struct {
	Login     string     `json:"login"`
	Account   accountRow `json:"account"`
	Disabled  bool       `json:"disabled"`
	ChangedAt string     `json:"password_changed_at,omitempty"`
}

func memberRowOf(m account.Member) memberRow {
	return memberRow{m.Login, accountRow{m.ID, m.Realm, m.Email, m.Name, m.Roles}, m.Disabled, when(m.ChangedAt)}
}
