package server

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
)

// address is the caller's: the peer's, or what a trusted proxy says, read from the right, because everything to the left
// of the last untrusted hop is whatever that hop liked to write.
func (s *Server) address(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	caller := peer.Addr().Unmap().WithZone("")
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusted(caller); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		caller = hop.Unmap().WithZone("")
	}
	return caller
}

func (s *Server) trusted(address netip.Addr) bool {
	for _, prefix := range s.TrustedProxies {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// caller is who calls, for rows and the audit.
func (s *Server) caller(r *http.Request) session.Caller {
	return session.Caller{Device: session.DeviceClass(r.UserAgent()), From: s.address(r).String()}
}

// addressLimit gives each address a bucket of its own.
type addressLimit struct {
	perSecond rate.Limit
	atOnce    int
	now       func() time.Time

	mu      sync.Mutex // guards everything below
	buckets map[netip.Prefix]*rate.Limiter
	sweptAt time.Time
}

// maxBuckets bounds the memory that callers with many addresses can take up.
const maxBuckets = 20_000

func newAddressLimit(perSecond float64, atOnce int, now func() time.Time) *addressLimit {
	return &addressLimit{perSecond: rate.Limit(perSecond), atOnce: atOnce, now: now, buckets: map[netip.Prefix]*rate.Limiter{}}
}

// take is too_many_attempts when the caller's bucket is empty.
func (l *addressLimit) take(from netip.Addr) error {
	now := l.now()
	l.mu.Lock()
	bucket := l.bucket(network(from), now)
	l.mu.Unlock()
	if bucket.AllowN(now, 1) {
		return nil
	}
	return &fault.Error{Code: fault.TooManyAttempts, RetryAfter: time.Duration(float64(time.Second) / float64(l.perSecond))}
}

// network is what one caller can be assumed to have of addresses: a /64 of IPv6.
func network(from netip.Addr) netip.Prefix {
	bits := from.BitLen()
	if from.Is6() {
		bits = 64
	}
	prefix, _ := from.Prefix(bits) // the zero prefix for the zero address: one bucket for all unknown ones
	return prefix
}

// networkCount lets each network have so many of something at once.
type networkCount struct {
	most int

	mu    sync.Mutex // guards taken
	taken map[netip.Prefix]int
}

// take tells whether there was one left for the caller's network, which then has it until leave is called.
func (c *networkCount) take(address netip.Addr) (leave func(), ok bool) {
	from := network(address)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.taken[from] >= c.most {
		return nil, false
	}
	c.taken[from]++
	return func() { c.leave(from) }, true
}

func (c *networkCount) leave(from netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken[from]--
	if c.taken[from] == 0 {
		delete(c.taken, from)
	}
}

func (l *addressLimit) bucket(from netip.Prefix, now time.Time) *rate.Limiter {
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
