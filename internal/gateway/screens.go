package gateway

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/catalog"
	"github.com/munjigi/munjigi/internal/fault"
)

// listed is a service among all of them.
type listed struct {
	Name      string        `json:"name"`
	Title     string        `json:"title"`
	Base      string        `json:"base"`
	State     catalog.State `json:"state"`
	Detail    string        `json:"detail,omitempty"`
	FetchedAt int64         `json:"fetched_at,omitempty"`
	Version   string        `json:"version,omitempty"`
	Pending   int           `json:"pending,omitempty"`
}

func (g *Gateway) listed(view *catalog.View, who Caller) listed {
	l := listed{Name: view.Name, Title: view.Name, Base: Base(view.Name), State: view.State, Detail: view.Detail}
	if s, ok := view.In(who.Language); ok {
		l.Title, l.Version, l.FetchedAt = s.Title, s.Version, view.FetchedAt.Unix()
	}
	if who.Admin {
		l.Pending = len(view.Waiting)
	}
	return l
}

// fetchedAt is how old a document is that may be out of date; zero for one that was just found to be the newest. Told of
// each service it would make the screens others each minute, for everybody, with nothing new in them.
func fetchedAt(view *catalog.View) int64 {
	if view.State == catalog.Ready {
		return 0
	}
	return view.FetchedAt.Unix()
}

// Screens is GET /screens: which services there are, and Munjigi itself for administrators.
func (g *Gateway) Screens(w http.ResponseWriter, r *http.Request, who Caller) error {
	all := g.all(who)
	for i := range all {
		if all[i].State == catalog.Ready {
			all[i].FetchedAt = 0 // see fetchedAt
		}
	}
	if own, ok := g.own(who); ok {
		all = append(all, listed{Name: own.Name, Title: own.Title, State: catalog.Ready, Version: own.Version})
	}
	return answer(w, r, map[string]any{"services": all})
}

// own is Munjigi as a service, for who may.
func (g *Gateway) own(who Caller) (backoffice.Service, bool) {
	own, ok := g.Own[who.Language]
	if !ok {
		own, ok = g.Own[catalog.Languages[0]]
	}
	return own, ok && who.Admin
}

func (g *Gateway) all(who Caller) []listed {
	all := []listed{}
	for _, name := range g.Catalog.Names() {
		if view, ok := g.Catalog.View(name); ok {
			all = append(all, g.listed(view, who))
		}
	}
	return all
}

// refusal is why somebody may not run an operation now.
type refusal struct {
	Code  fault.Code `json:"code"`
	Roles []string   `json:"roles,omitempty"`
}

// screen is one service, for one person.
type screen struct {
	Service   json.RawMessage    `json:"service"` // null until its first document has come
	Base      string             `json:"base"`
	State     catalog.State      `json:"state"`
	Detail    string             `json:"detail,omitempty"`
	FetchedAt int64              `json:"fetched_at,omitempty"`
	Refused   map[string]refusal `json:"refused"`
	Export    bool               `json:"export"` // whether this person may export its lists
}

// Screen is GET /screens/{service}.
func (g *Gateway) Screen(w http.ResponseWriter, r *http.Request, who Caller) error {
	if own, ok := g.own(who); ok && r.PathValue("service") == own.Name {
		text, err := json.Marshal(own)
		if err != nil {
			return fmt.Errorf("own screens: %w", err)
		}
		return answer(w, r, screen{Service: text, State: catalog.Ready, Refused: map[string]refusal{}})
	}
	s, ok := g.services[r.PathValue("service")]
	if !ok {
		return fault.New(fault.NotFound, "no service has this name")
	}
	view, _ := g.Catalog.View(s.name)
	shown := screen{Service: json.RawMessage("null"), Base: Base(s.name), State: view.State, Detail: view.Detail, Refused: map[string]refusal{}, Export: who.has(s.roles.Export)}
	if len(view.Services) > 0 {
		t := s.tableOf(view)
		text, err := t.screen(who.Language)
		if err != nil {
			return fmt.Errorf("screens of %s: %w", s.name, err)
		}
		shown.Service, shown.FetchedAt = text, fetchedAt(view)
		shown.Refused = s.refused(t, who)
	}
	return answer(w, r, shown)
}

func (s *service) refused(t *table, who Caller) map[string]refusal {
	refused := map[string]refusal{}
	service := t.view.Services[catalog.Languages[0]]
	for i := range service.Operations {
		o := &service.Operations[i]
		if err := s.permit(who, t, o); err != nil {
			roles, _ := errors.AsType[rolesError](err)
			refused[o.ID] = refusal{fault.CodeOf(err), roles}
		}
	}
	return refused
}

// answer writes JSON with an ETag; 304 for who has it already.
func answer(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	sum := sha256.Sum256(body)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	header := w.Header()
	header.Set("ETag", tag)
	header.Add("Vary", "Accept-Language")
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	header.Set("Content-Type", "application/json")
	_, _ = w.Write(body) // of an error nobody is left to be told
	return nil
}
