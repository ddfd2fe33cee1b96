package account

import (
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// PasswordIssuer is the issuer of identities whose password is kept here; their subject is drawn at random.
const PasswordIssuer = "password"

// Member is an account with a login and a password that are kept here.
type Member struct {
	Account
	Login string // as Login gives it; unique in the realm, and may change while the account stays
	Hash  string // encoded, see Hasher; empty while there is no password yet
	// Secret counts the changes of the password, from 1. A sign-in or a change that has seen another one comes too late.
	Secret    int64
	ChangedAt time.Time // when the password was last changed
}

// maxLogin is the longest login in bytes: that of an e-mail address (RFC 5321 §4.5.3.1.3).
const maxLogin = 254

var errLogin = errors.New("1 to 254 bytes of visible text")

// Login gives the one way to write a login, so that all its spellings are one account and share one limit on guesses:
// without spaces around it, compatibility forms folded (NFKC), and case folded.
func Login(text string) (string, error) {
	if len(text) > 4*maxLogin || !utf8.ValidString(text) { // folding makes nothing that much shorter
		return "", errLogin
	}
	login := norm.NFKC.String(strings.TrimSpace(text))
	login = strings.TrimSpace(norm.NFKC.String(cases.Fold().String(login)))
	if login == "" || len(login) > maxLogin || strings.ContainsFunc(login, invisible) {
		return "", errLogin
	}
	return login, nil
}

// invisible letters would make two logins that nobody can tell apart.
func invisible(r rune) bool { return r != ' ' && !unicode.IsGraphic(r) }
