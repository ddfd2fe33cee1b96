package upstream

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	googleIssuer  = "https://accounts.google.com"
	defaultGroups = "groups"
)

// Config says how to reach a provider. Issuer, ClientID, ClientSecret and RedirectURL are required.
type Config struct {
	Issuer       string
	ClientID     string
	ClientSecret Secret
	RedirectURL  string
	// Scopes are asked for besides openid, email and profile.
	Scopes []string
	// Domains are the company's, in lower case. Empty admits everybody whom the provider signs in.
	Domains []string
	// GroupsClaim names the claim with the person's groups; empty = "groups".
	GroupsClaim string
	// Client lends its transport; nil = one of our own. Redirects, sizes and times are ours in any case.
	Client *http.Client
	Now    func() time.Time // nil = time.Now
	Log    *slog.Logger     // nil = none
}

// Provider is one OpenID provider. It is safe for concurrent use, and needs nothing of the provider to be made.
type Provider struct {
	cfg    Config
	client *http.Client
	guard  *guard
	flight singleflight.Group

	mu      sync.Mutex // guards everything below
	meta    *metadata  // nil until the provider was reached once
	metaAt  time.Time  // when it was read
	failed  int        // discoveries that failed in a row
	retryAt time.Time
	err     error // of the last discovery, nil when it went well
}

// metadata is what the provider's discovery document says, in the forms that we use it.
type metadata struct {
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	oauth    oauth2.Config
	// announced is what go-oidc does not keep.
	announced struct {
		Scopes      []string `json:"scopes_supported"`
		Claims      []string `json:"claims_supported"`
		AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
		Algorithms  []string `json:"id_token_signing_alg_values_supported"`
		JWKS        string   `json:"jwks_uri"`
		IssRequired bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207 §3
	}
}

// New makes a Provider. Nothing is fetched before it is needed.
func New(cfg Config) *Provider {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	domains := make([]string, len(cfg.Domains))
	for i, domain := range cfg.Domains {
		domains[i] = strings.ToLower(domain)
	}
	cfg.Domains = domains
	client, guard := newClient(cfg.Client)
	return &Provider{cfg: cfg, client: client, guard: guard}
}

// Issuer is the provider's issuer identifier.
func (p *Provider) Issuer() string { return p.cfg.Issuer }

func (p *Provider) google() bool { return p.cfg.Issuer == googleIssuer }

func (p *Provider) groupsClaim() string {
	if p.cfg.GroupsClaim != "" {
		return p.cfg.GroupsClaim
	}
	return defaultGroups
}
