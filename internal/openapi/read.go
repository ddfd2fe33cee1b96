package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Document is an OpenAPI document of version 3.
type Document struct {
	Root   *Node
	Unused []string // targets of the overlay that selected nothing
}

// Read reads a document, applies the overlay if there is one, and holds both against the limits. The error is an
// *Error.
func Read(document, overlay []byte) (*Document, error) {
	root, err := Parse(document)
	if err != nil {
		return nil, err
	}
	var unused []string
	if len(bytes.TrimSpace(overlay)) > 0 {
		if root, unused, err = Overlay(root, overlay); err != nil {
			return nil, err
		}
	}
	if err := check(root); err != nil {
		return nil, err
	}
	return &Document{root, unused}, nil
}

func check(root *Node) error {
	if !root.Is(Object) {
		return refuse(Malformed, "the document is not an object")
	}
	if root.Has("swagger") {
		return refuse(Version, "this is Swagger %s; OpenAPI 3.0 or 3.1 is needed (most generators can write it)", clip(root.Get("swagger").Text))
	}
	version := root.Get("openapi")
	if version == nil || !strings.HasPrefix(version.Text, "3.") {
		return refuse(Version, `the document has no member "openapi" that says 3.0 or 3.1`)
	}
	operations, document := 0, &Document{Root: root}
	for _, item := range root.Get("paths").Members() {
		item, _ = document.Deref(item) // one that many paths refer to counts for each
		for method := range item.Members() {
			if IsMethod(method) {
				operations++
			}
		}
	}
	if operations > MaxOperations {
		return refuse(TooLarge, "%d operations, at most %d", operations, MaxOperations)
	}
	return nil
}

// IsMethod tells whether a member of a path item is an operation.
func IsMethod(key string) bool {
	switch key {
	case "get", "put", "post", "delete", "options", "head", "patch", "trace", "query":
		return true
	}
	return false
}

// Parse reads JSON or YAML. The error is an *Error.
func Parse(text []byte) (*Node, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if len(text) > MaxSize {
		return nil, refuse(TooLarge, "%d bytes, at most %d", len(text), MaxSize)
	}
	if !utf8.Valid(text) {
		return nil, refuse(Malformed, "the text is not UTF-8")
	}
	if first := bytes.TrimLeft(text, " \t\r\n"); len(first) > 0 && first[0] == '{' {
		return parseJSON(text)
	}
	return parseYAML(text)
}

// ParseJSON reads one value of JSON, an answer perhaps, within the same limits. The error is an *Error.
func ParseJSON(text []byte) (*Node, error) {
	if len(text) > MaxSize {
		return nil, refuse(TooLarge, "%d bytes, at most %d", len(text), MaxSize)
	}
	if !utf8.Valid(text) {
		return nil, refuse(Malformed, "the text is not UTF-8")
	}
	return parseJSON(text)
}

// jsonReader builds nodes from the tokens of a JSON document.
type jsonReader struct {
	*json.Decoder
	text  []byte
	count int
}

func parseJSON(text []byte) (*Node, error) {
	r := &jsonReader{Decoder: json.NewDecoder(bytes.NewReader(text)), text: text}
	r.UseNumber()
	n, err := r.value(0)
	if err == nil {
		if _, more := r.Token(); !errors.Is(more, io.EOF) {
			err = r.refuse(Malformed, "something follows the document")
		}
	}
	if err != nil {
		return nil, err
	}
	return n, nil
}

func (r *jsonReader) value(depth int) (*Node, error) {
	token, err := r.Token()
	if err != nil {
		return nil, r.refuse(Malformed, "not JSON: "+strings.TrimPrefix(err.Error(), "json: "))
	}
	if r.count++; r.count > MaxValues {
		return nil, refuse(TooLarge, "more than %d values", MaxValues)
	}
	if depth > MaxDepth {
		return nil, r.refuse(TooLarge, fmt.Sprintf("values within values more than %d deep", MaxDepth))
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '[' {
			return r.array(depth)
		}
		return r.object(depth)
	case string:
		return NewString(token), nil
	case json.Number:
		return &Node{Kind: Number, Text: token.String(), size: 1}, nil
	case bool:
		return &Node{Kind: Bool, Text: fmt.Sprint(token), size: 1}, nil
	}
	return &Node{size: 1}, nil
}

func (r *jsonReader) array(depth int) (*Node, error) {
	n := NewArray()
	for r.More() {
		item, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.add("", item)
	}
	return n, r.end()
}

func (r *jsonReader) object(depth int) (*Node, error) {
	n := NewObject()
	for r.More() {
		token, err := r.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			return nil, r.refuse(Malformed, "not JSON: the name of a member is missing")
		}
		if n.Has(key) {
			return nil, r.refuse(Malformed, fmt.Sprintf("%q is there twice", clip(key)))
		}
		value, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.add(key, value)
	}
	return n, r.end()
}

func (r *jsonReader) end() error {
	if _, err := r.Token(); err != nil {
		return r.refuse(Malformed, "not JSON: "+strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// refuse is an error where the reader is.
func (r *jsonReader) refuse(code Code, detail string) error {
	before := r.text[:min(int(r.InputOffset()), len(r.text))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return &Error{Code: code, Line: line, Column: column, Detail: detail}
}

func clip(text string) string {
	const most = 60
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// Deref follows "$ref" members as long as they lead to a place within the document, and tells the last one followed;
// "" when there was none. It is nil when one leads outside, nowhere, or in a circle.
func (d *Document) Deref(n *Node) (found *Node, ref string) {
	for range 16 {
		next := n.Get("$ref")
		if !next.Is(String) {
			return n, ref
		}
		ref = next.Text
		pointer, local := strings.CutPrefix(ref, "#")
		if !local {
			return nil, ref
		}
		if strings.Contains(pointer, "%") {
			plain, err := url.PathUnescape(pointer)
			if err != nil {
				return nil, ref
			}
			pointer = plain
		}
		n = d.Root.Pointer(pointer)
	}
	return nil, ref
}
