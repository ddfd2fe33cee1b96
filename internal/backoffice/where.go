package backoffice

import "slices"

// Place is where an operation can be reached in the console.
type Place struct {
	Kind Kind   `json:"kind"`          // what it does there
	On   string `json:"on"`            // "resource", "report", "settings", "home", "menu", "hidden"
	Key  string `json:"key,omitempty"` // of the resource, report or settings
}

// Places tells for each operation, by its id, where it can be reached. Each has at least one place: what has no screen is
// hidden and says so. A screen that itself cannot be reached (a tab of a resource that is not there) is no place.
func (s Service) Places() map[string][]Place {
	places := map[string][]Place{}
	put := func(id string, p Place) {
		if id != "" && !slices.Contains(places[id], p) {
			places[id] = append(places[id], p)
		}
	}
	for _, r := range s.Resources {
		if s.reachable(r) {
			r.places(put)
		}
	}
	entries := map[EntryKind]map[string]bool{}
	for _, group := range s.Menu {
		for _, e := range group.Entries {
			if entries[e.Kind] == nil {
				entries[e.Kind] = map[string]bool{}
			}
			entries[e.Kind][e.Key] = true
			if e.Kind == ToRun {
				put(e.Key, Place{Run, "menu", ""})
			}
		}
	}
	for _, r := range s.Reports {
		if entries[ToReport][r.Key] {
			put(r.Operation, Place{ReportOn, "report", r.Key})
		}
	}
	for _, x := range s.Settings {
		if entries[ToSettings][x.Key] {
			put(x.Get, Place{Setting, "settings", x.Key})
			put(x.Update, Place{Setting, "settings", x.Key})
		}
	}
	for _, c := range s.Cards {
		put(c.Operation, Place{Figures, "home", ""})
	}
	for _, o := range s.Operations {
		if o.Kind == Hidden {
			put(o.ID, Place{Hidden, "hidden", ""})
		}
	}
	return places
}

// reachable tells whether a resource is in the menu, or a tab of one that is reachable.
func (s Service) reachable(r Resource) bool {
	for range len(s.Resources) {
		if r.Parent == "" {
			return slices.ContainsFunc(s.Menu, func(g Group) bool {
				return slices.ContainsFunc(g.Entries, func(e Entry) bool { return e.Kind == ToResource && e.Key == r.Key })
			})
		}
		i := slices.IndexFunc(s.Resources, func(p Resource) bool { return p.Key == r.Parent })
		if i < 0 || s.Resources[i].ID == "" || !slices.ContainsFunc(s.Resources[i].Tabs, func(t Tab) bool { return t.Resource == r.Key }) {
			return false
		}
		r = s.Resources[i]
	}
	return false
}

// places are those on one resource. What is done with one record needs rows that can be named.
func (r Resource) places(put func(id string, p Place)) {
	put(r.List, Place{List, "resource", r.Key})
	put(r.Create, Place{Create, "resource", r.Key})
	for _, id := range r.ListActions {
		put(id, Place{Action, "resource", r.Key})
	}
	for _, many := range r.Bulk {
		put(many.Operation, Place{Bulk, "resource", r.Key})
	}
	if r.ID == "" {
		return
	}
	put(r.Get, Place{Get, "resource", r.Key})
	put(r.Update, Place{Update, "resource", r.Key})
	put(r.Delete, Place{Delete, "resource", r.Key})
	for _, id := range r.RowActions {
		put(id, Place{Action, "resource", r.Key})
	}
	for _, tab := range r.Tabs {
		put(tab.Get, Place{Get, "resource", r.Key})
	}
}
