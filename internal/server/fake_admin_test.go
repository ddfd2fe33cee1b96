package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/lookup"
	"github.com/munjigi/munjigi/internal/server/admin"
	"github.com/munjigi/munjigi/internal/session"
)

// fakeTools are what administrators have: everybody who signed in, one member "mem", and two records.
type fakeTools struct{ o *office }

func (o *office) tools() admin.Tools {
	f := fakeTools{o}
	return admin.Tools{Keys: f, Lookup: f, Members: f, Links: f, CheckMember: f.checkMember, Woken: func() { _ = o.failing("Woken") }}
}

var theMember = account.Member{
	Account: account.Account{ID: "mem", Identity: account.Identity{Realm: "members", Issuer: account.PasswordIssuer}, Profile: account.Profile{Name: "Mem"}},
	Login:   "mem-1", Secret: 3, ChangedAt: start,
}

func (fakeTools) checkMember(realm, role string) error {
	if realm != "members" || role != "" && role != "shop" {
		return errors.New("want the realm members and its role shop")
	}
	return nil
}

func (f fakeTools) Records() []keys.Record { return fakeKeys{f.o.key}.Records() }

func (f fakeTools) Rotate(_ context.Context, by audit.Actor) error {
	return f.o.failing("Rotate by " + by.ID)
}

func (f fakeTools) RetireFor(_ context.Context, kid, reason string, by audit.Actor) error {
	if kid != "k1" {
		return fault.New(fault.NotFound, "")
	}
	return f.o.failing("Retire " + kid + " because " + reason + " by " + by.ID)
}

func (f fakeTools) Accounts(_ context.Context, q lookup.Accounts) (page []lookup.Account, next string, err error) {
	disabled := "any"
	if q.Disabled != nil {
		disabled = fmt.Sprint(*q.Disabled)
	}
	err = f.o.failing(fmt.Sprintf("Accounts %s %s %s %s %d", q.Realm, q.Search, disabled, q.After, q.Limit))
	return []lookup.Account{f.member()}, "mem", err
}

func (fakeTools) member() lookup.Account {
	return lookup.Account{Account: theMember.Account, Login: theMember.Login, ChangedAt: theMember.ChangedAt}
}

func (f fakeTools) Account(_ context.Context, id string) (lookup.Account, bool, error) {
	if err := f.o.failing("Account " + id); err != nil {
		return lookup.Account{}, false, err
	}
	if id == "mem" {
		return f.member(), true, nil
	}
	f.o.mu.Lock()
	defer f.o.mu.Unlock()
	who, ok := f.o.who[id]
	return lookup.Account{Account: who}, ok, nil
}

func (f fakeTools) called() lookup.Event {
	return lookup.Event{ActorName: "Boss", Record: audit.Event{
		At: start, Action: audit.Called, Account: "account-boss", Actor: audit.Actor{Kind: audit.ByAccount, ID: "account-boss"},
		Details: map[string]string{"call": "c1", "service": "market", "operation": "refund", "reason": "broken"},
	}.Chain(7, [32]byte{})}
}

func (f fakeTools) Events(_ context.Context, q lookup.Events) ([]lookup.Event, error) {
	seconds := func(at time.Time) int64 {
		if at.IsZero() {
			return 0
		}
		return at.Unix()
	}
	return []lookup.Event{f.called()}, f.o.failing(fmt.Sprintf("Events %s %s %s %s %s %d %d %d %d", q.Action, q.Actor, q.Account, q.Realm, q.Service, seconds(q.From), seconds(q.To), q.Below, q.Limit))
}

func (f fakeTools) Event(_ context.Context, n int64) (lookup.Event, bool, error) {
	return f.called(), n == 7, f.o.failing("Event")
}

func (f fakeTools) Ending(_ context.Context, n int64, call string) (lookup.Event, bool, error) {
	return lookup.Event{Record: audit.Event{
		At: start, Action: audit.CallEnded, Actor: audit.Actor{Kind: audit.ByProgram}, Outcome: "status_409", Details: map[string]string{"status": "409"},
	}.Chain(8, [32]byte{})}, true, f.o.failing(fmt.Sprintf("Ending %d %s", n, call))
}

func (f fakeTools) SetDisabled(_ context.Context, id string, disabled bool, e session.Ending) ([]session.Session, error) {
	return make([]session.Session, 1), f.o.failing(fmt.Sprintf("SetDisabled %s %t %s by %s", id, disabled, e.Reason, e.Actor.ID))
}

func (f fakeTools) AddMember(_ context.Context, m account.Member, e audit.Event) (account.Member, error) {
	if err := f.o.failing(fmt.Sprintf("AddMember %s %s %s %q by %s", m.Realm, m.Login, m.Email, m.Roles, e.Actor.ID)); err != nil {
		return m, err
	}
	if m.Login == "mem-1" {
		return m, fault.New(fault.EditConflict, "")
	}
	m.ID = "new"
	return m, nil
}

func (f fakeTools) MemberOf(_ context.Context, id string) (account.Member, bool, error) {
	m := theMember
	m.Disabled = id == "off"
	return m, id == "mem" || id == "off", f.o.failing("MemberOf " + id)
}

func (f fakeTools) Hand(_ context.Context, m account.Member, by audit.Actor) (string, time.Time, error) {
	return own + "/sign-in/members/password#mjl_x", start, f.o.failing("Hand " + m.ID + " by " + by.ID)
}
