package sheet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/munjigi/munjigi/internal/backoffice"
)

// maxPage bounds one page of a list, in bytes: it is in memory as a whole.
const maxPage = 32 << 20

// Page is one that a list answered.
type Page struct {
	whole  any   // the answer
	Rows   []any // of it
	header http.Header
}

// ReadPage reads an answer of a list.
func ReadPage(answer *http.Response, resource *backoffice.Resource) (*Page, error) {
	decoder := json.NewDecoder(io.LimitReader(answer.Body, maxPage))
	decoder.UseNumber() // every digit of a large id
	p := &Page{header: answer.Header}
	if err := decoder.Decode(&p.whole); err != nil {
		return nil, fmt.Errorf("read page: %w", err)
	}
	at, _ := lookUp(p.whole, resource.Rows)
	rows, ok := at.([]any)
	if !ok && at != nil {
		return nil, errors.New("read page: where the rows should be there is no array")
	}
	p.Rows = rows
	return p, nil
}

// lookUp is the value at a JSON pointer (RFC 6901); "" is the whole.
func lookUp(value any, pointer string) (any, bool) {
	if pointer == "" {
		return value, true
	}
	for _, part := range strings.Split(pointer, "/")[1:] {
		switch container := value.(type) {
		case map[string]any:
			next, ok := container[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
			if !ok {
				return nil, false
			}
			value = next
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(container) {
				return nil, false
			}
			value = container[i]
		default:
			return nil, false
		}
	}
	return value, true
}

// property is one of a row: a name, or a pointer into it.
func property(row any, name, each string) (any, bool) {
	name, last := strings.CutSuffix(name, "#last")
	pointer := name
	if !strings.HasPrefix(name, "/") {
		pointer = "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
	}
	value, ok := lookUp(row, each+pointer)
	if !ok && each != "" {
		value, ok = lookUp(row, pointer) // the element's own
	}
	if text, is := value.(string); is && last {
		value = text[strings.LastIndexByte(text, '/')+1:]
	}
	return value, ok
}

// scalar is a value as a parameter.
func scalar(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	case bool:
		return strconv.FormatBool(value)
	}
	return ""
}

// Paging is where a list has got to.
type Paging struct {
	backoffice.Paging
	set    map[string]string // parameters of the next page
	whole  string            // or its query as a whole
	number int               // of the page, or the offset
	rows   int               // had so far
	before string            // the last cursor
}

// rowsAPage are asked for where the document gives no limit.
const rowsAPage = 100

// NewPaging is at the beginning of a list.
func NewPaging(p backoffice.Paging) *Paging {
	g := &Paging{Paging: p, set: map[string]string{}}
	if p.Size != "" {
		switch {
		case p.SizeMost > 0:
			g.set[p.Size] = strconv.Itoa(min(p.SizeMost, 1000))
		case p.SizeUsual > 0:
			g.set[p.Size] = strconv.Itoa(p.SizeUsual)
		default:
			g.set[p.Size] = strconv.Itoa(rowsAPage)
		}
	}
	switch p.Style {
	case "page":
		g.number = p.First
		g.set[p.Param] = strconv.Itoa(p.First)
	case "offset":
		g.set[p.Param] = "0"
	}
	return g
}

// Without drops from a query what is ours to say.
func (g *Paging) Without(query string) string {
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if plain, _ := url.QueryUnescape(name); pair != "" && (plain != g.Param || g.Param == "") && (plain != g.Size || g.Size == "") {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}

// Add is a query of the next page.
func (g *Paging) Add(filters string) string {
	if g.whole != "" {
		return g.whole
	}
	values := url.Values{}
	for name, value := range g.set {
		values.Set(name, value)
	}
	if filters == "" || len(values) == 0 {
		return filters + values.Encode()
	}
	return filters + "&" + values.Encode()
}

// errCircle is a list that leads back to where it was.
var errCircle = errors.New("the list's pages go round in a circle")

// Next tells whether there is a page after p, and prepares it.
func (g *Paging) Next(p *Page, resource *backoffice.Resource) (bool, error) {
	g.rows += len(p.Rows)
	if g.Style == "none" || g.Style == "" || len(p.Rows) == 0 {
		return false, nil
	}
	if more, ok := lookUp(p.whole, g.More); g.More != "" && ok && more == false {
		return false, nil
	}
	if total, ok := g.total(p); ok && g.rows >= total {
		return false, nil
	}
	switch g.Style {
	case "page":
		g.number++
		g.set[g.Param] = strconv.Itoa(g.number)
	case "offset":
		g.set[g.Param] = strconv.Itoa(g.rows)
	default:
		return g.nextCursor(p, resource)
	}
	return true, nil
}

// total is how many rows there are, where the list says so and pages are counted.
func (g *Paging) total(p *Page) (int, bool) {
	if g.Total == "" || g.Style == "cursor" {
		return 0, false
	}
	text := ""
	if name, ok := strings.CutPrefix(g.Total, "header:"); ok {
		text = p.header.Get(name)
	} else if value, ok := lookUp(p.whole, g.Total); ok {
		text = scalar(value)
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

func (g *Paging) nextCursor(p *Page, resource *backoffice.Resource) (bool, error) {
	cursor := ""
	if name, ok := strings.CutPrefix(g.Paging.Next, "last:"); ok {
		value, _ := property(p.Rows[len(p.Rows)-1], name, resource.Each)
		cursor = scalar(value)
	} else if g.Paging.Next == "link" {
		cursor = nextLink(p.header)
	} else {
		value, _ := lookUp(p.whole, g.Paging.Next)
		cursor = scalar(value)
	}
	if cursor == "" {
		return false, nil
	}
	if cursor == g.before {
		return false, errCircle
	}
	g.before = cursor
	return true, g.turn(cursor)
}

// turn prepares the page that a cursor names. Of an address only the query counts: where it leads is the document's
// business.
func (g *Paging) turn(cursor string) error {
	if g.Paging.Next != "link" && !strings.Contains(cursor, "?") {
		g.set[g.Param] = cursor
		return nil
	}
	u, err := url.Parse(cursor)
	if err != nil {
		return fmt.Errorf("the next page's address: %w", err)
	}
	if g.Param == "" {
		g.whole = u.Query().Encode()
		return nil
	}
	value := u.Query().Get(g.Param)
	if value == "" {
		return fmt.Errorf("the next page's address has no %s", g.Param)
	}
	g.set[g.Param] = value
	return nil
}

// nextLink is the address of the next page in a Link header (RFC 8288).
func nextLink(header http.Header) string {
	for _, one := range header.Values("Link") {
		for _, link := range SplitLinks(one) {
			address, parameters, _ := strings.Cut(strings.TrimPrefix(link, "<"), ">")
			for parameter := range strings.SplitSeq(parameters, ";") {
				name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
				if strings.EqualFold(name, "rel") && strings.Trim(value, `"`) == "next" {
					return address
				}
			}
		}
	}
	return ""
}

// SplitLinks takes a Link header apart (RFC 8288 §3): a comma may stand in an address, so the next "<" counts.
func SplitLinks(header string) (links []string) {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		if strings.HasPrefix(part, "<") || len(links) == 0 {
			links = append(links, part)
		} else {
			links[len(links)-1] += "," + part
		}
	}
	return links
}
