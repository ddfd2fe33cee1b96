package main

import (
	"context"
	"fmt"
	"time"

	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

// withdrawnFirst has our own keys follow before anybody else is told that one was withdrawn. Otherwise a renewal in
// between would be signed with it, and its person refused everywhere.
type withdrawnFirst struct {
	session.FeedStore
	ring *keys.Ring
}

// Revocations implements session.FeedStore.
func (f withdrawnFirst) Revocations(ctx context.Context, after int64, now time.Time, limit int) (token.FeedPage, error) {
	page, err := f.FeedStore.Revocations(ctx, after, now, limit)
	if err != nil {
		return page, err
	}
	for _, entry := range page.Entries {
		if entry.KeyID == "" || !f.ring.CanSign(entry.KeyID) {
			continue
		}
		if err := f.ring.Reload(ctx); err != nil {
			return token.FeedPage{}, fmt.Errorf("withdraw key %s: %w", entry.KeyID, err)
		}
	}
	return page, nil
}
