package admin

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/lookup"
	"github.com/munjigi/munjigi/internal/server/answer"
)

// eventBody is an event for people: who and whom by name, and of a call to a service which, what and how it ended.
type eventBody struct {
	N           int64             `json:"n"`
	At          int64             `json:"at"`
	Action      audit.Action      `json:"action"`
	Who         string            `json:"who,omitempty"` // name or e-mail of the actor, else its id or kind
	Actor       actorBody         `json:"actor"`
	Realm       string            `json:"realm,omitempty"`
	Account     string            `json:"account,omitempty"`
	AccountName string            `json:"account_name,omitempty"`
	Session     string            `json:"session,omitempty"`
	Service     string            `json:"service,omitempty"`
	Operation   string            `json:"operation,omitempty"`
	Path        string            `json:"path,omitempty"`   // of a call: what it was made on, as the service names it
	Status      string            `json:"status,omitempty"` // of a call that has ended: what the service answered
	Outcome     string            `json:"outcome,omitempty"`
	Reason      string            `json:"reason,omitempty"`
	From        string            `json:"from,omitempty"`
	Details     map[string]string `json:"details,omitempty"`
	Ended       *eventBody        `json:"ended,omitempty"` // of a call, on its own page: what came of it
}

type actorBody struct {
	Kind string `json:"kind"`
	ID   string `json:"id,omitempty"`
}

func eventOf(e lookup.Event) eventBody {
	own := "" // whoever signs in is not known before: they are whom the event concerns
	if e.Actor == (audit.Actor{Kind: audit.ByAccount}) {
		own = cmp.Or(e.AccountName, e.Account)
	}
	who := cmp.Or(e.ActorName, e.Actor.ID, own, e.Actor.Kind)
	if e.Action == audit.CallEnded && e.Outcome == "" {
		e.Outcome = "done" // a blank would be read as not known
	}
	return eventBody{
		N: e.N, At: e.At.Unix(), Action: e.Action, Who: who, Actor: actorBody{e.Actor.Kind, e.Actor.ID}, Realm: e.Realm,
		Account: e.Account, AccountName: e.AccountName, Session: e.Session, Service: e.Details["service"], Operation: e.Details["operation"], Path: e.Details["path"],
		Status: e.Details["status"], Outcome: e.Outcome, Reason: e.Details["reason"], From: e.From, Details: e.Details,
	}
}

// ListAudit is GET /admin/audit, newest first, to look at; whoever wants the proof exports it.
func (d *Desk) ListAudit(w http.ResponseWriter, r *http.Request, _ Caller) error {
	q, err := eventsOf(r)
	if err != nil {
		return err
	}
	records, err := d.Lookup.Events(r.Context(), q)
	if err != nil {
		return err
	}
	list, next := make([]eventBody, len(records)), ""
	for i, e := range records {
		list[i] = eventOf(e)
	}
	if len(records) == q.Limit {
		next = strconv.FormatInt(records[q.Limit-1].N, 10)
	}
	return answer.JSON(w, map[string]any{"records": list, "next": next})
}

func eventsOf(r *http.Request) (q lookup.Events, err error) {
	query := r.URL.Query()
	q = lookup.Events{
		Action: query.Get("action"), Actor: query.Get("actor"), Account: query.Get("account"), Realm: query.Get("realm"), Service: query.Get("service"),
	}
	if q.Limit, err = limitOf(r, 100); err != nil {
		return q, err
	}
	if text := query.Get("after"); text != "" {
		if q.Below, err = strconv.ParseInt(text, 10, 64); err != nil || q.Below < 1 {
			return q, fault.New(fault.RequestInvalid, "after: want the cursor that the page before gave")
		}
	}
	if q.From, err = timeOf(query.Get("from"), 0); err != nil {
		return q, fault.New(fault.RequestInvalid, "from: a time as of RFC 3339, or a day")
	}
	if q.To, err = timeOf(query.Get("to"), 24*time.Hour); err != nil {
		return q, fault.New(fault.RequestInvalid, "to: a time as of RFC 3339, or a day")
	}
	return q, nil
}

// timeOf is a time, or a day in UTC with what is added to a day; zero for "".
func timeOf(text string, ofDay time.Duration) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.Add(ofDay), nil
	}
	return time.Parse(time.RFC3339, text)
}

// ShowEvent is GET /admin/audit/{n}: of a call with what came of it.
func (d *Desk) ShowEvent(w http.ResponseWriter, r *http.Request, _ Caller) error {
	n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
	if err != nil {
		return fault.Wrap(fault.NotFound, err)
	}
	e, found, err := d.Lookup.Event(r.Context(), n)
	if err != nil {
		return err
	}
	if !found {
		return fault.New(fault.NotFound, "no record has this number")
	}
	shown := eventOf(e)
	if call := e.Details["call"]; call != "" && e.Action != audit.CallEnded {
		ending, found, err := d.Lookup.Ending(r.Context(), n, call)
		if err != nil {
			return err
		}
		if found {
			ended := eventOf(ending)
			shown.Ended = &ended
		}
	}
	return answer.JSON(w, shown)
}
