package catalog

import (
	"context"
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
)

// Grant lets operations run as the document has them now. ids are those of Operation.ID; one that does not wait is an
// error, because whoever grants it has looked at another version. not_found, request_invalid.
func (k *Catalog) Grant(ctx context.Context, name string, ids []string, event audit.Event) error {
	e, ok := k.entries[name]
	if !ok {
		return fault.New(fault.NotFound, "no service has this name")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := k.settle(ctx, e); err != nil {
		return err
	}
	terms, keys := map[string]Terms{}, []string{}
	open := waiting(e.compiled[Languages[0]], e.grants)
	for _, o := range e.compiled[Languages[0]].Operations {
		if !slices.Contains(ids, o.ID) {
			continue
		}
		if w, waits := open[Key(o)]; waits {
			terms[Key(o)] = w.Now
			keys = append(keys, Key(o))
		}
	}
	if len(terms) != len(slices.Compact(slices.Sorted(slices.Values(ids)))) || len(terms) == 0 {
		return &fault.Error{Code: fault.RequestInvalid, Fields: []fault.Field{{Pointer: "/operations", Detail: "ids of operations that wait for a grant, by the document as it is now"}}}
	}
	event.Action, event.Details = audit.Granted, map[string]string{"service": name, "operations": strings.Join(keys, ", ")}
	if err := k.Store.Grant(ctx, name, terms, event); err != nil {
		return err
	}
	for key, t := range terms {
		e.grants[key] = t
	}
	before := e.view.Load()
	e.show(before.State, before.Detail)
	return nil
}
