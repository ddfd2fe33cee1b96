package session

import (
	"context"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
)

// Lineage is what the store knows of its own history.
type Lineage struct {
	// RolledBackAt is when a refresh token from the store's future was seen; zero = never, or recovered since.
	RolledBackAt time.Time
	// RecoveredAt is when `munjigi store recovered` last ran; zero = never.
	RecoveredAt time.Time
}

// LineageStore keeps it. The rules of Store hold.
type LineageStore interface {
	Lineage(ctx context.Context) (Lineage, error)
	// MarkRolledBack is idempotent: only the first mark is recorded, with its event.
	MarkRolledBack(ctx context.Context, at time.Time, event audit.Event) error
	// Recover ends every session as revoked, begins a new epoch of the feed, and clears the mark. It returns how
	// many sessions it ended.
	Recover(ctx context.Context, e Ending, event audit.Event) (int, error)
}
