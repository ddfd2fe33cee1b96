package upstream

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	discoverEvery    = time.Hour
	maxDiscoverPause = 5 * time.Second
)

// algorithms are the signatures of ID tokens that we take, if the provider announces them too. No symmetric ones: a
// client secret is no signing key.
var algorithms = []string{
	oidc.RS256, oidc.ES256, oidc.EdDSA, oidc.PS256, oidc.RS384, oidc.RS512, oidc.ES384, oidc.ES512, oidc.PS384, oidc.PS512,
}

// discover gives the provider's metadata: the last good one, however old, or else that of an attempt now. Attempts
// after a failed one pause 1, 2, 4, 5, 5 … seconds.
func (p *Provider) discover(ctx context.Context) (*metadata, error) {
	p.mu.Lock()
	meta, err := p.meta, p.err
	now := p.cfg.Now()
	fresh := meta != nil && now.Sub(p.metaAt) < discoverEvery
	pause := err != nil && now.Before(p.retryAt)
	p.mu.Unlock()
	if fresh || pause && meta != nil {
		return meta, nil
	}
	if pause {
		return nil, err
	}
	// One attempt for all who wait, and not bound to the patience of the first of them.
	attempt := p.flight.DoChan("discovery", func() (any, error) { return p.fetchMetadata() })
	if meta != nil {
		return meta, nil
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case result := <-attempt:
		if result.Err != nil {
			return nil, result.Err
		}
		return result.Val.(*metadata), nil
	}
}

func (p *Provider) fetchMetadata() (*metadata, error) {
	ctx, cancel := context.WithTimeout(p.clientContext(context.Background()), askLimit)
	defer cancel()
	meta, err := p.readMetadata(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.cfg.Now()
	if err != nil {
		p.err = fmt.Errorf("discover provider: %w", brief(err))
		p.retryAt = now.Add(min(time.Second<<min(p.failed, 10), maxDiscoverPause))
		p.failed++
		return nil, p.err
	}
	p.meta, p.metaAt, p.failed, p.err = meta, now, 0, nil
	return meta, nil
}

func (p *Provider) readMetadata(ctx context.Context) (*metadata, error) {
	provider, err := oidc.NewProvider(ctx, p.cfg.Issuer)
	if err != nil {
		return nil, err
	}
	meta := &metadata{provider: provider}
	if err := provider.Claims(&meta.announced); err != nil {
		return nil, err
	}
	endpoint := provider.Endpoint()
	for _, address := range []string{endpoint.AuthURL, endpoint.TokenURL, meta.announced.JWKS, provider.UserInfoEndpoint()} {
		if err := p.checkEndpoint(address); err != nil {
			return nil, err
		}
	}
	if endpoint.AuthURL == "" || endpoint.TokenURL == "" || meta.announced.JWKS == "" {
		return nil, fmt.Errorf("the discovery document lacks an endpoint")
	}
	p.guard.keys.Store(&meta.announced.JWKS)
	endpoint.AuthStyle = p.authStyle(meta)
	meta.oauth = oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: string(p.cfg.ClientSecret),
		Endpoint: endpoint, RedirectURL: p.cfg.RedirectURL, Scopes: p.scopes(meta),
	}
	meta.verifier = provider.Verifier(&oidc.Config{
		ClientID: p.cfg.ClientID, SupportedSigningAlgs: allowed(meta.announced.Algorithms), Now: p.cfg.Now,
	})
	return meta, nil
}

// checkEndpoint refuses to be sent from a provider on https to anything that is not: a refresh token would go there.
func (p *Provider) checkEndpoint(address string) error {
	if address == "" {
		return nil
	}
	issuer, err := url.Parse(p.cfg.Issuer)
	if err != nil {
		return err
	}
	endpoint, err := url.Parse(address)
	if err != nil {
		return err
	}
	if endpoint.Host == "" || endpoint.Scheme != "https" && endpoint.Scheme != issuer.Scheme {
		return fmt.Errorf("the discovery document names %q, which is not https", address)
	}
	return nil
}

// authStyle is how we show our secret. It is never tried out (as oauth2 would): an attempt presents a refresh token,
// and a provider that rotates could take the second for theft. RFC 6749 §2.3.1 has every server know the header;
// Google's documentation shows the body.
func (p *Provider) authStyle(meta *metadata) oauth2.AuthStyle {
	methods := meta.announced.AuthMethods
	body := slices.Contains(methods, "client_secret_post")
	if body && (p.google() || !slices.Contains(methods, "client_secret_basic")) {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// scopes leaves offline_access to those who announce it; Google has a parameter instead.
func (p *Provider) scopes(meta *metadata) []string {
	scopes := []string{oidc.ScopeOpenID, "email", "profile"}
	if !p.google() && slices.Contains(meta.announced.Scopes, oidc.ScopeOfflineAccess) {
		scopes = append(scopes, oidc.ScopeOfflineAccess)
	}
	for _, scope := range p.cfg.Scopes {
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

// allowed is what we and the provider both take; RS256 when it announces nothing (OpenID Connect Discovery §3 has it
// always among them).
func allowed(announced []string) []string {
	var both []string
	for _, algorithm := range algorithms {
		if slices.Contains(announced, algorithm) {
			both = append(both, algorithm)
		}
	}
	if both == nil {
		return []string{oidc.RS256}
	}
	return both
}

// clientContext has go-oidc and oauth2 use our client.
func (p *Provider) clientContext(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.client)
}
