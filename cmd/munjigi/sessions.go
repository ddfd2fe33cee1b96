package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store"
	"github.com/munjigi/munjigi/internal/token"
)

type sessionsCommand struct {
	List   sessionsListCommand   `cmd:"" help:"List who is signed in."`
	Revoke sessionsRevokeCommand `cmd:"" help:"End a session, or all of an account's."`
}

type sessionsListCommand struct {
	configFlag
	jsonFlag
	Realm  string `placeholder:"NAME" help:"Only of this realm."`
	Search string `placeholder:"TEXT" help:"Only of people with this in their e-mail or name."`
}

func (sessionsListCommand) Help() string {
	return `Example:

    munjigi sessions list --search kim`
}

type sessionRow struct {
	ID        string     `json:"id"`
	Account   accountRow `json:"account"`
	App       string     `json:"app"`
	Device    string     `json:"device"`
	From      string     `json:"from"`
	StartedAt string     `json:"started_at"`
	RenewedAt string     `json:"renewed_at"`
	EndsAt    string     `json:"ends_at"`
	CheckedAt string     `json:"checked_at,omitempty"`
}

type accountRow struct {
	ID    string   `json:"id"`
	Realm string   `json:"realm"`
	Email string   `json:"email,omitempty"`
	Name  string   `json:"name,omitempty"`
	Roles []string `json:"roles"`
}

func (c sessionsListCommand) Run(ctx context.Context, t *terminal) (err error) {
	_, st, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	list := []sessionRow{}
	rows := [][]string{{"SESSION", "REALM", "WHO", "APP", "DEVICE", "FROM", "RENEWED"}}
	for s, err := range session.All(ctx, st, session.Query{Now: moment(), Realm: c.Realm, Search: c.Search}) {
		if err != nil {
			return err
		}
		list = append(list, rowOf(s))
		who := s.Account.Email
		if who == "" {
			who = s.Account.ID
		}
		rows = append(rows, []string{s.ID.String(), s.Realm, plain(who), s.App, plain(s.Device), s.From, when(s.Rotation.At)})
	}
	if c.JSON {
		return t.json(map[string]any{"sessions": list})
	}
	return t.table(rows)
}

func rowOf(s session.Listed) sessionRow {
	return sessionRow{
		s.ID.String(),
		accountRow{s.Account.ID, s.Account.Realm, s.Account.Email, s.Account.Name, s.Account.Roles},
		s.App, s.Device, s.From, when(s.StartedAt), when(s.Rotation.At), when(s.EndsAt), when(s.Account.CheckedAt),
	}
}

// plain keeps what a provider or a browser wrote from moving the cursor of whoever looks at it.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '·'
		}
		return r
	}, text)
}

type sessionsRevokeCommand struct {
	configFlag
	SID     string `arg:"" name:"sid" optional:"" help:"The session, as sessions list shows it."`
	Account string `placeholder:"WHO" help:"All sessions of this account: its id, or its e-mail."`
}

func (sessionsRevokeCommand) Help() string {
	return `Every service refuses the session within a second, and its browser is told that an administrator ended it. Who is
still valid at the provider can sign in again: suspend them there first. A SID that begins with - goes after --.

Examples:

    munjigi sessions revoke Zk3mQ0bT1yq8mX0n6bqf2w
    munjigi sessions revoke --account kim@example.com`
}

func (c sessionsRevokeCommand) Run(ctx context.Context, t *terminal) (err error) {
	if (c.SID == "") == (c.Account == "") {
		return usageError{errors.New("say which session, or --account and whose")}
	}
	_, st, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	ending := session.Ending{Reason: session.Revoked, At: moment(), Actor: operator()}
	if c.SID != "" {
		return revokeOne(ctx, t, st, c.SID, ending)
	}
	accounts, err := accountsOf(ctx, st, c.Account)
	if err != nil {
		return err
	}
	total := 0
	for _, account := range accounts {
		ended, err := st.EndAccount(ctx, account, token.SessionID{}, ending)
		if err != nil {
			return err
		}
		total += len(ended)
	}
	t.printf("%s of %s ended\n", plural(total, "session"), c.Account)
	return nil
}

func revokeOne(ctx context.Context, t *terminal, st *store.Store, text string, ending session.Ending) error {
	id, err := token.ParseSessionID(text)
	if err != nil {
		return usageError{err}
	}
	ended, err := st.End(ctx, id, ending)
	if fault.CodeOf(err) == fault.SessionUnknown {
		return fmt.Errorf("there is no session %s", text)
	}
	if err != nil {
		return err
	}
	if ended.Ended == nil {
		t.printf("session %s had expired already\n", text)
	} else if !ended.Ended.At.Equal(ending.At) || ended.Ended.Reason != ending.Reason {
		t.printf("session %s had ended already: %s at %s\n", text, ended.Ended.Reason, when(ended.Ended.At))
	} else {
		t.printf("session %s ended\n", text)
	}
	return nil
}

// accountsOf finds an account by its id, and those with an e-mail: each realm may have one. An id that a service gave may
// look like an e-mail.
func accountsOf(ctx context.Context, st *store.Store, who string) ([]string, error) {
	if !strings.Contains(who, "@") {
		return []string{who}, nil
	}
	found := map[string]bool{who: true}
	accounts := []string{who}
	for s, err := range session.All(ctx, st, session.Query{Now: moment(), Search: who}) {
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(s.Account.Email, who) && !found[s.Account.ID] {
			found[s.Account.ID] = true
			accounts = append(accounts, s.Account.ID)
		}
	}
	return accounts, nil
}
