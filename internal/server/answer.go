package server

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/munjigi/munjigi/internal/server/body"
)

// encode answers 200 with v as JSON.
func (s *Server) encode(w *response, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	return s.write(w, body)
}

// write answers 200 with JSON that is ready.
func (s *Server) write(w *response, body []byte) error {
	w.Header().Set("Content-Type", "application/json")
	_, err := w.Write(body)
	return gone(err)
}

// gone drops an error of writing to the caller: it has gone, and nobody is left to be told.
func gone(error) error { return nil }

// decode reads the JSON of a request; see package body.
func decode(r *http.Request, into any) error { return body.Decode(r, into) }
