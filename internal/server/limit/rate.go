// Package limit bounds what callers may take: requests of a network per second, things that it has at once, and bodies
// that are still coming. It keeps what it counts in memory, so each node counts for itself.
//
// It knows nothing of requests or answers.
package limit

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/munjigi/munjigi/internal/fault"
)

// Network is what one caller can be assumed to have of addresses: a /64 of IPv6.
func Network(from netip.Addr) netip.Prefix {
	bits := from.BitLen()
	if from.Is6() {
		bits = 64
	}
	prefix, _ := from.Prefix(bits) // the zero prefix for the zero address: one bucket for all unknown ones
	return prefix
}

// Rate gives each network a bucket of its own.
type Rate struct {
	perSecond rate.Limit
	atOnce    int
	now       func() time.Time

	mu      sync.Mutex // guards everything below
	buckets map[netip.Prefix]*rate.Limiter
	sweptAt time.Time
}

// maxBuckets bounds the memory that callers with many addresses can take up.
const maxBuckets = 20_000

// NewRate lets each network have so many a second, and so many at once.
func NewRate(perSecond float64, atOnce int, now func() time.Time) *Rate {
	return &Rate{perSecond: rate.Limit(perSecond), atOnce: atOnce, now: now, buckets: map[netip.Prefix]*rate.Limiter{}}
}

// Take is too_many_attempts when the caller's bucket is empty.
func (l *Rate) Take(from netip.Addr) error {
	now := l.now()
	l.mu.Lock()
	bucket := l.bucket(Network(from), now)
	l.mu.Unlock()
	if bucket.AllowN(now, 1) {
		return nil
	}
	return &fault.Error{Code: fault.TooManyAttempts, RetryAfter: time.Duration(float64(time.Second) / float64(l.perSecond))}
}

func (l *Rate) bucket(from netip.Prefix, now time.Time) *rate.Limiter {
	if bucket, ok := l.buckets[from]; ok {
		return bucket
	}
	if len(l.buckets) >= maxBuckets && now.Sub(l.sweptAt) >= time.Second {
		l.sweptAt = now
		for key, bucket := range l.buckets {
			if bucket.TokensAt(now) >= float64(l.atOnce) { // full again: as good as new
				delete(l.buckets, key)
			}
		}
	}
	if len(l.buckets) >= maxBuckets {
		from = netip.Prefix{} // under attack from everywhere: newcomers share what there is
		if bucket, ok := l.buckets[from]; ok {
			return bucket
		}
	}
	bucket := rate.NewLimiter(l.perSecond, l.atOnce)
	l.buckets[from] = bucket
	return bucket
}
