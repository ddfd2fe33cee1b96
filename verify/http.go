package verify

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/munjigi/munjigi/internal/fault"
)

// Middleware lets only requests with a valid token pass; their claims are in the context (FromContext).
func (v *Verifier) Middleware(next http.Handler) http.Handler { return v.Require(Need{}, next) }

// Require is Middleware for a route that needs more. It panics, when routes are laid out, on a Need that names roles
// and no realm although several realms are admitted.
func (v *Verifier) Require(need Need, next http.Handler) http.Handler {
	if v.ambiguous(need) {
		panic("verify: Need.Roles without Need.Realm, where several realms are admitted")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := bearer(r)
		if err != nil {
			Refuse(w, r, err)
			return
		}
		claims, err := v.Check(r.Context(), raw, need)
		if err != nil {
			Refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, claims)))
	})
}

// bearer is the token of a request (RFC 6750 §2.1). One in the URL is refused even beside a good one: URLs end up in
// logs and histories, and whoever sends tokens there must learn of it.
func bearer(r *http.Request) (string, error) {
	if inQuery(r.URL.RawQuery) {
		return "", fault.New(fault.TokenMalformed, "a token in a URL is refused: send it as Authorization: Bearer")
	}
	values := r.Header.Values("Authorization")
	if len(values) > 1 {
		return "", fault.New(fault.TokenMalformed, "more than one Authorization")
	}
	if len(values) == 0 {
		return "", fault.New(fault.TokenMissing, "send the access token as Authorization: Bearer")
	}
	scheme, raw, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", fault.New(fault.TokenMissing, "send the access token as Authorization: Bearer")
	}
	return strings.TrimLeft(raw, " "), nil
}

func inQuery(query string) bool {
	if query == "" || !strings.Contains(query, "access") && !strings.Contains(query, "%") {
		return false
	}
	values, _ := url.ParseQuery(query) // what it cannot read, no handler reads
	return values.Has("access_token")
}

// Refuse answers a request with the problem document (RFC 9457) of an error of Verify or Check. Any other error is
// answered as internal, without its text.
func Refuse(w http.ResponseWriter, r *http.Request, err error) {
	header := w.Header()
	language := languageOf(r.Header.Values("Accept-Language"))
	problem := fault.ProblemOf(err, language, "")
	header.Set("Content-Type", "application/problem+json")
	header.Set("Content-Language", language)
	header.Set("Cache-Control", "no-store")
	header.Add("Vary", "Accept-Language")
	if problem.RetryAfter > 0 {
		header.Set("Retry-After", strconv.FormatInt(problem.RetryAfter, 10))
	}
	if problem.Status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", challenge(problem.Code))
	}
	w.WriteHeader(problem.Status)
	// The status has been sent; a caller that is gone by now needs no other.
	_ = json.NewEncoder(w).Encode(problem)
}

// challenge names the code only to those who sent a token (RFC 6750 §3.1).
func challenge(code fault.Code) string {
	if code == fault.TokenMissing {
		return "Bearer"
	}
	return `Bearer error="invalid_token", code="` + string(code) + `"`
}

// languageOf is "ko" or "en", whichever Accept-Language (RFC 9110 §12.5.4) likes better.
func languageOf(values []string) string {
	korean, english, others := -1.0, -1.0, -1.0
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		tag, parameters, _ := strings.Cut(strings.TrimSpace(part), ";")
		weight := 1.0
		if text, ok := strings.CutPrefix(strings.TrimSpace(parameters), "q="); ok {
			parsed, err := strconv.ParseFloat(text, 64)
			if err != nil || !(parsed >= 0 && parsed <= 1) {
				continue
			}
			weight = parsed
		}
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		switch primary {
		case "ko":
			korean = max(korean, weight)
		case "en":
			english = max(english, weight)
		case "*":
			others = max(others, weight)
		}
	}
	if korean > max(english, 0) && korean >= others {
		return "ko"
	}
	return "en"
}
