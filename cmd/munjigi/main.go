// Command munjigi is the program: its configuration, its commands, and the wiring of everything that `munjigi serve`
// runs. One file holds one command. What a command decides belongs into the packages that it calls.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/munjigi/munjigi/internal/hashing"
	"github.com/munjigi/munjigi/internal/sketch/live"
	"github.com/munjigi/munjigi/internal/strict"
)

// Exit statuses of every command.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // how it was called, or its configuration
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], &terminal{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}

// commands is the command line.
type commands struct {
	Demo     demoCommand     `cmd:"" help:"Try everything out on this machine, without an account anywhere."`
	Init     initCommand     `cmd:"" help:"Ask a few questions and write a configuration."`
	Serve    serveCommand    `cmd:"" help:"Run the server."`
	Check    checkCommand    `cmd:"" help:"Check the configuration without starting."`
	Sketch   live.Options    `cmd:"" help:"Write a first OpenAPI document of a service from its live answers."`
	Keys     keysCommand     `cmd:"" help:"List, rotate, retire and export signing keys."`
	Sessions sessionsCommand `cmd:"" help:"List and end sessions."`
	Members  membersCommand  `cmd:"" help:"Add members with passwords, and look after them."`
	Mail     mailCommand     `cmd:"" help:"Try out how mail is sent."`
	Audit    auditCommand    `cmd:"" help:"Export and verify the audit."`
	Store    storeCommand    `cmd:"" help:"Look after the database."`
	Version  versionCommand  `cmd:"" help:"Say which version this is."`
	Hash     hashing.Command `cmd:"" hidden:""`
}

// exit is how kong ends the program after --help, caught in run.
type exit int

// run is the program with its surroundings given to it.
func run(ctx context.Context, args []string, t *terminal) (status int) {
	defer func() {
		switch code := recover().(type) {
		case nil:
		case exit:
			status = int(code)
		default: // a bug has to be seen
			panic(code)
		}
	}()
	parser, err := kong.New(&commands{},
		kong.Name("munjigi"),
		kong.Description("Staff sign in with their company account, every service checks the token alone, and who leaves is cut off."),
		kong.Writers(t.Out, t.Err),
		kong.Exit(func(code int) { panic(exit(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(t, live.Output{Writer: t.Out}),
	)
	if err != nil {
		return t.fail(err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if err != nil {
		return t.fail(usageError{err})
	}
	return t.fail(command.Run())
}

// usageError is a command that was called wrongly, or cannot work with what is configured.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// errSaid ends a command unsuccessfully that has said all there is to say.
var errSaid = errors.New("unsuccessful")

// fail writes an error as people read it, and gives the exit status that belongs to it.
func (t *terminal) fail(err error) int {
	if err == nil {
		return exitDone
	}
	if trouble, ok := errors.AsType[*strict.Error](err); ok {
		fmt.Fprintf(t.Err, "%s\n%s\n", trouble, plural(len(trouble.Problems), "problem"))
		return exitUsage
	}
	if !errors.Is(err, errSaid) {
		fmt.Fprintf(t.Err, "munjigi: %s\n", err)
	}
	if parse, ok := errors.AsType[*kong.ParseError](err); ok && parse.Context != nil {
		fmt.Fprintf(t.Err, "Run \"munjigi %s--help\" to see how it is called.\n", commandOf(parse.Context))
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitFailed
}

// commandOf is the command that was named before the mistake, with a space after it.
func commandOf(c *kong.Context) string {
	if command := c.Command(); command != "" && c.Selected() != nil {
		return c.Selected().Path() + " "
	}
	return ""
}
