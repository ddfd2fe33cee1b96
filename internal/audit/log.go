package audit

import "context"

// Record is an event as it was appended: N counts from 1 without a gap, Hash covers Prev and everything in the event.
type Record struct {
	N int64
	Event
	Prev, Hash [32]byte
}

// Log is the append-only record.
type Log interface {
	// Append records events that go with no other change, in one flushed transaction.
	Append(ctx context.Context, events ...Event) error
	// Records reads at most limit records numbered above after, in order.
	Records(ctx context.Context, after int64, limit int) ([]Record, error)
}
