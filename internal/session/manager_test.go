package session_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store"
	"github.com/munjigi/munjigi/internal/token"
)

// office is a manager over a real store and real keys, with a clock of its own.
type office struct {
	*session.Manager
	store  *store.Store
	ring   *keys.Ring
	sealer *keys.Sealer
	path   string
	mu     sync.Mutex // guards clock
	clock  time.Time
}

var (
	tools = account.App{Name: "tools", Realm: "staff", Services: []string{"wishlist", "market"}}
	phone = account.App{Name: "phone", Realm: "staff", Services: []string{"wishlist"}, Body: true}
	linux = session.Caller{Device: "Firefox on Linux", From: "192.0.2.1"}
	other = session.Caller{Device: "Chrome on Windows", From: "192.0.2.2"}
)

func policy(change func(*session.Policy)) session.Policy {
	p := session.Policy{
		Access: 5 * time.Minute, Idle: 12 * time.Hour, Max: 7 * 24 * time.Hour, PerAccount: 5,
		WhenFull: session.Replace, RenewGrace: 10 * time.Second, LostAnswers: 2,
	}
	if change != nil {
		change(&p)
	}
	return p
}

func open(t *testing.T, change func(*session.Config)) *office {
	t.Helper()
	o := &office{path: filepath.Join(t.TempDir(), "munjigi.db"), clock: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)}
	var err error
	if o.sealer, err = keys.CreateSealer(filepath.Join(t.TempDir(), "munjigi.key")); err != nil {
		t.Fatal(err)
	}
	o.start(t, change)
	return o
}

// start opens the store at o.path and everything above it, as a start of the program does.
func (o *office) start(t *testing.T, change func(*session.Config)) {
	t.Helper()
	var err error
	log := slog.New(slog.DiscardHandler)
	o.store, err = store.Open(t.Context(), store.Config{Database: "sqlite:" + o.path, Sealer: o.sealer, Now: o.now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.store.Close() })
	o.ring, err = keys.Open(t.Context(), keys.Config{Store: o.store, Now: o.now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	c := session.Config{
		Issuer: "https://office.example.com", Store: o.store, Lineage: o.store, Keys: o.ring,
		Realms: map[string]session.Realm{"staff": {Policy: policy(nil)}}, Now: o.now, Log: log,
	}
	if change != nil {
		change(&c)
	}
	if o.Manager, err = session.NewManager(t.Context(), c); err != nil {
		t.Fatal(err)
	}
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

func (o *office) signIn(t *testing.T, person string, app account.App, c session.Caller) session.Answer {
	t.Helper()
	answer, err := o.Begin(t.Context(), o.signInOf(person, app, c))
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func (o *office) signInOf(person string, app account.App, c session.Caller) session.SignIn {
	return session.SignIn{
		App: app, Caller: c, Grant: "grant of " + person, RecheckAt: o.now().Add(time.Minute),
		Identity: account.Identity{Realm: "staff", Issuer: "https://id.example.com", Subject: person},
		Profile:  account.Profile{Email: person + "@example.com", Name: person, Roles: []string{"viewer"}, CheckedAt: o.now()},
	}
}

func (o *office) renewal(refreshToken string) session.Renewal {
	return session.Renewal{App: tools, RefreshToken: refreshToken, MaxCheckAge: -1, Caller: linux}
}

func (o *office) renew(t *testing.T, refreshToken string) session.Answer {
	t.Helper()
	answer, err := o.Renew(t.Context(), o.renewal(refreshToken))
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func wantCode(t *testing.T, err error, want fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
}

func TestARepeatIsTheSameAnswerByteForByte(t *testing.T) {
	o := open(t, nil)
	first := o.signIn(t, "kim", tools, linux)
	if again := o.renew(t, first.RefreshToken); string(again.JSON) != string(first.JSON) {
		t.Errorf("a renewal within the grace of the sign-in:\n got %s\nwant %s", again.JSON, first.JSON)
	}
	o.later(time.Minute)
	second := o.renew(t, first.RefreshToken)
	o.later(5 * time.Second)
	for name, refreshToken := range map[string]string{"presented": first.RefreshToken, "current": second.RefreshToken} {
		if again := o.renew(t, refreshToken); string(again.JSON) != string(second.JSON) || again.RefreshToken != second.RefreshToken {
			t.Errorf("%s:\n got %s\nwant %s", name, again.JSON, second.JSON)
		}
	}
	o.start(t, nil) // as after a crash: another process, the same store
	if again := o.renew(t, first.RefreshToken); string(again.JSON) != string(second.JSON) {
		t.Errorf("after a restart:\n got %s\nwant %s", again.JSON, second.JSON)
	}
}

func TestAThousandParallelRenewalsAreOneRotation(t *testing.T) {
	o := open(t, nil)
	refreshToken := o.signIn(t, "kim", tools, linux).RefreshToken
	for round := range int64(3) {
		o.later(time.Minute)
		answers := parallel(1000, func(int) (session.Answer, error) { return o.Renew(t.Context(), o.renewal(refreshToken)) })
		for _, a := range answers {
			if a.err != nil {
				t.Fatal(a.err)
			}
			if string(a.value.JSON) != string(answers[0].value.JSON) {
				t.Fatalf("two bodies:\n%s\n%s", a.value.JSON, answers[0].value.JSON)
			}
		}
		if got := answers[0].value.Session.Rotation.Generation; got != round+1 {
			t.Fatalf("generation %d, want %d: one rotation a round", got, round+1)
		}
		refreshToken = answers[0].value.RefreshToken
	}
}

type result[T any] struct {
	value T
	err   error
}

// parallel calls do n times at once.
func parallel[T any](n int, do func(i int) (T, error)) []result[T] {
	results := make([]result[T], n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { results[i].value, results[i].err = do(i) })
	}
	wg.Wait()
	return results
}

func TestAnOlderTokenEndsTheSession(t *testing.T) {
	o := open(t, nil)
	stolen := o.signIn(t, "kim", tools, linux).RefreshToken
	refreshToken := stolen
	for range 3 {
		o.later(time.Minute)
		refreshToken = o.renew(t, refreshToken).RefreshToken
	}
	_, err := o.Renew(t.Context(), o.renewal(stolen))
	wantCode(t, err, fault.SessionReused)
	_, err = o.Renew(t.Context(), o.renewal(refreshToken))
	wantCode(t, err, fault.SessionReused)
	o.wantAudit(t, audit.SessionEnded, 1)
}

// wantAudit counts the events of one action.
func (o *office) wantAudit(t *testing.T, action audit.Action, want int) {
	t.Helper()
	records, err := o.store.Records(t.Context(), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for _, r := range records {
		if r.Action == action {
			got++
		}
	}
	if got != want {
		t.Errorf("%d audit events %q, want %d", got, action, want)
	}
}

func TestTwoLostAnswersADayAreMadeGoodTheThirdIsAThief(t *testing.T) {
	o := open(t, nil)
	refreshToken := o.signIn(t, "kim", tools, linux).RefreshToken
	for range 2 {
		o.later(time.Hour)
		o.renew(t, refreshToken) // the answer is lost on the way
		o.later(time.Hour)
		refreshToken = o.renew(t, refreshToken).RefreshToken
	}
	o.wantAudit(t, audit.AnswerLost, 2)
	o.later(time.Hour)
	o.renew(t, refreshToken)
	o.later(time.Hour)
	_, err := o.Renew(t.Context(), o.renewal(refreshToken))
	wantCode(t, err, fault.SessionReused)
}

func TestAThiefBesideTheOwnerIsFoundWithinThreeRotations(t *testing.T) {
	o := open(t, nil)
	owner := o.signIn(t, "kim", tools, linux).RefreshToken
	thief := owner
	for rotation := 1; rotation <= 6; rotation++ {
		o.later(5 * time.Minute)
		answer, err := o.Renew(t.Context(), o.renewal(owner))
		if err == nil {
			owner = answer.RefreshToken
			o.later(time.Minute)
			if answer, err = o.Renew(t.Context(), o.renewal(thief)); err == nil {
				thief = answer.RefreshToken
				continue
			}
		}
		wantCode(t, err, fault.SessionReused)
		return
	}
	t.Error("owner and thief both renew on")
}

func TestPerAccountOneLeavesOneAliveAndTellsEachOther(t *testing.T) {
	o := open(t, func(c *session.Config) {
		c.Realms = map[string]session.Realm{"staff": {Policy: policy(func(p *session.Policy) { p.PerAccount = 1 })}}
	})
	signIns := parallel(100, func(i int) (session.Answer, error) {
		return o.Begin(t.Context(), o.signInOf("kim", tools, session.Caller{Device: fmt.Sprintf("Device %d", i)}))
	})
	o.later(time.Minute)
	alive := 0
	for _, in := range signIns {
		if in.err != nil {
			t.Fatal(in.err)
		}
		_, err := o.Renew(t.Context(), o.renewal(in.value.RefreshToken))
		if err == nil {
			alive++
			continue
		}
		wantCode(t, err, fault.SessionReplaced)
		told, _ := errors.AsType[*fault.Error](err)
		if told.ReplacedAt.IsZero() || told.ReplacedBy == "" || told.ReplacedBy == in.value.Session.Device {
			t.Errorf("replaced at %v by %q, want when and by another device", told.ReplacedAt, told.ReplacedBy)
		}
	}
	if alive != 1 {
		t.Errorf("%d sessions alive, want 1", alive)
	}
	o.wantAudit(t, audit.SessionEnded, 99)
}

func TestRefuseWhenFull(t *testing.T) {
	o := open(t, func(c *session.Config) {
		c.Realms = map[string]session.Realm{"staff": {Policy: policy(func(p *session.Policy) { p.PerAccount, p.WhenFull = 2, session.Refuse })}}
	})
	o.signIn(t, "kim", tools, linux)
	o.signIn(t, "kim", tools, other)
	_, err := o.Begin(t.Context(), o.signInOf("kim", tools, linux))
	wantCode(t, err, fault.SessionLimit)
	o.signIn(t, "lee", tools, linux)
	refusal, _ := errors.AsType[*fault.Error](err)
	chosen := refusal.Sessions.([]session.Session)[1].ID
	in := o.signInOf("kim", tools, linux)
	in.End = &chosen
	if _, err := o.Begin(t.Context(), in); err != nil {
		t.Errorf("in place of a chosen one: %v", err)
	}
	if _, _, err := o.Identified(t.Context(), chosen); fault.CodeOf(err) != fault.SessionReplaced {
		t.Errorf("the chosen one: %v", err)
	}
	o.later(13 * time.Hour) // idle: expired counts as ended although nothing has cleaned up
	o.signIn(t, "kim", tools, linux)
}

func TestASignInEndsTheSessionItBrought(t *testing.T) {
	o := open(t, nil)
	before := o.signIn(t, "kim", tools, linux)
	in := o.signInOf("lee", tools, linux)
	in.Brought = &before.Session.ID
	after, err := o.Begin(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	_, err = o.Renew(t.Context(), o.renewal(before.RefreshToken))
	wantCode(t, err, fault.SessionSignedOut)
	if o.renew(t, after.RefreshToken).Session.Account == before.Session.Account {
		t.Error("two people share an account")
	}
}

func TestAStorePutBackIsNoticed(t *testing.T) {
	for name, lost := range map[string]bool{"a generation from its future": false, "a session it never saw": true} {
		t.Run(name, func(t *testing.T) {
			o := open(t, nil)
			kept := o.signIn(t, "kim", tools, linux)
			o.copyStore(t, o.path+".copy")
			o.later(time.Minute)
			future := o.renew(t, kept.RefreshToken).RefreshToken
			if lost {
				future = o.signIn(t, "lee", tools, linux).RefreshToken
			}
			o.putBack(t)
			_, err := o.Renew(t.Context(), o.renewal(future))
			wantCode(t, err, fault.StoreRolledBack)
			_, err = o.Renew(t.Context(), o.renewal(kept.RefreshToken))
			wantCode(t, err, fault.StoreRolledBack)
			o.start(t, nil)
			_, err = o.Renew(t.Context(), o.renewal(kept.RefreshToken)) // a restart forgets nothing
			wantCode(t, err, fault.StoreRolledBack)

			o.later(time.Minute)
			ending := session.Ending{Reason: session.Revoked, At: o.now(), Actor: audit.Actor{Kind: audit.ByCommand}}
			if _, err := o.store.Recover(t.Context(), ending, audit.Event{At: o.now(), Action: audit.StoreRecovered}); err != nil {
				t.Fatal(err)
			}
			o.start(t, nil)
			_, err = o.Renew(t.Context(), o.renewal(kept.RefreshToken))
			wantCode(t, err, fault.SessionRevoked)
			_, err = o.Renew(t.Context(), o.renewal(future))
			if code := fault.CodeOf(err); code != fault.SessionRevoked && code != fault.SessionUnknown {
				t.Errorf("a token from the lost future: got %v, want a session that is over", err)
			}
			o.signIn(t, "kim", tools, linux)
		})
	}
}

// copyStore writes what is committed to a file of its own.
func (o *office) copyStore(t *testing.T, to string) {
	t.Helper()
	o.store.Close() // so that everything is in the one file
	data, err := os.ReadFile(o.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
	o.start(t, nil)
}

func (o *office) putBack(t *testing.T) {
	t.Helper()
	o.store.Close()
	for _, extra := range []string{"-wal", "-shm"} {
		os.Remove(o.path + extra)
	}
	if err := os.Rename(o.path+".copy", o.path); err != nil {
		t.Fatal(err)
	}
	o.start(t, nil)
}

// flaky is a store that does what it is asked and loses the answer.
type flaky struct {
	session.Store
	lose bool
}

func (f *flaky) Rotate(ctx context.Context, id token.SessionID, from int64, next session.Rotation, lost []time.Time, e *audit.Event) (session.Session, error) {
	s, err := f.Store.Rotate(ctx, id, from, next, lost, e)
	if f.lose {
		return session.Session{}, errors.New("connection reset")
	}
	return s, err
}

func TestARotationWhoseAnswerWasLostInTheStoreIsRepeated(t *testing.T) {
	var store *flaky
	o := open(t, func(c *session.Config) { store = &flaky{Store: c.Store}; c.Store = store })
	first := o.signIn(t, "kim", tools, linux)
	o.later(time.Minute)
	store.lose = true
	if _, err := o.Renew(t.Context(), o.renewal(first.RefreshToken)); err == nil {
		t.Fatal("the store's error was swallowed")
	}
	store.lose = false
	if got := o.renew(t, first.RefreshToken).Session.Rotation.Generation; got != 1 {
		t.Errorf("generation %d, want 1: the retry gets the rotation that was done", got)
	}
}

func TestOneServiceAlone(t *testing.T) {
	o := open(t, nil)
	refreshToken := o.signIn(t, "kim", tools, linux).RefreshToken
	all := audienceOf(t, o.renew(t, refreshToken))
	r := o.renewal(refreshToken)
	r.Service = "market"
	one, err := o.Renew(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"wishlist", "market"}, {"market"}}, [][]string{all, audienceOf(t, one)}); diff != "" {
		t.Errorf("audiences (-want +got):\n%s", diff)
	}
	r.Service = "payroll"
	_, err = o.Renew(t.Context(), r)
	wantCode(t, err, fault.RequestInvalid)
}

func audienceOf(t *testing.T, a session.Answer) []string {
	t.Helper()
	var body struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(a.JSON, &body); err != nil {
		t.Fatal(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(body.AccessToken, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims token.Claims
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims.Audience
}

func TestCarriers(t *testing.T) {
	o := open(t, nil)
	cookie, body := o.signIn(t, "kim", tools, linux), o.signIn(t, "lee", phone, linux)
	for name, r := range map[string]session.Renewal{
		"a cookie's token in a body":     {App: phone, RefreshToken: cookie.RefreshToken, Body: true},
		"a body's token in a cookie":     {App: tools, RefreshToken: body.RefreshToken},
		"a body's token for another app": {App: account.App{Name: "tablet", Realm: "staff", Body: true}, RefreshToken: body.RefreshToken, Body: true},
		"another realm":                  {App: account.App{Name: "shop", Realm: "members"}, RefreshToken: cookie.RefreshToken},
		"forged":                         {App: tools, RefreshToken: cookie.RefreshToken + "A"},
	} {
		_, err := o.Renew(t.Context(), r)
		t.Log(name)
		wantCode(t, err, fault.SessionUnknown)
	}
	_, err := o.Renew(t.Context(), session.Renewal{App: tools})
	wantCode(t, err, fault.SessionMissing)
	o.later(time.Minute)
	renewed, err := o.Renew(t.Context(), session.Renewal{App: phone, RefreshToken: body.RefreshToken, Body: true, MaxCheckAge: -1, Caller: linux})
	if err != nil {
		t.Fatal(err)
	}
	var sent struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err := json.Unmarshal(renewed.JSON, &sent); err != nil || sent.RefreshToken != renewed.RefreshToken {
		t.Errorf("body carrier: refresh_token %q, want the new one (%v)", sent.RefreshToken, err)
	}
}

func TestSignOutEverywhere(t *testing.T) {
	o := open(t, nil)
	here, there := o.signIn(t, "kim", tools, linux), o.signIn(t, "kim", tools, other)
	if err := o.SignOut(t.Context(), here.Session, true, linux); err != nil {
		t.Fatal(err)
	}
	for refreshToken, want := range map[string]fault.Code{here.RefreshToken: fault.SessionSignedOut, there.RefreshToken: fault.SessionRevoked} {
		_, err := o.Renew(t.Context(), o.renewal(refreshToken))
		wantCode(t, err, want)
		_, _, err = o.Identify(t.Context(), refreshToken, "staff")
		wantCode(t, err, want)
	}
}

// breaking is a store that cannot end sessions when it is told so.
type breaking struct {
	session.Store
	end, endAccount bool
}

func (b *breaking) End(ctx context.Context, id token.SessionID, e session.Ending) (session.Session, error) {
	if b.end {
		return session.Session{}, errors.New("disk full")
	}
	return b.Store.End(ctx, id, e)
}

func (b *breaking) EndAccount(ctx context.Context, account string, except token.SessionID, e session.Ending) ([]session.Session, error) {
	if b.endAccount {
		return nil, errors.New("disk full")
	}
	return b.Store.EndAccount(ctx, account, except, e)
}

func TestSignOutEverywhereThatFailedCanBeTriedAgain(t *testing.T) {
	for name, broken := range map[string]breaking{"the others": {endAccount: true}, "this one": {end: true}} {
		t.Run(name, func(t *testing.T) {
			store := &breaking{}
			o := open(t, func(c *session.Config) { store.Store = c.Store; c.Store = store })
			here, there := o.signIn(t, "kim", tools, linux), o.signIn(t, "kim", tools, other)
			store.end, store.endAccount = broken.end, broken.endAccount
			if err := o.SignOut(t.Context(), here.Session, true, linux); err == nil {
				t.Fatal("the store's error was swallowed")
			}
			store.end, store.endAccount = false, false
			row, _, err := o.Identify(t.Context(), here.RefreshToken, "staff")
			if err != nil {
				t.Fatalf("there is no session left to try again with: %v", err)
			}
			if err := o.SignOut(t.Context(), row, true, linux); err != nil {
				t.Fatal(err)
			}
			_, _, err = o.Identify(t.Context(), there.RefreshToken, "staff")
			wantCode(t, err, fault.SessionRevoked)
		})
	}
}

func TestIdentifyKnowsNoOldTokens(t *testing.T) {
	o := open(t, nil)
	tokens := []string{o.signIn(t, "kim", tools, linux).RefreshToken}
	for i := range 2 {
		o.later(time.Minute)
		tokens = append(tokens, o.renew(t, tokens[i]).RefreshToken)
	}
	for i, want := range []fault.Code{fault.SessionUnknown, "", ""} {
		_, _, err := o.Identify(t.Context(), tokens[i], "staff")
		wantCode(t, err, want)
	}
	_, _, err := o.Identify(t.Context(), tokens[2], "members")
	wantCode(t, err, fault.SessionUnknown)
}

func TestARetiredKeyIsNotRepeated(t *testing.T) {
	o := open(t, nil)
	first := o.signIn(t, "kim", tools, linux)
	if err := o.ring.Retire(t.Context(), first.Session.Rotation.KeyID, audit.Actor{Kind: audit.ByCommand}); err != nil {
		t.Fatal(err)
	}
	again := o.renew(t, first.RefreshToken)
	if again.Session.Rotation.KeyID == first.Session.Rotation.KeyID || again.Session.Rotation.Generation != 1 {
		t.Errorf("got generation %d with key %s, want a new one with another key", again.Session.Rotation.Generation, again.Session.Rotation.KeyID)
	}
}

// disabling is a store in which an account has been disabled, and none of its sessions ended with it.
type disabling struct {
	session.Store
	disabled bool
}

func (d *disabling) Session(ctx context.Context, id token.SessionID) (session.Session, account.Account, error) {
	s, who, err := d.Store.Session(ctx, id)
	who.Disabled = who.Disabled || d.disabled
	return s, who, err
}

// However an account came to be disabled: nothing is signed for it any more, not even a repeat, and the renewal that
// finds out ends the session for every service.
func TestADisabledAccountIsCutOffAtItsRenewal(t *testing.T) {
	for name, wait := range map[string]time.Duration{"a repeat": time.Second, "a renewal": time.Minute} {
		t.Run(name, func(t *testing.T) {
			var store *disabling
			o := open(t, func(c *session.Config) { store = &disabling{Store: c.Store}; c.Store = store })
			first := o.signIn(t, "kim", tools, linux)
			o.later(time.Hour)
			first = o.renew(t, first.RefreshToken)
			o.Manager, _ = session.NewManager(t.Context(), o.Config) // another node, that remembers nothing
			store.disabled = true
			o.later(wait)
			_, _, err := o.Identify(t.Context(), first.RefreshToken, "staff")
			wantCode(t, err, fault.SessionCutOff)
			for range 2 {
				_, err = o.Renew(t.Context(), o.renewal(first.RefreshToken))
				wantCode(t, err, fault.SessionCutOff)
			}
			o.wantAudit(t, audit.SessionEnded, 1)
			store.disabled = false // which brings no session back
			_, err = o.Renew(t.Context(), o.renewal(first.RefreshToken))
			wantCode(t, err, fault.SessionCutOff)
		})
	}
}
