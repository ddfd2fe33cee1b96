package server

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// document is what a browser gets of /admin/openapi.json.
func (o *office) document(t *testing.T, language string) string {
	t.Helper()
	ask := from(own, "GET", "/admin/openapi.json", "").with("Munjigi-App", "console").with("Accept-Language", language)
	r := o.do(ask.cookie("__Host-munjigi-staff", o.person("boss", "console", "admin")))
	wantStatus(t, r, 200)
	return text(t, r)
}

// The document has every route under /admin, and no other.
func TestOwnDocumentHasEveryRoute(t *testing.T) {
	o := open(t, withOffice(fakeOffice{}))
	var document struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal([]byte(o.document(t, "en")), &document); err != nil {
		t.Fatal(err)
	}
	var written, routes []string
	for path, methods := range document.Paths {
		for method := range methods {
			if method != "parameters" {
				written = append(written, strings.ToUpper(method)+" "+path)
			}
		}
	}
	for _, route := range o.routes() {
		if strings.Contains(route.pattern, " /admin/") {
			routes = append(routes, route.pattern)
		}
	}
	slices.Sort(written)
	slices.Sort(routes)
	if diff := cmp.Diff(routes, written); diff != "" {
		t.Errorf("(-routes +document):\n%s", diff)
	}
	if !strings.Contains(o.document(t, "ko-KR,ko;q=0.9"), "서명 키") || strings.Contains(o.document(t, "en"), "서명 키") {
		t.Error("the document is not in the language that was asked for")
	}
}
