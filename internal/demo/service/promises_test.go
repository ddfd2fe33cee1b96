package service_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/demo/gatekeeper"
	"github.com/munjigi/munjigi/internal/demo/market"
	"github.com/munjigi/munjigi/internal/demo/service"
	"github.com/munjigi/munjigi/internal/token"
)

// Who saw something older than what is there changes nothing.
func TestIfMatchKeepsTwoPeopleApart(t *testing.T) {
	g := gatekeeper.Start(t)
	address := g.Serve(market.New, nil).URL
	for path, body := range map[string]string{"/products/p1": `{"stock":%d}`, "/shops/s2": `{"memo":"m%d"}`, "/customers/c1": `{"memo":"m%d"}`, "/orders/o9": `{"note":"n%d"}`} {
		seen := g.Ask("GET", address+path).Header.Get("ETag")
		send := func(n int, tag string) gatekeeper.Said {
			return g.Do(gatekeeper.Call{Method: "PATCH", URL: address + path, Bearer: g.Token(nil), Body: fmt.Sprintf(body, n), Header: map[string]string{"If-Match": tag}})
		}
		first := send(1, seen)
		if first.Status != 200 || seen == "" || first.Header.Get("ETag") == seen {
			t.Errorf("%s: the first change: %d, ETag %s after %s", path, first.Status, first.Header.Get("ETag"), seen)
		}
		for _, stale := range []string{seen, `"other"`, "W/" + first.Header.Get("ETag")} {
			if second := send(2, stale); second.Status != 412 || second.Code() != "edit_conflict" {
				t.Errorf("%s with If-Match %s: %d %s, want 412", path, stale, second.Status, second.Text)
			}
		}
		now := g.Ask("GET", address+path)
		if now.Header.Get("ETag") != first.Header.Get("ETag") {
			t.Errorf("%s: %s, after the refused changes %s", path, first.Text, now.Text)
		}
		if third := send(3, `"x", `+now.Header.Get("ETag")); third.Status != 200 {
			t.Errorf("%s with the tag of now in a list: %d", path, third.Status)
		}
	}
}

// Whoever tries again with the same key gets the same answer, and it was done once, however many try at once.
func TestIdempotencyKeyDoesItOnce(t *testing.T) {
	g := gatekeeper.Start(t)
	address := g.Serve(market.New, nil).URL
	bearer := g.Token(nil)
	grant := func(bearer, key, body string) gatekeeper.Said {
		return g.Do(gatekeeper.Call{Method: "POST", URL: address + "/shops/s1/grant-points", Bearer: bearer, Body: body, Header: map[string]string{"Idempotency-Key": key}})
	}
	points := func() float64 { return g.Ask("GET", address+"/shops/s1").JSON["points"].(float64) }
	before := points()
	var all sync.WaitGroup
	texts := make([]string, 8)
	for i := range texts {
		all.Go(func() { texts[i] = grant(bearer, "k1", `{"points":100,"note":"once"}`).Text })
	}
	all.Wait()
	for _, text := range texts {
		if text != texts[0] || !strings.Contains(text, `"points":100`) {
			t.Errorf("answers differ: %s, %s", text, texts[0])
		}
	}
	if got := points(); got != before+100 {
		t.Errorf("from %v to %v points, want 100 more", before, got)
	}
	if said := grant(bearer, "k1", `{"points":999,"note":"once"}`); said.Status != 422 || said.Code() != "idempotency_key_reused" {
		t.Errorf("the key for another request: %d %s", said.Status, said.Text)
	}
	grant(bearer, "k2", `{"points":1,"note":"twice"}`)
	grant(g.Token(func(c *token.Claims) { c.Subject = "a2" }), "k1", `{"points":10,"note":"somebody else's key"}`)
	if got := points(); got != before+111 {
		t.Errorf("from %v to %v points, want 111 more", before, got)
	}
	// A refusal is no answer to keep: the form is corrected, and sent with the same key.
	if said := grant(bearer, "k3", `{"points":-1,"note":"x"}`); said.Status != 422 {
		t.Errorf("refused: %d", said.Status)
	}
	if said := grant(bearer, "k3", `{"points":1,"note":"x"}`); said.Status != 201 {
		t.Errorf("corrected: %d %s", said.Status, said.Text)
	}
	if said := grant(bearer, strings.Repeat("k", 201), `{"points":1,"note":"x"}`); said.Status != 422 {
		t.Errorf("a key without an end: %d", said.Status)
	}
}

func TestBodiesAreReadStrictly(t *testing.T) {
	g := gatekeeper.Start(t)
	address := g.Serve(market.New, nil).URL
	for body, pointer := range map[string]string{
		`{"name":"새 가게","owner":"김","category":"books","colour":"red"}`: "/colour",
		`{"name":7,"owner":"김","category":"books"}`:                     "/name",
		`{"owner":"김","category":"books"}`:                              "/name",
		`{"name":"가","owner":"김","category":"books"}`:                   "/name",
		`{"name":"새 가게","owner":"김","category":"arms"}`:                 "/category",
		`[]`: "", `null`: "", `{`: "", `{} {}`: "", ``: "",
	} {
		said := g.Send("POST", address+"/shops", body)
		if said.Status != 422 || !strings.Contains(said.Text, `"pointer":"`+pointer+`"`) {
			t.Errorf("%s: %d %s, want 422 at %q", body, said.Status, said.Text, pointer)
		}
	}
	said := g.Send("POST", address+"/shops", `{"name":"`+strings.Repeat("가", 1<<19)+`"}`)
	if said.Status != 413 {
		t.Errorf("a body without an end: %d", said.Status)
	}
	korean := g.Do(gatekeeper.Call{Method: "POST", URL: address + "/shops", Bearer: g.Token(nil), Body: `{}`, Header: map[string]string{"Accept-Language": "ko"}})
	if !strings.Contains(korean.Text, "필수 항목입니다") || korean.Header.Get("Content-Language") != "ko" {
		t.Errorf("in Korean: %s", korean.Text)
	}
}

func TestFaultsBreakAServiceAndLetItRecover(t *testing.T) {
	g := gatekeeper.Start(t)
	address := g.Serve(market.New, func(c *service.Config) { c.Slow = 50 * time.Millisecond }).URL
	set := func(mode, origin string) gatekeeper.Said {
		return g.Do(gatekeeper.Call{Method: "POST", URL: address + "/faults", Body: `{"mode":"` + mode + `"}`, Header: map[string]string{"Origin": origin}})
	}
	for mode, want := range map[string]struct {
		status int
		text   string
	}{
		"ok": {200, `"s1"`}, "slow": {200, `"s1"`}, "html": {200, "<!doctype html>"}, "401": {401, "token_invalid"}, "403": {403, "not_your_department"},
		"422": {422, `"/amount"`}, "429": {429, "too_many_attempts"}, "500": {500, "panic"}, "schema": {200, `"total":"many"`}, "document": {200, `"s1"`},
	} {
		if said := set(mode, "http://localhost:8080"); said.Status != 200 || said.JSON["mode"] != mode {
			t.Fatalf("%s: %d %s", mode, said.Status, said.Text)
		}
		if said := g.Ask("GET", address+"/shops"); said.Status != want.status || !strings.Contains(said.Text, want.text) {
			t.Errorf("%s: %d %.200s, want %d with %s", mode, said.Status, said.Text, want.status, want.text)
		}
		sound := document(g, address, "").JSON["openapi"] == "3.1.0"
		if spoilt := mode == "html" || mode == "500" || mode == "document"; sound == spoilt {
			t.Errorf("%s: the document is sound: %v", mode, sound)
		}
	}
	set("down", "")
	request, _ := http.NewRequest("GET", address+"/shops", nil)
	if answer, err := http.DefaultTransport.RoundTrip(request); err == nil {
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		t.Errorf("down: %d %s", answer.StatusCode, text)
	}
	set("ok", "")
	if said := g.Ask("GET", address+"/shops"); said.Status != 200 {
		t.Errorf("after all faults: %d", said.Status)
	}
	for origin, mode := range map[string]string{"https://evil.example": "down", "null": "down", "http://localhost.evil.example": "down"} {
		if said := set(mode, origin); said.Status != 403 {
			t.Errorf("a page of %s broke the service: %d", origin, said.Status)
		}
	}
	if said := set("fire", ""); said.Status != 422 || !strings.Contains(said.Text, "/mode") {
		t.Errorf("a mode that is not there: %d %s", said.Status, said.Text)
	}
}

// The page names every fault, in both languages, with nothing inline.
func TestTheServicesPageNamesEveryFault(t *testing.T) {
	g := gatekeeper.Start(t)
	address := g.Serve(market.New, nil).URL
	for language, want := range map[string]string{"ko": "고장 내기", "en": "Break it"} {
		page := g.Do(gatekeeper.Call{Method: "GET", URL: address + "/", Header: map[string]string{"Accept-Language": language}})
		if page.Status != 200 || !strings.Contains(page.Text, want) || !strings.HasPrefix(page.Header.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'") {
			t.Errorf("%s: %d %v %s", language, page.Status, page.Header, page.Text)
		}
		for _, mode := range service.Faults() {
			_, after, ok := strings.Cut(page.Text, `data-mode="`+mode+`" aria-pressed="`+fmt.Sprint(mode == "ok")+`">`+mode+"</button> ")
			if text, _, _ := strings.Cut(after, "<"); !ok || len(text) < 4 {
				t.Errorf("%s: %s is %q", language, mode, text)
			}
		}
		if strings.Contains(page.Text, "<script>") || strings.Contains(page.Text, "style=") {
			t.Errorf("%s: something is inline", language)
		}
	}
	for name, kind := range map[string]string{"/service.js": "text/javascript", "/service.css": "text/css"} {
		if said := g.Do(gatekeeper.Call{Method: "GET", URL: address + name}); said.Status != 200 || !strings.HasPrefix(said.Header.Get("Content-Type"), kind) {
			t.Errorf("%s: %d %s", name, said.Status, said.Header.Get("Content-Type"))
		}
	}
}
