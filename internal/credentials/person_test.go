package credentials

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want Person
	}{
		"all of it": {
			`{"id":"s1","name":"온기상점","email":"Onggi@Example.com","roles":["shop"]}`,
			Person{ID: "s1", Name: "온기상점", Email: "onggi@example.com", Roles: []string{"shop"}},
		},
		"an id alone":                {`{"id":"s1"}`, Person{ID: "s1"}},
		"nulls":                      {`{"id":"s1","name":null,"email":null,"roles":null}`, Person{ID: "s1"}},
		"members that we don't know": {`{"id":"s1","ID":"s2","admin":true,"roles_":["shop"],"deep":{"id":"s3"}}`, Person{ID: "s1"}},
		"roles outside the list, twice, in any order": {
			`{"id":"s1","roles":["wholesale","admin","shop","shop","Shop","shop ",""]}`,
			Person{ID: "s1", Roles: []string{"shop", "wholesale"}},
		},
		"a name that would break its line": {`{"id":"s1","name":" a\u202eb\r\nc\u0000 "}`, Person{ID: "s1", Name: "abc"}},
		"a long name":                      {`{"id":"s1","name":"` + strings.Repeat("상", 300) + `"}`, Person{ID: "s1", Name: strings.Repeat("상", 200)}},
		"no e-mail after all":              {`{"id":"s1","email":"onggi"}`, Person{ID: "s1"}},
		"two at signs":                     {`{"id":"s1","email":"a@evil.com@example.com"}`, Person{ID: "s1"}},
		"an e-mail with a display name":    {`{"id":"s1","email":"Boss <boss@example.com>"}`, Person{ID: "s1"}},
		"an e-mail with a line break":      {`{"id":"s1","email":"a\r\n@example.com"}`, Person{ID: "s1"}},
		"a long e-mail":                    {`{"id":"s1","email":"` + strings.Repeat("a", 250) + `@b.kr"}`, Person{ID: "s1"}},
		"a long id":                        {`{"id":"` + strings.Repeat("i", 128) + `"}`, Person{ID: strings.Repeat("i", 128)}},
		"an id with a space inside":        {`{"id":"shop 1"}`, Person{ID: "shop 1"}},
		"an id of many letters":            {`{"id":"온기/1:é"}`, Person{ID: "온기/1:é"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := read([]byte(test.text), []string{"shop", "wholesale"})
			if test.want.Roles == nil {
				test.want.Roles = []string{}
			}
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// An id is half of an identity: one that two readers could take for two, or two that look like one, are none.
func TestIDsThatAreNone(t *testing.T) {
	for name, id := range map[string]string{
		"empty": `""`, "a space": `" "`, "a space before": `" s1"`, "a space behind": `"s1 "`, "too long": `"` + strings.Repeat("i", 129) + `"`,
		"too long in bytes": `"` + strings.Repeat("상", 43) + `"`, "NUL": `"s1\u0000"`, "a line break": `"s1\n"`, "a tab": `"s\t1"`, "delete": `"s1\u007f"`,
		"C1": `"s1\u0085"`, "a lone surrogate": `"s1\ud800"`, "what is left of one": `"s1\ufffd"`, "no-break space": `"s\u00a01"`,
		"zero width": `"s\u200b1"`, "right to left": `"s\u202e1"`, "a byte order mark": `"\ufeffs1"`, "true": `true`, "an object": `{}`,
	} {
		if person, err := read([]byte(`{"id":`+id+`}`), nil); err == nil {
			t.Errorf("%s: took %q", name, person.ID)
		}
	}
}

// Whatever a service answers: what is believed is an id that can be stored and shown, and roles of the list.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"id":"s1","name":"온기상점","email":"onggi@example.com","roles":["shop","admin"]}`))
	f.Add([]byte(`{"id":"\ud800","roles":{}}`))
	f.Add([]byte(`{"id":"a"}{"id":"b"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		person, err := read(text, []string{"shop"})
		if err != nil {
			return
		}
		var plain map[string]any
		if json.Unmarshal(text, &plain) != nil || plain["id"] != person.ID || !usable(person.ID) {
			t.Errorf("took %q of %q", person.ID, text)
		}
		if len(person.Roles) > 1 || len(person.Roles) == 1 && person.Roles[0] != "shop" {
			t.Errorf("took the roles %q of %q", person.Roles, text)
		}
	})
}
