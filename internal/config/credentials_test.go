package config

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shopsConfig is a company whose market keeps the accounts of its shops. Its lines are counted by the tests below.
const shopsConfig = `url: https://office.example.com
console: staff
realms:
  staff:
    oidc: {issuer: https://login.example.com, client_id: munjigi, client_secret_file: provider.secret, domains: [example.com]}
    roles: {admin: [boss@example.com]}
  shops:
    credentials: {service: market, path: /private/credentials, roles: [shop, wholesale], legacy_until: 2027-06-30}
apps:
  desk: {realm: shops, origins: ["https://shop.example.com"], services: [market]}
services:
  market: {url: "http://10.0.0.5:9000/base/", realms: [staff, shops], roles: {read: [shop], write: [admin]}}
`

func TestConfigOfCredentials(t *testing.T) {
	config, document := Read(filepath.Join(configDir(t), "munjigi.yaml"), []byte(shopsConfig))
	if err := document.Err(); err != nil {
		t.Fatal(err)
	}
	shops := *config.Realms["shops"].Credentials
	if got, want := config.CredentialsURL(shops), "http://10.0.0.5:9000/base/private/credentials"; got != want {
		t.Errorf("asked at %s, want %s", got, want)
	}
	if got, want := shops.LegacyUntil.End(), time.Date(2027, 7, 1, 0, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("exchanges end at %v, want %v", got, want)
	}
	if diff := cmp.Diff([]string{"shop", "wholesale"}, shops.Roles); diff != "" {
		t.Error(diff)
	}
}

func TestConfigProblemsOfCredentials(t *testing.T) {
	for name, test := range map[string]struct{ old, new, want string }{
		"unknown service": {"service: market, path", "service: markt, path", `8:28: realms.shops.credentials.service: found "markt"; expected one of the services: market (did you mean "market"?)`},
		"no service":      {"service: market, path", "path", `8:18: realms.shops.credentials.service: found nothing; expected the service that keeps the accounts`},
		"no path":         {"path: /private/credentials, ", "", `8:18: realms.shops.credentials.path: found nothing; expected the path of the route that is asked, such as /private/credentials`},
		"another host":    {"path: /private/credentials", "path: //evil.example.com/x", `8:42: realms.shops.credentials.path: found "//evil.example.com/x"; expected a path on the service, such as /private/credentials`},
		"an address":      {"path: /private/credentials", "path: https://evil.example.com/x", `8:42: realms.shops.credentials.path: found "https://evil.example.com/x"; expected a path on the service, such as /private/credentials`},
		"no slash":        {"path: /private/credentials", "path: private", `8:42: realms.shops.credentials.path: found "private"; expected a path on the service, such as /private/credentials`},
		"behind an @":     {"path: /private/credentials", `path: "@evil.example.com/x"`, `8:42: realms.shops.credentials.path: found "@evil.example.com/x"; expected a path on the service, such as /private/credentials`},
		"with a query":    {"path: /private/credentials", `path: "/private?x=1"`, `8:42: realms.shops.credentials.path: found "/private?x=1"; expected a path on the service, such as /private/credentials`},
		"upwards":         {"path: /private/credentials", "path: /private/../x", `8:42: realms.shops.credentials.path: found "/private/../x"; expected a path on the service, such as /private/credentials`},
		"bad role":        {"roles: [shop, wholesale]", "roles: [Shop]", `8:72: realms.shops.credentials.roles[0]: found the name "Shop"; expected a lower-case letter, then at most 31 lower-case letters, digits, - and _`},
		"no day":          {"2027-06-30", "2027-06-31", `8:104: realms.shops.credentials.legacy_until: found "2027-06-31"; expected a day such as 2027-06-30`},
		"another format":  {"2027-06-30", "30.6.2027", `8:104: realms.shops.credentials.legacy_until: found "30.6.2027"; expected a day such as 2027-06-30`},
		"unknown key":     {"legacy_until", "legacy_untill", `8:90: realms.shops.credentials.legacy_untill: found an unknown key; expected legacy_until, path, roles, service (did you mean "legacy_until"?)`},

		"roles by e-mail": {"2027-06-30}\n", "2027-06-30}\n    roles: {shop: [kim@example.com]}\n", `9:13: realms.shops.roles.shop: found kim@example.com; expected nothing here: the service gives the roles, see credentials.roles`},
		"two ways in":     {"2027-06-30}\n", "2027-06-30}\n    password: {}\n", `9:15: realms.shops.password: found password beside credentials; expected one of them: a realm has one way to sign in`},
		"the console":     {"console: staff", "console: shops", `2:10: console: found "shops"; expected a realm with oidc or password: else a service would decide who administers this program`},
		"our own name":    {"  shops:\n", "  munjigi:\n    session: {}\n  shops:\n", `7:3: realms.munjigi: found the name "munjigi"; expected another name: this one is Munjigi's own`},
		"an app like us":  {"  desk: {", "  munjigi: {", `10:3: apps.munjigi: found the name "munjigi"; expected another name: this one is Munjigi's own`},
		"role of nobody":  {"read: [shop]", "read: [shopper]", `12:86: services.market.roles.read[0]: found "shopper"; expected one of the roles of its realms: admin, shop, wholesale`},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(shopsConfig, test.old) {
				t.Fatalf("%q is not in the configuration", test.old)
			}
			_, document := Read(filepath.Join(configDir(t), "munjigi.yaml"), []byte(strings.Replace(shopsConfig, test.old, test.new, 1)))
			got := reported(document.Err())
			if len(got) == 0 || got[0] != test.want {
				t.Errorf("got %q\nwant %q first", got, test.want)
			}
		})
	}
}
