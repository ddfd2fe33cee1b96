package account

import (
	"strings"
	"testing"
)

// What could be two addresses, a header, or nobody is no address.
func TestIsEmail(t *testing.T) {
	for text, want := range map[string]bool{
		"kim@example.com": true, "kim.lee+shop@mail.example.co.kr": true, "K@EXAMPLE.com": true, "o'hara@example.com": true, "1@xn--o39an51b.kr": true,
		"": false, "kim": false, "@example.com": false, "kim@": false, "kim@localhost": false, "kim@@example.com": false,
		"a@b.com@example.com": false, "a@example.com,b@example.com": false, "a@example.com b@example.com": false,
		"Kim <kim@example.com>": false, "<kim@example.com>": false, "kim@example.com\r\nBcc: b@example.com": false, "kim\n@example.com": false,
		"\"kim lee\"@example.com": false, "kim@[127.0.0.1]": false, ".kim@example.com": false, "kim.@example.com": false, "k..m@example.com": false,
		"kim@example.com.": false, "kim@-example.com": false, "kim@exam ple.com": false, "김@example.com": false, "kim@한글.kr": false, "kim(x)@example.com": false,
		"kim@example.com\x00": false, strings.Repeat("a", 65) + "@example.com": false, "a@" + strings.Repeat("a.", 130) + "com": false,
	} {
		if IsEmail(text) != want {
			t.Errorf("%q: want %v", text, want)
		}
	}
}
