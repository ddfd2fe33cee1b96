package gateway

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/fault"
)

// A call reaches the service at its configured address, as the person who asks and with nothing else of theirs.
func TestCall(t *testing.T) {
	w := open(t, nil)
	w.answers(func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("ETag", `"7"`)
		writeJSON(out, 200, `{"items":[{"id":9223372036854775807,"title":"배","phone":"010-1"}],"next":null}`)
	})
	g := w.ask("GET", "/services/market/admin/orders?status=paid&tag=a&tag=b+c", "", "Cookie", "munjigi-staff=mjr_secret", "Authorization", "Bearer the-console's", "X-Region", "seoul")
	if g.status != 200 || g.body != `{"items":[{"id":9223372036854775807,"title":"배","phone":"••••"}],"next":null}` {
		t.Errorf("got %d %s", g.status, g.body)
	}
	if g.header.Get("Munjigi-From") != "service" || g.header.Get("ETag") != `"7"` {
		t.Errorf("headers: %v", g.header)
	}
	r := w.last()
	if r.URL.Path != "/admin/orders" || r.URL.RawQuery != "status=paid&tag=a&tag=b+c" || r.Header.Get("Cookie") != "" || r.Header.Get("X-Region") != "seoul" {
		t.Errorf("the service was asked %s with %v", r.URL, r.Header)
	}
	c := claims(t, r)
	if c.Subject != "kim" || c.ClientID != Client || !cmp.Equal(c.Audience, []string{"market"}) || c.SessionID != w.who.Session.ID || c.ExpiresAt-c.IssuedAt != 300 || !cmp.Equal(c.Roles, []string{"editor"}) {
		t.Errorf("claims: %+v", c)
	}
}

// Who may run what is decided by the roles that the store has, the guard, and the method: never by what a document calls it.
func TestWhoMay(t *testing.T) {
	for _, c := range []struct {
		name, method, path string
		roles              []string
		header             []string
		want               fault.Code
	}{
		{"a viewer reads", "GET", "/admin/orders/7", []string{"viewer"}, nil, ""},
		{"who may write may read", "GET", "/admin/orders/7", []string{"editor"}, nil, ""},
		{"nobody else reads", "GET", "/admin/orders/7", []string{"admin"}, nil, fault.RoleMissing},
		{"a viewer does not write", "DELETE", "/admin/orders/7", []string{"viewer"}, nil, fault.RoleMissing},
		{"an editor writes", "DELETE", "/admin/orders/7", []string{"editor"}, nil, ""},
		{"the guard wants a reason", "POST", "/admin/orders/7/refund", []string{"editor"}, nil, fault.ReasonRequired},
		{"an empty reason is none", "POST", "/admin/orders/7/refund", []string{"editor"}, []string{"Munjigi-Reason", "%20"}, fault.ReasonRequired},
		{"with a reason", "POST", "/admin/orders/7/refund", []string{"editor"}, []string{"Munjigi-Reason", "%EA%B3%A0%EA%B0%9D"}, ""},
		{"a reason that cannot be read", "POST", "/admin/orders/7/refund", []string{"editor"}, []string{"Munjigi-Reason", "%FF"}, fault.RequestInvalid},
		{"a second person", "POST", "/admin/purge", []string{"editor"}, nil, fault.ApprovalRequired},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t, nil)
			w.who.Account.Roles = c.roles
			g := w.ask(c.method, "/services/market"+c.path, "", c.header...)
			if g.code != c.want {
				t.Errorf("got %d %s, want %q", g.status, g.body, c.want)
			}
			if reached := w.asked() > 0; reached != (c.want == "") {
				t.Errorf("the service was reached: %v", reached)
			}
		})
	}
}

// A write is in the audit before the service is called, and again when it has answered.
func TestWritesAreRecorded(t *testing.T) {
	w := open(t, nil)
	w.answers(func(out http.ResponseWriter, r *http.Request) {
		if got := w.events(); !cmp.Equal(got, []string{"called refund"}) {
			t.Errorf("before the call: %q", got)
		}
		writeJSON(out, 409, `{"title":"not paid"}`)
	})
	g := w.ask("POST", "/services/market/admin/orders/7/refund", `{"amount":"1"}`, "Munjigi-Reason", "broken", "Idempotency-Key", "abc")
	if g.status != 409 || w.last().Header.Get("Idempotency-Key") != "abc" {
		t.Errorf("got %d %s", g.status, g.body)
	}
	if got := w.events(); !cmp.Equal(got, []string{"called refund", "call_ended refund status_409"}) {
		t.Errorf("events: %q", got)
	}
	if d := w.journal[0].Details; d["reason"] != "broken" || d["path"] != "/admin/orders/7/refund" || d["key"] != "abc" || w.journal[0].From != "192.0.2.7" || w.journal[0].Account != "kim" {
		t.Errorf("event: %+v", w.journal[0])
	}
}

// What was hidden is not written back: a record that is sent as it was shown would lose it.
func TestMasksAreNotWritten(t *testing.T) {
	w := open(t, nil)
	w.answers(func(out http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil {
			var got any
			if json.Unmarshal(body, &got) == nil {
				w.mu.Lock()
				w.bodies = append(w.bodies, string(body))
				w.mu.Unlock()
			}
			writeJSON(out, 200, `{}`)
		}
	})
	long := strings.Repeat("x", 40_000)
	for body, ok := range map[string]bool{
		`{"phone":"••••"}`: false, `{"phone":"\u2022\u2022\u2022\u2022"}`: false, `{"a":"` + long + `","phone":"••••","b":"` + long + `"}`: false,
		`{"phone":"•••• (hidden)"}`: true, `{"phone":"010"}`: true, `{"a":"` + long + `"}`: true,
	} {
		if g := w.ask("POST", "/services/market/admin/orders", body); ok != (g.status == 200) || !ok && g.code != fault.RequestInvalid {
			t.Errorf("%.40s: got %d %s", body, g.status, g.body)
		}
	}
	if len(w.bodies) != 3 {
		t.Errorf("the service took %d bodies", len(w.bodies))
	}
	// Wherever it is cut in pieces.
	for cut := range len(masks[1]) {
		for _, m := range masks {
			b := &incoming{}
			at := min(cut, len(m))
			if b.hasMask([]byte(`{"a":`)) || b.hasMask(m[:at]) && at < len(m) || at < len(m) && !b.hasMask(m[at:]) {
				t.Errorf("cut at %d a mask is not seen", cut)
			}
		}
	}
}

// A guard may ask for a reason to read, and then that is in the audit as well; a list that is exported asks for the same.
func TestReasonToRead(t *testing.T) {
	w := open(t, nil)
	for i, o := range w.service.Operations {
		if o.ID == "listOrders" || o.ID == "job" {
			w.service.Operations[i].Guard.Reason = true
		}
		if o.ID == "searchOrders" {
			w.service.Operations[i].Guard.Approval = 1
		}
	}
	w.service.Resources = append(w.service.Resources, backoffice.Resource{Key: "found", List: "searchOrders", Row: *object(text("id")), Paging: backoffice.Paging{Style: "none"}})
	for _, path := range []string{"/services/market/admin/jobs/7", "/exports/market/admin/orders"} {
		if g := w.ask("GET", path, ""); g.code != fault.ReasonRequired {
			t.Errorf("%s: got %d %s", path, g.status, g.body)
		}
		if g := w.ask("GET", path, "", "Munjigi-Reason", "asked%20by%20the%20court"); g.status != 200 {
			t.Errorf("%s: got %d %s", path, g.status, g.body)
		}
	}
	if g := w.ask("GET", "/exports/market/admin/orders/search", ""); g.code != fault.ApprovalRequired {
		t.Errorf("got %d %s", g.status, g.body)
	}
	if len(w.journal) != 4 || w.journal[0].Details["reason"] != "asked by the court" || w.journal[2].Details["reason"] != "asked by the court" {
		t.Errorf("journal: %+v", w.journal)
	}
}

// A document cannot have any header passed back by calling it a total.
func TestTotalsAreTotals(t *testing.T) {
	w := open(t, nil)
	for name, passed := range map[string]bool{"X-Total-Count": true, "Total": true, "X-Total": true, "Set-Cookie": false, "X-Accel-Redirect": false, "Location": false, "Content-Security-Policy": false} {
		w.service.Resources[0].Paging.Total = "header:" + name
		w.view = nil
		w.answers(func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set(name, "7")
			writeJSON(out, 200, `{}`)
		})
		if g := w.ask("GET", "/services/market/admin/jobs/7", ""); (g.header.Get(name) == "7") != passed {
			t.Errorf("%s: got %v", name, g.header)
		}
	}
}
