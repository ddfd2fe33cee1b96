// Package compile turns the OpenAPI document of a service into screens (package backoffice). It is pure: nothing is
// fetched, and the same document gives the same screens, byte for byte, in the order of the document.
//
// What an operation is follows from the schema of its answer first (value), then from its path, then from names of
// parameters. What cannot be classified becomes a form to run; no operation is ever lost. Each thing that the document
// does not say and that had to be guessed is noted, with the line that would say it.
package compile

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/compile/naming"
	"github.com/munjigi/munjigi/internal/compile/value"
	"github.com/munjigi/munjigi/internal/openapi"
)

// Service is the screens of the service that the configuration calls name, made of its OpenAPI document (JSON or YAML)
// after applying an OpenAPI Overlay to it; nil = none. The error is an *openapi.Error, with a code.
func Service(name string, document, overlay []byte) (backoffice.Service, error) {
	doc, err := openapi.Read(document, overlay)
	if err != nil {
		return backoffice.Service{}, err
	}
	c := &compiler{doc: doc, byID: map[string]*op{}, told: map[string]bool{}}
	c.Reader = value.NewReader(doc, c.unresolved)
	c.info(name)
	for _, target := range doc.Unused {
		c.guess(nil, "overlay", "nothing is changed by "+clip(target), "the target selects nothing", "a target that selects something, or none")
	}
	if c.read(); c.parametersInAll > openapi.MaxParameters {
		return backoffice.Service{}, &openapi.Error{Code: openapi.TooLarge, Detail: fmt.Sprintf("more than %d parameters in all", openapi.MaxParameters)}
	}
	c.classify()
	c.menu()
	for _, o := range c.ops {
		c.service.Operations = append(c.service.Operations, o.Operation)
	}
	return c.service, nil
}

// compiler is one document on its way to be screens.
type compiler struct {
	*value.Reader
	doc     *openapi.Document
	service backoffice.Service
	ops     []*op
	byID    map[string]*op
	told    map[string]bool // guesses on the whole document that were noted

	parametersInAll int
}

// op is an operation with what is needed to classify it.
type op struct {
	backoffice.Operation
	node     *openapi.Node
	path     naming.Path // without the server's
	tags     []string
	note     *openapi.Node        // x-admin
	answer   *openapi.Node        // the schema of the answer in JSON; nil without one
	headers  *openapi.Node        // of the answer
	links    *openapi.Node        // of the answer
	shape    value.Shape          // of a GET's answer
	resource *backoffice.Resource // that it was found to belong to
}

func (c *compiler) info(name string) {
	root := c.doc.Root
	info := root.Get("info")
	c.service = backoffice.Service{Name: name, Title: info.Str("title"), Help: info.Str("description"), Version: info.Str("version")}
	if c.service.Help == "" {
		c.service.Help = info.Str("summary")
	}
	if c.service.Title == "" {
		c.service.Title = naming.Label(name)
		c.guess(nil, "title", c.service.Title, "info.title is missing", "info: {title: …}")
	}
	if docs := root.Str("externalDocs", "url"); isWeb(docs) {
		c.service.Docs = docs
	}
	c.service.Menu, c.service.Resources, c.service.Operations = []backoffice.Group{}, []backoffice.Resource{}, []backoffice.Operation{}
	c.service.Reports, c.service.Settings, c.service.Cards = []backoffice.Report{}, []backoffice.Settings{}, []backoffice.Card{}
}

// isWeb tells whether an address is one that a browser may be led to.
func isWeb(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// guess notes what was made of something that the document does not say. o is nil for the whole document.
func (c *compiler) guess(o *op, about, took, because, better string) {
	g := backoffice.Guess{About: about, Took: took, Because: because, Better: better}
	if o != nil {
		g.Operation = o.ID
	}
	c.service.Guesses = append(c.service.Guesses, g)
}

// unresolved notes a reference that leads nowhere, or out of the document; once.
func (c *compiler) unresolved(ref string) {
	if key := "$ref " + ref; !c.told[key] && len(c.told) < 100 {
		c.told[key] = true
		c.guess(nil, "reference", "anything", "$ref "+ref+" leads to nothing within the document, and nothing else is fetched", "put what it means under components")
	}
}

// read lists the operations, in the document's order.
func (c *compiler) read() {
	at := serverPath(c.doc.Root)
	for template, item := range c.doc.Root.Get("paths").Members() {
		item, _ = c.doc.Deref(item)
		for method, node := range item.Members() {
			if c.parametersInAll <= openapi.MaxParameters && openapi.IsMethod(method) && node.Is(openapi.Object) && strings.HasPrefix(template, "/") {
				c.operation(at, template, method, item, node)
			}
		}
	}
}

func (c *compiler) operation(at, template, method string, item, node *openapi.Node) {
	for _, nearer := range []*openapi.Node{item, node} {
		if nearer.Get("servers").Len() > 0 {
			at = serverPath(nearer)
		}
	}
	o := &op{node: node, path: naming.SplitPath(template), tags: node.Strings("tags"), note: node.Get("x-admin")}
	o.Method, o.Path = strings.ToUpper(method), at+template
	o.Help, o.Deprecated = value.Clip(node.Str("description"), value.LongestHelp), node.True("deprecated")
	o.ID = node.Str("operationId")
	if o.ID == "" || len(o.ID) > value.LongestTitle || c.byID[o.ID] != nil {
		o.ID = o.Method + " " + o.Path
	}
	for c.byID[o.ID] != nil {
		o.ID += " (another)"
	}
	c.byID[o.ID] = o
	c.title(o)
	c.parameters(o, item)
	c.body(o)
	c.answers(o)
	c.annotations(o)
	c.ops = append(c.ops, o)
}

// serverPath is the path of the first server, without a slash at its end. Its host says nothing to us: the
// configuration says where the service is.
func serverPath(n *openapi.Node) string {
	servers := n.Get("servers").Items()
	if len(servers) == 0 {
		return ""
	}
	address := servers[0].Str("url")
	for name, variable := range servers[0].Get("variables").Members() {
		address = strings.ReplaceAll(address, "{"+name+"}", variable.Str("default"))
	}
	if before, rest, ok := strings.Cut(address, "//"); ok && (before == "" || strings.HasSuffix(before, ":")) {
		_, address, _ = strings.Cut(rest, "/")
	}
	address, _, _ = strings.Cut(address, "?")
	address, _, _ = strings.Cut(address, "#")
	if address = strings.Trim(address, "/"); address == "" {
		return ""
	}
	if slices.ContainsFunc(strings.Split(address, "/"), func(s string) bool { return s == "." || s == ".." }) {
		return ""
	}
	return "/" + address
}

func (c *compiler) title(o *op) {
	o.Title = value.Clip(strings.TrimRight(o.node.Str("summary"), "."), value.LongestTitle)
	if o.Title != "" {
		return
	}
	if id := o.node.Str("operationId"); id != "" && len(id) <= value.LongestTitle {
		o.Title = naming.Label(id[strings.LastIndex(id, ".")+1:])
	} else {
		o.Title = o.Method + " " + o.Path
	}
}
