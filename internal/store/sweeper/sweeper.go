// Package sweeper clears a store of what is over, again and again. What that is, the store knows.
package sweeper

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/munjigi/munjigi/internal/store"
)

// every and Batch bound what sweeping costs those who wait for the store.
const (
	every = 10 * time.Second
	Batch = 1000
)

// Config is what is swept. All of it is required.
type Config struct {
	Store *store.Store
	// Also is called with each sweep.
	Also func(context.Context, time.Time) error
	Log  *slog.Logger
}

// Run sweeps until ctx ends.
func Run(ctx context.Context, c Config) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		swept, err := c.Store.Sweep(ctx, time.Now(), Batch)
		err = errors.Join(err, c.Also(ctx, time.Now()))
		if err != nil && ctx.Err() == nil {
			c.Log.Warn("sweep", "err", err)
		} else if swept != (store.Swept{}) {
			c.Log.Debug("swept", "expired", swept.Expired, "sessions", swept.Sessions, "entries", swept.Entries, "attempts", swept.Attempts, "guesses", swept.Guesses, "grants", swept.Grants)
		}
	}
}
