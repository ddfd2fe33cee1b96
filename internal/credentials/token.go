package credentials

import (
	"time"

	"github.com/munjigi/munjigi/internal/token"
)

// tokenLife is that of our token: as long as clocks may differ. It goes to one route, for one question.
const tokenLife = token.Skew

// token is the one by which the service knows that it is Munjigi who asks: an access token like any other, of the realm
// that is nobody's. Its sid is random and belongs to no session, so nothing but time ends it; its roles are none,
// because what it is for is in its audience and its realm.
func (c *Client) token() (string, error) {
	now := c.Now().Truncate(time.Second)
	kid, _ := c.Keys.Active()
	return c.Keys.Sign(kid, token.Claims{
		Issuer: c.Issuer, Subject: token.Ourselves, Audience: []string{c.Service}, ClientID: token.Ourselves,
		IssuedAt: now.Unix(), ExpiresAt: now.Add(tokenLife).Unix(), AuthTime: now.Unix(),
		ID: token.NewID(), SessionID: token.NewSessionID(), Realm: token.Ourselves, Roles: []string{},
	})
}
