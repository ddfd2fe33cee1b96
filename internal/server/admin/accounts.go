package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/lookup"
	"github.com/munjigi/munjigi/internal/server/answer"
	"github.com/munjigi/munjigi/internal/server/body"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

// Members changes accounts. The store does; each change is durable, with its events, when it returns nil.
type Members interface {
	// SetDisabled ends all sessions of an account that it disables. not_found.
	SetDisabled(ctx context.Context, id string, disabled bool, e session.Ending) ([]session.Session, error)
	// AddMember makes an account with its login. edit_conflict when the login is taken.
	AddMember(ctx context.Context, m account.Member, event audit.Event) (account.Member, error)
	MemberOf(ctx context.Context, id string) (account.Member, bool, error)
}

// Links makes one-time links. links.Manager does.
type Links interface {
	Hand(ctx context.Context, m account.Member, actor audit.Actor) (url string, until time.Time, err error)
}

type accountBody struct {
	answer.Account
	Login             string `json:"login,omitempty"`
	Member            bool   `json:"member"` // their password is kept here
	Disabled          bool   `json:"disabled"`
	CheckedAt         int64  `json:"checked_at,omitempty"`
	PasswordChangedAt int64  `json:"password_changed_at,omitempty"`
}

func accountOf(a lookup.Account) accountBody {
	return accountBody{answer.Of(a.Account), a.Login, a.Login != "", a.Disabled, answer.Unix(a.CheckedAt), answer.Unix(a.ChangedAt)}
}

// ListAccounts is GET /admin/accounts: everybody who ever signed in, and every member.
func (d *Desk) ListAccounts(w http.ResponseWriter, r *http.Request, _ Caller) error {
	limit, err := limitOf(r, 50)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	q := lookup.Accounts{Realm: query.Get("realm"), Search: query.Get("search"), After: query.Get("after"), Limit: limit}
	if text := query.Get("disabled"); text != "" {
		disabled, err := strconv.ParseBool(text)
		if err != nil {
			return fault.New(fault.RequestInvalid, "disabled: true or false")
		}
		q.Disabled = &disabled
	}
	page, next, err := d.Lookup.Accounts(r.Context(), q)
	if err != nil {
		return err
	}
	list := make([]accountBody, len(page))
	for i, a := range page {
		list[i] = accountOf(a)
	}
	return answer.JSON(w, map[string]any{"accounts": list, "next": next})
}

// ShowAccount is GET /admin/accounts/{id}.
func (d *Desk) ShowAccount(w http.ResponseWriter, r *http.Request, _ Caller) error {
	a, err := d.account(r)
	if err != nil {
		return err
	}
	return answer.JSON(w, accountOf(a))
}

func (d *Desk) account(r *http.Request) (lookup.Account, error) {
	a, found, err := d.Lookup.Account(r.Context(), r.PathValue("id"))
	if err == nil && !found {
		err = fault.New(fault.NotFound, "no account has this id")
	}
	return a, err
}

// ListAccountSessions is GET /admin/accounts/{id}/sessions: where somebody is signed in.
func (d *Desk) ListAccountSessions(w http.ResponseWriter, r *http.Request, _ Caller) error {
	a, err := d.account(r)
	if err != nil {
		return err
	}
	live, err := d.Devices.Sessions(r.Context(), a.ID)
	if err != nil {
		return err
	}
	list := make([]sessionBody, len(live))
	for i, row := range live {
		list[i] = sessionOf(row, a.Account)
	}
	return answer.JSON(w, map[string]any{"sessions": list})
}

// RevokeAccount is DELETE /admin/accounts/{id}/sessions.
func (d *Desk) RevokeAccount(w http.ResponseWriter, r *http.Request, who Caller) error {
	ended, err := d.Devices.RevokeAccount(r.Context(), r.PathValue("id"), who.Actor, who.From)
	if err != nil {
		return err
	}
	return answer.JSON(w, map[string]any{"ended": len(ended)})
}

// DisableAccount is POST /admin/accounts/{id}/disable: all sessions end, and nobody signs in to it.
func (d *Desk) DisableAccount(w http.ResponseWriter, r *http.Request, who Caller) error {
	if r.PathValue("id") == who.Actor.ID { // nobody might be left to enable it
		return fault.New(fault.RequestInvalid, "nobody disables their own account")
	}
	return d.setDisabled(w, r, true, who)
}

// EnableAccount is POST /admin/accounts/{id}/enable.
func (d *Desk) EnableAccount(w http.ResponseWriter, r *http.Request, who Caller) error {
	return d.setDisabled(w, r, false, who)
}

func (d *Desk) setDisabled(w http.ResponseWriter, r *http.Request, disabled bool, who Caller) error {
	ended, err := d.Members.SetDisabled(r.Context(), r.PathValue("id"), disabled, session.Ending{
		Reason: session.CutOff, At: d.moment(), Actor: who.Actor, From: who.From,
	})
	if len(ended) > 0 {
		d.Woken()
	}
	return done(w, err)
}

// moment is now, as a store keeps it.
func (d *Desk) moment() time.Time { return d.Now().UTC().Truncate(time.Microsecond) }

// LinkAccount is POST /admin/accounts/{id}/link: a one-time link with which a member sets a password.
func (d *Desk) LinkAccount(w http.ResponseWriter, r *http.Request, who Caller) error {
	member, found, err := d.Members.MemberOf(r.Context(), r.PathValue("id"))
	switch {
	case err != nil:
		return err
	case !found:
		return fault.New(fault.NotFound, "no member has this account: no password of it is kept here")
	case member.Disabled:
		return fault.New(fault.RequestInvalid, "the account is disabled: enable it first")
	}
	url, until, err := d.Links.Hand(r.Context(), member, who.Actor)
	if err != nil {
		return err
	}
	return answer.JSON(w, map[string]any{"url": url, "until": until.Unix()})
}

type newMember struct {
	Realm string   `json:"realm"`
	Login string   `json:"login"`
	Name  string   `json:"name"`
	Email string   `json:"email"`
	Roles []string `json:"roles"`
}

// AddMember is POST /admin/accounts: a member without a password, who then needs a link.
func (d *Desk) AddMember(w http.ResponseWriter, r *http.Request, who Caller) error {
	var sent newMember
	if err := body.Decode(r, &sent); err != nil {
		return err
	}
	member, err := d.member(sent)
	if err != nil {
		return err
	}
	added, err := d.Members.AddMember(r.Context(), member, audit.Event{
		At: d.moment(), Action: audit.MemberAdded, Realm: member.Realm, Actor: who.Actor, From: who.From,
	})
	if fault.CodeOf(err) == fault.EditConflict {
		return wrong("/login", "this login is taken")
	}
	if err != nil {
		return err
	}
	text, err := json.Marshal(accountOf(lookup.Account{Account: added.Account, Login: added.Login}))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(text) // of an error nobody is left to be told
	return nil
}

func (d *Desk) member(sent newMember) (account.Member, error) {
	if err := d.CheckMember(sent.Realm, ""); err != nil {
		return account.Member{}, wrong("/realm", err.Error())
	}
	login, err := account.Login(sent.Login)
	if err != nil {
		return account.Member{}, wrong("/login", err.Error())
	}
	email := strings.ToLower(strings.TrimSpace(sent.Email))
	if email != "" && !account.IsDomain(account.Domain(email)) {
		return account.Member{}, wrong("/email", "an e-mail address")
	}
	for i, role := range sent.Roles {
		if role == "" {
			return account.Member{}, wrong("/roles/"+strconv.Itoa(i), "a role")
		}
		if err := d.CheckMember(sent.Realm, role); err != nil {
			return account.Member{}, wrong("/roles/"+strconv.Itoa(i), err.Error())
		}
	}
	return account.Member{Login: login, Account: account.Account{
		ID:       token.NewID(),
		Identity: account.Identity{Realm: sent.Realm, Issuer: account.PasswordIssuer, Subject: token.NewID()},
		Profile:  account.Profile{Email: email, Name: strings.TrimSpace(sent.Name), Roles: slices.Compact(slices.Sorted(slices.Values(sent.Roles)))},
	}}, nil
}

func wrong(pointer, detail string) error {
	return &fault.Error{Code: fault.RequestInvalid, Fields: []fault.Field{{Pointer: pointer, Detail: detail}}}
}
