package store

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"math"
	"strings"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
)

// SignedIn implements session.Directory. The cursor is the last session's start and id.
func (s *Store) SignedIn(ctx context.Context, q session.Query) (page []session.Listed, next string, err error) {
	startedAt, id, err := parseCursor(q.After)
	if err != nil {
		return nil, "", err
	}
	limit := min(max(q.Limit, 1), 200)
	page, err = list(s.readers.in(ctx), scanListed, `SELECT `+sessionColumns+`, `+accountColumns+`
		FROM sessions s JOIN accounts a ON a.id = s.account
		WHERE `+live(`$1`)+` AND (s.started_at, s.id) < ($2, $3) AND ($4 = '' OR a.realm = $4) AND a.search LIKE $5 ESCAPE '\'
		ORDER BY s.started_at DESC, s.id DESC LIMIT $6`,
		micros(q.Now), startedAt, id, q.Realm, pattern(q.Search), limit+1)
	if err != nil {
		return nil, "", unavailable("list signed-in people", err)
	}
	if len(page) > limit {
		page = page[:limit]
		next = cursorOf(page[limit-1].Session)
	}
	return page, next, nil
}

func scanListed(row scanner) (l session.Listed, err error) {
	var r sessionRow
	var who accountRow
	if err := row.Scan(append(r.dest(), who.dest()...)...); err != nil {
		return l, err
	}
	if l.Session, err = r.session(); err != nil {
		return l, err
	}
	l.Account, err = who.account()
	return l, err
}

// pattern finds the text anywhere. What LIKE would take as a wildcard is taken as itself.
func pattern(search string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(search)) + "%"
}

func cursorOf(s session.Session) string {
	return base64.RawURLEncoding.EncodeToString(append(binary.BigEndian.AppendUint64(nil, uint64(micros(s.StartedAt))), s.ID[:]...))
}

// parseCursor of "" is before the newest.
func parseCursor(text string) (startedAt int64, id []byte, err error) {
	if text == "" {
		return math.MaxInt64, []byte{}, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != 8+16 {
		return 0, nil, &fault.Error{Code: fault.RequestInvalid, Detail: "after: want the cursor that the page before gave"}
	}
	return int64(binary.BigEndian.Uint64(raw)), raw[8:], nil
}
