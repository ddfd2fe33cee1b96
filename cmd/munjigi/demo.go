package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/munjigi/munjigi/internal/config"
	"github.com/munjigi/munjigi/internal/demo"
	"github.com/munjigi/munjigi/internal/demo/mailbox"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/listen"
)

// demoPatience is how long all parts of the demo may take until they answer.
const demoPatience = 30 * time.Second

type demoCommand struct {
	Listen string `default:"localhost:8080" placeholder:"HOST:PORT" help:"Where Munjigi listens (${default}); the next five ports are the demo's as well. On this machine alone."`
	Dir    string `default:"./munjigi-demo" placeholder:"DIR" type:"path" help:"The directory that keeps everything (${default}), also for the next time."`

	LogLevel slog.Level `default:"warn" help:"The least that is logged: debug, info, warn or error (${default})."`
}

func (demoCommand) Help() string {
	return `Runs Munjigi together with a company to try it on: a provider with the company's accounts, two services, and two shops
with members. They are separate web servers in this one process and meet over real connections. Nothing leaves this
machine. Sign in as anybody, call a service, leave the company, and see how soon the service knows. Or sign in to the shop
as a member, have a hundred components call at once, and count the session calls. Mail goes to a mailbox in this process.

Example:

    munjigi demo --listen localhost:9000`
}

func (c demoCommand) Run(ctx context.Context, t *terminal) (err error) {
	setup, err := demo.Prepare(c.Dir, c.Listen)
	if err != nil {
		return usageError{err}
	}
	log := slog.New(slog.NewTextHandler(t.Err, &slog.HandlerOptions{Level: c.LogLevel}))
	town, err := setup.Open(log)
	if err != nil {
		return err
	}
	defer town.Close()
	program, err := newDemoProgram(ctx, setup, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, program.Close()) }()

	others, err := listen.OpenAll(ctx, program.config.Listens()[1:]) // the first one is the town's
	if err != nil {
		return err
	}

	mail, err := mailbox.NewPage(town.Mailbox)
	if err != nil {
		return err
	}
	page := demo.NewPage(setup.Sites, mail)

	// As in serve: requests are drained before what they need is stopped.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	group, failed := errgroup.WithContext(background)
	public := listen.New(withDemoPage(program.Handler, program.server.AtOffice, page), log)
	public.RegisterOnShutdown(program.server.Stop)
	group.Go(func() error { return program.Run(failed) })
	group.Go(func() error { return town.Run(failed) })
	for _, place := range append(others, town.Munjigi) {
		group.Go(func() error { return listen.On(public, place) })
	}
	if err = announce(ctx, t, setup, town); err == nil {
		select {
		case <-ctx.Done():
		case <-failed.Done():
		}
	}
	err = errors.Join(err, listen.Drain([]*http.Server{public}))
	stop()
	return errors.Join(err, group.Wait())
}

// announce waits until all parts answer, and says where they are.
func announce(ctx context.Context, t *terminal, setup *demo.Setup, town *demo.Town) error {
	patience, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	err := town.Ready(patience)
	if ctx.Err() != nil {
		return nil // told to stop before it was ready
	}
	if err != nil {
		return err
	}
	if err := setup.WriteSites(); err != nil {
		return err
	}
	if err := setup.WriteTable(t.Out); err != nil {
		return err
	}
	t.printf("ready %s\n", setup.URL)
	return nil
}

// withDemoPage adds the demo's pages to Munjigi's own origin, and to no realm's. It is no mux: that would tidy paths up before
// Munjigi sees them.
func withDemoPage(munjigi http.Handler, atOffice func(*http.Request) bool, page http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ours := r.URL.Path == "/demo" || strings.HasPrefix(r.URL.Path, "/demo/")
		if ours && atOffice(r) {
			page.ServeHTTP(w, r)
			return
		}
		munjigi.ServeHTTP(w, r)
	})
}

// newDemoProgram is the program that `munjigi serve` runs, of the demo's configuration.
func newDemoProgram(ctx context.Context, setup *demo.Setup, log *slog.Logger) (*program, error) {
	if _, err := os.Stat(setup.Key); errors.Is(err, fs.ErrNotExist) {
		if _, err := keys.CreateSealer(setup.Key); err != nil {
			return nil, err
		}
	}
	config, err := config.Load(setup.Config)
	if err != nil {
		return nil, err
	}
	program, err := newProgram(ctx, config, log)
	if err != nil {
		return nil, err
	}
	if err := addDemoMembers(ctx, program); err != nil {
		return nil, errors.Join(err, program.Close())
	}
	return program, nil
}
