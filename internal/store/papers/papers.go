// Package papers is what the store keeps of services: the last good document of each, what was granted of it, and the
// calls that are under way. Each change is one transaction with its audit events. What a document says is not its
// business.
package papers

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/catalog"
	"github.com/munjigi/munjigi/internal/gateway"
	"github.com/munjigi/munjigi/internal/store/chain"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/pack"
)

var (
	_ catalog.Store   = (*Papers)(nil)
	_ gateway.Journal = (*Papers)(nil)
)

// Papers is safe for concurrent use.
type Papers struct{ db *engine.DB }

// New uses a database whose schema is up to date.
func New(db *engine.DB) *Papers { return &Papers{db} }

// Documents implements catalog.Store.
func (p *Papers) Documents(ctx context.Context) ([]catalog.Document, error) {
	all, err := engine.List(p.db.In(ctx), func(row engine.Scanner) (d catalog.Document, err error) {
		var at int64
		err = row.Scan(&d.Service, &d.Language, &d.ETag, &at, &d.Body)
		d.FetchedAt = pack.Time(at)
		return d, err
	}, `SELECT service, language, etag, fetched_at, body FROM documents ORDER BY service, language`)
	return all, pack.Unavailable("read documents", err)
}

// Keep implements catalog.Store.
func (p *Papers) Keep(ctx context.Context, d catalog.Document) error {
	return pack.Unavailable("keep document", p.db.Do(ctx, engine.Single, func(t *engine.Tx) error {
		return t.Exec(`INSERT INTO documents (service, language, etag, fetched_at, body) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (service, language) DO UPDATE SET etag = $3, fetched_at = $4, body = $5`,
			d.Service, d.Language, d.ETag, pack.Micros(d.FetchedAt), d.Body)
	}))
}

// Grants implements catalog.Store.
func (p *Papers) Grants(ctx context.Context, service string) (map[string]catalog.Terms, error) {
	type granted struct {
		operation string
		terms     catalog.Terms
	}
	list, err := engine.List(p.db.In(ctx), func(row engine.Scanner) (g granted, err error) {
		var text string
		if err := row.Scan(&g.operation, &text); err != nil {
			return g, err
		}
		return g, json.Unmarshal([]byte(text), &g.terms)
	}, `SELECT operation, terms FROM operations WHERE service = $1`, service)
	if err != nil {
		return nil, pack.Unavailable("read grants", err)
	}
	grants := make(map[string]catalog.Terms, len(list))
	for _, g := range list {
		grants[g.operation] = g.terms
	}
	return grants, nil
}

// Grant implements catalog.Store.
func (p *Papers) Grant(ctx context.Context, service string, terms map[string]catalog.Terms, events ...audit.Event) error {
	return pack.Unavailable("grant operations", p.db.Do(ctx, engine.Usual, func(t *engine.Tx) error {
		for _, operation := range slices.Sorted(maps.Keys(terms)) {
			text, err := json.Marshal(terms[operation])
			if err != nil {
				return err
			}
			if err := t.Exec(`INSERT INTO operations (service, operation, terms) VALUES ($1, $2, $3)
				ON CONFLICT (service, operation) DO UPDATE SET terms = $3`, service, operation, string(text)); err != nil {
				return err
			}
		}
		return chain.Append(t, events...)
	}))
}

// Begin implements gateway.Journal.
func (p *Papers) Begin(ctx context.Context, id string, event audit.Event) error {
	text, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("begin call: %w", err)
	}
	return pack.Unavailable("begin call", p.db.Do(ctx, engine.Usual, func(t *engine.Tx) error {
		if err := t.Exec(`INSERT INTO calls (id, event, at) VALUES ($1, $2, $3)`, id, string(text), pack.Micros(event.At)); err != nil {
			return err
		}
		return chain.Append(t, event)
	}))
}

// End implements gateway.Journal.
func (p *Papers) End(ctx context.Context, id string, event audit.Event) error {
	return pack.Unavailable("end call", p.db.Do(ctx, engine.Usual, func(t *engine.Tx) error {
		n, err := t.Count(`DELETE FROM calls WHERE id = $1`, id)
		if err != nil || n == 0 {
			return err // ended before: an answer was lost, not the end
		}
		return chain.Append(t, event)
	}))
}

// openCall is a row of calls.
type openCall struct {
	id    string
	event audit.Event
}

// Open implements gateway.Journal.
func (p *Papers) Open(ctx context.Context, before time.Time, limit int) (map[string]audit.Event, error) {
	list, err := engine.List(p.db.In(ctx), func(row engine.Scanner) (c openCall, err error) {
		var text string
		if err := row.Scan(&c.id, &text); err != nil {
			return c, err
		}
		return c, json.Unmarshal([]byte(text), &c.event)
	}, `SELECT id, event FROM calls WHERE at < $1 ORDER BY at LIMIT $2`, pack.Micros(before), limit)
	if err != nil {
		return nil, pack.Unavailable("read open calls", err)
	}
	open := make(map[string]audit.Event, len(list))
	for _, c := range list {
		open[c.id] = c.event
	}
	return open, nil
}
