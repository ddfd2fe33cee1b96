package session

import (
	"crypto/sha256"
	"crypto/subtle"
	"time"

	"github.com/munjigi/munjigi/internal/token"
)

// lostWindow is how long a lost answer counts.
const lostWindow = 24 * time.Hour

// Outcome is what a presented refresh token means.
type Outcome int

// The outcomes.
const (
	Unknown    Outcome = iota // a MAC of ours over a handle that the session does not have
	HasEnded                  // the session ended or expired
	Repeat                    // the answer of the last rotation, again
	Rotate                    // the usual renewal
	LostAnswer                // rotate, count and record it
	IsReused                  // end the session
	RolledBack                // from the store's future
)

// goesOn tells that the session lives on and its holder is answered.
func (o Outcome) goesOn() bool { return o == Repeat || o == Rotate || o == LostAnswer }

// Presented is what arrived with a renewal, after its MAC was found good.
type Presented struct {
	Refresh token.Refresh
	Device  string
	Now     time.Time
	// Force asks for a rotation where a repeat would do: the last answer lacks what is needed now (a recent check),
	// or its key signs no more.
	Force bool
}

// Decide tells what a presented refresh token means for the session: the whole rule of renewal, in one pure function.
// Order is by generation alone; time only tells a repeat from a return.
func Decide(s Session, p Presented, policy Policy) Outcome {
	if sum := sha256.Sum256(p.Refresh.Handle[:]); subtle.ConstantTimeCompare(sum[:], s.HandleHash[:]) != 1 {
		return Unknown
	}
	if !s.Live(p.Now) {
		return HasEnded
	}
	last, generation := s.Rotation, p.Refresh.Generation
	if generation > last.Generation {
		return RolledBack
	}
	// A clock that was ahead when it rotated must not have its answer repeated until it has caught up.
	graced := p.Now.Before(last.At.Add(policy.RenewGrace)) && p.Now.After(last.At.Add(-policy.RenewGrace))
	known := p.Device == last.Device
	switch {
	case generation == last.Generation && !graced:
		return Rotate
	case graced && (generation == last.Generation || generation == last.Presented):
		// Within the grace both were in the hands of one client; another device with them is a thief.
		if !known {
			return IsReused
		}
		if p.Force {
			return Rotate
		}
		return Repeat
	case generation == last.Presented || generation == last.Generation-1:
		if !known || len(recent(s.Lost, p.Now)) >= policy.LostAnswers {
			return IsReused
		}
		return LostAnswer
	}
	return IsReused
}

// recent keeps the lost answers that still count.
func recent(lost []time.Time, now time.Time) []time.Time {
	for i, at := range lost {
		if at.After(now.Add(-lostWindow)) {
			return lost[i:]
		}
	}
	return nil
}
