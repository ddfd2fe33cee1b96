// Package chain is the SQL of the audit: its functions run in the store's transactions and beside them. What an event
// is, and how records hang together, is package audit's.
package chain

import (
	"encoding/json"
	"fmt"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/pack"
)

// Append appends events, in the transaction that they tell of.
func Append(t *engine.Tx, events ...audit.Event) error {
	if len(events) == 0 {
		return nil
	}
	var n int64
	var head []byte
	if _, err := t.One(`SELECT n, hash FROM audit_head WHERE one = 1`, nil, &n, &head); err != nil {
		return fmt.Errorf("read head of audit: %w", err)
	}
	prev := [32]byte(head)
	for _, event := range events {
		n++
		r := event.Chain(n, prev)
		if err := insert(t, r); err != nil {
			return fmt.Errorf("append to audit: %w", err)
		}
		prev = r.Hash
	}
	return t.Exec(`UPDATE audit_head SET n = $1, hash = $2 WHERE one = 1`, n, prev[:])
}

func insert(t *engine.Tx, r audit.Record) error {
	details := ""
	if r.Details != nil {
		text, err := json.Marshal(r.Details)
		if err != nil {
			return err
		}
		details = string(text)
	}
	return t.Exec(`INSERT INTO audit (n, at, action, realm, account, session, actor_kind, actor_id, outcome, from_addr, details, prev, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		r.N, pack.Micros(r.At), string(r.Action), r.Realm, r.Account, r.Session, r.Actor.Kind, r.Actor.ID, r.Outcome, r.From, details, r.Prev[:], r.Hash[:])
}

// Columns are those of a record, of the table under the name r.
const Columns = `r.n, r.at, r.action, r.realm, r.account, r.session, r.actor_kind, r.actor_id, r.outcome, r.from_addr, r.details, r.prev, r.hash`

// Row takes Columns.
type Row struct {
	record     audit.Record
	at         int64
	details    string
	prev, hash []byte
}

// Dest is where the columns go, in their order.
func (row *Row) Dest() []any {
	r := &row.record
	return []any{&r.N, &row.at, &r.Action, &r.Realm, &r.Account, &r.Session, &r.Actor.Kind, &r.Actor.ID, &r.Outcome, &r.From, &row.details, &row.prev, &row.hash}
}

// Record is the row as it was appended.
func (row *Row) Record() (r audit.Record, err error) {
	r = row.record
	r.At = pack.Time(row.at)
	copy(r.Prev[:], row.prev)
	copy(r.Hash[:], row.hash)
	if row.details != "" {
		err = json.Unmarshal([]byte(row.details), &r.Details)
	}
	return r, err
}

// Records reads those after a number, in their order.
func Records(q engine.Querier, after int64, limit int) ([]audit.Record, error) {
	return engine.List(q, scan, `SELECT `+Columns+` FROM audit r WHERE r.n > $1 ORDER BY r.n LIMIT $2`, after, limit)
}

func scan(from engine.Scanner) (audit.Record, error) {
	var row Row
	if err := from.Scan(row.Dest()...); err != nil {
		return audit.Record{}, err
	}
	return row.Record()
}
