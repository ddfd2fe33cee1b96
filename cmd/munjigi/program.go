package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/munjigi/munjigi/console"
	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/config"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/hashing"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/links"
	"github.com/munjigi/munjigi/internal/mail"
	"github.com/munjigi/munjigi/internal/office"
	"github.com/munjigi/munjigi/internal/recheck"
	"github.com/munjigi/munjigi/internal/server"
	"github.com/munjigi/munjigi/internal/server/admin"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/signin"
	"github.com/munjigi/munjigi/internal/store"
	"github.com/munjigi/munjigi/internal/store/gauges"
	"github.com/munjigi/munjigi/internal/store/sweeper"
	"github.com/munjigi/munjigi/internal/upstream"
)

// program is everything that serve runs, put together.
type program struct {
	// Handler answers all requests but those for metrics.
	Handler http.Handler
	// Metrics answers /metrics.
	Metrics *prometheus.Registry

	config    config.Config
	log       *slog.Logger
	store     *store.Store
	hasher    *account.Hasher
	ring      *keys.Ring
	feed      *session.Feed
	worker    *recheck.Worker
	manager   *session.Manager
	providers map[string]*upstream.Provider // by realm
	services  map[string]*signin.Service    // by realm: those that keep its accounts
	server    *server.Server
	links     *links.Manager
	office    *office.Office
	letters   *mail.Queue // nil without a mail server
}

// newProgram opens the database and puts the parts together. Nothing listens and nothing runs by itself yet.
func newProgram(ctx context.Context, config config.Config, log *slog.Logger) (*program, error) {
	p := &program{
		config: config, log: log, Metrics: prometheus.NewRegistry(), providers: map[string]*upstream.Provider{},
		services: map[string]*signin.Service{}, hasher: account.NewHasher(account.HasherConfig{Compute: hashing.New(hashing.Config{Log: log}).Compute}),
	}
	p.Metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	var err error
	if p.store, err = openStore(ctx, &p.config, log); err != nil {
		return nil, err
	}
	if err := p.assemble(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (p *program) assemble(ctx context.Context) (err error) {
	ring := ringConfig(&p.config, p.store)
	ring.Log = p.log
	if p.ring, err = keys.Open(ctx, ring); err != nil {
		return err
	}
	p.feed = session.NewFeed(session.FeedConfig{Store: p.store, Withdrawn: p.reloadKeys, Registerer: p.Metrics, Log: p.log})
	if err := p.feed.Read(ctx); err != nil {
		return err
	}
	if err := p.openProviders(); err != nil {
		return err
	}
	if err := p.openServices(ctx); err != nil {
		return err
	}
	p.worker = recheck.New(recheck.Config{
		Store: p.store, Waves: p.store, Realms: p.recheckRealms(), Woken: p.feed.WakeSince, Registerer: p.Metrics, Log: p.log,
	})
	p.manager, err = session.NewManager(ctx, session.Config{
		Issuer: p.config.URL, Store: p.store, Lineage: p.store, Keys: p.ring, Checker: p.worker,
		Realms: p.sessionRealms(), Woken: p.feed.Wake, Log: p.log,
	})
	if err != nil {
		return err
	}
	flow, err := signin.New(signin.Config{
		Realms: p.signinRealms(), Apps: p.config.AllApps(), Store: p.store, Sessions: p.manager, Keys: p.ring, Audit: p.store,
		Guesses: p.store, Woken: p.feed.Wake, Registerer: p.Metrics, Log: p.log,
	})
	if err != nil {
		return err
	}
	if err := p.openLinks(flow); err != nil {
		return err
	}
	if p.office, err = office.Open(ctx, &p.config, p.ring, p.store.Papers(), p.log); err != nil {
		return err
	}
	if p.server, err = server.New(p.serverConfig(flow)); err != nil {
		return err
	}
	p.Handler = p.server
	p.Metrics.MustRegister(gauges.New(p.store))
	p.Metrics.MustRegister(gauges.Hasher(p.hasher)...)
	return p.recordConfig(ctx)
}

// reloadKeys is for a key that was withdrawn elsewhere: sooner than the ring would see it by itself.
func (p *program) reloadKeys(ctx context.Context) {
	if err := p.ring.Reload(ctx); err != nil {
		p.log.Warn("keys not read after one was withdrawn: the next poll will", "err", err)
	}
}

// openProviders makes the OpenID client of each realm. Nobody is asked before somebody signs in.
func (p *program) openProviders() error {
	for name, realm := range p.config.Realms {
		if realm.OIDC == nil {
			continue
		}
		secret, err := config.ReadSecret(p.config.Path(realm.OIDC.ClientSecretFile))
		if err != nil {
			return usageError{fmt.Errorf("client secret of realm %s: %w", name, err)}
		}
		p.providers[name] = upstream.New(upstream.Config{
			Issuer: realm.OIDC.Issuer, ClientID: realm.OIDC.ClientID, ClientSecret: upstream.Secret(secret),
			RedirectURL: p.config.RealmURL(name) + "/sign-in/" + name + "/callback",
			Scopes:      realm.OIDC.Scopes, Domains: realm.OIDC.Domains, GroupsClaim: realm.OIDC.GroupsClaim,
			Log: p.log.With("realm", name),
		})
	}
	return nil
}

// rolesOf is a realm's rule for roles, at sign-ins and rechecks alike: what the configuration gives to somebody as the
// provider describes them now. A realm without domains admits only those to whom it gives a role.
func rolesOf(realm config.Realm) func(upstream.Person) ([]string, error) {
	return func(person upstream.Person) ([]string, error) {
		roles := account.RolesOf(realm.Roles, person.Email, person.Groups)
		if len(roles) == 0 && len(realm.OIDC.Domains) == 0 {
			return nil, fault.New(fault.DomainRefused, "no role is given to this person")
		}
		return roles, nil
	}
}

func (p *program) recheckRealms() map[string]recheck.Realm {
	realms := map[string]recheck.Realm{}
	for name, realm := range p.config.Realms {
		if realm.OIDC == nil {
			continue // there is nobody to ask
		}
		realms[realm.OIDC.Issuer] = recheck.Realm{
			Name: name, Provider: p.providers[name], Roles: rolesOf(realm),
			Every: time.Duration(realm.Recheck.Every), MaxStale: time.Duration(realm.Recheck.MaxStale),
			Wave: recheck.WaveRule{Share: realm.Recheck.Wave.Share.Share(), AtLeast: realm.Recheck.Wave.AtLeast},
		}
	}
	return realms
}

func (p *program) sessionRealms() map[string]session.Realm {
	realms := map[string]session.Realm{}
	for name, realm := range p.config.Realms {
		s := realm.Session
		checks := realm.Recheck
		if realm.OIDC == nil {
			checks = config.Recheck{}
		}
		realms[name] = session.Realm{
			Policy: session.Policy{
				Access: time.Duration(s.Access), Idle: time.Duration(s.Idle), Max: time.Duration(s.Max),
				PerAccount: s.PerAccount, PerDeviceClass: s.PerDeviceClass, WhenFull: s.WhenFull, RenewGrace: time.Duration(s.RenewGrace), LostAnswers: s.LostAnswers,
			},
			CheckEvery: time.Duration(checks.Every), MaxStale: time.Duration(checks.MaxStale),
		}
	}
	return realms
}

func (p *program) signinRealms() map[string]signin.Realm {
	realms := map[string]signin.Realm{}
	for name, realm := range p.config.Realms {
		if realm.Password != nil {
			realms[name] = signin.Realm{Checker: &signin.Members{
				Realm: name, Store: p.store, Hasher: p.hasher, Rules: passwordRules(&p.config, name), Log: p.log,
			}}
			continue
		}
		if service, ok := p.services[name]; ok {
			realms[name] = signin.Realm{Checker: service}
			continue
		}
		realms[name] = signin.Realm{Provider: p.providers[name], Roles: rolesOf(realm), RecheckEvery: time.Duration(realm.Recheck.Every)}
	}
	return realms
}

func (p *program) serverConfig(flow *signin.Flow) server.Config {
	realms := map[string]server.Realm{}
	for name, realm := range p.config.Realms {
		if realm.Password != nil {
			realms[name] = server.Realm{Kind: server.Password, URL: p.config.RealmURL(name), SignUp: realm.Password.SignUp, MinLength: realm.Password.MinLength, Forgotten: p.letters != nil}
		} else if realm.Credentials != nil {
			realms[name] = server.Realm{Kind: server.Credentials, URL: p.config.RealmURL(name)}
		} else if issuer, err := url.Parse(realm.OIDC.Issuer); err == nil {
			realms[name] = server.Realm{Kind: server.OIDC, Provider: issuer.Host, URL: p.config.RealmURL(name)}
		}
	}
	proxies := make([]netip.Prefix, len(p.config.TrustedProxies))
	for i, proxy := range p.config.TrustedProxies {
		proxies[i] = netip.Prefix(proxy)
	}
	return server.Config{
		URL: p.config.URL, CookieDomain: p.config.CookieDomain, Console: p.config.Console,
		Realms: realms, Apps: p.config.AllApps(), TrustedProxies: proxies,
		Sessions: p.manager, Devices: p.manager, SignIn: flow, Keys: p.ring, Feed: p.feed, Directory: p.store, Audit: p.store,
		Tools: admin.Tools{Keys: p.ring, Lookup: p.store.Finder(), Members: p.store, Links: p.links, CheckMember: p.config.CheckMember, Woken: p.feed.Wake},
		Waves: p.worker, Links: p.links, Office: p.office.Gateway, Grants: p.office.Gateway, Ready: p.ready, Pages: console.Files(),
		KeysMaxAge: min(time.Minute, time.Duration(p.config.Keys.PublishAhead)),
		Registerer: p.Metrics, Log: p.log,
	}
}

// ready tells whether requests can be answered here: the store is read, and there is a key to sign with.
func (p *program) ready(ctx context.Context) error {
	if kid, _ := p.ring.Active(); !p.ring.CanSign(kid) {
		return errors.New("no key to sign with")
	}
	return p.store.Ping(ctx)
}

// recordConfig leaves in the audit which configuration was in force from now on. The file holds no secrets, and its
// hash tells less still.
func (p *program) recordConfig(ctx context.Context) error {
	hash := p.config.Hash()
	return p.store.Append(ctx, audit.Event{
		At: moment(), Action: audit.ConfigLoaded, Actor: audit.Actor{Kind: audit.ByProgram},
		Details: map[string]string{"sha256": hex.EncodeToString(hash[:]), "url": p.config.URL},
	})
}

// Run does what happens without requests, until ctx ends: it follows the feed and the keys, asks the providers, sweeps.
func (p *program) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	runs := []func(context.Context) error{p.ring.Run, p.feed.Run, p.worker.Run, p.manager.Run, p.office.Run, p.sweep}
	if p.letters != nil {
		runs = append(runs, p.letters.Run)
	}
	for _, run := range runs {
		group.Go(func() error { return run(ctx) })
	}
	return group.Wait()
}

func (p *program) sweep(ctx context.Context) error {
	return sweeper.Run(ctx, sweeper.Config{Store: p.store, Also: p.sweepLegacy, Log: p.log})
}

// Close closes the database. Run must have ended.
func (p *program) Close() error { return p.store.Close() }
