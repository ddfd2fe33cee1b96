package signin

import (
	"context"
	"sync"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
)

// lines let callers of one name in a few at a time; the others wait in the order in which they came. The empty name
// waits for nobody.
type lines struct {
	atOnce int

	mu     sync.Mutex // guards everything below
	byName map[string]*line
	all    int
}

type line struct {
	places chan struct{}
	length int // those inside and those waiting
}

// So many may stand in one line, and in all of them together: whoever waits here takes one of the places of requests
// in flight, and renewals need some.
const (
	longestLine  = 500
	longestLines = 1000
)

func newLines(atOnce int) *lines { return &lines{atOnce: atOnce, byName: map[string]*line{}} }

// enter waits for its turn, which lasts until leave is called. too_many_attempts when the line is too long.
func (l *lines) enter(ctx context.Context, name string) (leave func(), err error) {
	if name == "" {
		return func() {}, nil
	}
	one, err := l.join(name)
	if err != nil {
		return nil, err
	}
	select {
	case one.places <- struct{}{}:
		return func() { <-one.places; l.part(name, one) }, nil
	case <-ctx.Done():
		l.part(name, one)
		return nil, ctx.Err()
	}
}

func (l *lines) join(name string) (*line, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.byName[name]
	if l.all >= longestLines || one != nil && one.length >= longestLine {
		return nil, &fault.Error{Code: fault.TooManyAttempts, Detail: "too many sign-ins at once", RetryAfter: 5 * time.Second}
	}
	if one == nil {
		one = &line{places: make(chan struct{}, l.atOnce)}
		l.byName[name] = one
	}
	one.length++
	l.all++
	return one, nil
}

func (l *lines) part(name string, one *line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	one.length--
	if one.length == 0 {
		delete(l.byName, name)
	}
}
