// Package openapi reads an OpenAPI document, JSON or YAML, into a tree that keeps what screens need and Go's maps and
// floats lose: the order of members, and each number as it was written (a bound of 2^63−1 stays one).
//
// A document comes from a service, which is not trusted: size, depth and the number of values are limited, an alias of
// YAML counts with everything that it stands for, and a reference that leaves the document is never followed. What the
// document means is not decided here.
package openapi

import "fmt"

// The limits of a document.
const (
	MaxSize       = 8 << 20   // bytes
	MaxYAML       = 4 << 20   // bytes of a document in YAML, which takes far longer to read
	MaxDepth      = 128       // values within values
	MaxValues     = 1_000_000 // in all, aliases of YAML counted with what they stand for
	MaxOperations = 2_000
	MaxParameters = 50_000 // of all operations, those that several share counted for each
)

// Code tells kinds of bad documents apart.
type Code string

const (
	TooLarge    Code = "document_too_large" // beyond one of the limits
	Malformed   Code = "document_malformed" // neither JSON nor YAML, or not an object
	Version     Code = "document_version"   // not OpenAPI 3
	BadOverlay  Code = "overlay_invalid"
	Unavailable Code = "document_unavailable" // it could not be fetched or read
)

// Error is why a document cannot be used.
type Error struct {
	Code   Code
	Line   int // from 1; 0 = unknown
	Column int // from 1; 0 = unknown
	Detail string
}

func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s: line %d, column %d: %s", e.Code, e.Line, e.Column, e.Detail)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Detail)
}

func refuse(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}
