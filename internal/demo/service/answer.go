package service

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strings"
)

// Answer is one that is more than 200 with JSON.
type Answer struct {
	Status int               // zero is 200
	Header map[string]string // may be nil
	Body   any               // nil is none; []byte goes out as it is, with the Content-Type of Header
}

// Created is 201 with the new record and where it is.
func Created(location string, body any) *Answer {
	return &Answer{Status: http.StatusCreated, Header: map[string]string{"Location": location, "ETag": Tag(body)}, Body: body}
}

// Tagged is 200 with a record and its ETag.
func Tagged(body any) *Answer {
	return &Answer{Header: map[string]string{"ETag": Tag(body)}, Body: body}
}

// Tag is the strong ETag of a record: the same for the same content (RFC 9110 §8.8.3).
func Tag(record any) string {
	text, err := json.Marshal(record)
	if err != nil {
		return "" // records are made of plain values
	}
	sum := fnv.New64a()
	sum.Write(text)
	return fmt.Sprintf(`"%x"`, sum.Sum64())
}

// Matches tells whether a change may be made to what record is now: the caller did not say what it saw, or saw this.
// A weak tag never matches (RFC 9110 §13.1.1).
func Matches(r *http.Request, record any) error {
	wanted := r.Header.Get("If-Match")
	if wanted == "" || wanted == "*" {
		return nil
	}
	tag := Tag(record)
	if slices.ContainsFunc(strings.Split(wanted, ","), func(one string) bool { return strings.TrimSpace(one) == tag }) {
		return nil
	}
	return Changed()
}

// answering turns "a value or an error" into a handler.
func answering(answer func(r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := answer(r)
		if err != nil {
			refuse(w, r, err)
			return
		}
		full, ok := body.(*Answer)
		if !ok {
			full = &Answer{Body: body}
		}
		full.write(w)
	}
}

func (a *Answer) write(w http.ResponseWriter) {
	for name, value := range a.Header {
		w.Header().Set(name, value)
	}
	status := max(a.Status, http.StatusOK)
	switch body := a.Body.(type) {
	case nil:
		if a.Status == 0 {
			status = http.StatusNoContent
		}
		w.WriteHeader(status)
	case []byte:
		w.WriteHeader(status)
		w.Write(body) // a client that went away needs no answer
	default:
		writeBody(w, status, "application/json", body)
	}
}

func writeBody(w http.ResponseWriter, status int, contentType string, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"status":500,"code":"internal"}`)
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	w.Write(append(text, '\n')) // a client that went away needs no answer
}
