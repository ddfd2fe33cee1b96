package limit

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
)

func TestRate(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	l := NewRate(1, 2, func() time.Time { return now })
	take := func(address string) error { return l.Take(netip.MustParseAddr(address)) }
	for range 2 {
		if err := take("2001:db8::1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := take("2001:db8::2"); fault.CodeOf(err) != fault.TooManyAttempts {
		t.Errorf("another address of the same /64: got %v", err)
	}
	if err := errors.Join(take("2001:db8:0:1::1"), take("192.0.2.1"), l.Take(netip.Addr{})); err != nil {
		t.Errorf("another network: %v", err)
	}
	for i := range 2 * maxBuckets {
		_ = take(fmt.Sprintf("2001:db8:1:%x::", i%65536))
	}
	if len(l.buckets) > maxBuckets+1 {
		t.Errorf("%d buckets, want at most %d", len(l.buckets), maxBuckets+1)
	}
	if err := take("2001:db8:ffff::1"); fault.CodeOf(err) != fault.TooManyAttempts {
		t.Errorf("a newcomer during the flood: got %v, want to share what there is", err)
	}
	now = now.Add(time.Minute)
	if err := errors.Join(take("2001:db8:eeee::1"), take("2001:db8:eeee::1")); err != nil {
		t.Errorf("after the flood: %v", err)
	}
	if len(l.buckets) > 10 {
		t.Errorf("%d buckets are still there", len(l.buckets))
	}
}
