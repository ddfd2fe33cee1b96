package server

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/signin"
	"github.com/munjigi/munjigi/internal/token"
)

const choiceName = "__Host-munjigi.choice.staff"

// full has every sign-in find no room but in the place of the session that is returned.
func (o *office) full() session.Session {
	held := session.Session{ID: token.NewSessionID(), Device: "Chrome on Windows", From: "203.0.113.7", StartedAt: start}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fail = &fault.Error{Code: fault.SessionLimit, Sessions: []session.Session{held}}
	return held
}

func (o *office) roomAgain() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fail = nil
}

// choose is what our page sends for the session that was chosen.
func (b *browser) choose(origin, end string) *http.Response {
	a := from(origin, "POST", "/sign-in/staff", `{"app":"tools","end":"`+end+`"}`)
	for name, value := range b.jar {
		a = a.cookie(name, value)
	}
	r := b.do(a)
	for _, cookie := range r.Cookies() {
		if b.jar[cookie.Name] = cookie.Value; cookie.MaxAge < 0 {
			delete(b.jar, cookie.Name)
		}
	}
	return r
}

// A ticket from a callback is in a cookie and nowhere else, from the first refusal to the end.
func TestTheTicketOfACallbackStaysInItsCookie(t *testing.T) {
	o := open(t, nil)
	held := o.full()
	b := o.browser()
	r := b.get(callback(b.start("/sign-in/staff?app=tools&return_to=/list"), "kim"))
	var set *http.Cookie
	for _, cookie := range r.Cookies() {
		if cookie.Name == choiceName {
			set = cookie
		}
	}
	if set == nil || !set.HttpOnly || !set.Secure || set.SameSite != http.SameSiteStrictMode || set.Path != "/" || set.Domain != "" || set.MaxAge != 60 {
		t.Fatalf("the cookie is %v", set)
	}
	ticket := set.Value
	to, err := r.Location()
	if err != nil || to.Query().Get("reason") != "session_limit" || to.Path != "/sign-in/staff/again" || to.Query().Get("return_to") != toolsAt+"/list" || strings.Contains(to.String(), ticket[:20]) || to.Fragment != "" {
		t.Fatalf("sent to %s, %v", to, err)
	}

	shown := text(t, b.get("/sign-in/staff/choice"))
	var choice struct {
		App      string
		ReturnTo string `json:"return_to"`
		Sessions []struct{ ID, Device string }
	}
	if err := json.Unmarshal([]byte(shown), &choice); err != nil || len(choice.Sessions) != 1 || choice.Sessions[0].ID != held.ID.String() ||
		choice.App != "tools" || choice.ReturnTo != toolsAt+"/list" {
		t.Fatalf("shown %s, %v", shown, err)
	}
	if strings.Contains(shown, ticket[:20]) || strings.Contains(shown, "203.0.113.7") {
		t.Errorf("shown %s", shown)
	}

	// Another one was faster: a new ticket, in the cookie again.
	again := b.choose(own, held.ID.String())
	refused := text(t, again)
	if again.StatusCode != http.StatusConflict || b.jar[choiceName] == "" || b.jar[choiceName] == ticket || strings.Contains(refused, `"ticket"`) ||
		!strings.Contains(refused, held.ID.String()) {
		t.Fatalf("got %d %s", again.StatusCode, refused)
	}
	o.roomAgain()
	if r := b.choose(own, held.ID.String()); r.StatusCode != http.StatusOK || b.jar[choiceName] != "" || b.jar["__Host-munjigi-staff"] == "" {
		t.Fatalf("got %d %s, and the browser has %v", r.StatusCode, text(t, r), b.jar)
	}
	if in := o.begun[len(o.begun)-1]; in.End == nil || *in.End != held.ID || in.App.Name != "tools" {
		t.Errorf("began %+v", in)
	}
}

func TestAChoiceThatIsOverIsTakenAway(t *testing.T) {
	o := open(t, nil)
	held := o.full()
	b := o.browser()
	b.get(callback(b.start("/sign-in/staff?app=tools"), "kim"))
	for _, origin := range []string{stranger, shopAt, ""} {
		wantProblem(t, b.choose(origin, held.ID.String()), fault.OriginRefused)
	}
	o.later(signin.TicketLife)
	o.roomAgain()
	if r := b.get("/sign-in/staff/choice"); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("got %d", r.StatusCode)
	}
	if r := b.choose(toolsAt, held.ID.String()); r.StatusCode != http.StatusUnauthorized || b.jar[choiceName] != "" {
		t.Errorf("got %d, and the browser has %v", r.StatusCode, b.jar)
	}
	wantProblem(t, b.choose(toolsAt, held.ID.String()), fault.CredentialsWrong)
	if len(o.begun) != 0 {
		t.Errorf("began %+v", o.begun)
	}
}

// What is no answer leaves the ticket: the page may try once more.
func TestAnOutageLeavesTheChoice(t *testing.T) {
	o := open(t, nil)
	held := o.full()
	b := o.browser()
	b.get(callback(b.start("/sign-in/staff?app=tools"), "kim"))
	o.mu.Lock()
	o.fail = fault.New(fault.StoreUnavailable, "")
	o.mu.Unlock()
	if r := b.choose(own, held.ID.String()); r.StatusCode != http.StatusServiceUnavailable || b.jar[choiceName] == "" {
		t.Errorf("got %d, and the browser has %v", r.StatusCode, b.jar)
	}
}
