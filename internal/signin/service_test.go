package signin

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/credentials"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
)

// market answers what it is told to, and notes what it was asked.
type market struct {
	person credentials.Person
	err    error
	asked  []credentials.Presented
}

func (m *market) Ask(_ context.Context, p credentials.Presented) (credentials.Person, error) {
	m.asked = append(m.asked, p)
	return m.person, m.err
}

func newService(t *testing.T, m *market) *Service {
	t.Helper()
	exchanges, err := credentials.NewExchanges([]byte("secret of the store"))
	if err != nil {
		t.Fatal(err)
	}
	return &Service{
		Realm: "shops", Name: "market", Asker: m, Exchanges: exchanges, LegacyUntil: now.Add(time.Hour),
		Now: func() time.Time { return now },
	}
}

func TestAServiceProves(t *testing.T) {
	m := &market{person: credentials.Person{ID: "s1", Name: "Onggi", Email: "onggi@example.com", Roles: []string{"shop"}}}
	s := newService(t, m)
	want := Proved{
		Account:  "shops:market:s1",
		Identity: account.Identity{Realm: "shops", Issuer: "service:market", Subject: "s1"},
		Profile:  account.Profile{Email: "onggi@example.com", Name: "Onggi", Roles: []string{"shop"}},
	}
	got, err := s.Check(t.Context(), Credentials{Realm: "shops", Login: "onggi", Typed: "Onggi", Password: "clay"})
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("by a password: %v (-want +got):\n%s", err, diff)
	}
	got, err = s.Check(t.Context(), Credentials{Realm: "shops", LegacyToken: "legacy"})
	want.Legacy = &session.Legacy{Hash: s.Exchanges.Hash("shops", "legacy"), Handle: s.Exchanges.Handle("shops", "legacy")}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("by a legacy token: %v (-want +got):\n%s", err, diff)
	}
	if want.Legacy.Hash == ([sha256.Size]byte{}) || want.Legacy.Handle == ([16]byte{}) {
		t.Error("the legacy token left no trace")
	}
	asked := []credentials.Presented{{Login: "Onggi", Password: "clay"}, {LegacyToken: "legacy"}}
	if diff := cmp.Diff(asked, m.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// Whatever the service says reaches the caller with its code, and proves nothing.
func TestAServiceThatDoesNot(t *testing.T) {
	for _, code := range []fault.Code{fault.CredentialsWrong, fault.SessionCutOff, fault.UpstreamUnavailable} {
		s := newService(t, &market{person: credentials.Person{ID: "s1"}, err: fault.Wrap(code, errors.New("because"))})
		got, err := s.Check(t.Context(), Credentials{Realm: "shops", Login: "onggi", Password: "clay"})
		if fault.CodeOf(err) != code || got.Identity.Subject != "" {
			t.Errorf("%s: got %+v, %v", code, got, err)
		}
	}
}

// Some credentials are wrong without anybody being asked.
func TestAServiceThatIsNotAsked(t *testing.T) {
	for name, test := range map[string]struct {
		c      Credentials
		change func(*Service)
	}{
		"no guess is left":             {c: Credentials{Login: "onggi", Password: "clay", Spent: true}},
		"no guess is left for a token": {c: Credentials{LegacyToken: "legacy", Spent: true}},
		"a password that is none":      {c: Credentials{Login: "onggi", Password: account.Password(strings.Repeat("x", account.MaxPasswordBytes+1))}},
		"a token that is none":         {c: Credentials{LegacyToken: account.Password(strings.Repeat("x", credentials.MaxLegacyToken+1))}},
		"exchanges are over":           {c: Credentials{LegacyToken: "legacy"}, change: func(s *Service) { s.LegacyUntil = now }},
		"there never were any":         {c: Credentials{LegacyToken: "legacy"}, change: func(s *Service) { s.LegacyUntil = time.Time{} }},
	} {
		m := &market{person: credentials.Person{ID: "s1"}}
		s := newService(t, m)
		if test.change != nil {
			test.change(s)
		}
		if _, err := s.Check(t.Context(), test.c); fault.CodeOf(err) != fault.CredentialsWrong || len(m.asked) != 0 {
			t.Errorf("%s: got %v, asked %d times", name, err, len(m.asked))
		}
	}
}

func TestALongestTokenIsTaken(t *testing.T) {
	m := &market{person: credentials.Person{ID: "s1"}}
	longest := account.Password(strings.Repeat("x", credentials.MaxLegacyToken))
	if _, err := newService(t, m).Check(t.Context(), Credentials{LegacyToken: longest}); err != nil || len(m.asked) != 1 {
		t.Errorf("got %v, asked %d times", err, len(m.asked))
	}
}
