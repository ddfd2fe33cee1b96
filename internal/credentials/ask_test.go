package credentials

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
)

const (
	canary       = "canary-password-9f3k"
	legacyCanary = "canary-legacy-71mz"
)

// signer is the ring of a Munjigi with one key.
type signer struct {
	key    *ecdsa.PrivateKey
	public token.PublicKey
}

func newSigner(t *testing.T) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := token.NewPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return signer{key, public}
}

func (s signer) Active() (string, uint32) { return s.public.ID, 1 }

func (s signer) Sign(kid string, claims token.Claims) (string, error) {
	return token.Sign(claims, kid, token.ES256, s.key)
}

// newClient asks the route /private/credentials of a server.
func newClient(t *testing.T, address string, change func(*Config)) *Client {
	t.Helper()
	config := Config{
		Issuer: "https://login.example.com", Service: "market", URL: address + "/private/credentials",
		Roles: []string{"shop", "wholesale"}, Keys: newSigner(t),
	}
	if change != nil {
		change(&config)
	}
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func answering(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func right() Presented { return Presented{Login: "onggi", Password: canary} }

// Every way in which a service can answer, and what it means. Only four of them are verdicts.
func TestAnswers(t *testing.T) {
	const good = `{"id":"s1"}`
	challenge := func(status int, challenge string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", challenge)
			w.WriteHeader(status)
		}
	}
	const no, out, nothing = fault.CredentialsWrong, fault.SessionCutOff, fault.UpstreamUnavailable
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    fault.Code
	}{
		"200":                  {answering(200, "application/json", good), ""},
		"200 with a charset":   {answering(200, "Application/JSON; charset=utf-8", good), ""},
		"401":                  {answering(401, "application/json", `{"error":"no"}`), no},
		"401 of a login page":  {answering(401, "text/html", "<p>who are you"), no},
		"401 with a challenge": {challenge(401, `Basic realm="market"`), no},
		"401 with a bare one":  {challenge(401, `Bearer realm="market"`), no},
		"404":                  {answering(404, "application/json", `{}`), no},
		"403":                  {answering(403, "application/json", `{}`), out},

		// It is us whom it refuses: nobody typed a wrong password.
		"our token is refused":         {challenge(401, `Bearer error="invalid_token", code="token_wrong_audience"`), nothing},
		"our token, in another spirit": {challenge(401, `bearer realm="x", error="invalid_token"`), nothing},

		"201":                   {answering(201, "application/json", good), nothing},
		"204":                   {answering(204, "application/json", ""), nothing},
		"400":                   {answering(400, "application/json", good), nothing},
		"429":                   {answering(429, "application/json", good), nothing},
		"500":                   {answering(500, "application/json", good), nothing},
		"503":                   {answering(503, "text/plain", "later"), nothing},
		"HTML":                  {answering(200, "text/html; charset=utf-8", good), nothing},
		"no type":               {answering(200, "", good), nothing},
		"a problem document":    {answering(200, "application/problem+json", good), nothing},
		"an empty answer":       {answering(200, "application/json", ""), nothing},
		"null":                  {answering(200, "application/json", "null"), nothing},
		"a list":                {answering(200, "application/json", `[{"id":"s1"}]`), nothing},
		"a text":                {answering(200, "application/json", `"s1"`), nothing},
		"truncated JSON":        {answering(200, "application/json", `{"id":"s1","name":"On`), nothing},
		"JSON that breaks off":  {answering(200, "application/json", `{"id":"s1"`), nothing},
		"two answers":           {answering(200, "application/json", good+good), nothing},
		"something behind":      {answering(200, "application/json", good+"<!-- ok -->"), nothing},
		"a huge answer":         {answering(200, "application/json", `{"id":"s1","x":"`+strings.Repeat("x", maxAnswer)+`"}`), nothing},
		"one that goes on":      {answering(200, "application/json", good+strings.Repeat(" ", maxAnswer)), nothing},
		"no UTF-8 in a name":    {answering(200, "application/json", "{\"id\":\"s1\",\"name\":\"\xff\"}"), nothing},
		"no id":                 {answering(200, "application/json", `{"name":"Onggi"}`), nothing},
		"id null":               {answering(200, "application/json", `{"id":null}`), nothing},
		"id a number":           {answering(200, "application/json", `{"id":1}`), nothing},
		"id a list":             {answering(200, "application/json", `{"id":["s1"]}`), nothing},
		"id in capitals":        {answering(200, "application/json", `{"ID":"s1"}`), nothing},
		"two ids":               {answering(200, "application/json", `{"id":"s1","id":"s2"}`), nothing},
		"name a number":         {answering(200, "application/json", `{"id":"s1","name":7}`), nothing},
		"email a list":          {answering(200, "application/json", `{"id":"s1","email":["a@b.kr"]}`), nothing},
		"roles a text":          {answering(200, "application/json", `{"id":"s1","roles":"shop"}`), nothing},
		"roles of numbers":      {answering(200, "application/json", `{"id":"s1","roles":[1]}`), nothing},
		"no UTF-8":              {answering(200, "application/json", "{\"id\":\"s\xff1\"}"), nothing},
		"the connection breaks": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nothing},
		"less than it promised": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, good)
		}, nothing},
	} {
		t.Run(name, func(t *testing.T) {
			service := httptest.NewUnstartedServer(test.handler)
			service.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			service.Start()
			defer service.Close()
			person, err := newClient(t, service.URL, nil).Ask(t.Context(), right())
			if fault.CodeOf(err) != test.want {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if err != nil && person.ID != "" || err == nil && person.ID != "s1" {
				t.Errorf("got %+v beside %v", person, err)
			}
		})
	}
}

func TestAnAnswerOfTheRightSizeIsRead(t *testing.T) {
	text := `{"id":"s1","x":"` + strings.Repeat("x", maxAnswer-18) + `"}`
	service := httptest.NewServer(answering(200, "application/json", text))
	defer service.Close()
	if _, err := newClient(t, service.URL, nil).Ask(t.Context(), right()); len(text) != maxAnswer || err != nil {
		t.Errorf("an answer of %d bytes: %v", len(text), err)
	}
}

// A redirect is followed nowhere: neither the password nor our token goes to whom it names.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var followed atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		followed.Add(1)
		answering(200, "application/json", `{"id":"s1"}`)(w, nil)
	}))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, target := range []string{elsewhere.URL + "/steal", "/again"} {
			mux := http.NewServeMux()
			mux.HandleFunc("/private/credentials", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target, status) })
			mux.HandleFunc("/again", func(http.ResponseWriter, *http.Request) { followed.Add(1) })
			service := httptest.NewServer(mux)
			_, err := newClient(t, service.URL, nil).Ask(t.Context(), right())
			service.Close()
			if fault.CodeOf(err) != fault.UpstreamUnavailable {
				t.Errorf("%d to %s: got %v", status, target, err)
			}
		}
	}
	if n := followed.Load(); n != 0 {
		t.Errorf("followed %d redirects", n)
	}
}

// What the service sees: one POST of JSON, with a token that package verify admits (see the test of the demo's market).
func TestTheQuestion(t *testing.T) {
	now := time.Unix(1790000000, 500).UTC()
	keys := newSigner(t)
	for name, test := range map[string]struct {
		presented Presented
		want      map[string]any
	}{
		"a password":     {Presented{Login: "온기\"", Password: "<p>&'\"\\ 긴 암호"}, map[string]any{"login": "온기\"", "password": "<p>&'\"\\ 긴 암호"}},
		"an empty one":   {Presented{Login: "onggi"}, map[string]any{"login": "onggi", "password": ""}},
		"a legacy token": {Presented{Login: "not sent", Password: "nor this", LegacyToken: legacyCanary}, map[string]any{"legacy_token": legacyCanary}},
	} {
		t.Run(name, func(t *testing.T) {
			var seen *http.Request
			var body map[string]any
			service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen = r
				if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
					t.Error(err)
				}
				answering(200, "application/json", `{"id":"s1"}`)(w, r)
			}))
			defer service.Close()
			client := newClient(t, service.URL, func(c *Config) { c.Keys, c.Now = keys, func() time.Time { return now } })
			if _, err := client.Ask(t.Context(), test.presented); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, body); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			header := seen.Header
			if seen.Method != "POST" || header.Get("Content-Type") != "application/json" || header.Get("Accept-Encoding") != "" || header.Get("Cookie") != "" {
				t.Errorf("got %s %v", seen.Method, header)
			}
			checkToken(t, keys, header.Get("Authorization"), now)
		})
	}
}

func checkToken(t *testing.T, keys signer, authorization string, now time.Time) {
	t.Helper()
	raw, ok := strings.CutPrefix(authorization, "Bearer ")
	jws, err := token.ParseJWS(raw)
	if !ok || err != nil || jws.Verify(keys.public) != nil || !jws.Header.IsAccessToken() {
		t.Fatalf("got %q: %v", authorization, err)
	}
	claims, err := jws.Claims()
	if err != nil {
		t.Fatal(err)
	}
	if claims.SessionID.IsZero() || claims.ID == "" {
		t.Errorf("no sid or jti: %+v", claims)
	}
	claims.SessionID, claims.ID = token.SessionID{}, ""
	want := token.Claims{
		Issuer: "https://login.example.com", Subject: "munjigi", Audience: []string{"market"}, ClientID: "munjigi", Realm: "munjigi",
		Roles: []string{}, IssuedAt: now.Unix(), AuthTime: now.Unix(), ExpiresAt: now.Unix() + 60,
	}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
}

// hanging is a service that takes questions and does not answer; asked counts those that are under way.
type hanging struct{ asked, most atomic.Int64 }

func (h *hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	now := h.asked.Add(1)
	for most := h.most.Load(); now > most && !h.most.CompareAndSwap(most, now); most = h.most.Load() {
	}
	defer h.asked.Add(-1)
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestAQuestionTakesLimitedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, "http://market", func(c *Config) { c.Transport = new(hanging) })
		began := time.Now()
		_, err := client.Ask(t.Context(), right())
		if took := time.Since(began); fault.CodeOf(err) != fault.UpstreamUnavailable || took != 5*time.Second {
			t.Errorf("got %v after %v", err, took)
		}
	})
}

// slowBody sends its headers at once and the rest never.
type slowBody struct{}

func (slowBody) RoundTrip(r *http.Request) (*http.Response, error) {
	reader, _ := io.Pipe()
	context.AfterFunc(r.Context(), func() { reader.CloseWithError(r.Context().Err()) })
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: reader, Request: r}, nil
}

func TestAnAnswerThatNeverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, "http://market", func(c *Config) { c.Transport = slowBody{} })
		began := time.Now()
		_, err := client.Ask(t.Context(), right())
		if took := time.Since(began); fault.CodeOf(err) != fault.UpstreamUnavailable || took != 5*time.Second {
			t.Errorf("got %v after %v", err, took)
		}
	})
}

// However many sign in, a service gets few questions at once; those that wait for too long are told so.
func TestQuestionsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := new(hanging)
		client := newClient(t, "http://market", func(c *Config) { c.Transport, c.AtOnce = service, 3 })
		began := time.Now()
		results := make(chan error)
		for range 20 {
			go func() {
				_, err := client.Ask(t.Context(), right())
				results <- err
			}()
		}
		for range 20 {
			if err := <-results; fault.CodeOf(err) != fault.UpstreamUnavailable {
				t.Errorf("got %v", err)
			}
		}
		if took := time.Since(began); service.most.Load() != 3 || took != 5*time.Second {
			t.Errorf("%d at once, after %v", service.most.Load(), took)
		}
	})
}

func TestAPlaceIsGivenBack(t *testing.T) {
	service := httptest.NewServer(answering(200, "application/json", `{"id":"s1"}`))
	defer service.Close()
	client := newClient(t, service.URL, func(c *Config) { c.AtOnce = 1 })
	for range 3 {
		if _, err := client.Ask(t.Context(), right()); err != nil {
			t.Fatal(err)
		}
	}
}

// parrot answers in many ways that hold what it was sent.
type parrot struct{ step int }

func (p *parrot) RoundTrip(r *http.Request) (*http.Response, error) {
	sent, _ := io.ReadAll(r.Body)
	if p.step == 0 {
		return nil, errors.New("dial tcp 10.0.0.5:9000: refused")
	}
	status := []int{0, 200, 200, 401, 403, 404, 418, 302}[p.step]
	body := []string{"", "no JSON: " + string(sent), `{"id":` + string(sent) + `}`, string(sent), string(sent), string(sent), string(sent), string(sent)}[p.step]
	header := http.Header{"Content-Type": {"application/json"}, "Location": {"http://elsewhere/?" + string(sent)}, "X-Echo": {string(sent)}}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// What was presented shows up in no error, whatever the service does with it, and in nothing that prints it.
func TestSecretsStayOutOfErrors(t *testing.T) {
	presented := []Presented{right(), {LegacyToken: legacyCanary}}
	var written bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&written, &slog.HandlerOptions{Level: slog.LevelDebug}))
	for step := range 8 {
		for _, p := range presented {
			client := newClient(t, "http://market", func(c *Config) { c.Transport = &parrot{step} })
			_, err := client.Ask(t.Context(), p)
			if err == nil {
				t.Errorf("step %d: no error", step)
			}
			log.Info("asked", "err", err, "presented", p)
			fmt.Fprintf(&written, "%v %+v %#v %s %+v %#v\n", err, err, err, p, p, p)
			text, _ := json.Marshal(p)
			written.Write(text)
		}
	}
	if at := strings.Index(written.String(), "canary"); at >= 0 {
		t.Errorf("found a secret: …%.80s", written.String()[max(0, at-60):])
	}
	if account.Password(canary) == "" {
		t.Error("nothing was looked for")
	}
}
