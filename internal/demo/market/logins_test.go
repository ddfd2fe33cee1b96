package market

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/demo/gatekeeper"
	"github.com/munjigi/munjigi/internal/demo/service"
	"github.com/munjigi/munjigi/internal/token"
)

// ourselves makes of a token one by which Munjigi itself calls.
func ourselves(c *token.Claims) {
	c.Subject, c.ClientID, c.Realm, c.Audience, c.Roles = "munjigi", "munjigi", "munjigi", []string{"market"}, []string{}
	c.Email, c.Name, c.CheckedAt = "", "", 0
}

// start is a market that admits its shops.
func start(t *testing.T) (*gatekeeper.Gatekeeper, string) {
	t.Helper()
	g := gatekeeper.Start(t)
	return g, g.Serve(New, func(c *service.Config) { c.Realms = []string{Realm} }).URL
}

func TestTheMarketKnowsItsShops(t *testing.T) {
	g, market := start(t)
	ask := func(body string) (int, map[string]any) {
		said := g.Do(gatekeeper.Call{Method: "POST", URL: market + "/private/credentials", Bearer: g.Token(ourselves), Body: body})
		return said.Status, said.JSON
	}
	for i, account := range Logins() {
		login, _ := json.Marshal(map[string]string{"login": account.Login, "password": account.Password})
		legacy, _ := json.Marshal(map[string]string{"legacy_token": Legacies()[i].Token})
		for _, body := range []string{string(login), string(legacy), string(legacy)} {
			status, answer := ask(body)
			if account.Login == "second-sock" { // suspended
				if status != 403 || answer["id"] != nil {
					t.Errorf("%s: got %d %v", body, status, answer)
				}
				continue
			}
			shop := g.Ask("GET", market+"/shops/"+account.Shop)
			want := map[string]any{"id": account.Shop, "name": shop.JSON["name"], "roles": []any{"shop"}}
			if diff := cmp.Diff(want, answer); status != 200 || diff != "" {
				t.Errorf("%s: %d (-want +got):\n%s", body, status, diff)
			}
		}
	}
	for body, want := range map[string]int{
		`{"login":"onggi","password":"wax and winter"}`:     401,
		`{"login":"onggi","password":""}`:                   401,
		`{"login":"second-sock","password":"wrong"}`:        401, // 403 is for who was right
		`{"login":"nobody","password":"clay pots breathe"}`: 401,
		`{"login":"","password":""}`:                        401,
		`{"legacy_token":"MKT1-7d0c9e8a41f24d6cb1f"}`:       401,
		`{"login":"Onggi","password":"clay pots breathe"}`:  401,
		`{"login":1}`: 400,
		`{"login":"onggi","password":"clay pots breathe"} {}`: 400,
	} {
		if status, answer := ask(body); status != want || answer["id"] != nil {
			t.Errorf("%s: got %d %v, want %d", body, status, answer, want)
		}
	}
}

// Only Munjigi may ask, whoever else has a good token; and what Munjigi asks with opens nothing else.
func TestOnlyMunjigiAsksTheMarket(t *testing.T) {
	g, market := start(t)
	const body = `{"login":"onggi","password":"clay pots breathe"}`
	for name, bearer := range map[string]string{
		"the staff": g.Token(nil),
		"a shop": g.Token(func(c *token.Claims) {
			c.Realm, c.Subject, c.Roles = Realm, "shops:market:s1", []string{"shop"}
		}),
		"a call to another service": g.Token(func(c *token.Claims) { ourselves(c); c.Audience = []string{"wishlist"} }),
	} {
		said := g.Do(gatekeeper.Call{Method: "POST", URL: market + "/private/credentials", Bearer: bearer, Body: body})
		if said.Status/100 != 4 || said.JSON["id"] != nil {
			t.Errorf("%s: got %d %v", name, said.Status, said.JSON)
		}
	}
	for _, path := range []string{"/me", "/shops", "/my/shop"} {
		if said := g.Do(gatekeeper.Call{Method: "GET", URL: market + path, Bearer: g.Token(ourselves)}); said.Status != 401 {
			t.Errorf("Munjigi at %s: got %d %v", path, said.Status, said.JSON)
		}
	}
}

func TestAShopSeesItself(t *testing.T) {
	g, market := start(t)
	ask := func(path, subject string) gatekeeper.Said {
		return g.Do(gatekeeper.Call{Method: "GET", URL: market + path, Bearer: g.Token(func(c *token.Claims) {
			c.Realm, c.Subject, c.Roles = Realm, subject, []string{"shop"}
		})})
	}
	if own := ask("/my/shop", "shops:market:s2"); own.Status != 200 || own.JSON["id"] != "s2" {
		t.Errorf("got %d %v", own.Status, own.JSON)
	}
	for _, subject := range []string{"shops:market:s999", "members:market:s2", "shops:other:s2", "s2", "shops:market:"} {
		if other := ask("/my/shop", subject); other.Status != 404 {
			t.Errorf("%s: got %d %v", subject, other.Status, other.JSON)
		}
	}
	if all := ask("/shops", "shops:market:s2"); all.Status != 403 {
		t.Errorf("a shop sees all shops: %d", all.Status)
	}
	if staff := g.Ask("GET", market+"/my/shop"); staff.Status != 403 {
		t.Errorf("the staff see a shop of their own: %d", staff.Status)
	}
}
