package server

import (
	"bytes"
	"container/list"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
)

// receive reads the body, if there is one, before the request takes a place: its sender may take their time. Also one
// that no handler wants, which net/http would wait for while the answer is written.
func (s *Server) receive(w *response, r *http.Request) error {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	arriving := s.bodies.enter(network(s.address(r)), func() {
		// An error means that there is no connection below, as in a test.
		_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
	})
	data, err := io.ReadAll(http.MaxBytesReader(w.ResponseWriter, r.Body, maxBody))
	if displaced := s.bodies.leave(arriving); displaced {
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

// bodies are those that are still coming. Each may take up memory, so there may be so many of a network, and so many in
// all. One more displaces the one that has been coming for longest instead of being refused: refused would be honest
// callers, whose bodies come at once, while slow ones stayed.
type bodies struct {
	ofNetwork, inAll int

	mu       sync.Mutex // guards everything below
	all      *list.List // of *arrival, the oldest first; so are those of a network
	networks map[netip.Prefix]*list.List
}

type arrival struct {
	from      netip.Prefix
	stop      func() // ends the reading of it
	displaced bool

	amongAll, amongNetwork *list.Element
}

func newBodies(ofNetwork, inAll int) *bodies {
	return &bodies{ofNetwork: ofNetwork, inAll: inAll, all: list.New(), networks: map[netip.Prefix]*list.List{}}
}

// enter adds a body. Its stop is called at most once, and not after leave.
func (b *bodies) enter(from netip.Prefix, stop func()) *arrival {
	b.mu.Lock()
	defer b.mu.Unlock()
	if own := b.networks[from]; own != nil && own.Len() >= b.ofNetwork {
		b.displace(own.Front())
	} else if b.all.Len() >= b.inAll {
		b.displace(b.all.Front())
	}
	own := b.networks[from]
	if own == nil {
		own = list.New()
		b.networks[from] = own
	}
	one := &arrival{from: from, stop: stop}
	one.amongAll, one.amongNetwork = b.all.PushBack(one), own.PushBack(one)
	return one
}

// leave takes a body out, and tells whether it was displaced.
func (b *bodies) leave(one *arrival) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !one.displaced {
		b.remove(one)
	}
	return one.displaced
}

func (b *bodies) displace(oldest *list.Element) {
	one, ok := oldest.Value.(*arrival)
	if !ok {
		panic("server: not an arrival")
	}
	b.remove(one)
	one.displaced = true
	one.stop()
}

func (b *bodies) remove(one *arrival) {
	b.all.Remove(one.amongAll)
	own := b.networks[one.from]
	own.Remove(one.amongNetwork)
	if own.Len() == 0 {
		delete(b.networks, one.from) // callers with many addresses leave nothing behind
	}
}
