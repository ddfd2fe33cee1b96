package recheck

import (
	"errors"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/upstream"
)

func question(intent, rotates bool, age time.Duration) asked {
	at := time.Unix(1_800_000_000, 0)
	q := asked{at: at, jitter: 0.5, realm: Realm{
		Every: 5 * time.Minute, MaxStale: 4 * time.Hour,
		Roles: func(upstream.Person) ([]string, error) { return []string{"viewer"}, nil },
	}}
	q.grant = Grant{Rotates: rotates, Account: account.Account{Profile: account.Profile{CheckedAt: at.Add(-age)}}}
	if intent {
		q.grant.Intent = at.Add(-time.Minute)
	}
	return q
}

// The whole table: what was open before × does the provider rotate × the answer × its age.
func TestDecide(t *testing.T) {
	const young, old = time.Minute, 5 * time.Hour
	valid := upstream.Answer{Verdict: upstream.Valid, Accepted: true, Presented: true}
	gone := upstream.Answer{Verdict: upstream.Gone, Presented: true}
	foreign := upstream.Answer{Verdict: upstream.Gone, Presented: true, Accepted: true}
	lost := upstream.Answer{Presented: true, ProviderFault: true}
	saved := upstream.Answer{ProviderFault: true}
	unclear := upstream.Answer{Presented: true, Accepted: true}
	rotated := upstream.Answer{Presented: true, Accepted: true, RefreshToken: "r2", ProviderFault: true}
	for _, test := range []struct {
		name            string
		intent, rotates bool
		answer          upstream.Answer
		age             time.Duration
		want            kind
		keepIntent      bool
	}{
		{"valid", false, true, valid, young, confirm, false},
		{"valid after a lost answer", true, true, valid, old, confirm, false},
		{"gone", false, true, gone, young, cutOff, false},
		{"gone, too old anyway", false, true, gone, old, cutOff, false},
		{"gone under an open intent", true, true, gone, young, postpone, true},
		{"gone under an open intent, too old", true, true, gone, old, giveUp, false},
		{"gone under an open intent, nothing rotates", true, false, gone, young, cutOff, false},
		{"foreign domain under an open intent", true, true, foreign, young, cutOff, false},
		{"answer lost", false, true, lost, young, postpone, true},
		{"answer lost, nothing rotates", false, false, lost, young, postpone, false},
		{"answer lost, too old", false, true, lost, old, postpone, true},
		{"not got through", false, true, saved, young, postpone, false},
		{"not got through after a lost answer", true, true, saved, young, postpone, true},
		{"not got through, too old", false, true, saved, old, postpone, false},
		{"unclear", false, true, unclear, young, postpone, false},
		{"unclear after a lost answer", true, true, unclear, young, postpone, false},
		{"unclear, too old", false, true, unclear, old, giveUp, false},
		{"unclear, dated ahead", false, true, unclear, -time.Hour, giveUp, false},
		{"unclear, dated ahead by little", false, true, unclear, -30 * time.Second, postpone, false},
		{"rotated, then silent", false, true, rotated, old, postpone, false},
	} {
		got := decide(question(test.intent, test.rotates, test.age), test.answer)
		if got.kind != test.want || got.keepIntent != test.keepIntent {
			t.Errorf("%s: got %s, keep %v, want %s, keep %v", test.name, got.kind, got.keepIntent, test.want, test.keepIntent)
		}
		if got.kind == postpone && got.confirmation.Token != test.answer.RefreshToken {
			t.Errorf("%s: got token %q, want %q kept", test.name, got.confirmation.Token, test.answer.RefreshToken)
		}
	}
}

func TestDecideWithoutRoles(t *testing.T) {
	q := question(false, true, 5*time.Hour)
	q.realm.Roles = func(upstream.Person) ([]string, error) { return nil, errors.New("no such rule") }
	got := decide(q, upstream.Answer{Verdict: upstream.Valid, Accepted: true, Presented: true, RefreshToken: "r2"})
	if got.kind != postpone || got.confirmation.Token != "r2" {
		t.Errorf("got %s with token %q, want the person left alone and the new token kept", got.kind, got.confirmation.Token)
	}
	q.realm.Roles = func(upstream.Person) ([]string, error) { return nil, fault.New(fault.DomainRefused, "") }
	if got := decide(q, upstream.Answer{Verdict: upstream.Valid, Accepted: true, Presented: true}); got.kind != cutOff {
		t.Errorf("got %s of somebody who does not belong here any more, want %s", got.kind, cutOff)
	}
}

// Jitter never lengthens, and leaves room in the second that a cut-off may take for polling and asking.
func TestJitterOnlyShortens(t *testing.T) {
	for _, every := range []time.Duration{2 * time.Second, 5 * time.Second, 5 * time.Minute, time.Hour} {
		seen := map[time.Duration]bool{}
		for i := range 1000 {
			q := question(false, true, 0)
			q.realm.Every, q.jitter, q.grant.Failed = every, float64(i)/1000, i%70
			next := q.next().Sub(q.at)
			if next > every || next < every*8/10-time.Millisecond {
				t.Fatalf("next question after %s of %s", next, every)
			}
			if retry := q.retry().Sub(q.at); retry > every || retry > longestPause || retry < firstPause*8/10 {
				t.Fatalf("next attempt after %s of %s", retry, every)
			}
			seen[next] = true
		}
		if len(seen) < 900 {
			t.Errorf("got %d different times of 1000 with %s, want them spread", len(seen), every)
		}
	}
}

func TestBreaker(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	b := breaker{longest: 30 * time.Second}
	for i := range faultsToOpen {
		leave, ok := b.ask(now)
		if !ok {
			t.Fatalf("refused after %d faults", i)
		}
		did, _ := b.record(leave, now, true)
		if want := i == faultsToOpen-1; (did == opened) != want {
			t.Fatalf("after %d faults: got %v", i+1, did)
		}
	}
	began := now
	for _, pause := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		if _, ok := b.ask(now.Add(pause*time.Second - 1)); ok || b.room(now.Add(pause*time.Second-1), 9) != 0 {
			t.Fatalf("a question got through before the pause of %d s was over", pause)
		}
		now = now.Add(pause * time.Second)
		if n := b.room(now, 9); n != 1 {
			t.Fatalf("got room for %d, want for one probe", n)
		}
		probe, ok := b.ask(now)
		if _, second := b.ask(now); !ok || second {
			t.Fatal("want one probe, and one only")
		}
		b.record(pass{}, now, false) // a late answer from before changes nothing
		if !b.isOpen() {
			t.Fatal("closed by a late answer")
		}
		b.record(probe, now, true)
	}
	now = now.Add(30 * time.Second)
	probe, _ := b.ask(now)
	b.giveBack(probe)
	probe, ok := b.ask(now)
	did, lasted := b.record(probe, now, false)
	if !ok || did != closed || lasted != now.Sub(began) || b.isOpen() {
		t.Errorf("got %v, %v after %s, want it closed", ok, did, lasted)
	}
}

// An outage must not delay a cut-off beyond `every` more than it lasts.
func TestBreakerNeverPausesLongerThanEvery(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	b := breaker{longest: 2 * time.Second}
	for range 20 {
		now = now.Add(2 * time.Second)
		leave, ok := b.ask(now)
		if !ok {
			t.Fatal("paused for longer than 2 s")
		}
		b.record(leave, now, true)
	}
}
