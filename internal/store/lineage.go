package store

import (
	"context"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/pack"
)

// Lineage implements session.LineageStore.
func (s *Store) Lineage(ctx context.Context) (session.Lineage, error) {
	var back, recovered int64
	err := s.db.Row(ctx, `SELECT rolled_back_at, recovered_at FROM lineage WHERE one = 1`).Scan(&back, &recovered)
	return session.Lineage{RolledBackAt: fromMicros(back), RecoveredAt: fromMicros(recovered)}, unavailable("read lineage", err)
}

// MarkRolledBack implements session.LineageStore.
func (s *Store) MarkRolledBack(ctx context.Context, at time.Time, event audit.Event) error {
	_, err := write(ctx, s, engine.Urgent, "mark the store as rolled back", func(t *tx) (bool, error) {
		var marked int64
		first, err := t.One(`UPDATE lineage SET rolled_back_at = $1 WHERE one = 1 AND rolled_back_at = 0 RETURNING rolled_back_at`,
			[]any{micros(at)}, &marked)
		if err != nil || !first {
			return false, err
		}
		return true, t.record(event)
	})
	return err
}

// recoverBatch bounds how many sessions Recover holds in memory at once.
const recoverBatch = 200

// Recover implements session.LineageStore. The grants are forgotten as well: the provider may have replaced them since
// the copy was made, and would call their owners gone.
func (s *Store) Recover(ctx context.Context, e session.Ending, event audit.Event) (int, error) {
	epoch, err := s.newEpoch()
	if err != nil {
		return 0, err
	}
	e.Reason = session.Revoked
	return write(ctx, s, engine.Urgent, "recover the store", func(t *tx) (int, error) {
		if err := t.newLineage(epoch, e.At); err != nil {
			return 0, err
		}
		if err := t.record(event); err != nil {
			return 0, err
		}
		return t.endAll(e)
	})
}

func (t *tx) newLineage(epoch string, at time.Time) error {
	for _, change := range []struct {
		query string
		args  []any
	}{
		{`UPDATE lineage SET rolled_back_at = 0, recovered_at = $1 WHERE one = 1`, []any{micros(at)}},
		{`UPDATE feed_head SET epoch = $1 WHERE one = 1`, []any{epoch}},
		{`UPDATE accounts SET version = version + 1`, nil},
		{`UPDATE grants SET token = NULL, version = version + 1, intent_at = 0, gone_at = 0, leased_until = 0, failed = 0`, nil},
		{`DELETE FROM waves`, nil},
		{`DELETE FROM gone`, nil},
	} {
		if err := t.Exec(change.query, change.args...); err != nil {
			return err
		}
	}
	return nil
}

// endAll ends every live session of the store.
func (t *tx) endAll(e session.Ending) (int, error) {
	for total := 0; ; {
		ended, err := engine.List(t, scanSession, `UPDATE sessions SET ended = $1
			WHERE id IN (SELECT s.id FROM sessions s WHERE `+live(`$2`)+` AND s.seq > $3 ORDER BY s.seq LIMIT $4) RETURNING `+sessionReturned,
			pack.End(session.End{Reason: e.Reason, At: e.At}), micros(e.At), 0, recoverBatch)
		if err != nil {
			return 0, err
		}
		if len(ended) == 0 {
			return total, nil
		}
		if err := t.revokeAndRecord(ended, e); err != nil {
			return 0, err
		}
		total += len(ended)
	}
}
