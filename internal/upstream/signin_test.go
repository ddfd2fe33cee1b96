package upstream

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/fault"
)

var goodCallback = Callback{Code: "c", Verifier: "v", Nonce: "n"}

func query(t *testing.T, address string) url.Values {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Query()
}

func TestAuthURL(t *testing.T) {
	f := newFakeProvider(t)
	cfg := f.config()
	cfg.Scopes = []string{"groups", "email"}
	address, err := New(cfg).AuthURL(t.Context(), AuthRequest{
		State: "s", Nonce: "n", Challenge: "ch", LoginHint: "boss@example.com", Consent: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"response_type": {"code"}, "client_id": {testClient}, "redirect_uri": {"https://office.example.com/cb"},
		"scope": {"openid email profile offline_access groups"}, "state": {"s"}, "nonce": {"n"},
		"code_challenge": {"ch"}, "code_challenge_method": {"S256"}, "login_hint": {"boss@example.com"}, "prompt": {"consent"},
	}
	if diff := cmp.Diff(want, query(t, address)); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
}

func TestAuthURLOfGoogle(t *testing.T) {
	f := newFakeProviderAt(t, googleIssuer)
	address, err := New(f.config()).AuthURL(t.Context(), AuthRequest{State: "s", Nonce: "n", Challenge: "ch"})
	if err != nil {
		t.Fatal(err)
	}
	got := query(t, address)
	if got.Get("access_type") != "offline" || got.Get("hd") != "example.com" || got.Get("scope") != "openid email profile" || got.Has("prompt") {
		t.Errorf("got %v, want offline access by Google's own parameter, its domain, and no prompt", got)
	}
}

func TestExchange(t *testing.T) {
	f := newFakeProvider(t)
	f.idToken["groups"] = []string{"platform"}
	f.answer = map[string]any{"refresh_token": "r1"}
	person, refresh, err := New(f.config()).Exchange(t.Context(), goodCallback)
	if err != nil {
		t.Fatal(err)
	}
	want := Person{Issuer: testIssuer, Subject: "s1", Email: "kim@example.com", Name: "Kim", Groups: []string{"platform"}}
	if diff := cmp.Diff(want, person); diff != "" || refresh != "r1" {
		t.Errorf("refresh token %q, person (-want +got):\n%s", refresh, diff)
	}
	wantForm := map[string]string{
		"grant_type": "authorization_code", "code": "c", "code_verifier": "v", "redirect_uri": "https://office.example.com/cb",
	}
	if diff := cmp.Diff(wantForm, f.forms[0]); diff != "" || f.basics[0] != testClient {
		t.Errorf("client %q, form (-want +got):\n%s", f.basics[0], diff)
	}
	if n := f.infoFetches.Load(); n != 0 {
		t.Errorf("userinfo was asked %d times, want 0: the id token said all", n)
	}
}

// The certified provider that the end-to-end tests use sends nothing but the subject in its ID tokens.
func TestExchangeAsksUserinfoForWhatIsMissing(t *testing.T) {
	f := newFakeProvider(t)
	for _, claim := range []string{"email", "email_verified", "name"} {
		delete(f.idToken, claim)
	}
	f.userinfo = map[string]any{"sub": "s1", "email": "kim@example.com", "email_verified": true, "name": "K\u202eim\n", "roles": "ops"}
	cfg := f.config()
	cfg.GroupsClaim = "roles" // not the usual one, so it is looked for
	person, _, err := New(cfg).Exchange(t.Context(), goodCallback)
	want := Person{Issuer: testIssuer, Subject: "s1", Email: "kim@example.com", Name: "Kim", Groups: []string{"ops"}}
	if diff := cmp.Diff(want, person); diff != "" || err != nil {
		t.Errorf("error %v, person (-want +got):\n%s", err, diff)
	}
	f.set(func() { f.userinfo["sub"] = "s2" })
	if _, _, err := New(cfg).Exchange(t.Context(), goodCallback); fault.CodeOf(err) != fault.UpstreamUnavailable {
		t.Errorf("userinfo of another person: got %v, want a refusal", err)
	}
}

// A provider that knows of groups may keep them for userinfo; one that does not is not asked for them each time.
func TestGroupsAreLookedForWhereTheyAreAnnounced(t *testing.T) {
	for _, announced := range []bool{true, false} {
		f := newFakeProvider(t)
		f.userinfo = map[string]any{"sub": "s1", "groups": []string{"platform"}}
		if announced {
			f.metadata["claims_supported"] = []string{"sub", "groups"}
		}
		cfg := f.config()
		cfg.GroupsClaim = "groups"
		person, _, err := New(cfg).Exchange(t.Context(), goodCallback)
		if got := len(person.Groups) == 1; err != nil || got != announced || person.Email != "kim@example.com" {
			t.Errorf("announced %v: got %+v, %v", announced, person, err)
		}
		if got := f.infoFetches.Load() == 1; got != announced {
			t.Errorf("announced %v: userinfo asked %v", announced, got)
		}
	}
}

func TestExchangeRefuses(t *testing.T) {
	good := goodCallback
	for _, test := range []struct {
		name     string
		change   func(f *fakeProvider)
		callback Callback
		want     fault.Code
	}{
		{"no code", func(*fakeProvider) {}, Callback{Verifier: "v", Nonce: "n"}, fault.RequestInvalid},
		{"iss of another provider", func(*fakeProvider) {}, Callback{Code: "c", Verifier: "v", Nonce: "n", Issuer: "https://evil.example"}, fault.RequestInvalid},
		{"iss left out where it is announced", func(f *fakeProvider) {
			f.metadata["authorization_response_iss_parameter_supported"] = true
		}, good, fault.RequestInvalid},
		{"another attempt's nonce", func(f *fakeProvider) { f.idToken["nonce"] = "m" }, good, fault.RequestInvalid},
		{"no nonce", func(f *fakeProvider) { delete(f.idToken, "nonce") }, good, fault.RequestInvalid},
		{"no nonce on either side", func(f *fakeProvider) { delete(f.idToken, "nonce") }, Callback{Code: "c", Verifier: "v"}, fault.RequestInvalid},
		{"code used before", func(f *fakeProvider) { f.answerWith(400, "application/json", `{"error":"invalid_grant"}`) }, good, fault.RequestInvalid},
		{"our client refused", func(f *fakeProvider) { f.answerWith(401, "application/json", `{"error":"invalid_client"}`) }, good, fault.UpstreamUnavailable},
		{"down", func(f *fakeProvider) { f.answerWith(503, "text/html", `<h1>sorry</h1>`) }, good, fault.UpstreamUnavailable},
		{"html that says invalid_grant", func(f *fakeProvider) { f.answerWith(400, "text/html", `{"error":"invalid_grant"}`) }, good, fault.UpstreamUnavailable},
		{"a redirect", func(f *fakeProvider) {
			f.token = func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, testIssuer+"/elsewhere", http.StatusTemporaryRedirect)
			}
		}, good, fault.UpstreamUnavailable},
		{"nobody's", func(f *fakeProvider) { delete(f.idToken, "sub") }, good, fault.UpstreamUnavailable},
		{"nobody's, and the rest is userinfo's", func(f *fakeProvider) {
			delete(f.idToken, "sub")
			delete(f.idToken, "email")
			f.userinfo = map[string]any{"sub": "s2", "email": "lee@example.com", "email_verified": true}
		}, good, fault.UpstreamUnavailable},
		{"another audience", func(f *fakeProvider) { f.idToken["aud"] = "other" }, good, fault.UpstreamUnavailable},
		{"another issuer", func(f *fakeProvider) { f.idToken["iss"] = "https://evil.example" }, good, fault.UpstreamUnavailable},
		{"expired", func(f *fakeProvider) { f.idToken["exp"] = time.Now().Add(-time.Minute).Unix() }, good, fault.UpstreamUnavailable},
		{"another party", func(f *fakeProvider) { f.idToken["azp"] = "other" }, good, fault.UpstreamUnavailable},
		{"two audiences, no party", func(f *fakeProvider) { f.idToken["aud"] = []string{testClient, "other"} }, good, fault.UpstreamUnavailable},
		{"at_hash of another token", func(f *fakeProvider) { f.idToken["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" }, good, fault.UpstreamUnavailable},
		{"a symmetric signature", func(f *fakeProvider) {
			f.header = jose.HS256
			f.metadata["id_token_signing_alg_values_supported"] = []string{"ES256", "HS256"}
		}, good, fault.UpstreamUnavailable},
		{"unsigned", func(f *fakeProvider) {
			f.answer = map[string]any{"id_token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzMSJ9."}
		}, good, fault.UpstreamUnavailable},
		{"a foreign domain", func(f *fakeProvider) { f.idToken["email"] = "kim@evil.com" }, good, fault.DomainRefused},
		{"an unverified address", func(f *fakeProvider) { f.idToken["email_verified"] = false }, good, fault.DomainRefused},
		{"no address at all", func(f *fakeProvider) {
			delete(f.idToken, "email")
			f.userinfo = map[string]any{"sub": "s1"}
		}, good, fault.DomainRefused},
		{"userinfo down", func(f *fakeProvider) { delete(f.idToken, "email") }, good, fault.UpstreamUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFakeProvider(t)
			test.change(f)
			person, refresh, err := New(f.config()).Exchange(t.Context(), test.callback)
			if fault.CodeOf(err) != test.want || person.Subject != "" || refresh != "" {
				t.Errorf("got %+v, %q, %v, want %s", person, refresh, err, test.want)
			}
		})
	}
}

func TestExchangeTakesOurOwnIssuer(t *testing.T) {
	f := newFakeProvider(t)
	f.metadata["authorization_response_iss_parameter_supported"] = true
	callback := goodCallback
	callback.Issuer = testIssuer
	if _, _, err := New(f.config()).Exchange(t.Context(), callback); err != nil {
		t.Error(err)
	}
}

func TestAlgorithms(t *testing.T) {
	for _, test := range []struct{ announced, want []string }{
		{[]string{"none", "HS256", "ES256", "RS256", "ES256K"}, []string{"RS256", "ES256"}},
		{[]string{"HS256", "none"}, []string{"RS256"}},
		{nil, []string{"RS256"}},
	} {
		if diff := cmp.Diff(test.want, allowed(test.announced)); diff != "" {
			t.Errorf("of %v (-want +got):\n%s", test.announced, diff)
		}
	}
}

func TestDiscoveryRefusesOtherIssuersAndPlainEndpoints(t *testing.T) {
	for name, change := range map[string]func(f *fakeProvider){
		"issuer":         func(f *fakeProvider) { f.metadata["issuer"] = "https://evil.example" },
		"token endpoint": func(f *fakeProvider) { f.metadata["token_endpoint"] = "http://id.example.net/token" },
		"no keys":        func(f *fakeProvider) { delete(f.metadata, "jwks_uri") },
		"relative":       func(f *fakeProvider) { f.metadata["token_endpoint"] = "/token" },
	} {
		f := newFakeProvider(t)
		change(f)
		if _, err := New(f.config()).AuthURL(t.Context(), AuthRequest{}); fault.CodeOf(err) != fault.UpstreamUnavailable {
			t.Errorf("%s: got %v, want a refusal", name, err)
		}
	}
}

func TestClientSecretInTheBodyWhereNothingElseIsAnnounced(t *testing.T) {
	f := newFakeProvider(t)
	f.metadata["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"}
	if _, _, err := New(f.config()).Exchange(t.Context(), goodCallback); err != nil {
		t.Fatal(err)
	}
	if f.basics[0] != "" || f.forms[0]["client_secret"] != "hush" {
		t.Errorf("got header %q and form %v, want the secret in the form", f.basics[0], f.forms[0])
	}
}

// The server starts while the provider is down, and finds it when it is back.
func TestDiscoveryIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeProvider(t)
		issuer := f.metadata["issuer"]
		f.metadata["issuer"] = "broken"
		p := New(f.config())
		for range 3 {
			if _, err := p.AuthURL(t.Context(), AuthRequest{}); fault.CodeOf(err) != fault.UpstreamUnavailable {
				t.Fatalf("got %v, want upstream_unavailable", err)
			}
		}
		f.set(func() { f.metadata["issuer"] = issuer })
		time.Sleep(maxDiscoverPause)
		if _, err := p.AuthURL(t.Context(), AuthRequest{}); err != nil {
			t.Errorf("after the pause: %v", err)
		}
		f.set(func() { f.metadata["issuer"] = "broken" })
		time.Sleep(discoverEvery)
		if _, err := p.AuthURL(t.Context(), AuthRequest{}); err != nil {
			t.Errorf("with a document that was good an hour ago: %v", err)
		}
		synctest.Wait()
	})
}

// A provider that signs with keys that it does not publish has us fetch its keys once in ten seconds, not once a token;
// and a sign-in that falls into the pause waits for it rather than failing.
func TestUnknownKeysAreFetchedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeProvider(t)
		p := New(f.config())
		began := time.Now()
		for i := range 40 {
			f.set(func() { f.answer = map[string]any{"id_token": f.sign(f.idToken)[:20] + fmt.Sprint(i)} })
			p.Exchange(t.Context(), goodCallback)
		}
		f.set(func() { f.answer, f.kid = nil, "two"; f.newKey() })
		if _, _, err := p.Exchange(t.Context(), goodCallback); err != nil {
			t.Errorf("first token: %v", err)
		}
		f.set(func() { f.kid = "three"; f.newKey() })
		if _, _, err := p.Exchange(t.Context(), goodCallback); err != nil {
			t.Errorf("after the provider rotated its keys: %v", err)
		}
		stolen := &fakeProvider{t: t, kid: "unpublished"}
		stolen.newKey()
		for range 50 {
			f.set(func() { f.answer = map[string]any{"id_token": stolen.sign(f.idToken)} })
			if _, _, err := p.Exchange(t.Context(), goodCallback); err == nil {
				t.Fatal("a token signed with an unpublished key was taken")
			}
		}
		if most := int64(time.Since(began)/(10*time.Second)) + 1; f.keyFetches.Load() > most {
			t.Errorf("got %d fetches in %s, want at most %d", f.keyFetches.Load(), time.Since(began), most)
		}
	})
}

func TestSecretRedactsItself(t *testing.T) {
	var log bytes.Buffer
	secret := Secret("hush")
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", secret, "cfg", Config{ClientSecret: secret})
	fmt.Fprintf(&log, "%v %s %q %#v %+v", secret, secret, secret, secret, Config{ClientSecret: secret})
	text, err := json.Marshal(map[string]any{"s": secret})
	if err != nil || strings.Contains(log.String()+string(text), "hush") {
		t.Errorf("got %s%s, want no secret (%v)", log.String(), text, err)
	}
}
