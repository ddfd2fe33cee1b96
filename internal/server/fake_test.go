package server

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/recheck"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/signin"
	"github.com/munjigi/munjigi/internal/token"
)

const (
	own      = "https://office.example.com"
	toolsAt  = "https://tools.example.com"
	shopAt   = "https://shop.example.com"
	stranger = "https://evil.example"
	firefox  = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
)

var (
	start   = time.Unix(1_790_000_000, 0)
	theApps = map[string]account.App{
		"console":   {Name: "console", Realm: "staff"},
		"tools":     {Name: "tools", Realm: "staff", Origins: []string{toolsAt, own}, Services: []string{"wishlist"}},
		"shop":      {Name: "shop", Realm: "members", Origins: []string{shopAt}, Services: []string{"market"}},
		"cli":       {Name: "cli", Realm: "staff", Body: true, Services: []string{"munjigi"}},
		"other-cli": {Name: "other-cli", Realm: "staff", Body: true},
	}
)

// office stands for everything behind the server. Its refresh tokens are "mjr_" + sid + "." + generation.
type office struct {
	*Server
	t     *testing.T
	key   *ecdsa.PrivateKey
	log   *bytes.Buffer
	feed  *fakeFeed
	store *fakeAttempts

	members *fakeMembers

	mu    sync.Mutex // guards what follows
	clock time.Time
	fail  error    // of every call, when set
	calls []string // what was asked of the domain, in order
	rows  map[token.SessionID]*session.Session
	who   map[string]account.Account
	waves []recheck.Wave
	begun []session.SignIn
	idp   *fakeProvider
}

// open makes a server with https, unless change says otherwise.
func open(t *testing.T, change func(*Config)) *office {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o := &office{
		t: t, key: key, log: new(bytes.Buffer), feed: newFakeFeed(), clock: start, idp: new(fakeProvider),
		rows: map[token.SessionID]*session.Session{}, who: map[string]account.Account{}, store: &fakeAttempts{used: map[[16]byte]bool{}}, members: newFakeMembers(),
	}
	c := Config{
		URL: own, Console: "staff", Apps: theApps, Sessions: o, Devices: o, Keys: fakeKeys{key}, Feed: o.feed, Directory: o, Audit: o, Tools: o.tools(), Waves: o,
		Realms: map[string]Realm{"staff": {Kind: OIDC, Provider: "id.example.com"}, "members": {Kind: Password}},
		Ready:  func(context.Context) error { return o.failing("Ready") },
		Pages: fstest.MapFS{
			"index.html":            {Data: []byte("<!doctype html>the console")},
			"assets/main-1a2b3c.js": {Data: []byte("export {}")},
		},
		Now: o.now, Log: slog.New(slog.NewTextHandler(o.log, nil)),
	}
	if change != nil {
		change(&c)
	}
	c.SignIn = o.flow(c)
	if o.Server, err = New(c); err != nil {
		t.Fatal(err)
	}
	return o
}

// flow is a real sign-in flow at a fake provider.
func (o *office) flow(c Config) *signin.Flow {
	apps := map[string]account.App{}
	for name, app := range c.Apps {
		if name == account.Console {
			app.Origins = []string{c.URL}
		}
		apps[name] = app
	}
	flow, err := signin.New(signin.Config{
		Realms: map[string]signin.Realm{
			"staff":   {Provider: o.idp, Roles: o.idp.roles, RecheckEvery: time.Minute},
			"members": o.members.realm(),
		},
		Guesses: o.members,
		Apps:    apps, Store: o.store, Sessions: o, Keys: fakeKeys{o.key}, Audit: o, Now: o.now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return flow
}

func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.clock
}

func (o *office) later(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clock = o.clock.Add(d)
}

// failing notes a call and tells whether it has to fail.
func (o *office) failing(call string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = append(o.calls, call)
	return o.fail
}

// called forgets and returns the calls so far.
func (o *office) called() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	calls := o.calls
	o.calls = nil
	return calls
}

// person signs somebody in without HTTP, and returns the refresh token.
func (o *office) person(name, app string, roles ...string) string {
	return o.personOf(name, theApps[app], roles...)
}

func (o *office) personOf(name string, app account.App, roles ...string) string {
	answer, err := o.Begin(context.Background(), session.SignIn{
		App: app, Caller: session.Caller{Device: "Firefox on Linux", From: "192.0.2.1"},
		Identity: account.Identity{Realm: app.Realm, Issuer: "https://id.example.com", Subject: name},
		Profile:  account.Profile{Email: name + "@example.com", Name: name, Roles: roles, CheckedAt: o.now()},
	})
	if err != nil {
		o.t.Fatal(err)
	}
	o.called()
	return answer.RefreshToken
}

func (o *office) Begin(_ context.Context, in session.SignIn) (session.Answer, error) {
	if err := o.failing("Begin"); err != nil {
		return session.Answer{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	who := account.Account{ID: "account-" + in.Identity.Subject, Identity: in.Identity, Profile: in.Profile}
	row := &session.Session{
		ID: token.NewSessionID(), Account: who.ID, Realm: in.Identity.Realm, App: in.App.Name, Body: in.App.Body,
		Device: in.Caller.Device, From: in.Caller.From, StartedAt: o.clock, EndsAt: o.clock.Add(24 * time.Hour),
		Rotation: session.Rotation{Presented: -1, At: o.clock, IdleUntil: o.clock.Add(time.Hour), Profile: in.Profile},
	}
	if in.Brought != nil && o.rows[*in.Brought] != nil {
		o.rows[*in.Brought].Ended = &session.End{Reason: session.SignedOut}
	}
	o.rows[row.ID], o.who[who.ID] = row, who
	o.begun = append(o.begun, in)
	return answerOf(*row), nil
}

func answerOf(row session.Session) session.Answer {
	return session.Answer{
		JSON: fmt.Appendf(nil, `{"generation":%d}`, row.Rotation.Generation), Session: row,
		RefreshToken: fmt.Sprintf("mjr_%s.%d", row.ID, row.Rotation.Generation),
	}
}

func (o *office) Parse(text string) (token.Refresh, bool) {
	text, ours := strings.CutPrefix(text, "mjr_")
	sid, _, _ := strings.Cut(text, ".")
	id, err := token.ParseSessionID(sid)
	o.mu.Lock()
	defer o.mu.Unlock()
	row := o.rows[id]
	if !ours || err != nil || row == nil {
		return token.Refresh{}, false
	}
	return token.Refresh{Realm: row.Realm, Body: row.Body, Session: id}, true
}

func (o *office) Renew(_ context.Context, r session.Renewal) (session.Answer, error) {
	if err := o.failing(fmt.Sprintf("Renew app=%s service=%s body=%t age=%s", r.App.Name, r.Service, r.Body, r.MaxCheckAge)); err != nil {
		return session.Answer{}, err
	}
	refresh, ok := o.Parse(r.RefreshToken)
	if r.RefreshToken == "" {
		return session.Answer{}, fault.New(fault.SessionMissing, "")
	}
	if !ok || refresh.Realm != r.App.Realm {
		return session.Answer{}, fault.New(fault.SessionUnknown, "")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	row := o.rows[refresh.Session]
	row.Rotation.Generation++
	row.Rotation.At = o.clock
	return answerOf(*row), nil
}

func (o *office) Identify(ctx context.Context, text, realm string) (session.Session, account.Account, error) {
	refresh, ok := o.Parse(text)
	if text == "" {
		return session.Session{}, account.Account{}, fault.New(fault.SessionMissing, "")
	}
	if !ok || refresh.Realm != realm {
		return session.Session{}, account.Account{}, fault.New(fault.SessionUnknown, "")
	}
	return o.Identified(ctx, refresh.Session)
}

func (o *office) Identified(_ context.Context, id token.SessionID) (session.Session, account.Account, error) {
	if err := o.failing("Identified"); err != nil {
		return session.Session{}, account.Account{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	row, ok := o.rows[id]
	switch {
	case !ok:
		return session.Session{}, account.Account{}, fault.New(fault.SessionUnknown, "")
	case row.Ended != nil:
		return session.Session{}, account.Account{}, fault.New(session.CodeOf(row.Ended.Reason), "")
	}
	return *row, o.who[row.Account], nil
}

func (o *office) SignOut(_ context.Context, s session.Session, everywhere bool, _ session.Caller) error {
	if err := o.failing(fmt.Sprintf("SignOut everywhere=%t", everywhere)); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, row := range o.rows {
		if id == s.ID || everywhere && row.Account == s.Account {
			row.Ended = &session.End{Reason: session.SignedOut, At: o.clock}
		}
	}
	return nil
}

func (o *office) Sessions(_ context.Context, who string) (live []session.Session, err error) {
	if err := o.failing("Sessions"); err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, row := range o.rows {
		if row.Account == who && row.Ended == nil {
			live = append(live, *row)
		}
	}
	return live, nil
}

func (o *office) Revoke(_ context.Context, id token.SessionID, actor audit.Actor, _ string) (session.Session, error) {
	if err := o.failing("Revoke by " + actor.ID); err != nil {
		return session.Session{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	row, ok := o.rows[id]
	if !ok {
		return session.Session{}, fault.New(fault.SessionUnknown, "")
	}
	row.Ended = &session.End{Reason: session.Revoked}
	return *row, nil
}

func (o *office) RevokeAccount(ctx context.Context, who string, actor audit.Actor, from string) ([]session.Session, error) {
	live, err := o.Sessions(ctx, who)
	for _, row := range live {
		if _, err := o.Revoke(ctx, row.ID, actor, from); err != nil {
			return nil, err
		}
	}
	return live, err
}

func (o *office) SignedIn(_ context.Context, q session.Query) (page []session.Listed, next string, err error) {
	if err := o.failing(fmt.Sprintf("SignedIn %s %s %s %d", q.Realm, q.Search, q.After, q.Limit)); err != nil {
		return nil, "", err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, row := range o.rows {
		page = append(page, session.Listed{Session: *row, Account: o.who[row.Account]})
	}
	return page, "more", nil
}

func (o *office) Append(context.Context, ...audit.Event) error { return o.failing("Append") }

func (o *office) Records(_ context.Context, after int64, limit int) ([]audit.Record, error) {
	if err := o.failing(fmt.Sprintf("Records %d %d", after, limit)); err != nil {
		return nil, err
	}
	return []audit.Record{audit.Event{At: start, Action: audit.SignedIn, Account: "a"}.Chain(after+1, [32]byte{})}, nil
}

func (o *office) Waves(context.Context) ([]recheck.Wave, error) { return o.waves, o.failing("Waves") }

func (o *office) ConfirmWave(_ context.Context, provider string, actor audit.Actor) error {
	return o.failing("ConfirmWave " + provider + " by " + actor.ID)
}

func (o *office) DismissWave(_ context.Context, provider string, actor audit.Actor) error {
	return o.failing("DismissWave " + provider + " by " + actor.ID)
}

// fakeKeys stands for keys.Ring.
type fakeKeys struct{ key *ecdsa.PrivateKey }

func (k fakeKeys) JWKS() []byte { return []byte(`{"keys":[]}`) }

func (k fakeKeys) PublicKeys() []token.PublicKey {
	return []token.PublicKey{{ID: "k1", Algorithm: token.ES256, Key: &k.key.PublicKey}}
}

func (k fakeKeys) Records() []keys.Record {
	return []keys.Record{{ID: "k1", Algorithm: "ES256", Private: []byte("canary-private"), CreatedAt: start, ActiveAt: start}}
}

func (k fakeKeys) Active() (string, uint32) { return "k1", 7 }

func (k fakeKeys) Derive(id uint32, label string) (key [32]byte, ok bool) {
	copy(key[:], label)
	return key, id == 7
}

// fakeFeed hands out pages that a test gives it.
type fakeFeed struct {
	mu    sync.Mutex
	page  token.FeedPage
	err   error
	pages chan token.FeedPage
}

func newFakeFeed() *fakeFeed {
	return &fakeFeed{page: token.FeedPage{Epoch: "e1", N: 3, Entries: []token.FeedEntry{}}, pages: make(chan token.FeedPage)}
}

func (f *fakeFeed) Page(context.Context, session.Cursor, int) (token.FeedPage, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.page, f.err
}

func (f *fakeFeed) Wait(ctx context.Context, _ session.Cursor, _ int) (token.FeedPage, error) {
	select {
	case page := <-f.pages:
		return page, nil
	case <-ctx.Done():
		return token.FeedPage{}, ctx.Err()
	}
}

// ask is one request of a test.
type ask struct {
	method, path string
	body         string
	header       http.Header
	cookies      map[string]string
}

// from is a call of a page of an app, as a browser sends it.
func from(origin, method, path, body string) ask {
	a := ask{method: method, path: path, body: body, header: http.Header{"User-Agent": {firefox}}, cookies: map[string]string{}}
	if body != "" {
		a.header.Set("Content-Type", "application/json")
	}
	if origin != "" {
		a.header.Set("Origin", origin)
	}
	return a
}

func (a ask) with(name string, values ...string) ask {
	a.header = a.header.Clone()
	a.header[name] = values
	if len(values) == 0 {
		a.header.Del(name)
	}
	return a
}

func (a ask) cookie(name, value string) ask {
	cookies := map[string]string{name: value}
	for name, value := range a.cookies {
		cookies[name] = value
	}
	a.cookies = cookies
	return a
}

func (o *office) do(a ask) *http.Response {
	r := httptest.NewRequest(a.method, own+a.path, strings.NewReader(a.body))
	if a.body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	r.RemoteAddr = "192.0.2.1:4711"
	for name, values := range a.header {
		r.Header[name] = values
	}
	for name, value := range a.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	o.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// problem is the document of an error answer; an empty one when the answer is none.
func problem(t *testing.T, r *http.Response) fault.Problem {
	t.Helper()
	var p fault.Problem
	if r.Header.Get("Content-Type") == "application/problem+json" {
		if err := json.Unmarshal([]byte(text(t, r)), &p); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// wantProblem is an answer with this code, and no cookie touched.
func wantProblem(t *testing.T, r *http.Response, code fault.Code) fault.Problem {
	t.Helper()
	p := problem(t, r)
	if p.Code != code || r.StatusCode != p.Status {
		t.Errorf("got %d %q (%s), want %q", r.StatusCode, p.Code, p.Detail, code)
	}
	if cookies := r.Header["Set-Cookie"]; len(cookies) != 0 {
		t.Errorf("a refusal touches cookies: %q", cookies)
	}
	return p
}

func wantStatus(t *testing.T, r *http.Response, status int) {
	t.Helper()
	if r.StatusCode != status {
		t.Errorf("got %d %s, want %d", r.StatusCode, text(t, r), status)
	}
}
