// Package office puts the catalog and the gateway together as the configuration says. It decides nothing itself.
package office

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/catalog"
	"github.com/munjigi/munjigi/internal/compile"
	"github.com/munjigi/munjigi/internal/config"
	"github.com/munjigi/munjigi/internal/gateway"
	"github.com/munjigi/munjigi/internal/self"
)

// Keys is keys.Ring.
type Keys interface {
	catalog.Keys
}

// Papers is what the store keeps of services.
type Papers interface {
	catalog.Store
	gateway.Journal
}

// Office is the back office: its catalog has to Run, its gateway answers.
type Office struct {
	Catalog *catalog.Catalog
	Gateway *gateway.Gateway

	log *slog.Logger
}

// straysAfter is the age at which a call of a database with several nodes is nobody's any more.
const straysAfter = 6 * time.Hour

// Open reads the overlays and what the store has; calls that an earlier run left open are ended, unless they may
// be another node's. No service is asked yet.
func Open(ctx context.Context, c *config.Config, keys Keys, papers Papers, log *slog.Logger) (*Office, error) {
	sources, roles, err := services(c)
	if err != nil {
		return nil, err
	}
	o := &Office{log: log}
	o.Catalog, err = catalog.Open(ctx, catalog.Config{
		Issuer: c.URL, Sources: sources, Keys: keys, Store: papers, Compile: compile.Service, Log: log,
	})
	if err != nil {
		return nil, err
	}
	own, err := ownScreens()
	if err != nil {
		return nil, err
	}
	o.Gateway, err = gateway.New(gateway.Config{
		Issuer: c.URL, Roles: roles, Catalog: o.Catalog, Keys: keys, Journal: papers, Own: own, Log: log,
	})
	if err != nil {
		return nil, err
	}
	if c.Shared() {
		return o, nil // Run ends them in time
	}
	return o, o.Gateway.Recover(ctx, time.Now())
}

// Run follows the services' documents, and ends calls of nodes that are gone, until ctx ends.
func (o *Office) Run(ctx context.Context) error {
	followed := make(chan error, 1)
	go func() { followed <- o.Catalog.Run(ctx) }()
	ticker := time.NewTicker(straysAfter / 6)
	defer ticker.Stop()
	for {
		if err := o.Gateway.Recover(ctx, time.Now().Add(-straysAfter)); err != nil && ctx.Err() == nil {
			o.log.Warn("calls that were left open not ended", "err", err)
		}
		select {
		case err := <-followed:
			return err
		case <-ticker.C:
		}
	}
}

// ownScreens is Munjigi as a service, in every language.
func ownScreens() (map[string]backoffice.Service, error) {
	own := map[string]backoffice.Service{}
	for _, language := range catalog.Languages {
		text, err := self.Document(language)
		if err != nil {
			return nil, err
		}
		if own[language], err = compile.Service(self.Name, text, nil); err != nil {
			return nil, fmt.Errorf("own screens: %w", err)
		}
	}
	return own, nil
}

// services are those that admit the console's people, by their names.
func services(c *config.Config) (sources []catalog.Source, roles map[string]gateway.Roles, err error) {
	roles = map[string]gateway.Roles{}
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		service := c.Services[name]
		if !slices.Contains(service.Realms, c.Console) {
			continue
		}
		overlay, err := c.ReadOverlay(service)
		if err != nil {
			return nil, nil, fmt.Errorf("overlay of the service %s: %w", name, err)
		}
		sources = append(sources, catalog.Source{
			Name: name, URL: strings.TrimSuffix(service.URL, "/"), OpenAPI: service.OpenAPI, Overlay: overlay,
		})
		roles[name] = gateway.Roles{Read: service.Roles["read"], Write: service.Roles["write"], Export: service.Roles["export"]}
	}
	return sources, roles, nil
}
