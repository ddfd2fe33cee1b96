package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
)

// terminal is where a command reads and writes.
type terminal struct {
	In       io.Reader
	Out, Err io.Writer

	lines *bufio.Reader
}

func (t *terminal) printf(format string, args ...any) { fmt.Fprintf(t.Out, format, args...) }

// json writes a value as one indented document.
func (t *terminal) json(value any) error {
	encoder := json.NewEncoder(t.Out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// table writes rows in columns; the first row is the heading.
func (t *terminal) table(rows [][]string) error {
	w := tabwriter.NewWriter(t.Out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// ask reads one line; what is in brackets is the answer of an empty one.
func (t *terminal) ask(question, otherwise string) (string, error) {
	if otherwise != "" {
		question += " [" + otherwise + "]"
	}
	fmt.Fprintf(t.Err, "%s: ", question)
	if t.lines == nil {
		t.lines = bufio.NewReader(t.In)
	}
	line, err := t.lines.ReadString('\n')
	if err != nil && (err != io.EOF || line == "") {
		fmt.Fprintln(t.Err)
		return "", fmt.Errorf("no answer: %w", err)
	}
	if line = strings.TrimSpace(line); line == "" {
		return otherwise, nil
	}
	return line, nil
}

// interactive tells whether somebody sits there who can be asked.
func (t *terminal) interactive() bool { return device(t.In) }

// screen tells whether what is said on the side is seen as it is written.
func (t *terminal) screen() bool { return device(t.Err) }

func device(end any) bool {
	file, ok := end.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// askPassword reads a new password twice, which the screen does not show.
func (t *terminal) askPassword(question string) (account.Password, error) {
	file, ok := t.In.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return "", usageError{errors.New("nobody can be asked for a password here: say --password-file FILE")}
	}
	var typed [2]string
	for i, question := range []string{question, question + " once more"} {
		fmt.Fprintf(t.Err, "%s: ", question)
		text, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(t.Err)
		if err != nil {
			return "", fmt.Errorf("no password: %w", err)
		}
		typed[i] = string(text)
	}
	if typed[0] != typed[1] {
		return "", errors.New("the two differ; nothing was changed")
	}
	return account.Password(typed[0]), nil
}

// confirmFlag is of commands that cannot be undone.
type confirmFlag struct {
	Yes bool `short:"y" help:"Do not ask."`
}

// confirm asks whether to go on, unless --yes was given.
func (f confirmFlag) confirm(t *terminal, what string) error {
	if f.Yes {
		return nil
	}
	if !t.interactive() {
		return usageError{fmt.Errorf("%s: say --yes, because nobody can be asked here", what)}
	}
	answer, err := t.ask(what+". Go on? (yes or no)", "no")
	if err != nil {
		return err
	}
	if answer != "yes" {
		return fmt.Errorf("nothing was changed")
	}
	return nil
}

type jsonFlag struct {
	JSON bool `help:"Write JSON."`
}

// operator is who works on the command line, for the audit.
func operator() audit.Actor {
	name := ""
	if who, err := user.Current(); err == nil {
		name = who.Username
	}
	return audit.Actor{Kind: audit.ByCommand, ID: name}
}

// moment is now as the store keeps it.
func moment() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// when is a time in a list, "" for one that has not come.
func when(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

// plural is "1 problem", "2 problems".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
