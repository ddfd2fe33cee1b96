package store

import (
	"context"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/token"
)

func feedIDText(id token.FeedID) string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// announce appends to the feed. The numbers come from the head's row, which this transaction keeps until it commits:
// so the order of numbers is the order of commits, and who has read n has missed nothing below.
func (t *tx) announce(entries []token.FeedEntry) error {
	if len(entries) == 0 {
		return nil
	}
	var last int64
	if _, err := t.One(`UPDATE feed_head SET n = n + $1 WHERE one = 1 RETURNING n`, []any{len(entries)}, &last); err != nil {
		return fmt.Errorf("number revocations: %w", err)
	}
	for i, e := range entries {
		n := last - int64(len(entries)-1-i)
		err := t.Exec(`INSERT INTO revocations (n, feed_id, kid, until, box) VALUES ($1, $2, $3, $4, $5)`, n, e.ID, e.KeyID, e.Until, e.Box)
		if err != nil {
			return fmt.Errorf("append revocation: %w", err)
		}
	}
	return nil
}

// feedRow is the head, with an entry where there is one.
type feedRow struct {
	epoch          string
	head           int64
	n, until       *int64 // nil where there is no entry
	id, keyID, box *string
}

// Revocations implements session.FeedStore. One statement is one snapshot.
func (s *Store) Revocations(ctx context.Context, after int64, now time.Time, limit int) (token.FeedPage, error) {
	rows, err := engine.List(s.db.In(ctx), scanFeedRow, `SELECT h.epoch, h.n, r.n, r.feed_id, r.kid, r.until, r.box
		FROM feed_head h LEFT JOIN (SELECT n, feed_id, kid, until, box FROM revocations
			WHERE n > $1 AND until > $2 ORDER BY n LIMIT $3) r ON 1 = 1
		WHERE h.one = 1 ORDER BY r.n`, after, now.Unix(), limit+1)
	if err != nil {
		return token.FeedPage{}, unavailable("read revocations", err)
	}
	page := token.FeedPage{Epoch: rows[0].epoch, N: rows[0].head, ReadAt: micros(now), Entries: []token.FeedEntry{}}
	for _, r := range rows {
		if r.n == nil {
			break
		}
		if page.More = len(page.Entries) == limit; page.More {
			page.N = page.Entries[limit-1].N
			break
		}
		page.Entries = append(page.Entries, token.FeedEntry{N: *r.n, ID: *r.id, KeyID: *r.keyID, Until: *r.until, Box: *r.box})
	}
	return page, nil
}

func scanFeedRow(row engine.Scanner) (r feedRow, err error) {
	err = row.Scan(&r.epoch, &r.head, &r.n, &r.id, &r.keyID, &r.until, &r.box)
	return r, err
}
