package store

import (
	"context"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/store/chain"
	"github.com/munjigi/munjigi/internal/store/engine"
)

// record appends events to the chain, in the transaction that they tell of.
func (t *tx) record(events ...audit.Event) error { return chain.Append(t.Tx, events...) }

// Append implements audit.Log.
func (s *Store) Append(ctx context.Context, events ...audit.Event) error {
	_, err := write(ctx, s, engine.Usual, "append to audit", func(t *tx) (struct{}, error) { return struct{}{}, t.record(events...) })
	return err
}

// Records implements audit.Log.
func (s *Store) Records(ctx context.Context, after int64, limit int) ([]audit.Record, error) {
	records, err := chain.Records(s.db.In(ctx), after, limit)
	return records, unavailable("read audit", err)
}
