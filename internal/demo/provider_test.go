package demo

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"
)

func TestSignInSaysWhoItIs(t *testing.T) {
	c := startProvider(t, t.TempDir(), nil)
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
		c.oauth.Endpoint.AuthStyle = style
		tokens := c.signIn("editor@example.com")
		raw, _ := tokens.Extra("id_token").(string)
		id, err := c.verifier.Verify(t.Context(), raw)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Email    string   `json:"email"`
			Verified bool     `json:"email_verified"`
			Name     string   `json:"name"`
			Groups   []string `json:"groups"`
			Domain   string   `json:"hd"`
		}
		if err := id.Claims(&got); err != nil {
			t.Fatal(err)
		}
		want := got
		want.Email, want.Verified, want.Name, want.Groups, want.Domain = "editor@example.com", true, "Edith Kim", []string{"platform"}, "example.com"
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("claims (-want +got):\n%s", diff)
		}
		if id.Nonce != "n0nce" {
			t.Errorf("nonce %q, want n0nce", id.Nonce)
		}
		info, err := c.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(tokens))
		if err != nil || info.Subject != id.Subject || info.Email != "editor@example.com" {
			t.Errorf("userinfo %+v, %v; want the same person", info, err)
		}
	}
}

func TestCodeWorksOnceForItsOwnRequest(t *testing.T) {
	now := time.Now()
	c := startProvider(t, t.TempDir(), func(config *ProviderConfig) { config.Now = func() time.Time { return now } })
	hint := oauth2.SetAuthURLParam("login_hint", "boss@example.com")
	verifier := oauth2.GenerateVerifier()
	exchange := func(code string, options ...oauth2.AuthCodeOption) error {
		_, err := c.oauth.Exchange(t.Context(), code, options...)
		return err
	}
	code := c.authorize(verifier, hint).Get("code")
	wantOAuthError(t, exchange(code, oauth2.VerifierOption(oauth2.GenerateVerifier())), 400, "invalid_grant")
	wantOAuthError(t, exchange(code, oauth2.VerifierOption(verifier)), 400, "invalid_grant") // spent by the try before

	code = c.authorize(verifier, hint).Get("code")
	if err := exchange(code, oauth2.VerifierOption(verifier)); err != nil {
		t.Errorf("first use: %v", err)
	}
	wantOAuthError(t, exchange(code, oauth2.VerifierOption(verifier)), 400, "invalid_grant")

	code = c.authorize(verifier, hint).Get("code")
	other := oauth2.SetAuthURLParam("redirect_uri", callback+"/other")
	wantOAuthError(t, exchange(code, oauth2.VerifierOption(verifier), other), 400, "invalid_grant")

	code = c.authorize(verifier, hint).Get("code")
	now = now.Add(codeLifetime)
	wantOAuthError(t, exchange(code, oauth2.VerifierOption(verifier)), 400, "invalid_grant")
}

func TestAuthorizeRefuses(t *testing.T) {
	c := startProvider(t, t.TempDir(), nil)
	set := oauth2.SetAuthURLParam
	verifier := oauth2.GenerateVerifier()
	for name, row := range map[string]struct {
		option oauth2.AuthCodeOption
		want   string
	}{
		"plain PKCE (downgrade)":  {set("code_challenge_method", "plain"), "invalid_request"},
		"no PKCE":                 {set("code_challenge", ""), "invalid_request"},
		"implicit flow":           {set("response_type", "token"), "unsupported_response_type"},
		"no openid":               {set("scope", "email"), "invalid_scope"},
		"nobody, without asking":  {set("prompt", "none"), "login_required"},
		"request object by value": {set("request", "e30.e30."), "request_not_supported"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.authorize(verifier, row.option).Get("error"); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
	for name, option := range map[string]oauth2.AuthCodeOption{
		"another address": set("redirect_uri", "http://localhost:8080/elsewhere"),
		"another client":  set("client_id", "other"),
	} {
		t.Run(name, func(t *testing.T) {
			answer := c.get(c.oauth.AuthCodeURL("st4te", oauth2.S256ChallengeOption(verifier), option))
			if answer.StatusCode != 400 || answer.Header.Get("Location") != "" {
				t.Errorf("got %d to %q, want 400 and no redirect", answer.StatusCode, answer.Header.Get("Location"))
			}
		})
	}
}

func TestPickingSomebodySignsThemIn(t *testing.T) {
	c := startProvider(t, t.TempDir(), nil)
	c.post("/people/hana@example.com/leave", "")
	verifier := oauth2.GenerateVerifier()
	page := c.get(c.oauth.AuthCodeURL("st4te", oauth2.S256ChallengeOption(verifier)))
	body, err := io.ReadAll(page.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, person := range People() {
		if !strings.Contains(string(body), person.Name) {
			t.Errorf("the page does not show %s", person.Name)
		}
		if offered := strings.Contains(string(body), "login_hint="+url.QueryEscape(person.Email)); offered != (person.Email != "hana@example.com") {
			t.Errorf("%s can be picked: %v", person.Email, offered)
		}
	}
	if policy := page.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q is not strict", policy)
	}
}

func TestRefreshTokenRotates(t *testing.T) {
	c := startProvider(t, t.TempDir(), nil)
	first := c.signIn("viewer@example.com")
	second, err := c.refresh(first.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if second.RefreshToken == first.RefreshToken {
		t.Error("the refresh token stayed the same")
	}
	if _, err := c.verifier.Verify(t.Context(), second.Extra("id_token").(string)); err != nil {
		t.Errorf("id token of a refresh: %v", err)
	}
	_, err = c.refresh(first.RefreshToken)
	wantOAuthError(t, err, 400, "invalid_grant")
	if _, err := c.refresh(second.RefreshToken); err != nil {
		t.Errorf("the newest token after an old one was tried: %v", err)
	}
}

func TestNoOfflineAccessNoRefreshToken(t *testing.T) {
	c := startProvider(t, t.TempDir(), nil)
	c.oauth.Scopes = []string{"openid", "email"}
	if tokens := c.signIn("viewer@example.com"); tokens.RefreshToken != "" {
		t.Error("got a refresh token without asking for offline access")
	}
}

func TestParallelRefreshesHaveOneWinner(t *testing.T) {
	c := startProvider(t, t.TempDir(), nil)
	c.oauth.Endpoint.AuthStyle = oauth2.AuthStyleInHeader // else the library tries both ways
	first := c.signIn("viewer@example.com")
	won := make(chan bool)
	for range 8 {
		go func() {
			_, err := c.refresh(first.RefreshToken)
			won <- err == nil
		}()
	}
	winners := 0
	for range 8 {
		if <-won {
			winners++
		}
	}
	if winners != 1 {
		t.Errorf("%d of 8 parallel refreshes won, want 1", winners)
	}
}

func TestLeaverIsRefusedUntilTheReturn(t *testing.T) {
	c := startProvider(t, t.TempDir(), nil)
	theirs, colleagues := c.signIn("viewer@example.com"), c.signIn("boss@example.com")
	if answer := c.post("/people/viewer@example.com/leave", ""); answer.StatusCode != 200 {
		t.Fatalf("leave answered %d, want 200", answer.StatusCode)
	}
	_, err := c.refresh(theirs.RefreshToken)
	wantOAuthError(t, err, 400, "invalid_grant")
	if _, err := c.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(theirs)); err == nil {
		t.Error("userinfo still speaks of who has left")
	}
	hint := oauth2.SetAuthURLParam("login_hint", "viewer@example.com")
	if got := c.authorize(oauth2.GenerateVerifier(), hint); got.Get("error") != "access_denied" || got.Has("code") {
		t.Errorf("authorize answered %v, want access_denied", got)
	}
	if _, err := c.refresh(colleagues.RefreshToken); err != nil {
		t.Errorf("a colleague was refused as well: %v", err)
	}
	c.post("/people/viewer@example.com/return", "")
	if _, err := c.refresh(theirs.RefreshToken); err != nil {
		t.Errorf("after the return: %v", err)
	}
	if answer := c.post("/people/nobody@example.com/leave", ""); answer.StatusCode != 404 {
		t.Errorf("leave of nobody answered %d, want 404", answer.StatusCode)
	}
}

func TestCodeOfALeaverIsRefused(t *testing.T) {
	c := startProvider(t, t.TempDir(), nil)
	verifier := oauth2.GenerateVerifier()
	code := c.authorize(verifier, oauth2.SetAuthURLParam("login_hint", "viewer@example.com")).Get("code")
	c.post("/people/viewer@example.com/leave", "")
	_, err := c.oauth.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
	wantOAuthError(t, err, 400, "invalid_grant")
}

func TestWrongClientIsRefused(t *testing.T) {
	c := startProvider(t, t.TempDir(), nil)
	tokens := c.signIn("viewer@example.com")
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
		c.oauth.Endpoint.AuthStyle, c.oauth.ClientSecret = style, "wrong"
		_, err := c.refresh(tokens.RefreshToken)
		wantOAuthError(t, err, 401, "invalid_client")
	}
}

func TestRestartKeepsEverything(t *testing.T) {
	dir := t.TempDir()
	c := startProvider(t, dir, nil)
	tokens := c.signIn("viewer@example.com")
	c.post("/people/hana@example.com/leave", "")
	address := c.server.URL
	again, err := NewProvider(ProviderConfig{Issuer: address, Dir: dir, ClientID: "demo", ClientSecret: "s3cret&+ %", RedirectURIs: []string{callback}})
	if err != nil {
		t.Fatal(err)
	}
	c.handler.set(again)
	next, err := c.refresh(tokens.RefreshToken)
	if err != nil {
		t.Fatalf("refresh token of before the restart: %v", err)
	}
	// The verifier still has the keys of before.
	if _, err := c.verifier.Verify(t.Context(), next.Extra("id_token").(string)); err != nil {
		t.Errorf("id token after the restart: %v", err)
	}
	if !again.left("hana@example.com") {
		t.Error("who had left is back after the restart")
	}
}

func TestPeopleList(t *testing.T) {
	c := startProvider(t, t.TempDir(), nil)
	c.post("/people/hana@example.com/leave", "")
	var people []listed
	if err := json.NewDecoder(c.get(c.server.URL + "/people").Body).Decode(&people); err != nil {
		t.Fatal(err)
	}
	if len(people) < 4 {
		t.Fatalf("only %d people", len(people))
	}
	for i, want := range [][]string{{"admin", "viewer"}, {"editor", "viewer"}, {"viewer"}} {
		if diff := cmp.Diff(want, people[i].Roles); diff != "" {
			t.Errorf("roles of person %d (-want +got):\n%s", i, diff)
		}
	}
	foreign := people[len(people)-1]
	for _, person := range people {
		if company := strings.HasSuffix(person.Email, "@"+CompanyDomain); company == (person.Email == foreign.Email) {
			t.Errorf("%s: of the company: %v", person.Email, company)
		}
		if person.Active != (person.Email != "hana@example.com") {
			t.Errorf("%s: active %v", person.Email, person.Active)
		}
	}
}

// TestFaults checks what each mode does to a refresh, that no mode costs a grant, and that all end with "ok".
func TestFaults(t *testing.T) {
	const late = 50 * time.Millisecond
	c := startProvider(t, t.TempDir(), func(config *ProviderConfig) { config.Slow = late })
	tokens := c.signIn("viewer@example.com")
	status := func(want int, code string) func(*testing.T, error) {
		return func(t *testing.T, err error) {
			t.Helper()
			wantOAuthError(t, err, want, code)
		}
	}
	for mode, check := range map[string]func(*testing.T, error){
		"500":            status(500, ""),
		"429":            status(429, "temporarily_unavailable"),
		"invalid_client": status(401, "invalid_client"),
		"down": func(t *testing.T, err error) {
			if !errors.Is(err, io.EOF) {
				t.Errorf("got %v, want a closed connection", err)
			}
		},
		"html": func(t *testing.T, err error) {
			if err == nil || !strings.Contains(err.Error(), "cannot parse") {
				t.Errorf("got %v, want an answer that is no JSON", err)
			}
		},
	} {
		t.Run(mode, func(t *testing.T) {
			if answer := c.post("/faults", `{"mode":"`+mode+`"}`); answer.StatusCode != 200 {
				t.Fatalf("faults answered %d, want 200", answer.StatusCode)
			}
			_, err := c.refresh(tokens.RefreshToken)
			check(t, err)
			if people := c.get(c.server.URL + "/people"); people.StatusCode != 200 {
				t.Errorf("people answered %d under a fault, want 200", people.StatusCode)
			}
			c.post("/faults", `{"mode":"ok"}`)
			if tokens, err = c.refresh(tokens.RefreshToken); err != nil {
				t.Fatalf("after the fault: %v", err)
			}
		})
	}
	t.Run("slow", func(t *testing.T) {
		c.post("/faults", `{"mode":"slow"}`)
		begun := time.Now()
		next, err := c.refresh(tokens.RefreshToken)
		if err != nil || time.Since(begun) < late {
			t.Fatalf("got %v after %v, want an answer after %v", err, time.Since(begun), late)
		}
		tokens = next
	})
}

// A client that gave up waiting must find its refresh token as it was: nobody has seen the next one.
func TestSlowRotatesNothingForAClientThatLeft(t *testing.T) {
	c := startProvider(t, t.TempDir(), func(config *ProviderConfig) { config.Slow = time.Hour })
	tokens := c.signIn("viewer@example.com")
	c.post("/faults", `{"mode":"slow"}`)
	ended := make(chan struct{})
	handler := c.handler.get()
	c.handler.set(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		if r.URL.Path == "/token" {
			ended <- struct{}{}
		}
	}))
	c.oauth.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.oauth.TokenSource(ctx, &oauth2.Token{RefreshToken: tokens.RefreshToken}).Token(); err == nil {
		t.Fatal("a slow provider answered at once")
	}
	<-ended
	c.handler.set(handler)
	c.post("/faults", `{"mode":"ok"}`)
	if _, err := c.refresh(tokens.RefreshToken); err != nil {
		t.Errorf("the grant was rotated for nobody: %v", err)
	}
}

func TestControlsRefuse(t *testing.T) {
	c := startProvider(t, t.TempDir(), nil)
	for name, body := range map[string]string{"unknown mode": `{"mode":"meteor"}`, "no JSON": `mode=down`, "empty": ``} {
		answer := c.post("/faults", body)
		var problem struct{ Code string }
		if err := json.NewDecoder(answer.Body).Decode(&problem); err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != 422 || problem.Code != "request_invalid" || answer.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: got %d %q", name, answer.StatusCode, problem.Code)
		}
	}
	for origin, want := range map[string]int{
		"http://localhost:8080": 200, "http://127.0.0.1:1": 200, "http://[::1]:3": 200, "null": 403,
		"https://evil.example": 403, "http://localhost.evil.example": 403, "http://127.0.0.1.evil.example": 403,
	} {
		request := httptest.NewRequest("POST", "/people/hana@example.com/leave", nil)
		request.Header.Set("Origin", origin)
		recorder := httptest.NewRecorder()
		c.handler.ServeHTTP(recorder, request)
		allowed := recorder.Header().Get("Access-Control-Allow-Origin")
		if recorder.Code != want || (want == 200) != (allowed == origin) {
			t.Errorf("origin %s: got %d, allowed %q; want %d", origin, recorder.Code, allowed, want)
		}
	}
}

func TestGrantsOfOnePersonAreLimited(t *testing.T) {
	var s state
	s.add(grant{Email: "a", Hash: "oldest"})
	s.add(grant{Email: "b", Hash: "other"})
	for range grantsPerPerson {
		s.add(grant{Email: "a", Hash: "newer"})
	}
	if len(s.Grants) != grantsPerPerson+1 || s.Grants[0].Hash != "other" {
		t.Errorf("%d grants, the first %q; want %d and %q", len(s.Grants), s.Grants[0].Hash, grantsPerPerson+1, "other")
	}
}
