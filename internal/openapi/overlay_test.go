package openapi

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What a path selects, in the order of the document.
func TestJSONPath(t *testing.T) {
	const text = `{"paths": {"/a": {"get": {"tags": ["x", "y"], "n": 1}, "post": {"tags": ["x"], "n": 2}}, "/b/{id}": {"get": {"n": 3, "deprecated": true}}}, "list": [10, 20, 30, 40], "it's": {"a.b": 5}}`
	tests := map[string]string{
		`$.list`:                             `[10,20,30,40]`,
		`$.list[0]`:                          `10`,
		`$.list[-1]`:                         `40`,
		`$.list[9]`:                          ``,
		`$.list[1:3]`:                        `20 30`,
		`$.list[::2]`:                        `10 30`,
		`$.list[::-1]`:                       `40 30 20 10`,
		`$.list[-2:]`:                        `30 40`,
		`$.list[0,2]`:                        `10 30`,
		`$['it\'s']['a.b']`:                  `5`,
		`$["it's"].*`:                        `5`,
		`$.paths.*.get.n`:                    `1 3`,
		`$.paths['/a'].get.n`:                `1`,
		`$.paths[*][*].n`:                    `1 2 3`,
		`$..n`:                               `1 2 3`,
		`$..get.n`:                           `1 3`,
		`$..['n']`:                           `1 2 3`,
		`$.paths.*[?@.n > 1].n`:              `2 3`,
		`$.paths.*[?(@.n >= 2)].n`:           `2 3`,
		`$.paths.*[?@.deprecated == true].n`: `3`,
		`$.paths.*[?@.deprecated].n`:         `3`,
		`$.paths.*[?!@.deprecated].n`:        `1 2`,
		`$.paths.*[?@.tags[0] == 'x' && @.n != 2].n`:           `1`,
		`$.paths.*[?@.n == 1 || (@.n == 3 && @.deprecated)].n`: `1 3`,
		`$.paths.*[?@.tags[?@ == 'y']].n`:                      `1`,
		`$.list[?@ < $.list[2]]`:                               `10 20`,
		`$.list[?@ == 1e1]`:                                    `10`,
		`$.paths.*[?@.nowhere == @.neither].n`:                 `1 2 3`,
		`$.paths.*[?@.tags == 'x'].n`:                          ``,
		`$.nowhere`:                                            ``,
		`$.list.name`:                                          ``,
	}
	root, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range tests {
		q, err := parsePath(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		found, err := q.find(root)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		var got []string
		for _, place := range found {
			got = append(got, string(place.node.JSON()))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, want %q", path, strings.Join(got, " "), want)
		}
	}
	if q, _ := parsePath("$"); len(q.segments) != 0 {
		t.Error("$ is not the whole document")
	}
}

func TestJSONPath_refuses(t *testing.T) {
	for _, path := range []string{
		"", "paths", "$.", "$..", "$[", "$[]", "$['a", "$.a b", "$[?]", "$[?@.a ==]", "$[?length(@) > 1]", "$[?(@.a]", "$[?1]", "$[99999999999999999999]", "$[1,]", "$['a']]",
		"$[?@.a == 'x' &&]", "$" + strings.Repeat(".a", longestPath),
	} {
		if _, err := parsePath(path); err == nil {
			t.Errorf("%s was accepted", clip(path))
		}
	}
}

func TestOverlay(t *testing.T) {
	const document = `{"openapi": "3.1.0", "info": {"title": "Old", "version": "1"}, "tags": [{"name": "a"}], "paths": {"/a": {"get": {"tags": ["x"], "deprecated": true}, "delete": {}}, "/b": {"get": {}}}}`
	tests := map[string]struct{ actions, want string }{
		"update an object": {`[{target: $.info, update: {title: New, summary: s}}]`, `"info":{"title":"New","version":"1","summary":"s"}`},
		"merge deeply":     {`[{target: $, update: {paths: {/a: {get: {x-admin: {kind: list}}}}}}]`, `"/a":{"get":{"tags":["x"],"deprecated":true,"x-admin":{"kind":"list"}},"delete":{}}`},
		"join arrays":      {`[{target: "$.paths['/a']", update: {get: {tags: [y, z]}}}]`, `"tags":["x","y","z"]`},
		"append":           {`[{target: $.tags, update: {name: b}}]`, `"tags":[{"name":"a"},{"name":"b"}]`},
		"every one":        {`[{target: '$.paths.*.get', update: {x: 1}}]`, `"paths":{"/a":{"get":{"tags":["x"],"deprecated":true,"x":1},"delete":{}},"/b":{"get":{"x":1}}}`},
		"remove":           {`[{target: '$.paths.*.delete', remove: true}]`, `"paths":{"/a":{"get":{"tags":["x"],"deprecated":true}},"/b":{"get":{}}}`},
		"remove from list": {`[{target: '$.tags[?@.name == "a"]', remove: true}]`, `"tags":[]`},
		"in their order":   {`[{target: $.info.title, remove: true}, {target: $.info, update: {title: Third}}]`, `"info":{"version":"1","title":"Third"}`},
		"replace by kind":  {`[{target: $.info, update: {title: {a: 1}}}]`, `"info":{"title":{"a":1},"version":"1"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d, err := Read([]byte(document), []byte("overlay: 1.0.0\ninfo: {title: t, version: '1'}\nactions: "+test.actions+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			if got := string(d.Root.JSON()); !strings.Contains(got, test.want) {
				t.Errorf("got %s, want in it %s", got, test.want)
			}
			if len(d.Unused) > 0 {
				t.Errorf("unused: %v", d.Unused)
			}
		})
	}
	d, err := Read([]byte(document), []byte(`{"overlay": "1.1.0", "actions": [{"target": "$.paths['/nowhere']", "remove": true}, {"target": "$.tags", "update": {"name": "b"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"$.paths['/nowhere']"}, d.Unused); diff != "" {
		t.Errorf("unused (-want +got):\n%s", diff)
	}
}

// The tree that was read is not changed: values that aliases share would change in several places.
func TestOverlayChangesACopy(t *testing.T) {
	d, err := Read([]byte("openapi: 3.0.0\npaths:\n  /a: {get: &g {summary: s}}\n  /b: {get: *g}\n"), []byte("overlay: 1.0.0\nactions: [{target: \"$.paths['/b'].get\", update: {summary: other}}]"))
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Root.Str("paths", "/a", "get", "summary") + " " + d.Root.Str("paths", "/b", "get", "summary"); got != "s other" {
		t.Errorf("got %s", got)
	}
}

func TestOverlay_refuses(t *testing.T) {
	const document = `{"openapi": "3.1.0", "info": {"title": "x"}, "paths": {}}`
	for name, overlay := range map[string]string{
		"not YAML":                  "overlay: [",
		"no version":                "actions: []",
		"version 2":                 "overlay: 2.0.0\nactions: []",
		"no actions":                "overlay: 1.0.0",
		"no target":                 "overlay: 1.0.0\nactions: [{update: {}}]",
		"neither update nor remove": "overlay: 1.0.0\nactions: [{target: $.info}]",
		"a text is updated":         "overlay: 1.0.0\nactions: [{target: $.info.title, update: {a: 1}}]",
		"an object by a text":       "overlay: 1.0.0\nactions: [{target: $.info, update: text}]",
		"everything is removed":     "overlay: 1.0.0\nactions: [{target: $, remove: true}]",
		"a function":                "overlay: 1.0.0\nactions: [{target: '$.paths[?length(@) > 1]', remove: true}]",
	} {
		_, err := Read([]byte(document), []byte(overlay))
		if trouble, ok := errors.AsType[*Error](err); !ok || trouble.Code != BadOverlay {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// An overlay that doubles the document again and again, or looks at everything from everywhere, ends soon.
func TestOverlayIsBounded(t *testing.T) {
	var actions strings.Builder
	for range 400 {
		actions.WriteString("- {target: '$..tags', update: {tags: [a, b, c]}}\n")
	}
	document := `{"openapi": "3.1.0", "tags": [` + strings.Repeat(strings.Repeat(`{"tags":[`, 20)+strings.Repeat(`]}`, 20)+",", 300) + `1], "paths": {}}`
	began := time.Now()
	for _, overlay := range []string{actions.String(), "- {target: '$..[?@..[?@..*]]..*', remove: true}\n"} {
		_, err := Read([]byte(document), []byte("overlay: 1.0.0\nactions:\n"+overlay))
		if err == nil {
			t.Error("it was accepted")
		}
	}
	if took := time.Since(began); took > 2*time.Minute {
		t.Errorf("it took %v", took)
	}
}
