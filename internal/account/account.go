// Package account owns who somebody is: realms, accounts and their roles, and the apps that belong to a realm. It
// decides roles from what a provider says; it neither signs anybody in nor stores anything.
package account

import "time"

// Identity is how an account is found again: never by an e-mail.
type Identity struct {
	Realm   string
	Issuer  string // the provider's issuer identifier
	Subject string // the provider's stable id of the person
}

// Profile is what the provider says of a person, as of CheckedAt.
type Profile struct {
	Email     string // verified, lower case; empty when the provider gave no verified one
	Name      string
	Roles     []string // sorted, without repeats; never nil in a store
	CheckedAt time.Time
}

// Account is one person (or shared login) in a realm.
type Account struct {
	ID string // "sub" of its tokens: stable, unique over all realms
	Identity
	Profile
	Disabled bool
	Version  int64 // raised by every sign-in and every end of all its sessions
}

// App is a front end, an OAuth public client.
type App struct {
	Name     string
	Realm    string
	Origins  []string // "https://shop.example.com", compared exactly; empty for a body carrier
	Services []string // audience of its tokens
	Body     bool     // carrier: body; no cookie, the refresh token travels in the body
}

// Console is the name of the app that is built in, and ConsoleAudience of its tokens.
const (
	Console         = "console"
	ConsoleAudience = "munjigi"
)
