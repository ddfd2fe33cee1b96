package recheck

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// slowest is the rate that every provider can bear, in questions a second: what it gets when it comes back.
	slowest = 10
	// headroom over the rate that the number of people asks for, so that what is overdue is caught up with.
	headroom = 2
	// doubleEvery is how long a rate lasts after an outage before it is doubled.
	doubleEvery = 15 * time.Second
)

// pace limits the questions to one provider: to what its people need, or, after an outage, from slowest upwards.
type pace struct {
	limiter *rate.Limiter

	mu        sync.Mutex // guards everything below
	normal    rate.Limit
	recovered time.Time // the end of the last outage; zero = none, or long ago
}

func newPace() *pace {
	return &pace{limiter: rate.NewLimiter(slowest, 1), normal: slowest}
}

// resize takes the number of people and how often each is asked.
func (p *pace) resize(people int, every time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.normal = max(slowest, rate.Limit(headroom*float64(people)/every.Seconds()))
}

// recover begins again at the slowest rate.
func (p *pace) recover(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.recovered = now
	p.adjust(now)
}

// tick adjusts the rate to the time.
func (p *pace) tick(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.adjust(now)
}

// adjust needs mu. The burst is an eighth of a second: more would be asked at once than the rate says, less would
// add the waiting of one poll to the time of a cut-off.
func (p *pace) adjust(now time.Time) {
	limit := p.normal
	if !p.recovered.IsZero() {
		doubled := min(int(now.Sub(p.recovered)/doubleEvery), 30)
		if slow := slowest * rate.Limit(int64(1)<<doubled); slow < limit {
			limit = slow
		} else {
			p.recovered = time.Time{}
		}
	}
	p.limiter.SetLimitAt(now, limit)
	p.limiter.SetBurstAt(now, max(1, int(limit/8)))
}

// lasts is how long n questions take.
func (p *pace) lasts(n int) time.Duration {
	return time.Duration(float64(n) / float64(p.limiter.Limit()) * float64(time.Second))
}

func (p *pace) wait(ctx context.Context) error { return p.limiter.Wait(ctx) }
