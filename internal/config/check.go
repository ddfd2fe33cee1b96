package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/strict"
	"github.com/munjigi/munjigi/internal/token"
)

// checker looks at what the values mean together. It reports everything that it finds.
type checker struct {
	*Config
	*strict.Document
}

func (c checker) all() {
	c.addresses()
	c.keys()
	c.mail()
	c.console()
	for _, name := range slices.Sorted(maps.Keys(c.Realms)) {
		c.realm("realms."+name, name, c.Realms[name])
	}
	c.issuers()
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		c.service("services."+name, name, c.Services[name])
	}
	for _, name := range slices.Sorted(maps.Keys(c.Apps)) {
		c.app("apps."+name, name, c.Apps[name])
	}
}

// required reports a missing text.
func (c checker) required(key, text, expected string) bool {
	if text == "" && !c.Has(key) {
		c.Add(key, "nothing", expected)
	} else if text == "" && !c.Reported(key) {
		c.Add(key, `""`, expected)
	}
	return text != ""
}

func (c checker) addresses() {
	if c.required("url", c.URL, "the address that people use, such as https://office.example.com") {
		if text, err := account.Origin(c.URL); err != nil {
			c.Add("url", strict.Quoted(c.URL), err.Error())
		} else {
			c.URL = text
			c.cookieDomain()
		}
	}
	c.listen("listen", c.Listen)
	c.proxies()
	if c.MetricsListen != "" {
		c.listen("metrics_listen", c.MetricsListen)
		if c.MetricsListen == c.Listen {
			c.Add("metrics_listen", strict.Quoted(c.MetricsListen), "another address than listen")
		}
	}
	if found, expected := databaseURL(c.Database); expected != "" {
		c.Add("database", found, expected)
	}
	if c.SealKeyFile == "" && !c.Reported("seal_key_file") {
		c.Add("seal_key_file", `""`, "the path of the key file")
	}
}

// proxies: behind one that is not named, everybody's sign-ins count as those of one address, and are slowed together.
func (c checker) proxies() {
	host, _, err := net.SplitHostPort(c.Listen)
	if err == nil && account.Loopback(host) && strings.HasPrefix(c.URL, "https:") && len(c.TrustedProxies) == 0 && !c.ReportedBelow("trusted_proxies") {
		c.Advise("trusted_proxies", "none", `the proxy in front of `+c.Listen+`, such as [127.0.0.1, "::1"]: without it all callers seem to come from there`)
	}
}

func (c checker) cookieDomain() {
	if c.CookieDomain == "" {
		return
	}
	host, domain := account.Host(c.URL), strings.TrimPrefix(c.CookieDomain, ".")
	if host != domain && !strings.HasSuffix(host, "."+domain) || account.Site(domain) == "" {
		c.Add("cookie_domain", strict.Quoted(c.CookieDomain), "a domain of the company's own that holds "+host)
	}
}

func (c checker) listen(key, address string) {
	_, port, err := net.SplitHostPort(address)
	n, portErr := strconv.ParseUint(port, 10, 16)
	if !c.Reported(key) && (err != nil || portErr != nil || n == 0) {
		c.Add(key, strict.Quoted(address), "HOST:PORT, such as 127.0.0.1:8080")
	}
}

func (c checker) keys() {
	algorithms := []string{string(token.ES256), string(token.EdDSA), string(token.RS256)}
	if k := c.Keys; !slices.Contains(algorithms, k.Algorithm) && !c.Reported("keys.algorithm") {
		c.Add("keys.algorithm", strict.Quoted(k.Algorithm), strict.OneOf(k.Algorithm, algorithms))
	}
	c.atLeast("keys.rotate", c.Keys.Rotate, time.Second)
	c.atLeast("keys.publish_ahead", c.Keys.PublishAhead, time.Second)
	c.atMost("keys.publish_ahead", c.Keys.PublishAhead, time.Duration(c.Keys.Rotate), "keys.rotate")
}

func (c checker) console() {
	names := slices.Collect(maps.Keys(c.Realms))
	switch {
	case len(names) == 0:
		if !c.Reported("realms") {
			c.Add("realms", "none", "at least one realm, such as staff")
		}
	case c.Reported("console"):
	case c.Console == "":
		c.Add("console", "nothing", "the realm that may open the console: "+strict.OneOf("", names))
	case !slices.Contains(names, c.Console):
		c.Add("console", strict.Quoted(c.Console), "one of the realms: "+strict.OneOf(c.Console, names))
	case c.Realms[c.Console].Password != nil: // whose administrators are members
	case c.Realms[c.Console].Credentials != nil:
		c.Add("console", strict.Quoted(c.Console), "a realm with oidc or password: else a service would decide who administers this program")
	case len(c.Realms[c.Console].Roles["admin"]) == 0 && !c.ReportedBelow("realms."+c.Console+".roles"):
		c.Add("realms."+c.Console+".roles.admin", "no one", "at least one administrator, because this realm has the console: admin: [boss@example.com]")
	}
}

// name holds for realms, apps and services: their names stand in URLs, cookie names and tokens.
func (c checker) name(key, name string, taken ...string) {
	if !namePattern.MatchString(name) {
		c.Add(key, "the name "+strict.Quoted(name), "a lower-case letter, then at most 31 lower-case letters, digits, - and _")
	} else if slices.Contains(taken, name) {
		c.Add(key, "the name "+strict.Quoted(name), "another name: this one is Munjigi's own")
	}
}

// CheckRole tells what is wrong with a role for a member of a realm with passwords.
func (c Realm) CheckRole(role string) error {
	names := slices.Sorted(maps.Keys(c.Roles))
	if len(names) > 0 && !slices.Contains(names, role) {
		return fmt.Errorf("want one of the realm's roles: %s", strict.OneOf(role, names))
	}
	if !namePattern.MatchString(role) {
		return errors.New("want a lower-case letter, then at most 31 lower-case letters, digits, - and _")
	}
	return nil
}

// CheckMember tells what is wrong with a realm for new members, or with a role there; role "" is not looked at.
func (c Config) CheckMember(realm, role string) error {
	of, ok := c.Realms[realm]
	if !ok || of.Password == nil {
		return errors.New("want a realm with passwords")
	}
	if role == "" {
		return nil
	}
	return of.CheckRole(role)
}

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

func (c checker) realm(key, name string, realm Realm) {
	c.name(key, name, "options", "password", token.Ourselves) // the first two have other pages
	if strings.HasSuffix(name, "-hint") || strings.HasSuffix(name, "-device") {
		c.Add(key, "the name "+strict.Quoted(name), "a name that does not end in -hint or -device: other cookies do")
	}
	c.ownHost(key, name, realm)
	c.wayIn(key, realm)
	c.roles(key, realm)
	c.session(key+".session", realm.Session)
	c.recheck(key+".recheck", realm.Recheck)
}

// wayIn: a realm has one.
func (c checker) wayIn(key string, realm Realm) {
	first := ""
	for _, way := range []struct {
		name  string
		there bool
		check func()
	}{
		{"oidc", realm.OIDC != nil, func() { c.oidc(key+".oidc", *realm.OIDC) }},
		{"credentials", realm.Credentials != nil, func() { c.credentials(key+".credentials", *realm.Credentials) }},
		{"password", realm.Password != nil, func() { c.password(key+".password", *realm.Password) }},
	} {
		switch {
		case way.there && first != "":
			c.Add(key+"."+way.name, way.name+" beside "+first, "one of them: a realm has one way to sign in")
		case way.there:
			way.check()
		}
		if first == "" && (way.there || c.Has(key+"."+way.name)) {
			first = way.name
		}
	}
	if first == "" {
		c.Add(key+".oidc", "nothing", "the realm's way to sign in: oidc: {issuer: …, client_id: …, client_secret_file: …}, password: {}, or credentials: {service: …, path: …}")
	}
}

func (c checker) password(key string, password Password) {
	if password.SignUp && c.Mail == nil && !c.ReportedBelow("mail") {
		c.Add(key+".sign_up", "true", "mail: {smtp: …, from: …} in this file, because who signs up is sent a link; or false")
	}
	if n := password.MinLength; (n < 8 || n > 64) && !c.Reported(key+".min_length") {
		c.Add(key+".min_length", strconv.Itoa(n), "8 to 64 characters")
	}
}

func (c checker) oidc(key string, oidc OIDC) {
	if c.required(key+".issuer", oidc.Issuer, "the provider's identifier, such as https://accounts.google.com") {
		if err := ProviderURL(oidc.Issuer); err != nil {
			c.Add(key+".issuer", strict.Quoted(oidc.Issuer), err.Error())
		}
	}
	c.required(key+".client_id", oidc.ClientID, "what the provider calls this program")
	if c.required(key+".client_secret_file", oidc.ClientSecretFile, "the path of a file with the client secret") {
		if _, err := ReadSecret(c.Path(oidc.ClientSecretFile)); err != nil {
			c.Add(key+".client_secret_file", strict.Quoted(oidc.ClientSecretFile)+": "+err.Error(), "a file with the client secret that only its owner may read")
		}
	}
	for i, domain := range oidc.Domains {
		if !account.IsDomain(domain) {
			c.Add(fmt.Sprintf("%s.domains[%d]", key, i), strict.Quoted(domain), "a domain in lower case, such as example.com")
		}
	}
}

func (c checker) roles(key string, realm Realm) {
	for _, role := range slices.Sorted(maps.Keys(realm.Roles)) {
		c.name(key+".roles."+role, role)
		if realm.Credentials != nil && realm.OIDC == nil {
			c.Add(key+".roles."+role, strings.Join(realm.Roles[role], ", "), "nothing here: the service gives the roles, see credentials.roles")
			continue
		}
		if realm.Password != nil && realm.OIDC == nil && len(realm.Roles[role]) > 0 {
			c.Add(key+".roles."+role, strings.Join(realm.Roles[role], ", "), "an empty list: `munjigi members` gives roles in a realm with passwords")
			continue
		}
		for i, match := range realm.Roles[role] {
			if problem := RoleMatch(match, realm.OIDC); problem != "" {
				c.Add(fmt.Sprintf("%s.roles.%s[%d]", key, role, i), strict.Quoted(match), problem)
			}
		}
	}
	open := realm.OIDC != nil && len(realm.OIDC.Domains) == 0 && !c.ReportedBelow(key+".oidc.domains")
	if open && len(realm.Roles) == 0 && !c.ReportedBelow(key+".roles") {
		c.Add(key, "neither oidc.domains nor roles", "one of them: else everybody with an account at the provider would be let in")
	}
}

// RoleMatch says what was expected instead of a match that can never be.
func RoleMatch(match string, oidc *OIDC) string {
	if group, ok := strings.CutPrefix(match, "group:"); ok {
		switch {
		case group == "":
			return "group:NAME"
		case oidc != nil && oidc.Issuer == GoogleIssuer:
			return "an e-mail address or domain:NAME: Google sends no groups"
		}
		return ""
	}
	domain, isDomain := strings.CutPrefix(match, "domain:")
	if !isDomain {
		local, rest, ok := strings.Cut(match, "@")
		if !ok || local == "" || strings.ContainsAny(match, " <>\"") {
			return "an e-mail address, domain:NAME or group:NAME"
		}
		domain = rest
	}
	domain = strings.ToLower(domain)
	switch {
	case !account.IsDomain(domain):
		return "an e-mail address, domain:NAME or group:NAME"
	case oidc == nil:
		return ""
	case len(oidc.Domains) > 0 && !slices.Contains(oidc.Domains, domain):
		return "somebody of oidc.domains, " + strings.Join(oidc.Domains, ", ") + ": all others are refused"
	case len(oidc.Domains) > 0 || oidc.Issuer != GoogleIssuer:
		return ""
	case domain != "gmail.com" && domain != "googlemail.com":
		return "oidc.domains: [" + domain + "] in this realm: without it Google lets in private accounts that were made with a company address"
	case isDomain:
		return "e-mail addresses: at " + domain + " everybody can have one"
	}
	return ""
}

func (c checker) session(key string, s Session) {
	c.atLeast(key+".access", s.Access, time.Second)
	c.atMost(key+".access", s.Access, token.MaxLifetime, "")
	c.atMost(key+".access", s.Access, time.Duration(s.Idle), key+".idle")
	c.atMost(key+".idle", s.Idle, time.Duration(s.Max), key+".max")
	if whole := time.Duration(s.Access); whole%time.Second != 0 {
		c.Add(key+".access", s.Access.String(), "whole seconds: tokens know no smaller ones")
	}
	if grace := key + ".renew_grace"; s.RenewGrace <= 0 && !c.Reported(grace) {
		c.Add(grace, s.RenewGrace.String(), "more than 0s, such as 10s: a renewal whose answer got lost is repeated")
	} else if most := s.Access / 2; s.RenewGrace > most && !c.Reported(grace) && !c.Reported(key+".access") {
		c.Add(grace, s.RenewGrace.String(), "at most "+most.String()+", which is half of access")
	}
	if grace := s.RenewGrace; grace > 0 && time.Duration(grace) < time.Second {
		c.Advise(key+".renew_grace", grace.String(), "at least 1s, such as 10s: a reload while the answer is on its way takes that long")
	}
	if s.PerAccount < 0 {
		c.Add(key+".per_account", strconv.Itoa(s.PerAccount), "0 (any number) or more")
	}
	if s.PerDeviceClass < 0 {
		c.Add(key+".per_device_class", strconv.Itoa(s.PerDeviceClass), "0 (any number) or more")
	} else if s.PerAccount > 0 && s.PerDeviceClass > s.PerAccount {
		c.Add(key+".per_device_class", strconv.Itoa(s.PerDeviceClass), fmt.Sprintf("at most %d, which is per_account", s.PerAccount))
	}
	if s.LostAnswers < 0 {
		c.Add(key+".lost_answers", strconv.Itoa(s.LostAnswers), "0 or more")
	}
	if choices := []string{"replace", "refuse"}; !slices.Contains(choices, s.WhenFull) && !c.Reported(key+".when_full") {
		c.Add(key+".when_full", strict.Quoted(s.WhenFull), strict.OneOf(s.WhenFull, choices))
	}
}

func (c checker) recheck(key string, r Recheck) {
	c.atLeast(key+".every", r.Every, time.Second)
	if !c.Reported(key + ".every") {
		c.atLeastKey(key+".max_stale", r.MaxStale, r.Every, key+".every")
	}
	if r.Wave.Share == 0 && !c.Reported(key+".wave.share") {
		c.Add(key+".wave.share", "0%", "more than 0%, at most 100%")
	}
	if r.Wave.AtLeast < 1 && !c.Reported(key+".wave.at_least") {
		c.Add(key+".wave.at_least", strconv.Itoa(r.Wave.AtLeast), "1 or more")
	}
}

func (c checker) atLeast(key string, d strict.Duration, least time.Duration) {
	if time.Duration(d) < least && !c.Reported(key) {
		c.Add(key, d.String(), "at least "+strict.Duration(least).String())
	}
}

func (c checker) atLeastKey(key string, d, least strict.Duration, other string) {
	if d < least && !c.Reported(key) {
		c.Add(key, d.String(), fmt.Sprintf("at least %s, which is %s", least, last(other)))
	}
}

// atMost compares with a fixed limit, or with the value of another key.
func (c checker) atMost(key string, d strict.Duration, most time.Duration, other string) {
	if time.Duration(d) <= most || c.Reported(key) || other != "" && c.Reported(other) {
		return
	}
	expected := "at most " + strict.Duration(most).String()
	if other != "" {
		expected += ", which is " + last(other)
	}
	c.Add(key, d.String(), expected)
}

func last(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }

// issuers: a person is told apart by issuer and subject, and asked about by issuer.
func (c checker) issuers() {
	realms := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Realms)) {
		oidc := c.Realms[name].OIDC
		if oidc == nil || oidc.Issuer == "" {
			continue
		}
		if other, taken := realms[oidc.Issuer]; taken {
			c.Add("realms."+name+".oidc.issuer", strict.Quoted(oidc.Issuer), "another provider than that of realm "+other)
		}
		realms[oidc.Issuer] = name
	}
}

// names reports those of a list that are not defined.
func (c checker) names(key string, names, defined []string, what string) {
	for i, name := range names {
		if !slices.Contains(defined, name) {
			c.Add(fmt.Sprintf("%s[%d]", key, i), strict.Quoted(name), what+": "+strict.OneOf(name, defined))
		}
	}
}

func (c checker) app(key, name string, app App) {
	c.name(key, name, account.Console, token.Ourselves, "munjigi-gateway")
	realms := slices.Collect(maps.Keys(c.Realms))
	if c.required(key+".realm", app.Realm, "the realm whose people use it") && !slices.Contains(realms, app.Realm) {
		c.Add(key+".realm", strict.Quoted(app.Realm), "one of the realms: "+strict.OneOf(app.Realm, realms))
	}
	c.origins(key, app)
	c.names(key+".services", app.Services, slices.Collect(maps.Keys(c.Services)), "one of the services")
	for i, name := range app.Services {
		service, ok := c.Services[name]
		if ok && slices.Contains(realms, app.Realm) && len(service.Realms) > 0 && !slices.Contains(service.Realms, app.Realm) {
			c.Add(fmt.Sprintf("%s.services[%d]", key, i), strict.Quoted(name), "a service that admits the realm "+app.Realm+"; this one admits "+strings.Join(service.Realms, ", "))
		}
	}
}

func (c checker) origins(key string, app App) {
	switch app.Carrier {
	case "body":
		if len(app.Origins) > 0 {
			c.Add(key+".origins", strings.Join(app.Origins, ", "), "none: an app whose carrier is body is no web page")
		}
		return
	case "cookie":
		if len(app.Origins) == 0 && !c.ReportedBelow(key+".origins") {
			c.Add(key+".origins", "none", "the origins of its pages, such as https://shop.example.com")
		}
	default:
		if !c.Reported(key + ".carrier") {
			c.Add(key+".carrier", strict.Quoted(app.Carrier), strict.OneOf(app.Carrier, []string{"cookie", "body"}))
		}
	}
	for i, origin := range app.Origins {
		at := fmt.Sprintf("%s.origins[%d]", key, i)
		if exact, err := account.Origin(origin); err != nil {
			c.Add(at, strict.Quoted(origin), err.Error())
		} else if exact != origin {
			c.Add(at, strict.Quoted(origin), "exactly "+exact)
		} else if base, err := account.Origin(c.RealmURL(app.Realm)); err == nil && !account.SameSite(base, origin) {
			c.Add(at, strict.Quoted(origin), "an origin on the same site as "+base+": browsers keep the session's cookie from all others")
		}
	}
}

// ReadSecret reads a secret from a file of its own. The errors name neither the file nor anything in it.
func ReadSecret(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", plainError(err)
	}
	switch mode := info.Mode(); {
	case !mode.IsRegular():
		return "", fmt.Errorf("not a regular file")
	case mode.Perm()&0o007 != 0:
		return "", fmt.Errorf("its mode is %04o, so everybody on this machine may use it", mode.Perm())
	case info.Size() > 64<<10:
		return "", fmt.Errorf("%d bytes, too many for a secret", info.Size())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", plainError(err)
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		return "", fmt.Errorf("an empty file")
	}
	return secret, nil
}

// plainError is what the operating system says, without the call and the path.
func plainError(err error) error {
	if trouble, ok := err.(*fs.PathError); ok {
		return trouble.Err
	}
	return err
}
