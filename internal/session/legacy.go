package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
)

// Legacy is a token of a service's old sign-in for which a session is begun: once.
type Legacy struct {
	// Hash is by which the token is known again; it is keyed, and the token itself is stored nowhere.
	Hash [sha256.Size]byte
	// Handle is that of the session's refresh tokens, a function of the legacy token. Zero: a random one, as at every
	// other sign-in; then an answer that got lost cannot be given again.
	Handle [16]byte
}

// use gives the handle of the session that begins, and the hash of the legacy token for which it does, if there is one.
func (l *Legacy) use() (handle [16]byte, hash *[sha256.Size]byte) {
	rand.Read(handle[:]) // never fails: crypto/rand
	if l == nil {
		return handle, nil
	}
	if l.Handle != ([16]byte{}) {
		handle = l.Handle
	}
	return handle, &l.Hash
}

// exchangedBefore is the answer to a legacy token that was exchanged already, for the session s. Mostly it is
// credentials_wrong: it is not told whether the token was ever a right one.
//
// But a browser whose answer was lost has nothing but its legacy token, and must not be locked out. It presents, so to
// say, the refresh token that it never got: that of the session's beginning. Renewing with it is the same answer byte
// for byte within the grace, and a rotation after it, so two tabs that exchange at once share one session, and a thief
// who was as quick is found like any other. It has to be the same kind of device, the first access token must be alive,
// and nobody may have renewed: whoever has, got the answer.
func (m *Manager) exchangedBefore(ctx context.Context, s Session, who account.Account, in SignIn) (Answer, error) {
	if !lostExchange(s, who, in, m.now()) {
		return Answer{}, fault.Wrap(fault.CredentialsWrong, errors.New("this legacy token was exchanged before"))
	}
	first, err := m.refreshToken(s, asked{handle: in.Legacy.Handle})
	if err != nil {
		return Answer{}, fmt.Errorf("exchange again: %w", err)
	}
	return m.Renew(ctx, Renewal{App: in.App, RefreshToken: first, Body: s.Body, MaxCheckAge: -1, Caller: in.Caller})
}

// lostExchange tells whether the sign-in may be one whose answer was lost.
func lostExchange(s Session, who account.Account, in SignIn, now time.Time) bool {
	sameApp := s.Body == in.App.Body && (!s.Body || s.App == in.App.Name)
	return s.Live(now) && !who.Disabled && who.Identity == in.Identity && sameApp &&
		sha256.Sum256(in.Legacy.Handle[:]) == s.HandleHash && s.Rotation.Device == in.Caller.Device &&
		s.Rotation.Generation == 0 && now.Before(s.StartedAt.Add(s.Rotation.Access))
}
