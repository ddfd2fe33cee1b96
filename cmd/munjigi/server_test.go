package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/munjigi/munjigi/internal/fault"
)

// What a browser sees of the surface, with the real store and a real provider behind it.

// callbackOf stops a sign-in at the callback, and returns its address and the browser that may go there.
func (w *whole) callbackOf(t *testing.T, b *browser, email string) string {
	t.Helper()
	stopped := *b.Client
	stopped.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasSuffix(r.URL.Path, "/callback") {
			return http.ErrUseLastResponse
		}
		return nil
	}
	query := url.Values{"app": {"tools"}, "login_hint": {email}, "return_to": {"/healthz"}}
	answer := (&browser{Client: &stopped, agent: b.agent}).visit(t, w.url+"/sign-in/staff?"+query.Encode())
	callback, err := answer.Location()
	if err != nil {
		t.Fatalf("no callback: %s at %s", answer.Status, answer.Request.URL)
	}
	return callback.String()
}

// visit opens an address as this browser.
func (b *browser) visit(t *testing.T, address string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("User-Agent", b.agent)
	request.Header.Set("Munjigi-App", "console")
	answer, err := b.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

// land follows a callback to where it ends; the reason is that of a failed sign-in.
func (b *browser) land(t *testing.T, callback string) (path, reason string) {
	t.Helper()
	answer := b.visit(t, callback)
	return answer.Request.URL.Path, answer.Request.URL.Query().Get("reason")
}

func TestWholeACallbackWorksOnceInItsBrowser(t *testing.T) {
	t.Parallel()
	w := startWhole(t, "")
	b, thief := w.browser(), w.browser()
	callback := w.callbackOf(t, b, "viewer@example.com")
	if path, reason := thief.land(t, callback); path != "/sign-in" || reason != "session_unknown" || thief.cookie() != "" {
		t.Errorf("in another browser: arrived at %s?reason=%s with the cookie %q", path, reason, thief.cookie())
	}
	at, _ := url.Parse(w.url)
	stolen := b.Jar.Cookies(at)
	if path, _ := b.land(t, callback); path != "/healthz" || b.cookie() == "" {
		t.Fatalf("arrived at %s", path)
	}
	cookie := b.cookie()
	if path, reason := b.land(t, callback); path != "/sign-in" || reason != "session_unknown" || b.cookie() != cookie {
		t.Errorf("again: arrived at %s?reason=%s", path, reason)
	}
	thief.Jar.SetCookies(at, stolen) // even with the browser's cookies of before
	if path, reason := thief.land(t, callback); path != "/sign-in" || reason != "session_unknown" || thief.cookie() != "" {
		t.Errorf("again, with stolen cookies: arrived at %s?reason=%s", path, reason)
	}
	w.kill()
	w.start(t) // as another node, or the same one after a restart
	thief.Jar.SetCookies(at, stolen)
	if path, reason := thief.land(t, callback); path != "/sign-in" || reason != "session_unknown" || thief.cookie() != "" {
		t.Errorf("after a restart: arrived at %s?reason=%s", path, reason)
	}
	if _, _, err := b.renew(); err != nil {
		t.Errorf("the session itself: %v", err)
	}
}

// Somebody else's sign-in in the same browser: nothing of the first person's lives on, and neither becomes the other.
func TestWholeASecondPersonInTheSameBrowser(t *testing.T) {
	t.Parallel()
	w := startWhole(t, "renew_grace: 60s")
	b, first := w.signedIn(t, "viewer@example.com")
	cookie := b.cookie()
	if err := b.signIn("editor@example.com"); err != nil {
		t.Fatal(err)
	}
	body, second, err := b.renew()
	if err != nil || !strings.Contains(string(body), `"email":"editor@example.com"`) || b.cookie() == cookie {
		t.Fatalf("got %s, %v", body, err)
	}
	_, _, err = b.present(cookie)
	wantCode(t, err, fault.SessionSignedOut)
	w.wantRefused(t, b, first, fault.SessionSignedOut)
	wantCode(t, b.me(w.service.URL, second), "")
}

func TestWholeSignOut(t *testing.T) {
	t.Parallel()
	w := startWhole(t, "")
	here, access := w.signedIn(t, "viewer@example.com")
	there, far := w.signedIn(t, "viewer@example.com")
	cookie := here.cookie()
	for _, query := range []string{"", "?everywhere=true"} { // the second time there is nothing left here
		if _, err := here.call(http.MethodDelete, w.url+"/session"+query, "", nil); err != nil {
			t.Fatal(err)
		}
		if here.cookie() != "" {
			t.Errorf("the browser still holds %q", here.cookie())
		}
	}
	_, _, err := here.present(cookie)
	wantCode(t, err, fault.SessionSignedOut)
	w.wantRefused(t, here, access, fault.SessionSignedOut)
	wantCode(t, there.me(w.service.URL, far), "")

	if err := here.signIn("viewer@example.com"); err != nil {
		t.Fatal(err)
	}
	if _, err := here.call(http.MethodDelete, w.url+"/session?everywhere=true", "", nil); err != nil {
		t.Fatal(err)
	}
	w.wantRefused(t, there, far, fault.SessionRevoked)
	_, _, err = there.renew()
	wantCode(t, err, fault.SessionRevoked)
	if there.cookie() == "" {
		t.Error("a renewal took the cookie away")
	}
}

func TestWholeAdministration(t *testing.T) {
	t.Parallel()
	w := startWhole(t, "")
	viewer, access := w.signedIn(t, "viewer@example.com")
	boss := w.browser()
	query := url.Values{"app": {"console"}, "login_hint": {"boss@example.com"}, "return_to": {"/healthz"}}
	boss.visit(t, w.url+"/sign-in/staff?"+query.Encode())
	console := http.Header{"Munjigi-App": {"console"}}
	_, err := viewer.call(http.MethodGet, w.url+"/admin/sessions", "", console)
	wantCode(t, err, fault.RoleMissing)

	list, err := boss.call(http.MethodGet, w.url+"/admin/sessions?search=viewer", "", console)
	if err != nil {
		t.Fatal(err)
	}
	var found struct {
		Sessions []struct {
			ID      string
			Account struct{ ID, Email string }
		}
	}
	if err := json.Unmarshal(list, &found); err != nil || len(found.Sessions) != 1 || found.Sessions[0].Account.Email != "viewer@example.com" {
		t.Fatalf("got %s, %v", list, err)
	}
	if _, err := boss.call(http.MethodDelete, w.url+"/admin/sessions/"+found.Sessions[0].ID, "", console); err != nil {
		t.Fatal(err)
	}
	w.wantRefused(t, viewer, access, fault.SessionRevoked)

	_, token, err := accessOf(boss.call(http.MethodPost, w.url+"/session", `{"app":"console"}`, nil))
	if err != nil {
		t.Fatal(err)
	}
	records, err := boss.call(http.MethodGet, w.url+"/admin/audit", "", http.Header{"Munjigi-App": {"console"}, "Authorization": {"Bearer " + token}})
	if err != nil || !strings.Contains(string(records), `"action":"session_ended"`) || !strings.Contains(string(records), `"reason":"revoked"`) {
		t.Errorf("the audit: %s, %v", records, err)
	}
	for _, path := range []string{"/admin/keys", "/admin/waves"} {
		if _, err := boss.call(http.MethodGet, w.url+path, "", console); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	// A service's token is none of ours, and ours is none of a service's.
	_, err = viewer.call(http.MethodGet, w.url+"/session", "", http.Header{"Authorization": {"Bearer " + access}})
	wantCode(t, err, fault.TokenWrongAudience)
	wantCode(t, viewer.me(w.service.URL, token), fault.TokenWrongAudience)
}

// Whatever the provider, the store and the server pass to each other, no page gets to see it.
func TestWholeNoSecretInAnyAnswerOrLog(t *testing.T) {
	t.Parallel()
	w := startWhole(t, "")
	b, access := w.signedIn(t, "boss@example.com")
	cookie := b.cookie()
	var seen strings.Builder
	for _, path := range []string{"/", "/session", "/sessions", "/sign-in/options", "/revocations", "/.well-known/jwks.json", "/admin/keys", "/admin/audit", "/admin/sessions"} {
		text, err := io.ReadAll(b.visit(t, w.url+path).Body)
		if err != nil {
			t.Fatal(err)
		}
		seen.Write(text)
	}
	w.kill()
	for name, secret := range map[string]string{"refresh token": cookie, "access token": access, "client secret": "secret of the client"} {
		if strings.Contains(seen.String(), secret) {
			t.Errorf("an answer holds the %s", name)
		}
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log holds the %s", name)
		}
	}
	for _, prefix := range []string{"mjr_", "eyJ"} {
		if strings.Contains(seen.String(), prefix) || strings.Contains(w.log.String(), prefix) {
			t.Errorf("something that begins with %s can be read", prefix)
		}
	}
}
