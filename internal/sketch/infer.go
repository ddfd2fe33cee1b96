package sketch

import (
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/openapi"
)

// Infer is a schema that all of the values fulfil: with formats that each text has, a closed list of values where few
// come again and again, required where nothing is missing.
func Infer(values ...*openapi.Node) *openapi.Node {
	seen := &seen{}
	for _, value := range values {
		seen.look(value)
	}
	return seen.schema()
}

// seen is what was found at one place of all values.
type seen struct {
	count   int // how often there was anything, null too
	null    bool
	kinds   []string // in their order
	texts   map[string]int
	order   []string // texts in their order, as long as they are few
	formats []string // that every text so far has
	asked   bool     // formats holds something
	big     bool     // a whole number beyond 32 bits

	names  []string
	below  map[string]*seen
	items  *seen
	object int // how often it was an object
}

// mostKeys is how many members an object has at most that is not a map of what is not known beforehand.
const mostKeys = 60

func (s *seen) kind(name string) {
	if !slices.Contains(s.kinds, name) {
		s.kinds = append(s.kinds, name)
	}
}

func (s *seen) look(value *openapi.Node) {
	if value == nil {
		return
	}
	s.count++
	switch value.Kind {
	case openapi.Null:
		s.null = true
	case openapi.Bool:
		s.kind("boolean")
	case openapi.Number:
		s.number(value.Text)
	case openapi.String:
		s.kind("string")
		s.text(value.Text)
	case openapi.Array:
		s.kind("array")
		if s.items == nil {
			s.items = &seen{}
		}
		for _, item := range value.Items() {
			s.items.look(item)
		}
	case openapi.Object:
		s.members(value)
	}
}

func (s *seen) members(value *openapi.Node) {
	s.kind("object")
	s.object++
	if s.below == nil {
		s.below = map[string]*seen{}
	}
	for name, member := range value.Members() {
		if s.below[name] == nil {
			s.below[name] = &seen{}
			s.names = append(s.names, name)
		}
		s.below[name].look(member)
	}
}

func (s *seen) number(literal string) {
	if strings.ContainsAny(literal, ".eE") {
		s.kind("number")
		return
	}
	s.kind("integer")
	if n, err := strconv.ParseInt(literal, 10, 64); err == nil && (n > 1<<31-1 || n < -1<<31) {
		s.big = true
	}
}

const fewTexts = 40

func (s *seen) text(text string) {
	if s.texts == nil {
		s.texts = map[string]int{}
	}
	if s.texts[text] == 0 && len(s.order) < fewTexts {
		s.order = append(s.order, text)
	}
	s.texts[text]++
	if text == "" {
		return
	}
	formats := formatsOf(text)
	if !s.asked {
		s.formats, s.asked = formats, true
		return
	}
	s.formats = slices.DeleteFunc(s.formats, func(f string) bool { return !slices.Contains(formats, f) })
}

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// formatsOf are the formats that a text has.
func formatsOf(text string) (list []string) {
	if _, err := time.Parse(time.RFC3339, text); err == nil {
		list = append(list, "date-time")
	}
	if _, err := time.Parse(time.DateOnly, text); err == nil {
		list = append(list, "date")
	}
	if address, err := mail.ParseAddress(text); err == nil && address.Address == text && strings.Contains(text[strings.Index(text, "@"):], ".") {
		list = append(list, "email")
	}
	if strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://") {
		list = append(list, "uri")
	}
	if uuid.MatchString(text) {
		list = append(list, "uuid")
	}
	return list
}

func (s *seen) schema() *openapi.Node {
	n := openapi.NewObject()
	kinds := slices.Clone(s.kinds)
	if slices.Contains(kinds, "number") {
		kinds = slices.DeleteFunc(kinds, func(k string) bool { return k == "integer" })
	}
	if s.null && len(kinds) > 0 {
		kinds = append(kinds, "null")
	}
	switch {
	case len(kinds) == 1:
		n.Set("type", text(kinds[0]))
	case len(kinds) > 1:
		types := openapi.NewArray()
		for _, kind := range kinds {
			types.Append(text(kind))
		}
		n.Set("type", types)
	}
	s.details(n)
	return n
}

// details are what is known beside the type.
func (s *seen) details(n *openapi.Node) {
	if slices.Contains(s.kinds, "string") {
		if len(s.formats) > 0 {
			n.Set("format", text(s.formats[0]))
		} else if choices := s.choices(); len(choices) > 0 {
			list := openapi.NewArray()
			for _, choice := range choices {
				list.Append(text(choice))
			}
			if s.null {
				list.Append(&openapi.Node{})
			}
			n.Set("enum", list)
		}
	}
	if s.big && !slices.Contains(s.kinds, "number") {
		n.Set("format", text("int64"))
	}
	if s.items != nil {
		n.Set("items", s.items.schema())
	}
	if s.below != nil {
		s.properties(n)
	}
}

func (s *seen) properties(n *openapi.Node) {
	if len(s.names) > mostKeys {
		all := &seen{}
		for _, name := range s.names {
			all.merge(s.below[name])
		}
		n.Set("additionalProperties", all.schema())
		return
	}
	properties, required := openapi.NewObject(), openapi.NewArray()
	for _, name := range s.names {
		properties.Set(name, s.below[name].schema())
		if s.below[name].count >= s.object {
			required.Append(text(name))
		}
	}
	if required.Len() > 0 {
		n.Set("required", required)
	}
	n.Set("properties", properties)
}

// merge takes over what another place has shown, as far as the members of a map need it: their types.
func (s *seen) merge(other *seen) {
	s.null = s.null || other.null
	s.big = s.big || other.big
	for _, kind := range other.kinds {
		s.kind(kind)
	}
}

var word = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,29}$`)

// choices are the values of a closed list: few, each a word, and each seen several times on average.
func (s *seen) choices() []string {
	total := 0
	for text, times := range s.texts {
		if !word.MatchString(text) {
			return nil
		}
		total += times
	}
	const enough, few, often = 8, 8, 3
	if total < enough || len(s.texts) < 2 || len(s.texts) > few || total < often*len(s.texts) {
		return nil
	}
	return slices.Sorted(slices.Values(s.order))
}
