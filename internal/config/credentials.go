package config

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/munjigi/munjigi/internal/strict"
)

// Credentials is a service that keeps the realm's accounts: it is asked whether a login and a password are right.
type Credentials struct {
	// Service is one of the services; its url is where it is asked. Required.
	Service string `yaml:"service"`
	// Path of the route that is asked, on the service, such as /private/credentials. Required.
	Path string `yaml:"path"`
	// Roles that the service may give. Whatever else it names is dropped. Default: none.
	Roles []string `yaml:"roles"`
	// LegacyUntil is the last day, in UTC, on which tokens of the service's old sign-in are exchanged for sessions, such
	// as 2027-06-30. Default: none, they are not. Do not put it off once it is over: by then it is forgotten which were
	// exchanged.
	LegacyUntil strict.Date `yaml:"legacy_until"`
}

// CredentialsURL is where a service of the configuration is asked.
func (c *Config) CredentialsURL(credentials Credentials) string {
	return strings.TrimSuffix(c.Services[credentials.Service].URL, "/") + credentials.Path
}

func (c checker) credentials(key string, credentials Credentials) {
	names := slices.Collect(maps.Keys(c.Services))
	if c.required(key+".service", credentials.Service, "the service that keeps the accounts") && !slices.Contains(names, credentials.Service) {
		c.Add(key+".service", strict.Quoted(credentials.Service), "one of the services: "+strict.OneOf(credentials.Service, names))
	}
	if c.required(key+".path", credentials.Path, "the path of the route that is asked, such as /private/credentials") && !plainPath(credentials.Path) {
		c.Add(key+".path", strict.Quoted(credentials.Path), "a path on the service, such as /private/credentials")
	}
	for i, role := range credentials.Roles {
		c.name(key+".roles["+strconv.Itoa(i)+"]", role)
	}
}

// plainPath is one that is sent as it is written, and cannot name another host.
func plainPath(path string) bool {
	u, err := url.Parse("http://service" + path)
	return err == nil && strings.HasPrefix(path, "/") && u.Host == "service" && u.User == nil && u.EscapedPath() == path &&
		!strings.Contains(path, "//") && !strings.Contains(path, "..")
}
