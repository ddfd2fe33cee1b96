package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/store"
	"github.com/munjigi/munjigi/internal/strict"
)

// configFlag is of every command that needs the configuration.
type configFlag struct {
	Config string `short:"c" default:"munjigi.yaml" placeholder:"FILE" help:"The configuration file (${default})."`
}

func (f configFlag) load() (Config, error) {
	config, document, err := f.read()
	if err != nil {
		return Config{}, err
	}
	return config, document.Err()
}

func (f configFlag) read() (Config, *strict.Document, error) {
	if _, err := os.Stat(f.Config); errors.Is(err, fs.ErrNotExist) {
		return Config{}, nil, usageError{fmt.Errorf("there is no %s: `munjigi init` writes one, `munjigi demo` shows everything without; or say --config FILE", f.Config)}
	}
	config, document, err := openConfig(f.Config)
	if err != nil {
		return Config{}, nil, usageError{err}
	}
	return config, document, nil
}

// open gives a command the database that `munjigi serve` uses, also while that runs.
func (f configFlag) open(ctx context.Context) (Config, *store.Store, error) {
	config, err := f.load()
	if err != nil {
		return Config{}, nil, err
	}
	if _, err := os.Stat(strings.TrimPrefix(config.database(), "sqlite:")); errors.Is(err, fs.ErrNotExist) {
		return Config{}, nil, fmt.Errorf("there is no database %s yet: `munjigi serve` makes it", config.Database)
	}
	st, err := openStore(ctx, &config, nil)
	return config, st, err
}

// database is where the data are, whatever the working directory.
func (c *Config) database() string {
	kind, path, _ := strings.Cut(c.Database, ":")
	return kind + ":" + c.path(path)
}

func openSealer(c *Config) (*keys.Sealer, error) {
	sealer, err := keys.OpenSealer(c.path(c.SealKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usageError{fmt.Errorf("there is no seal key file %s: for a new database `munjigi init` makes one; one that is in use needs its own, put it back", c.SealKeyFile)}
	}
	if err != nil {
		return nil, usageError{err}
	}
	return sealer, nil
}

func openStore(ctx context.Context, c *Config, log *slog.Logger) (*store.Store, error) {
	sealer, err := openSealer(c)
	if err != nil {
		return nil, err
	}
	st, err := store.Open(ctx, store.Config{Database: c.database(), Sealer: sealer, Log: log})
	if errors.Is(err, store.ErrSealKey) {
		return nil, usageError{fmt.Errorf("%s: %w", c.SealKeyFile, err)}
	}
	return st, err
}
