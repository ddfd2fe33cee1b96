package session

import (
	"slices"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
)

// Displaced decides which of an account's live sessions must end before one more begins on device: the oldest of its
// class until it fits there, then the oldest of all until it fits the account; no more than that. named, when it is
// among them, is the one that a person chose to end: it goes first where that makes room, and counts as gone.
//
// With WhenFull: Refuse nobody but named makes room. When that does not suffice it is session_limit, bearing the
// sessions of which one has to end. ended is then those that end all the same: the named one where several are too
// many, as after a limit was lowered, so that each choice comes nearer.
func Displaced(live []Session, begin Arrival, p Policy) (ended []Session, err error) {
	left := slices.SortedStableFunc(slices.Values(live), func(a, b Session) int { return a.StartedAt.Compare(b.StartedAt) })
	take := func(fits func(Session) bool) bool {
		i := slices.IndexFunc(left, fits)
		if i < 0 {
			return false
		}
		ended, left = append(ended, left[i]), slices.Delete(left, i, i+1)
		return true
	}
	next := func() func(Session) bool { return inTheWay(left, ClassOf(begin.Device), p) }
	if rule := next(); rule != nil && begin.End != nil {
		take(func(s Session) bool { return s.ID == *begin.End && rule(s) })
	}
	for rule := next(); rule != nil; rule = next() {
		if p.WhenFull == Refuse {
			choice := slices.DeleteFunc(left, func(s Session) bool { return !rule(s) })
			return ended, &fault.Error{Code: fault.SessionLimit, Sessions: choice}
		}
		take(rule)
	}
	return ended, nil
}

// Arrival is what Displaced has to know of a session that is to begin.
type Arrival struct {
	Device string           // device class
	End    *token.SessionID // the session that the person chose to end for it; nil when nobody was asked
}

// inTheWay tells by which rule one of the live sessions has to end before one of the class begins; nil when it fits.
// The class goes first: whoever makes room there makes room in the account as well.
func inTheWay(live []Session, class Class, p Policy) func(Session) bool {
	same := func(s Session) bool { return ClassOf(s.Device) == class }
	alike := 0
	for _, s := range live {
		if same(s) {
			alike++
		}
	}
	switch {
	case p.PerDeviceClass > 0 && alike >= p.PerDeviceClass:
		return same
	case p.PerAccount > 0 && len(live) >= p.PerAccount:
		return func(Session) bool { return true }
	}
	return nil
}

// RevocationUntil is how long the feed must name a session that ends at at: until no access token of it can be alive.
func RevocationUntil(at time.Time, accessMax, skew time.Duration) time.Time {
	return at.Add(accessMax + skew)
}
