package token

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// What a JSON text may hold at most. A token of ours has depth 2 and some twenty members.
const (
	maxDepth   = 8
	maxMembers = 64
)

var errJSON = errors.New("not the JSON that was expected")

// reader reads one JSON text, more strictly than encoding/json does: member names are compared byte for byte and may
// not occur twice (two readers must never disagree about which one counts), text is valid UTF-8, depth and members
// are limited. What it returns are parts of the text, so it hardly allocates: it is on the way of every first sight.
type reader struct {
	text  string
	at    int
	depth int
}

// end tells whether nothing but space is left.
func (r *reader) end() bool { return r.peek() == 0 && r.at == len(r.text) }

// peek is the next byte that is not space, 0 at the end.
func (r *reader) peek() byte {
	for r.at < len(r.text) {
		switch c := r.text[r.at]; c {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return c
		}
	}
	return 0
}

// take consumes c if it is next.
func (r *reader) take(c byte) bool {
	if r.peek() != c || r.at == len(r.text) {
		return false
	}
	r.at++
	return true
}

// list reads what stands between open and shut, separated by commas; item reads one.
func (r *reader) list(open, shut byte, item func() error) error {
	if r.depth++; r.depth > maxDepth || !r.take(open) {
		return errJSON
	}
	for first := true; !r.take(shut); first = false {
		if !first && !r.take(',') {
			return errJSON
		}
		if err := item(); err != nil {
			return err
		}
	}
	r.depth--
	return nil
}

// object reads an object; member is called behind each colon and must read the value.
func (r *reader) object(member func(name string) error) error {
	var names [maxMembers]string
	count := 0
	return r.list('{', '}', func() error {
		name, err := r.string()
		if err != nil || count == maxMembers || !r.take(':') {
			return errJSON
		}
		for _, earlier := range names[:count] {
			if earlier == name {
				return errJSON
			}
		}
		names[count] = name
		count++
		return member(name)
	})
}

func (r *reader) string() (string, error) {
	if !r.take('"') {
		return "", errJSON
	}
	start, plain, ascii := r.at, true, true
	for ; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; {
		case c == '"':
			raw := r.text[start:r.at]
			r.at++
			if !ascii && !utf8.ValidString(raw) {
				return "", errJSON
			}
			if plain {
				return raw, nil
			}
			return unescape(raw)
		case c == '\\':
			plain = false
			r.at++ // whatever follows is not the closing quote; unescape judges it
		case c < ' ':
			return "", errJSON
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return "", errJSON
}

func (r *reader) strings() (list []string, err error) {
	list = []string{}
	err = r.list('[', ']', func() error {
		text, err := r.string()
		list = append(list, text)
		return err
	})
	return list, err
}

// integer reads a number that is written as one: no fraction, no exponent.
func (r *reader) integer() (int64, error) {
	text := r.number()
	if text == "" || text == "-0" || strings.ContainsAny(text, ".eE") {
		return 0, errJSON
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, errJSON
	}
	return value, nil
}

// number is the number that is next, "" when there is none (RFC 8259 §6).
func (r *reader) number() string {
	r.peek()
	start := r.at
	if r.at < len(r.text) && r.text[r.at] == '-' {
		r.at++
	}
	whole := r.digits()
	if whole == "" || whole[0] == '0' && len(whole) > 1 {
		return ""
	}
	if r.at < len(r.text) && r.text[r.at] == '.' {
		r.at++
		if r.digits() == "" {
			return ""
		}
	}
	if r.at < len(r.text) && r.text[r.at]|0x20 == 'e' {
		r.at++
		if r.at < len(r.text) && (r.text[r.at] == '+' || r.text[r.at] == '-') {
			r.at++
		}
		if r.digits() == "" {
			return ""
		}
	}
	return r.text[start:r.at]
}

func (r *reader) digits() string {
	start := r.at
	for r.at < len(r.text) && '0' <= r.text[r.at] && r.text[r.at] <= '9' {
		r.at++
	}
	return r.text[start:r.at]
}

// skip reads any value, as strictly as one that is wanted.
func (r *reader) skip() error {
	switch r.peek() {
	case '{':
		return r.object(func(string) error { return r.skip() })
	case '[':
		return r.list('[', ']', r.skip)
	case '"':
		_, err := r.string()
		return err
	}
	for _, literal := range [...]string{"true", "false", "null"} {
		if strings.HasPrefix(r.text[r.at:], literal) {
			r.at += len(literal)
			return nil
		}
	}
	if r.number() == "" {
		return errJSON
	}
	return nil
}

// unescape reads the escapes of RFC 8259 §7. A lone surrogate is refused: it is no character, and what replaces it
// would make two different texts equal.
func unescape(raw string) (string, error) {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(raw, `\`)
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		if after == "" {
			return "", errJSON
		}
		if i := strings.IndexByte(`"\/bfnrt`, after[0]); i >= 0 {
			out.WriteByte("\"\\/\b\f\n\r\t"[i])
			raw = after[1:]
			continue
		}
		character, rest, err := unescapeUnicode(after)
		if err != nil {
			return "", err
		}
		out.WriteRune(character)
		raw = rest
	}
}

// unescapeUnicode reads "uXXXX", or two of them that make one character.
func unescapeUnicode(text string) (character rune, rest string, err error) {
	character, rest, err = hex4(text)
	if err != nil || !utf16.IsSurrogate(character) {
		return character, rest, err
	}
	if rest == "" || rest[0] != '\\' {
		return 0, "", errJSON
	}
	low, rest, err := hex4(rest[1:])
	if character = utf16.DecodeRune(character, low); err != nil || character == utf8.RuneError {
		return 0, "", errJSON
	}
	return character, rest, nil
}

func hex4(text string) (value rune, rest string, err error) {
	if len(text) < 5 || text[0] != 'u' {
		return 0, "", errJSON
	}
	number, err := strconv.ParseUint(text[1:5], 16, 16)
	if err != nil {
		return 0, "", errJSON
	}
	return rune(number), text[5:], nil
}
