package server

import (
	"slices"
	"strings"
	"testing"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
)

// concrete is a path that a pattern matches.
func concrete(path string) string {
	return strings.NewReplacer("{realm}", "staff", "{sid}", strings.Repeat("A", 22), "{id}", "account-1", "{n}", "7", "/assets/", "/assets/main-1a2b3c.js").Replace(path)
}

// everyPath is every path of the surface with its methods, and a few that are none.
func (o *office) everyPath() map[string][]string {
	paths := map[string][]string{"/": {"GET"}, "/people": {"GET"}, "/admin/nothing": nil, "/services/market/x": nil}
	for _, route := range o.routes() {
		method, path, _ := strings.Cut(route.pattern, " ")
		path = concrete(path)
		paths[path] = append(paths[path], method)
	}
	return paths
}

var anyMethod = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"}

func TestEveryAnswerBearsTheSecurityHeaders(t *testing.T) {
	o := open(t, nil)
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; font-src 'self'; " +
			"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
		"X-Content-Type-Options":     "nosniff",
		"Referrer-Policy":            "same-origin",
		"Cross-Origin-Opener-Policy": "same-origin",
		"Strict-Transport-Security":  "max-age=31536000",
		"Permissions-Policy":         "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
	}
	cached := []string{"/assets/main-1a2b3c.js", "/munjigi.css", "/.well-known/jwks.json", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"}
	for path := range o.everyPath() {
		for _, method := range anyMethod {
			r := o.do(from("", method, path, ""))
			for name, value := range want {
				if got := r.Header.Get(name); got != value {
					t.Errorf("%s %s: %s: got %q, want %q", method, path, name, got, value)
				}
			}
			if got := r.Header.Get("Munjigi-Request"); len(got) != 12 {
				t.Errorf("%s %s: request id %q", method, path, got)
			}
			mayCache := r.StatusCode == 200 && slices.Contains(cached, path)
			if got := r.Header.Get("Cache-Control"); got != "no-store" && !mayCache {
				t.Errorf("%s %s: Cache-Control %q, want no-store", method, path, got)
			}
		}
	}
	if r := open(t, loopbackConfig).do(from("", "GET", "/healthz", "")); r.Header.Get("Strict-Transport-Security") != "" {
		t.Error("HSTS without TLS would make a laptop's demo unreachable")
	}
}

func TestEveryRouteRefusesOtherMethods(t *testing.T) {
	o := open(t, nil)
	for path, methods := range o.everyPath() {
		if slices.Contains(methods, "GET") {
			methods = append(methods, "HEAD")
		}
		for _, method := range anyMethod {
			if slices.Contains(methods, method) {
				continue
			}
			r := o.do(from(own, method, path, ""))
			nothing := len(methods) == 0 || path == "/" || path == "/people"
			if want := map[bool]int{true: 404, false: 405}[nothing]; r.StatusCode != want || len(r.Header["Set-Cookie"]) != 0 {
				t.Errorf("%s %s: got %d with cookies %q, want %d", method, path, r.StatusCode, r.Header["Set-Cookie"], want)
			}
			if p := problem(t, r); p.Code != fault.NotFound || p.Status != r.StatusCode {
				t.Errorf("%s %s: got the problem %+v", method, path, p)
			}
			if r.StatusCode == 405 && !strings.Contains(r.Header.Get("Allow"), methods[0]) {
				t.Errorf("%s %s: Allow %q lacks %s", method, path, r.Header.Get("Allow"), methods[0])
			}
		}
	}
	if got := o.called(); len(got) != 0 {
		t.Errorf("wrong methods reached the domain: %q", got)
	}
}

func TestATokenInAURLIsRefusedEverywhere(t *testing.T) {
	o := open(t, nil)
	refresh := o.person("kim", "tools", "admin")
	for path, methods := range o.everyPath() {
		for _, method := range methods {
			for _, query := range []string{"?access_token=x", "?refresh_token=x", "?token=x", "?a=b&access_token="} {
				a := from(own, method, path+query, "").with("Munjigi-App", "console").cookie("__Host-munjigi-staff", refresh)
				if r := o.do(a); r.StatusCode != 422 {
					t.Errorf("%s %s%s: got %d", method, path, query, r.StatusCode)
				}
			}
		}
	}
	if got := o.called(); len(got) != 0 {
		t.Errorf("reached the domain: %q", got)
	}
}

// A page on another origin than the app's must not be able to do anything, nor read who somebody is, whatever its
// browser sends along.
func TestOnlyAnAppsOwnPagesMayCall(t *testing.T) {
	o := open(t, nil)
	refresh := o.person("kim", "tools", "admin")
	body := `{"app":"tools"}`
	calls := []ask{
		from("", "POST", "/session", body),
		from("", "DELETE", "/session", ""),
		from("", "DELETE", "/session", body),
		from("", "DELETE", "/session?everywhere=true", ""),
		from("", "DELETE", "/sessions/"+strings.Repeat("A", 22), ""),
	}
	refusedFor := []func(ask) ask{
		func(a ask) ask { return a }, // no Origin at all
		func(a ask) ask { return a.with("Origin", "null") },
		func(a ask) ask { return a.with("Origin", "") },
		func(a ask) ask { return a.with("Origin", stranger) },
		func(a ask) ask { return a.with("Origin", shopAt) }, // another app's
		func(a ask) ask { return a.with("Origin", "http://tools.example.com") },
		func(a ask) ask { return a.with("Origin", toolsAt+":8443") },
		func(a ask) ask { return a.with("Origin", toolsAt+".evil.example") },
		func(a ask) ask { return a.with("Origin", "https://TOOLS.example.com") },
		func(a ask) ask { return a.with("Origin", toolsAt+"/") },
		func(a ask) ask { return a.with("Origin", toolsAt, stranger) },
		func(a ask) ask { return a.with("Origin", toolsAt).with("Sec-Fetch-Site", "cross-site") },
	}
	for _, call := range calls {
		for i, change := range refusedFor {
			a := change(call.with("Munjigi-App", "tools").cookie("__Host-munjigi-staff", refresh))
			t.Run(a.method+" "+a.path+" "+strings.Join(a.header["Origin"], " "), func(t *testing.T) {
				p := wantProblem(t, o.do(a), fault.OriginRefused)
				if p.Detail == "" {
					t.Errorf("case %d gives its developer no hint", i)
				}
			})
		}
	}
	for _, path := range []string{"/session", "/sessions"} {
		for _, a := range []ask{
			from(stranger, "GET", path, ""), from(shopAt, "GET", path, ""), from("null", "GET", path, ""),
			from(toolsAt, "GET", path, "").with("Origin", toolsAt, stranger), from("", "GET", path, "").with("Sec-Fetch-Site", "cross-site"), from("", "GET", path, "").with("Sec-Fetch-Site", "same-site"),
		} {
			wantProblem(t, o.do(a.with("Munjigi-App", "tools").cookie("__Host-munjigi-staff", refresh)), fault.OriginRefused)
		}
	}
	if got := o.called(); len(got) != 0 {
		t.Errorf("reached the domain: %q", got)
	}
	for _, a := range []ask{
		from(toolsAt, "GET", "/session", ""), from("", "GET", "/session", ""),
		from("", "GET", "/session", "").with("Sec-Fetch-Site", "same-origin"), from("", "GET", "/session", "").with("Sec-Fetch-Site", "none"),
	} {
		wantStatus(t, o.do(a.with("Munjigi-App", "tools").cookie("__Host-munjigi-staff", refresh)), 200)
	}
}

// Whatever a route does with a body, a page of nobody's does not get that far.
func TestAStrangersPageIsNotEvenRead(t *testing.T) {
	o := open(t, nil)
	for path, methods := range o.everyPath() {
		for _, method := range methods {
			if method == "GET" {
				continue
			}
			wantProblem(t, o.do(from(stranger, method, path, "{rubbish")), fault.OriginRefused)
			wantProblem(t, o.do(from("", method, path, "{rubbish").with("Sec-Fetch-Site", "cross-site")), fault.OriginRefused)
		}
	}
}

func TestAnAppWithoutPagesIsNotCalledByAPage(t *testing.T) {
	o := open(t, nil)
	refresh := o.person("kim", "cli")
	body := `{"app":"cli","refresh_token":"` + refresh + `"}`
	for _, method := range []string{"POST", "DELETE"} {
		for _, origin := range []string{own, toolsAt, stranger, "null"} {
			wantProblem(t, o.do(from(origin, method, "/session", body)), fault.OriginRefused)
		}
		wantProblem(t, o.do(from("", method, "/session", body).with("Sec-Fetch-Site", "none")), fault.OriginRefused)
	}
	r := o.do(from("", "POST", "/session", body))
	wantStatus(t, r, 200)
	if len(r.Header["Set-Cookie"]) != 0 {
		t.Errorf("an app whose token is in the body got cookies: %q", r.Header["Set-Cookie"])
	}
	r = o.do(from("", "DELETE", "/session", body))
	wantStatus(t, r, 204)
	if len(r.Header["Set-Cookie"]) != 0 {
		t.Errorf("an app whose token is in the body got cookies: %q", r.Header["Set-Cookie"])
	}
	if got := o.called(); !slices.Contains(got, "SignOut everywhere=false") {
		t.Errorf("not signed out: %q", got)
	}
	for app, refresh := range map[string]string{"other-cli": o.person("lee", "cli"), "cli": o.person("pat", "tools")} {
		r := o.do(from("", "DELETE", "/session", `{"app":"`+app+`","refresh_token":"`+refresh+`"}`))
		wantStatus(t, r, 204)
		if got := o.called(); slices.Contains(got, "SignOut everywhere=false") {
			t.Errorf("%s signed out another app's session", app)
		}
	}
}

func TestATokenStaysInItsCarrier(t *testing.T) {
	o := open(t, nil)
	cookie, body := o.person("kim", "tools"), o.person("lee", "cli")
	wantProblem(t, o.do(from(toolsAt, "POST", "/session", `{"app":"tools","refresh_token":"`+cookie+`"}`)), fault.RequestInvalid)
	wantProblem(t, o.do(from("", "POST", "/session", `{"app":"cli"}`).cookie("__Host-munjigi-staff", cookie)), fault.SessionMissing)
	// A token of the body in the place of a cookie tells nobody anything.
	wantProblem(t, o.do(from(toolsAt, "GET", "/session", "").with("Munjigi-App", "tools").cookie("__Host-munjigi-staff", body)), fault.SessionUnknown)
	// Only the cookie of the named app's realm counts.
	wantProblem(t, o.do(from(shopAt, "POST", "/session", `{"app":"shop"}`).cookie("__Host-munjigi-staff", cookie)), fault.SessionMissing)
	wantProblem(t, o.do(from(shopAt, "POST", "/session", `{"app":"shop"}`).cookie("__Host-munjigi-members", cookie)), fault.SessionUnknown)
	// A name without the prefix could be another host's doing.
	wantProblem(t, o.do(from(toolsAt, "POST", "/session", `{"app":"tools"}`).cookie("munjigi-staff", cookie)), fault.SessionMissing)
}

func TestBodies(t *testing.T) {
	o := open(t, nil)
	deep := strings.Repeat("[", 20) + strings.Repeat("]", 20)
	for name, c := range map[string]struct {
		body    string
		code    fault.Code
		pointer string
	}{
		"empty":             {"", fault.RequestInvalid, ""},
		"not JSON":          {"app=tools", fault.RequestInvalid, ""},
		"half":              {`{"app":"tools"`, fault.RequestInvalid, ""},
		"an array":          {`["tools"]`, fault.RequestInvalid, ""},
		"null":              {`null`, fault.RequestInvalid, ""},
		"two":               {`{"app":"tools"}{"app":"tools"}`, fault.RequestInvalid, ""},
		"rubbish behind":    {`{"app":"tools"} x`, fault.RequestInvalid, ""},
		"not UTF-8":         {"{\"app\":\"tools\",\"service\":\"a\xff\"}", fault.RequestInvalid, ""},
		"no app":            {`{}`, fault.RequestInvalid, "/app"},
		"unknown app":       {`{"app":"other"}`, fault.RequestInvalid, "/app"},
		"wrong type":        {`{"app":7}`, fault.RequestInvalid, "/app"},
		"null member":       {`{"app":"tools","service":null}`, fault.RequestInvalid, "/service"},
		"unknown member":    {`{"app":"tools","a/b~c":1}`, fault.RequestInvalid, "/a~1b~0c"},
		"another case":      {`{"App":"tools"}`, fault.RequestInvalid, "/App"},
		"twice":             {`{"app":"tools","app":"tools"}`, fault.RequestInvalid, "/app"},
		"twice, escaped":    {`{"app":"tools","\u0061pp":"console"}`, fault.RequestInvalid, "/app"},
		"twice, deep":       {`{"app":"tools","x":[{"y":1,"y":2}]}`, fault.RequestInvalid, "/x/0/y"},
		"deep":              {`{"app":"tools","x":` + deep + `}`, fault.RequestInvalid, "/x/0/0/0/0/0/0/0/0"},
		"fraction of a sec": {`{"app":"tools","max_check_age":1.5}`, fault.RequestInvalid, "/max_check_age"},
		"negative age":      {`{"app":"tools","max_check_age":-1}`, fault.RequestInvalid, "/max_check_age"},
		"too great an age":  {`{"app":"tools","max_check_age":9223372036854775807}`, fault.RequestInvalid, "/max_check_age"},
		"too large":         {`{"app":"` + strings.Repeat("a", 64<<10) + `"}`, fault.TooLarge, ""},
		"large rubbish":     {strings.Repeat("{", 200<<10), fault.TooLarge, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := wantProblem(t, o.do(from(toolsAt, "POST", "/session", c.body).with("Content-Type", "application/json")), c.code)
			if c.pointer != "" && (len(p.Errors) != 1 || p.Errors[0].Pointer != c.pointer) {
				t.Errorf("got %+v, want the pointer %s", p.Errors, c.pointer)
			}
		})
	}
	if got := o.called(); len(got) != 0 {
		t.Errorf("reached the domain: %q", got)
	}
}

// What a form or a beacon of another site can send without a preflight.
func TestOnlyJSONIsRead(t *testing.T) {
	o := open(t, nil)
	refresh := o.person("kim", "tools", "admin")
	for _, route := range o.routes() {
		method, path, _ := strings.Cut(route.pattern, " ")
		if method == "GET" {
			continue
		}
		for _, kind := range []string{
			"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp",
			"text/json", "application/problem+json", "application/json, text/plain", "; application/json",
		} {
			a := from(own, method, concrete(path), `{"app":"console"}`).with("Munjigi-App", "console").with("Content-Type", kind).cookie("__Host-munjigi-staff", refresh)
			wantProblem(t, o.do(a), fault.RequestInvalid)
		}
	}
	if got := o.called(); len(got) != 0 {
		t.Errorf("reached the domain: %q", got)
	}
	wantProblem(t, o.do(from(toolsAt, "POST", "/session", `{"app":"tools"}`).with("Content-Encoding", "gzip")), fault.RequestInvalid)
	wantStatus(t, o.do(from(toolsAt, "POST", "/session", `{"app":"tools"}`).with("Content-Type", "application/json; charset=utf-8").
		cookie("__Host-munjigi-staff", refresh)), 200)
}

func TestCORS(t *testing.T) {
	o := open(t, nil)
	refresh := o.person("kim", "tools")
	exposed := "Date, Retry-After, WWW-Authenticate, Munjigi-Request"
	for _, c := range []struct {
		name        string
		ask         ask
		origin      string // Access-Control-Allow-Origin
		credentials bool
	}{
		{"a renewal", from(toolsAt, "POST", "/session", `{"app":"tools"}`).cookie("__Host-munjigi-staff", refresh), toolsAt, true},
		{"a refused renewal can be read", from(toolsAt, "POST", "/session", `{"app":"tools"}`), toolsAt, true},
		{"another app's page can read that it is refused", from(shopAt, "POST", "/session", `{"app":"tools"}`), shopAt, true},
		{"a stranger", from(stranger, "POST", "/session", `{"app":"tools"}`), "", false},
		{"null", from("null", "GET", "/session", ""), "", false},
		{"keys", from(stranger, "GET", "/.well-known/jwks.json", ""), "*", false},
		{"discovery", from(stranger, "GET", "/.well-known/openid-configuration", ""), "*", false},
		{"revocations", from(stranger, "GET", "/revocations", ""), "*", false},
		{"administration is for ourselves", from(toolsAt, "GET", "/admin/sessions", "").with("Munjigi-App", "tools"), "", false},
		{"options are for ourselves", from(toolsAt, "GET", "/sign-in/options", ""), "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := o.do(c.ask)
			if got := r.Header.Get("Access-Control-Allow-Origin"); got != c.origin {
				t.Errorf("allows %q, want %q", got, c.origin)
			}
			if got := r.Header.Get("Access-Control-Allow-Credentials") == "true"; got != c.credentials {
				t.Errorf("credentials: %t, want %t", got, c.credentials)
			}
			if got := r.Header.Get("Access-Control-Expose-Headers"); c.origin != "" && got != exposed {
				t.Errorf("exposes %q", got)
			}
			if c.credentials && !slices.Contains(r.Header["Vary"], "Origin") {
				t.Errorf("Vary: %q lacks Origin", r.Header["Vary"])
			}
		})
	}
}

func TestPreflights(t *testing.T) {
	o := open(t, nil)
	for _, c := range []struct {
		origin, path, method string
		status               int
	}{
		{toolsAt, "/session", "POST", 204},
		{toolsAt, "/session", "DELETE", 204},
		{shopAt, "/sessions/x", "DELETE", 204},
		{own, "/session", "POST", 204},
		{stranger, "/session", "POST", 403},
		{"null", "/session", "POST", 403},
		{toolsAt, "/session", "PUT", 405},
		{stranger, "/revocations", "GET", 204},
		{stranger, "/.well-known/jwks.json", "GET", 204},
		{toolsAt, "/admin/sessions", "GET", 403},
		{own, "/admin/sessions/x", "DELETE", 403},
	} {
		r := o.do(from(c.origin, "OPTIONS", c.path, "").with("Access-Control-Request-Method", c.method).with("Access-Control-Request-Headers", "content-type"))
		if r.StatusCode != c.status {
			t.Errorf("%+v: got %d", c, r.StatusCode)
		}
		allowed := r.Header.Get("Access-Control-Allow-Headers")
		if (c.status == 204) != (allowed == "Authorization, Content-Type, Munjigi-App") {
			t.Errorf("%+v: allows the headers %q", c, allowed)
		}
	}
}

func TestConfigurations(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"plain http elsewhere":     func(c *Config) { c.URL = "http://office.example.com" },
		"a path":                   func(c *Config) { c.URL = own + "/office" },
		"no host":                  func(c *Config) { c.URL = "https:" },
		"a user":                   func(c *Config) { c.URL = "https://me@office.example.com" },
		"no console":               func(c *Config) { c.Apps = map[string]account.App{} },
		"console of another realm": func(c *Config) { c.Console = "members" },
		"a realm like a hint":      func(c *Config) { c.Realms = map[string]Realm{"staff-hint": {}} },
		"a realm with a dot":       func(c *Config) { c.Realms = map[string]Realm{"staff.x": {}} },
		"a realm called options":   func(c *Config) { c.Realms = map[string]Realm{"options": {}} },
		"an origin with a path":    func(c *Config) { c.Apps = withOrigin("https://a.example/x") },
		"the console elsewhere": func(c *Config) {
			c.Apps = map[string]account.App{"console": {Name: "console", Realm: "staff", Origins: []string{stranger}}}
		},
		"no keys": func(c *Config) { c.Keys = nil },
	} {
		config := open(t, nil).Config
		change(&config)
		if _, err := New(config); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func withOrigin(origin string) map[string]account.App {
	return map[string]account.App{"console": theApps["console"], "x": {Name: "x", Realm: "staff", Origins: []string{origin}}}
}

func loopbackConfig(c *Config) { c.URL = "http://localhost:8080" }
