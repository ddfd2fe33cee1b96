package server

import (
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
)

// The page's script has to know its realm before it can ask anything, and an app to act for.
func TestThePageKnowsItsRealm(t *testing.T) {
	o := open(t, func(c *Config) {
		c.Pages = fstest.MapFS{"index.html": {Data: []byte(`<html lang="en" data-realm="" data-app="">`)}}
		c.Apps = map[string]account.App{
			"console": {Name: "console", Realm: "staff"},
			"shop":    {Name: "shop", Realm: "members", Origins: []string{shopAt}},
			"retail":  {Name: "retail", Realm: "members", Origins: []string{shopAt}},
			"a-phone": {Name: "a-phone", Realm: "members", Body: true},
		}
	})
	for path, want := range map[string]string{
		"/":                          `data-realm="staff" data-app="console"`,
		"/people":                    `data-realm="staff" data-app="console"`,
		"/account":                   `data-realm="staff" data-app="console"`,
		"/sign-in":                   `data-realm="staff" data-app="console"`,
		"/sign-in/members":           `data-realm="members" data-app="retail"`,
		"/sign-in/members/forgotten": `data-realm="members" data-app="retail"`,
		"/sign-in/members/sign-up":   `data-realm="members" data-app="retail"`,
		"/sign-in/members/password":  `data-realm="members" data-app="retail"`,
		"/account/members":           `data-realm="members" data-app="retail"`,
		"/account/staff":             `data-realm="staff" data-app="console"`,
		"/account/none":              `data-realm="none" data-app=""`,
		`/account/"><script>`:        `data-realm="&#34;&gt;&lt;script&gt;" data-app=""`,
	} {
		r := o.do(from("", "GET", path, "").with("Accept", "text/html"))
		if got := text(t, r); r.StatusCode != http.StatusOK || !strings.Contains(got, want) {
			t.Errorf("%s: got %d %s, want %s", path, r.StatusCode, got, want)
		}
		if r.Header.Get("Content-Security-Policy") != contentPolicy {
			t.Errorf("%s: no policy", path)
		}
	}
}

func TestWhereOneGoesAfterwards(t *testing.T) {
	o := open(t, nil)
	for query, want := range map[string]string{
		"":                                       `{"app":"shop","return_to":"` + shopAt + `/"}`,
		"?app=shop":                              `{"app":"shop","return_to":"` + shopAt + `/"}`,
		"?app=shop&return_to=/cart":              `{"app":"shop","return_to":"` + shopAt + `/cart"}`,
		"?return_to=" + shopAt + "/":             `{"app":"shop","return_to":"` + shopAt + `/"}`,
		"?return_to=" + own + "/account/members": `{"app":"shop","return_to":"` + own + `/account/members"}`,
	} {
		if got := text(t, o.do(from("", "GET", "/sign-in/members/target"+query, ""))); strings.TrimSpace(got) != want {
			t.Errorf("%q: got %s, want %s", query, got, want)
		}
	}
	for _, query := range []string{"?app=tools", "?app=none", "?return_to=https://evil.example/", "?return_to=//evil.example", "?return_to=" + own + ".evil.example/", "?app=shop&app=shop"} {
		wantProblem(t, o.do(from("", "GET", "/sign-in/members/target"+query, "")), fault.RequestInvalid)
	}
	wantProblem(t, o.do(from("", "GET", "/sign-in/none/target", "")), fault.NotFound)
}

// Our own pages act for the app that somebody came from, and no other page does.
func TestMembersOnOurOwnPage(t *testing.T) {
	o := open(t, nil)
	kim := o.person("kim", "shop")
	for origin, want := range map[string]int{own: 200, shopAt: 200, toolsAt: 403, "https://evil.example": 403} {
		r := o.do(from(origin, "POST", "/session", `{"app":"shop"}`).cookie("__Host-munjigi-members", kim))
		if r.StatusCode != want {
			t.Errorf("%s: got %d, want %d", origin, r.StatusCode, want)
		}
	}
	for site, want := range map[string]int{"same-origin": 200, "same-site": 403, "cross-site": 403} {
		r := o.do(from("", "GET", "/sessions", "").with("Sec-Fetch-Site", site).with("Munjigi-App", "shop").cookie("__Host-munjigi-members", kim))
		if r.StatusCode != want {
			t.Errorf("GET from %s: got %d, want %d", site, r.StatusCode, want)
		}
	}
}
