package recheck

import (
	"sync"
	"time"
)

const (
	// faultsToOpen in a row, and the provider is taken to be down.
	faultsToOpen = 5
	firstPause   = time.Second
	longestPause = 30 * time.Second
)

// breaker stops the questions to a provider that does not answer, and lets one through now and then to see whether it
// is back. Its zero value is closed, that is, working.
type breaker struct {
	longest time.Duration // pause between two probes, at most

	mu      sync.Mutex // guards everything below
	faults  int        // in a row, while closed
	since   time.Time  // when it opened; zero = closed
	pause   time.Duration
	probeAt time.Time
	probing bool // one is under way
}

// pass is leave to ask. A probe's outcome decides whether the breaker closes.
type pass struct{ probe bool }

// change is what an outcome did to the breaker.
type change int

const (
	unchanged change = iota
	opened
	closed
)

// ask gives leave to ask, or not. Every pass must come back through record or giveBack.
func (b *breaker) ask(now time.Time) (pass, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.since.IsZero() {
		return pass{}, true
	}
	if b.probing || now.Before(b.probeAt) {
		return pass{}, false
	}
	b.probing = true
	return pass{probe: true}, true
}

// room is how many questions ask would let through now, at most n.
func (b *breaker) room(now time.Time, n int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.since.IsZero():
		return n
	case b.probing || now.Before(b.probeAt):
		return 0
	}
	return min(n, 1)
}

// giveBack returns a pass that was not used.
func (b *breaker) giveBack(p pass) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = b.probing && !p.probe
}

// record takes the outcome of a question: fault is one of the provider as a whole. Late outcomes of questions that
// were asked before the breaker opened neither close it nor put off the next probe.
func (b *breaker) record(p pass, now time.Time, fault bool) (change, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.since.IsZero() {
		return b.recordClosed(now, fault), 0
	}
	if !p.probe {
		return unchanged, 0
	}
	b.probing = false
	if fault {
		b.pause = min(2*b.pause, b.longest)
		b.probeAt = now.Add(b.pause)
		return unchanged, 0
	}
	lasted := now.Sub(b.since)
	b.since, b.faults = time.Time{}, 0
	return closed, lasted
}

// recordClosed needs mu.
func (b *breaker) recordClosed(now time.Time, fault bool) change {
	if !fault {
		b.faults = 0
		return unchanged
	}
	b.faults++
	if b.faults < faultsToOpen {
		return unchanged
	}
	b.since, b.pause = now, min(firstPause, b.longest)
	b.probeAt = now.Add(b.pause)
	return opened
}

func (b *breaker) isOpen() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.since.IsZero()
}
