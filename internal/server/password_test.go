package server

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/signin"
)

// fakeMembers stands for the store and the hasher of the realm members, who are kim alone.
type fakeMembers struct {
	mu       sync.Mutex // guards everything below
	password account.Password
	secret   int64
	looked   int // at the real password
	places   map[string]int
	holds    map[[16]byte][]string
}

func newFakeMembers() *fakeMembers {
	return &fakeMembers{password: "right", secret: 1, places: map[string]int{}, holds: map[[16]byte][]string{}}
}

func (m *fakeMembers) realm() signin.Realm {
	return signin.Realm{Checker: &signin.Members{Realm: "members", Store: m, Hasher: m}}
}

func (m *fakeMembers) Member(_ context.Context, _, login string) (account.Member, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	identity := account.Identity{Realm: "members", Issuer: account.PasswordIssuer, Subject: "kim"}
	return account.Member{
		Account: account.Account{ID: "account-kim", Identity: identity}, Login: login, Hash: "kim's", Secret: m.secret,
	}, login == "kim", nil
}

func (m *fakeMembers) MemberOf(ctx context.Context, id string) (account.Member, bool, error) {
	return m.Member(ctx, "members", strings.TrimPrefix(id, "account-"))
}

func (m *fakeMembers) SetPassword(_ context.Context, c signin.PasswordChange) ([]session.Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.password, m.secret = account.Password(c.Hash), m.secret+1
	return nil, nil
}

func (m *fakeMembers) Rehash(context.Context, string, int64, string) error { return nil }

func (m *fakeMembers) Turn(context.Context) (func(), error) { return func() {}, nil }

func (m *fakeMembers) Dummy() string { return "nobody's" }

func (m *fakeMembers) Hash(_ context.Context, p account.Password) (string, error) {
	return string(p), nil
}

func (m *fakeMembers) Verify(_ context.Context, encoded string, p account.Password) (ok, outdated bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if encoded != "kim's" {
		return false, false, nil
	}
	m.looked++
	return p == m.password, false, nil
}

func (m *fakeMembers) Reserve(_ context.Context, g signin.Guess) (places signin.Places, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range []struct {
		place  *signin.Place
		bucket signin.Bucket
	}{{&places.From, g.From}, {&places.At, g.At}} {
		one.place.Taken = one.bucket.Name == "" || m.places[one.bucket.Name] < one.bucket.Most
		if one.place.Taken {
			m.places[one.bucket.Name]++
			m.holds[g.ID] = append(m.holds[g.ID], one.bucket.Name)
		}
	}
	return places, nil
}

func (m *fakeMembers) Settle(_ context.Context, id [16]byte, wrong bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range m.holds[id] {
		if !wrong {
			m.places[name]--
		}
	}
	return nil
}

// guess is a sign-in as a page of the shop sends it.
func guess(login, password string) ask {
	return from(shopAt, "POST", "/sign-in/members", fmt.Sprintf(`{"app":"shop","login":%q,"password":%q}`, login, password))
}

func cookieOf(t *testing.T, r *http.Response, name string) *http.Cookie {
	t.Helper()
	for _, cookie := range r.Cookies() {
		if cookie.Name == name {
			return cookie
		}
	}
	t.Fatalf("got %d and no cookie %s, but %q", r.StatusCode, name, r.Header["Set-Cookie"])
	return nil
}

const deviceName = "__Host-munjigi-members-device"

func TestSignInWithAPassword(t *testing.T) {
	o := open(t, nil)
	old := o.person("kim", "shop")
	r := o.do(guess("Kim", "right").cookie("__Host-munjigi-members", old))
	wantStatus(t, r, 200)
	if got, want := cookieOf(t, r, "__Host-munjigi-members"), cookieOf(t, r, "munjigi-members-hint"); !got.HttpOnly || !got.Secure || want.HttpOnly {
		t.Errorf("got %s and %s", got, want)
	}
	device := cookieOf(t, r, deviceName)
	if !device.HttpOnly || !device.Secure || device.SameSite != http.SameSiteLaxMode || device.Path != "/" || device.Domain != "" || strings.Contains(device.Value, "kim") {
		t.Errorf("got %s", device)
	}
	if r.Header.Get("Access-Control-Allow-Origin") != shopAt || text(t, r) != `{"generation":0}` {
		t.Errorf("got %v", r.Header)
	}
	begun := o.begun[len(o.begun)-1]
	if begun.Brought == nil || begun.Secret != 1 || begun.Identity.Subject != "kim" || begun.App.Name != "shop" {
		t.Errorf("began %+v", begun)
	}
	for name, c := range map[string]struct {
		ask  ask
		code fault.Code
	}{
		"wrong":                  {guess("kim", "wrong"), fault.CredentialsWrong},
		"unknown":                {guess("lee", "right"), fault.CredentialsWrong},
		"no password":            {guess("kim", ""), fault.RequestInvalid},
		"no login":               {guess(" ", "right"), fault.RequestInvalid},
		"another origin":         {guess("kim", "right").with("Origin", toolsAt), fault.OriginRefused},
		"no origin":              {guess("kim", "right").with("Origin"), fault.OriginRefused},
		"another site":           {guess("kim", "right").with("Sec-Fetch-Site", "cross-site"), fault.OriginRefused},
		"a form":                 {guess("kim", "right").with("Content-Type", "text/plain"), fault.RequestInvalid},
		"an app of another":      {from(toolsAt, "POST", "/sign-in/members", `{"app":"tools","login":"kim","password":"right"}`), fault.RequestInvalid},
		"a realm of a provider":  {from(toolsAt, "POST", "/sign-in/staff", `{"app":"tools","login":"kim","password":"right"}`), fault.NotFound},
		"no realm":               {from(toolsAt, "POST", "/sign-in/nobody", `{"app":"tools","login":"kim","password":"right"}`), fault.NotFound},
		"a token beside":         {from(shopAt, "POST", "/sign-in/members", `{"app":"shop","login":"kim","password":"right","legacy_token":"x"}`), fault.RequestInvalid},
		"a token of another age": {from(shopAt, "POST", "/sign-in/members", `{"app":"shop","legacy_token":"x"}`), fault.RequestInvalid},
	} {
		t.Run(name, func(t *testing.T) { wantProblem(t, o.do(c.ask), c.code) })
	}
	// Each page may ask first, for the method that it has.
	r = o.do(from(shopAt, "OPTIONS", "/sign-in/members", "").with("Access-Control-Request-Method", "POST"))
	if r.StatusCode != 204 || r.Header.Get("Access-Control-Allow-Origin") != shopAt {
		t.Errorf("preflight: %d, %v", r.StatusCode, r.Header)
	}
	if r := o.do(from(shopAt, "OPTIONS", "/sign-in/members", "").with("Access-Control-Request-Method", "GET")); r.StatusCode != 403 {
		t.Errorf("preflight of the page: %d", r.StatusCode)
	}
}

// A known device gets in when strangers have used up all guesses; what is said to be one does not.
func TestAKnownDevice(t *testing.T) {
	o := open(t, nil)
	device := cookieOf(t, o.do(guess("kim", "right")), deviceName).Value
	for range 11 {
		wantProblem(t, o.do(guess("kim", "wrong")), fault.CredentialsWrong)
	}
	wantProblem(t, o.do(guess("kim", "right")), fault.CredentialsWrong)
	for name, forged := range map[string]string{"cut": device[1:], "another": strings.Repeat("A", len(device)), "empty": ""} {
		t.Run(name, func(t *testing.T) {
			wantProblem(t, o.do(guess("kim", "right").cookie(deviceName, forged)), fault.CredentialsWrong)
		})
	}
	wantStatus(t, o.do(guess("kim", "right").cookie(deviceName, device)), 200)
	for range 11 {
		wantProblem(t, o.do(guess("kim", "wrong").cookie(deviceName, device)), fault.CredentialsWrong)
	}
	wantProblem(t, o.do(guess("kim", "right").cookie(deviceName, device)), fault.CredentialsWrong)
}

func TestADeviceIsKnownForATime(t *testing.T) {
	for name, c := range map[string]struct {
		change func(o *office)
		status int
	}{
		"the same":                  {func(*office) {}, 200},
		"after half a year":         {func(o *office) { o.later(signin.DeviceLife) }, 401},
		"after a change":            {func(o *office) { o.members.secret++ }, 401},
		"just before half a year":   {func(o *office) { o.later(signin.DeviceLife - 1) }, 200},
		"of the password afterward": {func(o *office) { o.members.secret += 2 }, 401},
	} {
		t.Run(name, func(t *testing.T) {
			o := open(t, nil)
			device := cookieOf(t, o.do(guess("kim", "right")), deviceName).Value
			for range 10 {
				o.do(guess("kim", "wrong"))
			}
			c.change(o)
			wantStatus(t, o.do(guess("kim", "right").cookie(deviceName, device)), c.status)
		})
	}
}

// change is a page of the shop that changes kim's password.
func (o *office) change(refresh, old, replacement string) ask {
	return from(shopAt, "PUT", "/account/password", fmt.Sprintf(`{"old":%q,"new":%q}`, old, replacement)).
		with(appHeader, "shop").cookie("__Host-munjigi-members", refresh)
}

func TestChangePassword(t *testing.T) {
	o := open(t, nil)
	refresh := o.person("kim", "shop")
	const fresh = "violet anchor under maple"
	p := wantProblem(t, o.do(o.change(refresh, "right", "short")), fault.RequestInvalid)
	if len(p.Errors) != 1 || p.Errors[0].Pointer != "/new" || !strings.Contains(p.Errors[0].Detail, "12 characters") {
		t.Errorf("got %+v, want the reason at /new", p.Errors)
	}
	wantProblem(t, o.do(o.change(refresh, "", fresh)), fault.RequestInvalid)
	wantProblem(t, o.do(o.change(refresh, "wrong", fresh)), fault.CredentialsWrong)
	wantProblem(t, o.do(o.change("", "right", fresh)), fault.SessionMissing)
	wantProblem(t, o.do(o.change(refresh, "right", fresh).with("Origin", stranger)), fault.OriginRefused)
	if o.members.looked != 1 || o.members.secret != 1 {
		t.Errorf("the password was looked at %d times", o.members.looked)
	}
	r := o.do(o.change(refresh, "right", fresh))
	if device := cookieOf(t, r, deviceName); r.StatusCode != 204 || len(r.Cookies()) != 1 || device.Value == "" || text(t, r) != "" {
		t.Errorf("got %d with %q", r.StatusCode, r.Header["Set-Cookie"])
	}
	if o.members.password != fresh || o.members.secret != 2 {
		t.Error("the password was not changed")
	}
	// Who signs in with a provider has no password here.
	staff := from(toolsAt, "PUT", "/account/password", `{"old":"right","new":"violet anchor under maple"}`).
		with(appHeader, "tools").cookie("__Host-munjigi-staff", o.person("lee", "tools"))
	wantProblem(t, o.do(staff), fault.NotFound)
}

// verifying are the routes that verify a password, each with how to guess there. exempt are those that take one without
// verifying it, with the reason.
var (
	verifying = map[string]func(o *office, refresh string, n int) ask{
		"POST /sign-in/{realm}": func(_ *office, _ string, n int) ask { return guess("kim", "wrong "+strconv.Itoa(n)) },
		"PUT /account/password": func(o *office, refresh string, n int) ask {
			return o.change(refresh, "wrong "+strconv.Itoa(n), "violet anchor under maple")
		},
	}
	exempt = map[string]string{
		"PUT /sign-in/{realm}/password": "sets one, for who has a link: 128 random bits",
	}
)

// Every route that takes a password is attacked here, and all of them share one count of guesses. A new one that is not
// registered fails: it may have forgotten to count.
func TestEveryRouteThatVerifiesAPassword(t *testing.T) {
	o := open(t, nil)
	taking := handlersWithPasswords(t)
	for _, route := range o.routes() {
		if name := handlerOf(t, route.pattern); slices.Contains(taking, name) && verifying[route.pattern] == nil && exempt[route.pattern] == "" {
			t.Errorf("%s takes a password, and nobody knows whether it counts guesses", route.pattern)
		}
	}
	refresh := o.person("kim", "shop")
	for n := range 20 {
		for pattern, attack := range verifying {
			if r := o.do(attack(o, refresh, n)); r.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s: guess %d: got %d", pattern, n, r.StatusCode)
			}
		}
	}
	if o.members.looked != 10 {
		t.Errorf("%d guesses were looked at, want 10 at all routes together", o.members.looked)
	}
}

// source is the package's Go files but the tests.
func source(t *testing.T) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// handlersWithPasswords are the functions that use a body with a password in it.
func handlersWithPasswords(t *testing.T) (names []string) {
	t.Helper()
	bodies := map[string]bool{}
	files := source(t)
	for _, file := range files {
		ast.Inspect(file, func(node ast.Node) bool {
			if spec, ok := node.(*ast.TypeSpec); ok && mentions(spec.Type, func(e ast.Node) bool {
				selector, ok := e.(*ast.SelectorExpr)
				return ok && selector.Sel.Name == "Password" && fmt.Sprint(selector.X) == "account"
			}) {
				bodies[spec.Name.Name] = true
			}
			return true
		})
	}
	for _, file := range files {
		for _, declaration := range file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if ok && mentions(function.Body, func(e ast.Node) bool { name, ok := e.(*ast.Ident); return ok && bodies[name.Name] }) {
				names = append(names, function.Name.Name)
			}
		}
	}
	if len(names) < 2 {
		t.Fatalf("found %q: the routes with passwords have moved", names)
	}
	return names
}

func mentions(node ast.Node, is func(ast.Node) bool) (found bool) {
	ast.Inspect(node, func(e ast.Node) bool { found = found || e != nil && is(e); return !found })
	return found
}

// handlerOf is the name of the method in a route's row.
func handlerOf(t *testing.T, pattern string) (name string) {
	t.Helper()
	for _, file := range source(t) {
		ast.Inspect(file, func(node ast.Node) bool {
			row, ok := node.(*ast.CompositeLit)
			if !ok || len(row.Elts) < 4 {
				return true
			}
			if text, ok := row.Elts[0].(*ast.BasicLit); ok && text.Value == strconv.Quote(pattern) {
				if handler, ok := row.Elts[3].(*ast.SelectorExpr); ok {
					name = handler.Sel.Name
				}
			}
			return true
		})
	}
	return name
}
