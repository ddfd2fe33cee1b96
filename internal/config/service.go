package config

import (
	"errors"
	"maps"
	"os"
	"slices"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/strict"
)

// Service is a back end with a private API.
type Service struct {
	// URL of its private API, as Munjigi reaches it. Required.
	URL string `yaml:"url"`
	// Realms whose people it admits. Required.
	Realms []string `yaml:"realms"`
	// OpenAPI is the path of its OpenAPI document, from which the console's screens are made. Default: none, and then the
	// service is not in the console.
	OpenAPI string `yaml:"openapi"`
	// Overlay is a file with an OpenAPI Overlay, which is laid over the document: for a service that one cannot change.
	Overlay string `yaml:"overlay"`
	// Roles that may read, write and export through the console: roles: {read: [viewer], write: [editor], export: [viewer]}.
	// Who may write may read. Default: read and write are for the role admin, export is for those who may read.
	Roles map[string][]string `yaml:"roles"`
}

// uses are what roles are given for.
var uses = []string{"read", "write", "export"}

// maxOverlay bounds an overlay; it is much smaller than the document.
const maxOverlay = 1 << 20

// ReadOverlay is the text of a service's overlay; nil without one. The error names neither the file nor anything in it.
func (c *Config) ReadOverlay(service Service) ([]byte, error) {
	if service.Overlay == "" {
		return nil, nil
	}
	info, err := os.Stat(c.Path(service.Overlay))
	if err != nil {
		return nil, plainError(err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxOverlay {
		return nil, errors.New("want a regular file of at most 1 MiB")
	}
	text, err := os.ReadFile(c.Path(service.Overlay))
	if err != nil {
		return nil, plainError(err)
	}
	return text, nil
}

func (c checker) service(key, name string, service Service) {
	c.name(key, name, account.ConsoleAudience)
	if c.required(key+".url", service.URL, "the address of its private API, such as http://10.0.0.5:9000") {
		if err := serviceURL(service.URL); err != nil {
			c.Add(key+".url", strict.Quoted(service.URL), err.Error())
		}
	}
	if len(service.Realms) == 0 && !c.ReportedBelow(key+".realms") {
		c.Add(key+".realms", "none", "the realms whose people it admits")
	}
	c.names(key+".realms", service.Realms, slices.Collect(maps.Keys(c.Realms)), "one of the realms")
	if service.OpenAPI != "" && !plainPath(service.OpenAPI) {
		c.Add(key+".openapi", strict.Quoted(service.OpenAPI), "a path on the service, such as /openapi.json")
	}
	c.overlay(key+".overlay", service)
	c.serviceRoles(key, service)
}

func (c checker) overlay(key string, service Service) {
	if service.Overlay == "" {
		return
	}
	if service.OpenAPI == "" {
		c.Add(key, strict.Quoted(service.Overlay), "openapi beside it: an overlay is laid over a document")
	}
	if _, err := c.ReadOverlay(service); err != nil {
		c.Add(key, strict.Quoted(service.Overlay)+": "+err.Error(), "a file with an OpenAPI Overlay")
	}
}

func (c checker) serviceRoles(key string, service Service) {
	for _, use := range slices.Sorted(maps.Keys(service.Roles)) {
		if !slices.Contains(uses, use) {
			c.Add(key+".roles."+use, "an unknown key", strict.OneOf(use, uses))
		}
		if c.ReportedBelow(key + ".realms") {
			continue // which roles there are is not known then
		}
		c.names(key+".roles."+use, service.Roles[use], c.rolesOf(service.Realms), "one of the roles of its realms")
	}
}

func (c checker) rolesOf(realms []string) (roles []string) {
	for _, realm := range realms {
		roles = slices.AppendSeq(roles, maps.Keys(c.Realms[realm].Roles))
		if credentials := c.Realms[realm].Credentials; credentials != nil {
			roles = append(roles, credentials.Roles...)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(roles)))
}
