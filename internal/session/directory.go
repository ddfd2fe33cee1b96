package session

import (
	"context"
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
