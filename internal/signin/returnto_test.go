package signin_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/signin"
)

var shop = account.App{Name: "shop", Realm: "members", Origins: []string{"https://shop.example.com", "http://localhost:3000"}}

func TestReturnTo(t *testing.T) {
	for raw, want := range map[string]string{
		"":                                 "https://shop.example.com/",
		"/":                                "https://shop.example.com/",
		"/orders":                          "https://shop.example.com/orders",
		"/orders/":                         "https://shop.example.com/orders/",
		"/orders?page=2&q=a//b#top":        "https://shop.example.com/orders?page=2&q=a//b#top",
		"/orders?next=https://a.test/":     "https://shop.example.com/orders?next=https://a.test/",
		"/%EC%A3%BC%EB%AC%B8":              "https://shop.example.com/%EC%A3%BC%EB%AC%B8",
		"https://shop.example.com":         "https://shop.example.com/",
		"https://shop.example.com/":        "https://shop.example.com/",
		"https://shop.example.com?a=1":     "https://shop.example.com/?a=1",
		"https://shop.example.com#a":       "https://shop.example.com/#a",
		"https://shop.example.com/orders":  "https://shop.example.com/orders",
		"http://localhost:3000/orders?a=b": "http://localhost:3000/orders?a=b",
	} {
		got, err := signin.ReturnTo(shop, raw)
		if err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", raw, got, err, want)
		}
	}
}

// Each of these leaves the origin, or might, in some browser, proxy or router.
func TestReturnToRefuses(t *testing.T) {
	for _, raw := range []string{
		"//evil", "//evil/", "///evil", "////evil", `/\evil`, `\/evil`, `\\evil`, `/\/evil`, `\evil`,
		"https:evil", "https:/evil", "https:///evil", "https://evil", "http:evil", "HTTPS://shop.example.com/", "https://SHOP.example.com/",
		"http://shop.example.com/", "https://shop.example.com.evil/", "https://shop.example.comevil/", "https://shop.example.com:8443/", "https://shop.example.com:443/",
		"https://shop.example.com@evil/", "https://shop.example.com:pw@evil/", "https://me@shop.example.com/", "https://shop.example.com%2eevil/", `https://shop.example.com\@evil/`,
		"https://shop.example.com//evil", "https://evil/https://shop.example.com/", "https://xshop.example.com/", "//shop.example.com/", "http://localhost:30000/", "http://localhost:3000.evil/",
		"javascript:alert(1)", "data:text/html,x", "/javascript:\talert(1)", "vbscript:x", "blob:https://shop.example.com/1",
		"/a\r\nSet-Cookie: a=b", "/a\nb", "/a\tb", "/\t/evil", "\t//evil", " /a", " //evil", "/a b", "/ /evil", "/a\x00b", "/\x7f", "/é", "／／evil", "/\u2028",
		"/%2fevil", "/%2Fevil", "/%5cevil", "/%5Cevil", "/%2f%2fevil", "/%0d%0aSet-Cookie:a", "/%0a", "/%00", "/%7f", "/a/%2f/b",
		"/./evil", "/.//evil", "/..//evil", "/../evil", "/a/../../evil", "/%2e%2e//evil", "/%2e/evil", "/.%2e/evil", "/a//b", "/%", "/%zz", "/%2", "/a?b=%zz",
		"evil", "orders", "?a=b", "#a", ".", "..", "./orders", "@evil", ":evil", ";evil", "?", "#",
		"/" + strings.Repeat("a", 4000),
	} {
		got, err := signin.ReturnTo(shop, raw)
		if fault.CodeOf(err) != fault.RequestInvalid || got != "" {
			t.Errorf("%q: got %q, %v, want request_invalid", raw, got, err)
		}
	}
	if got, err := signin.ReturnTo(account.App{Name: "native", Body: true}, "/"); err == nil {
		t.Errorf("an app without origins: got %q", got)
	}
}

func FuzzReturnTo(f *testing.F) {
	for _, raw := range []string{"/a?b#c", "//evil", `/\evil`, "https:evil", "https://shop.example.com@evil/", "https://shop.example.com/x", "/%2f", "/a/../b"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := signin.ReturnTo(shop, raw)
		if err != nil {
			return
		}
		u, err := url.Parse(got)
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		if !slices.Contains(shop.Origins, u.Scheme+"://"+u.Host) || u.User != nil || u.Opaque != "" || strings.HasPrefix(u.Path, "//") {
			t.Fatalf("%q: left the origin: %q", raw, got)
		}
		// A browser takes a relative reference apart differently: as a path alone it must not name a host either.
		relative, err := u.Parse(strings.TrimPrefix(got, u.Scheme+"://"+u.Host))
		if err != nil || relative.Host != u.Host {
			t.Fatalf("%q: its path names another host: %v, %v", raw, relative, err)
		}
		if strings.ContainsAny(got, "\\\r\n\t\x00 ") {
			t.Fatalf("%q: %q", raw, got)
		}
	})
}
