package main

import (
	"context"
	"errors"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store/transfer"
)

type storeCommand struct {
	Copy      storeCopyCommand      `cmd:"" help:"Copy everything from SQLite to PostgreSQL."`
	Recovered storeRecoveredCommand `cmd:"" help:"Say that the database was put back from a copy: ends every session."`
}

type storeRecoveredCommand struct {
	configFlag
	confirmFlag
}

func (storeRecoveredCommand) Help() string {
	return `A copy of the database brings sessions back to life that ended after it was made. This ends all of them: everybody
signs in again, and every service learns it. Run it whenever a database was put back, and when renewals answer
store_rolled_back.

Example:

    munjigi store recovered --yes`
}

func (c storeRecoveredCommand) Run(ctx context.Context, t *terminal) error {
	_, st, err := c.open(ctx)
	if err != nil {
		return err
	}
	ended, err := 0, c.confirm(t, "Every session ends, and everybody has to sign in again")
	if err == nil {
		now, actor := moment(), operator()
		ended, err = st.Recover(ctx, session.Ending{Reason: session.Revoked, At: now, Actor: actor},
			audit.Event{At: now, Action: audit.StoreRecovered, Actor: actor})
	}
	if err := errors.Join(err, st.Close()); err != nil {
		return err
	}
	t.printf("%s ended; renewals work again\n", plural(ended, "session"))
	return nil
}

type storeCopyCommand struct {
	configFlag
	To string `required:"" placeholder:"FILE" help:"The configuration whose database is the new one."`
}

func (storeCopyCommand) Help() string { return transfer.Help }

func (c storeCopyCommand) Run(ctx context.Context, t *terminal) error {
	from, err := c.load()
	to, other := configFlag{c.To}.load()
	if err := errors.Join(err, other); err != nil {
		return err
	}
	return transfer.Copy(ctx, transfer.Config{From: from.DatabasePath(), To: to.DatabasePath(), Out: t.Err})
}
