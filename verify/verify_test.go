package verify_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
	"github.com/munjigi/munjigi/verify"
)

const office = "https://office.example.com"

func TestNewRefuses(t *testing.T) {
	i := newIssuer(t, office)
	for name, change := range map[string]func(*verify.Config){
		"no issuer":                  func(c *verify.Config) { c.Issuer = "" },
		"issuer without a host":      func(c *verify.Config) { c.Issuer = "office.example.com" },
		"issuer with a query":        func(c *verify.Config) { c.Issuer += "?x" },
		"issuer with a user":         func(c *verify.Config) { c.Issuer = "https://a@office.example.com" },
		"plain http over the wire":   func(c *verify.Config) { c.Issuer = "http://office.example.com" },
		"no service":                 func(c *verify.Config) { c.Service = "" },
		"no realms":                  func(c *verify.Config) { c.Realms = nil },
		"an empty realm":             func(c *verify.Config) { c.Realms = []string{"staff", ""} },
		"Munjigi as a realm":         func(c *verify.Config) { c.Realms = []string{"staff", verify.Munjigi} },
		"too much leeway":            func(c *verify.Config) { c.Leeway = 2 * time.Minute },
		"negative leeway":            func(c *verify.Config) { c.Leeway = -1 },
		"negative age":               func(c *verify.Config) { c.MaxAge = -1 },
		"a key file that is missing": func(c *verify.Config) { c.PublicKeyFile = "no such file" },
		"a key file without a key":   func(c *verify.Config) { c.PublicKeyFile = "doc.go" },
	} {
		config := i.config()
		change(&config)
		if v, err := verify.New(config); err == nil {
			v.Close()
			t.Errorf("%s: started", name)
		}
	}
	for _, address := range []string{"http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1"} {
		config := i.config()
		config.Issuer = address
		start(t, config)
	}
	config := i.config()
	config.Issuer, config.InsecureHTTP = "http://office", true
	start(t, config)
}

// Each refusal has its own code, at the first sight of a token and at the second.
func TestCodes(t *testing.T) {
	i := newIssuer(t, office)
	v := ready(t, i.config())
	_, foreign, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	stranger := newIssuer(t, office)
	hour := func(c *token.Claims) { c.ExpiresAt = c.IssuedAt + 3600 }
	good := i.sign(t, nil)
	header := func(text string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(text)) + good[strings.Index(good, "."):]
	}
	confused, err := token.Sign(i.claims(), i.kid, token.EdDSA, foreign)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, raw, want string }{
		{"good", good, ""},
		{"for an hour", i.sign(t, hour), ""},
		{"clock of the issuer a little ahead", i.sign(t, func(c *token.Claims) { c.IssuedAt++ }), ""},
		{"expired within the leeway", i.sign(t, func(c *token.Claims) { c.IssuedAt -= 400; c.ExpiresAt = time.Now().Unix() - 1 }), ""},
		{"none", "", "token_missing"},
		{"text", "hello", "token_malformed"},
		{"dots", "..", "token_malformed"},
		{"8 MB of dots", strings.Repeat(".", 8<<20), "token_malformed"},
		{"JWE", good + ".AA.AA", "token_malformed"},
		{"tampered", tampered(good), "token_invalid"},
		{"foreign key, our kid", signed(t, i.claims(), i.kid, stranger.signer), "token_invalid"},
		{"foreign key", stranger.sign(t, nil), "token_invalid"},
		{"other algorithm, our kid", confused, "token_invalid"},
		{"alg none", header(`{"alg":"none","kid":"` + i.kid + `","typ":"at+jwt"}`), "token_invalid"},
		{"HMAC", header(`{"alg":"HS256","kid":"` + i.kid + `","typ":"at+jwt"}`), "token_invalid"},
		{"jku", header(`{"alg":"ES256","jku":"https://evil.example","kid":"` + i.kid + `","typ":"at+jwt"}`), "token_invalid"},
		{"an ID token", header(`{"alg":"ES256","kid":"` + i.kid + `","typ":"JWT"}`), "token_invalid"},
		{"no type", header(`{"alg":"ES256","kid":"` + i.kid + `"}`), "token_invalid"},
		{"other issuer", i.sign(t, func(c *token.Claims) { c.Issuer += "/" }), "token_invalid"},
		{"other realm", i.sign(t, func(c *token.Claims) { c.Realm = "members" }), "token_invalid"},
		{"longer than an hour", i.sign(t, func(c *token.Claims) { c.ExpiresAt = c.IssuedAt + 3601 }), "token_invalid"},
		{"ends before it begins", i.sign(t, func(c *token.Claims) { c.ExpiresAt = c.IssuedAt - 1 }), "token_invalid"},
		{"numbers that overflow", i.sign(t, func(c *token.Claims) { c.IssuedAt, c.ExpiresAt = math.MinInt64, math.MaxInt64 }), "token_invalid"},
		{"no session", signedRaw(t, i, `{"iss":"`+office+`"}`), "token_malformed"},
		{"other audience", i.sign(t, func(c *token.Claims) { c.Audience = []string{"market"} }), "token_wrong_audience"},
		{"no audience", i.sign(t, func(c *token.Claims) { c.Audience = nil }), "token_wrong_audience"},
		{"expired", i.sign(t, func(c *token.Claims) { c.IssuedAt -= 1000; c.ExpiresAt -= 1000 }), "token_expired"},
		{"of tomorrow", i.sign(t, func(c *token.Claims) { c.IssuedAt += 86400; c.ExpiresAt += 86400 }), "token_not_yet_valid"},
		{"not before tomorrow", i.sign(t, func(c *token.Claims) { c.NotBefore = c.IssuedAt + 86400 }), "token_not_yet_valid"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			check(t, v, test.raw, test.want)
			check(t, v, test.raw, test.want)
		})
	}
}

// tampered is a token whose signature is spelled well and does not hold.
func tampered(raw string) string {
	at := strings.LastIndexByte(raw, '.') + 1
	if raw[at] == 'A' {
		return raw[:at] + "B" + raw[at+1:]
	}
	return raw[:at] + "A" + raw[at+1:]
}

// signedRaw signs a payload that Sign would not write.
func signedRaw(t testing.TB, i *issuer, payload string) string {
	t.Helper()
	header, _ := json.Marshal(map[string]string{"alg": "ES256", "kid": i.kid, "typ": "at+jwt"})
	input := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	return input + "." + ecdsaSignature(t, i, input)
}

// What the moment and the route decide is judged at each sight of a token.
func TestNeeds(t *testing.T) {
	i := newIssuer(t, office)
	var clock struct {
		sync.Mutex
		ahead time.Duration
	}
	config := i.config()
	config.Now = func() time.Time {
		clock.Lock()
		defer clock.Unlock()
		return time.Now().Add(clock.ahead)
	}
	v := ready(t, config)
	raw := i.sign(t, nil)
	unconfirmed := i.sign(t, func(c *token.Claims) { c.CheckedAt = 0 })
	need := func(raw string, need verify.Need, want string) {
		t.Helper()
		if _, err := v.Check(t.Context(), raw, need); verify.CodeOf(err) != want {
			t.Errorf("%+v: got %v, want %q", need, err, want)
		}
	}
	need(raw, verify.Need{Roles: []string{"editor"}}, "role_missing")
	need(raw, verify.Need{Roles: []string{"editor", "viewer"}, MaxCheckAge: time.Minute, Fresh: true}, "")
	need(raw, verify.Need{Realm: "members", Roles: []string{"viewer"}}, "role_missing")
	need(raw, verify.Need{Realm: "members"}, "role_missing")
	need(raw, verify.Need{MaxCheckAge: 20 * time.Second}, "token_stale_check")
	need(unconfirmed, verify.Need{MaxCheckAge: time.Hour}, "token_stale_check")
	_, err := v.Check(t.Context(), raw, verify.Need{MaxCheckAge: 20 * time.Second})
	if problem, ok := errors.AsType[*fault.Error](err); !ok || problem.MaxCheckAge != 20*time.Second {
		t.Errorf("got %+v, want max_check_age", err)
	}
	clock.Lock()
	clock.ahead = time.Hour
	clock.Unlock()
	need(raw, verify.Need{}, "token_expired")
}

// A role counts within its realm: an editor among the members is none among the staff.
// A route that is made for Munjigi's own calls admits those and nobody else; all other routes refuse them. Whatever order
// the token is seen in: what is remembered of it must not let it through.
func TestMunjigisOwnCalls(t *testing.T) {
	i := newIssuer(t, office)
	v := ready(t, i.config())
	own := func(c *token.Claims) {
		c.Subject, c.ClientID, c.Realm, c.Roles, c.Email, c.Name, c.CheckedAt = "munjigi", "munjigi", "munjigi", []string{}, "", "", 0
	}
	call := i.sign(t, own)
	forOthers := i.sign(t, func(c *token.Claims) { own(c); c.Audience = []string{"market"} })
	ours := verify.Need{Realm: verify.Munjigi}
	for _, test := range []struct {
		name, raw string
		need      verify.Need
		want      string
	}{
		{"our call, at its route", call, ours, ""},
		{"our call, at its route, fresh", call, verify.Need{Realm: verify.Munjigi, Fresh: true}, ""},
		{"our call, at a route for everybody", call, verify.Need{}, "token_invalid"},
		{"our call, at a route of the staff", call, verify.Need{Realm: "staff"}, "token_invalid"},
		{"our call, at its route again", call, ours, ""},
		{"our call to another service", forOthers, ours, "token_wrong_audience"},
		{"a person, at our route", i.sign(t, nil), ours, "role_missing"},
		{"a person of another realm, at our route", i.sign(t, func(c *token.Claims) { c.Realm = "members" }), ours, "token_invalid"},
	} {
		for range 2 { // the first sight and the second
			claims, err := v.Check(t.Context(), test.raw, test.need)
			if verify.CodeOf(err) != test.want {
				t.Errorf("%s: got %v, want %q", test.name, err, test.want)
			}
			if err == nil && (claims.Realm != verify.Munjigi || claims.Subject != "munjigi") {
				t.Errorf("%s: got the claims %+v", test.name, claims)
			}
		}
	}
}

func TestRolesOfSeveralRealms(t *testing.T) {
	i := newIssuer(t, office)
	config := i.config()
	config.Realms = []string{"staff", "members"}
	v := ready(t, config)
	member := i.sign(t, func(c *token.Claims) { c.Realm, c.Roles = "members", []string{"editor"} })
	for want, need := range map[string]verify.Need{
		"":             {Realm: "members", Roles: []string{"editor"}},
		"role_missing": {Realm: "staff", Roles: []string{"editor"}},
		"internal":     {Roles: []string{"editor"}}, // nobody said in which
	} {
		if _, err := v.Check(t.Context(), member, need); verify.CodeOf(err) != want {
			t.Errorf("%+v: got %v, want %q", need, err, want)
		}
	}
}

func TestEndedSessions(t *testing.T) {
	i := newIssuer(t, office)
	v := ready(t, i.config())
	at := time.Unix(1790000000, 0).UTC()
	for _, reason := range []string{"signed_out", "replaced", "revoked", "cut_off", "unconfirmed", "reused", "expired", "of a later version"} {
		sid := token.NewSessionID()
		raw := i.sign(t, func(c *token.Claims) { c.SessionID = sid })
		check(t, v, raw, "")
		entries := v.Stats().Entries
		i.end(sid, token.Ended{Reason: reason, At: at, By: "Chrome on Windows"})
		eventually(t, func() bool { return v.Stats().Entries > entries })
		_, err := v.Verify(t.Context(), raw)
		problem, _ := errors.AsType[*fault.Error](err)
		want := &fault.Error{Code: fault.Code("session_" + reason)}
		switch reason {
		case "replaced":
			want.ReplacedAt, want.ReplacedBy = at, "Chrome on Windows"
		case "of a later version":
			want.Code = fault.SessionRevoked
		}
		if diff := cmp.Diff(want, problem); diff != "" {
			t.Errorf("%s: %s", reason, diff)
		}
		check(t, v, i.sign(t, func(c *token.Claims) { c.SessionID = sid }), string(want.Code)) // another token of it, not seen before
	}
	sid := token.NewSessionID()
	raw := i.sign(t, func(c *token.Claims) { c.SessionID = sid })
	entries := v.Stats().Entries
	i.publish(token.FeedEntry{ID: sid.FeedID().String(), Until: time.Now().Add(time.Hour).Unix(), Box: "not a box"})
	eventually(t, func() bool { return v.Stats().Entries > entries })
	check(t, v, raw, "session_revoked")
}

// eventually waits for something that another goroutine does, as soon as it may be.
func eventually(t testing.TB, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal("it did not come about")
		}
	}
}

func TestClaims(t *testing.T) {
	i := newIssuer(t, office)
	v := ready(t, i.config())
	wire := i.claims()
	raw := signed(t, wire, i.kid, i.signer)
	claims, err := v.Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := json.Marshal(wire)
	if got, err := json.Marshal(claims); err != nil || string(got) != string(want) {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if !claims.HasRole("staff", "viewer") || claims.HasRole("members", "viewer") || claims.HasRole("staff", "admin") {
		t.Error("roles are compared within a realm")
	}
	claims.Roles()[0] = "admin" // one request must not change what the next one reads
	claims.Audience()[0] = "other"
	again, err := v.Verify(t.Context(), raw)
	if err != nil || again.HasRole("staff", "admin") || again.Audience()[0] != "wishlist" {
		t.Errorf("got %+v, %v", again, err)
	}
	unchecked, err := v.Verify(t.Context(), i.sign(t, func(c *token.Claims) { c.CheckedAt = 0 }))
	if err != nil || !unchecked.CheckedAt.IsZero() {
		t.Errorf("got %v, %v", unchecked.CheckedAt, err)
	}
}

func TestSecondSightAllocatesNothing(t *testing.T) {
	i := newIssuer(t, office)
	v := ready(t, i.config())
	raw := i.sign(t, nil)
	need := verify.Need{Roles: []string{"editor", "viewer"}, MaxCheckAge: time.Hour, Fresh: true}
	ctx := t.Context()
	if got := testing.AllocsPerRun(1000, func() {
		if _, err := v.Check(ctx, raw, need); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Errorf("got %v allocations, want none", got)
	}
	dots := strings.Repeat(".", 8<<20)
	start := time.Now()
	for range 100 {
		if _, err := v.Verify(ctx, dots); err == nil {
			t.Fatal("accepted")
		}
	}
	if took := time.Since(start) / 100; took > time.Millisecond {
		t.Errorf("8 MB of dots took %s", took)
	}
}

// The cache is bounded, and what falls out of it is only checked again.
func TestCacheIsBounded(t *testing.T) {
	i := newIssuer(t, office)
	config := i.config()
	config.CacheTokens = 16
	v := ready(t, config)
	raws := make([]string, 200)
	for n := range raws {
		raws[n] = i.sign(t, func(c *token.Claims) { c.Subject = fmt.Sprint(n) })
	}
	for range 2 {
		for n, raw := range raws {
			if claims, err := v.Verify(t.Context(), raw); err != nil || claims.Subject != fmt.Sprint(n) {
				t.Fatalf("got %q, %v, want %d", claims.Subject, err, n)
			}
		}
	}
	if got := v.Stats().Cached; got > 16 || got < 4 {
		t.Errorf("got %d tokens", got)
	}
	before := v.Stats().Cached
	check(t, v, i.sign(t, func(c *token.Claims) { c.Audience = []string{"market"} }), "token_wrong_audience")
	if got := v.Stats().Cached; got != before {
		t.Error("a token for another service takes a place")
	}
}

// Many requests with many tokens at once: everybody gets his own claims.
func TestParallel(t *testing.T) {
	i := newIssuer(t, office)
	config := i.config()
	config.CacheTokens = 64
	v := ready(t, config)
	raws := make([]string, 100)
	for n := range raws {
		raws[n] = i.sign(t, func(c *token.Claims) { c.Subject = fmt.Sprint(n) })
	}
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for round := range 300 {
				n := (worker*37 + round*7) % len(raws)
				if claims, err := v.Verify(t.Context(), raws[n]); err != nil || claims.Subject != fmt.Sprint(n) {
					t.Errorf("got %q, %v, want %d", claims.Subject, err, n)
				}
				if round%50 == 0 && worker == 0 {
					i.publish(token.FeedEntry{ID: token.NewSessionID().FeedID().String(), Until: time.Now().Add(time.Hour).Unix()})
				}
			}
		})
	}
	all.Wait()
}

// A million texts that are nearly tokens: none is accepted, none does harm. Every change of an accepted token has to
// make another text; the generator sees to that.
func TestMillionOfMutations(t *testing.T) {
	i := newIssuer(t, office)
	v := ready(t, i.config())
	ctx := t.Context()
	good := map[string]bool{}
	var seeds []string
	for range 4 {
		raw := i.sign(t, nil)
		good[raw] = true
		seeds = append(seeds, raw)
		check(t, v, raw, "")
	}
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 1_000_000 {
		raw := mutate(random, seeds[random.IntN(len(seeds))], n)
		if good[raw] {
			continue
		}
		if claims, err := v.Verify(ctx, raw); err == nil || claims.Subject != "" {
			t.Fatalf("accepted %q", raw)
		}
	}
}

// mutate is cheap for most n: a signature check takes two hundred times as long as all the rest.
func mutate(random *rand.Rand, raw string, n int) string {
	text := []byte(raw)
	dot := strings.LastIndexByte(raw, '.')
	at := random.IntN(len(text))
	if n%50 != 0 { // most leave header and signature unreadable
		at = random.IntN(strings.IndexByte(raw, '.'))
	}
	switch n % 10 {
	case 0:
		text[at] ^= 1 << random.IntN(8)
	case 1:
		text[at] = byte(random.IntN(256))
	case 2:
		text = text[:at]
	case 3:
		text = append(text[:at], text[random.IntN(len(text)):]...)
	case 4:
		text = append(text, text[at:]...)
	case 5:
		return forgeHeader(random, raw)
	case 6:
		return raw[:dot+1] + "." + raw[at:]
	case 7:
		text[at], text[len(text)-1-at] = text[len(text)-1-at], text[at]
		text[0] = '.'
	case 8:
		return strings.Repeat(raw[:at+1], 1+random.IntN(20))
	case 9:
		for range 8 {
			text[random.IntN(len(text))] = "{}[]\":,.\\ \n\x00=/+"[random.IntN(15)]
		}
	}
	return string(text)
}

func forgeHeader(random *rand.Rand, raw string) string {
	algorithms := []string{"none", "None", "HS256", "ES384", "PS256", "", "ES256", "EdDSA", "RS256"}
	extras := []string{``, `,"jku":"x"`, `,"crit":[]`, `,"alg":"none"`, `,"zip":"DEF"`, `,"x":` + strings.Repeat("[", random.IntN(40))}
	header := fmt.Sprintf(`{"alg":%q,"kid":"k%d","typ":"at+jwt"%s}`, algorithms[random.IntN(len(algorithms))], random.IntN(1000), extras[random.IntN(len(extras))])
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + raw[strings.IndexByte(raw, '.'):]
}

func FuzzVerify(f *testing.F) {
	i := newIssuer(f, office)
	v := ready(f, i.config())
	raw := i.sign(f, nil)
	f.Add(raw)
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := v.Verify(t.Context(), text); err == nil && text != raw {
			t.Errorf("accepted %q", text)
		}
	})
}
