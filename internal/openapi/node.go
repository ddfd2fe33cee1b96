package openapi

import (
	"bytes"
	"encoding/json"
	"iter"
	"strconv"
	"strings"
)

// Kind is which of JSON's six kinds of values a node is.
type Kind int

const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// Node is one value of a document. Every method works on nil, which is a value that is not there: readers ask for what
// they need and get nothing where the document has something else.
type Node struct {
	Kind  Kind
	Text  string // of a String; the literal of a Number or a Bool
	keys  []string
	items []*Node // of an Array, or the values that belong to keys
	at    map[string]int
	size  int // values in it and below, itself counted
}

// NewString is a node for text.
func NewString(text string) *Node { return &Node{Kind: String, Text: text, size: 1} }

// NewBool is a node for true or false.
func NewBool(is bool) *Node { return &Node{Kind: Bool, Text: strconv.FormatBool(is), size: 1} }

// NewArray is a node with items.
func NewArray(items ...*Node) *Node {
	n := &Node{Kind: Array, size: 1}
	for _, item := range items {
		n.add("", item)
	}
	return n
}

// NewObject is an empty object.
func NewObject() *Node { return &Node{Kind: Object, size: 1} }

// few is up to how many members are looked for one by one.
const few = 8

// Get is the member at the end of path, or nil.
func (n *Node) Get(path ...string) *Node {
	for _, key := range path {
		i := n.index(key)
		if i < 0 {
			return nil
		}
		n = n.items[i]
	}
	return n
}

func (n *Node) index(key string) int {
	if n == nil || n.Kind != Object {
		return -1
	}
	if n.at != nil {
		if i, ok := n.at[key]; ok {
			return i
		}
		return -1
	}
	for i, k := range n.keys {
		if k == key {
			return i
		}
	}
	return -1
}

// add puts a member or an item at the end. Whoever builds a tree calls it; a tree that was read is not changed.
func (n *Node) add(key string, value *Node) {
	if n.Kind == Object {
		if n.at != nil {
			n.at[key] = len(n.keys)
		}
		n.keys = append(n.keys, key)
	}
	n.items = append(n.items, value)
	n.size += value.size
	if n.Kind == Object && n.at == nil && len(n.keys) > few {
		n.reindex()
	}
}

// Append puts an item at the end of an array.
func (n *Node) Append(item *Node) { n.add("", item) }

func (n *Node) reindex() {
	n.at = nil
	if len(n.keys) <= few {
		return
	}
	n.at = make(map[string]int, 2*len(n.keys))
	for i, k := range n.keys {
		n.at[k] = i
	}
}

// Set gives an object a member, in place of one of that name if there is one.
func (n *Node) Set(key string, value *Node) {
	if i := n.index(key); i >= 0 {
		n.items[i] = value
		return
	}
	n.add(key, value)
}

// Size is how many values a node has, itself counted; 0 of nil.
func (n *Node) Size() int { return n.values() }

// Has tells whether an object has a member.
func (n *Node) Has(key string) bool { return n.index(key) >= 0 }

// Is tells whether the node is there and of a kind.
func (n *Node) Is(kind Kind) bool { return n != nil && n.Kind == kind }

// Len is the number of members or items.
func (n *Node) Len() int {
	if n == nil {
		return 0
	}
	return len(n.items)
}

// Members are those of an object, in the document's order.
func (n *Node) Members() iter.Seq2[string, *Node] {
	return func(yield func(string, *Node) bool) {
		if !n.Is(Object) {
			return
		}
		for i, key := range n.keys {
			if !yield(key, n.items[i]) {
				return
			}
		}
	}
}

// Items are those of an array.
func (n *Node) Items() []*Node {
	if !n.Is(Array) {
		return nil
	}
	return n.items
}

// Str is the text of a string, "" of anything else.
func (n *Node) Str(path ...string) string {
	if n = n.Get(path...); n.Is(String) {
		return n.Text
	}
	return ""
}

// True tells whether it is the boolean true.
func (n *Node) True(path ...string) bool {
	n = n.Get(path...)
	return n.Is(Bool) && n.Text == "true"
}

// Int is a whole number, nil of anything else or beyond an int.
func (n *Node) Int(path ...string) *int {
	if n = n.Get(path...); !n.Is(Number) {
		return nil
	}
	value, err := strconv.Atoi(n.Text)
	if err != nil {
		return nil
	}
	return &value
}

// Num is a number as it was written, "" of anything else.
func (n *Node) Num(path ...string) json.Number {
	if n = n.Get(path...); n.Is(Number) {
		return json.Number(n.Text)
	}
	return ""
}

// Strings are the strings of an array; other items are left out.
func (n *Node) Strings(path ...string) (texts []string) {
	for _, item := range n.Get(path...).Items() {
		if item.Is(String) {
			texts = append(texts, item.Text)
		}
	}
	return texts
}

// JSON is the node as JSON, members in their order; nil of nil.
func (n *Node) JSON() json.RawMessage {
	if n == nil {
		return nil
	}
	var text bytes.Buffer
	n.write(&text)
	return text.Bytes()
}

func (n *Node) write(to *bytes.Buffer) {
	switch n.Kind {
	case Null:
		to.WriteString("null")
	case Bool, Number:
		to.WriteString(n.Text)
	case String:
		writeString(to, n.Text)
	case Array:
		to.WriteByte('[')
		for i, item := range n.items {
			if i > 0 {
				to.WriteByte(',')
			}
			item.write(to)
		}
		to.WriteByte(']')
	case Object:
		to.WriteByte('{')
		for i, key := range n.keys {
			if i > 0 {
				to.WriteByte(',')
			}
			writeString(to, key)
			to.WriteByte(':')
			n.items[i].write(to)
		}
		to.WriteByte('}')
	}
}

func writeString(to *bytes.Buffer, text string) {
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string can always be encoded
	to.Truncate(to.Len() - 1)
}

// Pointer follows a JSON pointer (RFC 6901) from the node: "" is the node itself.
func (n *Node) Pointer(pointer string) *Node {
	if pointer == "" {
		return n
	}
	if pointer[0] != '/' {
		return nil
	}
	for token := range strings.SplitSeq(pointer[1:], "/") {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		if n.Is(Array) {
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(n.items) {
				return nil
			}
			n = n.items[i]
			continue
		}
		n = n.Get(token)
	}
	return n
}

// Copy is the node with copies of everything below it.
func (n *Node) Copy() *Node {
	if n == nil {
		return nil
	}
	twin := &Node{Kind: n.Kind, Text: n.Text, size: n.size, keys: append([]string(nil), n.keys...)}
	for _, item := range n.items {
		twin.items = append(twin.items, item.Copy())
	}
	twin.reindex()
	return twin
}
