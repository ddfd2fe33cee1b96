package self_test

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/compile"
	"github.com/munjigi/munjigi/internal/review"
	"github.com/munjigi/munjigi/internal/self"
)

func screens(t *testing.T, language string) backoffice.Service {
	t.Helper()
	text, err := self.Document(language)
	if err != nil {
		t.Fatal(err)
	}
	service, err := compile.Service(self.Name, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	return service
}

// The document is an example to others: nothing of it has to be guessed, and it keeps to the specification.
func TestNothingIsGuessed(t *testing.T) {
	for _, language := range []string{"en", "ko"} {
		for _, guess := range screens(t, language).Guesses {
			t.Errorf("%s: %+v", language, guess)
		}
		text, err := self.Document(language)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range review.Problems(t.Context(), text) {
			t.Errorf("%s: %s", language, problem)
		}
	}
}

// Both languages have the same screens; only what people read differs, and nothing is left in the other language.
func TestLanguages(t *testing.T) {
	english, korean := screens(t, "en"), screens(t, "ko")
	names := func(s backoffice.Service) (all []string) {
		for _, o := range s.Operations {
			all = append(all, o.ID+" "+o.Method+" "+o.Path+" "+string(o.Kind)+" "+string(o.Danger))
		}
		for _, r := range s.Resources {
			all = append(all, r.Key, r.List, r.Get, r.Display)
			all = append(all, r.Columns...)
		}
		return all
	}
	if diff := cmp.Diff(names(english), names(korean)); diff != "" {
		t.Errorf("(-en +ko):\n%s", diff)
	}
	for i, o := range korean.Operations {
		if o.Title == english.Operations[i].Title {
			t.Errorf("%s is called %q in both languages", o.ID, o.Title)
		}
	}
	text, err := self.Document("en")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsFunc(text, func(c rune) bool { return unicode.Is(unicode.Hangul, c) }) {
		t.Error("there is Korean in the English document")
	}
	other, err := self.Document("fr")
	if err != nil || !bytes.Equal(text, other) {
		t.Errorf("a language that it does not speak: not the English one, %v", err)
	}
}

// Labels are texts for people in every language: none is a property's name.
func TestEverythingShownHasAName(t *testing.T) {
	korean := screens(t, "ko")
	for _, r := range korean.Resources {
		for _, f := range r.Row.Fields {
			if !strings.ContainsFunc(f.Title, func(c rune) bool { return unicode.Is(unicode.Hangul, c) }) {
				t.Errorf("%s: the column %s is called %q", r.Key, f.Name, f.Title)
			}
		}
		for _, f := range r.Filters {
			if f.Param != "" && !strings.ContainsFunc(f.Title, func(c rune) bool { return unicode.Is(unicode.Hangul, c) }) {
				t.Errorf("%s: the filter %s is called %q", r.Key, f.Param, f.Title)
			}
		}
	}
}

// Whatever can be in the audit has a name there.
func TestEveryActionHasAName(t *testing.T) {
	source, err := os.ReadFile("../audit/event.go")
	if err != nil {
		t.Fatal(err)
	}
	var written, named []string
	for _, found := range regexp.MustCompile(`(?m)^\t\w+ +(?:Action )? *= "(\w+)"(?: +//.*)?$`).FindAllStringSubmatch(string(source), -1) {
		written = append(written, found[1])
	}
	for _, f := range screens(t, "en").Resources[slices.IndexFunc(screens(t, "en").Resources, func(r backoffice.Resource) bool { return r.Key == "audit" })].Row.Fields {
		for _, choice := range f.Choices {
			named = append(named, strings.Trim(string(choice.Value), `"`))
		}
	}
	actors := []string{"account", "program", "provider", "command"} // constants of the same file
	written = slices.DeleteFunc(written, func(s string) bool { return slices.Contains(actors, s) })
	slices.Sort(written)
	slices.Sort(named)
	if diff := cmp.Diff(written, named); diff != "" {
		t.Errorf("(-event.go +document):\n%s", diff)
	}
}
