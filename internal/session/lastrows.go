package session

import (
	"sync"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/token"
)

// lastRowsMost bounds the rows that are remembered, about 1 KB each.
const lastRowsMost = 16 << 10

// lastRows remembers the rows that this node has written last, so that the next renewal of a session need not read its
// row first. What it holds may be out of date: it is good for nothing but a compare-and-swap that would fail then.
type lastRows struct {
	mu   sync.Mutex // guards rows
	rows map[token.SessionID]remembered
}

type remembered struct {
	session Session
	account account.Account
}

func newLastRows() *lastRows { return &lastRows{rows: map[token.SessionID]remembered{}} }

// take returns what is remembered of a session and forgets it: whoever rotates puts the new row in its place.
func (r *lastRows) take(id token.SessionID) (s Session, who account.Account, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	row, ok := r.rows[id]
	delete(r.rows, id)
	return row.session, row.account, ok
}

// put remembers a row as it stands, in the place of any other when there are too many.
func (r *lastRows) put(s Session, who account.Account) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.rows) >= lastRowsMost {
		for other := range r.rows { // maps begin anywhere
			delete(r.rows, other)
			break
		}
	}
	r.rows[s.ID] = remembered{s, who}
}
