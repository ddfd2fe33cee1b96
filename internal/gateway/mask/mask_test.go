package mask

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Masks: what is sensitive is hidden wherever it is, and nothing else is touched.
func TestMasking(t *testing.T) {
	for _, c := range []struct {
		paths    []string
		in, want string
	}{
		{[]string{"/a"}, `{"a":"x","b":"x"}`, `{"a":"••••","b":"x"}`},
		{[]string{"/a"}, `{"a":null}`, `{"a":null}`},
		{[]string{"/a"}, `{"a":{"b":[1,2]},"c":1}`, `{"a":"••••","c":1}`},
		{[]string{"/a"}, `{"\u0061":"x"}`, `{"a":"••••"}`},
		{[]string{"/a"}, `{"a":1,"a":2}`, `{"a":"••••","a":"••••"}`},
		{[]string{"/a"}, ` { "n" : 9223372036854775807 , "f" : 1.10e2 , "s" : "<\u2028\n한" , "t" : true , "z" : null } `, "{\"n\":9223372036854775807,\"f\":1.10e2,\"s\":\"<\\u2028\\n한\",\"t\":true,\"z\":null}"},
		{[]string{"/*/a"}, `[{"a":1},{"a":2,"b":[]},{}]`, `[{"a":"••••"},{"a":"••••","b":[]},{}]`},
		{[]string{"/a/*"}, `{"a":["x","y"],"b":["x"]}`, `{"a":["••••","••••"],"b":["x"]}`},
		{[]string{"/a/*"}, `{"a":[],"b":1}`, `{"a":[],"b":1}`},
		{[]string{"/a/*"}, `{"a":{"x":1,"y":null}}`, `{"a":{"x":"••••","y":null}}`},
		{[]string{"/a/*/b"}, `{"a":[[{"b":1}],{"b":1}]}`, `{"a":[[{"b":1}],{"b":"••••"}]}`},
		{[]string{""}, `{"a":1}`, `"••••"`},
		{[]string{""}, `null`, `null`},
		{[]string{"/c/**/p", "/p"}, `{"p":1,"c":[{"p":1,"c":[{"p":2,"q":3}]}]}`, `{"p":"••••","c":[{"p":"••••","c":[{"p":"••••","q":3}]}]}`},
		{[]string{"/a~1b", "/~0"}, `{"a/b":1,"~":1,"a":{"b":1}}`, `{"a/b":"••••","~":"••••","a":{"b":1}}`},
		{[]string{"/a"}, `[]`, `[]`},
		{[]string{"/a"}, `"a"`, `"a"`},
		{[]string{"/a/b"}, `{"a":[{"b":1}]}`, `{"a":[{"b":1}]}`},
	} {
		text, err := io.ReadAll(Reader(io.NopCloser(strings.NewReader(c.in)), New(c.paths)))
		if err != nil || string(text) != c.want {
			t.Errorf("%q of %s: got %s, %v, want %s", c.paths, c.in, text, err, c.want)
		}
	}
	for _, bad := range []string{"", "{", `{"a"`, `{"a":`, `{"a":1`, `[1,`, `{"a":1}x`, `{"a":1}{}`, `nul`, `{'a':1}`, `[1 2]`, strings.Repeat("[", 300) + strings.Repeat("]", 300)} {
		if text, err := io.ReadAll(Reader(io.NopCloser(strings.NewReader(bad)), New([]string{"/a"}))); err == nil {
			t.Errorf("%.20q became %.20q", bad, text)
		}
	}
}

// Of what is valid JSON masking makes valid JSON that means the same, but for the mask.
func FuzzMasking(f *testing.F) {
	for _, text := range []string{`{"a":1,"b":[{"a":{}}]}`, `[]`, `"x"`, `{"a":"\ud800"}`, `[[[]],{"":{}}]`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		masked, err := io.ReadAll(Reader(io.NopCloser(strings.NewReader(text)), New([]string{"/nothing-like-this"})))
		if err != nil {
			return
		}
		var before, after any
		if json.Unmarshal([]byte(text), &before) != nil || json.Unmarshal(masked, &after) != nil || !cmp.Equal(before, after) {
			t.Errorf("%q became %q", text, masked)
		}
	})
}
