package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/oauth2"
)

// Ask presents the refresh token and tells what the provider makes of the person. It takes at most 10 seconds, and
// presents the token at most once.
//
// Gone is only said when the token endpoint itself says invalid_grant, or speaks of a person whom the company's
// domains do not admit any more. Everything that could be an outage, a proxy or our own mistake is Unknown. An answer
// may bear a new refresh token with any verdict; it has to be kept.
func (p *Provider) Ask(ctx context.Context, refreshToken, subject string) Answer {
	ctx, cancel := context.WithTimeout(p.clientContext(ctx), askLimit)
	defer cancel()
	meta, err := p.discover(ctx)
	if err != nil {
		return Answer{ProviderFault: true, Err: err}
	}
	traced, sent := traceSent(ctx)
	token, err := meta.oauth.TokenSource(traced, &oauth2.Token{RefreshToken: refreshToken}).Token()
	if err != nil {
		return refusal(err, sent.Load())
	}
	answer := Answer{Accepted: true, Presented: true}
	if token.RefreshToken != refreshToken {
		answer.RefreshToken = token.RefreshToken
	}
	p.judge(ctx, meta, token, subject, &answer)
	return answer
}

// judge completes the answer to a refresh token that was taken.
func (p *Provider) judge(ctx context.Context, meta *metadata, token *oauth2.Token, subject string, answer *Answer) {
	claims, err := p.claims(ctx, meta, token)
	if err != nil {
		answer.Err, answer.ProviderFault = err, !errors.Is(err, errSubject)
		return
	}
	if claims.Subject != subject {
		answer.Err = errSubject
		return
	}
	stands, why := p.stand(claims)
	switch stands {
	case admitted:
		answer.Verdict, answer.Person = Valid, p.person(claims)
	case refused:
		answer.Verdict, answer.Err = Gone, errors.New(why)
	case unclear:
		answer.Err = errors.New(why)
	}
}

// personal are the refusals that speak of this person only, and still are no clear no (OpenID Connect Core §3.1.2.6).
var personal = map[string]bool{
	"interaction_required": true, "login_required": true, "consent_required": true, "account_selection_required": true,
}

// refusal is the answer to a refresh token that was not taken.
func refusal(err error, sent bool) Answer {
	answer := Answer{Presented: sent, ProviderFault: true, Err: fmt.Errorf("present refresh token: %w", describe(err))}
	refusal, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return answer
	}
	status := refusal.Response.StatusCode
	// A 4xx did not touch the grant; a 408 is also what a proxy says that gave up waiting.
	if status >= 400 && status < 500 && status != http.StatusRequestTimeout {
		answer.Presented = false
	}
	if !definite(refusal) {
		return answer
	}
	if refusal.ErrorCode == "invalid_grant" {
		answer.Verdict, answer.Presented, answer.ProviderFault = Gone, true, false
	} else if personal[refusal.ErrorCode] {
		answer.ProviderFault = false
	}
	return answer
}

// describe keeps the body of a provider's answer out of the log: it may quote what we sent.
func describe(err error) error {
	refusal, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return err
	}
	if isJSON(refusal.Response.Header) && refusal.ErrorCode != "" {
		return fmt.Errorf("the provider answers %d %.100q", refusal.Response.StatusCode, refusal.ErrorCode)
	}
	return fmt.Errorf("the provider answers %d", refusal.Response.StatusCode)
}

// brief cuts an error of a library that quotes whole documents.
func brief(err error) error { return fmt.Errorf("%.300s", err.Error()) }
