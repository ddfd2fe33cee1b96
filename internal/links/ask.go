package links

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/mail"
)

// Asking is somebody asking for a link.
type Asking struct {
	Realm    string
	Login    string // as typed; for a sign-up the e-mail address
	Name     string // for a sign-up: what they want to be called; may be empty
	Language string // of the letter: "ko" or anything else for English
	From     string // network address of the caller
}

// Forgotten sends a link to the owner of a login, if there is one. It returns before anybody has looked: neither its
// answer nor its time tells. not_found where links cannot be sent; request_invalid for what is no login;
// too_many_attempts when more letters wait than should.
func (m *Manager) Forgotten(a Asking) error {
	if _, known := m.Realms[a.Realm]; !known || m.Post == nil {
		return fault.New(fault.NotFound, "no links are sent for this realm")
	}
	login, err := account.Login(a.Login)
	if err != nil {
		return invalid("/login", "want "+err.Error())
	}
	a.Login = login
	return m.post(mail.Forgotten, ForgottenLife, func(secret Secret) letterWriter {
		return func(ctx context.Context) (*mail.Letter, error) { return m.writeForgotten(ctx, a, secret) }
	})
}

// SignUp sends a link to an e-mail address that makes an account; one that has an account gets a letter that says so,
// with a link to set another password. Like Forgotten it does not tell which.
func (m *Manager) SignUp(a Asking) error {
	if realm := m.Realms[a.Realm]; !realm.SignUp || m.Post == nil {
		return fault.New(fault.NotFound, "nobody can sign up in this realm")
	}
	login, err := account.Login(a.Login)
	if err != nil || !account.IsEmail(login) {
		return invalid("/email", "want an e-mail address, such as kim@example.com")
	}
	a.Login = login
	if a.Name = strings.TrimSpace(a.Name); !isName(a.Name) {
		return invalid("/name", "want at most 100 visible characters")
	}
	return m.post(mail.SignUp, SignUpLife, func(secret Secret) letterWriter {
		return func(ctx context.Context) (*mail.Letter, error) { return m.writeSignUp(ctx, a, secret) }
	})
}

func isName(text string) bool {
	return utf8.ValidString(text) && utf8.RuneCountInString(text) <= 100 &&
		!strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) })
}

type letterWriter = func(context.Context) (*mail.Letter, error)

// post gives a letter with a link to the queue. The secret is drawn once: a job that is tried again does not make a
// second link.
func (m *Manager) post(kind mail.Kind, life time.Duration, writer func(Secret) letterWriter) error {
	if !m.Post.Post(mail.Job{Kind: kind, Until: m.now().Add(life), Write: writer(NewSecret())}) {
		return &fault.Error{Code: fault.TooManyAttempts, Detail: "too many letters wait to be sent", RetryAfter: time.Minute}
	}
	return nil
}

// writeForgotten is the letter to the owner of a login; nil when there is nobody to write to.
func (m *Manager) writeForgotten(ctx context.Context, a Asking, secret Secret) (*mail.Letter, error) {
	member, found, err := m.Store.Member(ctx, a.Realm, a.Login)
	if err != nil || !found {
		return nil, err
	}
	return m.writeTo(ctx, mail.Forgotten, member, a, secret)
}

func (m *Manager) writeSignUp(ctx context.Context, a Asking, secret Secret) (*mail.Letter, error) {
	member, found, err := m.Store.Member(ctx, a.Realm, a.Login)
	if err != nil {
		return nil, err
	}
	if found {
		return m.writeTo(ctx, mail.Known, member, a, secret)
	}
	link := m.link(a.Realm, secret, SignUpLife)
	link.Login, link.Name = a.Login, a.Name
	// No event: who types an address here is not its owner yet, and the audit is for good.
	made, err := m.Store.MakeLink(ctx, link, m.limit(), audit.Event{})
	if err != nil || !made {
		return nil, err
	}
	return &mail.Letter{
		Kind: mail.SignUp, Language: a.Language, To: a.Login,
		Link: secret.URL(m.Realms[a.Realm].URL, a.Realm), Life: SignUpLife,
	}, nil
}

// writeTo is a letter to a member with a link to set a password.
func (m *Manager) writeTo(ctx context.Context, kind mail.Kind, member account.Member, a Asking, secret Secret) (*mail.Letter, error) {
	if member.Disabled || !account.IsEmail(member.Email) {
		m.Log.Info("no link: the account is disabled or has no e-mail address", "account", member.ID)
		return nil, nil
	}
	event := audit.Event{
		At: m.now(), Action: audit.LinkMade, Realm: a.Realm, Account: member.ID, From: a.From,
		Actor: audit.Actor{Kind: audit.ByProgram}, Details: map[string]string{"for": string(kind)},
	}
	made, err := m.Store.MakeLink(ctx, m.linkTo(member, secret, ForgottenLife), m.limit(), event)
	if err != nil {
		return nil, err
	}
	if !made {
		m.Log.Info("no link: the account was sent enough of them", "account", member.ID)
		return nil, nil
	}
	return &mail.Letter{
		Kind: kind, Language: a.Language, To: member.Email, Name: member.Name, Login: member.Login,
		Link: secret.URL(m.Realms[a.Realm].URL, a.Realm), Life: ForgottenLife,
	}, nil
}

func (m *Manager) limit() Limit { return Limit{Most: most, Since: m.now().Add(-Window)} }

func (m *Manager) link(realm string, secret Secret, life time.Duration) Link {
	now := m.now()
	hash, _ := secret.Hash() // one of ours has one
	return Link{Hash: hash, Realm: realm, MadeAt: now, Until: now.Add(life)}
}

func (m *Manager) linkTo(member account.Member, secret Secret, life time.Duration) Link {
	link := m.link(member.Realm, secret, life)
	link.Account, link.Changes, link.Login = member.ID, member.Secret, member.Login
	return link
}

// Hand makes a link for an administrator to hand to a member, who may have no e-mail address. It is not counted against
// the limit. credentials_wrong is never its answer: whoever calls this sees the store anyway.
func (m *Manager) Hand(ctx context.Context, member account.Member, actor audit.Actor) (url string, until time.Time, err error) {
	realm, known := m.Realms[member.Realm]
	if !known {
		return "", time.Time{}, fmt.Errorf("hand link: realm %q has no passwords", member.Realm)
	}
	secret := NewSecret()
	link := m.linkTo(member, secret, HandedLife)
	_, err = m.Store.MakeLink(ctx, link, Limit{}, audit.Event{
		At: link.MadeAt, Action: audit.LinkMade, Realm: member.Realm, Account: member.ID, Actor: actor, Details: map[string]string{"for": "hand"},
	})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("hand link: %w", err)
	}
	return secret.URL(realm.URL, member.Realm), link.Until, nil
}

func invalid(pointer, detail string) error {
	return &fault.Error{Code: fault.RequestInvalid, Fields: []fault.Field{{Pointer: pointer, Detail: detail}}}
}
