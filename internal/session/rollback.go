package session

import (
	"context"
	"fmt"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
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

// rolledBack marks the store: a token from its future was presented. From now on nobody renews until an administrator
// has looked, because sessions that were ended after the copy was made live again.
func (m *Manager) rolledBack(ctx context.Context, id token.SessionID, account string) error {
	now := m.now()
	m.Log.Error("the store was rolled back: renewals stop until `munjigi store recovered` has ended every session",
		"alert", "store_rolled_back", "session", id.String())
	m.lineage.Store(&Lineage{RolledBackAt: now, RecoveredAt: m.lineage.Load().RecoveredAt})
	err := m.Lineage.MarkRolledBack(ctx, now, audit.Event{
		At: now, Action: audit.StoreRolledBack, Account: account,
		Session: id.String(), Actor: audit.Actor{Kind: audit.ByProgram},
	})
	if err != nil {
		return fault.Wrap(fault.StoreRolledBack, err)
	}
	return fault.New(fault.StoreRolledBack, "run `munjigi store recovered`")
}

// readLineage takes over what another node, or the command line, has written.
func (m *Manager) readLineage(ctx context.Context) error {
	lineage, err := m.Lineage.Lineage(ctx)
	if err != nil {
		return fmt.Errorf("read the store's lineage: %w", err)
	}
	m.lineage.Store(&lineage)
	return nil
}

// Run keeps the lineage current until ctx ends.
func (m *Manager) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := m.readLineage(ctx); err != nil && ctx.Err() == nil {
				m.Log.Warn("lineage not read", "err", err)
			}
		}
	}
}
