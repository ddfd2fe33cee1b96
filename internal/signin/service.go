package signin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/credentials"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
)

// Asker asks a service whose credentials these are. credentials.Client does.
type Asker interface {
	// Ask is credentials_wrong when the service says no, session_cut_off when it knows the account and does not let it
	// in, upstream_unavailable when it said nothing that counts.
	Ask(ctx context.Context, p credentials.Presented) (credentials.Person, error)
}

// Service is the way in to a realm whose accounts a service keeps: a Checker.
type Service struct {
	Realm string
	Name  string // of the service
	Asker Asker
	// LegacyUntil is when exchanges of legacy tokens end; zero: there are none. Until then Exchanges is required.
	LegacyUntil time.Time
	Exchanges   credentials.Exchanges
	Now         func() time.Time
}

var (
	errNoExchange = errors.New("legacy tokens are not exchanged here, or not any more")
	errTooLong    = errors.New("longer than anything that a service gave out")
)

// Check implements Checker. The login goes to the service as it was typed: two spellings may be two accounts there. The service is not asked when no guess is left: it could not be told to do the work and to
// learn nothing. That it answers sooner then tells only that somebody has guessed too often, which unknown logins do
// alike.
func (s *Service) Check(ctx context.Context, c Credentials) (Proved, error) {
	presented := credentials.Presented{Login: c.Typed, Password: c.Password, LegacyToken: c.LegacyToken}
	switch {
	case c.Spent:
		return Proved{}, fault.Wrap(fault.CredentialsWrong, errSpent)
	case len(c.Password) > account.MaxPasswordBytes || len(c.LegacyToken) > credentials.MaxLegacyToken:
		return Proved{}, fault.Wrap(fault.CredentialsWrong, errTooLong)
	case c.LegacyToken != "" && !s.Now().Before(s.LegacyUntil):
		return Proved{}, fault.Wrap(fault.CredentialsWrong, errNoExchange)
	}
	person, err := s.Asker.Ask(ctx, presented)
	if err != nil {
		return Proved{}, fmt.Errorf("check credentials: %w", err)
	}
	proved := Proved{
		Account:  s.Realm + ":" + s.Name + ":" + person.ID,
		Identity: account.Identity{Realm: s.Realm, Issuer: "service:" + s.Name, Subject: person.ID},
		Profile:  account.Profile{Email: person.Email, Name: person.Name, Roles: person.Roles},
	}
	if c.LegacyToken != "" {
		proved.Legacy = &session.Legacy{
			Hash: s.Exchanges.Hash(s.Realm, c.LegacyToken), Handle: s.Exchanges.Handle(s.Realm, c.LegacyToken),
		}
	}
	return proved, nil
}
