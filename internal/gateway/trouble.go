package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/munjigi/munjigi/internal/fault"
)

func list(words []string) string { return strings.Join(words, ", ") }

// unreachable is a service that does not do its part. It never signs anybody out.
func unreachable(service, what string) error {
	return &fault.Error{Code: fault.ServiceUnreachable, Service: service, Detail: service + ": " + what}
}

func late(service, what string) error {
	return &fault.Error{Code: fault.ServiceUnreachable, Service: service, Detail: service + ": " + what, Late: true}
}

func invalid(detail string) error { return fault.New(fault.RequestInvalid, detail) }

func unknown(detail string) error { return fault.New(fault.OperationUnknown, detail) }

// errStalled is a body that stopped on its way.
var errStalled = errors.New("nothing came for too long")

// trouble is what the caller is told when a call did not get through.
func trouble(ctx context.Context, service string, err error) error {
	if told, ok := errors.AsType[*fault.Error](err); ok {
		return told
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &fault.Error{Code: fault.TooLarge, Err: tooLarge}
	}
	if cause := context.Cause(ctx); cause != nil {
		if told, ok := errors.AsType[*fault.Error](cause); ok {
			return told // the session ended meanwhile
		}
		if errors.Is(cause, errStalled) {
			return late(service, "it stopped in the middle")
		}
		return &fault.Error{Code: fault.ServiceUnreachable, Service: service, Detail: "the caller has gone", Err: err}
	}
	if slow, ok := errors.AsType[net.Error](err); ok && slow.Timeout() {
		return late(service, "it does not answer in time")
	}
	return &fault.Error{Code: fault.ServiceUnreachable, Service: service, Detail: service + ": it cannot be reached", Err: err}
}
