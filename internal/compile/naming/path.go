package naming

import (
	"regexp"
	"strings"
)

// Path is a path template in pieces: "/shops/{id}:suspend" is shops, {id}, suspend. Where it has a colon, verb is true:
// then the last piece is no path of its own.
type Path struct {
	Parts []string
	verb  bool
}

func SplitPath(template string) Path {
	p := Path{}
	for part := range strings.SplitSeq(strings.Trim(template, "/"), "/") {
		if part != "" {
			p.Parts = append(p.Parts, part)
		}
	}
	if len(p.Parts) == 0 {
		return p
	}
	last := p.Parts[len(p.Parts)-1]
	colon := strings.LastIndex(last, ":")
	if colon > 0 && colon > strings.LastIndex(last, "}")-1 && colon < len(last)-1 {
		p.Parts = append(p.Parts[:len(p.Parts)-1], last[:colon], last[colon+1:])
		p.verb = true
	}
	return p
}

// IsParam tells whether a piece stands for a value.
func IsParam(part string) bool { return strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}") }

// Param is the name of the value that a piece stands for.
func Param(part string) string { return strings.Trim(part, "{}") }

// Key is a path as it is compared: what parameters are called does not matter.
func (p Path) Key(upTo int) string {
	var key strings.Builder
	for i, part := range p.Parts[:upTo] {
		key.WriteByte('/')
		if p.verb && i == len(p.Parts)-1 {
			key.WriteByte(':')
		}
		if IsParam(part) {
			key.WriteString("{}")
		} else {
			key.WriteString(part)
		}
	}
	return key.String()
}

func (p Path) Len() int { return len(p.Parts) }

func (p Path) All() string { return p.Key(len(p.Parts)) }

// Last is the last piece, "" of the root.
func (p Path) Last() string {
	if len(p.Parts) == 0 {
		return ""
	}
	return p.Parts[len(p.Parts)-1]
}

// Params are the names of the values in a path, in their order.
func (p Path) Params() (names []string) {
	for _, part := range p.Parts {
		for _, found := range braces.FindAllStringSubmatch(part, -1) {
			names = append(names, found[1])
		}
	}
	return names
}

// braces are the values in a piece: usually all of it, but "{id}.json" as well.
var braces = regexp.MustCompile(`\{([^{}]+)\}`)

// Words are the pieces that are no values.
func (p Path) Words() (list []string) {
	for _, part := range p.Parts {
		if !IsParam(part) {
			list = append(list, part)
		}
	}
	return list
}
