package config

import (
	"errors"
	"net/url"

	"github.com/munjigi/munjigi/internal/account"
)

// GoogleIssuer is the issuer of Google accounts.
const GoogleIssuer = "https://accounts.google.com"

var (
	errProvider = errors.New("an https address; http only on a loopback address")
	errService  = errors.New("http://HOST[:PORT] or https://HOST[:PORT], perhaps with a path")
)

// ProviderURL tells what is wrong with the address of an OpenID provider.
func ProviderURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errProvider
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !account.Loopback(u.Hostname())) {
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
