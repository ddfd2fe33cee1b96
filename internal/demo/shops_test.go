package demo

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/token"
)

// post asks a service with a body of JSON.
func (g *gatekeeper) post(address, bearer, body string) (int, map[string]any) {
	g.t.Helper()
	request, err := http.NewRequest("POST", address, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+bearer)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		g.t.Fatal(err)
	}
	defer answer.Body.Close()
	var said map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
		g.t.Fatal(err)
	}
	return answer.StatusCode, said
}

// ourselves makes of a token one by which Munjigi itself calls.
func ourselves(c *token.Claims) {
	c.Subject, c.ClientID, c.Realm, c.Audience, c.Roles = "munjigi", "munjigi", "munjigi", []string{"market"}, []string{}
	c.Email, c.Name, c.CheckedAt = "", "", 0
}

func startMarket(g *gatekeeper) string {
	g.t.Helper()
	return g.start(func(c ServiceConfig) (*Service, error) {
		c.Realms = []string{shopsRealm}
		return NewMarket(c)
	}).URL
}

func TestTheMarketKnowsItsShops(t *testing.T) {
	g := startGatekeeper(t)
	market := startMarket(g)
	ask := func(body string) (int, map[string]any) {
		return g.post(market+"/private/credentials", g.token(ourselves), body)
	}
	for i, account := range ShopLogins() {
		login, _ := json.Marshal(map[string]string{"login": account.Login, "password": account.Password})
		legacy, _ := json.Marshal(map[string]string{"legacy_token": LegacyTokens()[i].Token})
		for _, body := range []string{string(login), string(legacy), string(legacy)} {
			status, answer := ask(body)
			if account.Login == "second-sock" { // suspended
				if status != 403 || answer["id"] != nil {
					t.Errorf("%s: got %d %v", body, status, answer)
				}
				continue
			}
			_, shop := g.ask("GET", market+"/shops/"+account.Shop, g.token(nil))
			want := map[string]any{"id": account.Shop, "name": shop["name"], "roles": []any{"shop"}}
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
	g := startGatekeeper(t)
	market := startMarket(g)
	const body = `{"login":"onggi","password":"clay pots breathe"}`
	for name, bearer := range map[string]string{
		"the staff": g.token(nil),
		"a shop": g.token(func(c *token.Claims) {
			c.Realm, c.Subject, c.Roles = shopsRealm, "shops:market:s1", []string{"shop"}
		}),
		"a call to another service": g.token(func(c *token.Claims) { ourselves(c); c.Audience = []string{"wishlist"} }),
	} {
		if status, answer := g.post(market+"/private/credentials", bearer, body); status/100 != 4 || answer["id"] != nil {
			t.Errorf("%s: got %d %v", name, status, answer)
		}
	}
	for _, path := range []string{"/me", "/shops", "/my/shop"} {
		if status, answer := g.ask("GET", market+path, g.token(ourselves)); status != 401 {
			t.Errorf("Munjigi at %s: got %d %v", path, status, answer)
		}
	}
}

func TestAShopSeesItself(t *testing.T) {
	g := startGatekeeper(t)
	market := startMarket(g)
	shop := func(subject string) string {
		return g.token(func(c *token.Claims) { c.Realm, c.Subject, c.Roles = shopsRealm, subject, []string{"shop"} })
	}
	if status, own := g.ask("GET", market+"/my/shop", shop("shops:market:s2")); status != 200 || own["id"] != "s2" {
		t.Errorf("got %d %v", status, own)
	}
	for _, subject := range []string{"shops:market:s9", "members:market:s2", "shops:other:s2", "s2", "shops:market:"} {
		if status, other := g.ask("GET", market+"/my/shop", shop(subject)); status != 404 {
			t.Errorf("%s: got %d %v", subject, status, other)
		}
	}
	if status, _ := g.ask("GET", market+"/shops", shop("shops:market:s2")); status != 403 {
		t.Errorf("a shop sees all shops: %d", status)
	}
	if status, _ := g.ask("GET", market+"/my/shop", g.token(nil)); status != 403 {
		t.Errorf("the staff see a shop of their own: %d", status)
	}
}
