package limit

import (
	"container/list"
	"net/netip"
	"sync"
)

// Bodies are those that are still coming. Each may take up memory, so there may be so many of a network, and so many in
// all. One more displaces the one that has been coming for longest instead of being refused: refused would be honest
// callers, whose bodies come at once, while slow ones stayed.
type Bodies struct {
	ofNetwork, inAll int

	mu       sync.Mutex // guards everything below
	all      *list.List // of *Arrival, the oldest first; so are those of a network
	networks map[netip.Prefix]*list.List
}

// Arrival is one that is still coming.
type Arrival struct {
	from      netip.Prefix
	stop      func() // ends the reading of it
	displaced bool

	amongAll, amongNetwork *list.Element
}

// NewBodies lets a network have so many, and all of them together so many.
func NewBodies(ofNetwork, inAll int) *Bodies {
	return &Bodies{ofNetwork: ofNetwork, inAll: inAll, all: list.New(), networks: map[netip.Prefix]*list.List{}}
}

// Enter adds a body. Its stop is called at most once, and not after Leave.
func (b *Bodies) Enter(from netip.Prefix, stop func()) *Arrival {
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
	one := &Arrival{from: from, stop: stop}
	one.amongAll, one.amongNetwork = b.all.PushBack(one), own.PushBack(one)
	return one
}

// Leave takes a body out, and tells whether it was displaced.
func (b *Bodies) Leave(one *Arrival) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !one.displaced {
		b.remove(one)
	}
	return one.displaced
}

func (b *Bodies) displace(oldest *list.Element) {
	one, ok := oldest.Value.(*Arrival)
	if !ok {
		panic("limit: not an arrival")
	}
	b.remove(one)
	one.displaced = true
	one.stop()
}

func (b *Bodies) remove(one *Arrival) {
	b.all.Remove(one.amongAll)
	own := b.networks[one.from]
	own.Remove(one.amongNetwork)
	if own.Len() == 0 {
		delete(b.networks, one.from) // callers with many addresses leave nothing behind
	}
}

// Waiting is how many there are.
func (b *Bodies) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Len()
}
