package gateway

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
)

// record is a call in the audit: begun, and ended once.
type record struct {
	g     *Gateway
	c     *call
	id    string
	rows  int // of an export; -1 = it is none
	began audit.Event
}

// endLimit is for the second half of a record, which is written when the caller may have gone already.
const endLimit = 10 * time.Second

// begin writes down that a call is about to be made. Without that it is not.
func (g *Gateway) begin(ctx context.Context, c *call, action audit.Action) (*record, error) {
	r := &record{g: g, c: c, id: token.NewID(), rows: -1}
	details := map[string]string{"call": r.id, "service": c.service.name, "operation": c.operation.ID, "method": c.operation.Method, "path": c.path}
	for name, value := range map[string]string{"reason": c.reason, "key": c.key} {
		if value != "" {
			details[name] = value
		}
	}
	if action == audit.Exported && c.query != "" {
		details["query"] = c.query[:min(len(c.query), 500)]
	}
	r.began = audit.Event{
		At: g.Now(), Action: action, Realm: c.who.Account.Realm, Account: c.who.Account.ID, Session: c.who.Session.ID.String(),
		Actor: c.who.actor(), From: c.who.From, Details: details,
	}
	if err := g.Journal.Begin(ctx, r.id, r.began); err != nil {
		return nil, fmt.Errorf("record call: %w", err)
	}
	return r, nil
}

// end writes down what came of it. When that cannot be written, the next start does, as unknown.
func (r *record) end() {
	event := ending(r.began, r.g.Now())
	switch {
	case r.c.status >= http.StatusBadRequest:
		event.Outcome = "status_" + strconv.Itoa(r.c.status)
	case r.c.err != nil && (r.began.Action != audit.Called || fault.CodeOf(r.c.err) == fault.TooLarge):
		event.Outcome = string(fault.CodeOf(trouble(context.Background(), r.c.service.name, r.c.err)))
	case r.c.err != nil:
		event.Outcome = unknownOutcome
	}
	if r.c.status != 0 {
		event.Details["status"] = strconv.Itoa(r.c.status)
	}
	if r.rows >= 0 {
		event.Details["rows"] = strconv.Itoa(r.rows)
	}
	ctx, cancel := context.WithTimeout(context.Background(), endLimit)
	defer cancel()
	if err := r.g.Journal.End(ctx, r.id, event); err != nil {
		r.g.Log.Error("end of a call not recorded: the next start will say that it is unknown", "call", r.id, "service", r.c.service.name, "err", err)
	}
}

// unknownOutcome is that of a call whose answer never came: it may have been made or not.
const unknownOutcome = "unknown"

// ending is the event that closes another.
func ending(began audit.Event, now time.Time) audit.Event {
	end := began
	end.At, end.Action, end.Details = now, audit.CallEnded, map[string]string{"began": string(began.Action)}
	for _, name := range []string{"call", "service", "operation", "path"} {
		end.Details[name] = began.Details[name]
	}
	return end
}

// Recover ends, as unknown, the calls that began before a time and are still open: those that an earlier run of this
// program left. A node that is not alone gives a time before which no other can have begun one that still runs.
func (g *Gateway) Recover(ctx context.Context, before time.Time) error {
	for {
		open, err := g.Journal.Open(ctx, before, 100)
		if err != nil || len(open) == 0 {
			return err
		}
		for id, began := range open {
			event := ending(began, g.Now())
			event.Outcome, event.Actor = unknownOutcome, audit.Actor{Kind: audit.ByProgram}
			if err := g.Journal.End(ctx, id, event); err != nil {
				return err
			}
		}
	}
}
