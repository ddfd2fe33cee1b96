package upstream

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAskValid(t *testing.T) {
	for name, test := range map[string]struct {
		rotated string
		want    string
	}{
		"without rotation":        {"", ""},
		"with the same one again": {"r1", ""},
		"with rotation":           {"r2", "r2"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeProvider(t)
			delete(f.idToken, "nonce")
			if test.rotated != "" {
				f.answer = map[string]any{"refresh_token": test.rotated}
			}
			got := New(f.config()).Ask(t.Context(), "r1", "s1")
			want := Answer{Verdict: Valid, Accepted: true, Presented: true, RefreshToken: test.want, Person: Person{
				Issuer: testIssuer, Subject: "s1", Email: "kim@example.com", Name: "Kim",
			}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\nerr: %v", diff, got.Err)
			}
			if diff := cmp.Diff(map[string]string{"grant_type": "refresh_token", "refresh_token": "r1"}, f.forms[0]); diff != "" {
				t.Errorf("form (-want +got):\n%s", diff)
			}
		})
	}
}

// outcome is an Answer without what it says of the person.
type outcome struct {
	Verdict       Verdict
	Presented     bool
	ProviderFault bool
	RefreshToken  string // with it, the token was accepted
}

func outcomeOf(a Answer) outcome {
	return outcome{a.Verdict, a.Presented, a.ProviderFault, a.RefreshToken}
}

var (
	gone       = outcome{Verdict: Gone, Presented: true}
	faultSeen  = outcome{Presented: true, ProviderFault: true}
	faultSaved = outcome{ProviderFault: true} // the token did not get through
)

func TestAskVerdicts(t *testing.T) {
	respond := func(status int, kind, body string) func(f *fakeProvider) {
		return func(f *fakeProvider) { f.answerWith(status, kind, body) }
	}
	const js, html = "application/json", "text/html; charset=utf-8"
	for _, test := range []struct {
		name   string
		change func(f *fakeProvider)
		want   outcome
	}{
		{"invalid_grant", respond(400, js, `{"error":"invalid_grant"}`), gone},
		{"invalid_grant with 401", respond(401, "application/json; charset=UTF-8", `{"error":"invalid_grant","error_description":"x"}`), gone},
		{"invalid_grant with 403", respond(403, js, `{"error":"invalid_grant"}`), faultSaved},
		{"invalid_grant with 500", respond(500, js, `{"error":"invalid_grant"}`), faultSeen},
		{"invalid_grant with 200", respond(200, js, `{"error":"invalid_grant"}`), faultSeen},
		{"invalid_grant in a page", respond(400, html, `{"error":"invalid_grant"}`), faultSaved},
		{"invalid_grant in plain text", respond(400, "text/plain", `error=invalid_grant`), faultSaved},
		{"our secret is wrong", respond(401, js, `{"error":"invalid_client"}`), faultSaved},
		{"our client may not", respond(400, js, `{"error":"unauthorized_client"}`), faultSaved},
		{"request refused", respond(400, js, `{"error":"invalid_request"}`), faultSaved},
		{"error without a name", respond(400, js, `{}`), faultSaved},
		{"not now", respond(429, js, `{"error":"slow_down"}`), faultSaved},
		{"not found", respond(404, html, `no`), faultSaved},
		{"proxy gave up", respond(408, html, ``), faultSeen},
		{"broken", respond(500, js, `{"error":"server_error"}`), faultSeen},
		{"unavailable", respond(503, html, `<h1>down</h1>`), faultSeen},
		{"a page instead", respond(200, html, `<h1>welcome to the hotel</h1>`), faultSeen},
		{"nothing", respond(200, js, ``), faultSeen},
		{"no access token", respond(200, js, `{"token_type":"Bearer"}`), faultSeen},
		{"truncated", respond(200, js, `{"access_token":"at","token_type":"Bearer","refresh_tok`), faultSeen},
		{"endless", respond(200, js, `{"access_token":"`+strings.Repeat("a", 2<<20)+`"}`), faultSeen},
		{"interaction wanted", respond(400, js, `{"error":"interaction_required"}`), outcome{}},
		{"redirect", func(f *fakeProvider) {
			f.token = func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Has("again") {
					f.t.Error("the redirect was followed")
				}
				http.Redirect(w, r, testIssuer+"/token?again", http.StatusTemporaryRedirect)
			}
		}, faultSeen},
		{"connection cut", func(f *fakeProvider) {
			f.token = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		}, faultSeen},
		{"somebody else", func(f *fakeProvider) { f.idToken["sub"] = "s2" }, outcome{Presented: true, RefreshToken: "r2"}},
		{"nobody", func(f *fakeProvider) { delete(f.idToken, "sub") }, outcome{Presented: true, RefreshToken: "r2"}},
		{"domain left", func(f *fakeProvider) { f.idToken["email"] = "kim@evil.com" }, outcome{Verdict: Gone, Presented: true, RefreshToken: "r2"}},
		{"address no longer verified", func(f *fakeProvider) { f.idToken["email_verified"] = false }, outcome{Verdict: Gone, Presented: true, RefreshToken: "r2"}},
		{"address unsaid", func(f *fakeProvider) {
			delete(f.idToken, "email")
			f.userinfo = map[string]any{"sub": "s1"}
		}, outcome{Presented: true, RefreshToken: "r2"}},
		{"userinfo down", func(f *fakeProvider) {
			f.idToken = nil
			f.info = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }
		}, outcome{Presented: true, ProviderFault: true, RefreshToken: "r2"}},
		{"userinfo of another than the id token", func(f *fakeProvider) {
			delete(f.idToken, "email")
			f.userinfo = map[string]any{"sub": "s2", "email": "kim@example.com", "email_verified": true}
		}, outcome{Presented: true, RefreshToken: "r2"}},
		{"endless userinfo", func(f *fakeProvider) {
			f.idToken = nil
			f.userinfo = map[string]any{"sub": "s1", "email": "kim@example.com", "email_verified": true, "x": strings.Repeat("x", 2<<20)}
		}, outcome{Presented: true, ProviderFault: true, RefreshToken: "r2"}},
		{"userinfo of somebody else", func(f *fakeProvider) {
			f.idToken = nil
			f.userinfo = map[string]any{"sub": "s2", "email": "kim@example.com", "email_verified": true}
		}, outcome{Presented: true, RefreshToken: "r2"}},
		{"userinfo alone", func(f *fakeProvider) {
			f.idToken = nil
			f.userinfo = map[string]any{"sub": "s1", "email": "kim@example.com", "email_verified": true}
		}, outcome{Verdict: Valid, Presented: true, RefreshToken: "r2"}},
		{"bad id token", func(f *fakeProvider) { f.idToken["aud"] = "other" }, outcome{Presented: true, ProviderFault: true, RefreshToken: "r2"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFakeProvider(t)
			f.answer = map[string]any{"refresh_token": "r2"}
			test.change(f)
			got := New(f.config()).Ask(t.Context(), "r1", "s1")
			if diff := cmp.Diff(test.want, outcomeOf(got)); diff != "" {
				t.Errorf("(-want +got):\n%s\nerr: %v", diff, got.Err)
			}
			if (got.Verdict == Valid) != (got.Err == nil) {
				t.Errorf("got error %v with verdict %v", got.Err, got.Verdict)
			}
			if accepted := got.RefreshToken != ""; got.Accepted != accepted {
				t.Errorf("accepted: got %v, want %v", got.Accepted, accepted)
			}
			if len(f.forms) > 1 {
				t.Errorf("the token was presented %d times", len(f.forms))
			}
		})
	}
}

func TestAskOverABadNetwork(t *testing.T) {
	never := func(context.Context, string, string) (net.Conn, error) {
		time.Sleep(time.Minute) // longer than anybody waits; a dial outlives its request
		return nil, &net.OpError{Op: "dial", Err: io.ErrUnexpectedEOF}
	}
	refuses := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: io.ErrUnexpectedEOF}
	}
	for name, test := range map[string]struct {
		dial func(context.Context, string, string) (net.Conn, error)
		want outcome
	}{
		"connection refused": {refuses, faultSaved},
		"no connection":      {never, faultSaved},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFakeProvider(t)
			p := New(f.config())
			if _, err := p.AuthURL(t.Context(), AuthRequest{}); err != nil {
				t.Fatal(err)
			}
			broken := &http.Transport{DialContext: test.dial, DialTLSContext: test.dial}
			p.guard.base = broken
			began := time.Now()
			got := p.Ask(t.Context(), "r1", "s1")
			if diff := cmp.Diff(test.want, outcomeOf(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s\nerr: %v", name, diff, got.Err)
			}
			if took := time.Since(began); took > askLimit {
				t.Errorf("%s took %s", name, took)
			}
			time.Sleep(time.Minute)
		})
	}
}

// Ten seconds, and the provider may well have read the token.
func TestAskGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeProvider(t)
		f.token = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		began := time.Now()
		got := New(f.config()).Ask(t.Context(), "r1", "s1")
		if diff := cmp.Diff(faultSeen, outcomeOf(got)); diff != "" {
			t.Errorf("(-want +got):\n%s\nerr: %v", diff, got.Err)
		}
		if took := time.Since(began); took != askLimit {
			t.Errorf("took %s, want %s", took, askLimit)
		}
	})
}

func TestAskWithoutDiscovery(t *testing.T) {
	f := newFakeProvider(t)
	f.metadata = nil
	got := New(f.config()).Ask(t.Context(), "r1", "s1")
	if diff := cmp.Diff(faultSaved, outcomeOf(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestErrorsQuoteLittle(t *testing.T) {
	f := newFakeProvider(t)
	f.answerWith(500, "text/html", strings.Repeat("r1-canary ", 1000))
	got := New(f.config()).Ask(t.Context(), "r1-canary", "s1")
	if text := got.Err.Error(); strings.Contains(text, "canary") || len(text) > 400 {
		t.Errorf("got %q", text)
	}
}
