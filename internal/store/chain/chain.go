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

// Records reads those after a number, in their order.
func Records(q engine.Querier, after int64, limit int) ([]audit.Record, error) {
	return engine.List(q, scan, `SELECT n, at, action, realm, account, session, actor_kind, actor_id, outcome, from_addr, details, prev, hash
		FROM audit WHERE n > $1 ORDER BY n LIMIT $2`, after, limit)
}

func scan(row engine.Scanner) (r audit.Record, err error) {
	var at int64
	var details string
	var prev, hash []byte
	err = row.Scan(&r.N, &at, &r.Action, &r.Realm, &r.Account, &r.Session, &r.Actor.Kind, &r.Actor.ID, &r.Outcome, &r.From, &details, &prev, &hash)
	if err != nil {
		return r, err
	}
	r.At = pack.Time(at)
	copy(r.Prev[:], prev)
	copy(r.Hash[:], hash)
	if details != "" {
		err = json.Unmarshal([]byte(details), &r.Details)
	}
	return r, err
}
