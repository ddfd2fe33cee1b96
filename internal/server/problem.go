package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/server/host"
)

// methodError is a known path with another method. The list of codes has none of its own for it: to its caller there
// is nothing here under that method. The status and Allow are HTTP's (RFC 9110 §15.5.6).
type methodError struct{ allow string }

func (e methodError) Error() string { return "method not allowed" }

func (e methodError) Unwrap() error {
	return fault.New(fault.NotFound, "this address takes "+e.allow+" only")
}

// fail answers an error: the one place where problem documents are made. What has no code is told to the log alone.
func (s *Server) fail(w *response, r *http.Request, err error) {
	problem := fault.ProblemOf(err, language(r), w.id)
	if wrong, ok := err.(methodError); ok {
		w.Header().Set("Allow", wrong.allow)
		problem.Status = http.StatusMethodNotAllowed
	}
	if _, wrong := errors.AsType[host.Elsewhere](err); wrong {
		problem.Status = http.StatusMisdirectedRequest
	}
	w.code, w.err = problem.Code, err
	if w.status != 0 {
		return // the answer has begun; all that is left is to end it
	}
	header := w.Header()
	if problem.Status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", challenge(r, problem.Code))
	}
	if problem.RetryAfter > 0 {
		header.Set("Retry-After", strconv.FormatInt(problem.RetryAfter, 10))
	}
	header.Set("Cache-Control", "no-store")
	header.Add("Vary", "Accept-Language")
	if w.page {
		s.showProblem(w, r, problem)
		return
	}
	header.Set("Content-Type", "application/problem+json")
	body, err := json.Marshal(problem)
	if err != nil { // only Sessions could; nothing of ours does
		body = []byte(`{"status":500,"code":"internal"}`)
		problem.Status = http.StatusInternalServerError
	}
	w.WriteHeader(problem.Status)
	_, _ = w.Write(body)
}

// challenge is WWW-Authenticate (RFC 6750 §3): what is wrong with a token only to those who sent one.
func challenge(r *http.Request, code fault.Code) string {
	if r.Header.Get("Authorization") == "" {
		return "Bearer"
	}
	return `Bearer error="invalid_token", code="` + string(code) + `"`
}

// language is the one of our two that the caller would rather read: Korean or, for everybody else, English.
func language(r *http.Request) string {
	best, bestWeight := "en", 0.0
	for choice := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, parameters, _ := strings.Cut(strings.TrimSpace(choice), ";")
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if primary != "ko" && primary != "en" {
			continue
		}
		weight := 1.0
		if q, found := strings.CutPrefix(strings.TrimSpace(parameters), "q="); found {
			weight, _ = strconv.ParseFloat(q, 64) // unreadable counts as not wanted
		}
		if weight > bestWeight {
			best, bestWeight = primary, weight
		}
	}
	return best
}

// invalid is a request_invalid about one member.
func invalid(pointer, detail string) error {
	return &fault.Error{Code: fault.RequestInvalid, Fields: []fault.Field{{Pointer: pointer, Detail: detail}}}
}
