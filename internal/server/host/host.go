// Package host tells which of the configured addresses a request was sent to, and which realm's people are answered
// there. A request's Host is compared with what is configured and used for nothing else: links are made from the
// configuration alone.
//
// It answers nothing itself.
package host

import (
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
)

// Home is one of the addresses that people use.
type Home struct {
	Own    string // its origin
	Office bool   // the configured url, with the console and its calls; any other is of realms alone
}

// Homes are all of them.
type Homes struct {
	office  *Home
	byHost  map[string]*Home // by the Host that names it
	byRealm map[string]*Home
	secure  bool
}

// New reads the office's address and those that realms have of their own; "" is none.
func New(office string, realms map[string]string) (*Homes, error) {
	own, err := account.Origin(office)
	if err != nil {
		return nil, fmt.Errorf("url %q: want %w", office, err)
	}
	scheme, name, _ := strings.Cut(own, "://")
	h := &Homes{office: &Home{Own: own, Office: true}, secure: scheme == "https", byRealm: map[string]*Home{}}
	h.byHost = map[string]*Home{name: h.office}
	for realm, address := range realms {
		h.byRealm[realm] = h.office
		if address == "" || address == own {
			continue
		}
		apart, err := account.Origin(address)
		if err != nil {
			return nil, fmt.Errorf("url %q of realm %s: want %w", address, realm, err)
		}
		its, name, _ := strings.Cut(apart, "://")
		if its != scheme {
			return nil, fmt.Errorf("url %q of realm %s: want %s, as %s", address, realm, scheme, own)
		}
		if h.byHost[name] == nil {
			h.byHost[name] = &Home{Own: apart}
		}
		h.byRealm[realm] = h.byHost[name]
	}
	return h, nil
}

// One tells that there is the office alone. Then no request is asked for its Host: a proxy may send whatever it likes.
func (h *Homes) One() bool { return len(h.byHost) == 1 }

// At is where a request was sent; nil for a Host that is none of ours.
func (h *Homes) At(r *http.Request) *Home {
	if h.One() {
		return h.office
	}
	host := strings.ToLower(r.Host)
	if name, port, err := net.SplitHostPort(host); err == nil && (h.secure && port == "443" || !h.secure && port == "80") {
		if host = name; strings.Contains(name, ":") {
			host = "[" + name + "]"
		}
	}
	return h.byHost[host]
}

// Of is where a realm's people are answered; nil for no realm.
func (h *Homes) Of(realm string) *Home { return h.byRealm[realm] }

// Own is the origin of the pages where a request was sent; the office's when that is nowhere.
func (h *Homes) Own(r *http.Request) string {
	if at := h.At(r); at != nil {
		return at.Own
	}
	return h.office.Own
}

// Check refuses a realm's people at any other address than theirs. Where the office is, they are told the right one;
// where it is not, there is nothing to be known about it.
func (h *Homes) Check(r *http.Request, realm string) error {
	at, home := h.At(r), h.byRealm[realm]
	switch {
	case home == nil || at == home:
		return nil
	case at == nil:
		return Elsewhere{"this is none of the configured addresses; the first of them is " + h.office.Own}
	case at.Office:
		return Elsewhere{"the realm " + realm + " is at " + home.Own}
	}
	return fault.New(fault.NotFound, "")
}

// Elsewhere is a request for another address (RFC 9110 §15.5.20), which its text tells. The list of codes has none of
// its own for it: to its caller there is nothing here.
type Elsewhere struct{ Where string }

func (e Elsewhere) Error() string { return "misdirected request" }

func (e Elsewhere) Unwrap() error { return fault.New(fault.NotFound, e.Where) }
