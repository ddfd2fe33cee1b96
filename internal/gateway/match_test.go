package gateway

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/munjigi/munjigi/internal/fault"
)

// spellings are ways to write what the document has not, or has in another way: of each path of the document, and of what
// lies beside it.
func spellings() []string {
	list := []string{
		"", "/", "//", "/admin", "/admin/", "/admin/orders/", "/admin//orders", "//admin/orders", "/admin/orders//7", "/admin/orders//refund", "/admin/orders/7/",
		"/Admin/orders", "/admin/Orders", "/ADMIN/ORDERS", "/admin/orders/7/Refund", "/admin/./orders", "/./admin/orders", "/admin/orders/.",
		"/admin/../admin/orders", "/../admin/orders", "/admin/orders/..", "/admin/orders/../../secret", "/admin/orders/7/../7",
		"/admin/%2e/orders", "/admin/%2E%2E/admin/orders", "/admin/.%2e/admin/orders", "/admin/%2e%2e/secret", "/admin/orders/%2e%2e", "/admin/orders/%2e", "/admin/orders/..%2f..%2fsecret",
		"/admin%2forders", "/admin%2Forders", "/admin%5corders", "/admin\\orders", "/admin/orders/7%2f8", "/admin/orders/%2f", "/admin/orders/7%2frefund", "/admin/orders/a%5cb", "/admin/orders/a\\b",
		"/admin/orders;x=1", "/admin;/orders", "/admin/orders/7;v=2", "/admin/orders/7%3bv=2", "/admin/orders/7%3Bv=2", ";/admin/orders",
		"/admin/orders%00", "/admin/orders/%00", "/admin/orders/7%00.json", "/admin/orders/%0a", "/admin/orders/%0d%0aX:y", "/admin/orders/7%7f", "/admin/orders/%1f",
		"/admin/orders/%252e%252e", "/admin/orders/%252f", "/admin/orders/a%25b", "/%61dmin/orders", "/admin/%6frders", "/admin/orders/%37", "/admin/orders/%7E",
		"/admin/orders/%c0%ae%c0%ae", "/admin/orders/%c0%af", "/admin/orders/%e0%80%af", "/admin/orders/%ff", "/admin/orders/%ed%a0%80", "/admin/orders/%fe%ff",
		"/admin/orders/%zz", "/admin/orders/%", "/admin/orders/%2", "/admin/orders/a%", "/admin/orders/<script>", "/admin/orders/a|b", "/admin/orders/{id}", "/admin/orders/^", "/admin/orders/`x`", "/admin/orders/\"",
		"/admin/orders/7/refund/more", "/admin/orders/7/nothing", "/admin/secret", "/secret", "/admin/jobs", "/admin/jobs/", "/admin/jobs/7/8",
		"@evil.test/admin/orders", ":80/admin/orders", ".evil.test/admin/orders", "/http://evil.test/", "/admin/orders/" + strings.Repeat("a", maxPath),
		"/" + strings.Repeat("a/", maxPath), "/admin/orders/%EF%BC%8F%00",
	}
	for _, from := range []string{"/admin/orders", "/admin/orders/7", "/admin/orders/7/refund", "/admin/jobs/7"} {
		for _, end := range []string{"/.", "/..", "/%2e", "/%2E%2e", "//", "/;", ";", "%00", "%2f", "%5c", "\\", "/%2f..", "/..;/", "/..%3b/"} {
			list = append(list, from+end)
		}
		for i, c := range from { // each letter that needs no encoding, encoded
			if c != '/' && i%5 == 1 {
				list = append(list, from[:i]+fmt.Sprintf("%%%02x", c)+from[i+1:])
			}
		}
	}
	return list
}

// Nothing that the document does not have is reached, in whatever spelling and by whatever method.
func TestNothingUndocumentedIsReached(t *testing.T) {
	w := open(t, nil)
	list := spellings()
	if len(list) < 100 {
		t.Fatalf("%d spellings", len(list))
	}
	table := newTable(must(w.View("market")))
	for _, raw := range list {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			if f, err := table.match(method, raw); fault.CodeOf(err) != fault.OperationUnknown {
				t.Errorf("%s %q is %+v, %v", method, raw, f, err)
			}
		}
	}
	for _, raw := range list {
		if strings.ContainsAny(raw, "\x00\\<>|^`\"{}") || strings.Contains(raw, "%zz") || strings.HasSuffix(raw, "%") || strings.HasSuffix(raw, "%2") {
			continue // no client of Go's sends it
		}
		if g := w.ask("GET", "/services/market"+raw, ""); g.status/100 == 2 {
			t.Errorf("%q over the network: got %d %s", raw, g.status, g.body)
		}
	}
	if w.asked() != 0 {
		t.Errorf("the service was asked %d times: %v", w.asked(), w.last().URL)
	}
}

func must[T any](v T, ok bool) T {
	if !ok {
		panic("not there")
	}
	return v
}

// Other methods, and other spellings of methods.
func TestMethods(t *testing.T) {
	w := open(t, nil)
	table := newTable(must(w.View("market")))
	for _, method := range []string{"get", "Get", "POST ", "PUT", "OPTIONS", "TRACE", "CONNECT", "HEAD", "PROPFIND", "GET/POST", ""} {
		if f, err := table.match(method, "/admin/orders"); fault.CodeOf(err) != fault.OperationUnknown {
			t.Errorf("%q is %+v, %v", method, f, err)
		}
	}
	for _, header := range []string{"X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method", "X_HTTP_Method_Override"} {
		w.ask("GET", "/services/market/admin/orders/7", "", header, "DELETE")
		if r := w.last(); r.Method != "GET" || len(r.Header.Values(header)) != 0 {
			t.Errorf("%s: the service got %s %v", header, r.Method, r.Header)
		}
	}
}

// What is good is found, and written in one way.
func TestMatch(t *testing.T) {
	w := open(t, nil)
	table := newTable(must(w.View("market")))
	for _, c := range []struct{ method, raw, id, sent string }{
		{"GET", "/admin/orders", "listOrders", "/admin/orders"},
		{"GET", "/admin/orders/7", "getOrder", "/admin/orders/7"},
		{"GET", "/admin/orders/search", "searchOrders", "/admin/orders/search"},
		{"POST", "/admin/orders/7/refund", "refund", "/admin/orders/7/refund"},
		{"POST", "/admin/orders/7:cancel", "cancel", "/admin/orders/7:cancel"},
		{"GET", "/admin/orders/a:b", "getOrder", "/admin/orders/a:b"},
		{"GET", "/admin/orders/%EC%A3%BC%EB%AC%B8", "getOrder", "/admin/orders/%EC%A3%BC%EB%AC%B8"},
		{"GET", "/admin/orders/%ec%a3%bc", "getOrder", "/admin/orders/%EC%A3%BC"},
		{"GET", "/admin/orders/a%20b", "getOrder", "/admin/orders/a%20b"},
		{"GET", "/admin/orders/a%3Fb%23c", "getOrder", "/admin/orders/a%3Fb%23c"},
		{"GET", "/admin/orders/(a)!'*$&+,=@", "getOrder", "/admin/orders/%28a%29%21%27%2A$&+%2C=@"},
		{"GET", "/admin/orders/...", "getOrder", "/admin/orders/..."},
	} {
		f, err := table.match(c.method, c.raw)
		if err != nil || f.operation.ID != c.id || f.path != c.sent {
			t.Errorf("%s %s: got %+v, %v, want %s as %s", c.method, c.raw, f, err, c.id, c.sent)
		}
	}
	// The closest path decides whatever its methods are: "search" is no order that could be deleted.
	if f, err := table.match("DELETE", "/admin/orders/search"); fault.CodeOf(err) != fault.OperationUnknown {
		t.Errorf("got %+v, %v", f, err)
	}
	if f, err := table.match("DELETE", "/admin/orders/7:cancel"); fault.CodeOf(err) != fault.OperationUnknown {
		t.Errorf("got %+v, %v", f, err)
	}
}

// Whatever is matched leads below the configured address, as one path that reads back the same.
func FuzzMatch(f *testing.F) {
	for _, raw := range append(spellings(), "/admin/orders/7", "/admin/orders/%EC%A3%BC:cancel") {
		f.Add("GET", raw)
	}
	f.Fuzz(func(t *testing.T, method, raw string) {
		w := world{service: theMarket()}
		w.market = fakeAddress
		table := newTable(must(w.View("market")))
		found, err := table.match(method, raw)
		if err != nil {
			if fault.CodeOf(err) != fault.OperationUnknown {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		u, err := url.Parse("http://market" + found.path)
		if err != nil || u.Host != "market" || u.RawQuery != "" || u.Fragment != "" || u.EscapedPath() != found.path {
			t.Fatalf("%q is sent as %q: %v, %v", raw, found.path, u, err)
		}
		parts := strings.Split(u.Path, "/")
		if slices.Contains(parts[1:], "") || slices.Contains(parts, "..") || slices.Contains(parts, ".") || strings.Count(u.Path, "/") != strings.Count(found.path, "/") {
			t.Fatalf("%q is sent as %q", raw, found.path)
		}
	})
}
