package main

import (
	"context"
	"fmt"
	"time"

	"github.com/munjigi/munjigi/internal/config"
	"github.com/munjigi/munjigi/internal/credentials"
	"github.com/munjigi/munjigi/internal/signin"
	"github.com/munjigi/munjigi/internal/store/sweeper"
)

// openServices makes the way in of each realm whose accounts a service keeps. Nobody is asked before somebody signs in.
func (p *program) openServices(ctx context.Context) error {
	for name, realm := range p.config.Realms {
		if realm.Credentials == nil {
			continue
		}
		checker, err := p.serviceChecker(ctx, name, *realm.Credentials)
		if err != nil {
			return fmt.Errorf("credentials of realm %s: %w", name, err)
		}
		p.services[name] = checker
	}
	return nil
}

func (p *program) serviceChecker(ctx context.Context, realm string, c config.Credentials) (*signin.Service, error) {
	client, err := credentials.New(credentials.Config{
		Issuer: p.config.URL, Service: c.Service, URL: p.config.CredentialsURL(c), Roles: c.Roles, Keys: p.ring,
	})
	if err != nil {
		return nil, err
	}
	checker := &signin.Service{Realm: realm, Name: c.Service, Asker: client, LegacyUntil: c.LegacyUntil.End(), Now: time.Now}
	if checker.LegacyUntil.IsZero() {
		return checker, nil
	}
	secret, err := p.store.LegacySecret(ctx)
	if err != nil {
		return nil, err
	}
	checker.Exchanges, err = credentials.NewExchanges(secret)
	return checker, err
}

// sweepLegacy clears away which legacy tokens were exchanged, in realms where that is over. A realm without a date keeps
// what it has: somebody may only have mislaid it.
func (p *program) sweepLegacy(ctx context.Context, now time.Time) error {
	for realm, checker := range p.services {
		if checker.LegacyUntil.IsZero() || now.Before(checker.LegacyUntil) {
			continue
		}
		if _, err := p.store.SweepLegacy(ctx, realm, sweeper.Batch); err != nil {
			return err
		}
	}
	return nil
}
