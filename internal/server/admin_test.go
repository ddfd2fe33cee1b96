package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/recheck"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

// adminAsks is one good request to every route under /admin; path parameters are of somebody who is there.
func (o *office) adminAsks(sid string) []ask {
	bodies := map[string]string{
		"POST /admin/waves/confirm": `{"provider":"https://id.example.com"}`, "POST /admin/waves/dismiss": `{"provider":"https://id.example.com"}`,
		"POST /admin/accounts": `{"realm":"members","login":"new"}`,
	}
	var asks []ask
	for _, route := range o.routes() {
		method, path, _ := strings.Cut(route.pattern, " ")
		if strings.HasPrefix(path, "/admin/") {
			path = strings.NewReplacer("{sid}", sid, "keys/{id}", "keys/k1", "{id}/link", "mem/link", "{id}", "account-lee", "{n}", "7").Replace(path)
			asks = append(asks, from(own, method, path, bodies[route.pattern]).with("Munjigi-App", "console").with("Munjigi-Reason", "stolen"))
		}
	}
	return asks
}

// Who may administer is decided by the store at each call: its session, its roles, its realm.
func TestOnlyAdministratorsAdminister(t *testing.T) {
	o := open(t, nil)
	admin, viewer := o.person("boss", "console", "admin", "viewer"), o.person("kim", "console", "viewer")
	member, ended := o.person("mall", "shop", "admin"), o.ended(session.Revoked)
	former := o.access(o.person("former", "console", "viewer"), func(c *token.Claims) { c.Roles = []string{"admin"} }) // since then the store knows better
	stray := o.person("stray", "console", "admin")
	who := o.who["account-stray"]
	who.Realm = "members" // whatever brought an account of another realm here, its roles are another realm's
	o.who["account-stray"] = who
	parsed, _ := o.Parse(o.person("lee", "tools"))
	asks := o.adminAsks(parsed.Session.String())
	if len(asks) != 20 {
		t.Fatalf("%d routes under /admin, want 20", len(asks))
	}
	for _, a := range asks {
		t.Run(a.method+" "+a.path, func(t *testing.T) {
			o.called()
			for _, c := range []struct {
				ask  ask
				code fault.Code
			}{
				{a, fault.SessionMissing},
				{a.cookie("__Host-munjigi-staff", "mjr_forged"), fault.SessionUnknown},
				{a.cookie("__Host-munjigi-staff", viewer), fault.RoleMissing},
				{a.cookie("__Host-munjigi-staff", stray), fault.RoleMissing},
				{a.cookie("__Host-munjigi-staff", ended), fault.SessionRevoked},
				{a.cookie("__Host-munjigi-staff", member), fault.SessionUnknown},
				{a.with("Munjigi-App").cookie("__Host-munjigi-staff", admin), fault.RequestInvalid},
				{a.with("Munjigi-App", "tools").cookie("__Host-munjigi-staff", admin), fault.OriginRefused},
				{a.with("Munjigi-App", "tools").with("Origin", toolsAt).cookie("__Host-munjigi-staff", admin), fault.OriginRefused},
				{a.with("Munjigi-App", "shop").with("Origin", shopAt).cookie("__Host-munjigi-members", member), fault.OriginRefused},
				{a.with("Origin", toolsAt).cookie("__Host-munjigi-staff", admin), fault.OriginRefused},
				{a.with("Sec-Fetch-Site", "cross-site").cookie("__Host-munjigi-staff", admin), fault.OriginRefused},
				{a.with("Authorization", "Bearer "+former), fault.RoleMissing},
			} {
				wantProblem(t, o.do(c.ask), c.code)
			}
			for _, call := range o.called() {
				if call != "Identified" {
					t.Errorf("somebody who may not reached %q", call)
				}
			}
			r := o.do(a.cookie("__Host-munjigi-staff", admin))
			if r.StatusCode/100 != 2 {
				t.Errorf("an administrator got %d %s", r.StatusCode, text(t, r))
			}
			r = o.do(a.with("Munjigi-App").with("Authorization", "Bearer "+o.access(admin, nil)))
			if r.StatusCode/100 != 2 {
				t.Errorf("an administrator with a token got %d %s", r.StatusCode, text(t, r))
			}
			o.fail = fault.New(fault.StoreUnavailable, "")
			if a.path != "/admin/keys" && a.path != "/admin/openapi.json" {
				wantProblem(t, o.do(a.cookie("__Host-munjigi-staff", admin)), fault.StoreUnavailable)
			}
			o.fail = nil
		})
	}
}

func TestAdministration(t *testing.T) {
	o := open(t, nil)
	admin := o.person("boss", "console", "admin")
	parsed, _ := o.Parse(admin)
	sid := parsed.Session.String()
	o.waves = []recheck.Wave{{Provider: "https://id.example.com", Since: start, People: 200, Held: []account.Account{{ID: "a", Profile: account.Profile{Email: "e", Name: "n"}}}}}
	for _, c := range []struct {
		method, path, body string
		status             int
		answer             string
		asked              string
	}{
		{"GET", "/admin/sessions?search=bo&realm=staff&after=x&limit=7", "", 200, `{"next":"more","sessions":[{"id":"` + sid + `","account":{"id":"account-boss","realm":"staff","email":"boss@example.com","name":"boss","roles":["admin"]},` +
			`"app":"console","device":"Firefox on Linux","from":"192.0.2.1","started_at":1790000000,"renewed_at":1790000000,"ends_at":1790086400,"checked_at":1790000000}]}`, "SignedIn staff bo x 7"},
		{"GET", "/admin/keys", "", 200, `{"keys":[{"id":"k1","state":"active","algorithm":"ES256","created_at":1790000000,"active_at":1790000000}]}`, ""},
		{
			"GET", "/admin/audit?action=called&actor=boss&account=a&realm=staff&service=market&from=2026-09-21T14:13:20Z&to=2026-09-22&after=41&limit=1", "", 200,
			`{"next":"7","records":[{"n":7,"at":1790000000,"action":"called","who":"Boss","actor":{"kind":"account","id":"account-boss"},"account":"account-boss","service":"market","operation":"refund","reason":"broken","details":{"call":"c1","operation":"refund","reason":"broken","service":"market"}}]}`, "Events called boss a staff market 1790000000 1790121600 41 1",
		},
		{"GET", "/admin/audit", "", 200, `{"next":"","records":[{"n":7,"at":1790000000,"action":"called","who":"Boss","actor":{"kind":"account","id":"account-boss"},"account":"account-boss","service":"market","operation":"refund","reason":"broken","details":{"call":"c1","operation":"refund","reason":"broken","service":"market"}}]}`, "Events      0 0 0 100"},
		{"GET", "/admin/audit/7", "", 200, `{"n":7,"at":1790000000,"action":"called","who":"Boss","actor":{"kind":"account","id":"account-boss"},"account":"account-boss","service":"market","operation":"refund","reason":"broken","details":{"call":"c1","operation":"refund","reason":"broken","service":"market"},"ended":{"n":8,"at":1790000000,"action":"call_ended","who":"program","actor":{"kind":"program"},"status":"409","outcome":"status_409","details":{"status":"409"}}}`, "Ending 7 c1"},
		{"GET", "/admin/audit/8", "", 404, "", ""},
		{"GET", "/admin/audit/x", "", 404, "", ""},
		{"GET", "/admin/audit?from=yesterday", "", 422, "", ""},
		{"GET", "/admin/audit?to=x", "", 422, "", ""},
		{"GET", "/admin/audit?limit=x", "", 422, "", ""},
		{"GET", "/admin/accounts?realm=members&search=m&disabled=false&after=a&limit=2", "", 200, `{"accounts":[{"id":"mem","realm":"members","name":"Mem","roles":[],"login":"mem-1","member":true,"disabled":false,"password_changed_at":1790000000}],"next":"mem"}`, "Accounts members m false a 2"},
		{"GET", "/admin/accounts?disabled=perhaps", "", 422, "", ""},
		{"GET", "/admin/accounts/mem", "", 200, `{"id":"mem","realm":"members","name":"Mem","roles":[],"login":"mem-1","member":true,"disabled":false,"password_changed_at":1790000000}`, "Account mem"},
		{"GET", "/admin/accounts/nobody", "", 404, "", ""},
		{"GET", "/admin/accounts/nobody/sessions", "", 404, "", ""},
		{"POST", "/admin/accounts/mem/disable", "", 204, "", "SetDisabled mem true cut_off by account-boss"},
		{"POST", "/admin/accounts/mem/disable", "", 204, "", "Woken"},
		{"POST", "/admin/accounts/account-boss/disable", "", 422, "", ""},
		{"POST", "/admin/accounts/mem/enable", "", 204, "", "SetDisabled mem false cut_off by account-boss"},
		{"POST", "/admin/accounts/mem/link", "", 200, `{"until":1790000000,"url":"https://office.example.com/sign-in/members/password#mjl_x"}`, "Hand mem by account-boss"},
		{"POST", "/admin/accounts/off/link", "", 422, "", ""},
		{"POST", "/admin/accounts/account-boss/link", "", 404, "", ""},
		{
			"POST", "/admin/accounts", `{"realm":"members","login":" Neu ","name":" N ","email":"N@Example.com","roles":["shop","shop"]}`, 201,
			`{"id":"new","realm":"members","email":"n@example.com","name":"N","roles":["shop"],"login":"neu","member":true,"disabled":false}`, `AddMember members neu n@example.com ["shop"] by account-boss`,
		},
		{"POST", "/admin/accounts", `{"realm":"members","login":"mem-1"}`, 422, "", ""},
		{"POST", "/admin/accounts", `{"realm":"staff","login":"x"}`, 422, "", ""},
		{"POST", "/admin/accounts", `{"realm":"members","login":""}`, 422, "", ""},
		{"POST", "/admin/accounts", `{"realm":"members","login":"x","email":"x"}`, 422, "", ""},
		{"POST", "/admin/accounts", `{"realm":"members","login":"x","roles":["admin"]}`, 422, "", ""},
		{"POST", "/admin/accounts", `{"realm":"members","login":"x","roles":[""]}`, 422, "", ""},
		{"POST", "/admin/keys/rotate", "", 204, "", "Rotate by account-boss"},
		{"POST", "/admin/keys/k1/retire", "", 204, "", "Retire k1 because 도난 by account-boss"},
		{"POST", "/admin/keys/k2/retire", "", 404, "", ""},
		{"GET", "/admin/waves", "", 200, `{"waves":[{"provider":"https://id.example.com","since":1790000000,"people":200,"held":[{"id":"a","email":"e","name":"n"}]}]}`, "Waves"},
		{"POST", "/admin/waves/confirm", `{"provider":"p"}`, 204, ``, "ConfirmWave p by account-boss"},
		{"POST", "/admin/waves/dismiss", `{"provider":"p"}`, 204, ``, "DismissWave p by account-boss"},
		{"GET", "/admin/sessions?limit=201", "", 422, "", ""},
		{"GET", "/admin/sessions?limit=x", "", 422, "", ""},
		{"GET", "/admin/sessions?limit=0", "", 422, "", ""},
		{"GET", "/admin/audit?after=-1", "", 422, "", ""},
		{"GET", "/admin/audit?after=x", "", 422, "", ""},
		{"POST", "/admin/waves/confirm", `{}`, 422, "", ""},
		{"POST", "/admin/waves/confirm", `{"provider":"p","x":1}`, 422, "", ""},
		{"DELETE", "/admin/sessions/x", "", 404, "", ""},
		{"DELETE", "/admin/sessions/" + strings.Repeat("A", 22), "", 404, "", "Revoke by account-boss"},
		{"DELETE", "/admin/accounts/account-boss/sessions", "", 200, `{"ended":1}`, "Revoke by account-boss"},
	} {
		o.called()
		r := o.do(from(own, c.method, c.path, c.body).with("Munjigi-App", "console").with("Munjigi-Reason", "%EB%8F%84%EB%82%9C").cookie("__Host-munjigi-staff", admin))
		got := text(t, r)
		if r.StatusCode != c.status || c.status < 300 && got != c.answer {
			t.Errorf("%s %s: got %d\n%s\nwant %d\n%s", c.method, c.path, r.StatusCode, got, c.status, c.answer)
		}
		if asked := o.called(); c.asked != "" && !slices.Contains(asked, c.asked) {
			t.Errorf("%s %s: asked %q, want %q", c.method, c.path, asked, c.asked)
		}
	}
}

func TestWithoutAProviderThereAreNoWaves(t *testing.T) {
	o := open(t, func(c *Config) { c.Waves = nil })
	admin := o.person("boss", "console", "admin")
	a := from(own, "GET", "/admin/waves", "").with("Munjigi-App", "console").cookie("__Host-munjigi-staff", admin)
	if diff := cmp.Diff(`{"waves":[]}`, text(t, o.do(a))); diff != "" {
		t.Error(diff)
	}
	a = from(own, "POST", "/admin/waves/confirm", `{"provider":"p"}`).with("Munjigi-App", "console").cookie("__Host-munjigi-staff", admin)
	wantProblem(t, o.do(a), fault.RequestInvalid)
}

// Withdrawing a key is for good, so nobody does it without saying why.
func TestAKeyIsRetiredForAReason(t *testing.T) {
	o := open(t, nil)
	admin := o.person("boss", "console", "admin")
	a := from(own, "POST", "/admin/keys/k1/retire", "").with("Munjigi-App", "console").cookie("__Host-munjigi-staff", admin)
	wantProblem(t, o.do(a), fault.ReasonRequired)
	wantProblem(t, o.do(a.with("Munjigi-Reason", "%20")), fault.ReasonRequired)
	wantProblem(t, o.do(a.with("Munjigi-Reason", "%")), fault.RequestInvalid)
	for _, call := range o.called() {
		if strings.HasPrefix(call, "Retire") {
			t.Errorf("%s", call)
		}
	}
}

// A session's own page, and the sessions of an app: the ones that are alive.
func TestSessionsOfAnApp(t *testing.T) {
	o := open(t, nil)
	admin := o.person("boss", "console", "admin")
	parsed, _ := o.Parse(o.person("lee", "tools"))
	ended, _ := o.Parse(o.ended(session.Revoked))
	get := func(path string) string {
		r := o.do(from(own, "GET", path, "").with("Munjigi-App", "console").cookie("__Host-munjigi-staff", admin))
		return problemCodeOr(t, r)
	}
	if got := get("/admin/sessions/" + parsed.Session.String()); !strings.Contains(got, `"app":"tools"`) || !strings.Contains(got, `"name":"lee"`) {
		t.Errorf("got %s", got)
	}
	for _, id := range []string{ended.Session.String(), strings.Repeat("A", 22), "x"} {
		if got := get("/admin/sessions/" + id); got != "404 not_found" {
			t.Errorf("%s: got %s", id, got)
		}
	}
	if got := get("/admin/accounts/account-lee/sessions"); !strings.Contains(got, parsed.Session.String()) || strings.Contains(got, `"app":"console"`) {
		t.Errorf("lee's sessions: %s", got)
	}
	if got := get("/admin/sessions?app=tools&limit=5"); !strings.Contains(got, `"app":"tools"`) || strings.Contains(got, `"app":"console"`) || !strings.Contains(got, `"next":"more"`) {
		t.Errorf("of the app tools: %s", got)
	}
	if got := get("/admin/sessions?app=nothing"); got != `{"next":"more","sessions":[]}` {
		t.Errorf("of an app without sessions: %s", got)
	}
}

// problemCodeOr is the code of a problem, or else the answer.
func problemCodeOr(t *testing.T, r *http.Response) string {
	t.Helper()
	if r.StatusCode < 400 {
		return text(t, r)
	}
	return fmt.Sprintf("%d %s", r.StatusCode, problem(t, r).Code)
}
