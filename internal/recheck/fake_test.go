package recheck

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/upstream"
)

const testIssuer = "https://id.example.net"

var errStore = errors.New("store failed")

// fakeGrant is a row of the fake store.
type fakeGrant struct {
	Grant
	erased bool
	ended  session.Reason
	at     time.Time // of the end
}

// fakeStore keeps grants in memory, checks what the worker does with them, and fails on demand.
type fakeStore struct {
	t *testing.T
	// fail is asked before every method: "before" fails it, "after" does it and loses the answer, "late" answers when a
	// lease is over.
	fail func(op string) string
	// stuck is somebody whose end cannot be written down.
	stuck string

	mu     sync.Mutex // guards everything below
	rows   map[string]*fakeGrant
	gone   []time.Time // of those counted for the wave
	on     bool
	since  time.Time
	events []audit.Event
	lost   map[string]bool // methods whose answer was lost, by op and account: their repeats find the change made
}

func newFakeStore(t *testing.T) *fakeStore {
	return &fakeStore{t: t, rows: map[string]*fakeGrant{}, lost: map[string]bool{}}
}

// do runs a method as the store would: one at a time, failing on demand.
func (s *fakeStore) do(op string, change func()) error {
	how := ""
	if s.fail != nil {
		how = s.fail(op)
	}
	if how == "before" {
		return errStore
	}
	s.mu.Lock()
	change()
	s.mu.Unlock()
	switch how {
	case "after":
		return errStore
	case "late":
		time.Sleep(leaseFor + time.Second)
	}
	return nil
}

// row finds the version that a verdict is about, and demands that its lease is held; needs mu.
func (s *fakeStore) row(op string, g Grant) *fakeGrant {
	row := s.rows[g.Account.ID]
	if row == nil || row.erased || row.Version != g.Version {
		return nil
	}
	if !time.Now().Before(row.LeasedUntil) && s.fail == nil {
		s.t.Errorf("%s of %s without a lease", op, g.Account.ID)
	}
	return row
}

// leased is row for the methods that need their lease; needs mu.
func (s *fakeStore) leased(op string, g Grant) *fakeGrant {
	row := s.row(op, g)
	if row == nil || !row.LeasedUntil.Equal(g.LeasedUntil) {
		return nil
	}
	return row
}

func (s *fakeStore) add(id string, checkedAt, dueAt time.Time, rotates bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[id] = &fakeGrant{Grant: Grant{
		Account: account.Account{
			ID: id, Identity: account.Identity{Realm: "staff", Issuer: testIssuer, Subject: id},
			Profile: account.Profile{Email: id + "@example.com", Name: id, Roles: []string{"viewer"}, CheckedAt: checkedAt},
		},
		Provider: testIssuer, Version: 1, Token: id + ".1", Rotates: rotates, DueAt: dueAt,
	}}
}

func (s *fakeStore) LeaseDue(_ context.Context, d Due) (grants []Grant, err error) {
	err = s.do("LeaseDue", func() {
		var due []*fakeGrant
		for _, row := range s.rows {
			isDue := !d.Now.Before(row.DueAt) || row.DueAt.After(d.Latest)
			if row.Provider == d.Provider && !row.erased && row.GoneAt.IsZero() && row.ended == "" && isDue && !d.Now.Before(row.LeasedUntil) {
				due = append(due, row)
			}
		}
		slices.SortFunc(due, func(a, b *fakeGrant) int {
			if c := a.DueAt.Compare(b.DueAt); c != 0 {
				return c
			}
			return slices.Compare([]byte(a.Account.ID), []byte(b.Account.ID))
		})
		for _, row := range due[:min(d.Limit, len(due))] {
			row.LeasedUntil = d.Until
			grants = append(grants, row.Grant)
		}
	})
	return grants, err
}

func (s *fakeStore) Lease(_ context.Context, id string, now, until time.Time) (g Grant, ok bool, err error) {
	err = s.do("Lease", func() {
		row := s.rows[id]
		if row == nil || row.erased {
			return
		}
		if now.Before(row.LeasedUntil) {
			g.Account = row.Account
			return
		}
		row.LeasedUntil = until
		g, ok = row.Grant, true
	})
	return g, ok, err
}

func (s *fakeStore) Intend(_ context.Context, g Grant, now, until time.Time) (ok bool, err error) {
	err = s.do("Intend", func() {
		if row := s.leased("Intend", g); row != nil {
			if row.Intent.IsZero() {
				row.Intent = now
			}
			row.LeasedUntil, ok = until, true
		}
	})
	return ok, err
}

func (s *fakeStore) Release(_ context.Context, g Grant) (ok bool, err error) {
	err = s.do("Release", func() {
		if row := s.leased("Release", g); row != nil {
			row.Intent, row.LeasedUntil, ok = g.Intent, time.Time{}, true
		}
	})
	return ok, err
}

func (s *fakeStore) Confirm(_ context.Context, g Grant, c Confirmation) (ok bool, err error) {
	err = s.do("Confirm", func() {
		row := s.row("Confirm", g)
		if row == nil {
			return
		}
		if row.Intent.IsZero() && s.fail == nil {
			s.t.Errorf("%s was confirmed without an intent", g.Account.ID)
		}
		row.Account.Profile, row.DueAt = c.Profile, c.DueAt
		row.Rotates = c.Token != ""
		if c.Token != "" {
			row.Token, row.Version = c.Token, row.Version+1
		}
		row.Intent, row.LeasedUntil, row.Failed, ok = time.Time{}, time.Time{}, 0, true
	})
	return ok, err
}

func (s *fakeStore) Gone(_ context.Context, g Grant, e session.Ending, event audit.Event) (ended []session.Session, err error) {
	if g.Account.ID == s.stuck {
		return nil, errStore
	}
	err = s.do("Gone", func() {
		row := s.row("Gone", g)
		if row == nil {
			return
		}
		row.erased, row.ended, row.at, row.LeasedUntil = true, e.Reason, time.Now(), time.Time{}
		if e.Reason == session.CutOff {
			s.gone = append(s.gone, time.Now())
		}
		s.events = append(s.events, event)
		ended = []session.Session{{Account: g.Account.ID}}
	})
	return ended, err
}

func (s *fakeStore) Postpone(_ context.Context, g Grant, dueAt time.Time, keepIntent bool) (ok bool, err error) {
	err = s.do("Postpone", func() {
		row := s.leased("Postpone", g)
		if row == nil {
			return
		}
		row.DueAt, row.LeasedUntil, ok = dueAt, time.Time{}, true
		row.Failed++
		if !keepIntent {
			row.Intent = time.Time{}
		}
	})
	return ok, err
}

func (s *fakeStore) Tally(_ context.Context, _ string, since, _ time.Time) (t Tally, err error) {
	err = s.do("Tally", func() {
		for _, row := range s.rows {
			if !row.erased && row.ended == "" {
				t.People++
			}
		}
		for _, at := range s.gone {
			if !at.Before(since) {
				t.Gone++
			}
		}
		t.On = s.on
	})
	return t, err
}

func (s *fakeStore) Hold(_ context.Context, g Grant, h Holding) (ok bool, err error) {
	err = s.do("Hold", func() {
		row := s.row("Hold", g)
		if row == nil {
			return
		}
		row.GoneAt, row.LeasedUntil, row.Intent, ok = h.At, time.Time{}, time.Time{}, true
		if h.Token != "" {
			row.Token, row.Version, row.Rotates = h.Token, row.Version+1, true
		}
		s.gone = append(s.gone, h.At)
		if !s.on {
			s.on, s.since = true, h.At
			s.events = append(s.events, h.Stop)
		}
		s.events = append(s.events, h.Held)
	})
	return ok, err
}

func (s *fakeStore) Waves(context.Context) (waves []Wave, err error) {
	err = s.do("Waves", func() {
		if !s.on {
			return
		}
		wave := Wave{Provider: testIssuer, Since: s.since}
		for _, row := range s.rows {
			if !row.GoneAt.IsZero() {
				wave.Held = append(wave.Held, row.Account)
			}
		}
		waves = []Wave{wave}
	})
	return waves, err
}

func (s *fakeStore) EndWave(_ context.Context, _ string, confirm bool, e session.Ending, event audit.Event) (ended []session.Session, err error) {
	err = s.do("EndWave", func() {
		s.on, s.gone = false, nil
		s.events = append(s.events, event)
		for _, row := range s.rows {
			if row.GoneAt.IsZero() {
				continue
			}
			row.GoneAt, row.DueAt = time.Time{}, time.Now()
			if confirm {
				row.erased, row.ended, row.at = true, e.Reason, time.Now()
				ended = append(ended, session.Session{Account: row.Account.ID})
			}
		}
	})
	return ended, err
}

// ends counts those whose sessions ended, by reason.
func (s *fakeStore) ends() map[session.Reason]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	ends := map[session.Reason]int{}
	for _, row := range s.rows {
		if row.ended != "" {
			ends[row.ended]++
		}
	}
	return ends
}

func (s *fakeStore) get(id string) fakeGrant {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.rows[id]
}

func (s *fakeStore) intentOpen(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.rows[id].Intent.IsZero()
}

func (s *fakeStore) count(action audit.Action) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, event := range s.events {
		if event.Action == action {
			n++
		}
	}
	return n
}

// fakePerson is somebody at the fake provider.
type fakePerson struct {
	token   string
	n       int
	gone    bool
	revoked bool // a used-up token was presented: taken for theft
	name    string
	busy    bool
}

// fakeProvider rotates refresh tokens, if so told, and takes the return of an old one for theft, as providers do.
type fakeProvider struct {
	t       *testing.T
	store   *fakeStore
	rotates bool
	latency time.Duration

	mu     sync.Mutex // guards everything below
	people map[string]*fakePerson
	mode   string
	asks   []time.Time
	// subject, if set, is whom it speaks of instead.
	subject string
}

func newFakeProvider(t *testing.T, store *fakeStore, rotates bool) *fakeProvider {
	return &fakeProvider{t: t, store: store, rotates: rotates, latency: 50 * time.Millisecond, people: map[string]*fakePerson{}}
}

func (p *fakeProvider) add(id string) {
	p.people[id] = &fakePerson{token: id + ".1", n: 1, name: id}
}

func (p *fakeProvider) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (p *fakeProvider) person(id string) fakePerson {
	p.mu.Lock()
	defer p.mu.Unlock()
	return *p.people[id]
}

func (p *fakeProvider) asked() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asks)
}

// The ways in which a provider fails. What of it upstream.Ask makes is upstream's to test; these are its answers.
var faults = map[string]upstream.Answer{
	"down":           {ProviderFault: true},
	"500":            {ProviderFault: true, Presented: true},
	"429":            {ProviderFault: true},
	"invalid_client": {ProviderFault: true},
	"html":           {ProviderFault: true, Presented: true},
	"truncated":      {ProviderFault: true, Presented: true},
	"slow":           {ProviderFault: true, Presented: true},
}

func (p *fakeProvider) Ask(ctx context.Context, token, subject string) upstream.Answer {
	if !p.store.intentOpen(subject) {
		p.t.Errorf("%s was presented without an intent", subject)
	}
	who, answer, done := p.enter(subject)
	defer done()
	if answer != nil {
		return *answer
	}
	if !sleep(ctx, p.latency) {
		return upstream.Answer{ProviderFault: true, Presented: true, Err: ctx.Err()}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if who.token != token {
		who.revoked = true
	}
	if who.gone || who.revoked {
		return upstream.Answer{Verdict: upstream.Gone, Presented: true, Err: errors.New("invalid_grant")}
	}
	said := upstream.Answer{Verdict: upstream.Valid, Accepted: true, Presented: true, Person: upstream.Person{
		Issuer: testIssuer, Subject: subject, Email: subject + "@example.com", Name: who.name,
	}}
	if p.rotates {
		who.n++
		who.token = fmt.Sprintf("%s.%d", subject, who.n)
		said.RefreshToken = who.token
	}
	if p.mode == "lost" {
		return upstream.Answer{ProviderFault: true, Presented: true, Err: errors.New("the answer was lost")}
	}
	if p.subject != "" {
		said.Verdict, said.Person = upstream.Unknown, upstream.Person{}
	}
	return said
}

// enter notes the question, and demands that a person's token is presented by one at a time.
func (p *fakeProvider) enter(subject string) (*fakePerson, *upstream.Answer, func()) {
	p.mu.Lock()
	who, mode := p.people[subject], p.mode
	p.asks = append(p.asks, time.Now())
	if who.busy {
		p.t.Errorf("%s was presented twice at once", subject)
	}
	who.busy = true
	p.mu.Unlock()
	done := func() { p.set(func() { who.busy = false }) }
	answer, ok := faults[mode]
	if !ok {
		return who, nil, done
	}
	if mode == "slow" {
		time.Sleep(10 * time.Second)
	}
	answer.Err = errors.New(mode)
	return who, &answer, done
}
