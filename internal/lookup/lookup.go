// Package lookup is what administrators look up: accounts, and what was recorded. It changes nothing, and says nothing of
// who may look.
package lookup

import (
	"context"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
)

// Accounts narrows a list of accounts. Zero members do not narrow.
type Accounts struct {
	Realm    string
	Search   string // part of an e-mail, a name or a login, any case
	Disabled *bool
	After    string // the cursor that the page before returned
	Limit    int    // 1 … 200
}

// Account is one of them; of a member with the login.
type Account struct {
	account.Account
	Login     string    // "" = their password is not kept here
	ChangedAt time.Time // when a member's password was set last
}

// Events narrows a list of what was recorded. Zero members do not narrow.
type Events struct {
	Action  string
	Actor   string // id of whoever did it, or part of their e-mail or name
	Account string // id of whom it concerns
	Realm   string
	Service string
	From    time.Time // not before
	To      time.Time // before
	Below   int64     // numbers below this one; 0 = from the newest
	Limit   int       // 1 … 200
}

// Event is a record with the names of those whom it tells of; "" where they are not accounts.
type Event struct {
	audit.Record
	ActorName   string
	AccountName string
}

// Store is where it is all kept.
type Store interface {
	// Accounts is one page, by e-mail and name, and the cursor of the next one ("" = none). request_invalid for a cursor that
	// is none.
	Accounts(ctx context.Context, q Accounts) (page []Account, next string, err error)
	Account(ctx context.Context, id string) (a Account, found bool, err error)
	// Events is one page, newest first.
	Events(ctx context.Context, q Events) ([]Event, error)
	Event(ctx context.Context, n int64) (e Event, found bool, err error)
	// Ending is what came of a call that a record of a number began, by the id of the call.
	Ending(ctx context.Context, n int64, call string) (e Event, found bool, err error)
}
