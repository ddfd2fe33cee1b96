package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/config"
	"github.com/munjigi/munjigi/internal/demo"
	"github.com/munjigi/munjigi/internal/keys"
)

// The configuration that people learn from is good, and gives everybody the roles that the demo says they have.
func TestDemoConfigurationIsGood(t *testing.T) {
	setup, err := demo.Prepare(t.TempDir(), "localhost:9000")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.CreateSealer(setup.Key); err != nil {
		t.Fatal(err)
	}
	config, err := config.Load(setup.Config)
	if err != nil {
		t.Fatal(err)
	}
	for _, person := range demo.People() {
		got := account.RolesOf(config.Realms["staff"].Roles, person.Email, person.Groups)
		if diff := cmp.Diff(person.Roles, got); diff != "" {
			t.Errorf("roles of %s (-shown +given):\n%s", person.Email, diff)
		}
	}
}

func TestDemoPageTakesNothingFromMunjigi(t *testing.T) {
	setup, err := demo.Prepare(t.TempDir(), "localhost:9000")
	if err != nil {
		t.Fatal(err)
	}
	handler := withDemoPage(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Seen", r.URL.Path)
	}), func(r *http.Request) bool { return r.Host == "localhost:9000" }, demo.NewPage(setup.Sites, http.NotFoundHandler()))
	for path, want := range map[string]string{"/demo": "", "/demo/": "", "/demo/app.js": "", "/demos": "/demos", "/": "/", "//evil/demo/": "//evil/demo/"} {
		recorder := httptest.NewRecorder()
		request := httptest.NewRequest("GET", "/", nil)
		request.URL.Path, request.Host = path, "localhost:9000"
		handler.ServeHTTP(recorder, request)
		if got := recorder.Header().Get("Seen"); got != want {
			t.Errorf("%s: Munjigi saw %q, want %q", path, got, want)
		}
		recorder = httptest.NewRecorder()
		request.Host = "localhost:9001" // a realm's own address: nothing is added to it
		handler.ServeHTTP(recorder, request)
		if got := recorder.Header().Get("Seen"); got != path {
			t.Errorf("%s at another address: Munjigi saw %q", path, got)
		}
	}
}
