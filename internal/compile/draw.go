package compile

import (
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/compile/naming"
	"github.com/munjigi/munjigi/internal/compile/value"
	"github.com/munjigi/munjigi/internal/openapi"
)

const (
	mostColumns = 8
)

// draw makes the table and the pages of a resource.
func (t *tree) draw(f *found) {
	f.names(t)
	t.recordOf(f)
	t.query(f)
	f.Display = t.display(f)
	t.columns(f)
	f.Allow = f.row.Note("allow").Str()
	if f.Help = f.op.Help; f.Help == "" {
		f.Help = value.Clip(f.row.Text("description"), value.LongestHelp)
	}
}

// rowField is a row as it is drawn; with properties in a place of their own, its id comes first.
func (t *tree) rowField(f *found) backoffice.Field {
	return t.recordField(f.op.shape.Item, f.Each)
}

func (t *tree) recordField(item *openapi.Node, each string) backoffice.Field {
	inner := t.Flatten(item).Find(strings.TrimPrefix(each, "/"))
	if each == "" || inner == nil {
		return t.Field("", item)
	}
	row := t.Field("", inner)
	if id := t.Flatten(item).Find("id"); id != nil && t.Flatten(inner).Find("id") == nil {
		row.Fields = slices.Insert(row.Fields, 0, t.Field("id", id))
	}
	return row
}

// names are the titles of many and of one.
func (f *found) names(t *tree) {
	segment := "records"
	if words := f.path.Words(); len(words) > 0 {
		segment = words[len(words)-1]
	}
	summary := f.op.node.Str("summary")
	f.Title = naming.Things(summary)
	if f.parent != nil {
		f.Title, _, _ = strings.Cut(f.Title, " of ") // it is a tab of one
	}
	if f.Title == "" {
		f.Title = naming.Label(segment)
	}
	if summary != "" && naming.Things(summary) == "" {
		t.guess(f.op, "title", f.Title, "the summary does not name the things, the path does", "summary: "+f.Title)
	}
	f.Singular = value.Clip(f.row.Text("title"), value.LongestTitle)
	if f.Singular == "" && len(f.row.Refs) > 0 && naming.Same(value.RefName(f.row.Refs[0]), segment) {
		f.Singular = naming.Label(value.RefName(f.row.Refs[0]))
	}
	if f.Singular == "" {
		f.Singular = naming.Label(naming.Singular(segment))
		t.guess(f.op, "title of one", f.Singular, "the schema of a row has no title", "title: "+f.Singular)
	}
}

// identify finds which property of a row is the value in the path of its operations.
func (t *tree) identify(f *found) {
	params := t.paramsOf(f)
	if len(params) == 0 {
		if f.column("id") != "" {
			f.ID = f.column("id")
		}
		return
	}
	f.Keys = map[string]string{}
	for _, name := range params {
		if property := t.property(f, name); property != "" {
			f.Keys[name] = property
			if f.ID == "" {
				f.ID = property
			}
		}
	}
	if len(f.Keys) < len(params) {
		f.Keys, f.ID = nil, ""
		t.guess(f.op, "id", "rows cannot be opened", "no property of a row looks like {"+strings.Join(params, "}, {")+"}", "a property "+params[0]+" in the rows")
	}
}

// paramsOf are all names that the path's value of one record has, in whatever operation lies at or below it.
func (t *tree) paramsOf(f *found) (names []string) {
	key, n := f.path.All()+"/{}", f.path.Len()
	for _, o := range t.ops {
		if o.path.Len() > n && o.path.Key(n+1) == key && o.Kind != backoffice.Hidden {
			if name := naming.Param(o.path.Parts[n]); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// idNames are the properties that a row is called by, when none is called like the path's value.
var idNames = []string{"id", "uuid", "uid", "guid", "key", "code", "slug", "number", "name", "login", "username", "email", "sku"}

// property is the property of a row that fills in a path's value.
func (t *tree) property(f *found, name string) string {
	one := naming.Singular(f.path.Last())
	for _, wanted := range []string{name, one + "id", one + "uuid"} {
		if property := f.scalarColumn(wanted); property != "" {
			return t.aip(f, property)
		}
	}
	if short := strings.TrimPrefix(naming.Plain(name), naming.Plain(one)); short != naming.Plain(name) && short != "" {
		if property := f.scalarColumn(short); property != "" {
			return property
		}
	}
	if property := f.alike(naming.Words(name)); property != "" {
		return t.aip(f, property)
	}
	for _, wanted := range idNames {
		if property := f.scalarColumn(wanted); property != "" {
			if property = t.aip(f, property); !strings.Contains(naming.Plain(name), naming.Plain(wanted)) && !strings.HasSuffix(property, "#last") && !naming.Same(name, one) {
				t.guess(f.op, "id", "{"+name+"} is a row's "+property, "a row has no property called like it", "a property "+name+" in the rows")
			}
			return property
		}
	}
	deeper := []string{"name", "uid", "id"}
	if !naming.Same(name, one) {
		deeper = append([]string{name}, deeper...)
	}
	for _, deeper := range deeper {
		if pointer := f.deepColumn("metadata", deeper); pointer != "" {
			return pointer
		}
	}
	return ""
}

// alike is the property that shares the last word of a path's value, "username" of {user_name}, or its first, "ip" of
// {ip_address}. That something is an id says nothing of whose.
func (f *found) alike(list []string) string {
	if len(list) < 2 || naming.Plain(list[len(list)-1]) == "id" {
		return ""
	}
	last := naming.Plain(list[len(list)-1])
	for _, field := range f.Row.Fields {
		if isScalar(field) && strings.HasSuffix(naming.Plain(field.Name), last) {
			return field.Name
		}
	}
	return f.scalarColumn(list[0])
}

// aip marks a name that holds the whole path ("shops/12"): of it the last part is what a path takes.
func (t *tree) aip(f *found, property string) string {
	if property != "name" {
		return property
	}
	s := t.Flatten(f.row.Find(property))
	sign := strings.ToLower(f.path.Last() + "/")
	for _, text := range []string{s.Text("description"), s.Text("pattern"), s.Text("example"), s.Text("x-google-resource-name")} {
		if strings.Contains(strings.ToLower(text), sign) {
			return property + "#last"
		}
	}
	return property
}

func (f *found) scalarColumn(name string) string {
	for _, field := range f.Row.Fields {
		if naming.Plain(field.Name) == naming.Plain(name) && isScalar(field) {
			return field.Name
		}
	}
	return ""
}

// deepColumn is a pointer to a scalar within an object of a row.
func (f *found) deepColumn(object, name string) string {
	for _, field := range f.Row.Fields {
		if field.Name != object {
			continue
		}
		for _, inner := range field.Fields {
			if naming.Plain(inner.Name) == naming.Plain(name) && isScalar(inner) {
				return "/" + value.Escape(object) + "/" + value.Escape(inner.Name)
			}
		}
	}
	return ""
}

// recordOf draws the page of one record, where an operation answers it.
func (t *tree) recordOf(f *found) {
	get := t.byID[f.Get]
	if f.Get == "" || get == nil {
		return
	}
	pointer, node := t.Inner(get.shape.Top, naming.Singular(f.path.Last()))
	if get.shape.Form == value.List { // of one
		pointer, node = get.shape.Rows+"/0", get.shape.Item
	}
	f.RecordAt = pointer
	if node == nil {
		return
	}
	each := f.Each
	if each == "/node" {
		each = "" // of a connection's edges; one record has none
	}
	record := t.recordField(node, each)
	f.Record = &record
}

// isScalar tells whether a value is one that a cell can show.
func isScalar(f backoffice.Field) bool {
	switch f.Type {
	case "string", "integer", "number", "boolean":
		return true
	case "any":
		return f.Fields == nil && (len(f.Variants) == 0 || !slices.ContainsFunc(f.Variants, func(v backoffice.Variant) bool { return !isScalar(v.Field) }))
	}
	return false
}

// titleNames are the properties that a record is called by.
var titleNames = []string{"name", "title", "label", "email", "subject", "slug", "number", "code"}

// display is the template of a record's title: annotated, or its first telling property, else its id.
func (t *tree) display(f *found) string {
	if text := f.row.Note("display").Str(); text != "" && len(text) <= value.LongestTitle {
		if strange := unknownNames(text, f.Row); strange == "" {
			return text
		} else {
			t.guess(f.op, "display", "not as annotated", "x-admin.display names {"+strange+"}, which a row does not have", "a property of the row")
		}
	}
	for _, name := range titleNames {
		if property := f.scalarColumn(name); property != "" {
			return "{" + property + "}"
		}
	}
	for _, field := range f.Row.Fields {
		list := naming.Words(field.Name)
		if field.Type == "string" && len(list) > 1 && slices.Contains([]string{"name", "title", "label", "number", "code"}, strings.ToLower(list[len(list)-1])) {
			return "{" + field.Name + "}"
		}
	}
	if pointer := f.deepColumn("metadata", "name"); pointer != "" {
		return "{" + pointer + "}"
	}
	if f.ID == "" {
		return ""
	}
	t.guess(f.op, "display", "its "+f.ID, "a row has none of "+strings.Join(titleNames, ", "), `x-admin: {display: "{…}"} at the schema of a row`)
	return "{" + strings.TrimSuffix(f.ID, "#last") + "}"
}

// unknownNames is the first property that a template names and a row does not have.
func unknownNames(template string, row backoffice.Field) string {
	rest := template
	for {
		_, after, ok := strings.Cut(rest, "{")
		if !ok {
			return ""
		}
		name, more, ok := strings.Cut(after, "}")
		if !ok {
			return after
		}
		if !slices.ContainsFunc(row.Fields, func(f backoffice.Field) bool { return f.Name == name }) {
			return name
		}
		rest = more
	}
}

// columns are those annotated; else the scalars in the document's order, the title first, and where there are few of
// them what can be counted.
func (t *tree) columns(f *found) {
	f.Columns = []string{}
	for _, note := range []*openapi.Node{f.op.note.Get("columns"), f.row.Note("columns")} {
		for _, name := range note.Strings() {
			if f.has(name) {
				f.Columns = append(f.Columns, name)
			} else {
				t.guess(f.op, "columns", "without "+name, "x-admin.columns names it, and a row does not have it", "a property of the row")
			}
		}
		if len(f.Columns) > 0 {
			return
		}
	}
	first := ""
	if name := strings.Trim(f.Display, "{}"); f.has(name) {
		first = name
		f.Columns = append(f.Columns, first)
	}
	if strings.HasPrefix(first, "/") {
		f.deepColumns() // what tells the rows apart lies within objects
		return
	}
	for _, scalars := range []bool{true, false} {
		for _, field := range f.Row.Fields {
			fits := isScalar(field) == scalars && (scalars || field.Type == "array" || field.Type == "object")
			if fits && !unseen(field) && field.Name != first && len(f.Columns) < mostColumns && (scalars || len(f.Columns) < mostColumns/2) {
				f.Columns = append(f.Columns, field.Name)
			}
		}
	}
}

// deepColumns are the scalars within the objects of a row, and then its own.
func (f *found) deepColumns() {
	add := func(field backoffice.Field, name string) {
		if isScalar(field) && !unseen(field) && !slices.Contains(f.Columns, name) && len(f.Columns) < mostColumns {
			f.Columns = append(f.Columns, name)
		}
	}
	for _, object := range f.Row.Fields {
		for _, field := range object.Fields {
			add(field, "/"+value.Escape(object.Name)+"/"+value.Escape(field.Name))
		}
	}
	for _, field := range f.Row.Fields {
		add(field, field.Name)
	}
}

// has tells whether a row has a property, or a value at a pointer.
func (f *found) has(name string) bool {
	if !strings.HasPrefix(name, "/") {
		return slices.ContainsFunc(f.Row.Fields, func(field backoffice.Field) bool { return field.Name == name })
	}
	fields, ok := f.Row.Fields, false
	for token := range strings.SplitSeq(name[1:], "/") {
		i := slices.IndexFunc(fields, func(field backoffice.Field) bool { return value.Escape(field.Name) == token })
		if ok = i >= 0; !ok {
			return false
		}
		fields = fields[i].Fields
	}
	return ok
}

// unseen are the values that no table shows unless it is said.
func unseen(f backoffice.Field) bool {
	switch f.Format {
	case "password", "binary", "byte", "markdown", "json":
		return true
	}
	return f.WriteOnly || f.Deprecated || len(f.Choices) == 1 || strings.HasPrefix(f.Name, "$")
}
