// Package roster brings members from somewhere else into a realm: it reads their list, a person a line, hashes what is
// not hashed, and hands them to the store some hundred at a time, so that a run which was stopped is simply run again.
//
// It decides nothing about sign-ins and opens no files: the command line gives it what to read, and where to.
package roster

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/munjigi/munjigi/internal/account"
)

// Entry is a member as a list has them. Login, Profile and Disabled are as they are stored; ID and Subject are drawn
// for a member who is not there yet.
type Entry struct {
	account.Member
	Line  int
	Given Given
	// Origin tells a hash that was imported again, also after its owner's first sign-in has replaced it; nil when the
	// list had none.
	Origin []byte
	// Same: the list has a plain password, and it is that of the member who is there, at this count of its changes.
	Same int64

	password account.Password
}

// Given says what the list told of a member beside the login; the rest of who is there stays as it is.
type Given struct{ Name, Email, Roles, Disabled bool }

// Onto is the member who is there with what the entry gives, and the names of what differs: none if all is the same.
// origin is that of the hash that was imported for them last.
func (e Entry) Onto(there account.Member, origin []byte) (m account.Member, differs []string) {
	m = there
	if e.Given.Name && m.Name != e.Name {
		m.Name, differs = e.Name, append(differs, "name")
	}
	if e.Given.Email && m.Email != e.Email {
		m.Email, differs = e.Email, append(differs, "email")
	}
	if e.Given.Roles && !slices.Equal(m.Roles, e.Roles) {
		m.Roles, differs = e.Roles, append(differs, "roles")
	}
	if e.Given.Disabled && m.Disabled != e.Disabled {
		m.Disabled, differs = e.Disabled, append(differs, "disabled")
	}
	if e.another(there.Secret, origin) {
		m.Hash, differs = e.Hash, append(differs, "password")
	}
	return m, differs
}

// another tells whether the entry's password is another than that of a member who is there.
func (e Entry) another(secret int64, origin []byte) bool {
	switch {
	case e.Same != 0:
		return e.Same != secret
	case e.Origin != nil:
		return !bytes.Equal(e.Origin, origin)
	}
	return e.Hash != ""
}

// Refusal is a row that was left out, and why. It holds neither password nor hash.
type Refusal struct {
	Line   int    `json:"line"`
	Login  string `json:"login,omitempty"`
	Reason string `json:"reason"`
}

func (r *Refusal) Error() string {
	if r.Login == "" {
		return fmt.Sprintf("line %d: %s", r.Line, r.Reason)
	}
	return fmt.Sprintf("line %d: %s: %s", r.Line, r.Login, r.Reason)
}

// row is a line as it was written.
type row struct {
	Login    string    `json:"login"`
	Name     *string   `json:"name"`
	Email    *string   `json:"email"`
	Roles    *[]string `json:"roles"`
	Hash     string    `json:"hash"`
	Password string    `json:"password"`
	Disabled *bool     `json:"disabled"`
}

// maxName is in characters.
const maxName = 200

// entry checks a row. Its error is a reason for people.
func (r row) entry(realm string, checkRole func(string) error) (Entry, error) {
	e := Entry{
		Member: account.Member{Account: account.Account{
			Identity: account.Identity{Realm: realm, Issuer: account.PasswordIssuer},
			Profile:  account.Profile{Name: norm.NFC.String(strings.TrimSpace(value(r.Name))), Roles: []string{}},
			Disabled: value(r.Disabled),
		}},
		Given: Given{r.Name != nil, r.Email != nil, r.Roles != nil, r.Disabled != nil},
	}
	var err error
	if e.Login, err = account.Login(r.Login); err != nil {
		return e, fmt.Errorf("login: want %w", err)
	}
	if utf8.RuneCountInString(e.Name) > maxName || strings.ContainsFunc(e.Name, unicode.IsControl) {
		return e, fmt.Errorf("name: want at most %d characters, on one line", maxName)
	}
	if e.Email, err = email(value(r.Email)); err != nil {
		return e, err
	}
	if e.Roles, err = roles(value(r.Roles), checkRole); err != nil {
		return e, err
	}
	return e, e.secret(r)
}

// value is what a pointer points to, the zero value for none.
func value[T any](from *T) (v T) {
	if from != nil {
		v = *from
	}
	return v
}

func (e *Entry) secret(r row) error {
	switch {
	case r.Hash != "" && r.Password != "":
		return errors.New("hash and password: want one of them")
	case r.Hash != "":
		if err := account.ValidHash(r.Hash); err != nil {
			return fmt.Errorf("hash: %w", err)
		}
		origin := sha256.Sum256([]byte(r.Hash))
		e.Hash, e.Origin = r.Hash, origin[:]
	case len(r.Password) > account.MaxPasswordBytes:
		return errors.New("password: too long")
	}
	e.password = account.Password(r.Password)
	return nil
}

func email(text string) (string, error) {
	address := strings.ToLower(strings.TrimSpace(text))
	if address == "" {
		return "", nil
	}
	local, domain, _ := strings.Cut(address, "@")
	if len(address) > 254 || local == "" || !account.IsDomain(domain) || strings.ContainsFunc(local, func(r rune) bool { return r <= ' ' || !unicode.IsGraphic(r) }) {
		return "", errors.New("email: want one address such as kim@example.com")
	}
	return address, nil
}

// roles are sorted and without repeats, as an account has them.
func roles(given []string, check func(string) error) ([]string, error) {
	found := map[string]bool{}
	list := []string{}
	for _, role := range given {
		if found[role] {
			continue
		}
		if err := check(role); err != nil {
			return nil, fmt.Errorf("role %q: %w", shortened(role), err)
		}
		found[role] = true
		list = append(list, role)
	}
	slices.Sort(list)
	return list, nil
}

// shortened keeps a mistaken column from filling the screen.
func shortened(text string) string {
	const limit = 60
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return text
}
