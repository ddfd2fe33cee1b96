package upstream

import (
	"strings"
	"testing"
)

func TestParseEmailAdmits(t *testing.T) {
	for text, want := range map[string]string{
		"boss@example.com":           "example.com",
		"Boss.Kim+1@EXAMPLE.com":     "example.com",
		"o'neil_x@sub.example.co.kr": "sub.example.co.kr",
		"a@xn--9n2bp8q.example":      "xn--9n2bp8q.example",
	} {
		email, domain, ok := parseEmail(text)
		if !ok || domain != want || email != strings.ToLower(text) {
			t.Errorf("parseEmail(%q) = %q, %q, %v, want %q", text, email, domain, ok, want)
		}
	}
}

// malformed are addresses that must never pass for one of example.com. The first is oauth2-proxy's CVE-2026-40574.
var malformed = []string{
	"attacker@evil.com@example.com",
	"@evil.com@example.com",
	"a@@example.com",
	"a@example.com@",
	"@example.com",
	"example.com",
	"",
	"@",
	"a@",
	"a b@example.com",
	" a@example.com",
	"a@example.com ",
	"a@ example.com",
	"a@example.com\n",
	"a@example.com\r\nBcc: b@example.com",
	"a\x00@example.com",
	"a@example.com\x00",
	"a@example.com\x00.evil.com",
	"a\t@example.com",
	"a@example.com\x7f",
	`"a"@example.com`,
	`"a@evil.com"@example.com`,
	`"a\"@evil.com"@example.com`,
	"a(comment)@example.com",
	"a@(comment)example.com",
	"<a@example.com>",
	"Boss <a@example.com>",
	"a@example.com,b@evil.com",
	"a@example.com;b@evil.com",
	"a@example.com.",
	"a@.example.com",
	"a@example..com",
	".a@example.com",
	"a.@example.com",
	"a..b@example.com",
	"a@-example.com",
	"a@example.com-",
	"a@[example.com]",
	"a@[127.0.0.1]",
	"a@ex\u0430mple.com",         // Cyrillic a
	"a@example\u3002com",         // ideographic full stop
	"a@example\uff0ecom",         // full-width full stop
	"a\uff20example.com",         // full-width @
	"a@example.\u212aom",         // Kelvin sign, lower-cased to k
	"a@\u017fexample.com",        // long s
	"a@exam\u00adple.com",        // soft hyphen
	"a@example.com\u200b",        // zero-width space
	"a\u202e@example.com",        // right-to-left override
	"\u212aim@example.com",       // Kelvin sign in the name
	"a@example.com%00.evil.com",  // escapes are not ours to undo
	"a@example.com/evil",         //
	"a@evil.com#@example.com",    //
	"a@evil.com?x=@example.com",  //
	"a@example.com:25",           //
	"a@example_com.example.com_", //
	"a@com",
	"a\\@example.com",
	strings.Repeat("a", 65) + "@example.com",
	"a@" + strings.Repeat("a", 64) + ".com",
	"a@" + strings.Repeat("a.", 126) + "example.com",
}

func TestParseEmailRefuses(t *testing.T) {
	if len(malformed) < 40 {
		t.Fatalf("got %d malformed addresses, want at least 40", len(malformed))
	}
	for _, text := range malformed {
		if email, domain, ok := parseEmail(text); ok {
			t.Errorf("parseEmail(%q) = %q, %q, want a refusal", text, email, domain)
		}
	}
}

func FuzzParseEmail(f *testing.F) {
	for _, text := range malformed {
		f.Add(text)
	}
	f.Add("boss@example.com")
	f.Fuzz(func(t *testing.T, text string) {
		email, domain, ok := parseEmail(text)
		if !ok {
			return
		}
		if strings.Count(text, "@") != 1 || !strings.HasSuffix(email, "@"+domain) || !strings.EqualFold(email, text) || len(email) != len(text) {
			t.Errorf("parseEmail(%q) = %q, %q", text, email, domain)
		}
	})
}

func TestStanding(t *testing.T) {
	company := New(Config{Issuer: testIssuer, Domains: []string{"Example.com", "example.kr"}})
	google := New(Config{Issuer: googleIssuer, Domains: []string{"example.com"}})
	anyone := New(Config{Issuer: testIssuer})
	yes, no := []byte("true"), []byte("false")
	for _, test := range []struct {
		name     string
		provider *Provider
		claims   claims
		want     standing
	}{
		{"of the company", company, claims{Email: "a@EXAMPLE.com", EmailVerified: yes}, admitted},
		{"of its second domain", company, claims{Email: "a@example.kr", EmailVerified: yes}, admitted},
		{"verified as text", company, claims{Email: "a@example.com", EmailVerified: []byte(`"true"`)}, admitted},
		{"verified as a number", company, claims{Email: "a@example.com", EmailVerified: []byte(`1`)}, refused},
		{"foreign", company, claims{Email: "a@example.org", EmailVerified: yes}, refused},
		{"a domain that ends alike", company, claims{Email: "a@notexample.com", EmailVerified: yes}, refused},
		{"a sub-domain", company, claims{Email: "a@x.example.com", EmailVerified: yes}, refused},
		{"unverified", company, claims{Email: "a@example.com", EmailVerified: no}, refused},
		{"verification unsaid", company, claims{Email: "a@example.com"}, refused},
		{"two @", company, claims{Email: "a@evil.com@example.com", EmailVerified: yes}, refused},
		{"no e-mail", company, claims{}, unclear},
		{"hosted elsewhere", company, claims{Email: "a@example.com", EmailVerified: yes, HostedDomain: "evil.com"}, refused},
		{"hosted here", company, claims{Email: "a@example.com", EmailVerified: yes, HostedDomain: "EXAMPLE.kr"}, admitted},
		{"google without hd", google, claims{Email: "a@example.com", EmailVerified: yes}, refused},
		{"google with a foreign hd", google, claims{Email: "a@example.com", EmailVerified: yes, HostedDomain: "evil.com"}, refused},
		{"google", google, claims{Email: "a@example.com", EmailVerified: yes, HostedDomain: "example.com"}, admitted},
		{"no rule", anyone, claims{}, admitted},
	} {
		if got, why := test.provider.stand(test.claims); got != test.want {
			t.Errorf("%s: got %v (%s), want %v", test.name, got, why, test.want)
		}
	}
}
