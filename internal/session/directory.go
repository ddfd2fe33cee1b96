package session

import (
	"context"
	"iter"
	"time"

	"github.com/munjigi/munjigi/internal/account"
)

// Listed is a live session with whose it is, for administrators.
type Listed struct {
	Session
	Account account.Account
}

// Query narrows a listing. Zero members do not narrow.
type Query struct {
	Realm  string
	Search string // part of an e-mail or a name, any case
	After  string // the cursor that the page before returned
	Limit  int    // 1 … 200
	Now    time.Time
}

// Directory reads who is signed in.
type Directory interface {
	// SignedIn is one page of the live sessions, newest first, and the cursor of the next page ("" = none).
	SignedIn(ctx context.Context, q Query) (page []Listed, next string, err error)
}

// All reads every page of a query, 200 sessions at a time. It ends with the first error.
func All(ctx context.Context, d Directory, q Query) iter.Seq2[Listed, error] {
	return func(yield func(Listed, error) bool) {
		q.Limit = 200
		for {
			page, next, err := d.SignedIn(ctx, q)
			if err != nil {
				yield(Listed{}, err)
				return
			}
			for _, listed := range page {
				if !yield(listed, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			q.After = next
		}
	}
}
