// Package config is the configuration file: its one documented struct is the reference manual of its keys, and Load
// tells everything that is wrong with a file by line and column. It neither opens a database nor asks anybody.
package config

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/strict"
	"github.com/munjigi/munjigi/internal/token"
)

// Config is the configuration file: the reference manual of its keys. Paths are relative to the file's directory;
// durations look like 90s, 5m, 12h, 7d; shares like 20%. A key that is left out has the default named here.
type Config struct {
	// URL is the address that people use, and the issuer ("iss") of all tokens: https://HOST[:PORT], or http on a
	// loopback address. Required.
	URL string `yaml:"url"`
	// Listen is where the server waits for requests, in plain HTTP: a proxy in front of it speaks TLS. Default
	// 127.0.0.1:8080.
	Listen string `yaml:"listen"`
	// MetricsListen is where /metrics is answered, apart from everything else. Default: nowhere.
	MetricsListen string `yaml:"metrics_listen"`
	// TrustedProxies are the addresses or networks whose X-Forwarded-For counts. Default: none, the peer's address
	// counts.
	TrustedProxies []strict.Network `yaml:"trusted_proxies"`
	// Database is sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE?OPTIONS. Default sqlite:munjigi.db.
	Database string `yaml:"database"`
	// SealKeyFile is the key that encrypts private keys and grants in the database; `munjigi init` makes it. Default
	// munjigi.key.
	SealKeyFile string `yaml:"seal_key_file"`
	// Console is the realm whose members may open the console; those with its role "admin" administrate. Default: the
	// only realm, if there is one.
	Console string `yaml:"console"`
	// CookieDomain widens the hint cookies, which hold no secret, to a whole domain, for apps on other hosts of it.
	// Default: Munjigi's own host.
	CookieDomain string `yaml:"cookie_domain"`

	Keys Keys `yaml:"keys"`
	// Mail is how letters to people go out. Default: none do; then nobody can ask for a new password, or sign up.
	Mail     *Mail              `yaml:"mail"`
	Realms   map[string]Realm   `yaml:"realms"`
	Apps     map[string]App     `yaml:"apps"`
	Services map[string]Service `yaml:"services"`

	file string            // its name in messages
	hash [sha256.Size]byte // of its text
}

// Keys says how signing keys live. They are created by themselves.
type Keys struct {
	// Algorithm of keys that are created from now on: ES256, EdDSA or RS256. Default ES256.
	Algorithm string `yaml:"algorithm"`
	// Rotate is how long a key signs. Default 30d.
	Rotate strict.Duration `yaml:"rotate"`
	// PublishAhead is how long a key is published before it signs, so that every service knows it by then. Default 1d.
	PublishAhead strict.Duration `yaml:"publish_ahead"`
}

// Realm is a population with one way to sign in and one session policy.
type Realm struct {
	// URL is an address of its own for the realm's sign-in and its session calls, as url is written. The console, its
	// calls and the other realms do not answer there, and the realm does not answer at url. Not for the console's
	// realm. Default: url.
	URL string `yaml:"url"`
	// Listen is where the server waits for requests besides listen. Only for trying things out: on one machine without
	// a proxy, addresses differ by their ports. Default: nowhere else.
	Listen string `yaml:"listen"`
	// OIDC is an OpenID Connect provider. A realm has one way to sign in: this one, Password or Credentials.
	OIDC *OIDC `yaml:"oidc"`
	// Password keeps logins and passwords here, of members whom `munjigi members` adds: password: {}
	Password *Password `yaml:"password"`
	// Credentials asks one of the services, which keeps the accounts and their passwords.
	Credentials *Credentials `yaml:"credentials"`
	// Roles says who may do what: role → e-mail addresses, "domain:example.com", "group:platform". The console's
	// realm needs somebody with the role "admin". In a realm with passwords the roles are given with each member: here
	// stand only their names, each with an empty list; where none do, a member may have any. In a realm with credentials
	// the service gives them, and nothing stands here.
	Roles   map[string][]string `yaml:"roles"`
	Session Session             `yaml:"session"`
	Recheck Recheck             `yaml:"recheck"`
}

// OIDC is one OpenID Connect provider and us as its client.
type OIDC struct {
	// Issuer is the provider's identifier, exactly as it writes it: https://accounts.google.com. Required.
	Issuer string `yaml:"issuer"`
	// ClientID is what the provider calls us. Required.
	ClientID string `yaml:"client_id"`
	// ClientSecretFile holds the client secret, and is readable by its owner alone. Required.
	ClientSecretFile string `yaml:"client_secret_file"`
	// Domains are the company's: others are refused, by their e-mail and by what the provider says of their
	// organization. Default: none; then only those with a role get in.
	Domains []string `yaml:"domains"`
	// Scopes are asked for besides openid, email and profile.
	Scopes []string `yaml:"scopes"`
	// GroupsClaim is where the provider sends a person's groups. Default groups.
	GroupsClaim string `yaml:"groups_claim"`
}

// Password is how members' passwords are kept.
type Password struct {
	// SignUp lets people make their own account. Default false.
	SignUp bool `yaml:"sign_up"`
	// MinLength is how many characters a new password has at least, 8 to 64. Default 12.
	MinLength int `yaml:"min_length"`
}

// Session is how long sessions live, and how many there may be.
type Session struct {
	// Access is the life of an access token, at most 1h. Default 5m.
	Access strict.Duration `yaml:"access"`
	// Idle ends a session that nobody renews. Default 12h.
	Idle strict.Duration `yaml:"idle"`
	// Max ends every session. Default 7d.
	Max strict.Duration `yaml:"max"`
	// PerAccount is how many sessions an account may have at once; 0 = any number. Default 0.
	PerAccount int `yaml:"per_account"`
	// PerDeviceClass is how many of them may be on desktops, and how many on phones and tablets; 0 = any number. With 1
	// a PC and a phone may be signed in at once. Default 0.
	PerDeviceClass int `yaml:"per_device_class"`
	// WhenFull: "replace" ends the oldest session for a new one, "refuse" refuses the new one until the person has chosen
	// which to end. Default replace.
	WhenFull string `yaml:"when_full"`
	// RenewGrace is how long a renewal that is repeated gets the same answer once more. Default 10s.
	RenewGrace strict.Duration `yaml:"renew_grace"`
	// LostAnswers is how many renewals a day may get lost on their way before a session counts as stolen. Default 2.
	LostAnswers int `yaml:"lost_answers"`
}

// Recheck is how the provider is asked whether people are still valid.
type Recheck struct {
	// Every is how often each signed-in person is asked about, at least 1s. Default 5m.
	Every strict.Duration `yaml:"every"`
	// MaxStale is for how long the provider may be out of reach before sessions end. Default 4h.
	MaxStale strict.Duration `yaml:"max_stale"`
	// Wave stops cut-offs when unusually many people are gone at once, until an administrator has decided.
	Wave Wave `yaml:"wave"`
}

// Wave: a wave is more than Share of all people, and at least AtLeast of them, gone within 5 minutes.
type Wave struct {
	Share   strict.Percent `yaml:"share"`    // default 20%
	AtLeast int            `yaml:"at_least"` // default 10
}

// App is a front end.
type App struct {
	// Realm whose people use it. Required.
	Realm string `yaml:"realm"`
	// Origins its pages are on, such as https://shop.example.com. Required unless its carrier is body.
	Origins []string `yaml:"origins"`
	// Services it may call.
	Services []string `yaml:"services"`
	// Carrier of its refresh token: "cookie" for browsers, "body" for native apps and command lines. Default cookie.
	Carrier string `yaml:"carrier"`
}

// maxConfig bounds a configuration file; a large one has some thousand lines.
const maxConfig = 1 << 20

// Load reads and checks a file. What is wrong with its content is a *strict.Error.
func Load(file string) (Config, error) {
	config, document, err := Open(file)
	if err != nil {
		return Config{}, err
	}
	return config, document.Err()
}

// Open is Load for those who have problems to add.
func Open(file string) (Config, *strict.Document, error) {
	info, err := os.Stat(file)
	if err != nil {
		return Config{}, nil, fmt.Errorf("configuration: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxConfig {
		return Config{}, nil, fmt.Errorf("configuration %s: want a regular file of at most %d bytes", file, maxConfig)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return Config{}, nil, fmt.Errorf("configuration: %w", err)
	}
	config, document := Read(file, text)
	return config, document, nil
}

// Read is Open for a text that is at hand; file is its name in messages.
func Read(file string, text []byte) (Config, *strict.Document) {
	config := Config{file: file, hash: sha256.Sum256(text)}
	config.setDefaults()
	document, ok := strict.Read(file, text, &config)
	if ok {
		config.complete()
		checker{&config, document}.all()
	}
	return config, document
}

// Path is a file's, relative to the configuration's directory.
func (c *Config) Path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(c.file), name)
}

// DatabasePath is Database with the path of a file as Path gives it.
func (c *Config) DatabasePath() string {
	if postgres(c.Database) {
		return c.Database
	}
	kind, path, _ := strings.Cut(c.Database, ":")
	return kind + ":" + c.Path(path)
}

// Shared tells that other nodes may use the same database.
func (c *Config) Shared() bool { return postgres(c.Database) }

// Hash is of the file's text: it tells which configuration was in force.
func (c *Config) Hash() [sha256.Size]byte { return c.hash }

const day = 24 * time.Hour

func (c *Config) setDefaults() {
	c.Listen, c.Database, c.SealKeyFile = "127.0.0.1:8080", "sqlite:munjigi.db", "munjigi.key"
	c.Keys = Keys{Algorithm: string(token.ES256), Rotate: strict.Duration(30 * day), PublishAhead: strict.Duration(day)}
}

// SetDefaults implements strict.Defaulter.
func (c *Realm) SetDefaults() {
	c.Session = Session{
		Access: strict.Duration(5 * time.Minute), Idle: strict.Duration(12 * time.Hour), Max: strict.Duration(7 * day),
		WhenFull: "replace", RenewGrace: strict.Duration(10 * time.Second), LostAnswers: 2,
	}
	c.Recheck = Recheck{
		Every: strict.Duration(5 * time.Minute), MaxStale: strict.Duration(4 * time.Hour),
		Wave: Wave{Share: 20, AtLeast: 10},
	}
}

// SetDefaults implements strict.Defaulter.
func (c *Password) SetDefaults() { c.MinLength = 12 }

// SetDefaults implements strict.Defaulter.
func (c *App) SetDefaults() { c.Carrier = "cookie" }

// complete fills in what follows from other keys.
func (c *Config) complete() {
	if c.Console == "" && len(c.Realms) == 1 {
		for name := range c.Realms {
			c.Console = name
		}
	}
	if c.Mail != nil && c.Mail.TLS == "" {
		c.Mail.TLS = mailTLS[0]
	}
}

// AllApps are the configured ones and the console, which is built in.
func (c *Config) AllApps() map[string]account.App {
	all := map[string]account.App{account.Console: {
		Name: account.Console, Realm: c.Console, Origins: []string{c.URL}, Services: []string{account.ConsoleAudience},
	}}
	for name, app := range c.Apps {
		all[name] = account.App{
			Name: name, Realm: app.Realm, Origins: app.Origins, Services: app.Services, Body: app.Carrier == "body",
		}
	}
	return all
}
