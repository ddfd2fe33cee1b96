// Package onetime is the SQL of one-time links: its functions run in the store's transactions. It decides nothing about
// passwords and accounts, which is what using a link is for.
package onetime

import (
	"crypto/sha256"
	"time"

	"github.com/munjigi/munjigi/internal/links"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/pack"
)

const columns = `realm, account, changes, login, name, made_at, until`

func scan(row engine.Scanner) (l links.Link, err error) {
	var madeAt, until int64
	err = row.Scan(&l.Realm, &l.Account, &l.Changes, &l.Login, &l.Name, &madeAt, &until)
	l.MadeAt, l.Until = pack.Time(madeAt), pack.Time(until)
	return l, err
}

// Made is what came of making a link.
type Made int

// Refused is one too many, Again one that had been made before.
const (
	Refused Made = iota
	Again
	Fresh
)

// Make keeps a link, unless its login has as many as it may have.
func Make(t *engine.Tx, l links.Link, limit links.Limit) (Made, error) {
	var n int64
	if again, err := t.One(`SELECT made_at FROM links WHERE hash = $1`, []any{l.Hash[:]}, &n); again || err != nil {
		return Again, err
	}
	if _, err := t.One(`SELECT COUNT(*) FROM links WHERE realm = $1 AND login = $2 AND made_at > $3`,
		[]any{l.Realm, l.Login, pack.Micros(limit.Since)}, &n); err != nil {
		return Refused, err
	}
	if limit.Most > 0 && n >= int64(limit.Most) {
		return Refused, nil
	}
	return Fresh, t.Exec(`INSERT INTO links (hash, realm, account, changes, login, name, made_at, until, used_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)`,
		l.Hash[:], l.Realm, l.Account, l.Changes, l.Login, l.Name, pack.Micros(l.MadeAt), pack.Micros(l.Until))
}

// Find reads one that can be used.
func Find(row func(query string, args ...any) engine.Scanner, hash [sha256.Size]byte, now time.Time) (links.Link, bool, error) {
	l, err := scan(row(`SELECT `+columns+` FROM links WHERE hash = $1 AND used_at = 0 AND until > $2`, hash[:], pack.Micros(now)))
	found, err := engine.Optional(err)
	if !found {
		return links.Link{}, false, err
	}
	l.Hash = hash
	return l, true, nil
}

// Use uses one up, once. It keeps its row until it is over, and so counts for its login.
func Use(t *engine.Tx, hash [sha256.Size]byte, now time.Time) (links.Link, bool, error) {
	used, err := engine.List(t, scan, `UPDATE links SET used_at = $1 WHERE hash = $2 AND used_at = 0 AND until > $1 RETURNING `+columns,
		pack.Micros(now), hash[:])
	if err != nil || len(used) == 0 {
		return links.Link{}, false, err
	}
	used[0].Hash = hash
	return used[0], true, nil
}

// Sweep deletes those that are over, at most so many.
func Sweep(t *engine.Tx, now time.Time, limit int) error {
	return t.Exec(`DELETE FROM links WHERE hash IN (SELECT hash FROM links WHERE until <= $1 ORDER BY until LIMIT $2)`, pack.Micros(now), limit)
}
