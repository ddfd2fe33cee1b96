package server

import (
	"net/http"

	"github.com/munjigi/munjigi/internal/server/body"
)

// decode reads the JSON of a request; see package body.
func decode(r *http.Request, into any) error { return body.Decode(r, into) }
