package munjigi_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// strangers are words that tie the project to somebody's machine, or say that something was left undone. The patterns
// are broken up so that they do not find themselves.
var strangers = regexp.MustCompile(`(?m)(^|[^A-Za-z0-9_.])/(work|root|home/[a-z]+)` + `/|(proxy|registry|deb|sum)\.[a-z]+\.(org|com)|\b(TO` + `DO|FIX` + `ME|XX` + `X)\b|t\.Ski` + `p\(|\b(it|test|describe)\.(ski` + `p|onl` + `y|tod` + `o)\(`)

// hints are in every text that has a stranger; a plain search is much faster than the pattern.
var hints = []string{"/wor" + "k/", "/roo" + "t/", "/hom" + "e/", "prox" + "y.", "registr" + "y.", "de" + "b.", "su" + "m.", "TO" + "DO", "FIX" + "ME", "XX" + "X", "kip" + "(", ".onl" + "y(", ".tod" + "o("}

// Lock files name where packages came from, and a licence is somebody else's text.
var excused = []string{"go.sum", "package-lock.json", "LICENSE"}

func TestNoStrangeWords(t *testing.T) {
	for _, problem := range checkWords(os.DirFS(".")) {
		t.Error(problem)
	}
}

func TestNoStrangeWordsRefuses(t *testing.T) {
	tree := fstest.MapFS{}
	for name, text := range map[string]string{
		"a.go":              "x := 1 // TO" + "DO later",
		"b.md":              "lies in /ho" + "me/kim/munjigi",
		"c.ts":              "it.ski" + "p('later')",
		"package-lock.json": "https://registry.npmjs" + ".org/vue",
		"fine.md":           "see /sessions/root/work, and example.com/work/",
		"node_modules/d.js": "// TO" + "DO",
	} {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	want := []string{"a.go:1: TO" + "DO", "b.md:1: /ho" + "me/kim/", "c.ts:1: it.ski" + "p("}
	if diff := cmp.Diff(want, checkWords(tree)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// checkWords reads every text that a person wrote, and returns where it finds a stranger.
func checkWords(tree fs.FS) (problems []string) {
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return notWritten(name)
		}
		if slices.Contains(excused, path.Base(name)) {
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		hinted := slices.ContainsFunc(hints, func(hint string) bool { return bytes.Contains(text, []byte(hint)) })
		if err != nil || !hinted || !utf8.Valid(text) {
			return err
		}
		for _, at := range strangers.FindAllIndex(text, -1) {
			found := bytes.TrimSpace(text[at[0]:at[1]])
			line := 1 + bytes.Count(text[:at[1]], []byte("\n"))
			problems = append(problems, fmt.Sprintf("%s:%d: %s", name, line, found))
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	return problems
}

// unwritten are folders whose files nobody here wrote: .gitignore names most of them.
var unwritten = []string{".git", "bin", "dist", "munjigi-demo", "node_modules", "test-results", "testdata"}

func notWritten(dir string) error {
	if slices.Contains(unwritten, path.Base(dir)) {
		return fs.SkipDir
	}
	return nil
}
