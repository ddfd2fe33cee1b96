package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/munjigi/munjigi/internal/config"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/store"
	"github.com/munjigi/munjigi/internal/strict"
)

// configFlag is of every command that needs the configuration.
type configFlag struct {
	Config string `short:"c" default:"munjigi.yaml" placeholder:"FILE" help:"The configuration file (${default})."`
}

func (f configFlag) load() (config.Config, error) {
	c, document, err := f.read()
	if err != nil {
		return config.Config{}, err
	}
	return c, document.Err()
}

func (f configFlag) read() (config.Config, *strict.Document, error) {
	if _, err := os.Stat(f.Config); errors.Is(err, fs.ErrNotExist) {
		return config.Config{}, nil, usageError{fmt.Errorf("there is no %s: `munjigi init` writes one, `munjigi demo` shows everything without; or say --config FILE", f.Config)}
	}
	c, document, err := config.Open(f.Config)
	if err != nil {
		return config.Config{}, nil, usageError{err}
	}
	return c, document, nil
}

// open gives a command the database that `munjigi serve` uses, also while that runs.
func (f configFlag) open(ctx context.Context) (config.Config, *store.Store, error) {
	c, err := f.load()
	if err != nil {
		return config.Config{}, nil, err
	}
	path, file := strings.CutPrefix(c.DatabasePath(), "sqlite:")
	if _, err := os.Stat(path); file && errors.Is(err, fs.ErrNotExist) {
		return config.Config{}, nil, fmt.Errorf("there is no database %s yet: `munjigi serve` makes it", c.Database)
	}
	st, err := openStore(ctx, &c, nil)
	return c, st, err
}

func openSealer(c *config.Config) (*keys.Sealer, error) {
	sealer, err := keys.OpenSealer(c.Path(c.SealKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usageError{fmt.Errorf("there is no seal key file %s: for a new database `munjigi init` makes one; one that is in use needs its own, put it back", c.SealKeyFile)}
	}
	if err != nil {
		return nil, usageError{err}
	}
	return sealer, nil
}

func openStore(ctx context.Context, c *config.Config, log *slog.Logger) (*store.Store, error) {
	sealer, err := openSealer(c)
	if err != nil {
		return nil, err
	}
	st, err := store.Open(ctx, store.Config{Database: c.DatabasePath(), Sealer: sealer, Log: log})
	if errors.Is(err, store.ErrSealKey) {
		return nil, usageError{fmt.Errorf("%s: %w", c.SealKeyFile, err)}
	}
	return st, err
}
