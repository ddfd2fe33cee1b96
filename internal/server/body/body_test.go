package body

import (
	"encoding/json"
	"testing"
)

// What is accepted is one JSON object that every reader understands alike.
func FuzzObjectMembers(f *testing.F) {
	for _, text := range []string{`{"app":"tools"}`, `{"a":1,"a":2}`, `{"a":{"b":[1,{"c":1,"c":2}]}}`, `[]`, `null`, `{} {}`, `{"a":"\ud800"}`, `{"a`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		members, err := objectMembers([]byte(text))
		if err != nil {
			return
		}
		if !json.Valid([]byte(text)) {
			t.Fatalf("accepted %q", text)
		}
		again, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := objectMembers(again); err != nil || len(back) != len(members) {
			t.Fatalf("%q became %q: %v", text, again, err)
		}
	})
}
