package gateway

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/catalog"
	"github.com/munjigi/munjigi/internal/fault"
)

// Services is GET /admin/services.
func (g *Gateway) Services(w http.ResponseWriter, r *http.Request, who Caller) error {
	return answer(w, r, map[string]any{"services": g.all(who)})
}

// Service is GET /admin/services/{name}.
func (g *Gateway) Service(w http.ResponseWriter, r *http.Request, who Caller) error {
	view, ok := g.Catalog.View(r.PathValue("name"))
	if !ok {
		return fault.New(fault.NotFound, "no service has this name")
	}
	return answer(w, r, g.listed(view, who))
}

// operation is one of a service, as administrators see it.
type operation struct {
	ID      string `json:"id"`
	Method  string `json:"method"`
	Path    string `json:"path"`
	Title   string `json:"title"`
	Writes  bool   `json:"writes"`
	Waiting string `json:"waiting,omitempty"` // new, weaker; "" = granted, or it needs no grant
	Was     *terms `json:"was,omitempty"`     // what is in force, of one that is weaker now
	Now     terms  `json:"now"`
}

type terms struct {
	Guard     backoffice.Guard `json:"guard"`
	Sensitive []string         `json:"sensitive,omitempty"`
}

// Operations is GET /admin/services/{name}/operations: all of the document, and which of them wait for a grant.
func (g *Gateway) Operations(w http.ResponseWriter, r *http.Request, who Caller) error {
	view, ok := g.Catalog.View(r.PathValue("name"))
	if !ok {
		return fault.New(fault.NotFound, "no service has this name")
	}
	service, _ := view.In(who.Language)
	all := make([]operation, 0, len(service.Operations))
	for _, o := range service.Operations {
		one := operation{ID: o.ID, Method: o.Method, Path: o.Path, Title: o.Title, Writes: o.Write(), Now: terms{Guard: o.Guard, Sensitive: view.Masks[catalog.Key(o)]}}
		if waiting, waits := view.Waiting[catalog.Key(o)]; waits {
			one.Waiting, one.Now = "new", terms(waiting.Now)
			if !waiting.New {
				was := terms(waiting.Was)
				one.Waiting, one.Was = "weaker", &was
			}
		}
		all = append(all, one)
	}
	return answer(w, r, map[string]any{"service": g.listed(view, who), "operations": all})
}

// Grant is POST /admin/services/{name}/operations/grant {"operations":[ids]}.
func (g *Gateway) Grant(w http.ResponseWriter, r *http.Request, who Caller) error {
	var sent struct {
		Operations []string `json:"operations"`
	}
	text, err := io.ReadAll(r.Body) // which is all here by now, and not large
	if err != nil || json.Unmarshal(text, &sent) != nil || len(sent.Operations) == 0 {
		return &fault.Error{Code: fault.RequestInvalid, Fields: []fault.Field{{Pointer: "/operations", Detail: "the ids of operations that wait for a grant"}}}
	}
	err = g.Catalog.Grant(r.Context(), r.PathValue("name"), sent.Operations, audit.Event{
		At: g.Now(), Realm: who.Account.Realm, Account: who.Account.ID, Session: who.Session.ID.String(), Actor: who.actor(), From: who.From,
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
