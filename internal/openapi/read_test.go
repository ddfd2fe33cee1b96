package openapi

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What Go's maps and floats lose is kept: the order of members, and every digit of a number.
func TestOrderAndNumbersAreKept(t *testing.T) {
	want := `{"zebra":9223372036854775807,"apple":{"b":1.50,"a":-9223372036854775808},"list":[1,"two",true,null]}`
	tests := map[string]string{
		"json": `{"zebra": 9223372036854775807, "apple": {"b": 1.50, "a": -9223372036854775808}, "list": [1, "two", true, null]}`,
		"yaml": "zebra: 9223372036854775807\napple:\n  b: 1.50\n  a: -9223372036854775808\nlist: [1, two, true, ~]\n",
		"yaml with aliases": "zebra: 9223372036854775807\napple: &x\n  b: 1.50\n  a: -9223372036854775808\n" +
			"list:\n- 1\n- !!str two\n- true\n- null\n",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			n, err := Parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, string(n.JSON())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestYAML(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"status codes are names":         {"200: ok\n'404': no\non: 1\n", `{"200":"ok","404":"no","on":1}`},
		"merged members come last":       {"base: &b {x: 1, y: 2}\nhere:\n  <<: *b\n  y: 3\n", `{"base":{"x":1,"y":2},"here":{"y":3,"x":1}}`},
		"numbers of YAML":                {"a: 0x1F\nb: 1_000\nc: .5\nd: +7\ne: 0o17\n", `{"a":31,"b":1000,"c":0.5,"d":7,"e":15}`},
		"what JSON does not know":        {"a: .inf\nb: .nan\n", `{"a":null,"b":null}`},
		"texts on several lines":         {"a: |\n  one\n  two\nb: >-\n  three\n  four\n", `{"a":"one\ntwo\n","b":"three four"}`},
		"an alias is what it stands for": {"a: &x [1, {b: 2}]\nc: *x\n", `{"a":[1,{"b":2}],"c":[1,{"b":2}]}`},
		"dates stay texts":               {"a: 2026-11-26\n", `{"a":"2026-11-26"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			n, err := Parse([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(n.JSON())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Every bad document has its code, and where it can a line. None takes long.
func TestRead_refuses(t *testing.T) {
	bomb := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 10; i++ {
		before, name := "*a"+strconv.Itoa(i-1), "a"+strconv.Itoa(i)
		bomb += name + ": &" + name + " [" + strings.Repeat(before+",", 9) + before + "]\n"
	}
	tests := map[string]struct {
		text string
		code Code
		line int
	}{
		"nothing":                   {"", Malformed, 0},
		"a list":                    {"[]", Malformed, 0},
		"a text":                    {"hello", Malformed, 0},
		"HTML":                      {"<!doctype html><title>Sign in</title>", Malformed, 0},
		"cut off":                   {`{"openapi": "3.1.0", "paths": {`, Malformed, 1},
		"JSON with something after": {"{\"openapi\": \"3.1.0\"}\n{}", Malformed, 2},
		"a member twice":            {"{\"openapi\": \"3.1.0\",\n\"openapi\": \"3.0.0\"}", Malformed, 2},
		"YAML with a member twice":  {"openapi: 3.1.0\npaths: {}\npaths: {}\n", Malformed, 3},
		"YAML that is none":         {"openapi: 3.1.0\npaths: [\n", Malformed, 3},
		"Swagger 2":                 {`{"swagger": "2.0", "paths": {}}`, Version, 0},
		"OpenAPI 4":                 {`{"openapi": "4.0.0"}`, Version, 0},
		"no version":                {`{"paths": {}}`, Version, 0},
		"not UTF-8":                 {"{\"openapi\": \"3.1.0\xff\"}", Malformed, 0},
		"too many bytes":            {`{"openapi": "` + strings.Repeat("3", MaxSize) + `"}`, TooLarge, 0},
		"too deep":                  {`{"openapi": ` + strings.Repeat("[", 100_000), TooLarge, 1},
		"too many values":           {`{"openapi": [` + strings.Repeat("0,", MaxValues) + `0]}`, TooLarge, 0},
		"too many operations":       {`{"openapi": "3.1.0", "paths": {` + manyPaths(MaxOperations+1) + `}}`, TooLarge, 0},
		"YAML: too deep":            {"openapi: " + strings.Repeat("[", 1_000_000), TooLarge, 0},
		"YAML: too deep by dashes":  {strings.Repeat("- ", 1_000_000) + "x", TooLarge, 0},
		"YAML: deep in lines":       {deepLines(400), TooLarge, 0},
		"YAML: a bomb of aliases":   {bomb, TooLarge, 0},
		"YAML: an alias of itself":  {"a: &a [*a]\n", Malformed, 1},
		"YAML: an alias of itself by another's name": {"a: &a 1\nb: &a [*a]\n", Malformed, 2},
		"YAML: an alias of nothing":                  {"a: *b\n", Malformed, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, err := Read([]byte(test.text), nil)
			trouble, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("got %v, want an *Error", err)
			}
			if trouble.Code != test.code || (test.line > 0 && trouble.Line != test.line) {
				t.Errorf("got %s at line %d (%v), want %s at line %d", trouble.Code, trouble.Line, err, test.code, test.line)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// Hostile YAML takes time that grows with its size, no faster: a parser that goes down with each member takes minutes for
// some of these.
func TestYAMLTakesNoLongerThanItsSize(t *testing.T) {
	const size = 300_000
	var flat strings.Builder
	for i := 0; flat.Len() < size; i++ {
		flat.WriteString("k" + strconv.Itoa(i) + ": v\n")
	}
	fill := func(text string) string { return strings.Repeat(text, size/len(text)) }
	for name, text := range map[string]string{
		"members": flat.String(), "items": fill("- a\n"), "quotes": "a: " + fill("'"), "backslashes": `a: "` + fill(`\`), "comments": fill("#\n") + "a: b", "anchors": "a: " + fill("&a "),
		"tags": "a: " + fill("!!str "), "merges": "x: &x {a: 1}\n" + fill("<<: *x\n"), "a block": "a: |\n" + fill("  x\n"), "a folded block": "a: >\n" + fill("  x\n\n"),
		"a flow list": "a: [" + fill("b,") + "]", "a flow map": "a: {" + fill("b: c,") + "}", "words": "a: " + fill("word "), "lines": "a:\n" + fill("  word\n"), "documents": fill("---\n"),
		"directives": fill("%YAML 1.2\n"), "colons": "a" + fill(":"), "pipes": fill("a: |\n"), "tabs": fill("\t"), "ends": fill("\n"), "commas": "a: [" + fill(",") + "]", "questions": fill("? a\n"), "dashes": fill("-\n"),
	} {
		began := time.Now()
		_, _ = Parse([]byte(text)) // what comes of it does not matter here
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
	}
}

func manyPaths(n int) string {
	var text strings.Builder
	for i := range n {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString(`"/p` + strconv.Itoa(i) + `": {"get": {}}`)
	}
	return text.String()
}

func deepLines(n int) string {
	var text strings.Builder
	for i := range n {
		text.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return text.String()
}
