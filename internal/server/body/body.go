// Package body reads the JSON of requests, one way only: what two readers could understand differently is refused, and
// each wrong member is named.
package body

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/munjigi/munjigi/internal/fault"
)

// Most is how large a body may be, and maxDepth how deep.
const (
	Most     = 64 << 10
	maxDepth = 8
)

// IsJSON tells that the body, if there is one, says that it is JSON. A form of another site could send anything else
// without a preflight.
func IsJSON(r *http.Request) bool {
	sent := r.Header.Get("Content-Type")
	kind, _, err := mime.ParseMediaType(sent)
	return sent == "" && r.ContentLength == 0 || err == nil && kind == "application/json"
}

// Decode reads a JSON object into the fields of the struct that into points to, by their json names, exactly: no other
// type of content (a form of another site could send that without being asked), no unknown member, no member twice, in
// any depth. Every wrong member is named by its pointer.
func Decode(r *http.Request, into any) error {
	if r.Header.Get("Content-Type") == "" || !IsJSON(r) || r.Header.Get("Content-Encoding") != "" {
		return fault.New(fault.RequestInvalid, "send Content-Type: application/json, not encoded")
	}
	data, err := io.ReadAll(r.Body) // which is all here by now, and no larger than Most
	if err != nil {
		return fault.Wrap(fault.RequestInvalid, err)
	}
	if !utf8.Valid(data) {
		return fault.New(fault.RequestInvalid, "the body is not UTF-8")
	}
	members, err := objectMembers(data)
	if err != nil {
		return err
	}
	return fill(members, into)
}

// fill decodes each member on its own, so that names are compared exactly (encoding/json ignores case) and each error
// can be told with its pointer.
func fill(members map[string]json.RawMessage, into any) error {
	target := reflect.ValueOf(into).Elem()
	var wrong []fault.Field
	for i := range target.NumField() {
		name, _, _ := strings.Cut(target.Type().Field(i).Tag.Get("json"), ",")
		raw, sent := members[name]
		delete(members, name)
		if !sent {
			continue
		}
		if string(raw) == "null" || json.Unmarshal(raw, target.Field(i).Addr().Interface()) != nil {
			wrong = append(wrong, fault.Field{Pointer: Pointer(name), Detail: "want a " + typeName(target.Field(i).Type())})
		}
	}
	for name := range members {
		wrong = append(wrong, fault.Field{Pointer: Pointer(name), Detail: "not known here"})
	}
	if wrong == nil {
		return nil
	}
	slices.SortFunc(wrong, func(a, b fault.Field) int { return strings.Compare(a.Pointer, b.Pointer) })
	return &fault.Error{Code: fault.RequestInvalid, Fields: wrong[:min(len(wrong), 20)]}
}

func typeName(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Int64:
		return "whole number"
	case reflect.Bool:
		return "boolean"
	}
	return "string"
}

// objectMembers splits one JSON object, after a walk over all of it for repeats and depth.
func objectMembers(data []byte) (map[string]json.RawMessage, error) {
	walk := walker{decoder: json.NewDecoder(bytes.NewReader(data))}
	walk.decoder.UseNumber()
	if err := walk.value("", 0); err != nil {
		return nil, err
	}
	if _, err := walk.decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.New(fault.RequestInvalid, "one JSON object and nothing after it")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil || members == nil {
		return nil, fault.New(fault.RequestInvalid, "the body is not a JSON object")
	}
	return members, nil
}

type walker struct{ decoder *json.Decoder }

func (w walker) value(at string, depth int) error {
	if depth > maxDepth {
		return invalid(at, "nested too deeply")
	}
	token, err := w.decoder.Token()
	if err != nil {
		return &fault.Error{Code: fault.RequestInvalid, Detail: "the body is not JSON", Err: err}
	}
	switch token {
	case json.Delim('{'):
		return w.object(at, depth)
	case json.Delim('['):
		for i := 0; w.decoder.More(); i++ {
			if err := w.value(fmt.Sprintf("%s/%d", at, i), depth+1); err != nil {
				return err
			}
		}
		return w.end()
	}
	return nil
}

func (w walker) object(at string, depth int) error {
	seen := map[string]bool{}
	for w.decoder.More() {
		token, err := w.decoder.Token()
		if err != nil {
			return &fault.Error{Code: fault.RequestInvalid, Detail: "the body is not JSON", Err: err}
		}
		name, _ := token.(string)
		if seen[name] {
			return invalid(at+Pointer(name), "sent twice")
		}
		seen[name] = true
		if err := w.value(at+Pointer(name), depth+1); err != nil {
			return err
		}
	}
	return w.end()
}

func (w walker) end() error {
	if _, err := w.decoder.Token(); err != nil {
		return &fault.Error{Code: fault.RequestInvalid, Detail: "the body is not JSON", Err: err}
	}
	return nil
}

// Pointer is a member's step of a JSON pointer (RFC 6901 §3), cut: it is echoed to the caller.
func Pointer(name string) string {
	if len(name) > 64 {
		name = strings.ToValidUTF8(name[:64], "")
	}
	return "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

func invalid(pointer, detail string) error {
	return &fault.Error{Code: fault.RequestInvalid, Fields: []fault.Field{{Pointer: pointer, Detail: detail}}}
}
