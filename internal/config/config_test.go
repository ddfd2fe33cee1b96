package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/strict"
)

// goodConfig has every kind of key once. Its lines are counted by the tests below: change them with care.
const goodConfig = `url: https://office.example.com
listen: 127.0.0.1:8080
metrics_listen: 127.0.0.1:9090
trusted_proxies: [10.0.0.1, 192.168.0.0/16]
database: sqlite:munjigi.db
seal_key_file: munjigi.key
console: staff
cookie_domain: example.com
keys: {algorithm: EdDSA, rotate: 20d, publish_ahead: 36h}
realms:
  staff:
    oidc:
      issuer: https://login.example.com
      client_id: munjigi
      client_secret_file: provider.secret
      domains: [example.com]
    roles:
      admin: [boss@example.com]
      editor: ["group:platform"]
    session: {access: 5m, idle: 12h, max: 7d, per_account: 5, when_full: replace, renew_grace: 10s, lost_answers: 2}
    recheck: {every: 5m, max_stale: 4h, wave: {share: 20%, at_least: 10}}
apps:
  shop: {realm: staff, origins: ["https://shop.example.com"], services: [market]}
  tool: {realm: staff, services: [market], carrier: body}
services:
  market: {url: "http://10.0.0.5:9000", realms: [staff], openapi: /openapi.json, roles: {read: [editor], write: [admin]}}
`

// configDir is a directory with the files that goodConfig names.
func configDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, dir, "provider.secret", "hush hush\n", 0o600)
	writeFile(t, dir, "world.secret", "hush hush\n", 0o644)
	writeFile(t, dir, "empty.secret", "\n", 0o600)
	return dir
}

func writeFile(t *testing.T, dir, name, text string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestConfigIsRead(t *testing.T) {
	dir := configDir(t)
	config, document := Read(filepath.Join(dir, "munjigi.yaml"), []byte(goodConfig))
	if err := document.Err(); err != nil {
		t.Fatal(err)
	}
	staff := config.Realms["staff"]
	got := []any{
		config.URL, config.MetricsListen, len(config.TrustedProxies), config.Keys.Algorithm, time.Duration(config.Keys.PublishAhead),
		staff.OIDC.Domains, staff.Roles["editor"], time.Duration(staff.Session.Max), staff.Session.PerAccount,
		staff.Recheck.Wave.Share.Share(), config.AllApps()["tool"].Body, config.AllApps()["console"].Realm, config.Services["market"].Roles["write"],
	}
	want := []any{
		"https://office.example.com", "127.0.0.1:9090", 2, "EdDSA", 36 * time.Hour,
		[]string{"example.com"},
		[]string{"group:platform"},
		7 * day, 5,
		0.2, true, "staff",
		[]string{"admin"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConfigDefaults(t *testing.T) {
	config, document := Read(filepath.Join(configDir(t), "munjigi.yaml"), []byte(`
url: http://localhost:8080/
realms:
  people:
    oidc: {issuer: "http://127.0.0.1:8081", client_id: x, client_secret_file: provider.secret, domains: [example.com]}
    roles: {admin: [boss@example.com]}
`))
	if err := document.Err(); err != nil {
		t.Fatal(err)
	}
	people := config.Realms["people"]
	got := []any{config.URL, config.Listen, config.Database, config.SealKeyFile, config.Console, config.Keys, people.Session, people.Recheck}
	want := []any{
		"http://localhost:8080", "127.0.0.1:8080", "sqlite:munjigi.db", "munjigi.key", "people",
		Keys{"ES256", strict.Duration(30 * day), strict.Duration(day)},
		Session{strict.Duration(5 * time.Minute), strict.Duration(12 * time.Hour), strict.Duration(7 * day), 0, 0, "replace", strict.Duration(10 * time.Second), 2},
		Recheck{strict.Duration(5 * time.Minute), strict.Duration(4 * time.Hour), Wave{20, 10}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Each row changes one thing of goodConfig, and is the whole of what is reported then.
func TestConfigProblems(t *testing.T) {
	tests := []struct {
		name, old, new string
		want           []string
	}{
		{"unknown key", "listen: 127", "lisen: 127", []string{`2:1: lisen: found an unknown key; expected apps, console, cookie_domain, database, keys, listen, mail, metrics_listen, realms, seal_key_file, services, trusted_proxies, url (did you mean "listen"?)`}},
		{"unknown key inside", "when_full: replace", "when_ful: replace", []string{`20:63: realms.staff.session.when_ful: found an unknown key; expected access, idle, lost_answers, max, per_account, per_device_class, renew_grace, when_full (did you mean "when_full"?)`}},
		{"swapped letters", "client_id:", "cleint_id:", []string{
			`13:7: realms.staff.oidc.client_id: found nothing; expected what the provider calls this program`,
			`14:7: realms.staff.oidc.cleint_id: found an unknown key; expected client_id, client_secret_file, domains, groups_claim, issuer, scopes (did you mean "client_id"?)`,
		}},
		{"twice", "listen: 127.0.0.1:8080", "url: https://office.example.com", []string{`2:1: found what is not YAML: mapping key "url" already defined at [1:1]; expected KEY: VALUE lines, indented by spaces`}},
		{"not YAML", "trusted_proxies: [10.0.0.1,", "trusted_proxies: {10.0.0.1,", []string{`4:29: found what is not YAML: could not find flow map content; expected KEY: VALUE lines, indented by spaces`}},

		{"no duration", "access: 5m", "access: 5 minutes", []string{`20:23: realms.staff.session.access: found "5 minutes"; expected a duration such as 90s, 5m, 12h or 7d`}},
		{"a number for a duration", "access: 5m", "access: 300", []string{`20:23: realms.staff.session.access: found the number 300; expected a duration such as 90s, 5m, 12h or 7d`}},
		{"negative", "idle: 12h", "idle: -12h", []string{`20:33: realms.staff.session.idle: found "-12h"; expected a duration such as 90s, 5m, 12h or 7d`}},
		{"no share", "share: 20%", "share: 0.2", []string{`21:55: realms.staff.recheck.wave.share: found the number 0.2; expected a share such as 20%`}},
		{"a text for a number", "per_account: 5", "per_account: five", []string{`20:60: realms.staff.session.per_account: found "five"; expected a whole number`}},
		{"a number for a text", "client_id: munjigi", "client_id: 1234", []string{`14:18: realms.staff.oidc.client_id: found the number 1234; expected a text: put it in quotes`}},
		{"a text for a list", "domains: [example.com]", "domains: example.com", []string{`16:16: realms.staff.oidc.domains: found "example.com"; expected a list: [a, b]`}},
		{"a list for keys", "keys: {algorithm: EdDSA, rotate: 20d, publish_ahead: 36h}", "keys: [1]", []string{`9:7: keys: found a list; expected indented keys`}},
		{"nothing", "listen: 127.0.0.1:8080", "listen:", []string{`2:8: listen: found nothing; expected a text`}},
		{"an alias", "console: staff", "console: *staff", []string{`7:10: console: found "*staff", which this file does not know; expected a text`}},
		{"no network", "[10.0.0.1,", "[10.0.0.300,", []string{`4:19: trusted_proxies[0]: found "10.0.0.300"; expected an IP address or a network such as 10.0.0.0/8`}},

		{"http on the open net", "url: https://office", "url: http://office", []string{`1:6: url: found "http://office.example.com"; expected https://HOST[:PORT] and nothing after it; http only on a loopback address`}},
		{"a path in url", "office.example.com", "office.example.com/auth", []string{`1:6: url: found "https://office.example.com/auth"; expected https://HOST[:PORT] and nothing after it; http only on a loopback address`}},
		{"no port", "listen: 127.0.0.1:8080", "listen: 127.0.0.1", []string{`2:9: listen: found "127.0.0.1"; expected HOST:PORT, such as 127.0.0.1:8080`}},
		{"one listener for both", "metrics_listen: 127.0.0.1:9090", "metrics_listen: 127.0.0.1:8080", []string{`3:17: metrics_listen: found "127.0.0.1:8080"; expected another address than listen`}},
		{"another database", "sqlite:munjigi.db", "mysql://db", []string{`5:11: database: found "mysql://db"; expected sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE`}},
		{"a database without a name", "sqlite:munjigi.db", "postgres://u:hush@db/", []string{`5:11: database: found postgres://…; expected postgres://USER:PASSWORD@HOST:PORT/DATABASE, in which / ? # % @ : of a password are written as % and two digits`}},
		{"a password that cannot be read", "sqlite:munjigi.db", "postgres://u:hu%sh/x@db/m", []string{`5:11: database: found postgres://…; expected postgres://USER:PASSWORD@HOST:PORT/DATABASE, in which / ? # % @ : of a password are written as % and two digits`}},
		{"cookies for all companies", "cookie_domain: example.com", "cookie_domain: com", []string{`8:16: cookie_domain: found "com"; expected a domain of the company's own that holds office.example.com`}},
		{"cookies for others", "cookie_domain: example.com", "cookie_domain: example.org", []string{`8:16: cookie_domain: found "example.org"; expected a domain of the company's own that holds office.example.com`}},

		{"unknown algorithm", "EdDSA", "HS256", []string{`9:19: keys.algorithm: found "HS256"; expected ES256, EdDSA, RS256 (did you mean "ES256"?)`}},
		{"published later than used", "publish_ahead: 36h", "publish_ahead: 21d", []string{`9:54: keys.publish_ahead: found 21d; expected at most 20d, which is rotate`}},

		{"console realm undefined", "console: staff", "console: stuff", []string{`7:10: console: found "stuff"; expected one of the realms: staff (did you mean "staff"?)`}},
		{"no administrator", "admin: [boss@example.com]", "chief: [boss@example.com]", []string{
			`18:7: realms.staff.roles.admin: found no one; expected at least one administrator, because this realm has the console: admin: [boss@example.com]`,
			`26:114: services.market.roles.write[0]: found "admin"; expected one of the roles of its realms: chief, editor`,
		}},
		{"an administrator who can never sign in", "boss@example.com", "boss@exmaple.com", []string{`18:15: realms.staff.roles.admin[0]: found "boss@exmaple.com"; expected somebody of oidc.domains, example.com: all others are refused`}},
		{"two at signs", "boss@example.com", "boss@evil.com@example.com", []string{`18:15: realms.staff.roles.admin[0]: found "boss@evil.com@example.com"; expected an e-mail address, domain:NAME or group:NAME`}},
		{"groups of Google", "https://login.example.com", "https://accounts.google.com", []string{`19:16: realms.staff.roles.editor[0]: found "group:platform"; expected an e-mail address or domain:NAME: Google sends no groups`}},
		{"provider without TLS", "https://login.example.com", "http://login.example.com", []string{`13:15: realms.staff.oidc.issuer: found "http://login.example.com"; expected an https address; http only on a loopback address`}},
		{"domain with a scheme", "domains: [example.com]", `domains: ["https://example.com", example.com]`, []string{`16:17: realms.staff.oidc.domains[0]: found "https://example.com"; expected a domain in lower case, such as example.com`}},

		{"secret missing", "file: provider.secret", "file: none.secret", []string{`15:27: realms.staff.oidc.client_secret_file: found "none.secret": no such file or directory; expected a file with the client secret that only its owner may read`}},
		{"secret for everybody", "file: provider.secret", "file: world.secret", []string{`15:27: realms.staff.oidc.client_secret_file: found "world.secret": its mode is 0644, so everybody on this machine may use it; expected a file with the client secret that only its owner may read`}},
		{"secret empty", "file: provider.secret", "file: empty.secret", []string{`15:27: realms.staff.oidc.client_secret_file: found "empty.secret": an empty file; expected a file with the client secret that only its owner may read`}},
		{"secret is a directory", "file: provider.secret", "file: .", []string{`15:27: realms.staff.oidc.client_secret_file: found ".": not a regular file; expected a file with the client secret that only its owner may read`}},

		{"no time for a repeat", "renew_grace: 10s", "renew_grace: 0s", []string{`20:96: realms.staff.session.renew_grace: found 0s; expected more than 0s, such as 10s: a renewal whose answer got lost is repeated`}},
		{"repeats for longer than half of a token's life", "renew_grace: 10s", "renew_grace: 151s", []string{`20:96: realms.staff.session.renew_grace: found 2m31s; expected at most 2m30s, which is half of access`}},
		{"access too long", "access: 5m", "access: 61m", []string{`20:23: realms.staff.session.access: found 1h1m; expected at most 1h`}},
		{"access longer than idle", "idle: 12h", "idle: 4m", []string{`20:23: realms.staff.session.access: found 5m; expected at most 4m, which is idle`}},
		{"idle longer than max", "max: 7d", "max: 11h", []string{`20:33: realms.staff.session.idle: found 12h; expected at most 11h, which is max`}},
		{"access of no time", "access: 5m", "access: 0s", []string{`20:23: realms.staff.session.access: found 0s; expected at least 1s`}},
		{"part of a second", "access: 5m", "access: 90500ms", []string{`20:23: realms.staff.session.access: found 1m30.5s; expected whole seconds: tokens know no smaller ones`}},
		{"negative number", "per_account: 5", "per_account: -1", []string{`20:60: realms.staff.session.per_account: found -1; expected 0 (any number) or more`}},
		{"negative number of a class", "per_account: 5", "per_device_class: -1", []string{`20:65: realms.staff.session.per_device_class: found -1; expected 0 (any number) or more`}},
		{"more of a class than of all", "per_account: 5", "per_account: 1, per_device_class: 2", []string{`20:81: realms.staff.session.per_device_class: found 2; expected at most 1, which is per_account`}},
		{"unknown choice", "when_full: replace", "when_full: refuze", []string{`20:74: realms.staff.session.when_full: found "refuze"; expected refuse, replace (did you mean "refuse"?)`}},
		{"rechecks too often", "every: 5m", "every: 500ms", []string{`21:22: realms.staff.recheck.every: found 500ms; expected at least 1s`}},
		{"stale before the next recheck", "max_stale: 4h", "max_stale: 4m", []string{`21:37: realms.staff.recheck.max_stale: found 4m; expected at least 5m, which is every`}},
		{"wave of nobody", "at_least: 10", "at_least: 0", []string{`21:70: realms.staff.recheck.wave.at_least: found 0; expected 1 or more`}},

		{"two ways to sign in", "    roles:\n", "    password: {}\n    roles:\n", []string{`17:15: realms.staff.password: found password beside oidc; expected one of them: a realm has one way to sign in`}},
		{"an address of its own for the console", "    roles:\n", "    url: https://login.example.com\n    roles:\n", []string{`17:10: realms.staff.url: found "https://login.example.com"; expected no address of its own for the realm of the console, which is at https://office.example.com`}},
		{"bad name of a realm", "  staff:\n", "  Staff:\n", []string{
			`7:10: console: found "staff"; expected one of the realms: Staff (did you mean "Staff"?)`,
			`11:3: realms.Staff: found the name "Staff"; expected a lower-case letter, then at most 31 lower-case letters, digits, - and _`,
			`23:17: apps.shop.realm: found "staff"; expected one of the realms: Staff (did you mean "Staff"?)`,
			`24:17: apps.tool.realm: found "staff"; expected one of the realms: Staff (did you mean "Staff"?)`,
			`26:50: services.market.realms[0]: found "staff"; expected one of the realms: Staff (did you mean "Staff"?)`,
		}},

		{"app of no realm", "shop: {realm: staff", "shop: {realm: shops", []string{`23:17: apps.shop.realm: found "shops"; expected one of the realms: staff`}},
		{"app without realm", "shop: {realm: staff, ", "shop: {", []string{`23:3: apps.shop.realm: found nothing; expected the realm whose people use it`}},
		{"app with an unknown service", "services: [market]}\n  tool", "services: [markt]}\n  tool", []string{`23:74: apps.shop.services[0]: found "markt"; expected one of the services: market (did you mean "market"?)`}},
		{"app on another site", "https://shop.example.com", "https://shop.example.org", []string{`23:34: apps.shop.origins[0]: found "https://shop.example.org"; expected an origin on the same site as https://office.example.com: browsers keep the session's cookie from all others`}},
		{"origin with a path", "https://shop.example.com", "https://shop.example.com/cart", []string{`23:34: apps.shop.origins[0]: found "https://shop.example.com/cart"; expected https://HOST[:PORT] and nothing after it; http only on a loopback address`}},
		{"origin in another spelling", "https://shop.example.com", "https://Shop.example.com:443/", []string{`23:34: apps.shop.origins[0]: found "https://Shop.example.com:443/"; expected exactly https://shop.example.com`}},
		{"app without pages", `origins: ["https://shop.example.com"], `, "", []string{`23:3: apps.shop.origins: found none; expected the origins of its pages, such as https://shop.example.com`}},
		{"body with pages", "carrier: body", `carrier: body, origins: ["https://shop.example.com"]`, []string{`24:68: apps.tool.origins: found https://shop.example.com; expected none: an app whose carrier is body is no web page`}},
		{"name that is ours", "  shop: {", "  console: {", []string{`23:3: apps.console: found the name "console"; expected another name: this one is Munjigi's own`}},
		{"service without realms", "realms: [staff], openapi", "openapi", []string{
			`26:3: services.market.realms: found none; expected the realms whose people it admits`,
		}},
		{"service without an address", `url: "http://10.0.0.5:9000"`, `url: "10.0.0.5:9000"`, []string{`26:17: services.market.url: found "10.0.0.5:9000"; expected http://HOST[:PORT] or https://HOST[:PORT], perhaps with a path`}},
		{"document elsewhere", "openapi: /openapi.json", "openapi: https://evil.example.com/x", []string{`26:67: services.market.openapi: found "https://evil.example.com/x"; expected a path on the service, such as /openapi.json`}},
		{"unknown use", "read: [editor]", "reed: [editor]", []string{`26:90: services.market.roles.reed: found an unknown key; expected export, read, write (did you mean "read"?)`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if !strings.Contains(goodConfig, test.old) {
				t.Fatalf("%q is not in the configuration", test.old)
			}
			_, document := Read(filepath.Join(configDir(t), "munjigi.yaml"), []byte(strings.Replace(goodConfig, test.old, test.new, 1)))
			if diff := cmp.Diff(test.want, reported(document.Err())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// reported are the problems without the file's name.
func reported(err error) (lines []string) {
	trouble, ok := errors.AsType[*strict.Error](err)
	if !ok {
		return nil
	}
	for _, p := range trouble.Problems {
		lines = append(lines, strings.TrimPrefix(p.String(), p.File+":"))
	}
	return lines
}

// ownHost is a configuration of a realm with an address of its own.
const ownHost = `url: https://office.example.com
listen: 127.0.0.1:8080
console: staff
realms:
  staff:
    oidc: {issuer: "https://a.example.com", client_id: x, client_secret_file: provider.secret, domains: [example.com]}
    roles: {admin: [boss@example.com]}
  members:
    url: https://Login.example.net:443/
    listen: 127.0.0.1:8081
    oidc: {issuer: "https://b.example.com", client_id: x, client_secret_file: provider.secret, domains: [example.com]}
apps:
  shop: {realm: members, origins: ["https://shop.example.net"]}
  tools: {realm: staff, origins: ["https://tools.example.com"]}
`

func TestConfigOfARealmWithItsOwnAddress(t *testing.T) {
	config, document := Read(filepath.Join(configDir(t), "munjigi.yaml"), []byte(ownHost))
	if err := document.Err(); err != nil {
		t.Fatal(err)
	}
	if got, want := config.RealmURL("members")+" "+config.RealmURL("staff"), "https://login.example.net https://office.example.com"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := config.Listens(), []string{"127.0.0.1:8080", "127.0.0.1:8081"}; !cmp.Equal(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	const site = `browsers keep the session's cookie from all others`
	for _, c := range []struct {
		from, to string
		want     []string
	}{
		{"https://Login.example.net:443/", "http://login.example.net", []string{`9:10: realms.members.url: found "http://login.example.net"; expected https://HOST[:PORT] and nothing after it; http only on a loopback address`}},
		{"https://Login.example.net:443/", "http://localhost:8081", []string{
			`9:10: realms.members.url: found "http://localhost:8081"; expected https://…, as url is: cookies are made for one of the two`,
			`13:36: apps.shop.origins[0]: found "https://shop.example.net"; expected an origin on the same site as http://localhost:8081: ` + site,
		}},
		{"https://shop.example.net", "https://shop.example.com", []string{`13:36: apps.shop.origins[0]: found "https://shop.example.com"; expected an origin on the same site as https://login.example.net: ` + site}},
		{"https://tools.example.com", "https://tools.example.net", []string{`14:35: apps.tools.origins[0]: found "https://tools.example.net"; expected an origin on the same site as https://office.example.com: ` + site}},
		{"listen: 127.0.0.1:8081", "listen: 8081", []string{`10:13: realms.members.listen: found the number 8081; expected a text: put it in quotes`}},
		{"listen: 127.0.0.1:8081", "listen: localhost", []string{`10:13: realms.members.listen: found "localhost"; expected HOST:PORT, such as 127.0.0.1:8080`}},
		{"listen: 127.0.0.1:8081", "listen: 127.0.0.1:8080", nil}, // behind a proxy one place is enough
	} {
		_, document := Read(filepath.Join(configDir(t), "munjigi.yaml"), []byte(strings.Replace(ownHost, c.from, c.to, 1)))
		if diff := cmp.Diff(c.want, reported(document.Err())); diff != "" {
			t.Errorf("%s:\n%s", c.to, diff)
		}
	}
}

// membersConfig is a configuration of realms with passwords.
const membersConfig = `url: https://office.example.com
console: staff
realms:
  staff:
    password: {}
  members:
    password: {sign_up: true, min_length: 15}
    roles: {seller: []}
apps:
  shop: {realm: members, origins: ["https://shop.example.com"], services: [market]}
services:
  market: {url: "http://10.0.0.5:9000", realms: [members], roles: {read: [seller]}}
mail: {smtp: "localhost:25", from: no-reply@example.com, tls: none}
`

func TestConfigOfPasswords(t *testing.T) {
	dir := configDir(t)
	config, document := Read(filepath.Join(dir, "munjigi.yaml"), []byte(membersConfig))
	if err := document.Err(); err != nil {
		t.Fatal(err)
	}
	if got, want := *config.Realms["members"].Password, (Password{SignUp: true, MinLength: 15}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := *config.Realms["staff"].Password, (Password{MinLength: 12}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, c := range []struct{ from, to, want string }{
		{"min_length: 15", "min_length: 7", `7:43: realms.members.password.min_length: found 7; expected 8 to 64 characters`},
		{"min_length: 15", "min_length: 65", `7:43: realms.members.password.min_length: found 65; expected 8 to 64 characters`},
		{"mail:", "#", `7:25: realms.members.password.sign_up: found true; expected mail: {smtp: …, from: …} in this file, because who signs up is sent a link; or false`},
		{"sign_up: true", "sign_up: sure", `7:25: realms.members.password.sign_up: found "sure"; expected true or false`},
		{"seller: []", `seller: ["domain:example.com"]`, "8:13: realms.members.roles.seller: found domain:example.com; expected an empty list: `munjigi members` gives roles in a realm with passwords"},
		{"    password: {}\n", "    roles: {admin: [boss@example.com]}\n", `4:3: realms.staff.oidc: found nothing; expected the realm's way to sign in: oidc: {issuer: …, client_id: …, client_secret_file: …}, password: {}, or credentials: {service: …, path: …}`},
	} {
		_, document := Read("munjigi.yaml", []byte(strings.Replace(membersConfig, c.from, c.to, 1)))
		trouble, _ := errors.AsType[*strict.Error](document.Err())
		if trouble == nil || len(trouble.Problems) != 1 || trouble.Problems[0].String() != "munjigi.yaml:"+c.want {
			t.Errorf("%s: got %v\nwant %s", c.to, document.Err(), c.want)
		}
	}
}

// A realm that lets in everybody with any account at the provider is a mistake, not a wish.
func TestConfigRealmForEverybody(t *testing.T) {
	_, document := Read(filepath.Join(configDir(t), "munjigi.yaml"), []byte(`url: https://office.example.com
console: staff
realms:
  staff:
    oidc: {issuer: "https://a.example.com", client_id: x, client_secret_file: provider.secret, domains: [example.com]}
    roles: {admin: [boss@example.com]}
  guests:
    oidc: {issuer: "https://b.example.com", client_id: x, client_secret_file: provider.secret}
  twins:
    oidc: {issuer: "https://a.example.com", client_id: x, client_secret_file: provider.secret, domains: [example.com]}
  none: {}
`))
	want := []string{
		`7:3: realms.guests: found neither oidc.domains nor roles; expected one of them: else everybody with an account at the provider would be let in`,
		`10:20: realms.twins.oidc.issuer: found "https://a.example.com"; expected another provider than that of realm staff`,
		`11:3: realms.none.oidc: found nothing; expected the realm's way to sign in: oidc: {issuer: …, client_id: …, client_secret_file: …}, password: {}, or credentials: {service: …, path: …}`,
	}
	if diff := cmp.Diff(want, reported(document.Err())); diff != "" {
		t.Error(diff)
	}
}

// A consumer Google account may have been made with any company's address. Only hd tells, which oidc.domains demands.
func TestConfigOfGoogleWithoutDomains(t *testing.T) {
	text := func(issuer, roles string) string {
		return `url: https://office.example.com
realms:
  staff:
    oidc: {issuer: "` + issuer + `", client_id: x, client_secret_file: provider.secret}
    roles: {admin: [` + roles + `]}
`
	}
	const google = GoogleIssuer
	company := func(column, match, domain string) []string {
		return []string{`5:` + column + `: realms.staff.roles.admin[0]: found "` + match + `"; expected oidc.domains: [` + domain +
			`] in this realm: without it Google lets in private accounts that were made with a company address`}
	}
	everybody := []string{`5:21: realms.staff.roles.admin[0]: found "domain:gmail.com"; expected e-mail addresses: at gmail.com everybody can have one`}
	for _, test := range []struct {
		issuer, roles string
		want          []string
	}{
		{google, "boss@example.com", company("21", "boss@example.com", "example.com")},
		{google, "Boss@Example.com", company("21", "Boss@Example.com", "example.com")},
		{google, `"domain:example.com"`, company("21", "domain:example.com", "example.com")},
		{google, "boss@gmail.com, Vice@GoogleMail.com", nil},
		{google, `"domain:gmail.com"`, everybody},
		{"https://login.example.com", `boss@example.com, "domain:example.com", "domain:gmail.com"`, nil},
	} {
		_, document := Read(filepath.Join(configDir(t), "munjigi.yaml"), []byte(text(test.issuer, test.roles)))
		if diff := cmp.Diff(test.want, reported(document.Err())); diff != "" {
			t.Errorf("%s at %s:\n%s", test.roles, test.issuer, diff)
		}
	}
}

func TestConfigWithoutAnything(t *testing.T) {
	for text, want := range map[string][]string{
		"":                  {"1:1: found an empty file; expected KEY: VALUE lines"},
		"# hm\n":            {"1:1: found an empty file; expected KEY: VALUE lines"},
		"- url\n":           {"1:1: found a list; expected KEY: VALUE lines"},
		"a: 1\n---\nb: 2\n": {"3:1: found a second document; expected one document"},
		"listen: localhost:8080\n": {
			"1:1: url: found nothing; expected the address that people use, such as https://office.example.com",
			"1:1: realms: found none; expected at least one realm, such as staff",
		},
	} {
		_, document := Read("munjigi.yaml", []byte(text))
		if diff := cmp.Diff(want, reported(document.Err())); diff != "" {
			t.Errorf("%q:\n%s", text, diff)
		}
	}
}

// Whatever a file holds: an answer, no panic, and no more than the beginning of any value in it.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(goodConfig))
	f.Add([]byte("url: {[*&!!x"))
	f.Add([]byte("? a\n: b\n<<: *x\nrealms: {staff: {oidc: !!str 1}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		_, document := Read("munjigi.yaml", text)
		if document.Err() == nil && len(text) == 0 {
			t.Error("an empty file is a configuration")
		}
	})
}

// What works and is hardly meant is told, and stops nobody.
func TestConfigAdvice(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		want     []string
	}{
		"all is well":         {"", "", nil},
		"a proxy not named":   {"trusted_proxies: [10.0.0.1, 192.168.0.0/16]\n", "", []string{"trusted_proxies"}},
		"no proxy in between": {"trusted_proxies: [10.0.0.1, 192.168.0.0/16]\n", "#", nil},
		"hardly any grace":    {"renew_grace: 10s", "renew_grace: 20ms", []string{"realms.staff.session.renew_grace"}},
	} {
		text := strings.Replace(goodConfig, c.old, c.new, 1)
		if name == "no proxy in between" {
			text = strings.Replace(text, "listen: 127.0.0.1:8080", "listen: 0.0.0.0:8080", 1)
		}
		_, document := Read(filepath.Join(configDir(t), "munjigi.yaml"), []byte(text))
		if err := document.Err(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got []string
		for _, advice := range document.Advice() {
			got = append(got, advice.Key)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
