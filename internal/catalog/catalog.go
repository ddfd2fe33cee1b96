package catalog

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/token"
)

// Languages are those that documents are asked for. The first one decides what may be called.
var Languages = []string{"en", "ko"}

// Document is a service's document as it was fetched last.
type Document struct {
	Service   string
	Language  string
	ETag      string // "" = the service gives none
	FetchedAt time.Time
	Body      []byte
}

// Store keeps what has to outlive the process. Each change is one transaction, with its audit events.
type Store interface {
	// Documents are the last good ones of all services.
	Documents(ctx context.Context) ([]Document, error)
	// Keep takes a document in the place of the one before.
	Keep(ctx context.Context, d Document) error
	// Grants are what was granted of a service, by operation; none = it never had a document.
	Grants(ctx context.Context, service string) (map[string]Terms, error)
	// Grant adds to them, or replaces.
	Grant(ctx context.Context, service string, terms map[string]Terms, events ...audit.Event) error
}

// Keys signs the token by which a service knows us. keys.Ring does.
type Keys interface {
	Active() (kid string, macKeyID uint32)
	Sign(kid string, claims token.Claims) (string, error)
}

// Compile is backoffice.Compile: a document, perhaps with an overlay, becomes screens.
type Compile func(name string, document, overlay []byte) (backoffice.Service, error)

// Source is one configured service.
type Source struct {
	Name    string
	URL     string // of the service; no slash at its end
	OpenAPI string // the path of its document; "" = it has none
	Overlay []byte
}

// Config is what a Catalog is made of. Issuer, Keys, Store, Compile and Log are required.
type Config struct {
	Issuer  string // our own address, the tokens' "iss"
	Sources []Source
	Keys    Keys
	Store   Store
	Compile Compile
	Log     *slog.Logger

	Every time.Duration // how often each document is asked for again; a minute
	Limit time.Duration // how long one answer may take; 10 seconds
	Now   func() time.Time
	// Transport makes the requests; nil is one of our own.
	Transport http.RoundTripper
}

// Catalog is safe for concurrent use.
type Catalog struct {
	Config
	http    *http.Client
	entries map[string]*entry
}

// entry is one service. Its view is replaced as a whole.
type entry struct {
	Source
	view atomic.Pointer[View]

	asking sync.Mutex // held while the service is asked; taken before mu
	mu     sync.Mutex // held while the view is made anew
	// documents are the last good ones, by language; they change only while both are held. grants is what the store has.
	documents map[string]Document
	compiled  map[string]backoffice.Service
	grants    map[string]Terms
}

// State is how a service's document stands.
type State string

// The states.
const (
	Ready        State = "ready"
	Loading      State = "loading"      // the first document is on its way
	Unreachable  State = "unreachable"  // the last good document, if any, is still used
	Invalid      State = "invalid"      // so is it
	Undocumented State = "undocumented" // the configuration names none
)

// View is what is known of a service at a moment. It is never changed.
type View struct {
	Name      string
	URL       string
	State     State
	Detail    string    // what is wrong, when Invalid or Unreachable
	FetchedAt time.Time // of the document in use; zero without one
	// Services are the screens, by language; empty without a document. Guards and sensitive fields are those in force:
	// what a later version made weaker counts when it was granted.
	Services map[string]backoffice.Service
	// Waiting are the operations that a grant is wanted for, by Key: those of New may not be run before.
	Waiting map[string]Waiting
	// Masks are the sensitive fields of each operation's answer, by Key.
	Masks map[string][]string
}

// In is the service in a language, or else in the one that it has.
func (v *View) In(language string) (backoffice.Service, bool) {
	if s, ok := v.Services[language]; ok {
		return s, true
	}
	s, ok := v.Services[Languages[0]]
	return s, ok
}

// Key names an operation in whatever version of a document: the names of its path's parameters do not count.
func Key(o backoffice.Operation) string {
	return o.Method + " " + parameter.ReplaceAllString(o.Path, "{}")
}

var parameter = regexp.MustCompile(`\{[^{}/]*\}`)

// Open reads what the store has. Nobody is asked before Run.
func Open(ctx context.Context, c Config) (*Catalog, error) {
	if c.Issuer == "" || c.Keys == nil || c.Store == nil || c.Compile == nil || c.Log == nil {
		return nil, errors.New("catalog: issuer, keys, store, compile and log are required")
	}
	c.setDefaults()
	k := &Catalog{Config: c, entries: map[string]*entry{}, http: &http.Client{
		Transport: c.Transport, Timeout: c.Limit,
		// Never followed: our token is for the configured address and nobody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	kept, err := c.Store.Documents(ctx)
	if err != nil {
		return nil, err
	}
	for _, source := range c.Sources {
		e := &entry{Source: source, documents: map[string]Document{}, compiled: map[string]backoffice.Service{}}
		k.entries[source.Name] = e
		if e.grants, err = c.Store.Grants(ctx, source.Name); err != nil {
			return nil, err
		}
		state, detail := Loading, ""
		if source.OpenAPI == "" {
			state = Undocumented
		}
		for _, d := range kept {
			if d.Service != source.Name || source.OpenAPI == "" {
				continue
			}
			if err := k.take(e, d); err != nil { // an older version of this program took it, or there is another overlay
				state, detail = Invalid, err.Error()
			}
		}
		if len(e.compiled) > 0 && state == Loading {
			state = Ready
		}
		e.show(state, detail)
	}
	return k, nil
}

func (c *Config) setDefaults() {
	if c.Every == 0 {
		c.Every = time.Minute
	}
	if c.Limit == 0 {
		c.Limit = 10 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Transport == nil {
		c.Transport = newTransport()
	}
}

// take compiles a document; the entry is unchanged when it cannot be.
func (k *Catalog) take(e *entry, d Document) error {
	compiled, err := k.compile(e, d)
	if err != nil {
		return err
	}
	e.documents[d.Language], e.compiled[d.Language] = d, compiled
	return nil
}

// compile survives whatever a document does to the compiler: it is a stranger's.
func (k *Catalog) compile(e *entry, d Document) (s backoffice.Service, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			k.Log.Error("panic", "service", e.Name, "cause", cause, "stack", string(debug.Stack()))
			err = errors.New("its document cannot be understood, and that is our mistake: the log has more")
		}
	}()
	return k.Compile(e.Name, d.Body, e.Overlay)
}

// View is what is known of a service; false for one that is not configured.
func (k *Catalog) View(name string) (*View, bool) {
	e, ok := k.entries[name]
	if !ok {
		return nil, false
	}
	return e.view.Load(), true
}

// Names are the configured services, in their order.
func (k *Catalog) Names() []string {
	names := make([]string, len(k.Sources))
	for i, source := range k.Sources {
		names[i] = source.Name
	}
	slices.Sort(names)
	return names
}

// show publishes what is known. The caller holds mu, or is alone.
func (e *entry) show(state State, detail string) {
	v := &View{
		Name: e.Name, URL: e.URL, State: state, Detail: detail,
		Services: map[string]backoffice.Service{}, Waiting: map[string]Waiting{}, Masks: map[string][]string{},
	}
	for language, service := range e.compiled {
		v.Services[language] = inForce(service, e.grants)
		if at := e.documents[language].FetchedAt; at.After(v.FetchedAt) {
			v.FetchedAt = at
		}
	}
	if service, ok := e.compiled[Languages[0]]; ok {
		v.Waiting = waiting(service, e.grants)
		v.Masks = masks(service, e.grants)
	}
	e.view.Store(v)
}
