package session

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
)

// Answer is the answer of a sign-in or a renewal.
type Answer struct {
	JSON         []byte // the body, the same bytes for every repeat
	RefreshToken string // for the cookie; in JSON already when the carrier is the body
	Session      Session
}

// body is Answer.JSON; the order of members is part of it.
type body struct {
	AccessToken  string      `json:"access_token"`
	TokenType    string      `json:"token_type"`
	IssuedAt     int64       `json:"issued_at"`
	ExpiresAt    int64       `json:"expires_at"`
	RefreshToken string      `json:"refresh_token,omitempty"`
	Account      accountBody `json:"account"`
	Session      sessionBody `json:"session"`
}

type accountBody struct {
	ID    string   `json:"id"`
	Realm string   `json:"realm"`
	Email string   `json:"email,omitempty"`
	Name  string   `json:"name,omitempty"`
	Roles []string `json:"roles"`
}

type sessionBody struct {
	ID         token.SessionID `json:"id"`
	Generation int64           `json:"generation"`
	StartedAt  int64           `json:"started_at"`
	EndsAt     int64           `json:"ends_at"`
}

// compose makes the answer of the session's last rotation. It reads the row, the app and the handle, no clock and no
// randomness: whoever computes it, whenever, gets the same bytes.
func (m *Manager) compose(s Session, ask asked) (Answer, error) {
	audience, err := audienceOf(ask.app, ask.service)
	if err != nil {
		return Answer{}, err
	}
	claims := claimsOf(s, ask, audience)
	claims.Issuer = m.Issuer
	access, err := m.Keys.Sign(s.Rotation.KeyID, claims)
	if err != nil {
		return Answer{}, fmt.Errorf("sign access token: %w", err)
	}
	refresh, err := m.refreshToken(s, ask)
	if err != nil {
		return Answer{}, err
	}
	out := body{
		AccessToken: access, TokenType: "Bearer", IssuedAt: claims.IssuedAt, ExpiresAt: claims.ExpiresAt,
		Account: accountBody{s.Account, s.Realm, s.Rotation.Email, s.Rotation.Name, claims.Roles},
		Session: sessionBody{s.ID, s.Rotation.Generation, s.StartedAt.Unix(), s.EndsAt.Unix()},
	}
	if s.Body {
		out.RefreshToken = refresh
	}
	text, err := json.Marshal(out)
	if err != nil {
		return Answer{}, fmt.Errorf("encode answer: %w", err)
	}
	return Answer{JSON: text, RefreshToken: refresh, Session: s}, nil
}

// asked is whom an answer is for.
type asked struct {
	app     account.App
	service string // "" = all of the app's
	handle  [16]byte
}

// claimsOf is what the access token of the last rotation says.
func claimsOf(s Session, ask asked, audience []string) token.Claims {
	r := s.Rotation
	claims := token.Claims{
		Subject: s.Account, Audience: audience, ID: tokenID(s, ask), ClientID: ask.app.Name,
		IssuedAt: r.At.Unix(), ExpiresAt: min(r.At.Add(r.Access).Unix(), s.EndsAt.Unix()),
		SessionID: s.ID, Realm: s.Realm, Roles: slices.Clone(r.Roles), AuthTime: s.StartedAt.Unix(),
		Email: r.Email, Name: r.Name,
	}
	if claims.Roles == nil {
		claims.Roles = []string{}
	}
	if !r.CheckedAt.IsZero() {
		claims.CheckedAt = r.CheckedAt.Unix()
	}
	return claims
}

// tokenID derives the jti: one for each (session, generation, app, service), and the same for a repeat.
func tokenID(s Session, ask asked) string {
	text := fmt.Sprintf("jti %s %d %q %q", s.ID, s.Rotation.Generation, ask.app.Name, ask.service)
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// refreshToken makes the token of the current generation; everything but the handle comes from the row.
func (m *Manager) refreshToken(s Session, ask asked) (string, error) {
	key, ok := m.Keys.MACKey(s.Rotation.MACKeyID)
	if !ok {
		return "", fmt.Errorf("refresh token: no MAC key %s", strconv.Itoa(int(s.Rotation.MACKeyID)))
	}
	refresh := token.Refresh{
		Realm: s.Realm, App: carriedApp(s), Body: s.Body, Session: s.ID, Generation: s.Rotation.Generation,
		IssuedAt: s.Rotation.At, Handle: ask.handle,
	}
	return refresh.Seal(key), nil
}

// carriedApp is the app in a refresh token: a cookie serves every app of its realm, a body only the one it went to.
func carriedApp(s Session) string {
	if s.Body {
		return s.App
	}
	return AnyApp
}

// AnyApp stands for every app of the realm in a cookie's refresh token.
const AnyApp = "*"

// audienceOf is the app's services, or the one that was asked for.
func audienceOf(app account.App, service string) ([]string, error) {
	services := app.Services
	if app.Name == account.Console {
		services = []string{account.ConsoleAudience}
	}
	if service == "" {
		return services, nil
	}
	if !slices.Contains(services, service) {
		return nil, &fault.Error{
			Code: fault.RequestInvalid, Detail: "the app may not call this service",
			Fields: []fault.Field{{Pointer: "/service", Detail: fmt.Sprintf("one of %q", services)}},
		}
	}
	return []string{service}, nil
}

// nextRotation is the snapshot that a renewal makes durable before it is answered.
func (m *Manager) nextRotation(s Session, who account.Account, p Presented) Rotation {
	policy := m.Realms[s.Realm].Policy
	next := m.rotation(s, policy, p.Now)
	next.Generation, next.Presented = s.Rotation.Generation+1, p.Refresh.Generation
	next.Device, next.Profile = p.Device, who.Profile
	return next
}

// rotation fills in what any rotation has: the time, the lifetimes, the keys.
func (m *Manager) rotation(s Session, policy Policy, now time.Time) Rotation {
	kid, macKey := m.Keys.Active()
	idle := now.Add(policy.Idle)
	if idle.After(s.EndsAt) {
		idle = s.EndsAt
	}
	return Rotation{At: now, IdleUntil: idle, KeyID: kid, MACKeyID: macKey, Access: policy.Access}
}
