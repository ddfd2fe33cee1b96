package recheck

import (
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
	"github.com/munjigi/munjigi/internal/upstream"
)

// The next question comes this share of `every` after the last one. Jitter only shortens: even the longest leaves room
// for polling, the provider's latency and the commit.
const (
	soonest = 0.80
	latest  = 0.95
)

// kind is what a verdict does to a grant.
type kind string

const (
	confirm  kind = "valid"       // Store.Confirm
	cutOff   kind = "gone"        // Store.Gone, or Hold in a wave
	giveUp   kind = "unconfirmed" // Store.Gone, for want of an answer
	postpone kind = "unknown"     // Store.Postpone, or Confirm with the old profile where a new token came
)

// decision is what to write down of an answer.
type decision struct {
	kind         kind
	confirmation Confirmation // of confirm, and of the others where it bears a token
	dueAt        time.Time
	keepIntent   bool
}

// asked is a question about a grant.
type asked struct {
	grant  Grant // as leased: Intent is what earlier presentations left
	realm  Realm
	at     time.Time
	jitter float64 // in [0, 1)
}

// decide is what an answer means. It is a pure function.
//
// A provider that rotates refresh tokens may have done so in an answer that got lost. So its invalid_grant is only
// believed when no earlier presentation of this token is unaccounted for; otherwise it is unknown, and ends the
// sessions as unconfirmed once the last confirmation is too old.
func decide(q asked, a upstream.Answer) decision {
	switch a.Verdict {
	case upstream.Valid:
		found, err := profile(q, a.Person)
		switch {
		case fault.CodeOf(err) == fault.DomainRefused:
			return gone(a) // they may still be at the provider, but do not belong here any more
		case err != nil:
			a.ProviderFault = true // ours, rather: in any case nothing against this person
			return unknown(q, a)
		}
		return decision{kind: confirm, confirmation: Confirmation{Profile: found, Token: a.RefreshToken, DueAt: q.next()}}
	case upstream.Gone:
		if a.Accepted || q.grant.Intent.IsZero() || !q.grant.Rotates {
			return gone(a)
		}
	}
	return unknown(q, a)
}

// gone keeps the token that came with a no, for the case that an administrator decides otherwise.
func gone(a upstream.Answer) decision {
	return decision{kind: cutOff, confirmation: Confirmation{Token: a.RefreshToken}}
}

func unknown(q asked, a upstream.Answer) decision {
	// While the provider as a whole is silent, age alone ends nobody's session; renewals wait for it instead.
	if !a.ProviderFault && q.stale() {
		return decision{kind: giveUp}
	}
	d := decision{kind: postpone, dueAt: q.next()}
	if a.ProviderFault {
		d.dueAt = q.retry()
	}
	lost := a.Presented && q.grant.Rotates || !q.grant.Intent.IsZero()
	d.keepIntent = lost && !a.Accepted
	if a.RefreshToken != "" {
		// The old one is used up, so this one is kept though the answer proves nothing.
		d.confirmation = Confirmation{Profile: q.grant.Account.Profile, Token: a.RefreshToken, DueAt: d.dueAt}
	}
	return d
}

func profile(q asked, p upstream.Person) (account.Profile, error) {
	roles, err := q.realm.Roles(p)
	found := account.Profile{Email: p.Email, Name: p.Name, Roles: roles, CheckedAt: q.at}
	if found.Name == "" {
		found.Name = q.grant.Account.Name // left out is not erased
	}
	return found, err
}

// next is when to ask again after an answer.
func (q asked) next() time.Time {
	return q.at.Add(time.Duration(float64(q.realm.Every) * (soonest + (latest-soonest)*q.jitter)))
}

// retry is when to ask again after none: 1, 2, 4 … 30 s later, and never later than next would be.
func (q asked) retry() time.Time {
	pause := min(firstPause<<min(max(q.grant.Failed, 0), 5), longestPause)
	at := q.at.Add(time.Duration(float64(pause) * (soonest + (1-soonest)*q.jitter)))
	if next := q.next(); next.Before(at) {
		return next
	}
	return at
}

func (q asked) stale() bool {
	checkedAt := q.grant.Account.CheckedAt
	return q.realm.MaxStale > 0 && (q.at.Sub(checkedAt) > q.realm.MaxStale || ahead(checkedAt, q.at))
}

// ahead tells of a confirmation that it was dated by a clock that was ahead: nobody knows how old it is.
func ahead(checkedAt, now time.Time) bool { return checkedAt.After(now.Add(token.Skew)) }

// reason of a kind that ends sessions.
func (k kind) reason() session.Reason {
	if k == giveUp {
		return session.Unconfirmed
	}
	return session.CutOff
}
