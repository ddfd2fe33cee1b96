package signin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

// TicketLife is how long a person may take to choose which session ends.
const TicketLife = time.Minute

// ticket is a proof of identity that found no room: whoever holds it may have one of the account's sessions end for
// theirs. It is kept nowhere but with the caller, sealed, and no password is in it.
type ticket struct {
	ID [16]byte `json:"id"` // consumed by its use: a ticket works once
	// In is the sign-in that was refused, but for the grant, which the refusal has kept. Its App is a name and no more,
	// its Caller a device class: the ticket works on such a device alone.
	In       session.SignIn `json:"in"`
	Login    string         `json:"login,omitempty"`  // whose password it was; its browser is known by it afterwards
	ReturnTo string         `json:"to,omitempty"`     // absolute, checked; with it the choice
	Choice   []Choice       `json:"choice,omitempty"` // for a browser that comes back with nothing but the ticket
	Until    time.Time      `json:"until"`
}

// Choice is a session that may be chosen to end for a new one: what its owner knows it by.
type Choice struct {
	ID        string `json:"id"`
	Device    string `json:"device"`
	StartedAt int64  `json:"started_at"`
}

// mostChoices bounds what a cookie has to carry: of more sessions than these the oldest are offered.
const mostChoices = 15

// ticketBox is how a ticket is sealed.
var ticketBox = box{label: "session limit ticket", version: 1, longest: 8192}

var errTicket = errors.New("this ticket was not given out here, is over, was used, or was tampered with")

// begin turns a proof of identity into a session. A session_limit then bears Sessions []Choice and a Ticket, which is t
// completed; when that returns somewhere it holds the choice as well.
func (f *Flow) begin(ctx context.Context, in session.SignIn, t ticket) (session.Answer, error) {
	answer, err := f.Sessions.Begin(ctx, in)
	limit, ok := errors.AsType[*fault.Error](err)
	if !ok || limit.Code != fault.SessionLimit {
		return answer, err
	}
	live, _ := limit.Sessions.([]session.Session)
	choice := make([]Choice, len(live))
	for i, s := range live {
		choice[i] = Choice{s.ID.String(), s.Device, s.StartedAt.Unix()}
	}
	sealed, wrong := t.of(in, choice, f.Now()).seal(f.Keys)
	if wrong != nil {
		return session.Answer{}, fmt.Errorf("seal ticket: %w", wrong)
	}
	return session.Answer{}, &fault.Error{Code: fault.SessionLimit, Sessions: choice, Ticket: sealed, Err: err}
}

// of is a new ticket for a sign-in that was refused.
func (t ticket) of(in session.SignIn, choice []Choice, now time.Time) ticket {
	in.Grant, in.Brought, in.End = "", nil, nil
	in.App, in.Caller = account.App{Name: in.App.Name}, session.Caller{Device: in.Caller.Device}
	fresh := ticket{In: in, Login: t.Login, ReturnTo: t.ReturnTo, Until: now.Add(TicketLife)}
	if t.ReturnTo != "" {
		fresh.Choice = choice[:min(len(choice), mostChoices)]
	}
	rand.Read(fresh.ID[:]) // never fails: crypto/rand
	return fresh
}

func (t ticket) seal(keys Keys) (string, error) { return ticketBox.seal(keys, t) }

// openTicket reads what seal wrote for the realm, and nothing else.
func (f *Flow) openTicket(text, realm string) (t ticket, err error) {
	if !ticketBox.open(f.Keys, text, &t) || !f.Now().Before(t.Until) || t.In.Identity.Realm != realm {
		return ticket{}, fault.Wrap(fault.CredentialsWrong, errTicket)
	}
	return t, nil
}

// Choosing is what a browser whose sign-in found no room may choose from, and where it wanted to go.
type Choosing struct {
	App      string   `json:"app"`
	ReturnTo string   `json:"return_to"`
	Sessions []Choice `json:"sessions"`
}

// Choosing reads a ticket that a callback gave out; it uses nothing up. credentials_wrong for one that is over.
func (f *Flow) Choosing(sealed, realm string) (Choosing, error) {
	t, err := f.openTicket(sealed, realm)
	if err != nil {
		return Choosing{}, err
	}
	return Choosing{App: t.In.App.Name, ReturnTo: t.ReturnTo, Sessions: t.Choice}, nil
}

// choose is SignIn with a ticket, and with the session that is to end for the new one.
func (f *Flow) choose(ctx context.Context, c Credentials) (Entered, error) {
	entered, err := f.redeem(ctx, c)
	if fault.CodeOf(err) == fault.SessionCutOff && f.Realms[c.Realm].Checker != nil {
		err = fault.Wrap(fault.CredentialsWrong, err) // disabled since: as enter does
	}
	if err != nil {
		f.refusals.record(ctx, refusal{err: err, realm: c.Realm, app: c.App, from: c.Caller.From})
	}
	return entered, err
}

// redeem begins the session that a ticket stands for, and ends the one that was chosen. Whatever comes of it the ticket
// is used up; when there is no room even so, as when another one took the place, the session_limit bears a new one.
func (f *Flow) redeem(ctx context.Context, c Credentials) (Entered, error) {
	t, err := f.openTicket(c.Ticket, c.Realm)
	if err != nil {
		return Entered{}, err
	}
	end, wrong := token.ParseSessionID(c.End)
	if wrong != nil {
		return Entered{}, invalid("/end", "the id of one of the sessions")
	}
	app, known := f.Apps[c.App]
	if !known || t.In.App.Name != c.App || t.In.Caller.Device != c.Caller.Device {
		return Entered{}, fault.Wrap(fault.CredentialsWrong, errTicket)
	}
	used, err := f.Store.Consume(ctx, t.ID, f.Now(), t.Until)
	if err != nil {
		return Entered{}, fmt.Errorf("use ticket: %w", err)
	}
	if used {
		return Entered{}, fault.Wrap(fault.CredentialsWrong, errTicket)
	}
	in := t.In
	in.App, in.Caller, in.End, in.Brought = app, c.Caller, &end, f.broughtTo(c.Realm, c.Brought)
	entered := Entered{}
	if entered.Answer, err = f.begin(ctx, in, t); err == nil && t.Login != "" && !app.Body {
		entered.Device, err = f.Know(c.Realm, t.Login, in.Secret)
	}
	return entered, err
}
