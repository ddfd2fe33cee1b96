package server

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/links"
)

// fakeLinks stands for links.Manager.
type fakeLinks struct {
	asked []links.Asking
	set   []links.Setting
	told  []string
	fail  error
}

func (f *fakeLinks) Forgotten(a links.Asking) error { f.asked = append(f.asked, a); return f.fail }
func (f *fakeLinks) SignUp(a links.Asking) error    { f.asked = append(f.asked, a); return f.fail }
func (f *fakeLinks) Changed(account, language string) {
	f.told = append(f.told, account+" in "+language)
}

func (f *fakeLinks) SetPassword(_ context.Context, s links.Setting) (string, error) {
	f.set = append(f.set, s)
	return "known", f.fail
}

func openLinks(t *testing.T) (*office, *fakeLinks) {
	t.Helper()
	f := new(fakeLinks)
	return open(t, func(c *Config) { c.Links = f }), f
}

const (
	forgottenAt = "/sign-in/members/forgotten"
	signUpAt    = "/sign-in/members/sign-up"
	passwordAt  = "/sign-in/members/password"
	forgetful   = `{"app":"shop","login":"Shop 17"}`
	newcomer    = `{"app":"shop","email":"kim@example.com","name":"Kim"}`
	setter      = `{"link":"mjl_canary","password":"canary password"}`
)

// What a page sends arrives as it is, with the language and the address of the caller; the answer is always the same.
func TestAskingForLetters(t *testing.T) {
	o, f := openLinks(t)
	for _, origin := range []string{shopAt, own} { // the app's page, and ours that acts for it
		for _, a := range []ask{from(origin, "POST", forgottenAt, forgetful), from(origin, "POST", signUpAt, newcomer)} {
			r := o.do(a.with("Accept-Language", "ko-KR"))
			wantStatus(t, r, 202)
			if got := text(t, r); got != "{}\n" || r.Header.Get("Content-Type") != "application/json" || len(r.Header["Set-Cookie"]) != 0 {
				t.Errorf("got %q, %v", got, r.Header)
			}
		}
	}
	forgot := links.Asking{Realm: "members", Login: "Shop 17", Language: "ko", From: "192.0.2.1"}
	fresh := links.Asking{Realm: "members", Login: "kim@example.com", Name: "Kim", Language: "ko", From: "192.0.2.1"}
	if diff := cmp.Diff([]links.Asking{forgot, fresh, forgot, fresh}, f.asked); diff != "" {
		t.Error(diff)
	}
}

// A link's page and its use.
func TestUsingALink(t *testing.T) {
	o, f := openLinks(t)
	for _, path := range []string{passwordAt, forgottenAt, signUpAt} {
		r := o.do(from("", "GET", path, "").with("Accept", "text/html"))
		wantStatus(t, r, 200)
		if got := text(t, r); !strings.Contains(got, "the console") || r.Header.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s: got %q", path, got)
		}
	}
	for _, origin := range []string{own, shopAt} {
		r := o.do(from(origin, "PUT", passwordAt, setter))
		wantStatus(t, r, 204)
		if got := r.Header.Get("Set-Cookie"); !strings.HasPrefix(got, "__Host-munjigi-members-device=known;") {
			t.Errorf("cookie %q", got)
		}
	}
	want := links.Setting{Realm: "members", Link: "mjl_canary", Password: account.Password("canary password"), Language: "en", From: "192.0.2.1"}
	if diff := cmp.Diff([]links.Setting{want, want}, f.set); diff != "" {
		t.Error(diff)
	}
	f.fail = fmt.Errorf("set password: %w", fault.New(fault.SessionUnknown, "used"))
	wantProblem(t, o.do(from(own, "PUT", passwordAt, setter)), fault.SessionUnknown)
	f.fail = fmt.Errorf("broken: %v %+v", want, want)
	r := o.do(from(own, "PUT", passwordAt, setter))
	wantStatus(t, r, 500)
	if all := text(t, r) + o.log.String(); strings.Contains(all, "canary") {
		t.Errorf("a link or a password in the answer or the log: %s", all)
	}
}

// Strangers' pages, forms, and apps of another realm have none of it.
func TestLinksAreForTheRealmsPages(t *testing.T) {
	o, f := openLinks(t)
	for path, body := range map[string]string{forgottenAt: forgetful, signUpAt: newcomer, passwordAt: setter} {
		method := "POST"
		if path == passwordAt {
			method = "PUT"
		}
		for name, a := range map[string]ask{
			"no origin":             from("", method, path, body),
			"a stranger":            from(stranger, method, path, body),
			"null":                  from("null", method, path, body),
			"an app of other realm": from(toolsAt, method, path, body),
			"ours, from elsewhere":  from(own, method, path, body).with("Sec-Fetch-Site", "cross-site"),
			"two origins":           from(own, method, path, body).with("Origin", own, own),
		} {
			if p := problem(t, o.do(a)); p.Code != fault.OriginRefused {
				t.Errorf("%s, %s: got %s", path, name, p.Code)
			}
		}
		form := o.do(from(shopAt, method, path, body).with("Content-Type", "text/plain"))
		wantProblem(t, form, fault.RequestInvalid)
	}
	for _, body := range []string{
		`{"app":"tools","login":"a"}`, `{"app":"nobody","login":"a"}`, `{"login":"a"}`, `{"app":"shop","login":["a"]}`, `{"app":"shop","login":"a","to":"b"}`,
	} {
		if p := problem(t, o.do(from(own, "POST", forgottenAt, body))); p.Code != fault.RequestInvalid {
			t.Errorf("%s: got %s", body, p.Code)
		}
	}
	if len(f.asked)+len(f.set) != 0 {
		t.Errorf("reached the domain: %v, %v", f.asked, f.set)
	}
	r := o.do(from(shopAt, "OPTIONS", passwordAt, "").with("Access-Control-Request-Method", "PUT"))
	wantStatus(t, r, 204)
	if got := r.Header.Get("Access-Control-Allow-Origin"); got != shopAt {
		t.Errorf("a page of the shop may not ask: %q", got)
	}
}

// Letters bother people: an address may ask for few. It learns when it may ask again.
func TestLettersOfOneAddressAreLimited(t *testing.T) {
	o, f := openLinks(t)
	for i := range 60 {
		a := from(shopAt, "POST", forgottenAt, forgetful)
		if i%2 == 1 {
			a = from(shopAt, "POST", signUpAt, newcomer)
		}
		wantStatus(t, o.do(a), 202)
	}
	r := o.do(from(shopAt, "POST", forgottenAt, forgetful))
	if got := r.Header.Get("Retry-After"); r.StatusCode != 429 || got != "5" {
		t.Errorf("got %d, Retry-After %q", r.StatusCode, got)
	}
	wantStatus(t, o.do(from(own, "POST", signUpAt, newcomer)), 429)
	o.later(5 * time.Second)
	wantStatus(t, o.do(from(own, "POST", signUpAt, newcomer)), 202)
	if len(f.asked) != 61 {
		t.Errorf("%d letters", len(f.asked))
	}
	f.fail = &fault.Error{Code: fault.TooManyAttempts, RetryAfter: time.Minute}
	o.later(5 * time.Second)
	wantStatus(t, o.do(from(own, "POST", signUpAt, newcomer)), 429)
}

// Where no realm has passwords there is nothing to ask for.
func TestNoLinksWithoutPasswords(t *testing.T) {
	o := open(t, nil)
	for _, a := range []ask{from(shopAt, "POST", forgottenAt, forgetful), from(shopAt, "POST", signUpAt, newcomer), from(own, "PUT", passwordAt, setter)} {
		wantProblem(t, o.do(a), fault.NotFound)
	}
}

// The options tell a page what it may offer.
func TestOptionsOfPasswords(t *testing.T) {
	o := open(t, func(c *Config) {
		c.Realms = map[string]Realm{"staff": {Kind: OIDC, Provider: "id.example.com"}, "members": {Kind: Password, SignUp: true, Forgotten: true}}
	})
	var got map[string]any
	if err := json.Unmarshal([]byte(text(t, o.do(from("", "GET", "/sign-in/options", "")))), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"console": "staff", "realms": []any{
		map[string]any{"name": "members", "kind": "password", "sign_up": true, "forgotten": true},
		map[string]any{"name": "staff", "kind": "oidc", "provider": "id.example.com"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
