package service_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/compile"
	"github.com/munjigi/munjigi/internal/demo/gatekeeper"
	"github.com/munjigi/munjigi/internal/demo/market"
	"github.com/munjigi/munjigi/internal/demo/service"
	"github.com/munjigi/munjigi/internal/demo/wishlist"
)

// document fetches the one of a service, in a language.
func document(g *gatekeeper.Gatekeeper, address, language string) gatekeeper.Said {
	return g.Do(gatekeeper.Call{Method: "GET", URL: address + "/openapi.json", Header: map[string]string{"Accept-Language": language}})
}

// Each documented operation is there, asks for a token, and is not in the document for nothing.
func TestDocumentedOperationsExist(t *testing.T) {
	g := gatekeeper.Start(t)
	for name, begin := range map[string]func(service.Config) (*service.Service, error){"wishlist": wishlist.New, "market": market.New} {
		address := g.Serve(begin, nil).URL
		paths := document(g, address, "").JSON["paths"].(map[string]any)
		n := 0
		for path, operations := range paths {
			for method := range operations.(map[string]any) {
				if method == "parameters" {
					continue
				}
				n++
				concrete := regexp.MustCompile(`\{[a-z_]+\}`).ReplaceAllString(path, "none")
				said := g.Do(gatekeeper.Call{Method: strings.ToUpper(method), URL: address + concrete})
				if said.Status != 401 || said.Code() != "token_missing" {
					t.Errorf("%s: %s %s without a token: %d %s, want 401 token_missing", name, method, path, said.Status, said.Text)
				}
			}
		}
		if n < 20 {
			t.Errorf("%s documents %d operations", name, n)
		}
		for _, path := range []string{"/faults", "/private/credentials", "/my/shop"} {
			if paths[path] != nil {
				t.Errorf("%s documents %s", name, path)
			}
		}
	}
}

// words are the titles, summaries and descriptions of a document, in its order.
func words(text string) (all []string) {
	for _, found := range regexp.MustCompile(`"(?:title|summary|description)": ?("(?:[^"\\]|\\.)*")`).FindAllStringSubmatch(text, -1) {
		var word string
		if json.Unmarshal([]byte(found[1]), &word) == nil {
			all = append(all, word)
		}
	}
	return all
}

// The market's document is the same in Korean but for its words, all of which are Korean.
func TestTheMarketsDocumentSpeaksBothLanguages(t *testing.T) {
	g := gatekeeper.Start(t)
	address := g.Serve(market.New, nil).URL
	english, korean := document(g, address, "en-GB,en;q=0.9"), document(g, address, "ko-KR,ko;q=0.9,en;q=0.8")
	if english.Header.Get("Content-Language") != "en" || korean.Header.Get("Content-Language") != "ko" || english.Header.Get("ETag") == korean.Header.Get("ETag") {
		t.Errorf("languages %q, %q; tags %s, %s", english.Header["Content-Language"], korean.Header["Content-Language"], english.Header["Etag"], korean.Header["Etag"])
	}
	before, after := words(english.Text), words(korean.Text)
	if len(before) != len(after) || len(before) < 300 {
		t.Fatalf("%d words in English, %d in Korean", len(before), len(after))
	}
	hangul := regexp.MustCompile(`[가-힣]`)
	for i := range before {
		if !hangul.MatchString(after[i]) && after[i] != "VIP" {
			t.Errorf("%q is %q in Korean", before[i], after[i])
		}
	}
	skeleton := func(text string) []string {
		return regexp.MustCompile(`"[^"]*"\s*:|[{}\[\]]`).FindAllString(text, -1)
	}
	if diff := cmp.Diff(skeleton(english.Text), skeleton(korean.Text)); diff != "" {
		t.Errorf("the documents differ in more than words (-en +ko):\n%s", diff)
	}
	tags := korean.JSON["tags"].([]any)[1].(map[string]any)["name"]
	shops := korean.JSON["paths"].(map[string]any)["/shops"].(map[string]any)["get"].(map[string]any)["tags"].([]any)[0]
	if tags != "가게" || shops != tags {
		t.Errorf("tag %v, that of shops %v", tags, shops)
	}
}

func TestAnUnchangedDocumentIsNotSentAgain(t *testing.T) {
	g := gatekeeper.Start(t)
	address := g.Serve(wishlist.New, nil).URL
	first := document(g, address, "ko")
	again := g.Do(gatekeeper.Call{Method: "GET", URL: address + "/openapi.json", Header: map[string]string{"If-None-Match": first.Header.Get("ETag")}})
	if first.Status != 200 || again.Status != http.StatusNotModified || again.Text != "" {
		t.Errorf("first %d, again %d with %d bytes", first.Status, again.Status, len(again.Text))
	}
	if vary := strings.Join(first.Header.Values("Vary"), ","); !strings.Contains(vary, "Accept-Language") {
		t.Errorf("Vary: %s", vary)
	}
}

// The market says everything that a screen needs: nothing has to be guessed. Of what the wishlist does not say, everything
// is found all the same.
func TestTheDocumentsBecomeScreens(t *testing.T) {
	g := gatekeeper.Start(t)
	for name, begin := range map[string]func(service.Config) (*service.Service, error){"wishlist": wishlist.New, "market": market.New} {
		text := document(g, g.Serve(begin, nil).URL, "").Text
		screens, err := compile.Service(name, []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, guess := range screens.Guesses {
			if name == "market" {
				t.Errorf("%s: %s was taken for %s, because %s; better: %s", guess.Operation, guess.About, guess.Took, guess.Because, guess.Better)
			}
		}
		for _, operation := range screens.Operations {
			if operation.Kind == backoffice.Run {
				t.Errorf("%s: %s is nothing but a form to run", name, operation.ID)
			}
		}
		for _, resource := range screens.Resources {
			if resource.Paging.Style == "none" || resource.Display == "" {
				t.Errorf("%s: %s has no pages, or rows without a name", name, resource.Key)
			}
		}
	}
}

// The wishlist is what a framework makes of a team that has not heard of Munjigi.
func TestTheWishlistsDocumentIsPlain(t *testing.T) {
	g := gatekeeper.Start(t)
	said := document(g, g.Serve(wishlist.New, nil).URL, "")
	if strings.Contains(said.Text, "x-admin") || strings.Contains(said.Text, "unjigi") {
		t.Error("the document is annotated")
	}
	if keys := slices.Sorted(maps.Keys(said.JSON)); cmp.Diff([]string{"components", "info", "openapi", "paths"}, keys) != "" {
		t.Errorf("it has %v", keys)
	}
}
