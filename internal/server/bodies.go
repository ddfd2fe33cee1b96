package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/server/body"
	"github.com/munjigi/munjigi/internal/server/limit"
)

// receive reads the body, if there is one, before the request takes a place: its sender may take their time. Also one
// that no handler wants, which net/http would wait for while the answer is written.
func (s *Server) receive(w *response, r *http.Request) error {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	arriving := s.bodies.Enter(limit.Network(s.address(r)), func() {
		// An error means that there is no connection below, as in a test.
		_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
	})
	data, err := io.ReadAll(http.MaxBytesReader(w.ResponseWriter, r.Body, body.Most))
	if displaced := s.bodies.Leave(arriving); displaced {
		w.Header().Set("Connection", "close") // it cannot be read any more
		return &fault.Error{Code: fault.TooManyAttempts, Detail: "the body came too slowly", RetryAfter: time.Second, Err: err}
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &fault.Error{Code: fault.TooLarge, Detail: fmt.Sprintf("at most %d bytes", tooLarge.Limit)}
	}
	if err != nil {
		return fault.Wrap(fault.RequestInvalid, err)
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
	return nil
}
