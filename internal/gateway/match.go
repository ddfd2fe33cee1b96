package gateway

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/catalog"
	"github.com/munjigi/munjigi/internal/gateway/mask"
)

// maxPath bounds a path below a service, in bytes.
const maxPath = 2048

// table is what one version of a document lets through.
type table struct {
	view    *catalog.View
	at      *url.URL // the configured address
	base    string   // its path, encoded
	facts   map[*backoffice.Operation]facts
	paths   []*template
	lists   map[string]*backoffice.Resource // by the id of the operation that lists it
	screens map[string][]byte               // JSON of the screens, by language
	veiled  bool                            // something of the service is sensitive
	total   map[string]bool                 // headers in which lists tell their totals
}

// facts are what is known of an operation beside its document.
type facts struct {
	mask *mask.Mask // nil = nothing of its answer is sensitive
	new  bool       // it waits for a grant, and may not be run before
}

// template is one path of the document with its methods.
type template struct {
	segments   []segment
	literal    int // characters that are no parameter: the more, the closer
	operations map[string]*backoffice.Operation
}

// segment is a piece of a path between slashes: literal, or a pattern with parameters.
type segment struct {
	literal string
	pattern *regexp.Regexp // nil for a literal
	names   []string       // of the parameters, in order
	between []string       // the literals around them: one more than names
}

// countsRows are headers that a document may have passed back: what they hold is a number of rows, by their names.
var countsRows = regexp.MustCompile(`(?i)^(x-)?[a-z-]*(total|count)[a-z-]*$`)

func newTable(view *catalog.View) *table {
	t := &table{
		view: view, lists: map[string]*backoffice.Resource{}, facts: map[*backoffice.Operation]facts{}, at: &url.URL{},
		screens: map[string][]byte{}, total: map[string]bool{},
	}
	for language, service := range view.Services {
		if text, err := json.Marshal(service); err == nil { // else it is tried again, and told, by whoever asks for it
			t.screens[language] = text
		}
	}
	if u, err := url.Parse(view.URL); err == nil {
		t.at, t.base = u, strings.TrimSuffix(u.EscapedPath(), "/")
	}
	service := view.Services[catalog.Languages[0]]
	byPath := map[string]*template{}
	for i := range service.Operations {
		o := &service.Operations[i]
		key := catalog.Key(*o)
		path := key[strings.IndexByte(key, ' ')+1:]
		if byPath[path] == nil {
			byPath[path] = newTemplate(o.Path)
			t.paths = append(t.paths, byPath[path])
		}
		byPath[path].operations[o.Method] = o
		t.facts[o] = facts{mask.New(view.Masks[key]), view.Waiting[key].New}
		t.veiled = t.veiled || len(view.Masks[key]) > 0
	}
	// OpenAPI 3.1 §4.8.8.2: what is concrete comes before what has parameters.
	slices.SortStableFunc(t.paths, func(a, b *template) int { return cmp.Compare(b.literal, a.literal) })
	for i := range service.Resources {
		r := &service.Resources[i]
		if r.List != "" {
			t.lists[r.List] = r
		}
		if name, ok := strings.CutPrefix(r.Paging.Total, "header:"); ok && countsRows.MatchString(name) {
			t.total[canonical(name)] = true
		}
	}
	return t
}

// screen is the JSON of the screens in a language.
func (t *table) screen(language string) ([]byte, error) {
	if text, ok := t.screens[language]; ok {
		return text, nil
	}
	if text, ok := t.screens[catalog.Languages[0]]; ok {
		return text, nil
	}
	service, _ := t.view.In(language)
	return json.Marshal(service)
}

func newTemplate(path string) *template {
	t := &template{operations: map[string]*backoffice.Operation{}}
	for text := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		s := newSegment(text)
		t.segments = append(t.segments, s)
		for _, part := range s.between {
			t.literal += len(part)
		}
	}
	return t
}

var parameter = regexp.MustCompile(`\{([^{}/]*)\}`)

func newSegment(text string) segment {
	var s segment
	from, pattern := 0, "^"
	for _, at := range parameter.FindAllStringSubmatchIndex(text, -1) {
		part := unescape(text[from:at[0]])
		s.between, s.names = append(s.between, part), append(s.names, text[at[2]:at[3]])
		pattern += regexp.QuoteMeta(part) + "(?s:(.+))"
		from = at[1]
	}
	rest := unescape(text[from:])
	s.between = append(s.between, rest)
	if len(s.names) == 0 {
		s.literal = rest
		return s
	}
	s.pattern = regexp.MustCompile(pattern + regexp.QuoteMeta(rest) + "$")
	return s
}

// unescape is a literal as it reads: a document may write it either way.
func unescape(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// found is an operation that a path names.
type found struct {
	operation *backoffice.Operation
	path      string // to send: made of the document's words and the parameters, each encoded anew
	record    bool   // it has parameters
}

// match finds the operation that a method and the raw path below a service name. The closest path decides, whatever its
// methods are: "/shops/search" is never the shop "search".
func (t *table) match(method, raw string) (found, error) {
	segments, err := split(raw)
	if err != nil {
		return found{}, err
	}
	for _, template := range t.paths {
		values, fits := template.fit(segments)
		if !fits {
			continue
		}
		o, ok := template.operations[method]
		if !ok {
			return found{}, unknown("this path has no such method in the service's document")
		}
		return found{o, template.write(values), len(values) > 0}, nil
	}
	return found{}, unknown("the service's document has no such path")
}

// fit is the values of the parameters, when the segments are of this template.
func (t *template) fit(segments []string) (values []string, ok bool) {
	if len(segments) != len(t.segments) {
		return nil, false
	}
	for i, s := range t.segments {
		if s.pattern == nil {
			if segments[i] != s.literal {
				return nil, false
			}
			continue
		}
		if len(s.names) == 1 && s.between[0] == "" && s.between[1] == "" && segments[i] != "" { // the usual one
			values = append(values, segments[i])
			continue
		}
		matched := s.pattern.FindStringSubmatch(segments[i])
		if matched == nil {
			return nil, false
		}
		values = append(values, matched[1:]...)
	}
	return values, true
}

// write is the path to send.
func (t *template) write(values []string) string {
	var path strings.Builder
	for _, s := range t.segments {
		path.WriteByte('/')
		for i, part := range s.between {
			path.WriteString(url.PathEscape(part))
			if i < len(s.names) {
				path.WriteString(url.PathEscape(values[0]))
				values = values[1:]
			}
		}
	}
	return path.String()
}

// split takes a raw path apart. There is one spelling of everything: what two programs could read differently is
// refused, before it is compared with anything.
func split(raw string) ([]string, error) {
	if len(raw) > maxPath {
		return nil, unknown("the path is too long")
	}
	rest, ok := strings.CutPrefix(raw, "/")
	if !ok {
		return nil, unknown("the path of an operation follows the service's name")
	}
	segments := strings.Split(rest, "/")
	for i, segment := range segments {
		plain, ok := decode(segment)
		last := i == len(segments)-1
		if !ok || plain == "." || plain == ".." || plain == "" && !last {
			return nil, unknown("the path is not written as it must be: no empty, dot or encoded parts beyond what is needed")
		}
		segments[i] = plain
	}
	return segments, nil
}

// decode reads one segment, strictly.
func decode(segment string) (string, bool) {
	if !strings.Contains(segment, "%") {
		return segment, !strings.ContainsFunc(segment, func(c rune) bool { return c >= utf8.RuneSelf || !plainByte(byte(c)) })
	}
	out := make([]byte, 0, len(segment))
	for i := 0; i < len(segment); i++ {
		c := segment[i]
		if c != '%' {
			if !plainByte(c) {
				return "", false
			}
			out = append(out, c)
			continue
		}
		if i+2 >= len(segment) {
			return "", false
		}
		var b [1]byte
		if _, err := hex.Decode(b[:], []byte(segment[i+1:i+3])); err != nil || !encodedByte(b[0]) {
			return "", false
		}
		out = append(out, b[0])
		i += 2
	}
	return string(out), utf8.Valid(out)
}

// unreserved are never encoded (RFC 3986 §2.3): a second spelling of them is nobody's but an attacker's.
func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// plainByte may stand in a segment as it is. A semicolon may not: some servers cut the path there.
func plainByte(c byte) bool { return unreserved(c) || strings.IndexByte("!$&'()*+,:@=", c) >= 0 }

// encodedByte may be what %XX stands for. A slash, a backslash, a semicolon or another % would be read by some servers
// as what it is not; controls by none as anything good.
func encodedByte(c byte) bool {
	return !unreserved(c) && c >= 0x20 && c != 0x7f && strings.IndexByte(`/\;%`, c) < 0
}
