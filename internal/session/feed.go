package session

import (
	"context"
	"time"

	"github.com/munjigi/munjigi/internal/token"
)

// FeedStore is where the feed reads what was committed. Nothing committed is ever skipped: an entry's number is taken
// from a counter in the transaction that ends the session, so commit order is number order.
type FeedStore interface {
	// Revocations reads, in one snapshot, the store's epoch, its newest number, and at most limit entries numbered
	// above after whose until is later than now, in order of number.
	Revocations(ctx context.Context, after int64, now time.Time, limit int) (token.FeedPage, error)
}
