// Package review says in words what a document becomes: its screens, what had to be guessed and what would say it, where
// each operation is reached, and what a later version changed. It decides nothing of that.
package review

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/compile"
	"github.com/munjigi/munjigi/internal/fetch"
	"github.com/munjigi/munjigi/internal/openapi"
)

// Options are the flags of munjigi check that are about a service's document. OpenAPI "" = it is about something else.
type Options struct {
	OpenAPI string   `name:"openapi" placeholder:"FILE|URL" help:"Instead of the configuration: say which screens the document of a service becomes, and what would improve them."`
	Overlay string   `placeholder:"FILE" help:"An OpenAPI Overlay that is applied to the document first."`
	Strict  bool     `help:"Exit with 1 when something had to be guessed, or when --diff finds something weaker."`
	Diff    string   `placeholder:"FILE|URL" help:"Say what is new, gone and weaker since an earlier version of the document."`
	Header  []string `sep:"none" placeholder:"'NAME: VALUE'" help:"A header for the requests to addresses."`
}

// ErrStrict is that a document has to be improved before --strict is content.
var ErrStrict = errors.New("something had to be guessed, or is weaker than before")

// Review is everything that is said of a document.
type Review struct {
	Service   backoffice.Service            `json:"service"`
	Guesses   []backoffice.Guess            `json:"guesses"`
	Places    map[string][]backoffice.Place `json:"places"`   // of each operation
	Problems  []string                      `json:"problems"` // against the specification of OpenAPI; the screens appear all the same
	Changes   *Changes                      `json:"changes,omitempty"`
	canonical []byte
}

// Changes are what is different from an earlier version.
type Changes struct {
	New    []string            `json:"new"` // operations by method and path
	Gone   []string            `json:"gone"`
	Weaker []backoffice.Change `json:"weaker"`
}

// Run reads the document and writes what is to be said of it, as text or JSON.
func (o Options) Run(ctx context.Context, out io.Writer, asJSON bool) error {
	overlay, err := o.overlay(ctx)
	if err != nil {
		return err
	}
	r, err := o.read(ctx, o.OpenAPI, overlay)
	if err != nil {
		return err
	}
	r.Problems = Problems(ctx, r.canonical)
	if o.Diff != "" {
		before, err := o.read(ctx, o.Diff, overlay)
		if err != nil {
			return err
		}
		r.Changes = changes(before.Service, r.Service)
	}
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(r)
	} else {
		_, err = io.WriteString(out, r.Text())
	}
	if err == nil && o.Strict && !r.settled() {
		return ErrStrict
	}
	return err
}

func (o Options) overlay(ctx context.Context) ([]byte, error) {
	if o.Overlay == "" {
		return nil, nil
	}
	return fetch.Read(ctx, o.Overlay, o.Header, openapi.MaxSize)
}

func (o Options) read(ctx context.Context, where string, overlay []byte) (Review, error) {
	text, err := fetch.Read(ctx, where, o.Header, openapi.MaxSize)
	if err != nil {
		return Review{}, err
	}
	document, err := openapi.Read(text, overlay)
	if err != nil {
		return Review{}, fmt.Errorf("%s: %w", where, err)
	}
	canonical := document.Root.JSON()
	s, err := compile.Service(nameOf(where), text, overlay)
	if err != nil {
		return Review{}, fmt.Errorf("%s: %w", where, err)
	}
	return Review{Service: s, Guesses: append([]backoffice.Guess{}, s.Guesses...), Places: s.Places(), canonical: canonical}, nil
}

// nameOf is what a service is called that no configuration names: like its file.
func nameOf(where string) string {
	name := strings.TrimRight(where, "/")
	name = name[strings.LastIndex(name, "/")+1:]
	name, _, _ = strings.Cut(name, ".")
	if name == "" || strings.Contains(name, "openapi") {
		return "service"
	}
	return name
}

func changes(before, after backoffice.Service) *Changes {
	c := &Changes{New: []string{}, Gone: []string{}, Weaker: append([]backoffice.Change{}, backoffice.Weaker(before, after)...)}
	for _, o := range backoffice.New(before, after) {
		c.New = append(c.New, o.Method+" "+o.Path)
	}
	for _, o := range backoffice.Gone(before, after) {
		c.Gone = append(c.Gone, o.Method+" "+o.Path)
	}
	return c
}

// settled tells whether nothing was guessed that a line of the document would say, and nothing is weaker.
func (r Review) settled() bool {
	for _, g := range r.Guesses {
		if g.Better != "" {
			return false
		}
	}
	return r.Changes == nil || len(r.Changes.Weaker) == 0
}
