package audit_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/audit"
)

func event() audit.Event {
	return audit.Event{
		At:     time.Date(2026, 3, 4, 5, 6, 7, 890123456, time.FixedZone("KST", 9*3600)),
		Action: audit.SessionEnded, Realm: "staff", Account: "acc", Session: "sid",
		Actor: audit.Actor{Kind: audit.ByProvider, ID: "https://idp.example.com"}, Outcome: "session_cut_off", From: "192.0.2.1",
		Details: map[string]string{"reason": "cut_off", "by": "문지기"},
	}
}

func chain(events ...audit.Event) []audit.Record {
	records, prev := []audit.Record{}, audit.Record{}
	for _, e := range events {
		prev = e.Chain(prev.N+1, prev.Hash)
		records = append(records, prev)
	}
	return records
}

// The encoding is for good: a release that hashes otherwise would call every older record forged.
func TestChainHashIsFixed(t *testing.T) {
	got := event().Chain(1, [32]byte{})
	want := "f52e8d033dc7473641561e1d9cbeaef2f172a0538f3d2751567d8b6da81f2cbf"
	if hex.EncodeToString(got.Hash[:]) != want {
		t.Errorf("hash: got %x, want %s", got.Hash, want)
	}
}

func TestChainKeepsWhatAStoreCanKeep(t *testing.T) {
	e := event()
	e.From, e.Details = "a\x00b\xff", map[string]string{}
	got := e.Chain(1, [32]byte{})
	if got.From != "a\uFFFDb\uFFFD" || got.Details != nil || got.At.Nanosecond() != 890123000 || got.At.Location() != time.UTC {
		t.Errorf("got %+v", got.Event)
	}
	if err := audit.Verify(audit.Record{}, got); err != nil {
		t.Error(err)
	}
}

// Every single member is covered: whoever changes one is found.
func TestVerifyFindsEveryChange(t *testing.T) {
	records := chain(event(), event(), event())
	for name, change := range map[string]func(*audit.Record){
		"n":            func(r *audit.Record) { r.N++ },
		"at":           func(r *audit.Record) { r.At = r.At.Add(time.Microsecond) },
		"action":       func(r *audit.Record) { r.Action = audit.SignedIn },
		"realm":        func(r *audit.Record) { r.Realm = "" },
		"account":      func(r *audit.Record) { r.Account += "x" },
		"session":      func(r *audit.Record) { r.Session = "" },
		"actor kind":   func(r *audit.Record) { r.Actor.Kind = audit.ByAccount },
		"actor id":     func(r *audit.Record) { r.Actor.ID = "" },
		"outcome":      func(r *audit.Record) { r.Outcome = "" },
		"from":         func(r *audit.Record) { r.From = "192.0.2.2" },
		"detail":       func(r *audit.Record) { r.Details = map[string]string{"reason": "revoked", "by": "문지기"} },
		"detail less":  func(r *audit.Record) { r.Details = map[string]string{"reason": "cut_off"} },
		"detail moved": func(r *audit.Record) { r.Details = map[string]string{"reason": "cut_offby", "": "문지기"} },
		"text moved":   func(r *audit.Record) { r.Realm, r.Account = r.Realm+"a", r.Account[1:] },
		"prev":         func(r *audit.Record) { r.Prev[31]++ },
		"hash":         func(r *audit.Record) { r.Hash[0]++ },
	} {
		t.Run(name, func(t *testing.T) {
			changed := records[1]
			change(&changed)
			if err := audit.Verify(records[0], changed); !errors.Is(err, audit.ErrChain) {
				t.Errorf("got %v, want an ErrChain", err)
			}
		})
	}
}

func TestVerifyFindsRemovedAndReorderedRecords(t *testing.T) {
	r := chain(event(), event(), event())
	for i, want := range []error{nil, nil, nil} {
		prev := audit.Record{}
		if i > 0 {
			prev = r[i-1]
		}
		if err := audit.Verify(prev, r[i]); !errors.Is(err, want) {
			t.Fatalf("record %d: got %v", i+1, err)
		}
	}
	for name, pair := range map[string][2]audit.Record{
		"first removed":  {{}, r[1]},
		"second removed": {r[0], r[2]},
		"repeated":       {r[1], r[1]},
		"reordered":      {r[1], r[0]},
	} {
		if err := audit.Verify(pair[0], pair[1]); !errors.Is(err, audit.ErrChain) {
			t.Errorf("%s: got %v, want an ErrChain", name, err)
		}
	}
	// Rewritten from scratch: consistent in itself, so only what follows it, or a copy of a hash kept elsewhere, tells.
	forged := r[1].Event
	forged.Account = "somebody else"
	if err := audit.Verify(forged.Chain(2, r[0].Hash), r[2]); !errors.Is(err, audit.ErrChain) {
		t.Errorf("rewritten: got %v, want an ErrChain", err)
	}
}

func TestRecordJSON(t *testing.T) {
	record := event().Chain(1, [32]byte{1})
	data, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"n":1,"at":"2026-03-03T20:06:07.890123Z","action":"session_ended","realm":"staff","account":"acc","session":"sid",` +
		`"actor":{"kind":"provider","id":"https://idp.example.com"},"outcome":"session_cut_off","from":"192.0.2.1",` +
		`"details":{"by":"문지기","reason":"cut_off"},"prev":"01` + strings.Repeat("0", 62) + `","hash":"` + hex.EncodeToString(record.Hash[:]) + `"}`
	if diff := cmp.Diff(want, string(data)); diff != "" {
		t.Error(diff)
	}
	var back audit.Record
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(record, back); diff != "" {
		t.Error(diff)
	}
	small, _ := json.Marshal(audit.Event{At: time.Unix(0, 0), Action: audit.KeyCreated}.Chain(1, [32]byte{}))
	if strings.Contains(string(small), `""`) || strings.Contains(string(small), "null") {
		t.Errorf("empty members are left out: got %s", small)
	}
}

func TestRecordJSONRefusals(t *testing.T) {
	good, _ := json.Marshal(event().Chain(1, [32]byte{}))
	for name, text := range map[string]string{
		"unknown member": strings.Replace(string(good), `{"n"`, `{"x":1,"n"`, 1),
		"short hash":     strings.Replace(string(good), `"hash":"`, `"hash":"","was":"`, 1),
		"odd time":       strings.Replace(string(good), ".890123Z", "Z", 1),
		"not hex":        strings.Replace(string(good), `"prev":"00`, `"prev":"zz`, 1),
	} {
		var back audit.Record
		if err := json.Unmarshal([]byte(text), &back); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}
