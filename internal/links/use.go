package links

import (
	"context"
	"fmt"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/mail"
	"github.com/munjigi/munjigi/internal/token"
)

// Setting is somebody who uses a link.
type Setting struct {
	Realm    string
	Link     Secret
	Password account.Password
	Language string
	From     string // network address of the caller
}

// SetPassword sets the password that a link allows to set, once; of a sign-up it makes the account. All sessions of the
// account end. session_unknown for a link that is used, over, wrong, or older than the password; request_invalid at
// /password for what the rules refuse, and then the link can be used again. device is the cookie of a known one.
func (m *Manager) SetPassword(ctx context.Context, s Setting) (device string, err error) {
	link, err := m.find(ctx, s)
	if err != nil {
		return "", err
	}
	name := link.Name
	if link.Account != "" {
		member, found, err := m.Store.MemberOf(ctx, link.Account)
		if err != nil {
			return "", fmt.Errorf("set password by link: %w", err)
		}
		if !found || member.Disabled || member.Secret != link.Changes {
			return "", errLink()
		}
		name = member.Name
	}
	if err := m.Realms[s.Realm].Rules.Check(s.Password, link.Login, name); err != nil {
		return "", err
	}
	return m.use(ctx, s, link)
}

// find looks before anything costly is done: who guesses links is not given hashes to compute.
func (m *Manager) find(ctx context.Context, s Setting) (Link, error) {
	hash, ok := s.Link.Hash()
	if _, known := m.Realms[s.Realm]; !ok || !known {
		return Link{}, errLink()
	}
	link, found, err := m.Store.Link(ctx, hash, m.now())
	if err != nil {
		return Link{}, fmt.Errorf("set password by link: %w", err)
	}
	if !found || link.Realm != s.Realm {
		return Link{}, errLink()
	}
	return link, nil
}

func (m *Manager) use(ctx context.Context, s Setting, link Link) (device string, err error) {
	encoded, err := m.Hasher.Hash(ctx, s.Password)
	if err != nil {
		return "", fmt.Errorf("set password by link: %w", err)
	}
	using := Using{Hash: link.Hash, Encoded: encoded, At: m.now(), From: s.From}
	if link.Account == "" {
		using.Fresh = account.Member{Login: link.Login, Account: account.Account{
			ID:       token.NewID(),
			Identity: account.Identity{Realm: link.Realm, Issuer: account.PasswordIssuer, Subject: token.NewID()},
			Profile:  account.Profile{Email: link.Login, Name: link.Name},
		}}
	}
	used, err := m.Store.UseLink(ctx, using)
	if err != nil {
		return "", fmt.Errorf("set password by link: %w", err)
	}
	m.Woken()
	if !used.Made {
		m.Changed(used.Member.ID, s.Language)
	}
	if device, err = m.Know(link.Realm, used.Member.Login, used.Member.Secret); err != nil {
		m.Log.Warn("the device of a new password is not known", "account", used.Member.ID, "err", err) // the password is set
	}
	return device, nil
}

// errLink is one answer for every link that cannot be used, whatever the reason.
func errLink() error {
	return fault.New(fault.SessionUnknown, "the link has been used, is too old, or was never made: ask for another")
}

// changedLife is how long "your password was changed" is worth telling.
const changedLife = 24 * time.Hour

// Changed tells the owner of an account by mail that their password was changed, if there is mail. It does not wait.
func (m *Manager) Changed(account, language string) {
	if m.Post == nil {
		return
	}
	now := m.now()
	m.Post.Post(mail.Job{Kind: mail.Changed, Until: now.Add(changedLife), Write: func(ctx context.Context) (*mail.Letter, error) {
		return m.writeChanged(ctx, account, mail.Letter{Kind: mail.Changed, Language: language, When: now})
	}})
}

func (m *Manager) writeChanged(ctx context.Context, id string, letter mail.Letter) (*mail.Letter, error) {
	member, found, err := m.Store.MemberOf(ctx, id)
	if err != nil || !found || !account.IsEmail(member.Email) {
		return nil, err
	}
	letter.To, letter.Name, letter.Login = member.Email, member.Name, member.Login
	return &letter, nil
}
