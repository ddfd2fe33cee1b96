package verify_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
	"github.com/munjigi/munjigi/verify"
)

func TestMiddleware(t *testing.T) {
	i := newIssuer(t, office)
	v := ready(t, i.config())
	handler := http.NewServeMux()
	me := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, ok := verify.FromContext(r.Context())
		if !ok {
			t.Error("no claims in the context")
		}
		_ = json.NewEncoder(w).Encode(claims)
	})
	handler.Handle("/me", v.Middleware(me))
	handler.Handle("/editors", v.Require(verify.Need{Roles: []string{"editor"}}, me))
	handler.Handle("/confirmed", v.Require(verify.Need{MaxCheckAge: 20 * time.Second}, me))

	good := "Bearer " + i.sign(t, nil)
	expired := "Bearer " + i.sign(t, func(c *token.Claims) { c.IssuedAt -= 1000; c.ExpiresAt -= 1000 })
	tests := []struct {
		name, url string
		headers   []string
		status    int
		code      fault.Code
		challenge string
	}{
		{"good", "/me", []string{good}, 200, "", ""},
		{"other case", "/me", []string{"bEARER" + good[6:]}, 200, "", ""},
		{"other parameters", "/me?page=2&access=x&q=%20", []string{good}, 200, "", ""},
		{"nothing", "/me", nil, 401, fault.TokenMissing, "Bearer"},
		{"empty", "/me", []string{"Bearer "}, 401, fault.TokenMissing, "Bearer"},
		{"only the scheme", "/me", []string{"Bearer"}, 401, fault.TokenMissing, "Bearer"},
		{"another scheme", "/me", []string{"Basic QTpC"}, 401, fault.TokenMissing, "Bearer"},
		{"twice", "/me", []string{good, good}, 401, fault.TokenMalformed, `Bearer error="invalid_token", code="token_malformed"`},
		{"more behind", "/me", []string{good + ", " + good}, 401, fault.TokenMalformed, `Bearer error="invalid_token", code="token_malformed"`},
		{"in the URL", "/me?access_token=" + good[7:], nil, 401, fault.TokenMalformed, `Bearer error="invalid_token", code="token_malformed"`},
		{"in the URL as well", "/me?a=b&access_token=x", []string{good}, 401, fault.TokenMalformed, `Bearer error="invalid_token", code="token_malformed"`},
		{"in the URL, in disguise", "/me?%61ccess%5Ftoken=x", []string{good}, 401, fault.TokenMalformed, `Bearer error="invalid_token", code="token_malformed"`},
		{"expired", "/me", []string{expired}, 401, fault.TokenExpired, `Bearer error="invalid_token", code="token_expired"`},
		{"role", "/editors", []string{good}, 403, fault.RoleMissing, ""},
		{"check", "/confirmed", []string{good}, 401, fault.TokenStaleCheck, `Bearer error="invalid_token", code="token_stale_check"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodGet, test.url, nil)
			for _, header := range test.headers {
				request.Header.Add("Authorization", header)
			}
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, request)
			if answer.Code != test.status || answer.Header().Get("WWW-Authenticate") != test.challenge {
				t.Errorf("got %d, %q", answer.Code, answer.Header().Get("WWW-Authenticate"))
			}
			if test.status == http.StatusOK {
				return
			}
			var problem fault.Problem
			if err := json.Unmarshal(answer.Body.Bytes(), &problem); err != nil || problem.Code != test.code || problem.Status != test.status {
				t.Errorf("got %+v, %v", problem, err)
			}
			if test.code == fault.TokenStaleCheck && problem.MaxCheckAge != 20 {
				t.Errorf("got max_check_age %d, want 20", problem.MaxCheckAge)
			}
			got := [2]string{answer.Header().Get("Content-Type"), answer.Header().Get("Cache-Control")}
			if got != [2]string{"application/problem+json", "no-store"} {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestRequireWithoutRealmPanics(t *testing.T) {
	config := newIssuer(t, office).config()
	config.Realms = []string{"staff", "members"}
	v := start(t, config)
	defer func() {
		if recover() == nil {
			t.Error("laid out a route whose roles count in every realm")
		}
	}()
	v.Require(verify.Need{Roles: []string{"editor"}}, http.NotFoundHandler())
}

func TestRefuseTellsNothingElse(t *testing.T) {
	answer := httptest.NewRecorder()
	verify.Refuse(answer, httptest.NewRequest(http.MethodGet, "/", nil), http.ErrAbortHandler)
	if answer.Code != 500 || strings.Contains(answer.Body.String(), "abort") {
		t.Errorf("got %d %s", answer.Code, answer.Body)
	}
	answer = httptest.NewRecorder()
	verify.Refuse(answer, httptest.NewRequest(http.MethodGet, "/", nil), &fault.Error{Code: fault.RevocationsStale, RetryAfter: time.Millisecond})
	if answer.Code != 503 || answer.Header().Get("Retry-After") != "1" {
		t.Errorf("got %d, Retry-After %q", answer.Code, answer.Header().Get("Retry-After"))
	}
}

func TestLanguage(t *testing.T) {
	for accept, want := range map[string]string{
		"": "en", "ko": "ko", "ko-KR,ko;q=0.9,en-US;q=0.8": "ko", "en, ko": "en", "en;q=0.5, ko;q=0.7": "ko", "fr, ko;q=0.1": "ko",
		"ko;q=0": "en", "*": "en", "KO": "ko", "ko;q=x": "en", "fr": "en", "ko;q=0.5,*;q=0.8": "en", "ko;q=NaN": "en",
	} {
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		if accept != "" {
			request.Header.Set("Accept-Language", accept)
		}
		answer := httptest.NewRecorder()
		verify.Refuse(answer, request, fault.New(fault.TokenMissing, ""))
		if got := answer.Header().Get("Content-Language"); got != want || !strings.Contains(answer.Body.String(), fault.TokenMissing.Sentence(want)) {
			t.Errorf("%q: got %q %s, want %q", accept, got, answer.Body, want)
		}
	}
	if cmp.Equal(fault.TokenMissing.Sentence("ko"), fault.TokenMissing.Sentence("en")) {
		t.Error("one sentence for both languages")
	}
}
