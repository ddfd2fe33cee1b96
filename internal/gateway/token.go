package gateway

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/token"
)

const (
	// tokenLife is how long a token for a service lives, at most: never longer than those that the session's app gets,
	// because a session's end is announced for as long as those could be alive.
	tokenLife = 5 * time.Minute
	// maxTokens bounds what is kept for use again.
	maxTokens = 10_000
)

// tokens are those made for services, to be used again until half of their life is over.
type tokens struct {
	mu   sync.Mutex // guards kept
	kept map[wearer]kept
}

// wearer is whom a token stands for, and where.
type wearer struct {
	session token.SessionID
	service string
}

type kept struct {
	text  string
	says  statement
	until time.Time
}

// statement is everything that is signed, but the times: a change makes a new token.
type statement struct {
	kid     string
	account account.Account
	endsAt  time.Time
}

func (s statement) is(other statement) bool {
	a, b := s.account, other.account
	return s.kid == other.kid && a.ID == b.ID && a.Email == b.Email && a.Name == b.Name && slices.Equal(a.Roles, b.Roles) &&
		a.CheckedAt.Equal(b.CheckedAt) && s.endsAt.Equal(other.endsAt)
}

func newTokens() *tokens { return &tokens{kept: map[wearer]kept{}} }

// bearer is a token for (session, service).
func (g *Gateway) bearer(who Caller, service string) (string, error) {
	now := g.Now().Truncate(time.Second)
	kid, _ := g.Keys.Active()
	says := statement{kid, who.Account, who.Session.EndsAt}
	at := wearer{who.Session.ID, service}
	g.tokens.mu.Lock()
	defer g.tokens.mu.Unlock()
	if k, ok := g.tokens.kept[at]; ok && k.says.is(says) && now.Before(k.until) {
		return k.text, nil
	}
	life := min(tokenLife, who.Session.Rotation.Access, who.Session.EndsAt.Sub(now)).Truncate(time.Second)
	claims := token.Claims{
		Issuer: g.Issuer, Subject: who.Account.ID, Audience: []string{service}, ClientID: Client,
		IssuedAt: now.Unix(), ExpiresAt: now.Add(life).Unix(), AuthTime: who.Session.StartedAt.Unix(),
		ID: token.NewID(), SessionID: who.Session.ID, Realm: who.Session.Realm, Roles: who.Account.Roles,
		Email: who.Account.Email, Name: who.Account.Name,
	}
	if !who.Account.CheckedAt.IsZero() {
		claims.CheckedAt = who.Account.CheckedAt.Unix()
	}
	text, err := g.Keys.Sign(kid, claims)
	if err != nil {
		return "", fmt.Errorf("sign a token for %s: %w", service, err)
	}
	g.tokens.makeRoom(now)
	g.tokens.kept[at] = kept{text: text, says: says, until: now.Add(life / 2)}
	return text, nil
}

// makeRoom drops what is over, and all of it when that is not enough: they are quickly made again.
func (t *tokens) makeRoom(now time.Time) {
	if len(t.kept) < maxTokens {
		return
	}
	for at, k := range t.kept {
		if !now.Before(k.until) {
			delete(t.kept, at)
		}
	}
	if len(t.kept) >= maxTokens {
		clear(t.kept)
	}
}
