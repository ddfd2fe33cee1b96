package main

import (
	"context"
	"fmt"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/demo/members"
	"github.com/munjigi/munjigi/internal/token"
)

// addDemoMembers makes the members of the demo who are not there yet, as `munjigi members add` does it. Those who are
// stay as they are, with the password that they may have chosen since.
func addDemoMembers(ctx context.Context, p *program) error {
	if p.config.Realms[members.Realm].Password == nil {
		return nil // somebody has changed the configuration
	}
	for _, one := range members.List() {
		_, found, err := p.store.Member(ctx, members.Realm, one.Login)
		if err == nil && !found {
			err = addDemoMember(ctx, p, one)
		}
		if err != nil {
			return fmt.Errorf("add %s to the demo: %w", one.Login, err)
		}
	}
	return nil
}

func addDemoMember(ctx context.Context, p *program, one members.Member) error {
	hash, err := p.hasher.Hash(ctx, account.Password(one.Password))
	if err != nil {
		return err
	}
	_, err = p.store.AddMember(ctx, account.Member{Login: one.Login, Hash: hash, Account: account.Account{
		ID:       token.NewID(),
		Identity: account.Identity{Realm: members.Realm, Issuer: account.PasswordIssuer, Subject: token.NewID()},
		Profile:  account.Profile{Email: one.Login, Name: one.Name},
	}}, audit.Event{At: moment(), Action: audit.MemberAdded, Realm: members.Realm, Actor: operator()})
	return err
}
