package main

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/publicsuffix"
)

var (
	errOrigin   = errors.New("https://HOST[:PORT] and nothing after it; http only on a loopback address")
	errProvider = errors.New("an https address; http only on a loopback address")
	errService  = errors.New("http://HOST[:PORT] or https://HOST[:PORT], perhaps with a path")
)

// originOf reads an origin (RFC 6454 §6.2) and gives the one way to write it: lower case, no default port, no slash.
// Without TLS only the machine itself is served: anywhere else cookies would travel in the clear.
func originOf(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		return "", errOrigin
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if scheme != "https" && (scheme != "http" || !loopback(u.Hostname())) || !hostForm(u.Hostname()) {
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

func providerURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errProvider
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return errProvider
	}
	return nil
}

func serviceURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "http" && u.Scheme != "https" {
		return errService
	}
	return nil
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && address.IsLoopback()
}

// hostOf is the host of a URL that was checked before.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// sameSite tells whether a browser sends the SameSite cookies of one origin with requests from the other: the same
// scheme, and the same registrable domain (draft-ietf-httpbis-rfc6265bis §5.2).
func sameSite(a, b string) bool {
	schemeA, _, _ := strings.Cut(a, "://")
	schemeB, _, _ := strings.Cut(b, "://")
	hostA, hostB := hostOf(a), hostOf(b)
	return schemeA == schemeB && (hostA == hostB || siteOf(hostA) != "" && siteOf(hostA) == siteOf(hostB))
}

// siteOf is the registrable domain of a host: "example.co.kr" for "shop.example.co.kr". "" for addresses and for
// suffixes that many companies share.
func siteOf(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	site, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return ""
	}
	return site
}

// The forms of host names: domain, with at least two labels, is what follows the @ of an e-mail.
const label = `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`

var (
	domainPattern = regexp.MustCompile(`^(` + label + `\.)+` + label + `$`)
	hostPattern   = regexp.MustCompile(`(?i)^(` + label + `\.)*` + label + `$`)
)

func domainForm(text string) bool { return len(text) <= 253 && domainPattern.MatchString(text) }

func hostForm(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil || len(host) <= 253 && hostPattern.MatchString(host)
}
