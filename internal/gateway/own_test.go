package gateway

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/fault"
)

// Munjigi is the last of the services, for administrators alone; who administers services does not see it among them.
func TestOwnScreens(t *testing.T) {
	w := open(t, func(c *Config) {
		c.Own = map[string]backoffice.Service{"en": {Name: "munjigi", Title: "Munjigi"}, "ko": {Name: "munjigi", Title: "문지기"}}
	})
	get := func(do func(http.ResponseWriter, *http.Request, Caller) error, service string) (map[string]any, error) {
		r := httptest.NewRequest(http.MethodGet, "/screens/"+service, nil)
		r.SetPathValue("service", service)
		out := httptest.NewRecorder()
		if err := do(out, r, w.who); err != nil {
			return nil, err
		}
		var answer map[string]any
		return answer, json.Unmarshal(out.Body.Bytes(), &answer)
	}
	names := func(do func(http.ResponseWriter, *http.Request, Caller) error) (names []string) {
		answer, err := get(do, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range answer["services"].([]any) {
			names = append(names, one.(map[string]any)["title"].(string))
		}
		return names
	}
	if diff := cmp.Diff([]string{"Market"}, names(w.Screens)); diff != "" {
		t.Errorf("an editor (-want +got):\n%s", diff)
	}
	if _, err := get(w.Screen, "munjigi"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("an editor: got %v", err)
	}
	w.who.Admin, w.who.Language = true, "ko"
	if diff := cmp.Diff([]string{"Market", "문지기"}, names(w.Screens)); diff != "" {
		t.Errorf("an administrator (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Market"}, names(w.Services)); diff != "" {
		t.Errorf("the services to administer (-want +got):\n%s", diff)
	}
	answer, err := get(w.Screen, "munjigi")
	if err != nil {
		t.Fatal(err)
	}
	if service := answer["service"].(map[string]any); service["title"] != "문지기" || answer["base"] != "" || answer["state"] != "ready" {
		t.Errorf("got %v", answer)
	}
}
