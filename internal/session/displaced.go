package session

import (
	"slices"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
)

// Displaced decides which of an account's live sessions must end before one more begins: the oldest, until the new one
// fits. With WhenFull: Refuse it is session_limit instead, bearing the sessions.
func Displaced(live []Session, p Policy) ([]Session, error) {
	over := len(live) + 1 - p.PerAccount
	if p.PerAccount == 0 || over <= 0 {
		return nil, nil
	}
	if p.WhenFull == Refuse {
		return nil, &fault.Error{Code: fault.SessionLimit, Sessions: live}
	}
	oldest := slices.SortedStableFunc(slices.Values(live), func(a, b Session) int { return a.StartedAt.Compare(b.StartedAt) })
	return oldest[:over], nil
}

// RevocationUntil is how long the feed must name a session that ends at at: until no access token of it can be alive.
func RevocationUntil(at time.Time, accessMax, skew time.Duration) time.Time {
	return at.Add(accessMax + skew)
}
