package fault

import (
	"errors"
	"slices"
	"time"
)

// Problem is the body of an error answer, application/problem+json (RFC 9457). "type" is left out: it is
// "about:blank" (RFC 9457 §4.2.1), and code tells the kind.
type Problem struct {
	Status      int     `json:"status"`
	Code        Code    `json:"code"`
	Title       string  `json:"title"`            // the sentence for people
	Detail      string  `json:"detail,omitempty"` // for developers, English
	Request     string  `json:"request,omitempty"`
	Errors      []Field `json:"errors,omitempty"`
	RetryAfter  int64   `json:"retry_after,omitempty"`   // seconds
	MaxCheckAge int64   `json:"max_check_age,omitempty"` // seconds
	ReplacedAt  int64   `json:"replaced_at,omitempty"`   // seconds since 1970
	ReplacedBy  string  `json:"replaced_by,omitempty"`
	Service     string  `json:"service,omitempty"`
	Sessions    any     `json:"sessions,omitempty"`
	Ticket      string  `json:"ticket,omitempty"`
}

// ProblemOf is what the caller may read of err, in "ko" or English. An error without a code tells nothing but
// internal and the request's id.
func ProblemOf(err error, language, request string) Problem {
	code := CodeOf(err)
	problem := Problem{Status: code.Status(), Code: code, Title: code.Sentence(language), Request: request}
	fault, ok := errors.AsType[*Error](err)
	if !ok {
		return problem
	}
	problem.Detail, problem.Errors = fault.Detail, inLanguage(fault.Fields, language)
	problem.RetryAfter, problem.MaxCheckAge = seconds(fault.RetryAfter), seconds(fault.MaxCheckAge)
	problem.ReplacedBy, problem.Sessions, problem.Ticket = fault.ReplacedBy, fault.Sessions, fault.Ticket
	problem.Service = fault.Service
	if fault.Late {
		problem.Status = 504
	}
	if !fault.ReplacedAt.IsZero() {
		problem.ReplacedAt = fault.ReplacedAt.Unix()
	}
	return problem
}

// inLanguage are the fields with their details in the language, where there is a choice.
func inLanguage(fields []Field, language string) []Field {
	told := slices.Clone(fields)
	for i, field := range told {
		if language == "ko" && field.Korean != "" {
			told[i].Detail = field.Korean
		}
		told[i].Korean = ""
	}
	return told
}

// seconds rounds up: a caller that waits for less than it was told would be refused once more.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
