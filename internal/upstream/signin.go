package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/munjigi/munjigi/internal/fault"
)

// AuthRequest is what goes with the redirect to the provider. State, Nonce and Challenge are required.
type AuthRequest struct {
	State     string
	Nonce     string
	Challenge string // PKCE, S256
	LoginHint string
	// Consent has the provider ask the person once more, which is how one gets a refresh token that it gave already.
	Consent bool
}

// AuthURL is where to redirect the browser. upstream_unavailable when the provider was never reached so far.
func (p *Provider) AuthURL(ctx context.Context, r AuthRequest) (string, error) {
	meta, err := p.discover(ctx)
	if err != nil {
		return "", fault.Wrap(fault.UpstreamUnavailable, err)
	}
	options := []oauth2.AuthCodeOption{
		oauth2.SetAuthURLParam("nonce", r.Nonce),
		oauth2.SetAuthURLParam("code_challenge", r.Challenge),
		oauth2.SetAuthURLParam("code_challenge_method", "S256"),
	}
	if r.LoginHint != "" {
		options = append(options, oauth2.SetAuthURLParam("login_hint", r.LoginHint))
	}
	if r.Consent {
		options = append(options, oauth2.SetAuthURLParam("prompt", "consent"))
	}
	if p.google() {
		options = append(options, oauth2.AccessTypeOffline)
		if len(p.cfg.Domains) == 1 {
			// Only a filter for what Google shows; the claim is checked all the same.
			options = append(options, oauth2.SetAuthURLParam("hd", p.cfg.Domains[0]))
		}
	}
	return meta.oauth.AuthCodeURL(r.State, options...), nil
}

// Callback is what came back with the browser, and what we had kept for it.
type Callback struct {
	Code     string
	Issuer   string // the "iss" parameter (RFC 9207); empty when there was none
	Verifier string // PKCE
	Nonce    string
}

// Exchange turns a callback into a person and the provider's refresh token (empty when it gave none).
// request_invalid: the callback is not ours or not good any more; domain_refused; upstream_unavailable.
func (p *Provider) Exchange(ctx context.Context, c Callback) (Person, string, error) {
	ctx, cancel := context.WithTimeout(p.clientContext(ctx), exchangeLimit)
	defer cancel()
	meta, err := p.discover(ctx)
	if err != nil {
		return Person{}, "", fault.Wrap(fault.UpstreamUnavailable, err)
	}
	if err := p.checkCallback(meta, c); err != nil {
		return Person{}, "", err
	}
	token, err := meta.oauth.Exchange(ctx, c.Code, oauth2.VerifierOption(c.Verifier))
	if err != nil {
		return Person{}, "", exchangeFault(err)
	}
	claims, err := p.claims(ctx, meta, token)
	if err != nil {
		return Person{}, "", fault.Wrap(fault.UpstreamUnavailable, err)
	}
	// An ID token of another attempt means that somebody put their own callback into this browser.
	if claims.Nonce != c.Nonce || c.Nonce == "" {
		return Person{}, "", fault.New(fault.RequestInvalid, "the provider's answer belongs to another sign-in")
	}
	if stands, why := p.stand(claims); stands != admitted {
		return Person{}, "", fault.New(fault.DomainRefused, why)
	}
	return p.person(claims), token.RefreshToken, nil
}

// checkCallback stops a mix-up: a callback that another provider sent is never taken to this one (RFC 9207 §2.4).
func (p *Provider) checkCallback(meta *metadata, c Callback) error {
	switch {
	case c.Code == "" || c.Verifier == "":
		return fault.New(fault.RequestInvalid, "the callback has no code")
	case c.Issuer == "" && meta.announced.IssRequired:
		return fault.New(fault.RequestInvalid, "the callback does not name its issuer")
	case c.Issuer != "" && c.Issuer != p.cfg.Issuer:
		return fault.New(fault.RequestInvalid, "the callback is of another provider")
	}
	return nil
}

func exchangeFault(err error) error {
	refusal, ok := errors.AsType[*oauth2.RetrieveError](err)
	if ok && definite(refusal) && refusal.ErrorCode == "invalid_grant" {
		return &fault.Error{Code: fault.RequestInvalid, Detail: "the provider does not take this code", Err: describe(err)}
	}
	return fault.Wrap(fault.UpstreamUnavailable, fmt.Errorf("exchange code: %w", describe(err)))
}

// definite tells whether a refusal is the token endpoint's own word (RFC 6749 §5.2) and not that of something between.
func definite(refusal *oauth2.RetrieveError) bool {
	status := refusal.Response.StatusCode
	return (status == http.StatusBadRequest || status == http.StatusUnauthorized) && isJSON(refusal.Response.Header)
}
