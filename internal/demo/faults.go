package demo

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/verify"
)

// faultNone is the mode in which the provider works; the others are the ways in which it fails.
const faultNone = "ok"

func faultModes() []string {
	return []string{faultNone, "down", "500", "429", "slow", "invalid_client", "html"}
}

// failing serves the handler, or fails in the chosen way.
func (p *Provider) failing(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch mode := p.mode(); {
		case mode == "down":
			panic(http.ErrAbortHandler) // net/http closes the connection without an answer
		case mode == "500":
			http.Error(w, "the provider has a bad day", http.StatusInternalServerError)
		case mode == "429":
			w.Header().Set("Retry-After", "30")
			tokenError(w, http.StatusTooManyRequests, "temporarily_unavailable", "too many requests")
		case mode == "html":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Write([]byte("<!doctype html><title>Maintenance</title><h1>We will be back soon</h1>\n"))
		case mode == "invalid_client" && r.URL.Path == "/token":
			refuseClient(w)
		case mode == "slow" && !p.waitOut(w, r):
			return // the client has gone: a token must not be rotated for nobody
		default:
			next(w, r)
		}
	})
}

// waitOut is the fault "slow". It tells false when the client went away meanwhile; for net/http to notice that, the
// body has to be read first.
func (p *Provider) waitOut(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxTokenRequest)
	r.ParseForm() // the handler meets the same error again
	timer := time.NewTimer(p.config.Slow)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

func (p *Provider) mode() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault
}

func (p *Provider) showFault(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"mode": p.mode()})
}

func (p *Provider) setFault(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Mode string `json:"mode"`
	}
	if err := decodeJSON(w, r, &body); err != nil {
		wrong := fault.Wrap(fault.RequestInvalid, err)
		wrong.Fields = []fault.Field{{Pointer: "", Detail: `{"mode": "…"}`}}
		verify.Refuse(w, r, wrong)
		return
	}
	if !slices.Contains(faultModes(), body.Mode) {
		wrong := fault.New(fault.RequestInvalid, "no such mode")
		wrong.Fields = []fault.Field{{Pointer: "/mode", Detail: "one of " + strings.Join(faultModes(), ", ")}}
		verify.Refuse(w, r, wrong)
		return
	}
	p.mu.Lock()
	p.fault = body.Mode
	p.mu.Unlock()
	p.config.Log.Info("demo provider changes its mode", "mode", body.Mode)
	p.showFault(w, r)
}

// listed is a person as GET /people shows them.
type listed struct {
	Email  string   `json:"email"`
	Name   string   `json:"name"`
	Roles  []string `json:"roles"`
	Active bool     `json:"active"`
}

func (p *Provider) everybody() []listed {
	left := p.book.read().Left
	var all []listed
	for _, person := range People() {
		all = append(all, listed{person.Email, person.Name, person.Roles, !slices.Contains(left, person.Email)})
	}
	return all
}

func (p *Provider) listPeople(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, p.everybody())
}

func (p *Provider) leave(w http.ResponseWriter, r *http.Request)    { p.setLeft(w, r, true) }
func (p *Provider) comeBack(w http.ResponseWriter, r *http.Request) { p.setLeft(w, r, false) }

func (p *Provider) setLeft(w http.ResponseWriter, r *http.Request, gone bool) {
	person, ok := personByEmail(r.PathValue("email"))
	if !ok {
		verify.Refuse(w, r, fault.New(fault.NotFound, "nobody here has this e-mail"))
		return
	}
	err := p.book.change(func(s *state) error {
		s.Left = slices.DeleteFunc(s.Left, func(email string) bool { return email == person.Email })
		if gone {
			s.Left = append(s.Left, person.Email)
		}
		return nil
	})
	if err != nil {
		p.serverError(w, err)
		return
	}
	p.config.Log.Info("demo person changes state", "email", person.Email, "active", !gone)
	writeJSON(w, http.StatusOK, listed{person.Email, person.Name, person.Roles, !gone})
}
