package upstream

import (
	"slices"
	"strings"
)

// The lengths of RFC 5321 §4.5.3.1.
const (
	maxEmail = 254
	maxLocal = 64
	maxLabel = 63
)

// atext is what may stand in an unquoted local part besides letters and digits (RFC 5322 §3.2.3).
const atext = "!#$%&'*+-/=?^_`{|}~."

// parseEmail gives the address in lower case and its domain. It is stricter than the RFCs, because a company's rule
// hangs on the domain: one @, no quotes, comments or literals, nothing outside ASCII (a Kelvin sign becomes a k when
// lower-cased, and an accented or Cyrillic letter looks like another domain), no dot at an end or beside another.
func parseEmail(text string) (email, domain string, ok bool) {
	if len(text) > maxEmail {
		return "", "", false
	}
	local, domain, found := strings.Cut(text, "@")
	if !found || !isLocal(local) || !isDomain(domain) {
		return "", "", false
	}
	return strings.ToLower(text), strings.ToLower(domain), true
}

func isLocal(local string) bool {
	if local == "" || len(local) > maxLocal || local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, "..") {
		return false
	}
	for i := range len(local) {
		if !isAlphanumeric(local[i]) && strings.IndexByte(atext, local[i]) < 0 {
			return false
		}
	}
	return true
}

// isDomain admits host names of at least two labels of letters, digits and inner hyphens.
func isDomain(domain string) bool {
	labels := strings.Split(domain, ".")
	if len(labels) < 2 {
		return false
	}
	for _, label := range labels {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if !isAlphanumeric(label[i]) && label[i] != '-' {
				return false
			}
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// standing is how a set of claims stands to the company's rule.
type standing int

const (
	admitted standing = iota
	refused           // clearly outside
	unclear           // the provider did not say
)

// stand holds the claims against the domains. The e-mail has to be a verified one of an allowed domain. Google's hd
// has to be an allowed one too: an e-mail of the company's may belong to a consumer account that only uses that address. For other
// providers hd counts where it is sent.
func (p *Provider) stand(c claims) (standing, string) {
	if len(p.cfg.Domains) == 0 {
		return admitted, ""
	}
	if c.Email == "" {
		return unclear, "the provider sends no e-mail address"
	}
	_, domain, ok := parseEmail(c.Email)
	switch {
	case !ok:
		return refused, "the e-mail address is malformed"
	case !c.verified():
		return refused, "the provider has not verified the e-mail address"
	case !slices.Contains(p.cfg.Domains, domain):
		return refused, "the e-mail address is of another domain"
	}
	hosted := strings.ToLower(c.HostedDomain)
	if (p.google() || hosted != "") && !slices.Contains(p.cfg.Domains, hosted) {
		return refused, "the account is hosted by another domain"
	}
	return admitted, ""
}
