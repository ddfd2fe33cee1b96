package store

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/catalog"
	"github.com/munjigi/munjigi/internal/fault"
)

// What is kept of services is there after a restart.
func TestPapersOutliveTheProcess(t *testing.T) { onBoth(t, testPapersOutliveTheProcess) }

func testPapersOutliveTheProcess(t *testing.T, c Config) {
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	at := fromMicros(micros(start))
	documents := []catalog.Document{
		{Service: "market", Language: "en", ETag: `"1"`, FetchedAt: at, Body: []byte(`{"a":"\u0000"}`)},
		{Service: "market", Language: "ko", FetchedAt: at, Body: []byte("한글")},
	}
	for _, d := range append([]catalog.Document{{Service: "market", Language: "en", Body: []byte("older")}}, documents...) {
		if err := s.Papers().Keep(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	terms := map[string]catalog.Terms{
		"": {}, "POST /shops/{}": {Guard: backoffice.Guard{Reason: true, Roles: []string{"editor"}}, Sensitive: []string{"/phone"}},
	}
	granted := audit.Event{At: start, Action: audit.Granted, Actor: audit.Actor{Kind: audit.ByAccount, ID: "boss"}}
	if err := errors.Join(s.Papers().Grant(t.Context(), "market", map[string]catalog.Terms{"POST /shops/{}": {}}), s.Papers().Grant(t.Context(), "market", terms, granted), s.Close()); err != nil {
		t.Fatal(err)
	}

	s = mustOpen(t, c)
	if got, err := s.Papers().Documents(t.Context()); err != nil || !cmp.Equal(got, documents) {
		t.Errorf("documents: %v, %s", err, cmp.Diff(documents, got))
	}
	if got, err := s.Papers().Grants(t.Context(), "market"); err != nil || !cmp.Equal(got, terms) {
		t.Errorf("grants: %v, %s", err, cmp.Diff(terms, got))
	}
	if got, err := s.Papers().Grants(t.Context(), "wishlist"); err != nil || len(got) != 0 {
		t.Errorf("grants of another service: %v, %v", got, err)
	}
	if got := actions(t, s); !cmp.Equal(got, []audit.Action{audit.Granted}) {
		t.Errorf("audit: %q", got)
	}
}

func actions(t *testing.T, s *Store) (list []audit.Action) {
	t.Helper()
	records, err := s.Records(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	prev := audit.Record{}
	for _, r := range records {
		if err := audit.Verify(prev, r); err != nil {
			t.Error(err)
		}
		prev, list = r, append(list, r.Action)
	}
	return list
}

// A call that has begun is open until its end was recorded, once, also over a crash.
func TestCallsStayOpen(t *testing.T) { onBoth(t, testCallsStayOpen) }

func testCallsStayOpen(t *testing.T, c Config) {
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	began := audit.Event{
		At: start.UTC(), Action: audit.Called, Realm: "staff", Account: "kim", Session: "sid", Actor: audit.Actor{Kind: audit.ByAccount, ID: "kim"},
		From: "192.0.2.7", Details: map[string]string{"call": "2", "service": "market"},
	}
	p := s.Papers()
	if err := errors.Join(p.Begin(t.Context(), "1", began), p.Begin(t.Context(), "2", began)); err != nil {
		t.Fatal(err)
	}
	if err := p.Begin(t.Context(), "1", began); fault.CodeOf(err) != fault.StoreUnavailable {
		t.Errorf("an id that was used: %v", err)
	}
	ended := began
	ended.Action = audit.CallEnded
	if err := errors.Join(p.End(t.Context(), "1", ended), p.End(t.Context(), "1", ended), s.Close()); err != nil {
		t.Fatal(err)
	}

	s = mustOpen(t, c)
	p = s.Papers()
	open, err := p.Open(t.Context(), start.Add(time.Second), 10)
	if diff := cmp.Diff(map[string]audit.Event{"2": began}, open); err != nil || diff != "" {
		t.Errorf("open calls: %v (-want +got)\n%s", err, diff)
	}
	if open, err := p.Open(t.Context(), start, 10); err != nil || len(open) != 0 {
		t.Errorf("before it began: %v, %v", open, err)
	}
	if err := p.End(t.Context(), "2", ended); err != nil {
		t.Fatal(err)
	}
	if got := actions(t, s); !cmp.Equal(got, []audit.Action{audit.Called, audit.Called, audit.CallEnded, audit.CallEnded}) {
		t.Errorf("audit: %q", got)
	}
}
