package server

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

// caller is whoever calls one of our own routes, as the store has it now.
type caller struct {
	app     account.App
	session session.Session
	account account.Account
	// bearer is the session of the access token that identified the caller, or was to; nil without one.
	bearer *token.SessionID
}

// identify takes an access token with our audience, or else the refresh cookie of the app that the request names. With
// an error the app is filled in if it is known and may be asked about by this page.
func (s *Server) identify(r *http.Request) (caller, error) {
	if r.Header.Get("Authorization") != "" {
		return s.identifyAccess(r)
	}
	named := r.Header.Get(appHeader)
	if named == "" && len(r.Cookies()) == 0 {
		return caller{}, fault.New(fault.TokenMissing, "send an access token of the audience "+account.ConsoleAudience)
	}
	app, err := s.app(named, "")
	if err != nil {
		return caller{}, fault.New(fault.RequestInvalid, "name the app in the header "+appHeader)
	}
	if err := s.checkOrigin(r, app); err != nil {
		return caller{}, err
	}
	if app.Body {
		return caller{}, fault.New(fault.TokenMissing, "this app sends an access token of the audience "+account.ConsoleAudience)
	}
	return s.identifyRefresh(r, app, s.refreshOf(r, app.Realm))
}

// identifyRefresh holds a refresh token to the carrier and the app that it was made for.
func (s *Server) identifyRefresh(r *http.Request, app account.App, refresh string) (caller, error) {
	row, who, err := s.Sessions.Identify(r.Context(), refresh, app.Realm)
	if err != nil {
		return caller{app: app}, err
	}
	if row.Body != app.Body || row.Body && row.App != app.Name {
		return caller{app: app}, fault.New(fault.SessionUnknown, "")
	}
	return caller{app: app, session: row, account: who}, nil
}

func (s *Server) identifyAccess(r *http.Request) (caller, error) {
	claims, err := s.accessToken(r.Header.Values("Authorization"))
	if err != nil {
		return caller{}, err
	}
	app := s.Apps[claims.ClientID]
	if named := r.Header.Get(appHeader); named != "" && named != app.Name {
		return caller{}, fault.New(fault.TokenInvalid, "the token is of another app than the one named")
	}
	if err := s.checkOrigin(r, app); err != nil {
		return caller{}, err
	}
	row, who, err := s.Sessions.Identified(r.Context(), claims.SessionID)
	if err != nil {
		return caller{app: app, bearer: &claims.SessionID}, err
	}
	if row.Account != claims.Subject || row.Realm != claims.Realm {
		return caller{app: app}, fault.New(fault.TokenInvalid, "the token and its session differ")
	}
	return caller{app, row, who, &claims.SessionID}, nil
}

// accessToken verifies an access token for ourselves. What is wrong in detail is told only once the signature holds.
func (s *Server) accessToken(authorization []string) (token.Claims, error) {
	scheme, text, _ := strings.Cut(authorization[0], " ")
	if len(authorization) != 1 || !strings.EqualFold(scheme, "Bearer") {
		return token.Claims{}, fault.New(fault.TokenMalformed, "send one Authorization: Bearer TOKEN")
	}
	claims, err := s.signed.Claims(strings.TrimSpace(text), s.Keys.PublicKeys())
	if err != nil {
		return token.Claims{}, err
	}
	return claims, s.checkClaims(claims)
}

func (s *Server) checkClaims(c token.Claims) error {
	now := s.Now().Unix()
	app, known := s.Apps[c.ClientID]
	lifetime := time.Duration(c.ExpiresAt-c.IssuedAt) * time.Second
	switch {
	case c.Issuer != s.URL:
		return fault.New(fault.TokenInvalid, "another issuer")
	case !known || app.Realm != c.Realm:
		return fault.New(fault.TokenInvalid, "another app or realm")
	case c.ExpiresAt <= c.IssuedAt || lifetime > token.MaxLifetime || lifetime < 0:
		return fault.New(fault.TokenInvalid, "its lifetime is too long")
	case c.ExpiresAt <= now:
		return fault.New(fault.TokenExpired, "")
	case c.IssuedAt > now+int64(token.Skew/time.Second) || c.NotBefore > now+int64(token.Skew/time.Second):
		return fault.New(fault.TokenNotYetValid, "")
	case !slices.Contains(c.Audience, account.ConsoleAudience):
		return fault.New(fault.TokenWrongAudience, "want the audience "+account.ConsoleAudience)
	}
	return nil
}
