package server

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/server/body"
	"github.com/munjigi/munjigi/internal/server/meter"
)

// response is a ResponseWriter that remembers what the log, the metrics and the problem documents need to know.
type response struct {
	http.ResponseWriter
	id       string // of the request
	route    string // pattern; never the path, which may hold a session's id
	page     bool   // a person looks at it: problems are shown as a page
	streamed bool   // it lasted as long as its follower wanted
	status   int    // 0 until the answer has begun
	code     fault.Code
	err      error
}

func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(data []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(data)
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// ServeHTTP is around every request, whatever comes of it: id, security headers, log, metrics, panics.
func (s *Server) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	began := s.Now()
	w := &response{ResponseWriter: out, id: requestID(), route: "none"}
	s.secureHeaders(w.Header())
	w.Header().Set("Munjigi-Request", w.id)
	defer func() {
		cause := recover()
		aborted := cause == http.ErrAbortHandler // an answer that has begun and cannot be finished: the connection ends with it
		if cause != nil && !aborted {
			s.Log.Error("panic", "request", w.id, "route", w.route, "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			s.fail(w, r, fmt.Errorf("panic: %v", cause))
		}
		took := s.Now().Sub(began)
		s.metrics.Observe(meter.Request{Route: w.route, Status: w.status, Code: string(w.code), Took: took, Streamed: w.streamed})
		s.logRequest(w, r, took)
		if aborted {
			panic(cause)
		}
	}()
	if one, ok := s.behind(r); ok {
		s.serve(w, r, one)
		return
	}
	s.mux.ServeHTTP(w, r)
}

func requestID() string {
	var bits [9]byte
	rand.Read(bits[:]) // never fails: crypto/rand
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

// contentPolicy: nothing but our own files, no inline script or style, in nobody's frame; pictures by https as well, since
// the records of services name some.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; font-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

func (s *Server) secureHeaders(header http.Header) {
	header.Set("Content-Security-Policy", contentPolicy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	header.Set("Cache-Control", "no-store") // the few that may be cached say so themselves
	if s.secure {
		header.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// logRequest writes neither path nor query: both can hold what only the caller should know.
func (s *Server) logRequest(w *response, r *http.Request, took time.Duration) {
	level := slog.LevelInfo
	attributes := []any{
		"request", w.id, "method", r.Method, "route", w.route, "status", w.status,
		"took", took, "from", s.address(r).String(),
	}
	if w.err != nil {
		attributes = append(attributes, "code", w.code, "err", w.err)
	}
	if w.status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	s.Log.Log(r.Context(), level, "request", attributes...)
}

// handler is what a route does. What it returns becomes a problem document.
type handler func(w *response, r *http.Request) error

// serve answers a request by a route: CORS, the body, a place among those in flight, the error's answer.
func (s *Server) serve(out http.ResponseWriter, r *http.Request, route route) {
	w, ok := out.(*response)
	if !ok { // only when the mux is called by something else than ServeHTTP
		panic("server: not called through ServeHTTP")
	}
	w.route, w.page = route.pattern, route.kind == navigation
	s.share(w, r, route.to)
	if err := s.admit(w, r, route); err != nil {
		s.fail(w, r, err)
	}
}

// admit lets a request through to its route. Only what is all here may take a place, or callers who send nothing more
// would keep all of them from everybody else.
func (s *Server) admit(w *response, r *http.Request, route route) error {
	if err := s.checkHost(r, route); err != nil {
		return err
	}
	if err := s.csrf.Check(r); err != nil { // before anything is read; which app may what is checkOrigin's
		return &fault.Error{Code: fault.OriginRefused, Detail: "not an origin of any app", Err: err}
	}
	query := r.URL.Query()
	for _, name := range []string{"access_token", "refresh_token", "token"} {
		if query.Has(name) { // it would be in logs and histories by now
			return fault.New(fault.RequestInvalid, "a token never goes into a URL")
		}
	}
	if route.kind == passage {
		w.streamed = true
		return route.handle(w, r)
	}
	if changes(r.Method) && !body.IsJSON(r) {
		return fault.New(fault.RequestInvalid, "send Content-Type: application/json")
	}
	if err := s.receive(w, r); err != nil {
		return err
	}
	if route.kind == call || route.kind == navigation {
		leave, err := s.place()
		if err != nil {
			return err
		}
		defer leave()
	}
	return route.handle(w, r)
}

// place takes one of the places of requests in flight, until leave is called.
func (s *Server) place() (leave func(), err error) {
	select {
	case s.inFlight <- struct{}{}:
		return func() { <-s.inFlight }, nil
	default:
		return nil, &fault.Error{Code: fault.TooManyAttempts, Detail: "too many requests at once", RetryAfter: time.Second}
	}
}
