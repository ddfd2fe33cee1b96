// Package naming reads names: what words they have, how people read them, which two mean one thing, and what the pieces
// of a path are. It knows nothing of schemas.
package naming

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Plain is a name as it is compared: lower case, letters and digits alone. "page[size]", "pageSize" and "page_size" are
// one.
func Plain(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}

// Words are those of a name: of snake_case, kebab-case, camelCase, and of sentences.
func Words(name string) (list []string) {
	runes := []rune(name)
	start := 0
	cut := func(end int) {
		if end > start {
			list = append(list, string(runes[start:end]))
		}
	}
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			cut(i)
			start = i + 1
		case i > start && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) || unicode.IsDigit(runes[i-1])),
			i > start && unicode.IsUpper(r) && i+1 < len(runes) && unicode.IsLower(runes[i+1]) && !plural(runes[i:]):
			cut(i)
			start = i
		}
	}
	cut(len(runes))
	return list
}

// plural tells whether runes are the end of an acronym in the plural: the Ds of "userIDs".
func plural(runes []rune) bool {
	return len(runes) >= 2 && runes[1] == 's' && (len(runes) == 2 || !unicode.IsLower(runes[2]))
}

// acronyms are written in capitals.
var acronyms = map[string]string{
	"id": "ID", "ids": "IDs", "url": "URL", "uri": "URI", "ip": "IP", "api": "API", "uuid": "UUID", "vat": "VAT", "sku": "SKU",
	"html": "HTML", "json": "JSON", "csv": "CSV", "pdf": "PDF", "http": "HTTP", "sms": "SMS", "os": "OS", "iban": "IBAN", "isbn": "ISBN",
}

// Label is a name as people read it: "created_at" is "Created at".
func Label(name string) string {
	list := Words(name)
	for i, word := range list {
		lower := strings.ToLower(word)
		switch {
		case acronyms[lower] != "":
			list[i] = acronyms[lower]
		case len(word) > 1 && word == strings.ToUpper(word) && i > 0 && list[i-1] == strings.ToUpper(list[i-1]) && word != lower:
			list[i] = lower // SHOUTED_WORDS
		default:
			list[i] = lower
		}
		if i == 0 {
			list[i] = capital(list[i])
		}
	}
	if len(list) == 0 {
		return name
	}
	return strings.Join(list, " ")
}

func capital(text string) string {
	r, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(r)) + text[size:]
}

// irregular plurals that administration APIs have.
var irregular = map[string]string{
	"people": "person", "children": "child", "men": "man", "women": "woman", "indices": "index", "vertices": "vertex", "data": "datum",
	"media": "medium", "criteria": "criterion", "analyses": "analysis", "addresses": "address", "statuses": "status", "aliases": "alias",
	"buses": "bus", "news": "news", "series": "series", "leaves": "leaf", "shelves": "shelf", "ips": "ip", "ids": "id", "halves": "half", "movies": "movie", "cookies": "cookie", "caches": "cache",
}

// Singular is the last word of a name in the singular, for labels and for finding what a reference means; no path is
// made of it.
func Singular(name string) string {
	lower := strings.ToLower(name)
	for many, one := range irregular {
		if strings.HasSuffix(lower, many) && (len(lower) == len(many) || !unicode.IsLetter(rune(lower[len(lower)-len(many)-1]))) {
			return name[:len(name)-len(many)] + one
		}
	}
	cut := func(n int, add string) string { return name[:len(name)-n] + add }
	switch {
	case strings.HasSuffix(lower, "ies") && len(lower) > 4:
		return cut(3, "y")
	case strings.HasSuffix(lower, "sses"), strings.HasSuffix(lower, "xes"), strings.HasSuffix(lower, "ches"), strings.HasSuffix(lower, "shes"), strings.HasSuffix(lower, "zzes"):
		return cut(2, "")
	case strings.HasSuffix(lower, "ss"), strings.HasSuffix(lower, "us"), strings.HasSuffix(lower, "is"), len(lower) < 4:
		return name
	case strings.HasSuffix(lower, "s"):
		return cut(1, "")
	}
	return name
}

// Same tells whether two names mean one thing: whatever their case, separators and number.
func Same(a, b string) bool {
	return Plain(Singular(a)) == Plain(Singular(b))
}

// first words of a summary that say what the operation does, not what the things are called.
var verbs = map[string]bool{
	"list": true, "lists": true, "get": true, "gets": true, "find": true, "finds": true, "search": true, "show": true, "read": true, "reads": true,
	"fetch": true, "retrieve": true, "retrieves": true, "return": true, "returns": true, "query": true, "browse": true, "view": true, "index": true,
}

var articles = map[string]bool{"all": true, "the": true, "a": true, "an": true, "of": true, "every": true}

// Things are what a summary calls the rows of a list, "" when it says something else: "List all shops" is "Shops",
// "상점 목록 조회" is "상점".
func Things(summary string) string {
	for _, ending := range []string{" 목록 조회", " 목록", " 조회", " 리스트"} {
		if cut, ok := strings.CutSuffix(summary, ending); ok && cut != "" {
			return cut
		}
	}
	list := strings.Fields(strings.TrimRight(summary, "."))
	said := len(list) > 0 && verbs[strings.ToLower(list[0])]
	if said {
		list = list[1:]
		for len(list) > 0 && articles[strings.ToLower(list[0])] {
			list = list[1:]
		}
	}
	if len(list) == 0 || len(list) > 4 {
		return ""
	}
	return capital(strings.Join(list, " "))
}
