package compile

import (
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/compile/naming"
)

// menu groups the screens by the first tag of their operation, else by the first piece of its path.
func (c *compiler) menu() {
	m := c.groups()
	for _, o := range c.ops {
		for _, entry := range c.entries(o) {
			m.put(o, entry)
		}
	}
	for _, g := range m.list {
		if len(g.Entries) > 0 {
			c.service.Menu = append(c.service.Menu, *g)
		}
	}
}

// entries are the screens that an operation leads to from the menu. What lies below a record is found there.
func (c *compiler) entries(o *op) (list []backoffice.Entry) {
	for _, r := range c.service.Resources {
		if r.List == o.ID && r.Parent == "" {
			list = append(list, backoffice.Entry{Kind: backoffice.ToResource, Key: r.Key, Title: r.Title})
		}
	}
	for _, r := range c.service.Reports {
		if r.Operation == o.ID {
			list = append(list, backoffice.Entry{Kind: backoffice.ToReport, Key: r.Key, Title: r.Title})
		}
	}
	for _, s := range c.service.Settings {
		if s.Get == o.ID {
			list = append(list, backoffice.Entry{Kind: backoffice.ToSettings, Key: s.Key, Title: s.Title})
		}
	}
	if o.Kind == backoffice.Run {
		list = append(list, backoffice.Entry{Kind: backoffice.ToRun, Key: o.ID, Title: o.Title})
	}
	return list
}

// groups are the parts of the menu while it is made.
type groups struct {
	list  []*backoffice.Group
	of    map[string]*backoffice.Group // by tag
	navOf map[string]bool              // tags for navigation, when there are any
	under int                          // how many pieces all paths begin with ("/api/v1")
}

// groups begins the menu with the tags, in the order of the document.
func (c *compiler) groups() *groups {
	m := &groups{of: map[string]*backoffice.Group{}, navOf: map[string]bool{}, under: c.common()}
	root := c.doc.Root
	for _, g := range root.Get("x-tagGroups").Items() {
		group := &backoffice.Group{Title: g.Str("name"), Help: g.Str("description")}
		for _, tag := range g.Strings("tags") {
			if m.of[tag] == nil {
				m.of[tag] = group
			}
		}
		m.list = append(m.list, group)
	}
	parents := map[string]string{}
	for _, tag := range root.Get("tags").Items() {
		name := tag.Str("name")
		if parent := tag.Str("parent"); parent != "" {
			parents[name] = parent
		}
		if tag.Str("kind") == "nav" {
			m.navOf[name] = true
		}
	}
	for _, tag := range root.Get("tags").Items() {
		name := tag.Str("name")
		if m.of[name] != nil || name == "" || parents[name] != "" {
			continue
		}
		title := tag.Str("summary")
		if title == "" {
			title = tag.Str("x-displayName")
		}
		if title == "" {
			title = tagTitle(name)
		}
		m.add(name, title, tag.Str("description"))
	}
	for name := range parents {
		top := name
		for range len(parents) {
			if parents[top] == "" {
				break
			}
			top = parents[top]
		}
		if m.of[name] == nil && m.of[top] != nil {
			m.of[name] = m.of[top]
		}
	}
	return m
}

func (m *groups) add(tag, title, help string) *backoffice.Group {
	g := &backoffice.Group{Title: title, Help: help}
	m.list, m.of[tag] = append(m.list, g), g
	return g
}

// put adds an entry to the group of its operation.
func (m *groups) put(o *op, entry backoffice.Entry) {
	tag, title := "", ""
	if len(o.tags) > 0 {
		tag = o.tags[0]
		if i := slices.IndexFunc(o.tags, func(tag string) bool { return m.navOf[tag] }); i >= 0 {
			tag = o.tags[i]
		}
		title = tagTitle(tag)
	} else if words := o.path.Words(); len(words) > 0 {
		first := words[min(m.under, len(words)-1)]
		tag, title = "/"+first, naming.Label(first)
	}
	g := m.of[tag]
	if g == nil {
		g = m.add(tag, title, "")
	}
	g.Entries = append(g.Entries, entry)
}

// tagTitle is a tag as people read it: what was written for them as it is, a name of code as words.
func tagTitle(tag string) string {
	if strings.Contains(tag, " ") || tag != strings.ToLower(tag) {
		return tag
	}
	return naming.Label(strings.TrimSuffix(tag, "-controller"))
}

// common is how many first pieces all paths share, none of them the last of one.
func (c *compiler) common() int {
	if len(c.ops) < 2 {
		return 0
	}
	n := c.ops[0].path.Len()
	for _, o := range c.ops {
		n = min(n, o.path.Len()-1)
		for i := range max(n, 0) {
			if o.path.Parts[i] != c.ops[0].path.Parts[i] || naming.IsParam(o.path.Parts[i]) {
				n = i
				break
			}
		}
	}
	return max(n, 0)
}
