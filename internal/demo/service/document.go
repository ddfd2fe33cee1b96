package service

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// Document is an OpenAPI document, in each language that it speaks.
type Document struct{ english, korean []byte }

// NewDocument is the document with the JSON text english. korean, which may be nil, is a JSON object: what is said in
// English → the same in Korean. The order of everything stays.
func NewDocument(english, korean []byte) (*Document, error) {
	if !json.Valid(english) {
		return nil, fmt.Errorf("read the document: not JSON")
	}
	if korean == nil {
		return &Document{english, english}, nil
	}
	words := map[string]string{}
	if err := json.Unmarshal(korean, &words); err != nil {
		return nil, fmt.Errorf("read the document's Korean: %w", err)
	}
	return &Document{english, translate(english, words)}, nil
}

// quoted is a JSON string, and the colon after it when it is the name of a member.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"(\s*:)?`)

// translate puts other words for the strings of a JSON text that are values. Names of members are no words.
func translate(text []byte, words map[string]string) []byte {
	return quoted.ReplaceAllFunc(text, func(found []byte) []byte {
		said, err := strconv.Unquote(string(found)) // with a colon it is no string
		if err != nil || words[said] == "" {
			return found
		}
		other, err := json.Marshal(words[said])
		if err != nil {
			return found
		}
		return other
	})
}

func (d *Document) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, language := d.english, Language(r)
	if language == "ko" {
		text = d.korean
	}
	tag := Tag(string(text))
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Language", language)
	header.Set("Cache-Control", "no-cache")
	header.Set("ETag", tag)
	header.Add("Vary", "Accept-Language")
	if strings.Contains(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Write(text) // a client that went away needs no answer
}
