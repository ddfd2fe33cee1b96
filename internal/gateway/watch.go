package gateway

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/gateway/mask"
)

// watch looks after a call that lasts: it ends when the session does, and when nothing moves any more.
type watch struct {
	g      *Gateway
	who    Caller
	ctx    context.Context
	cancel context.CancelCauseFunc
	moved  atomic.Int64 // when the last piece of a body came or went, in nanoseconds
	bodies atomic.Bool  // a body is under way: until then the transport counts

	mu    sync.Mutex // guards timer
	timer *time.Timer
}

func (g *Gateway) watch(ctx context.Context, who Caller) (context.Context, *watch) {
	w := &watch{g: g, who: who}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.moved.Store(time.Now().UnixNano())
	w.mu.Lock() // the first look may come at once
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(g.Limits.Check, w.look)
	return w.ctx, w
}

// look runs beside the call, between two of its ticks.
func (w *watch) look() {
	if w.ctx.Err() != nil {
		return
	}
	if w.bodies.Load() && time.Since(time.Unix(0, w.moved.Load())) > w.g.Limits.Stall {
		w.cancel(errStalled)
		return
	}
	// An error of the store is no verdict: the call goes on.
	if err := w.who.Alive(w.ctx); err != nil && strings.HasPrefix(string(fault.CodeOf(err)), "session_") {
		w.cancel(err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Reset(w.g.Limits.Check)
	}
}

// stop ends the watch; nothing is left of it.
func (w *watch) stop() {
	w.mu.Lock()
	w.timer.Stop()
	w.timer = nil
	w.mu.Unlock()
	w.cancel(nil)
}

// deadline moves a connection's deadline on, at most once a second, while pieces move.
type deadline struct {
	set   func(time.Time) error
	by    time.Duration
	moved time.Time
}

func (d *deadline) move() {
	if now := time.Now(); now.Sub(d.moved) > time.Second {
		d.moved = now
		_ = d.set(now.Add(d.by)) // an error means that there is no connection below, as in a test
	}
}

// incoming is the caller's body on its way to the service.
type incoming struct {
	io.ReadCloser
	watch   *watch
	until   deadline
	guarded bool   // nothing that hides a value may be written in its place
	tail    []byte // the end of the last piece, where a mask may have begun
}

func newIncoming(w http.ResponseWriter, body io.ReadCloser, watch *watch, limit int64) *incoming {
	watch.bodies.Store(true)
	return &incoming{
		ReadCloser: http.MaxBytesReader(nil, body, limit), watch: watch,
		until: deadline{set: http.NewResponseController(w).SetReadDeadline, by: watch.g.Limits.Stall},
	}
}

func (b *incoming) Read(into []byte) (int, error) {
	b.until.move()
	n, err := b.ReadCloser.Read(into)
	if n > 0 {
		b.watch.moved.Store(time.Now().UnixNano())
		if b.guarded && b.hasMask(into[:n]) {
			return 0, errMask
		}
	}
	if err != nil {
		_ = b.until.set(time.Time{}) // the answer may take longer than the body did
	}
	return n, err
}

// masks are how JSON may spell what hides a value.
var masks = [][]byte{[]byte(`"` + mask.Masked + `"`), []byte(`"` + strings.Repeat(`\u2022`, 4) + `"`)}

// errMask: whoever sends back a record as it was shown would lose what was hidden in it.
var errMask = &fault.Error{Code: fault.RequestInvalid, Detail: "the body has " + mask.Masked + " for a value: leave out what is hidden, or reveal it first"}

// hasMask looks for a mask in a piece and in what was before it. The piece is not passed on when there is one, so what
// the service has of it is no JSON.
func (b *incoming) hasMask(piece []byte) bool {
	both := slices.Concat(b.tail, piece)
	b.tail = slices.Clone(both[max(0, len(both)-len(masks[1])):])
	return slices.ContainsFunc(masks, func(m []byte) bool { return bytes.Contains(both, m) })
}

// outward is the answer on its way to the caller. Its headers are kept apart until it begins: what a service sends ahead
// of it (1xx) or behind it (trailers) goes nowhere.
type outward struct {
	http.ResponseWriter
	header http.Header
	watch  *watch
	until  deadline
	left   int64 // bytes that may still come
	begun  bool
}

func newOutward(w http.ResponseWriter, watch *watch, most int64) *outward {
	return &outward{
		ResponseWriter: w, header: http.Header{}, watch: watch, left: most,
		until: deadline{set: http.NewResponseController(w).SetWriteDeadline, by: watch.g.Limits.Stall},
	}
}

// Header implements http.ResponseWriter.
func (o *outward) Header() http.Header { return o.header }

// WriteHeader implements http.ResponseWriter.
func (o *outward) WriteHeader(status int) {
	if status < http.StatusOK || o.begun {
		return
	}
	o.begun = true
	o.watch.bodies.Store(true)
	o.watch.moved.Store(time.Now().UnixNano())
	to := o.ResponseWriter.Header()
	for name, values := range o.header {
		to[name] = values
	}
	to.Set("Content-Security-Policy", contentPolicy)
	to.Set("X-Content-Type-Options", "nosniff")
	to.Set("Cache-Control", "no-store")
	to.Add("Vary", "Accept-Language")
	o.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (o *outward) Write(data []byte) (int, error) {
	if !o.begun {
		o.WriteHeader(http.StatusOK)
	}
	if o.left -= int64(len(data)); o.left < 0 {
		return 0, errTooLong
	}
	o.until.move()
	n, err := o.ResponseWriter.Write(data)
	o.watch.moved.Store(time.Now().UnixNano())
	return n, err
}

// Unwrap is for http.ResponseController.
func (o *outward) Unwrap() http.ResponseWriter { return o.ResponseWriter }
