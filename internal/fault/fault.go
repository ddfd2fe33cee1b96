// Package fault is the closed list of codes that cross the wire, the HTTP status of each, the one sentence that a
// person reads, and the error that carries them through the program.
//
// It knows nothing of HTTP handlers, sessions or stores: every other package may import it, it imports none of ours.
package fault

import (
	"errors"
	"time"
)

// Code is one of the codes below. The zero value is no code; an error without one is Internal.
type Code string

// The codes, in the order of the protocol's table.
const (
	TokenMissing       Code = "token_missing"
	TokenExpired       Code = "token_expired"
	TokenMalformed     Code = "token_malformed"
	TokenInvalid       Code = "token_invalid"
	TokenNotYetValid   Code = "token_not_yet_valid"
	TokenWrongAudience Code = "token_wrong_audience"
	TokenStaleCheck    Code = "token_stale_check"

	SessionMissing     Code = "session_missing"
	SessionUnknown     Code = "session_unknown"
	SessionExpired     Code = "session_expired"
	SessionSignedOut   Code = "session_signed_out"
	SessionReplaced    Code = "session_replaced"
	SessionRevoked     Code = "session_revoked"
	SessionCutOff      Code = "session_cut_off"
	SessionUnconfirmed Code = "session_unconfirmed"
	SessionReused      Code = "session_reused"

	CredentialsWrong Code = "credentials_wrong"

	RoleMissing         Code = "role_missing"
	OriginRefused       Code = "origin_refused"
	DomainRefused       Code = "domain_refused"
	OperationUnknown    Code = "operation_unknown"
	OperationNotGranted Code = "operation_not_granted"
	ReasonRequired      Code = "reason_required"

	NotFound         Code = "not_found"
	SessionLimit     Code = "session_limit"
	ApprovalRequired Code = "approval_required"
	EditConflict     Code = "edit_conflict"
	TooLarge         Code = "too_large"
	RequestInvalid   Code = "request_invalid"
	TooManyAttempts  Code = "too_many_attempts"

	ServiceUnreachable  Code = "service_unreachable"
	UpstreamUnavailable Code = "upstream_unavailable"
	RevocationsStale    Code = "revocations_stale"
	StoreUnavailable    Code = "store_unavailable"
	StoreRolledBack     Code = "store_rolled_back"

	Internal Code = "internal"
)

// Error is a fault that a caller or a person must be able to tell apart. Only Code is required.
type Error struct {
	Code Code
	// Detail is one English sentence for the developer who sees the answer; it holds nothing secret.
	Detail string
	// Fields names the wrong members of a request_invalid request.
	Fields []Field
	// RetryAfter, when positive, is when to try again (429 and 503).
	RetryAfter time.Duration
	// ReplacedAt and ReplacedBy belong to session_replaced: when, and the device class that took over.
	ReplacedAt time.Time
	ReplacedBy string
	// MaxCheckAge belongs to token_stale_check: what to ask a renewal for.
	MaxCheckAge time.Duration
	// Sessions and Ticket belong to session_limit: the account's live sessions, and a one-minute right to end one.
	Sessions any
	Ticket   string
	// Service names the service that an answer is about, where it is about one.
	Service string
	// Late makes a service_unreachable 504 (RFC 9110 §15.6.5): the service was reached and did not answer in time.
	Late bool
	// Err is the cause. It goes to the log, never to the caller.
	Err error
}

// Field is one wrong member of a request: a JSON pointer (RFC 6901) and what was expected there.
type Field struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
	// Korean is Detail for who reads Korean, where it is for people and not for developers alone.
	Korean string `json:"-"`
}

func (e *Error) Error() string {
	text := string(e.Code)
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// New is an Error with a code and a detail.
func New(code Code, detail string) *Error { return &Error{Code: code, Detail: detail} }

// Wrap is an Error with a code and its cause.
func Wrap(code Code, err error) *Error { return &Error{Code: code, Err: err} }

// CodeOf is the code of err: Internal when it bears none, "" when err is nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if fault, ok := errors.AsType[*Error](err); ok && fault.Code != "" {
		return fault.Code
	}
	return Internal
}
