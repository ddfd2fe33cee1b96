package demo

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	bearerLifetime  = time.Hour // of an access token, and of an ID token
	refreshPrefix   = "demo_rt_"
	bearerPrefix    = "demo_at_"
	maxTokenRequest = 16 << 10
)

// bearer is what an access token stands for; only userinfo takes it.
type bearer struct {
	email   string
	scope   string
	expires time.Time
}

// token is the token endpoint (RFC 6749 §3.2).
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxTokenRequest)
	if err := r.ParseForm(); err != nil {
		tokenError(w, http.StatusBadRequest, "invalid_request", "the body is not a form")
		return
	}
	if !p.clientIsRight(r) {
		refuseClient(w)
		return
	}
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		p.redeemCode(w, r.PostForm)
	case "refresh_token":
		p.refresh(w, r.PostForm)
	default:
		tokenError(w, http.StatusBadRequest, "unsupported_grant_type", "authorization_code or refresh_token")
	}
}

// clientIsRight takes the secret by HTTP Basic, both halves form-encoded (RFC 6749 §2.3.1), or in the body.
func (p *Provider) clientIsRight(r *http.Request) bool {
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if user, password, ok := r.BasicAuth(); ok {
		var err1, err2 error
		id, err1 = url.QueryUnescape(user)
		secret, err2 = url.QueryUnescape(password)
		if err1 != nil || err2 != nil {
			return false
		}
	}
	return subtle.ConstantTimeCompare([]byte(id), []byte(p.config.ClientID)) == 1 &&
		subtle.ConstantTimeCompare([]byte(secret), []byte(p.config.ClientSecret)) == 1
}

func refuseClient(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Basic realm="munjigi demo provider"`)
	tokenError(w, http.StatusUnauthorized, "invalid_client", "client id or secret is wrong")
}

func tokenError(w http.ResponseWriter, status int, problem, description string) {
	writeJSON(w, status, map[string]string{"error": problem, "error_description": description})
}

func (p *Provider) redeemCode(w http.ResponseWriter, form url.Values) {
	c, ok := p.takeCode(form.Get("code"))
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	if !ok || c.redirectURI != form.Get("redirect_uri") || subtle.ConstantTimeCompare([]byte(challenge), []byte(c.challenge)) != 1 {
		tokenError(w, http.StatusBadRequest, "invalid_grant", "the code is unknown, used, too old or another request's")
		return
	}
	g := grant{Email: c.email, ClientID: p.config.ClientID, Scope: c.scope, AuthTime: c.authTime.Unix()}
	var refreshToken string
	if hasScope(c.scope, "offline_access") {
		refreshToken, g.Hash = newRefreshToken()
	}
	err := p.book.change(func(s *state) error {
		if slices.Contains(s.Left, g.Email) {
			return errRefused
		}
		if refreshToken != "" {
			s.add(g)
		}
		return nil
	})
	p.answerTokens(w, err, issued{grant: g, refreshToken: refreshToken, nonce: c.nonce})
}

// refresh rotates: the token that was presented never works again, whether or not the answer arrives. A person who left
// keeps the grant, as a suspended account does: it works again after the return.
func (p *Provider) refresh(w http.ResponseWriter, form url.Values) {
	presented := hashOf(form.Get("refresh_token"))
	refreshToken, hash := newRefreshToken()
	var g grant
	err := p.book.change(func(s *state) error {
		at := slices.IndexFunc(s.Grants, func(other grant) bool { return other.Hash == presented })
		if at < 0 || slices.Contains(s.Left, s.Grants[at].Email) {
			return errRefused
		}
		s.Grants[at].Hash = hash
		g = s.Grants[at]
		return nil
	})
	p.answerTokens(w, err, issued{grant: g, refreshToken: refreshToken})
}

// issued is what one answer of the token endpoint hands out.
type issued struct {
	grant
	refreshToken string // "" = none
	nonce        string
}

func (p *Provider) answerTokens(w http.ResponseWriter, err error, i issued) {
	if errors.Is(err, errRefused) {
		tokenError(w, http.StatusBadRequest, "invalid_grant", "the grant is unknown, used, or its person has left")
		return
	}
	var idToken string
	if err == nil {
		idToken, err = p.idToken(i)
	}
	if err != nil {
		p.serverError(w, err)
		return
	}
	answer := map[string]any{
		"access_token": p.newBearer(i.grant), "token_type": "Bearer", "expires_in": int(bearerLifetime.Seconds()),
		"id_token": idToken, "scope": i.Scope,
	}
	if i.refreshToken != "" {
		answer["refresh_token"] = i.refreshToken
	}
	writeJSON(w, http.StatusOK, answer)
}

func (p *Provider) idToken(i issued) (string, error) {
	person, ok := personByEmail(i.Email)
	if !ok {
		return "", fmt.Errorf("sign id token: nobody is called %s", i.Email)
	}
	now := p.config.Now()
	claims := profileClaims(person, i.Scope)
	claims["iss"], claims["aud"], claims["auth_time"] = p.config.Issuer, i.ClientID, i.AuthTime
	claims["iat"], claims["exp"] = now.Unix(), now.Add(bearerLifetime).Unix()
	if i.nonce != "" {
		claims["nonce"] = i.nonce
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("sign id token: %w", err)
	}
	signed, err := p.signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign id token: %w", err)
	}
	return signed.CompactSerialize()
}

// profileClaims says of a person what the scope covers. hd and groups always come, as they do where an administrator of
// the provider has switched them on.
func profileClaims(person Person, scope string) map[string]any {
	claims := map[string]any{"sub": person.Subject, "hd": person.Domain()}
	if hasScope(scope, "email") {
		claims["email"], claims["email_verified"] = person.Email, true
	}
	if hasScope(scope, "profile") {
		claims["name"] = person.Name
	}
	if len(person.Groups) > 0 {
		claims["groups"] = person.Groups
	}
	return claims
}

func (p *Provider) newBearer(g grant) string {
	text := bearerPrefix + rand.Text()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep()
	p.bearers[text] = bearer{email: g.Email, scope: g.Scope, expires: p.config.Now().Add(bearerLifetime)}
	return text
}

func (p *Provider) bearer(authorization string) (bearer, bool) {
	scheme, text, _ := strings.Cut(authorization, " ")
	p.mu.Lock()
	defer p.mu.Unlock()
	found, ok := p.bearers[text]
	return found, ok && strings.EqualFold(scheme, "Bearer") && p.config.Now().Before(found.expires)
}

func newRefreshToken() (text, hash string) {
	text = refreshPrefix + rand.Text()
	return text, hashOf(text)
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func newSigner(key *rsa.PrivateKey) (jose.Signer, error) {
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", keyID(key))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, options)
	if err != nil {
		return nil, fmt.Errorf("open provider key: %w", err)
	}
	return signer, nil
}

// keyID is derived from the key, so that it survives a restart without being kept.
func keyID(key *rsa.PrivateKey) string {
	sum := sha256.Sum256(x509.MarshalPKCS1PublicKey(&key.PublicKey))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}
