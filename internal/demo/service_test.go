package demo

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/munjigi/munjigi/internal/token"
)

// shopOrigin is the one shop whose pages may call the services here.
const shopOrigin = "http://localhost:8084"

// gatekeeper is as much of Munjigi as a service needs: keys, an empty feed, and tokens.
type gatekeeper struct {
	t      *testing.T
	server *httptest.Server
	key    *ecdsa.PrivateKey
	public token.PublicKey
}

func startGatekeeper(t *testing.T) *gatekeeper {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := token.NewPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	set, err := token.MarshalJWKS([]token.PublicKey{public})
	if err != nil {
		t.Fatal(err)
	}
	g := &gatekeeper{t: t, key: key, public: public}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, g.server.URL, g.server.URL+"/keys")
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) { w.Write(set) })
	mux.HandleFunc("GET /revocations", func(w http.ResponseWriter, r *http.Request) {
		page := fmt.Sprintf(`{"epoch":"e","n":0,"read_at":%d,"entries":[]}`, time.Now().UnixMicro())
		if r.Header.Get("Accept") != "text/event-stream" {
			io.WriteString(w, page)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "data: %s\n\n", page)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	g.server = httptest.NewServer(mux)
	t.Cleanup(g.server.Close)
	return g
}

// token signs one; change may be nil.
func (g *gatekeeper) token(change func(*token.Claims)) string {
	g.t.Helper()
	now := time.Now().Unix()
	claims := token.Claims{
		Issuer: g.server.URL, Subject: "a1", Audience: []string{"wishlist", "market"}, IssuedAt: now, ExpiresAt: now + 300,
		ID: "j1", ClientID: "staff-tools", SessionID: token.NewSessionID(), Realm: "staff", Roles: []string{"editor", "viewer"},
		AuthTime: now, Email: "editor@example.com", Name: "Edith Kim", CheckedAt: now,
	}
	if change != nil {
		change(&claims)
	}
	text, err := token.Sign(claims, g.public.ID, token.ES256, g.key)
	if err != nil {
		g.t.Fatal(err)
	}
	return text
}

// start serves a service that is ready.
func (g *gatekeeper) start(begin func(ServiceConfig) (*Service, error)) *httptest.Server {
	g.t.Helper()
	service, err := begin(ServiceConfig{Issuer: g.server.URL, Shops: []string{shopOrigin}})
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(service.Close)
	if err := service.Ready(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
	server := httptest.NewServer(service)
	g.t.Cleanup(server.Close)
	return server
}

// ask calls a service and decodes what it answers into a map; nil for no body.
func (g *gatekeeper) ask(method, address, bearer string) (int, map[string]any) {
	g.t.Helper()
	request, err := http.NewRequest(method, address, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		g.t.Fatal(err)
	}
	defer answer.Body.Close()
	var body map[string]any
	if answer.StatusCode == http.StatusNoContent {
		return answer.StatusCode, nil
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		g.t.Fatalf("%s %s: %v", method, address, err)
	}
	return answer.StatusCode, body
}

func TestServiceAdmitsByTheTokenAlone(t *testing.T) {
	g := startGatekeeper(t)
	wishlist := g.start(NewWishlist)
	good := g.token(nil)
	status, claims := g.ask("GET", wishlist.URL+"/me", good)
	if status != 200 || claims["email"] != "editor@example.com" || claims["name"] != "Edith Kim" || claims["checked_at"] == nil {
		t.Errorf("me: %d %v, want the claims", status, claims)
	}
	for name, row := range map[string]struct {
		method, path string
		bearer       string
		want         string // code
	}{
		"no token":            {"GET", "/me", "", "token_missing"},
		"tampered":            {"GET", "/me", good[:len(good)-4] + "AAAA", "token_invalid"},
		"another audience":    {"GET", "/me", g.token(func(c *token.Claims) { c.Audience = []string{"market"} }), "token_wrong_audience"},
		"another realm":       {"GET", "/me", g.token(func(c *token.Claims) { c.Realm = "partners" }), "token_invalid"},
		"no role":             {"GET", "/lists", g.token(func(c *token.Claims) { c.Roles = []string{} }), "role_missing"},
		"viewer deletes":      {"DELETE", "/lists/l1", g.token(func(c *token.Claims) { c.Roles = []string{"viewer"} }), "role_missing"},
		"checked a while ago": {"DELETE", "/lists/l1", g.token(func(c *token.Claims) { c.CheckedAt -= 60 }), "token_stale_check"},
		"no such list":        {"GET", "/lists/none", good, "not_found"},
		"page zero":           {"GET", "/lists?page=0", good, "request_invalid"},
		"too many rows":       {"GET", "/lists?per_page=1000", good, "request_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			if status, problem := g.ask(row.method, wishlist.URL+row.path, row.bearer); problem["code"] != row.want {
				t.Errorf("got %d %v, want %s", status, problem["code"], row.want)
			}
		})
	}
	if status, _ := g.ask("DELETE", wishlist.URL+"/lists/l1", good); status != 204 {
		t.Errorf("an editor who was confirmed just now: %d, want 204", status)
	}
	if status, _ := g.ask("GET", wishlist.URL+"/lists/l1", good); status != 404 {
		t.Errorf("the list after it was deleted: %d, want 404", status)
	}
	if _, items := g.ask("GET", wishlist.URL+"/items?per_page=100", good); items["total"] != 9.0 {
		t.Errorf("%v gifts are left, want 9: those of the list go with it", items["total"])
	}
}

func TestServiceLists(t *testing.T) {
	g := startGatekeeper(t)
	sites := map[string]string{"wishlist": g.start(NewWishlist).URL, "market": g.start(NewMarket).URL}
	bearer := g.token(nil)
	for path, want := range map[string]struct{ rows, total int }{
		"wishlist/lists":                       {5, 5},
		"wishlist/lists?occasion=birthday":     {2, 2},
		"wishlist/lists?q=OLIVER":              {1, 1},
		"wishlist/lists?open=false":            {1, 1},
		"wishlist/lists?page=2&per_page=2":     {2, 5},
		"wishlist/lists?page=9":                {0, 5},
		"wishlist/lists/l2/items":              {3, 3},
		"wishlist/items?reserved=true":         {7, 7},
		"market/shops?status=suspended":        {1, 1},
		"market/shops/s1/products":             {3, 3},
		"market/products?q=candle&per_page=1":  {1, 2},
		"market/products?status=hidden&q=LEFT": {1, 1},
	} {
		service, rest, _ := strings.Cut(path, "/")
		status, body := g.ask("GET", sites[service]+"/"+rest, bearer)
		items, _ := body["items"].([]any)
		if status != 200 || len(items) != want.rows || body["total"] != float64(want.total) {
			t.Errorf("%s: %d with %d of %v rows, want %d of %d", path, status, len(items), body["total"], want.rows, want.total)
		}
	}
	if _, shop := g.ask("POST", sites["market"]+"/shops/s1/suspend", bearer); shop["status"] != "suspended" {
		t.Errorf("a suspended shop is %v", shop["status"])
	}
	if _, shop := g.ask("POST", sites["market"]+"/shops/s1/reopen", bearer); shop["status"] != "open" {
		t.Errorf("a reopened shop is %v", shop["status"])
	}
}

// document is as much of an OpenAPI document as these tests look at.
type document struct {
	OpenAPI string                                `json:"openapi"`
	Paths   map[string]map[string]json.RawMessage `json:"paths"`
	Parts   struct {
		Schemas map[string]struct {
			Properties map[string]any `json:"properties"`
			Required   []string       `json:"required"`
		} `json:"schemas"`
	} `json:"components"`
}

// TestDocumentsTellTheTruth: each documented operation exists, and each row has the documented members and no other.
func TestDocumentsTellTheTruth(t *testing.T) {
	g := startGatekeeper(t)
	bearer := g.token(nil)
	for name, row := range map[string]struct {
		begin func(ServiceConfig) (*Service, error)
		rows  map[string]string // schema → a path that answers one
		id    string
	}{
		"wishlist": {NewWishlist, map[string]string{"List": "/lists/l1", "Item": "/items/i1", "Me": "/me", "ListPage": "/lists", "ItemPage": "/items"}, "l1"},
		"market":   {NewMarket, map[string]string{"Shop": "/shops/s1", "Product": "/products/p1", "Me": "/me", "ShopPage": "/shops", "ProductPage": "/products"}, "s1"},
	} {
		t.Run(name, func(t *testing.T) {
			server := g.start(row.begin)
			var doc document
			answer, err := http.Get(server.URL + "/openapi.json") // open in the demo
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if err := json.NewDecoder(answer.Body).Decode(&doc); err != nil || doc.OpenAPI != "3.1.0" {
				t.Fatalf("document %q: %v", doc.OpenAPI, err)
			}
			for path, operations := range doc.Paths {
				for method := range operations {
					address := server.URL + strings.ReplaceAll(path, "{id}", "none")
					status, problem := g.ask(strings.ToUpper(method), address, "")
					if status != 401 || problem["code"] != "token_missing" {
						t.Errorf("%s %s without a token: %d %v, want 401 token_missing", method, path, status, problem["code"])
					}
				}
			}
			for schema, path := range row.rows {
				_, body := g.ask("GET", server.URL+path, bearer)
				documented := slices.Sorted(maps.Keys(doc.Parts.Schemas[schema].Properties))
				if diff := cmp.Diff(documented, slices.Sorted(maps.Keys(body))); diff != "" {
					t.Errorf("%s (-documented +answered):\n%s", schema, diff)
				}
				for _, required := range doc.Parts.Schemas[schema].Required {
					if _, ok := body[required]; !ok {
						t.Errorf("%s: no %s", schema, required)
					}
				}
			}
		})
	}
}

// The staff's page may call the admin API, the shops' pages what is for members; nobody else anything.
func TestOnlyItsPagesMayCallAService(t *testing.T) {
	g := startGatekeeper(t)
	service := g.start(NewMarket).Config.Handler
	staff := g.server.URL
	for place, allowed := range map[struct{ path, origin string }]string{
		{"/me", staff}: staff, {"/me", shopOrigin}: "", {"/shops", shopOrigin}: "", {"/me", "http://localhost:1"}: "", {"/me", "null"}: "", {"/me", ""}: "",
		{"/member/product", shopOrigin}: shopOrigin, {"/member/product", staff}: "", {"/member/product", "null"}: "", {"/member/product", ""}: "",
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
	g := startGatekeeper(t)
	sites := map[string]string{"wishlist": g.start(NewWishlist).URL, "market": g.start(NewMarket).URL}
	staff := g.token(nil)
	member := func(app string) string {
		return g.token(func(c *token.Claims) {
			c.Realm, c.ClientID, c.Roles = "members", app, []string{"admin", "editor", "viewer"}
		})
	}
	for path, want := range map[string]string{
		"market/member/group?n=1": "name", "market/member/product": "price", "market/member/creative": "headline",
		"market/member/point": "points", "wishlist/member/wanted?n=2147483647": "times", "market/me": "realm",
	} {
		service, rest, _ := strings.Cut(path, "/")
		if status, body := g.ask("GET", sites[service]+"/"+rest, member("shop")); status != 200 || body[want] == nil {
			t.Errorf("%s: %d %v, want %s", path, status, body, want)
		}
	}
	for path, want := range map[string]string{
		"/shops": "role_missing", "/products": "role_missing", "/member/product?n=x": "request_invalid", "/member/product?n=-1": "request_invalid",
	} {
		if status, problem := g.ask("GET", sites["market"]+path, member("shop")); problem["code"] != want {
			t.Errorf("a member at %s: %d %v, want %s", path, status, problem["code"], want)
		}
	}
	if status, problem := g.ask("POST", sites["market"]+"/shops/s1/suspend", member("shop")); problem["code"] != "role_missing" {
		t.Errorf("a member with the staff's roles suspends a shop: %d %v", status, problem["code"])
	}
	for bearer, want := range map[string]string{staff: "role_missing", "": "token_missing"} {
		if status, problem := g.ask("GET", sites["market"]+"/member/product", bearer); problem["code"] != want {
			t.Errorf("not a member: %d %v, want %s", status, problem["code"], want)
		}
	}
	_, retail := g.ask("GET", sites["market"]+"/member/product", member("shop"))
	_, trade := g.ask("GET", sites["market"]+"/member/product", member("wholesale"))
	if retail["trade"] != false || trade["trade"] != true || trade["price"].(float64) >= retail["price"].(float64) {
		t.Errorf("retail %v, wholesale %v: want a trade price for the wholesale shop alone", retail, trade)
	}
}
