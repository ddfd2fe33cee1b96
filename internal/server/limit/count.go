package limit

import (
	"net/netip"
	"sync"
)

// Count lets each network have so many of something at once.
type Count struct {
	most int

	mu    sync.Mutex // guards taken
	taken map[netip.Prefix]int
}

// NewCount lets each network have most.
func NewCount(most int) *Count { return &Count{most: most, taken: map[netip.Prefix]int{}} }

// Take tells whether there was one left for the caller's network, which then has it until leave is called.
func (c *Count) Take(address netip.Addr) (leave func(), ok bool) {
	from := Network(address)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.taken[from] >= c.most {
		return nil, false
	}
	c.taken[from]++
	return func() { c.leave(from) }, true
}

func (c *Count) leave(from netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken[from]--
	if c.taken[from] == 0 {
		delete(c.taken, from)
	}
}

// Networks is how many networks have something.
func (c *Count) Networks() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.taken)
}
