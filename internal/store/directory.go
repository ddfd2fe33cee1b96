package store

import (
	"context"

	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/pack"
)

// listed is a row with the place that a cursor names.
type listed struct {
	session.Listed
	seq int64
}

// SignedIn implements session.Directory. The cursor is the place of the last session in the order of beginnings.
func (s *Store) SignedIn(ctx context.Context, q session.Query) (page []session.Listed, next string, err error) {
	before, err := pack.ReadCursor(q.After)
	if err != nil {
		return nil, "", err
	}
	limit := min(max(q.Limit, 1), 200)
	rows, err := engine.List(s.db.In(ctx), scanListed, `SELECT s.seq, `+sessionColumns+`, `+accountColumns+`
		FROM sessions s JOIN accounts a ON a.id = s.account
		WHERE `+live(`$1`)+` AND s.seq < $2 AND ($3 = '' OR a.realm = $3) AND a.search LIKE $4 ESCAPE '\'
		ORDER BY s.seq DESC LIMIT $5`, micros(q.Now), before, q.Realm, pack.Pattern(q.Search), limit+1)
	if err != nil {
		return nil, "", unavailable("list signed-in people", err)
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = pack.Cursor(rows[limit-1].seq)
	}
	for _, row := range rows {
		page = append(page, row.Listed)
	}
	return page, next, nil
}

func scanListed(row engine.Scanner) (l listed, err error) {
	var r sessionRow
	var who accountRow
	if err := row.Scan(append(append([]any{&l.seq}, r.dest()...), who.dest()...)...); err != nil {
		return l, err
	}
	if l.Session, err = r.session(); err != nil {
		return l, err
	}
	l.Account, err = who.account()
	return l, err
}
