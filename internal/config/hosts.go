package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/strict"
)

// RealmURL is where a realm's people sign in: its own address, or that of everything.
func (c *Config) RealmURL(realm string) string {
	if own := c.Realms[realm].URL; own != "" {
		return own
	}
	return c.URL
}

// Listens are all places where the server waits for requests; it answers the same at each.
func (c *Config) Listens() []string {
	places := []string{c.Listen}
	for _, name := range slices.Sorted(maps.Keys(c.Realms)) {
		if place := c.Realms[name].Listen; place != "" && !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	return places
}

// ownHost checks the realm's own address, and writes it as an origin is written.
func (c checker) ownHost(key, name string, realm Realm) {
	if realm.Listen != "" {
		c.listen(key+".listen", realm.Listen)
		if realm.Listen == c.MetricsListen {
			c.Add(key+".listen", strict.Quoted(realm.Listen), "another address than metrics_listen")
		}
	}
	if realm.URL == "" || c.Reported("url") || c.URL == "" {
		return
	}
	exact, err := account.Origin(realm.URL)
	scheme, _, _ := strings.Cut(c.URL, "://")
	switch {
	case err != nil:
		c.Add(key+".url", strict.Quoted(realm.URL), err.Error())
		return
	case !strings.HasPrefix(exact, scheme+"://"):
		c.Add(key+".url", strict.Quoted(realm.URL), scheme+"://…, as url is: cookies are made for one of the two")
	case name == c.Console && exact != c.URL:
		c.Add(key+".url", strict.Quoted(realm.URL), "no address of its own for the realm of the console, which is at "+c.URL)
	}
	realm.URL = exact
	c.Realms[name] = realm
}
