package compile

import (
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/compile/naming"
	"github.com/munjigi/munjigi/internal/compile/value"
)

// classify gives each operation its kind, and makes the screens that it is on: first the lists, because everything else
// lies at one; what is left over becomes a report or a form to run.
func (c *compiler) classify() {
	for _, o := range c.ops {
		if o.Method == "GET" {
			last := o.path.Last()
			o.shape = c.ShapeOf(o.answer, strings.Trim(last, "{}"), naming.IsParam(last))
		}
		if hiddenBy(o) {
			o.Kind = backoffice.Hidden
		}
	}
	s := newTree(c)
	s.lists()
	s.records()
	s.alone()
	s.actions()
	s.rest()
	s.finish()
}

// hiddenBy tells whether an operation has no screen: by annotation, or because no browser can call it, or nothing is to
// be seen of its answer.
func hiddenBy(o *op) bool {
	return o.note.Str("kind") == string(backoffice.Hidden) || slices.Contains([]string{"HEAD", "OPTIONS", "TRACE"}, o.Method)
}

// tree is where operations lie: by their path, in which it does not matter what parameters are called.
type tree struct {
	*compiler
	at   map[string][]*op  // operations by path
	list map[string]*found // resources by the path of their list
	keys map[string]*found // by key
	in   []*found          // in the document's order
}

// found is a resource with the operations that it was made of.
type found struct {
	backoffice.Resource
	path   naming.Path
	op     *op // the list
	parent *found
	row    *value.Schema
}

func newTree(c *compiler) *tree {
	t := &tree{compiler: c, at: map[string][]*op{}, list: map[string]*found{}, keys: map[string]*found{}}
	for _, o := range c.ops {
		t.at[o.path.All()] = append(t.at[o.path.All()], o)
	}
	return t
}

// lists finds the resources: lists whose path has no values, and those below a record of another, however deep.
func (t *tree) lists() {
	var candidates []*op
	for _, o := range t.ops {
		if o.Kind == "" && t.isList(o) {
			candidates = append(candidates, o)
		}
	}
	slices.SortStableFunc(candidates, func(a, b *op) int { return len(a.path.Params()) - len(b.path.Params()) })
	for _, o := range candidates {
		parent := t.parentOf(o.path)
		if len(o.path.Params()) > 0 && (parent == nil || parent.ID == "") {
			continue // nothing leads there: a report
		}
		t.add(o, parent)
	}
	place := map[*op]int{}
	for i, o := range t.ops {
		place[o] = i
	}
	slices.SortStableFunc(t.in, func(a, b *found) int { return place[a.op] - place[b.op] })
}

// isList tells whether an operation is a list: by its annotation if its answer is one, else by its answer, unless it
// cannot be asked without knowing something.
func (t *tree) isList(o *op) bool {
	if o.Method != "GET" || o.shape.Form != value.List {
		return false
	}
	switch kind := backoffice.Kind(o.note.Str("kind")); kind {
	case backoffice.List:
		return true
	case backoffice.ReportOn, backoffice.Figures, backoffice.Action, backoffice.Run:
		return false
	}
	return len(t.unknown(o)) == 0 && !t.isSeries(o)
}

// unknown are the query and header parameters that have to be given and are not about paging or order.
func (t *tree) unknown(o *op) (names []string) {
	for _, p := range o.Parameters {
		if p.In != "path" && p.Required && p.Default == nil && roleOf(p) == forFilter {
			names = append(names, p.Name)
		}
	}
	return names
}

// parentOf is the resource whose record a path lies below, nil if there is none.
func (t *tree) parentOf(p naming.Path) *found {
	for i := p.Len() - 1; i > 0; i-- {
		if naming.IsParam(p.Parts[i]) && i < p.Len()-1 {
			return t.list[p.Key(i)]
		}
	}
	return nil
}

func (t *tree) add(o *op, parent *found) {
	o.Kind = backoffice.List
	f := &found{path: t.base(o), op: o, parent: parent}
	words := f.path.Words()
	name := "root"
	if len(words) > 0 {
		name = words[len(words)-1]
	}
	f.Key = name
	if parent != nil {
		f.Key, f.Parent = parent.Key+"."+name, parent.Key
	}
	for i := len(words) - 2; t.keys[f.Key] != nil && i >= 0; i-- {
		f.Key = words[i] + "-" + f.Key
	}
	for t.keys[f.Key] != nil {
		f.Key += "-2"
	}
	t.keys[f.Key], t.list[f.path.All()] = f, f
	f.List, f.Rows, f.Each = o.ID, o.shape.Rows, o.shape.Each
	f.row = t.Flatten(o.shape.Item)
	f.Row = t.rowField(f)
	t.identify(f)
	t.in = append(t.in, f)
}

// base is the path that records of a list lie below: its own, unless the list is one way of finding them, "/pet/findByTag"
// of those at "/pet/{id}", and nothing lists them there.
func (t *tree) base(o *op) naming.Path {
	n := o.path.Len() - 1
	key := o.path.Key(max(n, 0))
	row := t.Flatten(o.shape.Item)
	if n < 1 || len(o.path.Params()) > 0 || len(t.at[o.path.All()+"/{}"]) > 0 || t.list[key] != nil || len(row.Refs) == 0 {
		return o.path
	}
	for _, other := range t.at[key] {
		if other.Method == "GET" {
			return o.path
		}
	}
	for _, one := range t.at[key+"/{}"] {
		if one.Method == "GET" && one.shape.Top != nil && slices.Contains(one.shape.Top.Refs, row.Refs[0]) {
			return naming.SplitPath("/" + strings.Join(o.path.Parts[:n], "/"))
		}
	}
	return o.path
}

// records finds what can be done with a list and with a record of it.
func (t *tree) records() {
	for _, f := range t.in {
		key := f.path.All()
		for _, o := range t.at[key] {
			if o.Method == "POST" && t.free(o) && f.Create == "" && t.wants(o, backoffice.Create) {
				t.take(f, o, backoffice.Create, &f.Create)
			}
		}
		if f.ID != "" {
			t.record(f, t.at[key+"/{}"])
		}
		for _, o := range t.ops {
			t.annotated(f, o, key)
		}
	}
}

// wants tells whether an annotation leaves an operation to be a kind.
func (t *tree) wants(o *op, kind backoffice.Kind) bool {
	said := backoffice.Kind(o.note.Str("kind"))
	return !isKind(said) || said == kind
}

func (t *tree) free(o *op) bool { return o.Kind == "" }

func (t *tree) take(f *found, o *op, kind backoffice.Kind, id *string) {
	o.Kind, o.resource = kind, &f.Resource
	*id = o.ID
}

// record finds the operations on one record: of PATCH and PUT the first is the edit, and where there is neither a POST.
func (t *tree) record(f *found, there []*op) {
	for _, o := range there {
		isOne := o.shape.Form == value.Record || (o.shape.Form == value.List && named(o))
		if o.Method == "GET" && t.free(o) && f.Get == "" && isOne && t.wants(o, backoffice.Get) && len(t.unknown(o)) == 0 {
			t.take(f, o, backoffice.Get, &f.Get)
		}
		if o.Method == "DELETE" && t.free(o) && f.Delete == "" && t.wants(o, backoffice.Delete) {
			t.take(f, o, backoffice.Delete, &f.Delete)
		}
	}
	for _, method := range []string{"PATCH", "PUT", "POST"} {
		for _, o := range there {
			if o.Method == method && t.free(o) && f.Update == "" && t.wants(o, backoffice.Update) && (method != "POST" || o.Body != nil) {
				t.take(f, o, backoffice.Update, &f.Update)
			}
		}
	}
}

// named tells whether the value at the end of a path names one record, so that a list answered there has just that one.
func named(o *op) bool {
	list := naming.Words(naming.Param(o.path.Last()))
	return len(list) > 0 && slices.Contains([]string{"id", "uuid", "key", "email"}, strings.ToLower(list[len(list)-1]))
}

// annotated takes what an annotation says is the create, update or delete of a list, wherever below it lies.
func (t *tree) annotated(f *found, o *op, key string) {
	if !t.free(o) || !strings.HasPrefix(o.path.All(), key) || o.Method == "GET" || t.nearest(o.path) != f {
		return
	}
	below := strings.HasPrefix(o.path.All(), key+"/{}")
	if below && f.ID == "" {
		return
	}
	switch backoffice.Kind(o.note.Str("kind")) {
	case backoffice.Create:
		if f.Create == "" && !below {
			t.take(f, o, backoffice.Create, &f.Create)
		}
	case backoffice.Update:
		if f.Update == "" && below {
			t.take(f, o, backoffice.Update, &f.Update)
		}
	case backoffice.Delete:
		if f.Delete == "" && below {
			t.take(f, o, backoffice.Delete, &f.Delete)
		}
	}
}

// nearest is the resource with the longest path that a path begins with.
func (t *tree) nearest(p naming.Path) *found {
	for i := p.Len(); i > 0; i-- {
		if f := t.list[p.Key(i)]; f != nil {
			return f
		}
	}
	return nil
}

// actions are what else is done with a list or a record: a verb after either, a part of a record, many rows at once.
func (t *tree) actions() {
	for _, o := range t.ops {
		f := t.nearest(o.path)
		if f == nil || !t.free(o) || !t.wantsAction(o) {
			continue
		}
		rest := o.path.Parts[f.path.Len():]
		ofRow := len(rest) > 0 && naming.IsParam(rest[0])
		switch {
		case ofRow && f.ID == "": // no row can be named: a form, or a report
		case ofRow && o.Method == "GET":
			t.tab(f, o, rest[1:])
		case o.Method == "GET" && o.note.Str("kind") != string(backoffice.Action):
		case ofRow:
			o.Kind, o.resource = backoffice.Action, &f.Resource
			f.RowActions = append(f.RowActions, o.ID)
		default:
			t.listAction(f, o)
		}
	}
}

// wantsAction tells whether an annotation leaves an operation to be an action.
func (t *tree) wantsAction(o *op) bool {
	switch backoffice.Kind(o.note.Str("kind")) {
	case backoffice.Run, backoffice.ReportOn, backoffice.Figures, backoffice.Setting:
		return false
	}
	return true
}

// tab is a GET below a record: what answers one thing is shown, what answers a file or asks something is an action.
func (t *tree) tab(f *found, o *op, rest []string) {
	said := o.note.Str("kind") == string(backoffice.Action)
	if !said && (slices.ContainsFunc(rest, naming.IsParam) || len(rest) == 0) {
		return // nothing says which one: a report
	}
	o.resource = &f.Resource
	if !said && o.shape.Form != value.Nothing && len(t.unknown(o)) == 0 {
		o.Kind = backoffice.Get
		f.Tabs = append(f.Tabs, backoffice.Tab{Title: tabTitle(o), Get: o.ID})
		return
	}
	o.Kind = backoffice.Action
	f.RowActions = append(f.RowActions, o.ID)
}

func tabTitle(o *op) string {
	if title := naming.Things(o.node.Str("summary")); title != "" {
		return title
	}
	return naming.Label(o.path.Last())
}

func (t *tree) listAction(f *found, o *op) {
	o.Kind, o.resource = backoffice.Action, &f.Resource
	said := backoffice.Kind(o.note.Str("kind"))
	if ids := idsOf(o); ids != "" && (said == backoffice.Bulk || said == "") {
		o.Kind = backoffice.Bulk
		f.Bulk = append(f.Bulk, backoffice.Many{Operation: o.ID, IDs: ids})
		return
	}
	if said == backoffice.Bulk {
		t.guess(o, "kind", "an action", "x-admin.kind is bulk, and the body has not one array of ids", "ids: {type: array, items: {type: string}} in the body, and required")
	}
	f.ListActions = append(f.ListActions, o.ID)
}

// idsOf is the body's property that takes the ids of many rows: its only required array of strings or numbers.
func idsOf(o *op) string {
	name := ""
	if o.Body == nil || o.Body.Schema.Type != "object" {
		return ""
	}
	for _, f := range o.Body.Schema.Fields {
		if f.Type != "array" || !f.Required || f.Items == nil || len(f.Items.Choices) > 0 || (f.Items.Type != "string" && f.Items.Type != "integer") {
			continue
		}
		if name != "" {
			return ""
		}
		name = f.Name
	}
	return name
}

// alone finds settings: what is read and written at a path without values and is no list.
func (t *tree) alone() {
	for _, o := range t.ops {
		if o.Method != "GET" || !t.free(o) || len(o.path.Params()) > 0 || o.shape.Form != value.Record || o.shape.Top.Kind == "array" || len(t.unknown(o)) > 0 || !t.wants(o, backoffice.Setting) {
			continue
		}
		write := t.writer(o)
		if write == nil {
			continue
		}
		o.Kind, write.Kind = backoffice.Setting, backoffice.Setting
		t.service.Settings = append(t.service.Settings, backoffice.Settings{Key: o.ID, Title: t.nameOf(o), Get: o.ID, Update: write.ID})
	}
}

// writer is the PATCH, else the PUT of the same path; with an annotation POST as well.
func (t *tree) writer(o *op) *op {
	for _, method := range []string{"PATCH", "PUT", "POST"} {
		for _, w := range t.at[o.path.All()] {
			said := backoffice.Kind(w.note.Str("kind"))
			if w.Method == method && t.free(w) && w.Body != nil && t.wants(w, backoffice.Setting) && (method != "POST" || said == backoffice.Setting) {
				return w
			}
		}
	}
	return nil
}

// nameOf is what a screen that is not a list is called.
func (t *tree) nameOf(o *op) string {
	if title := naming.Things(o.node.Str("summary")); title != "" {
		return title
	}
	if words := o.path.Words(); len(words) > 0 {
		return naming.Label(words[len(words)-1])
	}
	return o.Title
}

// rest are the figures, the reports, and what is run by a form.
func (t *tree) rest() {
	for _, o := range t.ops {
		said := backoffice.Kind(o.note.Str("kind"))
		if !t.free(o) {
			t.followed(o, said)
			continue
		}
		switch {
		case o.Method == "GET" && said != backoffice.ReportOn && said != backoffice.Run && t.cards(o):
			o.Kind = backoffice.Figures
		case o.Method == "GET" && said != backoffice.Run && o.shape.Form != value.Nothing:
			t.report(o)
		default:
			o.Kind = backoffice.Run
		}
		t.followed(o, said)
	}
}

// followed notes an annotated kind that an operation cannot be.
func (t *tree) followed(o *op, said backoffice.Kind) {
	if isKind(said) && said != o.Kind {
		t.guess(o, "annotation", "x-admin.kind is "+string(o.Kind), "what it answers, or where its path lies, does not allow "+string(said), "x-admin: {kind: "+string(o.Kind)+"}, or none")
	}
}

func (t *tree) report(o *op) {
	o.Kind = backoffice.ReportOn
	from, to := t.rangeOf(o)
	r := backoffice.Report{Key: o.ID, Operation: o.ID, Title: t.nameOf(o), Chart: value.ChartOf(o.note.Get("chart")), From: from, To: to}
	if o.node.Str("summary") != "" && r.Title == naming.Label(o.path.Last()) {
		r.Title = o.Title
	}
	if o.shape.Form == value.List {
		r.Rows = o.shape.Rows
		if r.Chart == nil {
			r.Chart = t.series(o.shape.Item)
		}
	}
	t.service.Reports = append(t.service.Reports, r)
}

func isKind(kind backoffice.Kind) bool {
	switch kind {
	case backoffice.List, backoffice.Get, backoffice.Create, backoffice.Update, backoffice.Delete, backoffice.Action, backoffice.Bulk, backoffice.ReportOn, backoffice.Figures, backoffice.Setting, backoffice.Run, backoffice.Hidden:
		return true
	}
	return false
}

// finish draws the resources: what rows look like, how they are filtered and paged, what they refer to.
func (t *tree) finish() {
	for _, o := range t.ops {
		t.untitled(o)
	}
	for _, f := range t.in {
		t.draw(f)
	}
	for _, f := range t.in {
		t.opens(f)
		if f.parent != nil {
			f.parent.Tabs = append(f.parent.Tabs, backoffice.Tab{Title: f.Title, Resource: f.Key})
		}
	}
	for _, f := range t.in {
		t.service.Resources = append(t.service.Resources, f.Resource)
	}
	t.references()
}

// untitled names an operation that has no summary: what is done with rows or a list after the last word of its path.
// Those that lists and records bring along are shown by names of their own.
func (t *tree) untitled(o *op) {
	if o.node.Str("summary") != "" {
		return
	}
	switch o.Kind {
	case backoffice.Action, backoffice.Bulk:
		if words := o.path.Words(); len(words) > 0 && o.Method != "PUT" && o.Method != "PATCH" && o.Method != "DELETE" {
			o.Title = naming.Label(words[len(words)-1])
		}
	case backoffice.Run, backoffice.ReportOn:
	default:
		return
	}
	t.guess(o, "title", o.Title, "the operation has no summary", "summary: "+o.Title)
}

// opens leads the rows of a list without pages of its own to those of another: the one whose rows have the same schema.
func (t *tree) opens(f *found) {
	if f.Get != "" || f.ID == "" || len(f.row.Refs) == 0 {
		return
	}
	for _, other := range t.in {
		if other != f && other.Get != "" && other.Parent == "" && other.ID == f.ID && len(other.row.Refs) > 0 && other.row.Refs[0] == f.row.Refs[0] {
			f.Opens = other.Key
			return
		}
	}
}
