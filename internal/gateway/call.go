package gateway

import (
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/gateway/mask"
	"github.com/munjigi/munjigi/internal/token"
)

// Base is where a service's operations are called, on our own address.
func Base(service string) string { return "/services/" + service }

// call is one call of an operation.
type call struct {
	found
	who     Caller
	service *service
	table   *table
	query   string
	header  http.Header // for the service
	bearer  string
	mask    *mask.Mask // nil = nothing is hidden
	reason  string
	key     string // Idempotency-Key
	reveal  bool
	body    *incoming // what is sent; nil = nothing
	err     error     // why it did not get through
	status  int       // that the service answered; 0 = none
}

// Call is ANY /services/{name}/…: one operation of a service's document, for somebody who may run it. It returns an error
// only when nothing was answered.
func (g *Gateway) Call(w http.ResponseWriter, r *http.Request, who Caller) error {
	c, err := g.prepare(r, who, strings.TrimPrefix(r.URL.EscapedPath(), "/services/"))
	if err != nil {
		return err
	}
	if err := c.readIntention(r); err != nil {
		return err
	}
	leave, err := c.service.enter()
	if err != nil {
		return err
	}
	defer leave()
	action := c.recorded()
	if action == "" {
		return g.forward(w, r, c)
	}
	record, err := g.begin(r.Context(), c, action)
	if err != nil {
		return err
	}
	defer record.end() // also when the answer is cut off in the middle, which is a panic
	return g.forward(w, r, c)
}

// prepare finds the operation, and whether the caller may run it with these parameters. where is "{name}/…".
func (g *Gateway) prepare(r *http.Request, who Caller, where string) (*call, error) {
	name, path, slash := strings.Cut(where, "/")
	s, t, err := g.find(name)
	if err != nil {
		return nil, err
	}
	if !slash {
		return nil, unknown("the path of an operation follows the service's name")
	}
	f, err := t.match(r.Method, "/"+path)
	if err != nil {
		return nil, err
	}
	if err := s.permit(who, t, f.operation); err != nil {
		return nil, err
	}
	c := &call{found: f, who: who, service: s, table: t, mask: t.facts[f.operation].mask}
	if c.query, err = query(r.URL.RawQuery, f.operation); err != nil {
		return nil, err
	}
	if c.bearer, err = g.bearer(who, name); err != nil {
		return nil, err
	}
	return c, nil
}

// readIntention reads what the caller says beside the operation itself: the body's type, why, which intention it is.
func (c *call) readIntention(r *http.Request) (err error) {
	if err := checkBody(r, c.operation); err != nil {
		return err
	}
	if c.header, err = outgoing(r.Header, c.operation); err != nil {
		return err
	}
	if c.reason, err = ReadReason(r.Header); err != nil {
		return err
	}
	if err := c.needsReason(); err != nil {
		return err
	}
	if c.reveal, err = c.readReveal(r.Header); err != nil {
		return err
	}
	if c.operation.Write() {
		c.key, err = readKey(r.Header)
	}
	return err
}

// needsReason: a guard may ask for one of what only reads, too.
func (c *call) needsReason() error {
	if !c.operation.Guard.Reason || c.reason != "" {
		return nil
	}
	return &fault.Error{Code: fault.ReasonRequired, Service: c.service.name, Detail: "say why in the header Munjigi-Reason"}
}

// readReveal: sensitive fields are shown of one record at a time, never of a list.
func (c *call) readReveal(header http.Header) (bool, error) {
	switch asked := header.Get("Munjigi-Reveal"); {
	case asked == "":
		return false, nil
	case asked != "true":
		return false, invalid("Munjigi-Reveal: true, or nothing")
	case c.operation.Method != http.MethodGet || c.operation.Kind != backoffice.Get && c.operation.Kind != backoffice.Setting:
		return false, invalid("Munjigi-Reveal is for reading one record")
	}
	return c.mask != nil, nil
}

const maxReason = 500 // characters

// ReadReason is the header Munjigi-Reason, "" without one: percent-encoded UTF-8, because a header has no other way to bear
// it. request_invalid.
func ReadReason(header http.Header) (string, error) {
	values := header.Values("Munjigi-Reason")
	if len(values) == 0 {
		return "", nil
	}
	reason, err := url.PathUnescape(values[0])
	reason = strings.TrimSpace(reason)
	if err != nil || len(values) > 1 || !utf8.ValidString(reason) || utf8.RuneCountInString(reason) > maxReason || strings.ContainsFunc(reason, unicode.IsControl) {
		return "", invalid("Munjigi-Reason: one text of at most 500 characters, percent-encoded UTF-8")
	}
	return reason, nil
}

// readKey is the caller's key for this intention, or else one of ours: then a repeat is not known to be one.
func readKey(header http.Header) (string, error) {
	values := header.Values("Idempotency-Key")
	if len(values) == 0 {
		return token.NewID(), nil
	}
	visible := func(c rune) bool { return c > ' ' && c < 0x7f }
	if len(values) > 1 || values[0] == "" || len(values[0]) > 255 || strings.ContainsFunc(values[0], func(c rune) bool { return !visible(c) }) {
		return "", invalid("Idempotency-Key: one text of 1 to 255 visible ASCII characters")
	}
	return values[0], nil
}

// recorded is what the audit calls this; "" = nothing that it would keep.
func (c *call) recorded() audit.Action {
	switch {
	case c.reveal:
		return audit.Revealed
	case c.operation.Write() || c.operation.Guard.Reason:
		return audit.Called
	}
	return ""
}

// enter takes one of the service's places.
func (s *service) enter() (leave func(), err error) {
	select {
	case s.places <- struct{}{}:
		return func() { <-s.places }, nil
	default:
		return nil, unreachable(s.name, "as many calls as it may have are under way, and it has not answered them")
	}
}
