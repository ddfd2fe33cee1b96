package server

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

func TestRenew(t *testing.T) {
	o := open(t, nil)
	refresh := o.person("kim", "tools")
	o.later(time.Hour)
	a := from(toolsAt, "POST", "/session", `{"app":"tools","service":"wishlist","max_check_age":300}`).cookie("__Host-munjigi-staff", refresh)
	r := o.do(a)
	wantStatus(t, r, 200)
	if got := r.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type: got %q", got)
	}
	if got, want := text(t, r), `{"generation":1}`; got != want {
		t.Errorf("got the body %s, want the manager's bytes %s", got, want)
	}
	sid := strings.TrimSuffix(strings.TrimPrefix(refresh, "mjr_"), ".0")
	want := []string{
		"__Host-munjigi-staff=mjr_" + sid + ".1; Path=/; Max-Age=82800; HttpOnly; Secure; SameSite=Lax", // 24 h − 1 h
		"munjigi-staff-hint=" + sid + ".1; Path=/; Max-Age=82800; Secure; SameSite=Lax",
	}
	if diff := cmp.Diff(want, r.Header["Set-Cookie"]); diff != "" {
		t.Errorf("cookies (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Renew app=tools service=wishlist body=false age=5m0s"}, o.called()); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	o.do(from(own, "POST", "/session", `{"app":"console"}`).cookie("__Host-munjigi-staff", refresh))
	if diff := cmp.Diff([]string{"Renew app=console service= body=false age=-1ns"}, o.called()); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// A late answer to an older renewal must not erase a newer sign-in, whatever went wrong.
func TestNoRenewalTakesACookieAway(t *testing.T) {
	o := open(t, nil)
	refresh := o.person("kim", "tools")
	for _, code := range fault.Codes() {
		o.fail = &fault.Error{Code: code, RetryAfter: 1500 * time.Millisecond}
		r := o.do(from(toolsAt, "POST", "/session", `{"app":"tools"}`).cookie("__Host-munjigi-staff", refresh))
		if p := wantProblem(t, r, code); p.RetryAfter != 2 || r.Header.Get("Retry-After") != "2" {
			t.Errorf("%s: retry after %d, header %q", code, p.RetryAfter, r.Header.Get("Retry-After"))
		}
	}
}

func TestWhoAmI(t *testing.T) {
	o := open(t, nil)
	refresh := o.person("kim", "tools", "editor", "viewer")
	sid := strings.TrimSuffix(strings.TrimPrefix(refresh, "mjr_"), ".0")
	r := o.do(from(toolsAt, "GET", "/session", "").with("Munjigi-App", "tools").cookie("__Host-munjigi-staff", refresh))
	want := `{"account":{"id":"account-kim","realm":"staff","email":"kim@example.com","name":"kim","roles":["editor","viewer"]},` +
		`"session":{"id":"` + sid + `","generation":0,"started_at":1790000000,"ends_at":1790086400},"checked_at":1790000000}`
	if got := text(t, r); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	wantProblem(t, o.do(from(toolsAt, "GET", "/session", "").cookie("__Host-munjigi-staff", refresh)), fault.RequestInvalid) // no app named
	wantProblem(t, o.do(from("", "GET", "/session", "").with("Munjigi-App", "cli")), fault.TokenMissing)
	wantProblem(t, o.do(from("", "GET", "/session", "")), fault.TokenMissing)
}

func TestSignOut(t *testing.T) {
	taken := []string{
		"__Host-munjigi-staff=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		"munjigi-staff-hint=; Path=/; Domain=example.com; Max-Age=0; Secure; SameSite=Lax",
	}
	withDomain := func(c *Config) { c.CookieDomain = "example.com" }
	for name, c := range map[string]struct {
		path   string
		cookie func(o *office) string
		want   []string
	}{
		"here":                {"/session", nil, []string{"Identified", "SignOut everywhere=false"}},
		"not everywhere":      {"/session?everywhere=false", nil, []string{"Identified", "SignOut everywhere=false"}},
		"everywhere":          {"/session?everywhere=true", nil, []string{"Identified", "SignOut everywhere=true"}},
		"nobody":              {"/session", func(*office) string { return "" }, nil},
		"a forged token":      {"/session", func(*office) string { return "mjr_forged" }, nil},
		"of another realm":    {"/session", func(o *office) string { return o.person("lee", "shop") }, nil},
		"ended meanwhile":     {"/session", func(o *office) string { return o.ended(session.Replaced) }, []string{"Identified"}},
		"signed out already":  {"/session", func(o *office) string { return o.ended(session.SignedOut) }, []string{"Identified"}},
		"a token of the body": {"/session", func(o *office) string { return o.person("lee", "cli") }, []string{"Identified"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := open(t, withDomain)
			if c.cookie == nil {
				c.cookie = func(o *office) string { return o.person("kim", "tools") }
			}
			for _, body := range []string{"", `{"app":"tools"}`} {
				a := from(toolsAt, "DELETE", c.path, body).with("Munjigi-App", "tools").with("Content-Type", "application/json").
					cookie("__Host-munjigi-staff", c.cookie(o))
				r := o.do(a)
				wantStatus(t, r, 204)
				if diff := cmp.Diff(taken, r.Header["Set-Cookie"]); diff != "" {
					t.Errorf("cookies (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(c.want, o.called()); diff != "" {
					t.Errorf("asked (-want +got):\n%s", diff)
				}
			}
		})
	}
	o := open(t, nil)
	refresh := o.person("kim", "tools")
	a := from(toolsAt, "DELETE", "/session?everywhere=yes", "").with("Munjigi-App", "tools").cookie("__Host-munjigi-staff", refresh)
	wantProblem(t, o.do(a), fault.RequestInvalid)
	a.path = "/session"
	for _, code := range []fault.Code{fault.StoreUnavailable, fault.Internal, fault.StoreRolledBack} {
		o.fail = fault.New(code, "") // nobody may think to be signed out
		wantProblem(t, o.do(a), code)
	}
}

// A page that has been open for long must not take away the cookie of whoever signed in since.
func TestAStalePageTakesNobodysCookie(t *testing.T) {
	for name, c := range map[string]struct {
		cookie func(o *office, mine string) string
		taken  int
	}{
		"its own":              {func(_ *office, mine string) string { return mine }, 2},
		"an older of its":      {func(_ *office, mine string) string { return strings.TrimSuffix(mine, ".0") + ".7" }, 2},
		"somebody else's":      {func(o *office, _ string) string { return o.person("lee", "console") }, 0},
		"a newer of theirs":    {func(o *office, _ string) string { return o.person("kim", "console") }, 0},
		"one that is not ours": {func(*office, string) string { return "mjr_forged" }, 0},
		"none":                 {func(*office, string) string { return "" }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for _, ended := range []bool{false, true} {
				for _, path := range []string{"/session", "/session?everywhere=true", "/sessions/"} {
					o := open(t, nil)
					mine := o.person("kim", "console")
					parsed, _ := o.Parse(mine)
					if path == "/sessions/" {
						path += parsed.Session.String()
					}
					a := from(own, "DELETE", path, "").with("Authorization", "Bearer "+o.access(mine, nil)).
						cookie("__Host-munjigi-staff", c.cookie(o, mine))
					if ended {
						o.rows[parsed.Session].Ended = &session.End{Reason: session.Replaced}
					}
					if ended && strings.HasPrefix(path, "/sessions/") {
						wantProblem(t, o.do(a), fault.SessionReplaced)
						continue
					}
					r := o.do(a)
					wantStatus(t, r, 204)
					if got := r.Header["Set-Cookie"]; len(got) != c.taken {
						t.Errorf("%s (ended: %t): got the cookies %q, want %d", path, ended, got, c.taken)
					}
					if o.rows[parsed.Session].Ended == nil {
						t.Errorf("%s: the page's session goes on", path)
					}
				}
			}
		})
	}
}

// ended is the refresh token of a session that ended.
func (o *office) ended(reason session.Reason) string {
	refresh := o.person("kim", "tools")
	parsed, _ := o.Parse(refresh)
	o.rows[parsed.Session].Ended = &session.End{Reason: reason}
	return refresh
}

func TestMyDevices(t *testing.T) {
	o := open(t, nil)
	refresh, other, foreign := o.person("kim", "tools"), o.person("kim", "console"), o.person("lee", "tools")
	sid := func(refresh string) string { parsed, _ := o.Parse(refresh); return parsed.Session.String() }
	mine := func(method, path string) ask {
		return from(toolsAt, method, path, "").with("Munjigi-App", "tools").cookie("__Host-munjigi-staff", refresh)
	}
	list := text(t, o.do(mine("GET", "/sessions")))
	for _, want := range []string{
		`{"id":"` + sid(refresh) + `","device":"Firefox on Linux","from":"192.0.2.1","app":"tools","started_at":1790000000,"renewed_at":1790000000,"ends_at":1790086400,"current":true}`,
		`{"id":"` + sid(other) + `","device":"Firefox on Linux","from":"192.0.2.1","app":"console","started_at":1790000000,"renewed_at":1790000000,"ends_at":1790086400,"current":false}`,
	} {
		if !strings.Contains(list, want) {
			t.Errorf("got %s, want in it %s", list, want)
		}
	}
	if strings.Contains(list, sid(foreign)) {
		t.Error("somebody else's session is listed")
	}
	o.called()
	for _, id := range []string{sid(foreign), strings.Repeat("A", 22), "x", sid(other) + "A", "%00"} {
		wantProblem(t, o.do(mine("DELETE", "/sessions/"+id)), fault.NotFound)
	}
	if got := o.called(); slices.Contains(got, "Revoke by account-kim") {
		t.Errorf("somebody else's session was ended: %q", got)
	}
	r := o.do(mine("DELETE", "/sessions/"+sid(other)))
	wantStatus(t, r, 204)
	if len(r.Header["Set-Cookie"]) != 0 {
		t.Errorf("ending another device touches the cookies: %q", r.Header["Set-Cookie"])
	}
	if got := o.called(); !slices.Contains(got, "Revoke by account-kim") {
		t.Errorf("asked %q, want a revoke by its owner", got)
	}
	r = o.do(mine("DELETE", "/sessions/"+sid(refresh)))
	wantStatus(t, r, 204)
	if len(r.Header["Set-Cookie"]) != 2 || !slices.Contains(o.called(), "SignOut everywhere=false") {
		t.Errorf("ending one's own session is a sign-out; cookies %q", r.Header["Set-Cookie"])
	}
	wantProblem(t, o.do(mine("GET", "/sessions")), fault.SessionSignedOut)
}

// access is an access token of the console for a session, as change leaves its claims.
func (o *office) access(refresh string, change func(*token.Claims)) string {
	o.t.Helper()
	parsed, _ := o.Parse(refresh)
	row := o.rows[parsed.Session]
	claims := token.Claims{
		Issuer: own, Subject: row.Account, Audience: []string{"munjigi"}, IssuedAt: start.Unix(), ExpiresAt: start.Unix() + 300,
		ID: "j", ClientID: "console", SessionID: row.ID, Realm: row.Realm, Roles: []string{"admin"},
	}
	if change != nil {
		change(&claims)
	}
	text, err := token.Sign(claims, "k1", token.ES256, o.key)
	if err != nil {
		o.t.Fatal(err)
	}
	return text
}

func TestAccessTokens(t *testing.T) {
	o := open(t, nil)
	refresh, foreign, ended := o.person("kim", "console"), o.person("lee", "shop"), o.ended(session.CutOff)
	pat := o.person("pat", "shop")
	idToken := func() string { // the same claims, well signed, under another type
		payload := strings.Split(o.access(refresh, nil), ".")[1]
		input := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","kid":"k1","typ":"JWT"}`)) + "." + payload
		digest := sha256.Sum256([]byte(input))
		r, s, err := ecdsa.Sign(rand.Reader, o.key, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		signature := make([]byte, 64)
		r.FillBytes(signature[:32])
		s.FillBytes(signature[32:])
		return input + "." + base64.RawURLEncoding.EncodeToString(signature)
	}
	tampered := func() string { // one token's claims under another's signature
		one := strings.Split(o.access(refresh, nil), ".")
		two := strings.Split(o.access(refresh, func(c *token.Claims) { c.ID = "k" }), ".")
		return one[0] + "." + two[1] + "." + one[2]
	}
	for name, c := range map[string]struct {
		token string
		code  fault.Code // "" = accepted
	}{
		"good":                {o.access(refresh, nil), ""},
		"several services":    {o.access(refresh, func(c *token.Claims) { c.Audience = []string{"market", "munjigi"} }), ""},
		"another audience":    {o.access(refresh, func(c *token.Claims) { c.Audience = []string{"wishlist"} }), fault.TokenWrongAudience},
		"no audience":         {o.access(refresh, func(c *token.Claims) { c.Audience = nil }), fault.TokenWrongAudience},
		"expired":             {o.access(refresh, func(c *token.Claims) { c.IssuedAt -= 300; c.ExpiresAt -= 300 }), fault.TokenExpired},
		"from the future":     {o.access(refresh, func(c *token.Claims) { c.IssuedAt += 120; c.ExpiresAt += 120 }), fault.TokenNotYetValid},
		"not before":          {o.access(refresh, func(c *token.Claims) { c.NotBefore = c.IssuedAt + 120 }), fault.TokenNotYetValid},
		"too long":            {o.access(refresh, func(c *token.Claims) { c.ExpiresAt = c.IssuedAt + 3601 }), fault.TokenInvalid},
		"absurdly long":       {o.access(refresh, func(c *token.Claims) { c.ExpiresAt = 1<<63 - 1 }), fault.TokenInvalid},
		"negative":            {o.access(refresh, func(c *token.Claims) { c.ExpiresAt = c.IssuedAt - 1 }), fault.TokenInvalid},
		"another issuer":      {o.access(refresh, func(c *token.Claims) { c.Issuer = stranger }), fault.TokenInvalid},
		"another realm":       {o.access(refresh, func(c *token.Claims) { c.Realm = "members" }), fault.TokenInvalid},
		"another app":         {o.access(refresh, func(c *token.Claims) { c.ClientID = "nobody" }), fault.TokenInvalid},
		"our own call":        {o.access(refresh, func(c *token.Claims) { c.Subject, c.ClientID, c.Realm = "munjigi", "munjigi", "munjigi" }), fault.TokenInvalid},
		"another person":      {o.access(refresh, func(c *token.Claims) { c.Subject = "account-lee" }), fault.TokenInvalid},
		"another session":     {o.access(foreign, func(c *token.Claims) { c.Realm, c.Subject = "staff", "account-kim" }), fault.TokenInvalid},
		"a session elsewhere": {o.access(pat, func(c *token.Claims) { c.Realm = "staff" }), fault.TokenInvalid},
		"no such session":     {o.access(refresh, func(c *token.Claims) { c.SessionID = token.NewSessionID() }), fault.SessionUnknown},
		"cut off":             {o.access(ended, nil), fault.SessionCutOff},
		"another type":        {idToken(), fault.TokenInvalid},
		"tampered":            {tampered(), fault.TokenInvalid},
		"without signature":   {strings.Join(strings.Split(o.access(refresh, nil), ".")[:2], ".") + ".", fault.TokenMalformed},
		"a refresh token":     {refresh, fault.TokenMalformed},
		"rubbish":             {"x", fault.TokenMalformed},
		"nothing":             {"", fault.TokenMalformed},
		"dots":                {strings.Repeat(".", 1000), fault.TokenMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			// The cookie of somebody who may everything must not help a token that is refused.
			r := o.do(from("", "GET", "/session", "").with("Authorization", "Bearer "+c.token).with("Munjigi-App", "console").cookie("__Host-munjigi-staff", refresh))
			if c.code == "" {
				wantStatus(t, r, 200)
				return
			}
			p := wantProblem(t, r, c.code)
			if got, want := r.Header.Get("WWW-Authenticate"), `Bearer error="invalid_token", code="`+string(p.Code)+`"`; got != want {
				t.Errorf("WWW-Authenticate: got %s, want %s", got, want)
			}
		})
	}
	good := o.access(refresh, nil)
	for _, header := range [][]string{{"Basic " + good}, {"Bearer"}, {good}, {"Bearer " + good, "Bearer " + good}, {"Bearer " + good + ", Bearer x"}} {
		wantProblem(t, o.do(from("", "GET", "/session", "").with("Authorization", header...)), fault.TokenMalformed)
	}
	wantProblem(t, o.do(from("", "GET", "/session", "").with("Authorization", "Bearer "+good).with("Munjigi-App", "tools")), fault.TokenInvalid)
	wantProblem(t, o.do(from(stranger, "GET", "/session", "").with("Authorization", "Bearer "+good)), fault.OriginRefused)
	wantProblem(t, o.do(from("", "DELETE", "/session", "").with("Authorization", "Bearer "+good)), fault.OriginRefused)
	wantProblem(t, o.do(from(toolsAt, "DELETE", "/session", "").with("Authorization", "Bearer "+good)), fault.OriginRefused)
	wantStatus(t, o.do(from("", "GET", "/session", "").with("Authorization", "bearer "+good)), 200)
	r := o.do(from(own, "DELETE", "/session", "").with("Authorization", "Bearer "+good))
	wantStatus(t, r, 204)
	wantProblem(t, o.do(from("", "GET", "/session", "").with("Authorization", "Bearer "+good)), fault.SessionSignedOut)
	if r := o.do(from("", "GET", "/session", "").with("Munjigi-App", "console")); r.Header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("without a token: WWW-Authenticate %q, want Bearer alone", r.Header.Get("WWW-Authenticate"))
	}
}

func TestProblems(t *testing.T) {
	o := open(t, nil)
	ask := from(toolsAt, "POST", "/session", `{"app":"tools"}`)
	for header, want := range map[string]string{
		"":                                "en",
		"ko":                              "ko",
		"ko-KR,ko;q=0.9,en-US;q=0.8":      "ko",
		"en-US,en;q=0.9,ko;q=0.8":         "en",
		"ja,ko;q=0.5,en;q=0.4":            "ko",
		"fr, de":                          "en",
		"ko;q=0, en;q=0.1":                "en",
		"ko;q=x":                          "en",
		"KO-kr":                           "ko",
		strings.Repeat("x,", 5000) + "ko": "ko",
	} {
		for _, code := range fault.Codes() {
			o.fail = fault.New(code, "what the developer reads")
			r := o.do(ask.with("Accept-Language", header))
			p := wantProblem(t, r, code)
			if p.Title != code.Sentence(want) || p.Detail != "what the developer reads" || p.Request != r.Header.Get("Munjigi-Request") {
				t.Errorf("%.20q: %s: got %+v", header, code, p)
			}
		}
	}
	o.fail = &fault.Error{Code: fault.SessionReplaced, ReplacedAt: start, ReplacedBy: "Chrome on Windows"}
	if p := problem(t, o.do(ask)); p.ReplacedAt != start.Unix() || p.ReplacedBy != "Chrome on Windows" {
		t.Errorf("replaced: got %+v", p)
	}
	o.fail = http.ErrHandlerTimeout // any error without a code
	r := o.do(ask)
	if got := text(t, r); r.StatusCode != 500 || strings.Contains(got, "timeout") || !strings.Contains(o.log.String(), "http: Handler timeout") {
		t.Errorf("an error without a code: got %d %s; the log: %s", r.StatusCode, got, o.log)
	}
}
