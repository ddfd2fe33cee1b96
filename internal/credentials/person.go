package credentials

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxID bounds an id, in bytes. It is half of an identity: it is taken as it is, or not at all.
	maxID    = 128
	maxName  = 200 // characters; the rest of a name is left out
	maxEmail = 254
)

// Person is whose account it is, as the service says.
type Person struct {
	ID    string // the service's own, stable; the only thing that an account is found by
	Name  string
	Email string   // lower case; empty when there is none that looks like one. Never an identity
	Roles []string // sorted, without repeats, only those that the service may give; never nil
}

// What is wrong with an answer. The texts hold nothing of it: a page of errors may well repeat what it was sent.
var (
	errJSON  = errors.New("its answer is not one JSON object in UTF-8")
	errShape = errors.New("a member of its answer has another type than the contract says, or is there twice")
	errID    = errors.New("its answer has no usable id: want a text of 1 to 128 printable bytes")
)

// read reads an answer. Members that we do not know are passed over.
func read(text []byte, roles []string) (Person, error) {
	members, err := membersOf(text)
	if err != nil {
		return Person{}, err
	}
	var id, name, email string
	var given []string
	for key, into := range map[string]any{"id": &id, "name": &name, "email": &email, "roles": &given} {
		value, there := members[key]
		if there && json.Unmarshal(value, into) != nil { // null leaves it empty
			return Person{}, errShape
		}
	}
	if !usable(id) {
		return Person{}, errID
	}
	return Person{ID: id, Name: tidyName(name), Email: plausible(email), Roles: permitted(given, roles)}, nil
}

// membersOf reads an object, each name exactly as it is written. encoding/json by itself takes "ID" for "id", the last
// of two, and puts U+FFFD where the text is no UTF-8: two readers could then see two people in one answer.
func membersOf(text []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(text) {
		return nil, errJSON
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, errJSON
	}
	members := map[string]json.RawMessage{}
	for decoder.More() {
		name, err := decoder.Token()
		key, ok := name.(string)
		var value json.RawMessage
		if err != nil || !ok || decoder.Decode(&value) != nil {
			return nil, errJSON
		}
		if _, twice := members[key]; twice {
			return nil, errShape
		}
		members[key] = value
	}
	if _, err := decoder.Token(); err != nil { // the closing brace
		return nil, errJSON
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errJSON
	}
	return members, nil
}

// usable tells whether an id can be half of an identity. U+FFFD is what is left of a character that was none: different
// ids would become one.
func usable(id string) bool {
	broken := func(c rune) bool { return !unicode.IsPrint(c) || c == utf8.RuneError }
	return id != "" && len(id) <= maxID && strings.TrimSpace(id) == id && !strings.ContainsFunc(id, broken)
}

// tidyName keeps a name from reordering or breaking the line that it is shown in.
func tidyName(name string) string {
	clean := strings.TrimSpace(strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return -1
		}
		return c
	}, name))
	if characters := []rune(clean); len(characters) > maxName {
		clean = string(characters[:maxName])
	}
	return clean
}

// plausible is an e-mail as it is shown, or nothing: nobody is kept out for the address that somebody typed long ago.
func plausible(email string) string {
	email = strings.ToLower(strings.TrimSpace(email))
	local, domain, ok := strings.Cut(email, "@")
	strange := func(c rune) bool { return !unicode.IsPrint(c) || strings.ContainsRune(" <>\"@,;", c) }
	if !ok || local == "" || domain == "" || len(email) > maxEmail || strings.ContainsFunc(local+domain, strange) {
		return ""
	}
	return email
}

// permitted are the roles that the configuration lets the service give.
func permitted(given, roles []string) []string {
	kept := []string{}
	for _, role := range given {
		if slices.Contains(roles, role) {
			kept = append(kept, role)
		}
	}
	slices.Sort(kept)
	return slices.Compact(kept)
}
