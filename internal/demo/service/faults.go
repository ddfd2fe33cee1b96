package service

import (
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/verify"
)

const healthy = "ok"

// Faults are the ways in which a service can be made to fail. "schema" answers every call with what its document does not
// say; "document" spoils the document itself.
func Faults() []string {
	return []string{healthy, "down", "slow", "html", "401", "403", "422", "429", "500", "schema", "document"}
}

// faults is the switch. It is on the service's own port at /faults, for pages and programs on this machine, and in no
// document.
type faults struct {
	slow time.Duration
	log  *slog.Logger

	mu   sync.Mutex // guards mode
	mode string
}

func newFaults(config Config) *faults {
	slow, log := config.Slow, config.Log
	if slow == 0 {
		slow = 20 * time.Second
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &faults{slow: slow, log: log, mode: healthy}
}

func (f *faults) serve(mux *http.ServeMux, name string) {
	mux.Handle("GET /{$}", f.page(name))
	mux.Handle("GET /service.js", asset("service.js"))
	mux.Handle("GET /service.css", asset("service.css"))
	mux.Handle("GET /faults", OnThisMachine(f.show))
	mux.Handle("POST /faults", OnThisMachine(f.set))
	mux.Handle("OPTIONS /faults", OnThisMachine(Preflight))
}

func (f *faults) now() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mode
}

func (f *faults) show(w http.ResponseWriter, _ *http.Request) {
	writeBody(w, http.StatusOK, "application/json", map[string]any{"mode": f.now(), "modes": Faults()})
}

func (f *faults) set(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Mode string `json:"mode"`
	}
	err := Read(r, &asked, false)
	if err == nil && !slices.Contains(Faults(), asked.Mode) {
		all := strings.Join(Faults(), ", ")
		err = wrongAt("/mode", "one of "+all, "다음 중 하나: "+all)
	}
	if err != nil {
		refuse(w, r, err)
		return
	}
	f.mu.Lock()
	f.mode = asked.Mode
	f.mu.Unlock()
	f.log.Info("demo service changes its mode", "mode", asked.Mode)
	f.show(w, r)
}

// failing serves the handler, or fails in the chosen way.
func (f *faults) failing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mode, document := f.now(), r.URL.Path == "/openapi.json"
		switch {
		case mode == "down":
			panic(http.ErrAbortHandler) // net/http closes the connection without an answer
		case mode == "slow" && !f.waitOut(r):
			return
		case mode == "html":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			io.WriteString(w, "<!doctype html><title>Maintenance</title><h1>We will be back soon</h1>\n")
		case mode == "500":
			http.Error(w, "panic: runtime error: invalid memory address", http.StatusInternalServerError)
		case mode == "document" && document:
			io.WriteString(w, `{"openapi": "3.1.0", "paths": {"/shops": {"get": `)
		case document || !f.odd(w, r, mode):
			next.ServeHTTP(w, r)
		}
	})
}

// odd answers a call in the modes in which the service is there and says something else than it should.
func (f *faults) odd(w http.ResponseWriter, r *http.Request, mode string) bool {
	switch mode {
	case "401":
		verify.Refuse(w, r, fault.New(fault.TokenInvalid, "the service was told to refuse"))
	case "403":
		refuse(w, r, Forbidden("not_your_department", "Only the accounts department may see this.", "회계 부서만 볼 수 있습니다."))
	case "422":
		refuse(w, r, wrongAt("/amount", "less than is left", "남은 금액보다 적어야 합니다"))
	case "429":
		slow := fault.New(fault.TooManyAttempts, "")
		slow.RetryAfter = 30 * time.Second
		verify.Refuse(w, r, slow)
	case "schema":
		writeBody(w, http.StatusOK, "application/json", map[string]any{"items": "none", "total": "many", "id": map[string]any{}})
	default:
		return false
	}
	return true
}

// waitOut is the fault "slow". It tells false when the client went away meanwhile.
func (f *faults) waitOut(r *http.Request) bool {
	timer := time.NewTimer(f.slow)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
