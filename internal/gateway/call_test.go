package gateway

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

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
