package server

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/signin"
)

// browser keeps cookies as a browser does, so far as these tests need it.
type browser struct {
	*office
	jar map[string]string
}

func (o *office) browser() *browser { return &browser{o, map[string]string{}} }

func (b *browser) get(path string, header ...string) *http.Response {
	a := from("", "GET", path, "")
	for i := 0; i < len(header); i += 2 {
		a = a.with(header[i], header[i+1])
	}
	for name, value := range b.jar {
		a = a.cookie(name, value)
	}
	r := b.do(a)
	for _, cookie := range r.Cookies() {
		if cookie.MaxAge < 0 {
			delete(b.jar, cookie.Name)
		} else {
			b.jar[cookie.Name] = cookie.Value
		}
	}
	return r
}

// start begins a sign-in and returns the state that the provider was sent.
func (b *browser) start(path string) string {
	b.t.Helper()
	r := b.get(path)
	to, err := r.Location()
	if r.StatusCode != http.StatusSeeOther || err != nil || to.Host != "id.example.com" {
		b.t.Fatalf("%s: got %d to %v, want the provider", path, r.StatusCode, to)
	}
	return to.Query().Get("state")
}

func callback(state, code string) string {
	return "/sign-in/staff/callback?" + url.Values{"state": {state}, "code": {code}}.Encode()
}

// wantReason is a way back to the sign-in page with this reason, and no session.
func (b *browser) wantReason(r *http.Response, reason fault.Code) url.Values {
	b.t.Helper()
	to, err := r.Location()
	if err != nil || r.StatusCode != http.StatusSeeOther || to.Scheme+"://"+to.Host+to.Path != own+"/sign-in" {
		b.t.Fatalf("got %d to %v, want the sign-in page", r.StatusCode, to)
	}
	if got := to.Query().Get("reason"); got != string(reason) || to.Query().Get("request") != r.Header.Get("Munjigi-Request") {
		b.t.Errorf("got %s, want the reason %s and the request's id", to, reason)
	}
	for _, cookie := range r.Cookies() {
		if !strings.Contains(cookie.Name, attemptPrefix) {
			b.t.Errorf("a failed sign-in sets or takes %s", cookie)
		}
	}
	return to.Query()
}

func TestSignIn(t *testing.T) {
	o := open(t, nil)
	b := o.browser()
	state := b.start("/sign-in/staff?app=tools&return_to=/list%3Fa=b%23c&login_hint=kim%40example.com")
	if asked := o.idp.asked[0]; asked.LoginHint != "kim@example.com" || len(asked.State) != 43 || len(asked.Nonce) != 43 || len(asked.Challenge) != 43 || asked.Consent {
		t.Errorf("the provider was asked %+v", asked)
	}
	if calls := o.called(); len(calls) != 0 {
		t.Errorf("a GET changes something: %q", calls)
	}
	r := b.get(callback(state, "kim")+"&iss=https%3A%2F%2Fid.example.com", "Sec-Fetch-Site", "cross-site", "X-Forwarded-For", "203.0.113.9")
	if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != toolsAt+"/list?a=b#c" {
		t.Fatalf("got %d to %s", r.StatusCode, r.Header.Get("Location"))
	}
	in := o.begun[0]
	if in.App.Name != "tools" || in.Grant != "grant-of-kim" || in.Identity.Issuer != "https://id.example.com" || in.Identity.Subject != "kim" ||
		in.Identity.Realm != "staff" || in.Brought != nil || !slices.Equal(in.Profile.Roles, []string{"viewer"}) ||
		in.Caller.From != "192.0.2.1" || in.Caller.Device != "Firefox on Linux" || !in.RecheckAt.Equal(start.Add(54*time.Second)) {
		t.Errorf("began %+v", in)
	}
	traded := o.idp.traded[0]
	if traded.Nonce != o.idp.asked[0].Nonce || len(traded.Verifier) != 43 || traded.Verifier == o.idp.asked[0].Challenge || traded.Issuer != "https://id.example.com" {
		t.Errorf("traded %+v", traded)
	}
	if len(b.jar) != 2 || b.jar["__Host-munjigi-staff"] == "" || b.jar["munjigi-staff-hint"] == "" {
		t.Errorf("the browser is left with %v, want the session's two cookies", b.jar)
	}

	// The same browser signs in as somebody else: the first session ends with it.
	first := o.begun[0]
	b.get(callback(b.start("/sign-in/staff?app=console"), "lee"))
	if o.begun[1].Brought == nil || o.begun[1].Identity.Subject != "lee" {
		t.Errorf("began %+v after %+v, want the first session brought", o.begun[1], first)
	}
}

func TestTheCookiesOfASignIn(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   []string // without the values
	}{
		"https": {nil, []string{
			"__Host-munjigi-staff=; Path=/; Max-Age=86400; HttpOnly; Secure; SameSite=Lax",
			"munjigi-staff-hint=; Path=/; Max-Age=86400; Secure; SameSite=Lax",
			"__Host-munjigi.sign-in.STATE=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		}},
		"with a domain": {func(c *Config) { c.CookieDomain = "example.com" }, []string{
			"__Host-munjigi-staff=; Path=/; Max-Age=86400; HttpOnly; Secure; SameSite=Lax",
			"munjigi-staff-hint=; Path=/; Domain=example.com; Max-Age=86400; Secure; SameSite=Lax",
			"__Host-munjigi.sign-in.STATE=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		}},
		"loopback": {loopbackConfig, []string{
			"munjigi-staff=; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax",
			"munjigi-staff-hint=; Path=/; Max-Age=86400; SameSite=Lax",
			"munjigi.sign-in.STATE=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, c.change).browser()
			r := b.get("/sign-in/staff?app=console")
			attempt := r.Cookies()[0]
			want := strings.Replace(c.want[2], "Max-Age=0", "Max-Age=600", 1)
			if got := plain(attempt); got != want || len(attempt.Value) < 200 {
				t.Errorf("the attempt: got %s, want %s", got, want)
			}
			to, _ := r.Location()
			r = b.get(callback(to.Query().Get("state"), "kim"))
			var got []string
			for _, cookie := range r.Cookies() {
				got = append(got, plain(cookie))
			}
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// plain is a cookie as it was set, without what differs each time.
func plain(cookie *http.Cookie) string {
	text := cookie.Raw
	if i := strings.Index(text, attemptPrefix); i >= 0 {
		rest := text[i+len(attemptPrefix):]
		text = text[:i] + attemptPrefix + "STATE" + rest[strings.Index(rest, "="):]
	}
	name, rest, _ := strings.Cut(text, "=")
	_, attributes, _ := strings.Cut(rest, ";")
	return name + "=;" + attributes
}

func TestACallbackWorksOnceInItsBrowserInTime(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(b *browser, state string) *http.Response
		want fault.Code
	}{
		"replayed": {func(b *browser, state string) *http.Response {
			attempt := b.jar[b.attemptCookie(signin.AttemptName(state))]
			b.get(callback(state, "kim"))
			b.begun = nil
			delete(b.jar, "__Host-munjigi-staff")
			b.jar[b.attemptCookie(signin.AttemptName(state))] = attempt // a thief has no scruples
			return b.get(callback(state, "kim"))
		}, fault.SessionUnknown},
		"replayed without the cookie": {func(b *browser, state string) *http.Response {
			b.get(callback(state, "kim"))
			b.begun = nil
			return b.get(callback(state, "kim"))
		}, fault.SessionUnknown},
		"in another browser": {func(b *browser, state string) *http.Response {
			return b.office.browser().get(callback(state, "kim"))
		}, fault.SessionUnknown},
		"in another browser that signs in, too": {func(b *browser, state string) *http.Response {
			other := b.office.browser()
			mine := other.start("/sign-in/staff?app=console")
			other.jar[b.attemptCookie(signin.AttemptName(state))] = other.jar[b.attemptCookie(signin.AttemptName(mine))]
			return other.get(callback(state, "kim"))
		}, fault.SessionUnknown},
		"too late": {func(b *browser, state string) *http.Response {
			b.later(10 * time.Minute)
			return b.get(callback(state, "kim"))
		}, fault.SessionUnknown},
		"another state": {func(b *browser, state string) *http.Response {
			return b.get(callback(state+"x", "kim"))
		}, fault.SessionUnknown},
		"no state":  {func(b *browser, _ string) *http.Response { return b.get("/sign-in/staff/callback?code=kim") }, fault.SessionUnknown},
		"two codes": {func(b *browser, state string) *http.Response { return b.get(callback(state, "kim") + "&code=lee") }, fault.RequestInvalid},
		"another realm": {func(b *browser, state string) *http.Response {
			return b.get(strings.Replace(callback(state, "kim"), "staff", "members", 1))
		}, fault.SessionUnknown},
		"a cookie with one bit changed": {func(b *browser, state string) *http.Response {
			cookie := b.attemptCookie(signin.AttemptName(state))
			text := []byte(b.jar[cookie])
			text[len(text)/2] ^= 1
			b.jar[cookie] = string(text)
			return b.get(callback(state, "kim"))
		}, fault.SessionUnknown},
		"refused by the person": {func(b *browser, state string) *http.Response {
			return b.get("/sign-in/staff/callback?error=access_denied&state=" + state)
		}, fault.SessionMissing},
		"refused by another provider": {func(b *browser, state string) *http.Response {
			return b.get("/sign-in/staff/callback?error=access_denied&iss=https%3A%2F%2Fevil.example&state=" + state)
		}, fault.SessionUnknown},
		"the provider's trouble": {func(b *browser, state string) *http.Response {
			return b.get("/sign-in/staff/callback?error=temporarily_unavailable&state=" + state)
		}, fault.UpstreamUnavailable},
		"a foreigner": {func(b *browser, state string) *http.Response { return b.get(callback(state, "foreigner")) }, fault.DomainRefused},
		"another attempt's code": {func(b *browser, state string) *http.Response {
			b.idp.fail = fault.New(fault.RequestInvalid, "the provider's answer belongs to another sign-in")
			return b.get(callback(state, "kim"))
		}, fault.SessionUnknown},
		"the provider is down": {func(b *browser, state string) *http.Response {
			b.idp.fail = fault.New(fault.UpstreamUnavailable, "")
			return b.get(callback(state, "kim"))
		}, fault.UpstreamUnavailable},
		"the store is down": {func(b *browser, state string) *http.Response {
			b.store.fails = fault.New(fault.StoreUnavailable, "")
			return b.get(callback(state, "kim"))
		}, fault.StoreUnavailable},
		"the account is disabled": {func(b *browser, state string) *http.Response {
			b.fail = fault.New(fault.SessionCutOff, "")
			return b.get(callback(state, "kim"))
		}, fault.SessionCutOff},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, nil).browser()
			r := c.do(b, b.start("/sign-in/staff?app=console&return_to=/people"))
			b.wantReason(r, c.want)
			if len(b.begun) != 0 {
				t.Errorf("a session began: %+v", b.begun)
			}
		})
	}
}

func TestAFailedSignInKnowsTheWayBack(t *testing.T) {
	b := open(t, nil).browser()
	r := b.get(callback(b.start("/sign-in/staff?app=console&return_to=/people%3Fpage=2"), "foreigner"))
	if got := b.wantReason(r, fault.DomainRefused).Get("return_to"); got != "/people?page=2" {
		t.Errorf("return_to: got %q", got)
	}
	if len(b.jar) != 0 {
		t.Errorf("the browser is left with %v", b.jar)
	}
}

func TestParallelTabsEachFinish(t *testing.T) {
	b := open(t, nil).browser()
	one, two := b.start("/sign-in/staff?app=console&return_to=/one"), b.start("/sign-in/staff?app=console&return_to=/two")
	for state, want := range map[string]string{one: own + "/one", two: own + "/two"} {
		if got := b.get(callback(state, "kim")).Header.Get("Location"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for range 20 {
		b.start("/sign-in/staff?app=console")
	}
	attempts := 0
	for name := range b.jar {
		if strings.Contains(name, attemptPrefix) {
			attempts++
		}
	}
	if attempts > maxAttempts {
		t.Errorf("a browser carries %d attempts along, want at most %d", attempts, maxAttempts)
	}
}

// Without the means to ask again nobody gets in; the provider is asked for them once.
func TestConsent(t *testing.T) {
	o := open(t, nil)
	b := o.browser()
	o.idp.noGrant = true
	r := b.get(callback(b.start("/sign-in/staff?app=console&return_to=/people"), "kim"))
	to, err := r.Location()
	if err != nil || to.Host != "id.example.com" || len(o.begun) != 0 {
		t.Fatalf("got %v, want the provider again", to)
	}
	if again := o.idp.asked[1]; !again.Consent || again.LoginHint != "kim@example.com" || again.State == o.idp.asked[0].State {
		t.Errorf("asked %+v", again)
	}
	b.wantReason(b.get(callback(to.Query().Get("state"), "kim")), fault.UpstreamUnavailable)

	o.idp.noGrant = true
	to, _ = b.get(callback(b.start("/sign-in/staff?app=console&return_to=/people"), "kim")).Location()
	o.idp.noGrant = false
	if got := b.get(callback(to.Query().Get("state"), "kim")).Header.Get("Location"); got != own+"/people" {
		t.Errorf("after consent: got %q", got)
	}

	o.idp.noGrant, o.store.held = true, true
	if b.get(callback(b.start("/sign-in/staff?app=console"), "kim")); len(o.begun) != 2 || o.begun[1].Grant != "" {
		t.Errorf("with a grant that is held: began %+v", o.begun)
	}

	o.store.held = false
	b.wantReason(b.get(callback(b.start("/sign-in/staff?app=console"), "foreigner")), fault.DomainRefused)
}

func TestWhatCannotBegin(t *testing.T) {
	o := open(t, nil)
	for path, want := range map[string]fault.Code{
		"/sign-in/staff?app=console&return_to=//evil":                         fault.RequestInvalid,
		"/sign-in/staff?app=console&return_to=%2F%5Cevil":                     fault.RequestInvalid,
		"/sign-in/staff?app=console&return_to=https:evil":                     fault.RequestInvalid,
		"/sign-in/staff?app=console&return_to=https://evil.example/":          fault.RequestInvalid,
		"/sign-in/staff?app=console&return_to=https://tools.example.com":      fault.RequestInvalid, // another app's
		"/sign-in/staff?app=console&return_to=/a%0D%0AX:%20y":                 fault.RequestInvalid,
		"/sign-in/staff?app=shop":                                             fault.RequestInvalid, // another realm's
		"/sign-in/staff?app=cli":                                              fault.RequestInvalid, // nowhere to return to
		"/sign-in/staff?app=nobody":                                           fault.RequestInvalid,
		"/sign-in/staff?app=console&app=tools":                                fault.RequestInvalid,
		"/sign-in/staff?app=%zz":                                              fault.RequestInvalid,
		"/sign-in/staff?app=console&login_hint=" + strings.Repeat("a", 400):   fault.RequestInvalid,
		"/sign-in/staff?app=console&return_to=/" + strings.Repeat("a", 10000): fault.RequestInvalid,
		"/sign-in/nobody?app=console":                                         fault.NotFound,
	} {
		r := o.do(from("", "GET", path, "").with("Accept", "text/html"))
		page := text(t, r)
		if r.StatusCode != want.Status() || !strings.Contains(page, string(want)) || len(r.Header["Set-Cookie"]) != 0 || r.Header.Get("Location") != "" {
			t.Errorf("%s: got %d to %q: %s", path, r.StatusCode, r.Header.Get("Location"), page)
		}
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") || strings.Contains(page, "<script") || strings.Contains(page, "style=") {
			t.Errorf("%s: not a plain page: %s", path, page)
		}
	}
	for _, dest := range []string{"iframe", "image", "empty", "script"} {
		if r := o.do(from("", "GET", "/sign-in/staff?app=console", "").with("Sec-Fetch-Dest", dest)); r.StatusCode != 403 {
			t.Errorf("as %s: got %d", dest, r.StatusCode)
		}
	}
	if len(o.idp.asked) != 0 {
		t.Errorf("the provider was asked %d times", len(o.idp.asked))
	}
	b := o.browser()
	o.idp.fail = fault.New(fault.UpstreamUnavailable, "")
	b.wantReason(b.get("/sign-in/staff?app=console"), fault.UpstreamUnavailable)
}

// A link on another site must not sign a person in by itself.
func TestACrossSiteLinkGetsAButton(t *testing.T) {
	o := open(t, nil)
	for language, want := range map[string]string{"ko-KR,ko;q=0.9,en;q=0.8": "로그인", "en": "Sign in to office.example.com"} {
		a := from("", "GET", `/sign-in/staff?app=console&return_to=/people%3Fq=%22%3E%3Cscript%3E&login_hint=kim%40example.com`, "").
			with("Sec-Fetch-Site", "cross-site").with("Sec-Fetch-Dest", "document").with("Accept-Language", language)
		r := o.do(a)
		page := text(t, r)
		link := `<a href="/sign-in/staff?app=console&amp;login_hint=kim%40example.com&amp;return_to=%2Fpeople%3Fq%3D%22%3E%3Cscript%3E">`
		if r.StatusCode != 200 || !strings.Contains(page, want) || len(r.Header["Set-Cookie"]) != 0 || strings.Contains(page, "<script") {
			t.Errorf("got %d %s", r.StatusCode, page)
		}
		if !strings.Contains(page, link) {
			t.Errorf("got %s, want the link %s", page, link)
		}
	}
	wantStatus(t, o.do(from("", "GET", "/sign-in/staff?app=console&return_to=//evil", "").with("Sec-Fetch-Site", "cross-site")), 422)
	for _, site := range []string{"same-origin", "same-site", "none"} {
		wantStatus(t, o.do(from("", "GET", "/sign-in/staff?app=console", "").with("Sec-Fetch-Site", site)), 303)
	}
}

func TestSignInOptions(t *testing.T) {
	r := open(t, nil).do(from("", "GET", "/sign-in/options", ""))
	if got, want := text(t, r), `{"console":"staff","realms":[{"name":"members","kind":"password"},{"name":"staff","kind":"oidc","provider":"id.example.com"}]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Refusals are recorded, but nobody can fill the audit with them.
func TestRefusedSignInsAreRecordedWithinBounds(t *testing.T) {
	o := open(t, func(c *Config) { c.Limits.SignInsAtOnce = 10_000 })
	for range 500 {
		o.do(from("", "GET", callback("x", "kim"), ""))
	}
	recorded := 0
	for _, call := range o.called() {
		if call == "Append" {
			recorded++
		}
	}
	if recorded != 50 {
		t.Errorf("recorded %d of 500 at once, want 50", recorded)
	}
}

func TestSignInsOfOneAddressAreLimited(t *testing.T) {
	o := open(t, func(c *Config) { c.Limits.SignInsAtOnce, c.Limits.SignInsPerSecond = 3, 1 })
	a := from("", "GET", "/sign-in/staff?app=console", "")
	for range 3 {
		wantStatus(t, o.do(a), 303)
	}
	r := o.do(a)
	wantStatus(t, r, 429)
	if r.Header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After: got %q", r.Header.Get("Retry-After"))
	}
	wantStatus(t, o.do(from("", "GET", callback("x", "kim"), "")), 429)
	o.later(time.Second)
	wantStatus(t, o.do(a), 303)
	wantStatus(t, o.do(from("", "GET", "/sign-in/options", "")), 200)
}
