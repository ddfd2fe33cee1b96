package account

import "testing"

func TestSameSite(t *testing.T) {
	for _, pair := range [][2]string{
		{"https://office.example.com", "https://shop.example.com"},
		{"https://example.com", "https://a.b.example.com:8443"},
		{"http://localhost:8080", "http://localhost:3000"},
		{"https://127.0.0.1:1", "https://127.0.0.1:2"},
		{"https://office.shop.co.kr", "https://shop.co.kr"},
	} {
		if !SameSite(pair[0], pair[1]) {
			t.Errorf("%v: want the same site", pair)
		}
	}
	for _, pair := range [][2]string{
		{"https://office.example.com", "https://example.org"},
		{"https://a.co.kr", "https://b.co.kr"},
		{"https://a.github.io", "https://b.github.io"},
		{"https://office.example.com", "http://shop.example.com"},
		{"http://localhost:8080", "http://127.0.0.1:8080"},
		{"https://10.0.0.1", "https://10.0.0.2"},
	} {
		if SameSite(pair[0], pair[1]) {
			t.Errorf("%v: want different sites", pair)
		}
	}
}

// One origin has one spelling; everything that a browser would never send as one is refused.
func TestOrigin(t *testing.T) {
	for text, want := range map[string]string{
		"https://example.com": "https://example.com", "HTTPS://Example.COM/": "https://example.com", "https://example.com:443": "https://example.com",
		"https://example.com:8443": "https://example.com:8443", "http://localhost:8080": "http://localhost:8080", "http://127.0.0.1:80": "http://127.0.0.1",
		"http://[::1]:8080": "http://[::1]:8080", "https://[2001:db8::1]:443": "https://[2001:db8::1]",
	} {
		if got, err := Origin(text); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "example.com", "//example.com", "http://example.com", "http://10.0.0.1", "https://", "https://user@example.com", "https://example.com/x",
		"https://example.com?x", "https://example.com?", "https://example.com#x", "ftp://example.com", "https://exa mple.com", "https://*.example.com",
		"null", "https://example.com\\@evil.com", "https://example..com", "https://-a.com",
	} {
		if got, err := Origin(text); err == nil {
			t.Errorf("%q: got %q, want an error", text, got)
		}
	}
}

func TestIsDomain(t *testing.T) {
	for text, want := range map[string]bool{
		"example.com": true, "a-b.co.kr": true, "com": false, "": false, "Example.com": false, "a..b": false,
		"-a.com": false, "a@b.com": false, "a.com.": false, " a.com": false,
	} {
		if IsDomain(text) != want {
			t.Errorf("%q: want %v", text, want)
		}
	}
}
