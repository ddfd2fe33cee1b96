package sketch

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/munjigi/munjigi/internal/openapi"
)

func parse(t testing.TB, text string) *openapi.Node {
	t.Helper()
	n, err := openapi.ParseJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestInfer(t *testing.T) {
	tests := map[string]struct {
		values []string
		want   string
	}{
		"whole numbers":         {[]string{`1`, `-5`}, `{"type":"integer"}`},
		"beyond 32 bits":        {[]string{`1`, `4294967296`}, `{"type":"integer","format":"int64"}`},
		"2^63-1":                {[]string{`9223372036854775807`}, `{"type":"integer","format":"int64"}`},
		"numbers of both":       {[]string{`1`, `1.5`}, `{"type":"number"}`},
		"with null":             {[]string{`null`, `true`}, `{"type":["boolean","null"]}`},
		"only null":             {[]string{`null`}, `{}`},
		"several kinds":         {[]string{`1`, `"a"`}, `{"type":["integer","string"]}`},
		"a moment":              {[]string{`"2026-11-26T10:00:00Z"`, `"2026-11-26T10:00:00.5+09:00"`}, `{"type":"string","format":"date-time"}`},
		"a day":                 {[]string{`"2026-11-26"`, `""`}, `{"type":"string","format":"date"}`},
		"a day, once not":       {[]string{`"2026-11-26"`, `"soon"`}, `{"type":"string"}`},
		"an e-mail address":     {[]string{`"a@example.com"`}, `{"type":"string","format":"email"}`},
		"a name and address":    {[]string{`"A <a@example.com>"`}, `{"type":"string"}`},
		"an address":            {[]string{`"https://example.com/x"`}, `{"type":"string","format":"uri"}`},
		"a uuid":                {[]string{`"0b54f1a2-7c39-4a53-8b8e-7b6a3f1e2d3c"`}, `{"type":"string","format":"uuid"}`},
		"missing in one":        {[]string{`{"a":1,"b":2}`, `{"a":1}`}, `{"type":"object","required":["a"],"properties":{"a":{"type":"integer"},"b":{"type":"integer"}}}`},
		"null is there":         {[]string{`{"a":null}`, `{"a":1}`}, `{"type":"object","required":["a"],"properties":{"a":{"type":["integer","null"]}}}`},
		"the order seen":        {[]string{`{"z":1,"a":1}`, `{"m":1,"z":2}`}, `{"type":"object","required":["z"],"properties":{"z":{"type":"integer"},"a":{"type":"integer"},"m":{"type":"integer"}}}`},
		"an empty list":         {[]string{`[]`}, `{"type":"array","items":{}}`},
		"few words, often":      {[]string{`["on","off","on","off","on","on","on","off"]`}, `{"type":"array","items":{"type":"string","enum":["off","on"]}}`},
		"few words, seldom":     {[]string{`["on","off","on"]`}, `{"type":"array","items":{"type":"string"}}`},
		"one word always":       {[]string{`["x","x","x","x","x","x","x","x","x"]`}, `{"type":"array","items":{"type":"string"}}`},
		"sentences are no enum": {[]string{`["to be","not to be","to be","not to be","to be","to be","to be","to be"]`}, `{"type":"array","items":{"type":"string"}}`},
		"null in an enum":       {[]string{`["a","b","a","b","a","b","a","b",null]`}, `{"type":"array","items":{"type":["string","null"],"enum":["a","b",null]}}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var values []*openapi.Node
			for _, text := range test.values {
				values = append(values, parse(t, text))
			}
			if diff := cmp.Diff(test.want, string(Infer(values...).JSON())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// An object with very many members is a map: its keys are data.
func TestMaps(t *testing.T) {
	var members []string
	for i := range mostKeys + 1 {
		members = append(members, `"k`+strings.Repeat("x", i)+`": 1`)
	}
	got := string(Infer(parse(t, "{"+strings.Join(members, ",")+"}")).JSON())
	if want := `{"type":"object","additionalProperties":{"type":"integer"}}`; got != want {
		t.Errorf("got %.200s, want %s", got, want)
	}
}

func TestTemplates(t *testing.T) {
	list := parse(t, `[{"id": "a"}, {"id": "b c"}]`)
	samples := []Sample{
		{Path: "/shops?x=1", Body: list},
		{Path: "/shops/zz", Body: parse(t, `{}`), Of: "/shops"},
		{Path: "/shops/a/items", Body: list},
		{Path: "/shops/b%20c/x", Body: parse(t, `{}`)},
		{Path: "/shops/stats", Body: parse(t, `{}`)},
		{Path: "/shops/12", Body: parse(t, `{}`)},
		{Path: "/others/12", Body: parse(t, `{}`)},
	}
	want := []string{"/shops", "/shops/{id}", "/shops/{id}/items", "/shops/{id}/x", "/shops/stats", "/shops/{id}", "/others/12"}
	if diff := cmp.Diff(want, templates(samples)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whatever text stands in a tree, its YAML is read back as the same.
func TestYAMLIsReadBack(t *testing.T) {
	special := []string{"yes", "no", "null", "~", "1", "1.5", "0x1f", "a: b", "a #b", "- a", "{a}", "[a]", "'", `"`, "\n", " a", "a ", "", "2026-11-26", "=", "<<", "*a", "&a", "!x", "%", "@", "`", "한글", "a\tb", "?", "|", "/shops/{id}", "a,b", "\u2028", "\u0085"}
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.OneOf(rapid.SampledFrom(special), rapid.String())
		root := openapi.NewObject()
		for range rapid.IntRange(1, 5).Draw(t, "members") {
			inner := openapi.NewObject()
			inner.Set(word.Draw(t, "key"), openapi.NewArray(openapi.NewString(word.Draw(t, "item")), openapi.NewObject(), openapi.NewArray()))
			inner.Set(word.Draw(t, "key"), openapi.NewString(word.Draw(t, "value")))
			root.Set(word.Draw(t, "key"), inner)
		}
		text := YAML(root)
		back, err := openapi.Parse([]byte(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if diff := cmp.Diff(string(root.JSON()), string(back.JSON())); diff != "" {
			t.Fatalf("(-want +got):\n%s\n%s", diff, text)
		}
	})
}
