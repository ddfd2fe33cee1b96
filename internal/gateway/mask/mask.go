// Package mask hides the sensitive fields of JSON that passes through, token by token. Which fields are sensitive it is
// told; it reads nothing else and knows no service.
package mask

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// Masked is what stands in the place of a sensitive value.
const Masked = "••••"

// maxDepth bounds how deep JSON may go; nobody's record comes near.
const maxDepth = 200

// Mask says which fields of an answer are sensitive, as a tree. See catalog.View.
type Mask struct {
	hide  bool             // this value
	named map[string]*Mask // members of an object
	every *Mask            // elements of an array, and members of an object
	deep  map[string]bool  // members of this name, at any depth below
}

// New reads the paths of sensitive fields; nil for none.
func New(paths []string) *Mask {
	if len(paths) == 0 {
		return nil
	}
	root := &Mask{}
	for _, path := range paths {
		way, name, deep := strings.Cut(path, "/**/")
		at := root.walk(way)
		if !deep {
			at.hide = true
			continue
		}
		if at.deep == nil {
			at.deep = map[string]bool{}
		}
		at.deep[plainName(name)] = true
	}
	return root
}

// plainName reads a part of a JSON pointer (RFC 6901 §4).
func plainName(part string) string { return strings.NewReplacer("~1", "/", "~0", "~").Replace(part) }

// walk makes the way to a field.
func (m *Mask) walk(way string) *Mask {
	for _, part := range strings.Split(way, "/")[1:] {
		if part == "*" {
			if m.every == nil {
				m.every = &Mask{}
			}
			m = m.every
			continue
		}
		if m.named == nil {
			m.named = map[string]*Mask{}
		}
		name := plainName(part)
		if m.named[name] == nil {
			m.named[name] = &Mask{}
		}
		m = m.named[name]
	}
	return m
}

// Names is a mask that hides fields by their names alone, at any depth: for answers that are not the documented one.
func (m *Mask) Names() *Mask {
	all := map[string]bool{}
	m.collect(all)
	return &Mask{deep: all}
}

func (m *Mask) collect(into map[string]bool) {
	for name, below := range m.named {
		if below.hide {
			into[name] = true
		}
		below.collect(into)
	}
	if m.every != nil {
		m.every.collect(into)
	}
	for name := range m.deep {
		into[name] = true
	}
}

// below is what holds for a value inside of one for which all of masks hold.
func below(masks []*Mask, name string, element bool) (next []*Mask, hide bool) {
	for _, m := range masks {
		if m.deep != nil {
			next = append(next, m.onlyDeep())
			hide = hide || !element && m.deep[name]
		}
		if m.every != nil {
			next = append(next, m.every)
		}
		if one := m.named[name]; one != nil && !element {
			next = append(next, one)
		}
	}
	for _, m := range next {
		hide = hide || m.hide
	}
	return next, hide
}

// onlyDeep is what holds at any depth.
func (m *Mask) onlyDeep() *Mask {
	if m.named == nil && m.every == nil && !m.hide {
		return m
	}
	return &Mask{deep: m.deep}
}

// masking is JSON on its way through: token by token, so that an answer of any size takes no memory, and numbers keep
// every digit. What is no JSON is an error, never passed on.
type masking struct {
	source  io.ReadCloser
	decoder *json.Decoder
	out     bytes.Buffer
	stack   []level
	done    bool
	err     error
}

// level is an array or object that is open.
type level struct {
	masks  []*Mask // that hold for it
	object bool
	key    bool // the next token of an object is a name
	some   bool // there was an element before
	next   []*Mask
	hide   bool // the value after the name is hidden
}

// Reader hides in source what m says. What is no JSON is an error.
func Reader(source io.ReadCloser, m *Mask) io.ReadCloser {
	r := &masking{source: source, decoder: json.NewDecoder(source)}
	r.decoder.UseNumber()
	r.stack = []level{{next: []*Mask{m}, hide: m.hide}}
	return r
}

// Read implements io.Reader.
func (r *masking) Read(into []byte) (int, error) {
	for r.out.Len() < 32<<10 && r.err == nil {
		r.err = r.step()
	}
	if r.out.Len() > 0 {
		return r.out.Read(into)
	}
	return 0, r.err
}

// Close implements io.Closer.
func (r *masking) Close() error { return r.source.Close() }

var errDeep = errors.New("the answer is nested too deep")

// step copies one token.
func (r *masking) step() error {
	if r.done {
		if _, err := r.decoder.Token(); err != io.EOF {
			return errors.Join(errors.New("something follows the answer's JSON"), err)
		}
		return io.EOF
	}
	at := &r.stack[len(r.stack)-1]
	if at.hide && !at.key {
		return r.hide(at)
	}
	token, err := r.decoder.Token()
	if err != nil {
		if err == io.EOF {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	if closing, ok := token.(json.Delim); ok && (closing == ']' || closing == '}') {
		r.out.WriteByte(byte(closing))
		r.stack = r.stack[:len(r.stack)-1]
		r.after()
		return nil
	}
	if at.key {
		r.separate(at)
		name, _ := token.(string)
		at.next, at.hide = below(at.masks, name, false)
		at.key = false
		r.text(name)
		r.out.WriteByte(':')
		return nil
	}
	return r.value(at, token)
}

// value copies the token that begins a value.
func (r *masking) value(at *level, token json.Token) error {
	if !at.object && len(r.stack) > 1 {
		r.separate(at)
	}
	switch value := token.(type) {
	case json.Delim:
		if len(r.stack) > maxDepth {
			return errDeep
		}
		r.out.WriteByte(byte(value))
		r.open(at.next, value == '{')
		return nil
	case string:
		r.text(value)
	case json.Number:
		r.out.WriteString(value.String())
	case bool:
		if value {
			r.out.WriteString("true")
		} else {
			r.out.WriteString("false")
		}
	default:
		r.out.WriteString("null")
	}
	r.after()
	return nil
}

// open goes into an array or object. What holds for the elements of an array is the same for all of them.
func (r *masking) open(masks []*Mask, object bool) {
	l := level{masks: masks, object: object, key: object}
	if !object {
		l.next, l.hide = below(masks, "", true)
	}
	r.stack = append(r.stack, l)
}

// after is behind a value: in an object a name comes next.
func (r *masking) after() {
	at := &r.stack[len(r.stack)-1]
	if len(r.stack) == 1 {
		r.done = true
	}
	if at.object {
		at.key, at.hide = true, false
	}
}

func (r *masking) separate(at *level) {
	if at.some {
		r.out.WriteByte(',')
	}
	at.some = true
}

// hide drops a value and writes the mask; null stays, because that nothing is there is what the screens show. In an
// array it may be that there is no further element.
func (r *masking) hide(at *level) error {
	if !at.object && len(r.stack) > 1 && !r.decoder.More() {
		at.hide = false
		return nil
	}
	if !at.object && len(r.stack) > 1 {
		r.separate(at)
	}
	var dropped json.RawMessage
	if err := r.decoder.Decode(&dropped); err != nil {
		if err == io.EOF {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	if string(bytes.TrimSpace(dropped)) == "null" {
		r.out.WriteString("null")
	} else {
		r.text(Masked)
	}
	r.after()
	return nil
}

// text writes a string as JSON.
func (r *masking) text(value string) {
	encoder := json.NewEncoder(&r.out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // a string can always be written
	r.out.Truncate(r.out.Len() - 1)
}
