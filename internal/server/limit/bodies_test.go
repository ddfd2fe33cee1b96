package limit

import (
	"net/netip"
	"testing"
)

// Callers with many addresses leave nothing behind, and one that was displaced is not counted twice.
func TestBodiesLeaveNothing(t *testing.T) {
	b := NewBodies(2, 3)
	var stopped []int
	var all []*Arrival
	for i, from := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"} {
		all = append(all, b.Enter(Network(netip.MustParseAddr(from)), func() { stopped = append(stopped, i) }))
	}
	if n := b.Waiting(); n != 3 || len(stopped) != 2 || stopped[0] != 0 || stopped[1] != 1 {
		t.Errorf("%d wait, %v were stopped; want 3, and the first two", n, stopped)
	}
	for i, one := range all {
		if displaced := b.Leave(one); displaced != (i < 2) {
			t.Errorf("body %d: displaced %t", i, displaced)
		}
	}
	if n := b.Waiting(); n != 0 || len(b.networks) != 0 {
		t.Errorf("%d bodies and %d networks are left", n, len(b.networks))
	}
}
