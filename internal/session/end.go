package session

import (
	"context"
	"fmt"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/token"
)

// SignOut ends the session; with everywhere all the account's others as well. On the others' screens it is "ended by
// you on another device" (revoked).
func (m *Manager) SignOut(ctx context.Context, s Session, everywhere bool, c Caller) error {
	ending := Ending{
		Reason: SignedOut, At: m.now(), From: c.From,
		Actor: audit.Actor{Kind: audit.ByAccount, ID: s.Account},
	}
	if everywhere {
		// The others first: whoever is told that it failed still has a session to try again with.
		others := ending
		others.Reason = Revoked
		if _, err := m.Store.EndAccount(ctx, s.Account, s.ID, others); err != nil {
			return fmt.Errorf("sign out everywhere: %w", err)
		}
	}
	if _, err := m.Store.End(ctx, s.ID, ending); err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	m.Woken()
	return nil
}

// Sessions lists an account's live sessions, newest first.
func (m *Manager) Sessions(ctx context.Context, account string) ([]Session, error) {
	sessions, err := m.Store.Sessions(ctx, account, m.now())
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return sessions, nil
}

// Revoke ends a session for its owner on another device, or for an administrator. One that has ended keeps its end.
func (m *Manager) Revoke(ctx context.Context, id token.SessionID, actor audit.Actor, from string) (Session, error) {
	ended, err := m.Store.End(ctx, id, Ending{Reason: Revoked, At: m.now(), Actor: actor, From: from})
	if err != nil {
		return Session{}, fmt.Errorf("revoke session: %w", err)
	}
	m.Woken()
	return ended, nil
}

// RevokeAccount ends all live sessions of an account and returns them.
func (m *Manager) RevokeAccount(ctx context.Context, account string, actor audit.Actor, from string) ([]Session, error) {
	ended, err := m.Store.EndAccount(ctx, account, token.SessionID{}, Ending{Reason: Revoked, At: m.now(), Actor: actor, From: from})
	if err != nil {
		return nil, fmt.Errorf("revoke account: %w", err)
	}
	m.Woken()
	return ended, nil
}
