package store

import (
	"context"
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/roster"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/pack"
	"github.com/munjigi/munjigi/internal/token"
)

// Import implements roster.Store.
func (s *Store) Import(ctx context.Context, entries []roster.Entry, update bool, by audit.Event) ([]roster.Outcome, error) {
	return write(ctx, s, engine.Usual, "import members", func(t *tx) ([]roster.Outcome, error) {
		outcomes := make([]roster.Outcome, len(entries))
		var events []audit.Event
		for i, e := range entries {
			outcome, more, err := s.importOne(t, e, update, by)
			if err != nil {
				return nil, err
			}
			outcomes[i], events = outcome, append(events, more...)
		}
		return outcomes, t.record(events...)
	})
}

func (s *Store) importOne(t *tx, e roster.Entry, update bool, by audit.Event) (roster.Outcome, []audit.Event, error) {
	var r memberRow
	var origin []byte
	found, err := t.One(`SELECT m.origin, `+memberColumns+` FROM members m JOIN accounts a ON a.id = m.account WHERE m.realm = $1 AND m.login = $2`,
		[]any{e.Realm, e.Login}, append([]any{&origin}, r.dest()...)...)
	if err != nil {
		return roster.Outcome{}, nil, err
	}
	if !found {
		m := e.Member
		m.Secret, m.Version, m.ChangedAt = 1, 1, by.At
		by.Action, by.Account = audit.MemberAdded, m.ID
		return roster.Outcome{Kind: roster.Added}, []audit.Event{by}, s.insertMember(t, m, e.Origin)
	}
	there, err := r.member()
	if err != nil {
		return roster.Outcome{}, nil, err
	}
	m, differs := e.Onto(there, origin)
	if len(differs) == 0 {
		return roster.Outcome{Kind: roster.Unchanged}, nil, nil
	}
	if !update {
		return roster.Outcome{Kind: roster.Refused, Reason: "is there already with other data: " + strings.Join(differs, ", ")}, nil, nil
	}
	by.Action, by.Account, by.Details = audit.MemberChanged, m.ID, map[string]string{"by": by.Details["by"], "changed": strings.Join(differs, " ")}
	events, err := s.changeMember(t, m, alteration{differs, e.Origin, by})
	return roster.Outcome{Kind: roster.Updated}, events, err
}

// alteration is what an import changes of a member, and its event.
type alteration struct {
	differs []string
	origin  []byte
	event   audit.Event
}

func (c alteration) of(what ...string) bool {
	return slices.ContainsFunc(what, func(what string) bool { return slices.Contains(c.differs, what) })
}

// changeMember ends the sessions that would go on with an old password, old roles, or a disabled account.
func (s *Store) changeMember(t *tx, m account.Member, c alteration) ([]audit.Event, error) {
	if err := t.Exec(`UPDATE accounts SET email = $1, name = $2, search = $3, roles = $4, disabled = $5, version = version + 1 WHERE id = $6`,
		m.Email, m.Name, pack.Search(m.Profile), pack.Roles(m.Roles), pack.Number(m.Disabled), m.ID); err != nil {
		return nil, err
	}
	if c.of("password") {
		m.Secret++
		sealed, err := s.sealHash(m)
		if err != nil {
			return nil, err
		}
		if err := t.Exec(`UPDATE members SET hash = $1, secret = $2, changed_at = $3, origin = $4 WHERE account = $5`,
			sealed, m.Secret, micros(c.event.At), c.origin, m.ID); err != nil {
			return nil, err
		}
	}
	if !c.of("password", "roles", "disabled") {
		return []audit.Event{c.event}, nil
	}
	ending := session.Ending{Reason: session.Revoked, At: c.event.At, Actor: c.event.Actor}
	if m.Disabled {
		ending.Reason = session.CutOff
	}
	ended, err := t.endAccount(m.ID, token.SessionID{}, ending)
	if err != nil {
		return nil, err
	}
	events, err := t.revoke(ended, ending)
	return append(events, c.event), err
}
