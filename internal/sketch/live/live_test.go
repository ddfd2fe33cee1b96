package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/compile"
)

// wishes is a service like the demo's wishlist, without a document.
func wishes(t *testing.T) (url string, asked *atomic.Int32) {
	var list, gifts []map[string]any
	for i := range 12 {
		list = append(list, map[string]any{
			"id": fmt.Sprint("l", i), "title": fmt.Sprint("List ", i), "owner_email": fmt.Sprintf("p%d@example.com", i), "occasion": []string{"birthday", "wedding"}[i%2],
			"event_date": fmt.Sprintf("2026-0%d-1%d", i%9+1, i%10), "open": i%3 == 0, "created_at": "2026-11-01T10:00:00Z", "views": int64(i) << 40, "closed_at": nil,
		})
		gifts = append(gifts, map[string]any{"id": i, "list_id": fmt.Sprint("l", i%3), "name": fmt.Sprint("Gift no. ", i), "price": 12.5, "tags": []string{"a"}})
	}
	asked = new(atomic.Int32)
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, value any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(value)
	}
	mux.HandleFunc("GET /admin/lists", func(w http.ResponseWriter, _ *http.Request) { answer(w, map[string]any{"items": list, "total": 12}) })
	mux.HandleFunc("GET /admin/lists/{id}", func(w http.ResponseWriter, r *http.Request) { answer(w, list[3]) })
	mux.HandleFunc("GET /admin/lists/{id}/gifts", func(w http.ResponseWriter, _ *http.Request) { answer(w, gifts[:3]) })
	mux.HandleFunc("GET /admin/gifts", func(w http.ResponseWriter, _ *http.Request) { answer(w, gifts) })
	mux.HandleFunc("GET /admin/gifts/{id}", func(w http.ResponseWriter, _ *http.Request) {
		full := map[string]any{"note": "n"}
		for k, v := range gifts[0] {
			full[k] = v
		}
		answer(w, full)
	})
	mux.HandleFunc("GET /admin/stats", func(w http.ResponseWriter, _ *http.Request) { answer(w, map[string]any{"lists": 12, "gifts": 12}) })
	mux.HandleFunc("GET /admin/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/admin/lists", http.StatusFound) })
	mux.HandleFunc("GET /admin/page", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Method != http.MethodGet || r.Header.Get("X-Key") != "k" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/admin", asked
}

// What is sketched of a service becomes lists and details.
func TestASketchBecomesScreens(t *testing.T) {
	url, asked := wishes(t)
	var out bytes.Buffer
	o := Options{URL: url + "/", Paths: []string{"/lists?page=1", "gifts", "/lists/l3/gifts", "/stats", "/moved", "/page", "/none"}, Header: []string{"X-Key: k"}, Title: "Wishes"}
	if err := o.Run(t.Context(), Output{&out}); err != nil {
		t.Fatal(err)
	}
	s, err := compile.Service("wishes", out.Bytes(), nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	got := map[string]string{}
	for _, r := range s.Resources {
		got[r.Key] = r.List + " " + r.Get + " " + r.Display
	}
	want := map[string]string{"lists": "listLists getList {title}", "gifts": "listGifts getGift {name}", "lists.gifts": "listGiftsOfList  {name}"}
	for key, text := range want {
		if got[key] != text {
			t.Errorf("%s: got %q, want %q\n%s", key, got[key], text, out.String())
		}
	}
	if len(got) != 3 || len(s.Cards) != 2 || s.Title != "Wishes" {
		t.Errorf("got %v, %d cards, title %s\n%s", got, len(s.Cards), s.Title, out.String())
	}
	for _, r := range s.Resources {
		if r.Key == "gifts" && !strings.Contains(fmt.Sprint(r.Record.Fields), "note") {
			t.Errorf("a gift in full has lost its note: %+v", r.Record.Fields)
		}
	}
	fields := map[string]string{}
	for _, f := range s.Resources[0].Row.Fields {
		fields[f.Name] = fmt.Sprint(f.Type, " ", f.Format, " ", len(f.Choices), " ", f.Nullable)
	}
	if diff := cmp.Diff(map[string]string{
		"id": "string  0 false", "title": "string  0 false", "owner_email": "string email 0 false", "occasion": "string  2 false", "event_date": "string date 0 false",
		"open": "boolean  0 false", "created_at": "string date-time 0 false", "views": "integer int64 0 false", "closed_at": "any  0 false",
	}, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	for _, o := range s.Operations {
		if len(s.Places()[o.ID]) == 0 || !strings.HasPrefix(o.Path, "/admin/") || o.Kind == backoffice.Run {
			t.Errorf("%s %s: %s", o.ID, o.Path, o.Kind)
		}
	}
	for _, missing := range []string{"# Left out: GET /moved: it answers 302", "# Left out: GET /page: it does not answer JSON", "# Left out: GET /none: it answers 404"} {
		if !strings.Contains(out.String(), missing) {
			t.Errorf("it does not say %q:\n%s", missing, out.String())
		}
	}
	if n := asked.Load(); n > 7+3*perList {
		t.Errorf("%d requests", n)
	}
	var again bytes.Buffer
	if err := o.Run(t.Context(), Output{&again}); err != nil || again.String() != out.String() {
		t.Errorf("the second time it is different: %v", err)
	}
}

func TestNothingToSketch(t *testing.T) {
	url, _ := wishes(t)
	for name, o := range map[string]Options{
		"refused":         {URL: url, Paths: []string{"/lists"}},
		"no address":      {URL: "localhost:9001", Paths: []string{"/lists"}},
		"with a query":    {URL: url + "?a=b", Paths: []string{"/lists"}},
		"too many":        {URL: url, Paths: make([]string, mostPaths+1)},
		"nobody is there": {URL: "http://127.0.0.1:1", Paths: []string{"/lists"}},
	} {
		var out bytes.Buffer
		if err := o.Run(t.Context(), Output{&out}); err == nil || out.Len() > 0 {
			t.Errorf("%s: got %v, %s", name, err, out.String())
		}
	}
}
