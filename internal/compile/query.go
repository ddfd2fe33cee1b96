package compile

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/compile/naming"
	"github.com/munjigi/munjigi/internal/compile/value"
)

// role is what a parameter of a query is for.
type role int

const (
	forFilter role = iota
	forPage
	forOffset
	forCursor
	forSize
	forSort
	forDirection
	forSearch
	forNothing // technical: which properties, in what notation
)

// roleNames are the names that parameters of a role have, compared as plain does.
var roleNames = map[role][]string{
	forPage:      {"page", "pagenumber", "pageno", "pagenum", "pageindex", "currentpage", "paginationpage"},
	forOffset:    {"offset", "skip", "startindex", "pageoffset", "firstresult", "start"},
	forCursor:    {"cursor", "pagetoken", "after", "startingafter", "pageafter", "pagecursor", "continue", "continuationtoken", "nexttoken", "nextpagetoken", "marker", "nextcursor", "startafter", "aftercursor"},
	forSize:      {"perpage", "pagesize", "limit", "size", "pagelimit", "maxresults", "maxpagesize", "top", "take", "first", "rows", "numresults", "itemsperpage", "maxkeys", "maxitems", "paginationsize", "pagesizelimit"},
	forSort:      {"sort", "orderby", "sortby", "ordering", "sortfield", "sortcolumn", "order"},
	forDirection: {"direction", "sortorder", "sortdir", "sortdirection", "orderdirection", "orderdir", "dir"},
	forSearch:    {"q", "search", "query", "keyword", "keywords", "searchterm", "fulltext", "filterq", "filtersearch", "searchquery"},
	forNothing: {
		"fields", "include", "expand", "prettyprint", "pretty", "alt", "callback", "format", "view", "select", "embed", "watch", "timeoutseconds", "resourceversion", "resourceversionmatch",
		"sendinitialevents", "allowwatchbookmarks", "dryrun", "fieldmanager", "fieldvalidation", "quotauser", "uploadtype", "uploadprotocol", "accesstoken", "xgafv", "key", "oauthtoken",
		"endingbefore", "before", "pagebefore", "last", "paged", "unpaged", "readmask", "showdeleted",
	},
}

// roleOf is what a parameter is for, as far as it says so by itself.
func roleOf(p backoffice.Parameter) role {
	name := naming.Plain(p.Name)
	if strings.HasPrefix(p.Name, "fields[") {
		return forNothing
	}
	for role, names := range roleNames {
		if slices.Contains(names, name) && fits(role, p) {
			return role
		}
	}
	return forFilter
}

// fits tells whether a parameter's type can play a role that its name suggests: "after" with a date is a filter, so is
// "order" with a number.
func fits(r role, p backoffice.Parameter) bool {
	number := p.Type == "integer" || p.Type == "number"
	dated := strings.HasPrefix(p.Format, "date")
	name := naming.Plain(p.Name)
	switch r {
	case forPage, forOffset, forSize:
		return number || ((p.Type == "any" || p.Type == "string") && len(p.Choices) == 0 && p.Format == "" && name != "start" && name != "first" && name != "top" && name != "size")
	case forCursor:
		return !dated && p.Type != "boolean" && (len(p.Choices) == 0)
	case forSort:
		if name == "order" && direction(p) {
			return false
		}
		return p.Type == "string" || p.Type == "array" || p.Type == "any"
	case forDirection:
		return direction(p)
	case forSearch:
		return p.Type == "string" || p.Type == "any"
	case forNothing:
		return !dated && (p.Type != "boolean" || name != "before") && (name != "key" || len(p.Choices) == 0)
	}
	return true
}

// direction tells whether a parameter takes asc or desc.
func direction(p backoffice.Parameter) bool {
	for _, choice := range p.Choices {
		if text := naming.Plain(unquote(choice.Value)); strings.HasPrefix(text, "asc") || strings.HasPrefix(text, "desc") {
			return true
		}
	}
	return false
}

func unquote(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) != nil {
		return string(value)
	}
	return text
}

// query sorts the parameters of a list: how it pages, sorts and searches, and with what it is filtered.
func (t *tree) query(f *found) {
	var rest []backoffice.Parameter
	by := map[role]backoffice.Parameter{}
	for _, p := range f.op.Parameters {
		r := roleOf(p)
		if naming.Plain(p.Name) == "order" && direction(p) {
			r = forDirection
		}
		_, taken := by[r]
		switch {
		case p.In != "query" || r == forNothing:
		case r == forFilter || taken:
			rest = append(rest, p)
		default:
			by[r] = p
		}
	}
	if alone, ok := by[forDirection]; ok && by[forSort].Name == "" {
		delete(by, forDirection)
		rest = append(rest, alone)
	}
	f.Search = by[forSearch].Name
	t.paging(f, by)
	t.sort(f, by)
	f.Filters = filters(rest)
}

// paging finds how a list goes on; of several ways, by cursor before by page before by offset.
func (t *tree) paging(f *found, by map[role]backoffice.Parameter) {
	p := &f.Paging
	a := t.around(f)
	p.Total, p.Next, p.More = a.total, a.next, a.more
	size := by[forSize]
	p.Size = size.Name
	p.SizeUsual, p.SizeMost = whole(string(size.Default)), whole(string(size.Maximum))
	cursor, page, offset := by[forCursor], by[forPage], by[forOffset]
	switch {
	case cursor.Name != "" && (a.next != "" || a.more != "" || page.Name == ""):
		p.Style, p.Param = "cursor", cursor.Name
		if p.Next == "" {
			p.Next = "last:" + orID(f.ID)
			t.guess(f.op, "paging", "the last row's "+orID(f.ID)+" goes on", "the answer has no next cursor", "a property next_cursor in the answer")
		}
	case page.Name != "" && page.Type == "string" && a.next != "":
		p.Style, p.Param = "cursor", page.Name
	case page.Name != "":
		p.Style, p.Param, p.First = "page", page.Name, 1
		if zero := page.Minimum == "0" || string(page.Default) == "0"; zero {
			p.First = 0
		} else if page.Minimum == "" && page.Default == nil {
			t.guess(f.op, "paging", "the first page is 1", page.Name+" has neither minimum nor default", "minimum: 1 and default: 1 at "+page.Name)
		}
	case offset.Name != "":
		p.Style, p.Param = "offset", offset.Name
	case a.next == "link" || a.next != "" && a.url:
		p.Style = "cursor" // its address has the whole query
	default:
		p.Style, p.Next, p.More = "none", "", ""
		if p.Size != "" {
			t.guess(f.op, "paging", "no further page", p.Size+" limits the rows, and nothing says how to get the next ones", "a parameter cursor or page")
		}
	}
}

func orID(id string) string {
	if id == "" {
		return "id"
	}
	return id
}

func whole(text string) int {
	n, err := strconv.Atoi(strings.Trim(text, `"`))
	if err != nil || n < 0 || n > 1_000_000 {
		return 0
	}
	return n
}

// envelopeParts is where an answer says how it goes on.
type envelopeParts struct {
	total, next, more string
	url               bool // next is an address
}

var (
	totalNames = []string{"total", "totalcount", "totalitems", "totalelements", "totalresults", "totalsize", "totalrecords", "recordcount", "numfound", "totalhits", "hydratotalitems", "odatacount", "count"}
	nextNames  = []string{"nextcursor", "nextpagetoken", "nexttoken", "continuationtoken", "continue", "endcursor", "next", "odatanextlink", "nextlink", "cursor", "nextpage", "nextmarker"}
	moreNames  = []string{"hasmore", "hasnext", "hasnextpage", "more", "istruncated", "truncated"}
	metaNames  = []string{"meta", "metadata", "paging", "pagination", "pageinfo", "links", "cursors", "page", "responsemetadata"}
)

// around reads the envelope of a list: its own properties, those of a meta object, and the answer's headers.
func (t *tree) around(f *found) (a envelopeParts) {
	ranks := [3]int{99, 99, 99}
	var look func(s *value.Schema, at string, depth int)
	look = func(s *value.Schema, at string, depth int) {
		for _, p := range s.Props {
			inner, name, pointer := t.Flatten(p.Node), naming.Plain(p.Name), at+"/"+value.Escape(p.Name)
			if inner.Kind == "object" && depth < 3 && (slices.Contains(metaNames, name) || strings.HasPrefix(f.Rows, pointer+"/")) {
				look(inner, pointer, depth+1)
				continue
			}
			t.rank(&a, &ranks, inner, name, pointer)
		}
	}
	look(f.op.shape.Top, "", 0)
	for name := range f.op.headers.Members() {
		switch naming.Plain(name) {
		case "xtotalcount", "xtotal", "totalcount", "xpaginationtotalcount":
			if a.total == "" {
				a.total = "header:" + name
			}
		case "link":
			if a.next == "" {
				a.next = "link"
			}
		}
	}
	return a
}

// rank takes a property of the envelope for the total, the next cursor or the sign of more, if it is named more aptly
// than what was taken before.
func (t *tree) rank(a *envelopeParts, ranks *[3]int, s *value.Schema, name, pointer string) {
	if i := slices.Index(totalNames, name); i >= 0 && i < ranks[0] && (s.Kind == "integer" || s.Kind == "number") {
		a.total, ranks[0] = pointer, i
	}
	text := s.Kind == "string" || s.Kind == "any" || s.Kind == "integer"
	if i := slices.Index(nextNames, name); i >= 0 && i < ranks[1] && text {
		format := s.Text("format")
		a.next, ranks[1] = pointer, i
		a.url = strings.HasPrefix(format, "uri") || strings.HasPrefix(format, "url") || strings.HasSuffix(name, "link") || strings.Contains(pointer, "/links/")
	}
	if i := slices.Index(moreNames, name); i >= 0 && i < ranks[2] && s.Kind == "boolean" {
		a.more, ranks[2] = pointer, i
	}
}

// sort finds how a list is put into order. A closed list of values is all that there is; without one every column may
// be tried.
func (t *tree) sort(f *found, by map[role]backoffice.Parameter) {
	p, ok := by[forSort]
	if !ok {
		return
	}
	s := &backoffice.Sort{Param: p.Name, Direction: by[forDirection].Name}
	choices := p.Choices
	if p.Type == "array" && p.Items != nil {
		choices = p.Items.Choices
	}
	if len(choices) > 0 {
		s.Style = sortStyle(choices)
		for _, choice := range choices {
			value := unquote(choice.Value)
			s.By = append(s.By, f.sortChoice(value, choice.Title, s.Style))
		}
		if s.Style == "plain" && s.Direction == "" && (strings.Contains(p.Help, "-") && strings.Contains(strings.ToLower(p.Help), "desc")) {
			s.Style = "minus"
		}
		f.Sort = s
		return
	}
	s.Style = freeStyle(p, s.Direction)
	for _, field := range f.Row.Fields {
		if isScalar(field) && !field.WriteOnly {
			s.By = append(s.By, backoffice.SortChoice{Column: field.Name, Value: field.Name, Title: field.Title})
		}
	}
	t.guess(f.op, "sort", "every column can be sorted by, as "+example(s.Style), p.Name+" has no enum", "enum at "+p.Name)
	f.Sort = s
}

// sortChoice is one of the values listed. Where they have signs, its title has the direction.
func (f *found) sortChoice(value, title, style string) backoffice.SortChoice {
	plain := bare(value)
	choice := backoffice.SortChoice{Column: f.column(plain), Value: value, Title: title}
	if style != "values" {
		return choice
	}
	choice.Title = naming.Label(plain)
	for _, field := range f.Row.Fields {
		if field.Name == choice.Column {
			choice.Title = field.Title
		}
	}
	if strings.HasPrefix(value, "-") || strings.HasSuffix(strings.ToLower(value), "desc") {
		choice.Title += " ↓"
	} else {
		choice.Title += " ↑"
	}
	return choice
}

func example(style string) string {
	switch style {
	case "minus":
		return "-name"
	case "word":
		return "name desc"
	case "comma":
		return "name,desc"
	}
	return "name"
}

// freeStyle is how descending order is written when nothing lists the values.
func freeStyle(p backoffice.Parameter, direction string) string {
	help := strings.ToLower(p.Help)
	switch {
	case direction != "":
		return "plain"
	case strings.Contains(help, ",asc") || strings.Contains(help, ",(asc") || strings.Contains(help, ",desc") || strings.Contains(help, ", asc"):
		return "comma"
	case strings.Contains(help, " desc") && !strings.Contains(help, "-"), strings.HasPrefix(naming.Plain(p.Name), "orderby"):
		return "word"
	case p.Type == "array" && p.Name == "sort" && !strings.Contains(help, "-"):
		return "comma"
	}
	return "minus"
}

// sortStyle is how the values of an enum are written: with the signs of both directions all are listed ("values").
func sortStyle(choices []backoffice.Choice) string {
	signs := 0
	for _, choice := range choices {
		if value := unquote(choice.Value); bare(value) != value {
			signs++
		}
	}
	if signs > 0 {
		return "values"
	}
	return "plain"
}

// bare is the column that a value of a sort sorts by.
func bare(value string) string {
	value = strings.TrimLeft(value, "-+")
	for _, ending := range []string{" desc", " asc", ":desc", ":asc", ",desc", ",asc", "_desc", "_asc", ".desc", ".asc"} {
		if cut, ok := strings.CutSuffix(strings.ToLower(value), ending); ok {
			return value[:len(cut)]
		}
	}
	return value
}

// column is the property of a row that a name means, "" if none.
func (f *found) column(name string) string {
	for _, field := range f.Row.Fields {
		if naming.Plain(field.Name) == naming.Plain(name) {
			return field.Name
		}
	}
	return ""
}

// ends are how the two parameters of a range are told apart, from and to.
var ends = [][2]string{
	{"from", "to"}, {"gte", "lte"}, {"gt", "lt"}, {"after", "before"}, {"min", "max"}, {"since", "until"}, {"start", "end"}, {"begin", "end"}, {"ge", "le"}, {"minimum", "maximum"},
}

// filters are one question each for the parameters that are left; two that are the ends of a range are one.
func filters(params []backoffice.Parameter) (list []backoffice.Filter) {
	done := map[string]bool{}
	for _, p := range params {
		if done[p.Name] {
			continue
		}
		from, to, base := other(p, params)
		if base != "" && strict(p, params) {
			continue // created[gt] beside created[gte]
		}
		if base == "" {
			f := p.Field
			f.Required = p.Required && p.Default == nil
			list = append(list, backoffice.Filter{Title: p.Title, Param: p.Name, Field: f})
			continue
		}
		done[from.Name], done[to.Name] = true, true
		if from.Title == to.Title {
			base = from.Title // said, and in the reader's language
		}
		field := from.Field
		field.Title = base
		list = append(list, backoffice.Filter{Title: base, From: from.Name, To: to.Name, Field: field})
	}
	return list
}

// strict tells whether a parameter is the end of a range without the end itself, where there is one with it.
func strict(p backoffice.Parameter, params []backoffice.Parameter) bool {
	for _, end := range []string{"gt", "lt"} {
		before, after, ok := cutWord(p.Name, end)
		if !ok {
			continue
		}
		for _, q := range params {
			b, a, ok := cutWord(q.Name, end+"e")
			if ok && a == after && b == before {
				return true
			}
		}
	}
	return false
}

// other finds the parameter that is the other end of p's range, and what the range is of; "" when there is none.
func other(p backoffice.Parameter, params []backoffice.Parameter) (from, to backoffice.Parameter, base string) {
	for _, pair := range ends {
		for i, end := range pair {
			before, after, ok := cutWord(p.Name, end)
			if !ok {
				continue
			}
			for _, q := range params {
				b, a, ok := cutWord(q.Name, pair[1-i])
				if !ok || naming.Plain(b) != naming.Plain(before) || naming.Plain(a) != naming.Plain(after) || q.Name == p.Name || q.Type != p.Type {
					continue
				}
				base = naming.Label(before + " " + after)
				if naming.Plain(base) == "" {
					base = "Period"
				}
				if i == 0 {
					return p, q, base
				}
				return q, p, base
			}
		}
	}
	return from, to, ""
}

// cutWord takes a word off the end or the beginning of a name: "created_from", "createdFrom", "created[from]",
// "from_date", "from".
func cutWord(name, word string) (before, after string, ok bool) {
	list := naming.Words(name)
	switch {
	case len(list) == 0:
		return "", "", false
	case strings.EqualFold(list[len(list)-1], word):
		return strings.Join(list[:len(list)-1], " "), "", true
	case strings.EqualFold(list[0], word):
		return "", strings.Join(list[1:], " "), true
	}
	return "", "", false
}
