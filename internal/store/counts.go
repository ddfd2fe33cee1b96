package store

import "context"

// Counts is what the metrics show of the store.
type Counts struct {
	Sessions    int64 // that have not ended, including those that expired since the last sweep saw them
	Grants      int64
	Revocations int64 // the newest number of the feed
}

// Counts reads them; each is one walk over an index.
func (s *Store) Counts(ctx context.Context) (c Counts, err error) {
	err = s.db.Row(ctx, `SELECT (SELECT count(*) FROM sessions WHERE ended = ''),
			(SELECT count(*) FROM grants WHERE token IS NOT NULL), (SELECT n FROM feed_head WHERE one = 1)`).
		Scan(&c.Sessions, &c.Grants, &c.Revocations)
	return c, unavailable("count", err)
}
