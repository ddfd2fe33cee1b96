package config

import (
	"errors"
	"net/url"
	"strings"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/strict"
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

// databaseURL tells what is wrong with the address of a database. It shows nothing of one that may hold a password.
func databaseURL(text string) (found, expected string) {
	kind, rest, _ := strings.Cut(text, ":")
	if !postgres(text) {
		if kind != "sqlite" || rest == "" {
			return strict.Quoted(text), "sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE"
		}
		return "", ""
	}
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.User.Username() == "" || strings.Trim(u.Path, "/") == "" || u.Fragment != "" {
		return kind + "://…", "postgres://USER:PASSWORD@HOST:PORT/DATABASE, in which / ? # % @ : of a password are written as % and two digits"
	}
	return "", ""
}

func postgres(text string) bool {
	return strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://")
}
