package links

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/mail"
)

const goodPassword account.Password = "seven wooden umbrellas"

// ask asks for a link for a login, and gives the letters that went out.
func (w *world) ask(t *testing.T, login string) []mail.Letter {
	t.Helper()
	if err := w.Forgotten(Asking{Realm: "members", Login: login, Language: "ko", From: "192.0.2.1"}); err != nil {
		t.Fatal(err)
	}
	return w.deliver(t)
}

func (w *world) signUp(t *testing.T, email, name string) []mail.Letter {
	t.Helper()
	if err := w.SignUp(Asking{Realm: "members", Login: email, Name: name}); err != nil {
		t.Fatal(err)
	}
	return w.deliver(t)
}

func secretOf(t *testing.T, l mail.Letter) Secret {
	t.Helper()
	_, secret, ok := strings.Cut(l.Link, "#")
	if !ok || !strings.HasPrefix(l.Link, base+"/sign-in/members/password#mjl_") || len(secret) != 47 {
		t.Fatalf("link %q", l.Link)
	}
	return Secret(secret)
}

func (w *world) set(t *testing.T, link Secret, p account.Password) error {
	t.Helper()
	device, err := w.SetPassword(t.Context(), Setting{Realm: "members", Link: link, Password: p, Language: "ko", From: "192.0.2.1"})
	if known := strings.HasPrefix(device, "members "); known != (err == nil && w.sealer == nil) {
		t.Errorf("device %q, %v", device, err)
	}
	return err
}

func wantUnknown(t *testing.T, err error) {
	t.Helper()
	if fault.CodeOf(err) != fault.SessionUnknown {
		t.Errorf("got %v, want session_unknown", err)
	}
}

// Asked for → letter → used: the password is new, the sessions have ended, and the owner is told.
func TestForgotten(t *testing.T) {
	w := newWorld(t)
	letters := w.ask(t, " SHOP ") // any spelling of the login
	if len(letters) != 1 {
		t.Fatalf("got %d letters", len(letters))
	}
	secret := secretOf(t, letters[0])
	want := mail.Letter{
		Kind: mail.Forgotten, Language: "ko", To: "shop@example.com", Name: "상점", Login: "shop", Link: letters[0].Link, Life: 30 * time.Minute,
	}
	if diff := cmp.Diff(want, letters[0]); diff != "" {
		t.Error(diff)
	}
	event := audit.Event{
		At: w.clock, Action: audit.LinkMade, Realm: "members", Account: "shop", From: "192.0.2.1",
		Actor: audit.Actor{Kind: audit.ByProgram}, Details: map[string]string{"for": "forgotten"},
	}
	if diff := cmp.Diff([]audit.Event{event}, w.events); diff != "" {
		t.Error(diff)
	}
	if err := w.set(t, secret, goodPassword); err != nil {
		t.Fatal(err)
	}
	told := w.deliver(t)
	if w.members["shop"].Hash != "new" || w.woken != 1 || len(told) != 1 || told[0].Kind != mail.Changed || told[0].To != "shop@example.com" || told[0].Link != "" {
		t.Errorf("hash %s, woken %d, letters %+v", w.members["shop"].Hash, w.woken, told)
	}
	wantUnknown(t, w.set(t, secret, goodPassword)) // once
	if w.hashed != 1 {
		t.Errorf("%d hashes computed", w.hashed)
	}
}

// Whoever has nobody to write to gets the same answer, before anybody looks; the store is not even asked.
func TestNobodyIsTold(t *testing.T) {
	w := newWorld(t)
	disabled, silent := w.members["shop"], w.members["shop"]
	disabled.ID, disabled.Login, disabled.Disabled = "d", "disabled", true
	silent.ID, silent.Login, silent.Email = "s", "silent", ""
	w.members["d"], w.members["s"] = disabled, silent
	for _, login := range []string{"nobody", "disabled", "silent", "shop"} {
		w.away = true
		if err := w.Forgotten(Asking{Realm: "members", Login: login}); err != nil {
			t.Errorf("%s: %v", login, err)
		}
		w.away = false
		if got := len(w.deliver(t)); got != map[string]int{"shop": 1}[login] {
			t.Errorf("%s: %d letters", login, got)
		}
	}
	for _, email := range []string{"new@example.com", "kim@example.com"} {
		w.away = true
		if err := w.SignUp(Asking{Realm: "members", Login: email}); err != nil {
			t.Errorf("%s: %v", email, err)
		}
		w.away = false
		if got := len(w.deliver(t)); got != 1 {
			t.Errorf("%s: %d letters", email, got)
		}
	}
}

// A login gets three links in a quarter of an hour, however they are asked for; the older ones go on working.
func TestAskingAgain(t *testing.T) {
	w := newWorld(t)
	var first Secret
	for i, want := range []int{1, 1, 1, 0, 0} {
		var letters []mail.Letter
		if i == 1 {
			letters = w.signUp(t, "KIM@example.com", "")
		} else {
			letters = w.ask(t, "kim@example.com")
		}
		if len(letters) != want {
			t.Errorf("asked %d times: %d letters", i+1, len(letters))
		}
		if i == 0 {
			first = secretOf(t, letters[0])
		}
	}
	w.clock = w.clock.Add(Window + time.Second)
	if got := len(w.ask(t, "kim@example.com")); got != 1 {
		t.Errorf("later: %d letters", got)
	}
	if err := w.set(t, first, goodPassword); err != nil {
		t.Errorf("the first link: %v", err)
	}
}

// The password is set, whether or not the device can be remembered.
func TestDeviceIsNotRemembered(t *testing.T) {
	w := newWorld(t)
	w.sealer = errAway
	if err := w.set(t, secretOf(t, w.ask(t, "shop")[0]), goodPassword); err != nil || w.members["shop"].Hash != "new" {
		t.Errorf("got %v", err)
	}
}

// Once a password has changed, the links that were made before it are of no use: one of them may be in wrong hands.
func TestOlderLinksAreOver(t *testing.T) {
	w := newWorld(t)
	first, second := secretOf(t, w.ask(t, "shop")[0]), secretOf(t, w.ask(t, "shop")[0])
	if err := w.set(t, second, goodPassword); err != nil {
		t.Fatal(err)
	}
	wantUnknown(t, w.set(t, first, goodPassword))
	if w.hashed != 1 {
		t.Errorf("%d hashes computed", w.hashed)
	}
}

func TestLinksEnd(t *testing.T) {
	for name, test := range map[string]struct {
		life time.Duration
		link func(*world) Secret
	}{
		"forgotten": {ForgottenLife, func(w *world) Secret { return secretOf(t, w.ask(t, "shop")[0]) }},
		"sign-up":   {SignUpLife, func(w *world) Secret { return secretOf(t, w.signUp(t, "new@example.com", "")[0]) }},
		"handed": {HandedLife, func(w *world) Secret {
			url, _, err := w.Hand(t.Context(), w.members["shop"], audit.Actor{Kind: audit.ByCommand, ID: "root"})
			if err != nil {
				t.Fatal(err)
			}
			return secretOf(t, mail.Letter{Link: url})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			link := test.link(w)
			w.clock = w.clock.Add(test.life)
			wantUnknown(t, w.set(t, link, goodPassword))
			w.clock = w.clock.Add(-time.Second)
			if err := w.set(t, link, goodPassword); err != nil {
				t.Error(err)
			}
		})
	}
}

// A password that the rules refuse does not use the link up, and nothing that is no link costs a hash.
func TestRefusals(t *testing.T) {
	w := newWorld(t)
	link := secretOf(t, w.ask(t, "shop")[0])
	for _, weak := range []account.Password{"", "short", "aaaaaaaaaaaaaaaa", "shop shop shop"} {
		err := w.set(t, link, weak)
		if fault.CodeOf(err) != fault.RequestInvalid || !strings.Contains(fmt.Sprintf("%+v", fault.ProblemOf(err, "en", "")), "/password") {
			t.Errorf("%q: got %v, want request_invalid at /password", string(weak), err)
		}
	}
	text := string(link)
	for _, wrong := range []Secret{"", "mjl_", Secret(text[:46]), Secret(text + "A"), Secret("mjr_" + text[4:]), Secret(strings.ToUpper(text)), Secret(text + "="), NewSecret()} {
		wantUnknown(t, w.set(t, wrong, goodPassword))
	}
	for _, realm := range []string{"closed", "staff", ""} {
		_, err := w.SetPassword(t.Context(), Setting{Realm: realm, Link: link, Password: goodPassword})
		wantUnknown(t, err)
	}
	disabled := w.members["shop"]
	disabled.Disabled = true
	w.members["shop"] = disabled
	wantUnknown(t, w.set(t, link, goodPassword))
	if w.hashed != 0 {
		t.Errorf("%d hashes computed", w.hashed)
	}
	disabled.Disabled = false
	w.members["shop"] = disabled
	if err := w.set(t, link, goodPassword); err != nil {
		t.Errorf("the link was used up: %v", err)
	}
}

// Sign-up → letter → used: only now there is an account, whose login is the address that the letter reached.
func TestSignUp(t *testing.T) {
	w := newWorld(t)
	letters := w.signUp(t, " New@Example.COM ", " 새 상점 ")
	want := mail.Letter{Kind: mail.SignUp, To: "new@example.com", Link: letters[0].Link, Life: 24 * time.Hour} // nothing that was typed
	if diff := cmp.Diff(want, letters[0]); diff != "" {
		t.Error(diff)
	}
	if len(w.members) != 2 || len(w.events) != 0 {
		t.Errorf("members %v, events %v", logins(w), w.events)
	}
	if err := w.set(t, secretOf(t, letters[0]), goodPassword); err != nil {
		t.Fatal(err)
	}
	made, found, _ := w.Member(t.Context(), "members", "new@example.com")
	if !found || made.Email != "new@example.com" || made.Name != "새 상점" || made.Issuer != account.PasswordIssuer || made.ID == "" || made.Subject == "" {
		t.Errorf("got %+v", made)
	}
	if told := w.deliver(t); len(told) != 0 {
		t.Errorf("told %+v", told)
	}
}

// An address that has an account gets a letter that says so, with a link for that account.
func TestSignUpOfAnAccount(t *testing.T) {
	w := newWorld(t)
	letters := w.signUp(t, "Kim@example.com", "Somebody")
	if len(letters) != 1 || letters[0].Kind != mail.Known || letters[0].To != "kim@example.com" || letters[0].Name != "" || letters[0].Life != ForgottenLife {
		t.Fatalf("got %+v", letters)
	}
	if err := w.set(t, secretOf(t, letters[0]), goodPassword); err != nil {
		t.Fatal(err)
	}
	if w.members["kim"].Hash != "new" || len(w.members) != 2 {
		t.Errorf("members %v", logins(w))
	}
}

func TestAskingIsChecked(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct {
		err     error
		code    fault.Code
		pointer string
	}{
		"no login":         {w.Forgotten(Asking{Realm: "members", Login: " "}), fault.RequestInvalid, "/login"},
		"no such realm":    {w.Forgotten(Asking{Realm: "staff", Login: "a"}), fault.NotFound, ""},
		"no sign-up here":  {w.SignUp(Asking{Realm: "closed", Login: "a@example.com"}), fault.NotFound, ""},
		"no address":       {w.SignUp(Asking{Realm: "members", Login: "kim"}), fault.RequestInvalid, "/email"},
		"two addresses":    {w.SignUp(Asking{Realm: "members", Login: "a@example.com,b@example.com"}), fault.RequestInvalid, "/email"},
		"a header":         {w.SignUp(Asking{Realm: "members", Login: "a@example.com\r\nBcc: b@example.com"}), fault.RequestInvalid, "/email"},
		"a name of lines":  {w.SignUp(Asking{Realm: "members", Login: "a@example.com", Name: "a\nb"}), fault.RequestInvalid, "/name"},
		"an endless name":  {w.SignUp(Asking{Realm: "members", Login: "a@example.com", Name: strings.Repeat("가", 101)}), fault.RequestInvalid, "/name"},
		"a backwards name": {w.SignUp(Asking{Realm: "members", Login: "a@example.com", Name: "a\u202eb"}), fault.RequestInvalid, "/name"},
	} {
		if fault.CodeOf(test.err) != test.code || !strings.Contains(fmt.Sprintf("%+v", fault.ProblemOf(test.err, "en", "")), test.pointer) {
			t.Errorf("%s: got %v, want %s at %s", name, test.err, test.code, test.pointer)
		}
	}
	w.full = true
	for _, err := range []error{w.Forgotten(Asking{Realm: "members", Login: "shop"}), w.Forgotten(Asking{Realm: "members", Login: "nobody"})} {
		if fault.CodeOf(err) != fault.TooManyAttempts {
			t.Errorf("the queue is full: got %v", err)
		}
	}
	w.full, w.Manager.Post = false, nil
	if err := w.Forgotten(Asking{Realm: "members", Login: "shop"}); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("no mail: got %v", err)
	}
	if len(w.jobs) != 0 {
		t.Errorf("%d letters", len(w.jobs))
	}
}

// A job that is tried again, because the answer of the store was lost, makes no second link.
func TestWritingAgainMakesOneLink(t *testing.T) {
	w := newWorld(t)
	if err := w.Forgotten(Asking{Realm: "members", Login: "shop"}); err != nil {
		t.Fatal(err)
	}
	w.lost = true
	if _, err := w.jobs[0].Write(t.Context()); err == nil {
		t.Fatal("no answer lost")
	}
	w.lost = false
	letters := w.deliver(t)
	if len(letters) != 1 || len(w.links) != 1 || len(w.events) != 1 {
		t.Errorf("%d letters, %d links, %d events", len(letters), len(w.links), len(w.events))
	}
	if err := w.set(t, secretOf(t, letters[0]), goodPassword); err != nil {
		t.Error(err)
	}
}

// A secret is 256 random bits, and prints as nothing.
func TestSecret(t *testing.T) {
	seen := map[Secret]bool{}
	for range 1000 {
		s := NewSecret()
		if _, ok := s.Hash(); !ok || seen[s] {
			t.Fatalf("%q", string(s))
		}
		seen[s] = true
	}
	s := NewSecret()
	if text := fmt.Sprintf("%s %v %+v %#v", s, s, Setting{Link: s}, Setting{Link: s}); strings.Contains(text, string(s)[4:]) {
		t.Error(text)
	}
}
