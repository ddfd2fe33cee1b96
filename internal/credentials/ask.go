package credentials

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
)

// Presented is what somebody shows: a login with its password, or a token of the service's old sign-in.
type Presented struct {
	Login       string
	Password    account.Password
	LegacyToken account.Password // a secret like a password, and as silent
}

// body is what the service reads.
func (p Presented) body() ([]byte, error) {
	if p.LegacyToken != "" {
		return json.Marshal(struct {
			LegacyToken string `json:"legacy_token"`
		}{string(p.LegacyToken)})
	}
	return json.Marshal(struct {
		Login    string `json:"login"`
		Password string `json:"password"`
	}{p.Login, string(p.Password)})
}

// Ask has the service check what was presented. credentials_wrong: it says no. session_cut_off: it knows the account
// and does not let it in. upstream_unavailable: it gave no answer of the contract, which is never a verdict.
func (c *Client) Ask(ctx context.Context, p Presented) (Person, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Limit)
	defer cancel()
	select {
	case c.places <- struct{}{}:
		defer func() { <-c.places }()
	case <-ctx.Done():
		return Person{}, c.unavailable(errors.New("too many questions at once"))
	}
	request, err := c.request(ctx, p)
	if err != nil {
		return Person{}, fmt.Errorf("ask %s for an account: %w", c.Service, err)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return Person{}, c.unavailable(bare(err))
	}
	defer answer.Body.Close()
	return c.judge(answer)
}

func (c *Client) request(ctx context.Context, p Presented) (*http.Request, error) {
	body, err := p.body()
	if err != nil {
		return nil, errors.New("the credentials cannot be written as JSON")
	}
	bearer, err := c.token()
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return nil, bare(err)
	}
	request.Header.Set("Authorization", "Bearer "+bearer)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "munjigi")
	return request, nil
}

func (c *Client) judge(answer *http.Response) (Person, error) {
	switch answer.StatusCode {
	case http.StatusOK:
		return c.believe(answer)
	case http.StatusUnauthorized, http.StatusNotFound:
		if refusesToken(answer.Header) {
			// It is us whom the service does not believe. Told as a wrong password, a service that was set up wrongly
			// would have everybody type theirs until they are locked out.
			return Person{}, c.unavailable(errors.New("it refuses our token: look at its issuer, its name and its realms"))
		}
		return Person{}, fault.New(fault.CredentialsWrong, "")
	case http.StatusForbidden:
		return Person{}, fault.New(fault.SessionCutOff, "")
	}
	return Person{}, c.unavailable(fmt.Errorf("it answers %d", answer.StatusCode))
}

// refusesToken tells a challenge that speaks of the bearer token itself (RFC 6750 §3): "error" is there only when one
// was sent and found wanting.
func refusesToken(header http.Header) bool {
	for _, challenge := range header.Values("WWW-Authenticate") {
		scheme, parameters, _ := strings.Cut(strings.TrimSpace(challenge), " ")
		if strings.EqualFold(scheme, "Bearer") && strings.Contains(parameters, `error="`) {
			return true
		}
	}
	return false
}

func (c *Client) believe(answer *http.Response) (Person, error) {
	kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return Person{}, c.unavailable(errors.New("its answer is not application/json"))
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return Person{}, c.unavailable(bare(err))
	}
	if len(text) > maxAnswer {
		return Person{}, c.unavailable(errors.New("its answer is too large"))
	}
	person, err := read(text, c.Roles)
	if err != nil {
		return Person{}, c.unavailable(err)
	}
	return person, nil
}

// unavailable names the service to the log; the person learns only that it does not answer.
func (c *Client) unavailable(cause error) error {
	return &fault.Error{
		Code: fault.UpstreamUnavailable, RetryAfter: 5 * time.Second,
		Err: fmt.Errorf("ask %s for an account: %w", c.Service, cause),
	}
}

// bare is an error of net/http without the address, which is in the configuration and may be long.
func bare(err error) error {
	if trouble, ok := errors.AsType[*url.Error](err); ok {
		return trouble.Err
	}
	return err
}
