package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/roster"
)

type membersImportCommand struct {
	configFlag
	jsonFlag
	realmFlag
	File   string `arg:"" help:"The list, in UTF-8; - for standard input."`
	Format string `placeholder:"FORMAT" enum:",csv,jsonl" default:"" help:"csv or jsonl; else the file's name says it."`
	Update bool   `help:"Change members who are there with other data, instead of refusing the row."`
}

func (membersImportCommand) Help() string {
	return `A list of members, a person a line: CSV with a header, or JSON lines. Columns: login, name, email, roles, disabled, and
hash (argon2id, bcrypt or PBKDF2) or password. Plain passwords are hashed on the way, on all processors, and take some
forty a second for each of them; hashes are taken as they are, thousands a second.

Rows that cannot be taken are listed, and the exit status is 1; all others are taken. A run that was stopped is simply run
again: members who are there already stay as they are.

Examples:

    munjigi members import people.csv
    munjigi members import --realm members --update --json people.jsonl`
}

// importReport is what an import says with --json.
type importReport struct {
	roster.Count
	Refusals []refusedRow `json:"refusals"`
}

type refusedRow struct {
	File string `json:"file"`
	roster.Refusal
}

func (c membersImportCommand) Run(ctx context.Context, t *terminal) (err error) {
	format, err := roster.FormatOf(c.Format, c.File)
	if err != nil {
		return usageError{err}
	}
	from, size, err := c.source(t)
	if err != nil {
		return usageError{err}
	}
	defer from.Close()
	config, st, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	name, realm, err := c.password(config)
	if err != nil {
		return err
	}
	report := importReport{Refusals: []refusedRow{}}
	progress := roster.NewProgress(t.Err, t.screen(), size)
	report.Count, err = roster.Import(ctx, roster.Config{
		Realm: name, CheckRole: realm.CheckRole, Store: st, Update: c.Update, Actor: operator(), Now: moment,
		Hasher:   account.NewHasher(account.HasherConfig{Parallel: runtime.GOMAXPROCS(0)}),
		Progress: progress.Show,
		Refused: func(r roster.Refusal) {
			if c.JSON {
				report.Refusals = append(report.Refusals, refusedRow{c.File, r})
				return
			}
			progress.Clear()
			t.printf("%s:%d: %s: %s\n", c.File, r.Line, plain(cmp.Or(r.Login, "(no login)")), plain(r.Reason))
		},
	}, from, format)
	progress.Clear()
	return c.conclude(t, report, err)
}

func (c membersImportCommand) conclude(t *terminal, report importReport, err error) error {
	n := report.Count
	if c.JSON {
		if err := t.json(report); err != nil {
			return err
		}
	} else {
		t.printf("%d added, %d updated, %d there already, %d refused\n", n.Added, n.Updated, n.Unchanged, n.Refused)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("stopped; run it again to go on")
	case err != nil && n.Rows() == 0:
		return usageError{fmt.Errorf("%s: %w", c.File, err)}
	case err != nil:
		return fmt.Errorf("%s: %w; run it again to go on", c.File, err)
	case n.Refused > 0:
		return errSaid
	}
	return nil
}

// source opens the list. Its size is 0 where nobody knows it.
func (c membersImportCommand) source(t *terminal) (io.ReadCloser, int64, error) {
	if c.File == "-" {
		return io.NopCloser(t.In), 0, nil
	}
	file, err := os.Open(c.File)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}
