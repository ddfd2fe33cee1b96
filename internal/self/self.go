// Package self is Munjigi as a service of its own console: the OpenAPI document of everything under /admin, written by
// hand. It is compiled to screens by the same code as every other service's.
//
// It answers no request and decides nothing: who may ask, and what is answered, is the server's. Tests hold the document
// against both.
package self

import (
	_ "embed"
	"fmt"

	"github.com/munjigi/munjigi/internal/openapi"
)

// Name is what the console calls the service. No configured one has it.
const Name = "munjigi"

// Each text of the document for people is there in both languages, side by side, so that none can be forgotten.
//
//go:embed openapi.yaml
var source []byte

// Document is the document as JSON in a language, en or ko; any other is en. It is built into the program: an error means
// that it was built wrongly.
func Document(language string) ([]byte, error) {
	root, err := openapi.Parse(source)
	if err != nil {
		return nil, fmt.Errorf("own document: %w", err)
	}
	if language != "ko" {
		language = "en"
	}
	return spoken(root, language).JSON(), nil
}

// spoken is a value in one language: an object of en and ko alone is a text.
func spoken(n *openapi.Node, language string) *openapi.Node {
	if n.Len() == 2 && n.Has("en") && n.Has("ko") {
		return n.Get(language)
	}
	switch {
	case n.Is(openapi.Object):
		out := openapi.NewObject()
		for key, value := range n.Members() {
			out.Set(key, spoken(value, language))
		}
		return out
	case n.Is(openapi.Array):
		out := openapi.NewArray()
		for _, item := range n.Items() {
			out.Append(spoken(item, language))
		}
		return out
	}
	return n
}
