package audit

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// timeLayout is RFC 3339 with exactly six digits of a second: what the hash covers, no more and no less.
const timeLayout = "2006-01-02T15:04:05.000000Z07:00"

// line is a record as it is exported, one JSON object in a line. Members that are empty are left out.
type line struct {
	N       int64             `json:"n"`
	At      string            `json:"at"`
	Action  Action            `json:"action"`
	Realm   string            `json:"realm,omitempty"`
	Account string            `json:"account,omitempty"`
	Session string            `json:"session,omitempty"`
	Actor   *lineActor        `json:"actor,omitempty"`
	Outcome string            `json:"outcome,omitempty"`
	From    string            `json:"from,omitempty"`
	Details map[string]string `json:"details,omitempty"`
	Prev    string            `json:"prev"`
	Hash    string            `json:"hash"`
}

type lineActor struct {
	Kind string `json:"kind"`
	ID   string `json:"id,omitempty"`
}

// MarshalJSON is the exported form: times RFC 3339 in UTC with microseconds, hashes in lower-case hex.
func (r Record) MarshalJSON() ([]byte, error) {
	l := line{
		N: r.N, At: r.At.UTC().Format(timeLayout), Action: r.Action, Realm: r.Realm, Account: r.Account, Session: r.Session,
		Outcome: r.Outcome, From: r.From, Details: r.Details,
		Prev: hex.EncodeToString(r.Prev[:]), Hash: hex.EncodeToString(r.Hash[:]),
	}
	if r.Actor != (Actor{}) {
		l.Actor = &lineActor{Kind: r.Actor.Kind, ID: r.Actor.ID}
	}
	return json.Marshal(l)
}

// UnmarshalJSON reads what MarshalJSON wrote; a member that it does not know is an error, because the hash would not
// cover it.
func (r *Record) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var l line
	if err := decoder.Decode(&l); err != nil {
		return fmt.Errorf("audit record: %w", err)
	}
	at, err := time.Parse(timeLayout, l.At)
	if err != nil {
		return fmt.Errorf("audit record %d: %w", l.N, err)
	}
	next := Record{N: l.N, Event: Event{
		At: at.UTC(), Action: l.Action, Realm: l.Realm, Account: l.Account, Session: l.Session,
		Outcome: l.Outcome, From: l.From, Details: l.Details,
	}}
	if l.Actor != nil {
		next.Actor = Actor{Kind: l.Actor.Kind, ID: l.Actor.ID}
	}
	if err := readHash(&next.Prev, l.Prev); err != nil {
		return fmt.Errorf("audit record %d: prev: %w", l.N, err)
	}
	if err := readHash(&next.Hash, l.Hash); err != nil {
		return fmt.Errorf("audit record %d: hash: %w", l.N, err)
	}
	*r = next
	return nil
}

func readHash(to *[32]byte, text string) error {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(to) {
		return fmt.Errorf("want %d hexadecimal digits", 2*len(to))
	}
	copy(to[:], raw)
	return nil
}
