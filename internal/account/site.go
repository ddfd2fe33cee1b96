package account

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/publicsuffix"
)

var errOrigin = errors.New("https://HOST[:PORT] and nothing after it; http only on a loopback address")

// Origin reads an origin (RFC 6454 §6.2) and gives the one way to write it: lower case, no default port, no slash. Its error says what was expected.
// Without TLS only the machine itself is served: anywhere else cookies would travel in the clear.
func Origin(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		return "", errOrigin
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if scheme != "https" && (scheme != "http" || !Loopback(u.Hostname())) || !hostForm(u.Hostname()) {
		return "", errOrigin
	}
	if name, port, err := net.SplitHostPort(host); err == nil && (port == "" || scheme == "https" && port == "443" || scheme == "http" && port == "80") {
		host = name
		if strings.Contains(name, ":") {
			host = "[" + name + "]"
		}
	}
	return scheme + "://" + host, nil
}

// Loopback tells whether a host is this machine.
func Loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && address.IsLoopback()
}

// Host is the host of a URL, "" when it is none.
func Host(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// SameSite tells whether a browser sends the SameSite cookies of one origin with requests from the other: the same
// scheme, and the same registrable domain (draft-ietf-httpbis-rfc6265bis §5.2).
func SameSite(a, b string) bool {
	schemeA, _, _ := strings.Cut(a, "://")
	schemeB, _, _ := strings.Cut(b, "://")
	hostA, hostB := Host(a), Host(b)
	return schemeA == schemeB && (hostA == hostB || Site(hostA) != "" && Site(hostA) == Site(hostB))
}

// Site is the registrable domain of a host: "example.co.kr" for "shop.example.co.kr". "" for addresses and for
// suffixes that many companies share.
func Site(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	site, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return ""
	}
	return site
}

// The forms of host names; a domain has at least two labels.
const label = `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`

var (
	domainPattern = regexp.MustCompile(`^(` + label + `\.)+` + label + `$`)
	hostPattern   = regexp.MustCompile(`(?i)^(` + label + `\.)*` + label + `$`)
)

// IsDomain tells whether text can follow the @ of an e-mail, in lower case.
func IsDomain(text string) bool { return len(text) <= 253 && domainPattern.MatchString(text) }

func hostForm(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil || len(host) <= 253 && hostPattern.MatchString(host)
}
