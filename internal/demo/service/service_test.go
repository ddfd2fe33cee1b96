package service_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/munjigi/munjigi/internal/demo/gatekeeper"
	"github.com/munjigi/munjigi/internal/demo/market"
	"github.com/munjigi/munjigi/internal/demo/wishlist"
	"github.com/munjigi/munjigi/internal/token"
)

func TestServiceAdmitsByTheTokenAlone(t *testing.T) {
	g := gatekeeper.Start(t)
	wishlist := g.Serve(wishlist.New, nil).URL
	good := g.Token(nil)
	me := g.Do(gatekeeper.Call{Method: "GET", URL: wishlist + "/me", Bearer: good})
	if me.Status != 200 || me.JSON["email"] != "editor@example.com" || me.JSON["name"] != "Edith Kim" || me.JSON["checked_at"] == nil {
		t.Errorf("me: %d %v, want the claims", me.Status, me.JSON)
	}
	for name, row := range map[string]struct {
		method, path string
		bearer       string
		want         string // code
	}{
		"no token":            {"GET", "/me", "", "token_missing"},
		"tampered":            {"GET", "/me", good[:len(good)-4] + "AAAA", "token_invalid"},
		"another audience":    {"GET", "/me", g.Token(func(c *token.Claims) { c.Audience = []string{"market"} }), "token_wrong_audience"},
		"another realm":       {"GET", "/me", g.Token(func(c *token.Claims) { c.Realm = "partners" }), "token_invalid"},
		"no role":             {"GET", "/lists", g.Roles(), "role_missing"},
		"viewer deletes":      {"DELETE", "/lists/l1", g.Roles("viewer"), "role_missing"},
		"checked a while ago": {"DELETE", "/lists/l1", g.Token(func(c *token.Claims) { c.CheckedAt -= 60 }), "token_stale_check"},
		"no such list":        {"GET", "/lists/none", good, "not_found"},
		"page zero":           {"GET", "/lists?page=0", good, "request_invalid"},
		"too many rows":       {"GET", "/lists?size=1000", good, "request_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			said := g.Do(gatekeeper.Call{Method: row.method, URL: wishlist + row.path, Bearer: row.bearer})
			if said.Code() != row.want {
				t.Errorf("got %d %v, want %s", said.Status, said.Code(), row.want)
			}
		})
	}
}

// The staff's page may call the admin API, the shops' pages what is for members; nobody else anything.
func TestOnlyItsPagesMayCallAService(t *testing.T) {
	g := gatekeeper.Start(t)
	service := g.Serve(market.New, nil).Config.Handler
	staff := g.URL
	for place, allowed := range map[struct{ path, origin string }]string{
		{"/me", staff}: staff, {"/me", gatekeeper.ShopOrigin}: "", {"/shops", gatekeeper.ShopOrigin}: "", {"/me", "http://localhost:1"}: "", {"/me", "null"}: "", {"/me", ""}: "",
		{"/member/product", gatekeeper.ShopOrigin}: gatekeeper.ShopOrigin, {"/member/product", staff}: "", {"/member/product", "null"}: "", {"/member/product", ""}: "",
	} {
		for _, method := range []string{"OPTIONS", "GET"} {
			request := httptest.NewRequest(method, place.path, nil)
			request.Header.Set("Origin", place.origin)
			recorder := httptest.NewRecorder()
			service.ServeHTTP(recorder, request)
			header := recorder.Header()
			if got := header.Get("Access-Control-Allow-Origin"); got != allowed {
				t.Errorf("%s %s from %q: allowed %q, want %q", method, place.path, place.origin, got, allowed)
			}
			if method == "GET" && allowed != "" && !strings.Contains(header.Get("Access-Control-Expose-Headers"), "WWW-Authenticate, Date") {
				t.Errorf("exposed %q", header.Get("Access-Control-Expose-Headers"))
			}
			if method == "OPTIONS" && allowed != "" && !strings.Contains(header.Get("Access-Control-Allow-Headers"), "Authorization") {
				t.Errorf("allowed headers %q", header.Get("Access-Control-Allow-Headers"))
			}
		}
	}
}

// What is for members is for nobody else, and the private admin API is not for members.
func TestServiceKeepsMembersAndStaffApart(t *testing.T) {
	g := gatekeeper.Start(t)
	sites := map[string]string{"wishlist": g.Serve(wishlist.New, nil).URL, "market": g.Serve(market.New, nil).URL}
	member := func(method, url, app string) gatekeeper.Said {
		return g.Do(gatekeeper.Call{Method: method, URL: url, Bearer: g.Token(func(c *token.Claims) {
			c.Realm, c.ClientID, c.Roles = "members", app, []string{"admin", "editor", "viewer"}
		})})
	}
	for path, want := range map[string]string{
		"market/member/group?n=1": "name", "market/member/product": "price", "market/member/creative": "headline",
		"market/member/point": "points", "wishlist/member/wanted?n=2147483647": "times", "market/me": "realm",
	} {
		service, rest, _ := strings.Cut(path, "/")
		if said := member("GET", sites[service]+"/"+rest, "shop"); said.Status != 200 || said.JSON[want] == nil {
			t.Errorf("%s: %d %v, want %s", path, said.Status, said.JSON, want)
		}
	}
	for path, want := range map[string]string{
		"/shops": "role_missing", "/products": "role_missing", "/member/product?n=x": "request_invalid", "/member/product?n=-1": "request_invalid",
	} {
		if said := member("GET", sites["market"]+path, "shop"); said.Code() != want {
			t.Errorf("a member at %s: %d %v, want %s", path, said.Status, said.JSON, want)
		}
	}
	if said := member("POST", sites["market"]+"/shops/s1/suspend", "shop"); said.Code() != "role_missing" {
		t.Errorf("a member with the staff's roles suspends a shop: %d %v", said.Status, said.JSON)
	}
	for bearer, want := range map[string]string{g.Token(nil): "role_missing", "": "token_missing"} {
		if said := g.Do(gatekeeper.Call{Method: "GET", URL: sites["market"] + "/member/product", Bearer: bearer}); said.Code() != want {
			t.Errorf("not a member: %d %v, want %s", said.Status, said.JSON, want)
		}
	}
	retail, trade := member("GET", sites["market"]+"/member/product", "shop").JSON, member("GET", sites["market"]+"/member/product", "wholesale").JSON
	if retail["trade"] != false || trade["trade"] != true || trade["price"].(float64) >= retail["price"].(float64) {
		t.Errorf("retail %v, wholesale %v: want a trade price for the wholesale shop alone", retail, trade)
	}
}
