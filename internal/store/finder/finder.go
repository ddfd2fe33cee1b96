// Package finder is the SQL of what administrators look up. It changes nothing.
package finder

import (
	"context"
	"encoding/json"
	"math"
	"strings"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/lookup"
	"github.com/munjigi/munjigi/internal/store/chain"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/pack"
)

var _ lookup.Store = (*Finder)(nil)

// Finder is safe for concurrent use.
type Finder struct{ db *engine.DB }

// New uses a database whose schema is up to date.
func New(db *engine.DB) *Finder { return &Finder{db} }

const selectAccounts = `SELECT a.id, a.realm, a.issuer, a.subject, a.email, a.name, a.roles, a.checked_at, a.disabled, a.version,
	coalesce(m.login, ''), coalesce(m.changed_at, 0) FROM accounts a LEFT JOIN members m ON m.account = a.id WHERE `

func scanAccount(row engine.Scanner) (a lookup.Account, err error) {
	var roles string
	var checked, disabled, changed int64
	err = row.Scan(&a.ID, &a.Realm, &a.Issuer, &a.Subject, &a.Email, &a.Name, &roles, &checked, &disabled, &a.Version, &a.Login, &changed)
	if err != nil {
		return a, err
	}
	a.CheckedAt, a.Disabled, a.ChangedAt = pack.Time(checked), disabled != 0, pack.Time(changed)
	a.Roles, err = pack.ReadRoles(roles)
	return a, err
}

// Accounts implements lookup.Store. The cursor is the last account's id.
func (f *Finder) Accounts(ctx context.Context, q lookup.Accounts) (page []lookup.Account, next string, err error) {
	place, err := f.placeOf(ctx, q.After)
	if err != nil {
		return nil, "", err
	}
	disabled := int64(-1)
	if q.Disabled != nil {
		disabled = pack.Number(*q.Disabled)
	}
	limit := min(max(q.Limit, 1), 200)
	page, err = engine.List(f.db.In(ctx), scanAccount, selectAccounts+`($1 = '' OR a.realm = $1)
		AND (a.search LIKE $2 ESCAPE '\' OR m.login LIKE $2 ESCAPE '\') AND ($3 = -1 OR a.disabled = $3)
		AND ($5 = '' OR a.search > $4 OR a.search = $4 AND a.id > $5) ORDER BY a.search, a.id LIMIT $6`,
		q.Realm, pack.Pattern(q.Search), disabled, place, q.After, limit+1)
	if err != nil {
		return nil, "", pack.Unavailable("list accounts", err)
	}
	if len(page) > limit {
		page = page[:limit]
		next = page[limit-1].ID
	}
	return page, next, nil
}

// placeOf is where a cursor is in the order of accounts.
func (f *Finder) placeOf(ctx context.Context, after string) (place string, err error) {
	if after == "" {
		return "", nil
	}
	found, err := engine.Optional(f.db.Row(ctx, `SELECT search FROM accounts WHERE id = $1`, after).Scan(&place))
	if err != nil {
		return "", pack.Unavailable("list accounts", err)
	}
	if !found {
		return "", &fault.Error{Code: fault.RequestInvalid, Detail: "after: want the cursor that the page before gave"}
	}
	return place, nil
}

// Account implements lookup.Store.
func (f *Finder) Account(ctx context.Context, id string) (lookup.Account, bool, error) {
	a, err := scanAccount(f.db.Row(ctx, selectAccounts+`a.id = $1`, id))
	found, err := engine.Optional(err)
	return a, found, pack.Unavailable("find account", err)
}

// The names come with the records: one account may have done everything on a page.
const selectEvents = `SELECT ` + chain.Columns + `, coalesce(x.name, ''), coalesce(x.email, ''), coalesce(w.name, ''), coalesce(w.email, '')
	FROM audit r LEFT JOIN accounts x ON x.id = r.actor_id AND r.actor_kind = '` + audit.ByAccount + `' LEFT JOIN accounts w ON w.id = r.account WHERE `

func scanEvent(row engine.Scanner) (e lookup.Event, err error) {
	var r chain.Row
	var actor, actorMail, who, mail string
	if err := row.Scan(append(r.Dest(), &actor, &actorMail, &who, &mail)...); err != nil {
		return e, err
	}
	e.Record, err = r.Record()
	e.ActorName, e.AccountName = otherwise(actor, actorMail), otherwise(who, mail)
	return e, err
}

func otherwise(name, mail string) string {
	if name == "" {
		return mail
	}
	return name
}

// Events implements lookup.Store. It has no index but the numbers: a filter that nearly nothing passes reads all of the
// audit, beside the writer and without holding it up.
func (f *Finder) Events(ctx context.Context, q lookup.Events) ([]lookup.Event, error) {
	below, to := q.Below, int64(math.MaxInt64)
	if below <= 0 {
		below = math.MaxInt64
	}
	if !q.To.IsZero() {
		to = pack.Micros(q.To)
	}
	page, err := engine.List(f.db.In(ctx), scanEvent, selectEvents+`r.n < $1 AND ($2 = '' OR r.action = $2)
		AND ($3 = '' OR r.actor_id = $3 OR x.search LIKE $4 ESCAPE '\') AND ($5 = '' OR r.account = $5) AND ($6 = '' OR r.realm = $6)
		AND ($7 = '' OR r.details LIKE $8 ESCAPE '\') AND r.at >= $9 AND r.at < $10 ORDER BY r.n DESC LIMIT $11`,
		below, q.Action, q.Actor, pack.Pattern(q.Actor), q.Account, q.Realm, q.Service, detail("service", q.Service),
		pack.Micros(q.From), to, min(max(q.Limit, 1), 200))
	return page, pack.Unavailable("look into the audit", err)
}

// Event implements lookup.Store.
func (f *Finder) Event(ctx context.Context, n int64) (lookup.Event, bool, error) {
	return f.one(ctx, `r.n = $1`, n)
}

// Ending implements lookup.Store.
func (f *Finder) Ending(ctx context.Context, n int64, call string) (lookup.Event, bool, error) {
	return f.one(ctx, `r.n > $1 AND r.action = $2 AND r.details LIKE $3 ESCAPE '\' ORDER BY r.n LIMIT 1`, n, string(audit.CallEnded), detail("call", call))
}

func (f *Finder) one(ctx context.Context, which string, args ...any) (lookup.Event, bool, error) {
	e, err := scanEvent(f.db.Row(ctx, selectEvents+which, args...))
	found, err := engine.Optional(err)
	return e, found, pack.Unavailable("look into the audit", err)
}

// detail is a pattern for one member of an event's details, as they are stored: JSON, in which a value cannot pretend to be
// another member, because its quotes are escaped.
func detail(name, value string) string {
	text, err := json.Marshal(map[string]string{name: value})
	if err != nil { // a text can always be encoded
		return ""
	}
	member := strings.Trim(string(text), "{}")
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(member) + "%"
}
