package signin

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

const chrome = "Chrome on Windows"

// full has every sign-in find no room: n sessions are in its way.
func (h *house) full(n int) {
	live := make([]session.Session, n)
	for i := range live {
		live[i] = session.Session{
			ID: token.NewSessionID(), Device: "Samsung Browser on Android", From: "192.0.2.99", StartedAt: now.Add(time.Duration(i) * time.Minute),
			HandleHash: [32]byte{0xca, 0xfe},
		}
	}
	h.refuse = &fault.Error{Code: fault.SessionLimit, Sessions: live}
}

// refused is a member's sign-in that found no room.
func (h *house) refused(t *testing.T) *fault.Error {
	t.Helper()
	_, err := h.begin(t.Context(), session.SignIn{
		App: h.Apps["shop"], Identity: account.Identity{Realm: "members", Issuer: "password", Subject: "s"}, Secret: 3,
		Profile: account.Profile{Email: "kim@example.com", Roles: []string{"seller"}, CheckedAt: now}, Grant: "canary grant", RecheckAt: now,
		Caller: session.Caller{Device: chrome, From: "192.0.2.1"}, Brought: &token.SessionID{1},
	}, ticket{Login: "kim"})
	limit, ok := errors.AsType[*fault.Error](err)
	if !ok || limit.Code != fault.SessionLimit {
		t.Fatalf("got %v", err)
	}
	return limit
}

func choosing(ticket, end string) Credentials {
	return Credentials{Realm: "members", App: "shop", Ticket: ticket, End: end, Caller: session.Caller{Device: chrome, From: "192.0.2.2"}}
}

func TestATicketIsTheSignInItself(t *testing.T) {
	h := newHouse(t)
	h.full(2)
	limit := h.refused(t)
	choice, _ := limit.Sessions.([]Choice)
	if len(choice) != 2 || choice[0].Device != "Samsung Browser on Android" || choice[0].StartedAt != now.Unix() {
		t.Fatalf("offered %+v", limit.Sessions)
	}
	h.refuse, h.began = nil, nil
	h.brings["cookie"] = token.Refresh{Realm: "members", Session: token.SessionID{7}}
	c := choosing(limit.Ticket, choice[1].ID)
	c.Brought = "cookie"
	entered, err := h.SignIn(t.Context(), c)
	if err != nil || entered.Device == "" {
		t.Fatalf("got %v; known afterwards as %q", err, entered.Device)
	}
	end, _ := token.ParseSessionID(choice[1].ID)
	want := session.SignIn{
		App: h.Apps["shop"], Identity: account.Identity{Realm: "members", Issuer: "password", Subject: "s"}, Secret: 3,
		Profile: account.Profile{Email: "kim@example.com", Roles: []string{"seller"}, CheckedAt: now}, RecheckAt: now,
		Caller: session.Caller{Device: chrome, From: "192.0.2.2"}, Brought: &token.SessionID{7}, End: &end,
	}
	if diff := cmp.Diff([]session.SignIn{want}, h.began); diff != "" {
		t.Errorf("began (-want +got):\n%s", diff)
	}
}

// What an attacker may try with a ticket: nothing begins, and only its own use uses it up.
func TestTicketRefusals(t *testing.T) {
	for name, change := range map[string]func(h *house, c *Credentials){
		"used before": func(h *house, c *Credentials) {
			if _, err := h.SignIn(t.Context(), *c); err != nil {
				t.Fatal(err)
			}
			h.began = nil
		},
		"over":               func(h *house, _ *Credentials) { h.Now = func() time.Time { return now.Add(TicketLife) } },
		"of another realm":   func(_ *house, c *Credentials) { c.Realm, c.App = "staff", "tools" },
		"for another app":    func(_ *house, c *Credentials) { c.App = "wholesale" },
		"for no app":         func(_ *house, c *Credentials) { c.App = "" },
		"on another device":  func(_ *house, c *Credentials) { c.Caller.Device = "Firefox on Linux" },
		"cut short":          func(_ *house, c *Credentials) { c.Ticket = c.Ticket[:len(c.Ticket)-1] },
		"something else":     func(_ *house, c *Credentials) { c.Ticket = "x" },
		"too long":           func(_ *house, c *Credentials) { c.Ticket = strings.Repeat("A", ticketBox.longest+1) },
		"a sign-in's cookie": func(h *house, c *Credentials) { c.Ticket = h.begun(t).Cookie },
		"a ticket in another box": func(h *house, c *Credentials) {
			other := box{label: "another use", version: ticketBox.version, longest: 8192}
			c.Ticket, _ = other.seal(ring{}, ticket{}.of(session.SignIn{
				App: h.Apps["shop"], Identity: account.Identity{Realm: "members"}, Caller: session.Caller{Device: chrome},
			}, nil, now))
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.Apps["wholesale"] = account.App{Name: "wholesale", Realm: "members", Origins: []string{"https://wholesale.example.com"}}
			h.full(1)
			limit := h.refused(t)
			h.refuse, h.began = nil, nil
			c := choosing(limit.Ticket, limit.Sessions.([]Choice)[0].ID)
			change(h, &c)
			used := len(h.used)
			_, err := h.SignIn(t.Context(), c)
			if fault.CodeOf(err) != fault.CredentialsWrong || len(h.began) != 0 || len(h.used) != used {
				t.Errorf("got %v, began %d", err, len(h.began))
			}
			if event := h.events[len(h.events)-1]; event.Outcome != "credentials_wrong" {
				t.Errorf("recorded %+v", event)
			}
		})
	}
}

func TestEveryBitOfATicketCounts(t *testing.T) {
	h := newHouse(t)
	h.full(1)
	limit := h.refused(t)
	raw, _ := base64.RawURLEncoding.DecodeString(limit.Ticket)
	for bit := range len(raw) * 8 {
		raw[bit/8] ^= 1 << (bit % 8)
		if _, err := h.openTicket(base64.RawURLEncoding.EncodeToString(raw), "members"); err == nil {
			t.Fatalf("opened with bit %d changed", bit)
		}
		raw[bit/8] ^= 1 << (bit % 8)
	}
	if _, err := h.openTicket(limit.Ticket, "members"); err != nil {
		t.Error(err)
	}
}

// A wrong choice uses nothing up: the page may ask again.
func TestATicketNeedsAChoice(t *testing.T) {
	h := newHouse(t)
	h.full(1)
	ticket := h.refused(t).Ticket
	for _, end := range []string{"", "x", strings.Repeat("A", 23)} {
		if _, err := h.SignIn(t.Context(), choosing(ticket, end)); fault.CodeOf(err) != fault.RequestInvalid {
			t.Errorf("%q: got %v", end, err)
		}
	}
	if len(h.used) != 0 {
		t.Error("it was used up")
	}
}

// When another one took the place, there is a new ticket; the old one is used up all the same.
func TestNoRoomEvenSo(t *testing.T) {
	h := newHouse(t)
	h.full(1)
	first := h.refused(t)
	c := choosing(first.Ticket, first.Sessions.([]Choice)[0].ID)
	_, err := h.SignIn(t.Context(), c)
	second, _ := errors.AsType[*fault.Error](err)
	if second == nil || second.Code != fault.SessionLimit || second.Ticket == "" || second.Ticket == first.Ticket {
		t.Fatalf("got %v", err)
	}
	h.refuse = nil
	if _, err := h.SignIn(t.Context(), c); fault.CodeOf(err) != fault.CredentialsWrong {
		t.Errorf("the first ticket again: %v", err)
	}
	if _, err := h.SignIn(t.Context(), choosing(second.Ticket, c.End)); err != nil {
		t.Errorf("the second ticket: %v", err)
	}
}

// A callback's ticket carries the choice, for a page that has nothing else; its cookie stays one that browsers take.
func TestACallbacksTicketCarriesTheChoice(t *testing.T) {
	h := newHouse(t)
	h.full(200)
	callback := h.begun(t)
	callback.Caller.Device = chrome
	_, err := h.Finish(t.Context(), callback)
	limit, _ := errors.AsType[*fault.Error](err)
	if limit == nil || limit.Code != fault.SessionLimit || len(limit.Sessions.([]Choice)) != 200 {
		t.Fatalf("got %v", err)
	}
	if len(limit.Ticket) > 3800 {
		t.Errorf("the ticket has %d characters", len(limit.Ticket))
	}
	for range 2 { // reading uses nothing up
		got, err := h.Choosing(limit.Ticket, "staff")
		if err != nil || got.App != "tools" || got.ReturnTo != "https://tools.example.com/" || len(got.Sessions) != mostChoices ||
			got.Sessions[0] != limit.Sessions.([]Choice)[0] {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	for ticket, realm := range map[string]string{limit.Ticket: "members", "x": "staff"} {
		if _, err := h.Choosing(ticket, realm); fault.CodeOf(err) != fault.CredentialsWrong {
			t.Errorf("%.10s in %s: got %v", ticket, realm, err)
		}
	}
}
