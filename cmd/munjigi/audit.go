package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"

	"github.com/munjigi/munjigi/internal/audit"
)

type auditCommand struct {
	Export auditExportCommand `cmd:"" help:"Write the records as JSON lines."`
	Verify auditVerifyCommand `cmd:"" help:"Check that no record was changed, removed or put in between."`
}

type auditExportCommand struct {
	configFlag
	After int64 `placeholder:"N" help:"Leave out the records up to this number."`
}

func (auditExportCommand) Help() string {
	return `One record a line, oldest first, with its hashes. Send it somewhere that this machine cannot write to: a chain proves
a change only against a hash that was kept elsewhere.

Example:

    munjigi audit export --after 1200 >> audit.jsonl`
}

func (c auditExportCommand) Run(ctx context.Context, t *terminal) (err error) {
	_, st, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	out := bufio.NewWriter(t.Out)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	for record, err := range audit.All(ctx, st, c.After) {
		if err != nil {
			return err
		}
		if err := lines.Encode(record); err != nil {
			return err
		}
	}
	return out.Flush()
}

type auditVerifyCommand struct {
	configFlag
	jsonFlag
	Expect string `placeholder:"N:HASH" help:"Record N must have this hash: one that an earlier verify printed, and that was kept elsewhere."`
	File   string `arg:"" optional:"" help:"An export to verify instead of the database; - for standard input."`
}

func (auditVerifyCommand) Help() string {
	return `Follows the chain of hashes from the first record to the last. Whoever can write to the database can also compute
all hashes anew; keep what this prints elsewhere and give it back with --expect.

Example:

    munjigi audit verify --expect 1200:91be6e6a…`
}

// verified is the answer with --json.
type verified struct {
	Records int64  `json:"records"`
	Last    string `json:"last,omitempty"` // N:HASH
	OK      bool   `json:"ok"`
	Problem string `json:"problem,omitempty"`
}

func (c auditVerifyCommand) Run(ctx context.Context, t *terminal) error {
	expected, err := audit.ReadExpectation(c.Expect)
	if err != nil {
		return usageError{fmt.Errorf("--expect %w as audit verify printed it", err)}
	}
	var count int64
	var last audit.Record
	err = c.records(ctx, t, func(records iter.Seq2[audit.Record, error]) (err error) {
		count, last, err = audit.VerifyAll(records, c.File != "", expected)
		return err
	})
	if err != nil && !errors.Is(err, audit.ErrChain) {
		return err
	}
	answer := verified{Records: count, OK: err == nil}
	if count > 0 {
		answer.Last = fmt.Sprintf("%d:%s", last.N, hex.EncodeToString(last.Hash[:]))
	}
	if err != nil {
		answer.Problem = err.Error()
	}
	if c.JSON {
		if writeErr := t.json(answer); writeErr != nil || err == nil {
			return writeErr
		}
		return errSaid
	}
	if err == nil {
		t.printf("%s, the chain is whole; the last is %s\n", plural(int(count), "record"), answer.Last)
	}
	return err
}

// records gives do the records of the database, or of an export.
func (c auditVerifyCommand) records(ctx context.Context, t *terminal, do func(iter.Seq2[audit.Record, error]) error) (err error) {
	if c.File == "-" {
		return do(audit.Lines(t.In))
	}
	if c.File != "" {
		file, err := os.Open(c.File)
		if err != nil {
			return usageError{err}
		}
		return errors.Join(do(audit.Lines(file)), file.Close())
	}
	_, st, err := c.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(do(audit.All(ctx, st, 0)), st.Close())
}
