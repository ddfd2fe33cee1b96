package review

import (
	"fmt"
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/backoffice"
)

// Text is a review as people read it: what will appear, what is different, what was guessed, where everything is.
func (r Review) Text() string {
	p := &printer{ops: map[string]backoffice.Operation{}}
	for _, o := range r.Service.Operations {
		p.ops[o.ID] = o
	}
	p.summary(r.Service)
	p.menu(r.Service)
	for _, resource := range r.Service.Resources {
		p.resource(resource)
	}
	p.others(r.Service)
	if r.Changes != nil {
		p.changes(*r.Changes)
	}
	p.problems(r.Problems)
	p.guesses(r.Guesses)
	p.operations(r.Service, r.Places)
	return p.String()
}

// printer writes lines; labels stand in a column of their own.
type printer struct {
	strings.Builder
	ops map[string]backoffice.Operation
}

func (p *printer) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p *printer) heading(text string) { p.line("\n%s", text) }

// entry is a label and what belongs to it; nothing when there is nothing.
func (p *printer) entry(label, text string) {
	if text != "" {
		p.line("  %-9s %s", label, text)
	}
}

func (p *printer) summary(s backoffice.Service) {
	p.line("%s %s", s.Title, s.Version)
	p.line("%s: %s, %s, %s, %s", count(len(s.Operations), "operation"), count(len(s.Resources), "list"), count(len(s.Reports), "report"),
		count(len(s.Settings), "settings page"), count(len(s.Cards), "card"))
}

// count is "1 list", "2 lists".
func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func (p *printer) menu(s backoffice.Service) {
	p.heading("Menu")
	for _, group := range s.Menu {
		var titles []string
		for _, entry := range group.Entries {
			titles = append(titles, entry.Title)
		}
		p.line("  %s: %s", group.Title, strings.Join(titles, " · "))
	}
}

func (p *printer) resource(r backoffice.Resource) {
	below := ""
	if r.Parent != "" {
		below = ", a tab of " + r.Parent
	}
	p.heading(fmt.Sprintf("%s (%s%s)", r.Title, r.Key, below))
	p.entry("list", p.route(r.List)+", "+paging(r.Paging))
	p.entry("columns", strings.Join(r.Columns, ", "))
	p.entry("filters", strings.Join(filters(r), ", "))
	p.entry("search", r.Search)
	p.entry("sort", sort(r.Sort))
	p.entry("title", strings.TrimSpace(r.Display+"  "+identity(r)))
	p.entry("record", p.route(r.Get))
	p.entry("create", p.described(r.Create))
	p.entry("edit", p.described(r.Update))
	p.entry("delete", p.described(r.Delete))
	for _, id := range r.RowActions {
		p.entry("action", p.described(id))
	}
	for _, many := range r.Bulk {
		p.entry("bulk", p.described(many.Operation)+", rows in "+many.IDs)
	}
	for _, id := range r.ListActions {
		p.entry("of all", p.described(id))
	}
	for _, tab := range r.Tabs {
		p.entry("tab", strings.TrimSpace(tab.Title+"  "+p.route(tab.Get)))
	}
	if r.Opens != "" {
		p.entry("opens", "the pages of "+r.Opens)
	}
	p.entry("refers", strings.Join(references(r), ", "))
}

func identity(r backoffice.Resource) string {
	if r.ID == "" {
		return "(rows cannot be opened)"
	}
	return "(id: " + r.ID + ")"
}

func (p *printer) route(id string) string {
	o, ok := p.ops[id]
	if !ok {
		return ""
	}
	return o.Method + " " + o.Path
}

// described is an operation with what it asks for.
func (p *printer) described(id string) string {
	o, ok := p.ops[id]
	if !ok {
		return ""
	}
	parts := []string{o.Title + ": " + o.Method + " " + o.Path}
	if o.Danger != "" {
		parts = append(parts, string(o.Danger))
	}
	if guard := o.Guard.String(); guard != "nothing" {
		parts = append(parts, "asks for "+guard)
	}
	if len(o.When) > 0 {
		parts = append(parts, "when "+conditions(o))
	}
	return strings.Join(parts, ", ")
}

func conditions(o backoffice.Operation) string {
	var list []string
	for name, values := range o.When {
		var texts []string
		for _, value := range values {
			texts = append(texts, string(value))
		}
		list = append(list, name+" is "+strings.Join(texts, " or "))
	}
	slices.Sort(list)
	return strings.Join(list, " and ")
}

func paging(p backoffice.Paging) string {
	var text string
	switch p.Style {
	case "none":
		text = "all on one page"
	case "cursor":
		text = strings.TrimSpace("page after page by " + p.Param)
		if p.Param == "" {
			text = "page after page"
		}
		text += ", the next from " + p.Next
	default:
		text = "by " + p.Style + " (" + p.Param + ")"
	}
	if p.Size != "" {
		text += ", rows by " + p.Size
	}
	if p.Total == "" {
		return text + ", total unknown"
	}
	return text + ", total " + p.Total
}

func filters(r backoffice.Resource) (list []string) {
	for _, f := range r.Filters {
		switch {
		case f.Param == "":
			list = append(list, f.Title+" ("+f.From+" … "+f.To+")")
		case len(f.Field.Choices) > 0:
			list = append(list, fmt.Sprintf("%s (%d choices)", f.Param, len(f.Field.Choices)))
		default:
			list = append(list, f.Param)
		}
	}
	return list
}

func sort(s *backoffice.Sort) string {
	if s == nil {
		return ""
	}
	var by []string
	for _, choice := range s.By {
		by = append(by, choice.Value)
	}
	return s.Param + ": " + strings.Join(by, ", ")
}

func references(r backoffice.Resource) (list []string) {
	for _, f := range r.Row.Fields {
		if f.Ref != nil {
			list = append(list, f.Name+" → "+strings.TrimPrefix(f.Ref.Service+"/"+f.Ref.Resource, "/"))
		}
	}
	return list
}

// others are the screens that are no lists.
func (p *printer) others(s backoffice.Service) {
	if len(s.Reports)+len(s.Settings)+len(s.Cards) > 0 {
		p.heading("Other screens")
	}
	for _, r := range s.Reports {
		p.entry("report", r.Title+": "+p.route(r.Operation)+chart(r.Chart))
	}
	for _, x := range s.Settings {
		p.entry("settings", x.Title+": "+p.route(x.Get)+", saved by "+p.route(x.Update))
	}
	for _, c := range s.Cards {
		p.entry("card", c.Title+": "+p.route(c.Operation)+" "+c.Pointer+chart(&c.Chart))
	}
	for _, o := range s.Operations {
		if o.Kind == backoffice.Run {
			p.entry("form", p.described(o.ID))
		}
	}
}

func chart(c *backoffice.Chart) string {
	if c == nil {
		return ""
	}
	return ", drawn as " + c.Type
}

func (p *printer) changes(c Changes) {
	p.heading("Since the earlier version")
	for _, route := range c.New {
		p.entry("new", route)
	}
	for _, route := range c.Gone {
		p.entry("gone", route)
	}
	for _, w := range c.Weaker {
		where := p.route(w.Operation)
		if w.Field != "" {
			where += " " + w.Field
		}
		p.entry("weaker", fmt.Sprintf("%s: %s was %s, is %s", where, w.What, orNothing(w.Was), orNothing(w.Is)))
	}
	if len(c.New)+len(c.Gone)+len(c.Weaker) == 0 {
		p.line("  nothing new, gone or weaker")
	}
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}

func (p *printer) problems(list []string) {
	if len(list) == 0 {
		return
	}
	p.heading("Against the specification of OpenAPI (the screens appear all the same)")
	for _, problem := range list {
		p.line("  %s", problem)
	}
}

// guesses are told with their ground and the line that would settle them, those of one kind together.
func (p *printer) guesses(list []backoffice.Guess) {
	p.heading(fmt.Sprintf("Guessed: %d", len(list)))
	for _, g := range list {
		about := g.About
		if g.Operation != "" {
			about = p.route(g.Operation) + ": " + g.About
		}
		p.line("  %s: %s, because %s", about, g.Took, g.Because)
		if g.Better != "" {
			p.line("      better: %s", g.Better)
		}
	}
}

func (p *printer) operations(s backoffice.Service, places map[string][]backoffice.Place) {
	p.heading("Where each operation is")
	for _, o := range s.Operations {
		var list []string
		for _, place := range places[o.ID] {
			list = append(list, said(place))
		}
		where := strings.Join(list, ", ")
		if where == "" {
			where = "NOWHERE: this is a bug of Munjigi"
		}
		p.line("  %-7s %-40s %s", o.Method, o.Path, where)
	}
}

func said(p backoffice.Place) string {
	switch p.On {
	case "resource":
		return p.Key + ": " + string(p.Kind)
	case "menu":
		return "a form in the menu"
	case "home":
		return "the home page"
	case "hidden":
		return "hidden"
	case "settings":
		return "settings"
	}
	return p.On
}
