// Package live asks a service for the answers that a sketch is made of: the paths that somebody named, and for each list
// a few of its records. It only reads, follows no redirect, and asks little.
package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/munjigi/munjigi/internal/fetch"
	"github.com/munjigi/munjigi/internal/openapi"
	"github.com/munjigi/munjigi/internal/sketch"
)

// Options are the arguments and flags of munjigi sketch.
type Options struct {
	URL    string   `arg:"" placeholder:"URL" help:"Where the service's private API is: http://127.0.0.1:9001/admin"`
	Paths  []string `arg:"" placeholder:"PATH" help:"What to look at: /shops '/orders?page=1'"`
	Header []string `sep:"none" placeholder:"'NAME: VALUE'" help:"A header for the requests."`
	Title  string   `placeholder:"TEXT" help:"What the service is called; without it, its host."`
}

// Output is where the document is written.
type Output struct{ io.Writer }

func (Options) Help() string {
	return `Looks at live answers of a service that has no OpenAPI document, and writes a first one to improve. Only GET is sent: to the
paths named, and to two records of each list among them.

Example:

    munjigi sketch http://127.0.0.1:9001 /shops /orders --header "Authorization: Bearer $TOKEN" >openapi.yaml
    munjigi check --openapi openapi.yaml`
}

const (
	mostPaths = 50
	perList   = 2       // records that are looked at
	mostBytes = 4 << 20 // of one answer
)

// Run writes the document as YAML. What could not be seen is told in a comment; when nothing could be, it is an error.
func (o Options) Run(ctx context.Context, out Output) error {
	base, err := url.Parse(strings.TrimRight(o.URL, "/"))
	if err != nil || base.Host == "" || !fetch.IsAddress(o.URL) || base.RawQuery != "" || base.Fragment != "" {
		return fmt.Errorf("%q is not the address of a service, such as http://127.0.0.1:9001", o.URL)
	}
	if len(o.Paths) > mostPaths {
		return fmt.Errorf("%d paths, at most %d", len(o.Paths), mostPaths)
	}
	var samples []sketch.Sample
	var missing []string
	for _, path := range o.Paths {
		found, err := o.look(ctx, base.String(), "/"+strings.TrimLeft(path, "/"))
		if err != nil {
			missing = append(missing, err.Error())
		}
		samples = append(samples, found...)
	}
	if len(samples) == 0 {
		return errors.New(strings.Join(missing, "\n"))
	}
	return o.write(out, base, samples, missing)
}

func (o Options) write(out io.Writer, base *url.URL, samples []sketch.Sample, missing []string) error {
	title := o.Title
	if title == "" {
		title = base.Hostname()
	}
	var text strings.Builder
	text.WriteString("# A first sketch, made of live answers: it knows what was seen, not what may come, and nothing that writes.\n")
	text.WriteString("# `munjigi check --openapi` says which screens it becomes, and what would improve them.\n")
	for _, line := range missing {
		text.WriteString("# Left out: " + strings.Join(strings.Fields(line), " ") + "\n")
	}
	text.WriteString(sketch.YAML(sketch.Document(title, base.Path, samples)))
	_, err := io.WriteString(out, text.String())
	return err
}

// look asks for one path, and where that is a list for a few of its records. A record that does not answer is left out.
func (o Options) look(ctx context.Context, base, path string) ([]sketch.Sample, error) {
	body, err := o.get(ctx, base+path)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", path, err)
	}
	list := sketch.Sample{Path: path, Body: body}
	samples := []sketch.Sample{list}
	bare, _, _ := strings.Cut(path, "?") // a record is asked for without the query of its list
	bare = strings.TrimRight(bare, "/")
	for _, id := range list.IDs(perList) {
		one, err := o.get(ctx, base+bare+"/"+id)
		if err == nil && one.Is(openapi.Object) {
			samples = append(samples, sketch.Sample{Path: bare + "/" + id, Body: one, Of: bare})
		}
	}
	return samples, nil
}

func (o Options) get(ctx context.Context, address string) (*openapi.Node, error) {
	answer, err := fetch.Get(ctx, address, o.Header, mostBytes)
	if err != nil {
		return nil, err
	}
	if answer.Status != http.StatusOK {
		return nil, fmt.Errorf("it answers %d", answer.Status)
	}
	body, err := openapi.ParseJSON(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("it does not answer JSON: %w", err)
	}
	return body, nil
}
