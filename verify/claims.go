package verify

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/munjigi/munjigi/internal/token"
)

// Claims is what a verified access token says. It cannot be changed, not even through its lists, because the same
// token may be in the hands of many requests at once. It is written as JSON in the token's own words.
type Claims struct {
	Issuer    string
	Subject   string // the account's id: stable, and unique over all realms. Never use Email as an identity
	ID        string // the token's own id (jti)
	ClientID  string // the app that the person uses
	SessionID string // the sign-in; all tokens of one browser or device share it
	Realm     string // the population that the account belongs to; Subject and roles mean something only within it
	Email     string // empty when not known
	Name      string // empty when not known
	IssuedAt  time.Time
	ExpiresAt time.Time
	AuthTime  time.Time // when the person signed in
	CheckedAt time.Time // when the identity provider last confirmed the person; zero when it never did

	audience, roles []string
}

// Roles is a copy of the account's roles in its realm.
func (c Claims) Roles() []string { return slices.Clone(c.roles) }

// HasRole tells whether the account has a role in a realm. The realm is asked for because a role of that name in
// another realm is another role.
func (c Claims) HasRole(realm, role string) bool {
	return c.Realm == realm && slices.Contains(c.roles, role)
}

// Audience is a copy of the services that the token is for.
func (c Claims) Audience() []string { return slices.Clone(c.audience) }

// MarshalJSON writes the claims as the token has them: times are whole seconds since 1970.
func (c Claims) MarshalJSON() ([]byte, error) {
	id, err := token.ParseSessionID(c.SessionID)
	if err != nil {
		return nil, err
	}
	wire := token.Claims{
		Issuer: c.Issuer, Subject: c.Subject, Audience: c.audience, ID: c.ID, ClientID: c.ClientID, SessionID: id,
		Realm: c.Realm, Roles: c.roles, Email: c.Email, Name: c.Name,
		IssuedAt: c.IssuedAt.Unix(), ExpiresAt: c.ExpiresAt.Unix(), AuthTime: c.AuthTime.Unix(),
	}
	if !c.CheckedAt.IsZero() {
		wire.CheckedAt = c.CheckedAt.Unix()
	}
	return json.Marshal(wire)
}

func claimsOf(c token.Claims) Claims {
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
	claims := Claims{
		Issuer: c.Issuer, Subject: c.Subject, ID: c.ID, ClientID: c.ClientID, SessionID: c.SessionID.String(),
		Realm: c.Realm, Email: c.Email, Name: c.Name, audience: c.Audience, roles: c.Roles,
		IssuedAt: at(c.IssuedAt), ExpiresAt: at(c.ExpiresAt), AuthTime: at(c.AuthTime),
	}
	if c.CheckedAt != 0 {
		claims.CheckedAt = at(c.CheckedAt)
	}
	return claims
}

type contextKey struct{}

// FromContext is the claims of the request that Middleware or Require let pass.
func FromContext(ctx context.Context) (Claims, bool) {
	claims, ok := ctx.Value(contextKey{}).(Claims)
	return claims, ok
}
