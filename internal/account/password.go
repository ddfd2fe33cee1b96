package account

import (
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Password is what a person typed. It redacts itself wherever it is printed; only this package reads it.
type Password string

const redacted = "[redacted]"

// MaxPasswordBytes is the longest password that is looked at at all: no rule admits half of it. A longer one is wrong,
// at the cost of any other.
const MaxPasswordBytes = 2048

// String is "[redacted]".
func (Password) String() string { return redacted }

// GoString is what %#v prints.
func (Password) GoString() string { return redacted }

// LogValue is what slog prints.
func (Password) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON is what JSON holds.
func (Password) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText is what YAML holds.
func (Password) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// prepared is the password as it is hashed, at setting and at checking alike: the OpaqueString profile of RFC 8265
// §4.2.2 without its refusals, which the rules make when a password is set. NFC, as NIST 800-63B-4 §3.1.1.2 has it, so
// that "é" and "한" are the same from every keyboard. Not NFKC: it would take "①" for "1", tear single Korean letters
// (ㅎㅏㄴ) apart, and change what legacy systems hashed as it was typed; nearly all keyboards type NFC.
func (p Password) prepared() string {
	spaced := strings.Map(func(r rune) rune {
		if r != ' ' && unicode.Is(unicode.Zs, r) {
			return ' '
		}
		return r
	}, string(p))
	return norm.NFC.String(spaced)
}

// hashable tells whether a hash of p may be made or be right. Not with a NUL: HMAC fills keys up with them, so that
// PBKDF2 takes "x" and "x\x00" for one password, and C programs stop reading there.
func (p Password) hashable() bool {
	return p != "" && len(p) <= MaxPasswordBytes && utf8.ValidString(string(p)) && !strings.ContainsRune(string(p), 0)
}
