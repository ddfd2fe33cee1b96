package account

import (
	"strings"
	"testing"
)

// All spellings of a login are one account, and one limit on guesses.
func TestLogin(t *testing.T) {
	for text, want := range map[string]string{
		"shop1": "shop1", " Shop1 ": "shop1", "SHOP1": "shop1", "ＳＨＯＰ１": "shop1", "ｓhop①": "shop1",
		"Kim@Example.COM": "kim@example.com", "\tkim@example.com\u00a0": "kim@example.com", "\u3000kim": "kim",
		"Straße": "strasse", "STRASSE": "strasse", "ＳＴＲＡẞＥ": "strasse", "ΣΊΣΥΦΟΣ": "σίσυφοσ", "Σίσυφος": "σίσυφοσ",
		"Cafe\u0301": "caf\u00e9", "CAF\u00c9": "caf\u00e9", "\u1112\u1161\u11ab": "한", "ﬁsh": "fish", "K": "k", "Kim": "kim",
	} {
		got, err := Login(text)
		if err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
		if again, err := Login(got); again != got || err != nil {
			t.Errorf("%q became %q when it was read again, %v", got, again, err)
		}
	}
	for _, text := range []string{
		"", " ", "\u3000", "a\x00b", "a\nb", "a\u200bb", "a\u202eb", "a\xffb", strings.Repeat("a", 255), strings.Repeat("한", 85), strings.Repeat(" ", 5000),
	} {
		if got, err := Login(text); err == nil {
			t.Errorf("%q: got %q, want an error", text, got)
		}
	}
}

func FuzzLogin(f *testing.F) {
	for _, text := range []string{"Shop1", "ﷺ", "İ", "ß", "\u0345", "ŉ", "a\u0301\u0345"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once, err := Login(text)
		if err != nil {
			return
		}
		if twice, err := Login(once); err != nil || twice != once {
			t.Errorf("%q became %q, then %q, %v", text, once, twice, err)
		}
	})
}
