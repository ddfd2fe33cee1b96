package server

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/gateway"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

// fakeOffice answers with what it was asked, by whom.
type fakeOffice struct {
	do func(w http.ResponseWriter, r *http.Request, who gateway.Caller) error
}

func (f fakeOffice) say(what string) officeHandler {
	return func(w http.ResponseWriter, r *http.Request, who gateway.Caller) error {
		if f.do != nil {
			return f.do(w, r, who)
		}
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %d by %s, admin %v, in %s from %s (%v)", what, r.URL.EscapedPath(), len(body), who.Account.ID, who.Admin, who.Language, who.From, err)
		return nil
	}
}

func (f fakeOffice) Screens(w http.ResponseWriter, r *http.Request, who gateway.Caller) error {
	return f.say("screens")(w, r, who)
}

func (f fakeOffice) Screen(w http.ResponseWriter, r *http.Request, who gateway.Caller) error {
	return f.say("screen of "+r.PathValue("service"))(w, r, who)
}

func (f fakeOffice) Call(w http.ResponseWriter, r *http.Request, who gateway.Caller) error {
	return f.say("call")(w, r, who)
}

func (f fakeOffice) Export(w http.ResponseWriter, r *http.Request, who gateway.Caller) error {
	return f.say("export")(w, r, who)
}

func (f fakeOffice) Services(w http.ResponseWriter, r *http.Request, who gateway.Caller) error {
	return f.say("services")(w, r, who)
}

func (f fakeOffice) Service(w http.ResponseWriter, r *http.Request, who gateway.Caller) error {
	return f.say("service "+r.PathValue("name"))(w, r, who)
}

func (f fakeOffice) Operations(w http.ResponseWriter, r *http.Request, who gateway.Caller) error {
	return f.say("operations of "+r.PathValue("name"))(w, r, who)
}

func (f fakeOffice) Grant(w http.ResponseWriter, r *http.Request, who gateway.Caller) error {
	return f.say("grant of "+r.PathValue("name"))(w, r, who)
}

func withOffice(f fakeOffice) func(*Config) {
	return func(c *Config) { c.Office, c.Grants = f, f }
}

var officeAsks = []ask{
	from(own, "GET", "/screens", ""), from(own, "GET", "/screens/market", ""), from(own, "GET", "/services/market/x", ""), from(own, "POST", "/services/market/x", `{}`),
	from(own, "GET", "/exports/market/x", ""), from(own, "GET", "/admin/services", ""), from(own, "GET", "/admin/services/market", ""), from(own, "GET", "/admin/services/market/operations", ""), from(own, "POST", "/admin/services/market/operations/grant", `{}`),
}

// Who may use the office shows the console's token in the header; a cookie counts for nothing, and the store decides.
func TestOfficeIsForTheConsolesPeople(t *testing.T) {
	o := open(t, withOffice(fakeOffice{}))
	viewer, tools, member, ended := o.person("kim", "console", "viewer"), o.person("lee", "tools", "admin"), o.person("mall", "shop", "admin"), o.ended(session.Revoked)
	for _, a := range officeAsks {
		t.Run(a.method+" "+a.path, func(t *testing.T) {
			bearer := func(refresh string, change func(*token.Claims)) ask {
				return a.with("Authorization", "Bearer "+o.access(refresh, change))
			}
			for name, c := range map[string]struct {
				ask  ask
				code fault.Code
			}{
				"nobody":          {a, fault.TokenMissing},
				"a cookie":        {a.with("Munjigi-App", "console").cookie("__Host-munjigi-staff", viewer), fault.TokenMissing},
				"another app":     {bearer(tools, func(c *token.Claims) { c.ClientID, c.Audience = "tools", []string{"munjigi"} }), fault.OriginRefused},
				"a member":        {bearer(member, nil), fault.TokenInvalid},
				"another service": {bearer(viewer, func(c *token.Claims) { c.Audience = []string{"market"} }), fault.TokenWrongAudience},
				"the gateway's":   {bearer(viewer, func(c *token.Claims) { c.ClientID = gateway.Client }), fault.TokenInvalid},
				"over":            {bearer(ended, nil), fault.SessionRevoked},
				"another site":    {bearer(viewer, nil).with("Origin", stranger), fault.OriginRefused},
				"a shop's page":   {bearer(viewer, nil).with("Origin", shopAt), fault.OriginRefused},
				"in the URL":      {from(own, a.method, a.path+"?access_token=x", a.body).with("Authorization", "Bearer "+o.access(viewer, nil)), fault.RequestInvalid},
			} {
				r := o.do(c.ask)
				if got := problemCode(t, r); got != c.code {
					t.Errorf("%s: got %d %s, want %s", name, r.StatusCode, got, c.code)
				}
			}
			r := o.do(bearer(viewer, nil).with("Accept-Language", "ko"))
			got := text(t, r)
			if admins := strings.HasPrefix(a.path, "/admin/"); admins != (r.StatusCode == 403) || !admins && !strings.HasSuffix(got, "by account-kim, admin false, in ko from 192.0.2.1 (<nil>)") {
				t.Errorf("a viewer: got %d %s", r.StatusCode, got)
			}
			boss := o.person("boss", "console", "admin")
			if r := o.do(bearer(boss, nil)); r.StatusCode != 200 || !strings.Contains(text(t, r), "by account-boss, admin true") {
				t.Errorf("an administrator: got %d", r.StatusCode)
			}
		})
	}
}

func problemCode(t *testing.T, r *http.Response) fault.Code {
	t.Helper()
	body := text(t, r)
	_, rest, _ := strings.Cut(body, `"code":"`)
	code, _, _ := strings.Cut(rest, `"`)
	return fault.Code(code)
}

// A path below a service arrives as it was written, whatever it is; a body of any kind and size is left to the gateway.
func TestPassagesAreNotTidied(t *testing.T) {
	o := open(t, withOffice(fakeOffice{}))
	bearer := "Bearer " + o.access(o.person("kim", "console", "viewer"), nil)
	for _, path := range []string{"/services/market//x", "/services/market/../y", "/services/market/%2e%2e/y", "/services/market/a%2fb", "/services//", "/services/market/;x", "/exports/market/./x"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path, r.URL.RawPath = unescaped(t, path), path
		r.Header.Set("Authorization", bearer)
		w := httptest.NewRecorder()
		o.ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), " "+path+" 0 by account-kim") {
			t.Errorf("%s: got %d %s", path, w.Code, w.Body)
		}
	}
	large := from(own, "PUT", "/services/market/x", strings.Repeat("x", 1<<20)).with("Content-Type", "image/png").with("Authorization", bearer)
	if got := text(t, o.do(large)); !strings.Contains(got, " 1048576 by account-kim") {
		t.Errorf("got %s", got)
	}
}

func unescaped(t *testing.T, path string) string {
	t.Helper()
	return strings.NewReplacer("%2e", ".", "%2f", "/").Replace(path)
}

// An answer that breaks off breaks the connection, and is counted like any other; an error before it is told.
func TestPassagesThatFail(t *testing.T) {
	var do func(w http.ResponseWriter, r *http.Request, who gateway.Caller) error
	o := open(t, withOffice(fakeOffice{func(w http.ResponseWriter, r *http.Request, who gateway.Caller) error { return do(w, r, who) }}))
	bearer := "Bearer " + o.access(o.person("kim", "console", "viewer"), nil)
	s := httptest.NewServer(o)
	defer s.Close()
	call := func() (*http.Response, error) {
		r, _ := http.NewRequest("GET", s.URL+"/services/market/x", nil)
		r.Header.Set("Authorization", bearer)
		return s.Client().Do(r)
	}
	do = func(w http.ResponseWriter, _ *http.Request, _ gateway.Caller) error {
		fmt.Fprint(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	r, err := call()
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(r.Body); err == nil {
		t.Errorf("got %q as if it were whole", body)
	}
	do = func(http.ResponseWriter, *http.Request, gateway.Caller) error {
		return &fault.Error{Code: fault.ServiceUnreachable, Service: "market", Late: true}
	}
	r, err = call()
	if err != nil {
		t.Fatal(err)
	}
	if got := text(t, r); r.StatusCode != 504 || !strings.Contains(got, `"service":"market"`) {
		t.Errorf("got %d %s", r.StatusCode, got)
	}
	var alive error
	do = func(w http.ResponseWriter, r *http.Request, who gateway.Caller) error {
		o.mu.Lock()
		o.rows[who.Session.ID].Ended = &session.End{Reason: session.Revoked}
		o.mu.Unlock()
		alive = who.Alive(r.Context())
		return nil
	}
	_, err = call()
	s.Close() // all of it is in the log now
	if err != nil || fault.CodeOf(alive) != fault.SessionRevoked {
		t.Errorf("got %v, %v", alive, err)
	}
	if strings.Contains(o.log.String(), "panic") || !strings.Contains(o.log.String(), "route=/services/") {
		t.Errorf("the log says %s", o.log)
	}
}

// At the address that a realm has of its own there is nothing of the office.
func TestOfficeIsNotAtARealmsAddress(t *testing.T) {
	o := open(t, func(c *Config) {
		withOffice(fakeOffice{})(c)
		c.Realms["members"] = Realm{Kind: Password, URL: "https://login.example.com"}
	})
	bearer := "Bearer " + o.access(o.person("boss", "console", "admin"), nil)
	for _, a := range officeAsks {
		a = a.with("Authorization", bearer)
		var got []int
		for _, host := range []string{"office.example.com", "login.example.com"} {
			r := httptest.NewRequest(a.method, "https://"+host+a.path, strings.NewReader(a.body))
			r.Header = a.header
			w := httptest.NewRecorder()
			o.ServeHTTP(w, r)
			got = append(got, w.Code)
		}
		if !cmp.Equal(got, []int{200, 404}) {
			t.Errorf("%s %s: got %v", a.method, a.path, got)
		}
		r := httptest.NewRequest(a.method, "https://login.example.com"+a.path, strings.NewReader(a.body)) // by nobody
		w := httptest.NewRecorder()
		if o.ServeHTTP(w, r); w.Code != 404 {
			t.Errorf("%s %s: a stranger got %d", a.method, a.path, w.Code)
		}
	}
}
