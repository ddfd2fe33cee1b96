package members

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const origin = "http://localhost:8084"

func built() fstest.MapFS {
	return fstest.MapFS{
		"index.html":      {Data: []byte("<title>shop</title>")},
		"assets/index.js": {Data: []byte("export {}")},
	}
}

func get(t *testing.T, handler http.Handler, path string) (status int, header http.Header, body string) {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest("GET", path, nil))
	return recorder.Code, recorder.Header(), recorder.Body.String()
}

func TestShopServesItsPage(t *testing.T) {
	shop := newShop(ShopConfig{App: Retail, Policy: "default-src 'none'"}, built())
	for _, path := range []string{"/", "/devices", "/sign-in?return_to=/"} {
		status, header, body := get(t, shop, path)
		if status != 200 || !strings.Contains(body, "shop") || header.Get("Content-Security-Policy") != "default-src 'none'" {
			t.Errorf("%s: %d %v %q, want the page with its policy", path, status, header, body)
		}
	}
	if status, header, _ := get(t, shop, "/assets/index.js"); status != 200 || !strings.Contains(header.Get("Content-Type"), "javascript") {
		t.Errorf("its script: %d %v", status, header)
	}
	for _, path := range []string{"/assets/none.js", "/assets/../shop.go", "/assets/"} {
		if status, _, body := get(t, shop, path); status == 200 && strings.Contains(body, "package") {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
}

// A program that was built with Go alone works, and says what is missing.
func TestShopThatWasNotBuiltSaysSo(t *testing.T) {
	status, _, body := get(t, newShop(ShopConfig{}, fstest.MapFS{}), "/")
	if status != http.StatusServiceUnavailable || !strings.Contains(body, "make demo") {
		t.Errorf("got %d %q, want a hint at `make demo`", status, body)
	}
}

func TestShopTellsItsPageWhereEverythingIs(t *testing.T) {
	shop := newShop(ShopConfig{
		App: Wholesale, Other: "http://localhost:1", Munjigi: "http://localhost:2", Services: map[string]string{"market": "http://localhost:3"},
	}, built())
	_, _, body := get(t, shop, "/settings.json")
	var got map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if len(got["members"].([]any)) != len(List()) {
		t.Errorf("members: %v", got["members"])
	}
	delete(got, "members")
	want := map[string]any{
		"app": "wholesale", "other": "http://localhost:1", "munjigi": "http://localhost:2", "services": map[string]any{"market": "http://localhost:3"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

// seen is a sign-in that arrived at Munjigi.
type seen struct{ Path, Origin, Type, Agent, Body string }

// elsewhere asks a shop for a second browser, in front of a Munjigi that answers with a status.
func elsewhere(t *testing.T, status int, change func(*http.Request)) (got int, arrived []seen) {
	t.Helper()
	munjigi := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		arrived = append(arrived, seen{r.URL.Path, r.Header.Get("Origin"), r.Header.Get("Content-Type"), r.UserAgent(), string(body)})
		w.WriteHeader(status)
	}))
	defer munjigi.Close()
	request := httptest.NewRequest("POST", "/elsewhere", strings.NewReader(`{"login":"tom@mail.example"}`))
	request.Header.Set("Origin", origin)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0")
	if change != nil {
		change(request)
	}
	recorder := httptest.NewRecorder()
	newShop(ShopConfig{App: Retail, Origin: origin, Munjigi: munjigi.URL}, built()).ServeHTTP(recorder, request)
	return recorder.Code, arrived
}

func TestElsewhereSignsInLikeAnotherBrowser(t *testing.T) {
	got, arrived := elsewhere(t, http.StatusOK, nil)
	want := []seen{{
		"/sign-in/members", origin, "application/json", windows,
		`{"app":"shop","login":"tom@mail.example","password":"tuesday-is-market"}`,
	}}
	if diff := cmp.Diff(want, arrived); got != http.StatusNoContent || diff != "" {
		t.Errorf("got %d; arrived at Munjigi (-want +got):\n%s", got, diff)
	}
	_, arrived = elsewhere(t, http.StatusOK, func(r *http.Request) { r.Header.Set("User-Agent", windows) })
	if len(arrived) != 1 || arrived[0].Agent != phone {
		t.Errorf("from Windows it arrived as %v, want another device", arrived)
	}
}

// A page of somebody else must not be able to displace people.
func TestElsewhereRefuses(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*http.Request)
		want   int
	}{
		"another origin":  {func(r *http.Request) { r.Header.Set("Origin", "http://localhost:9999") }, http.StatusForbidden},
		"no origin":       {func(r *http.Request) { r.Header.Del("Origin") }, http.StatusForbidden},
		"a form":          {func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, http.StatusForbidden},
		"nobody":          {func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{}`)) }, http.StatusUnprocessableEntity},
		"no JSON":         {func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`tom`)) }, http.StatusUnprocessableEntity},
		"without an end":  {func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(strings.Repeat(" ", 1<<20))) }, http.StatusUnprocessableEntity},
		"another request": {func(r *http.Request) { r.Method = "GET" }, http.StatusOK}, // the page
	} {
		t.Run(name, func(t *testing.T) {
			if got, arrived := elsewhere(t, http.StatusOK, row.change); got != row.want || len(arrived) != 0 {
				t.Errorf("got %d, and %d sign-ins; want %d and none", got, len(arrived), row.want)
			}
		})
	}
	if got, _ := elsewhere(t, http.StatusUnauthorized, nil); got != http.StatusConflict {
		t.Errorf("a member whose password was changed: got %d, want %d", got, http.StatusConflict)
	}
}

func TestMembersAreDifferentPeople(t *testing.T) {
	known := map[string]bool{}
	for _, member := range List() {
		for _, text := range []string{member.Login, member.Password, member.Name} {
			if known[text] || text == "" {
				t.Errorf("%q is there twice, or empty", text)
			}
			known[text] = true
		}
	}
}
