package demo

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// codeLifetime is short: the browser brings the code at once (RFC 6749 §4.1.2 allows ten minutes at most).
const codeLifetime = time.Minute

// code is what an authorization code stands for. It works once.
type code struct {
	email       string
	redirectURI string
	challenge   string // PKCE, S256
	nonce       string
	scope       string
	authTime    time.Time
}

// authorize signs in the person that login_hint names, or shows everybody to pick from. A client or an address that is
// not known is told to the person, never redirected to (RFC 6749 §4.1.2.1).
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		p.refusePage(w, r, http.StatusBadRequest)
		return
	}
	if r.Form.Get("client_id") != p.config.ClientID || !slices.Contains(p.config.RedirectURIs, r.Form.Get("redirect_uri")) {
		p.refusePage(w, r, http.StatusBadRequest)
		return
	}
	if problem, description := wrongRequest(r.Form); problem != "" {
		p.redirect(w, r, url.Values{"error": {problem}, "error_description": {description}})
		return
	}
	person, named := personByEmail(r.Form.Get("login_hint"))
	switch {
	case !named && slices.Contains(strings.Fields(r.Form.Get("prompt")), "none"):
		p.redirect(w, r, url.Values{"error": {"login_required"}})
	case !named:
		p.pick(w, r)
	case p.left(person.Email):
		p.redirect(w, r, url.Values{"error": {"access_denied"}, "error_description": {"this person has left the company"}})
	default:
		p.redirect(w, r, url.Values{"code": {p.newCode(person, r.Form)}})
	}
}

// wrongRequest is the OAuth error of a request that may be redirected, or "".
func wrongRequest(form url.Values) (problem, description string) {
	for name, values := range form {
		if len(values) > 1 { // RFC 6749 §3.1
			return "invalid_request", name + " is there twice"
		}
	}
	switch {
	case form.Has("request"):
		return "request_not_supported", "request objects are not supported"
	case form.Has("request_uri"):
		return "request_uri_not_supported", "request objects are not supported"
	case form.Get("response_type") != "code":
		return "unsupported_response_type", "only response_type=code"
	case form.Has("response_mode") && form.Get("response_mode") != "query":
		return "invalid_request", "only response_mode=query"
	case !slices.Contains(strings.Fields(form.Get("scope")), "openid"):
		return "invalid_scope", "scope has to hold openid"
	case form.Get("code_challenge_method") != "S256", len(form.Get("code_challenge")) != 43:
		return "invalid_request", "PKCE with S256 is required"
	}
	return "", ""
}

// redirect answers the client, with state as it came and with iss (RFC 9207), so that an answer of this provider cannot
// be passed off as another's.
func (p *Provider) redirect(w http.ResponseWriter, r *http.Request, answer url.Values) {
	to, err := url.Parse(r.Form.Get("redirect_uri"))
	if err != nil { // it equals one of the configured ones
		p.serverError(w, err)
		return
	}
	query := to.Query()
	for name, values := range answer {
		query[name] = values
	}
	if r.Form.Has("state") {
		query.Set("state", r.Form.Get("state"))
	}
	query.Set("iss", p.config.Issuer)
	to.RawQuery = query.Encode()
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
}

func (p *Provider) newCode(person Person, form url.Values) string {
	issued := code{
		email: person.Email, redirectURI: form.Get("redirect_uri"), challenge: form.Get("code_challenge"),
		nonce: form.Get("nonce"), scope: grantedScope(form), authTime: p.config.Now(),
	}
	text := rand.Text()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep()
	p.codes[text] = issued
	return text
}

// grantedScope adds offline_access when it is asked for in Google's way.
func grantedScope(form url.Values) string {
	scope := form.Get("scope")
	if form.Get("access_type") == "offline" && !hasScope(scope, "offline_access") {
		scope += " offline_access"
	}
	return scope
}

func hasScope(scope, name string) bool { return slices.Contains(strings.Fields(scope), name) }

// takeCode consumes a code: whoever comes second finds none.
func (p *Provider) takeCode(text string) (code, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found, ok := p.codes[text]
	delete(p.codes, text)
	return found, ok && p.config.Now().Sub(found.authTime) < codeLifetime
}

// sweep forgets what is over, at most once a minute. The caller holds mu.
func (p *Provider) sweep() {
	now := p.config.Now()
	if now.Sub(p.sweeping) < time.Minute {
		return
	}
	p.sweeping = now
	for text, c := range p.codes {
		if now.Sub(c.authTime) >= codeLifetime {
			delete(p.codes, text)
		}
	}
	for text, b := range p.bearers {
		if !now.Before(b.expires) {
			delete(p.bearers, text)
		}
	}
}
