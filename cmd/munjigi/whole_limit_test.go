package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
)

// limited is what a session_limit bears.
type limited struct {
	Sessions []struct {
		ID        string `json:"id"`
		Device    string `json:"device"`
		StartedAt int64  `json:"started_at"`
	} `json:"sessions"`
	Ticket string `json:"ticket"`
}

// wantLimit reads a session_limit.
func wantLimit(t *testing.T, err error, sessions int) limited {
	t.Helper()
	refused, _ := errors.AsType[*ended](err)
	if refused == nil || refused.Code != fault.SessionLimit || refused.Status != http.StatusConflict {
		t.Fatalf("got %v, want session_limit", err)
	}
	text, err := json.Marshal(refused.Problem)
	if err != nil {
		t.Fatal(err)
	}
	var limit limited
	if err := json.Unmarshal(text, &limit); err != nil {
		t.Fatal(err)
	}
	if len(limit.Sessions) != sessions {
		t.Fatalf("offered %s, want %d sessions", text, sessions)
	}
	for _, secret := range []string{"192.0.2", "127.0.0.1", "HandleHash", "From"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%s is in %s", secret, text)
		}
	}
	return limit
}

// choose signs in with a ticket, as a page of the shop.
func (b *browser) choose(ticket, end string) (access string, err error) {
	body := fmt.Sprintf(`{"app":"shop","ticket":%q,"end":%q}`, ticket, end)
	_, access, err = accessOf(b.call(http.MethodPost, b.w.url+"/sign-in/members", body, http.Header{"Munjigi-App": {"shop"}}))
	return access, err
}

// on is a browser on a device.
func (w *whole) on(agent string) *browser {
	b := w.browser()
	b.agent = agent
	return b
}

func (w *whole) enters(t *testing.T, b *browser) (access string) {
	t.Helper()
	_, access, err := accessOf(b.guess("kim", canary))
	if err != nil {
		t.Fatal(err)
	}
	return access
}

func TestWholeAPersonChoosesWhichSessionEnds(t *testing.T) {
	t.Parallel()
	w := startMembers(t, "per_device_class: 1, when_full: refuse", "kim")
	pc, phone, other := w.on(onWindows), w.on(onPhone), w.browser()
	onPC, onThePhone := w.enters(t, pc), w.enters(t, phone)
	_, err := other.guess("kim", canary)
	limit := wantLimit(t, err, 1) // the phone is in nobody's way
	if limit.Sessions[0].Device != "Chrome on Windows" || limit.Sessions[0].StartedAt == 0 {
		t.Errorf("offered %+v", limit.Sessions)
	}
	if len(limit.Ticket) < 100 || strings.Contains(limit.Ticket, "kim") {
		t.Errorf("the ticket is %q", limit.Ticket)
	}
	wantCode(t, pc.me(w.service.URL, onPC), "") // a refusal ends nobody

	_, err = w.on(onWindows).choose(limit.Ticket, limit.Sessions[0].ID) // somebody else's device
	wantCode(t, err, fault.CredentialsWrong)
	access, err := other.choose(limit.Ticket, limit.Sessions[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, other.me(w.service.URL, access), "")
	told := w.wantRefused(t, pc, onPC, fault.SessionReplaced)
	if told.ReplacedBy != "Firefox on Linux" || told.ReplacedAt == 0 {
		t.Errorf("replaced at %d by %q", told.ReplacedAt, told.ReplacedBy)
	}
	_, err = pc.renewShop()
	wantCode(t, err, fault.SessionReplaced)
	wantCode(t, phone.me(w.service.URL, onThePhone), "")

	_, err = other.choose(limit.Ticket, limit.Sessions[0].ID)
	wantCode(t, err, fault.CredentialsWrong)
	if _, err := other.renewShop(); err != nil {
		t.Errorf("a used ticket cost its user the session: %v", err)
	}
	// Whoever signs in again in a browser that has a session needs nobody's place.
	w.enters(t, other)
}

// Many tickets for one place, each used twice at once: one session begins, and everybody else is asked again or told
// that their ticket was used.
func TestWholeTicketsAtOnce(t *testing.T) {
	t.Parallel()
	w := startMembers(t, "per_account: 1, when_full: refuse", "kim")
	w.enters(t, w.on(onPhone))
	const people = 8
	browsers, limits := make([]*browser, people), make([]limited, people)
	for i := range browsers {
		browsers[i] = w.browser()
		_, err := browsers[i].guess("kim", canary)
		limits[i] = wantLimit(t, err, 1)
	}
	results := parallel(2*people, func(i int) error {
		_, err := browsers[i%people].choose(limits[i%people].Ticket, limits[i%people].Sessions[0].ID)
		return err
	})
	count := map[fault.Code]int{}
	for _, err := range results {
		if err != nil && codeOf(err) == "" {
			t.Error(err)
		}
		count[codeOf(err)]++
	}
	if count[""] != 1 || count[fault.SessionLimit] != people-1 || count[fault.CredentialsWrong] != people {
		t.Errorf("got %v", count)
	}
	alive := 0
	for _, b := range browsers {
		if _, err := b.renewShop(); err == nil {
			alive++
		}
	}
	if alive != 1 {
		t.Errorf("%d alive, want 1", alive)
	}
	// Who was asked again has a ticket that is good: the place is somebody else's by now.
	for _, err := range results {
		if codeOf(err) == fault.SessionLimit {
			again := wantLimit(t, err, 1)
			if again.Sessions[0].Device != "Firefox on Linux" {
				t.Errorf("offered %+v", again.Sessions)
			}
			if _, err := w.browser().choose(again.Ticket, again.Sessions[0].ID); err != nil {
				t.Errorf("the second ticket: %v", err)
			}
			break
		}
	}
}

// A ticket is worth what the password was: after that has changed, nothing.
func TestWholeATicketEndsWithThePassword(t *testing.T) {
	t.Parallel()
	w := startMembers(t, "per_account: 1, when_full: refuse", "kim")
	w.enters(t, w.on(onPhone))
	b := w.browser()
	_, err := b.guess("kim", canary)
	limit := wantLimit(t, err, 1)
	w.members(t, "another horse canary staple", "password", "kim", "--password-file", "-")
	_, err = b.choose(limit.Ticket, limit.Sessions[0].ID)
	wantCode(t, err, fault.CredentialsWrong)
}

// After a provider's redirect the browser has nothing but a cookie, and the page asks what there is to choose.
func TestWholeAChoiceAfterAProvidersCallback(t *testing.T) {
	t.Parallel()
	w := startTwoHosts(t)
	pc := w.on(onWindows)
	w.enter(t, pc, "viewer@example.com")
	other := w.browser()
	landed := w.enter(t, other, "viewer@example.com")
	query := landed.Request.URL.Query()
	if !strings.HasPrefix(landed.Request.URL.String(), w.login+"/sign-in/members/again?") || query.Get("reason") != "session_limit" ||
		query.Get("return_to") != "http://127.0.0.1:1/cart" || len(landed.Request.URL.RawQuery) > 300 {
		t.Fatalf("arrived at %s", landed.Request.URL)
	}
	var choice struct {
		App      string `json:"app"`
		ReturnTo string `json:"return_to"`
		limited
	}
	text, err := other.call(http.MethodGet, w.login+"/sign-in/members/choice", "", http.Header{"Origin": nil})
	if err != nil || json.Unmarshal(text, &choice) != nil {
		t.Fatalf("got %s, %v", text, err)
	}
	if choice.App != "shop" || choice.ReturnTo != "http://127.0.0.1:1/cart" || len(choice.Sessions) != 1 || choice.Sessions[0].Device != "Chrome on Windows" || choice.Ticket != "" {
		t.Fatalf("got %s", text)
	}
	ask := func(b *browser, origin string) error { // our own page, at the realm's address, for the shop
		body := fmt.Sprintf(`{"app":"shop","end":%q}`, choice.Sessions[0].ID)
		_, err := b.call(http.MethodPost, w.login+"/sign-in/members", body, http.Header{"Origin": {origin}, "Munjigi-App": {"shop"}})
		return err
	}
	wantCode(t, ask(other, w.url), fault.OriginRefused) // the office's page is not the members'
	wantCode(t, ask(w.browser(), w.login), fault.CredentialsWrong)
	wantCode(t, ask(other, w.login), "")
	_, err = shopCall(other, "POST", w.login+"/session", `{"app":"shop"}`)
	wantCode(t, err, "")
	eventually(t, 5*time.Second, func() error {
		_, err := shopCall(pc, "POST", w.login+"/session", `{"app":"shop"}`)
		if codeOf(err) != fault.SessionReplaced {
			return fmt.Errorf("got %w", errOf(err))
		}
		return nil
	})
	_, err = other.call(http.MethodGet, w.login+"/sign-in/members/choice", "", nil)
	wantCode(t, err, fault.CredentialsWrong)
	wantCode(t, ask(other, w.login), fault.CredentialsWrong)
}
