// Package mail writes letters to people and sends them by SMTP: a Sender knows one mail server, a Queue keeps what is to
// be sent and tries again while that server is away. The texts are templates beside the code, in Korean and English.
//
// It must not make anybody wait: a request posts a job and goes on. It neither knows accounts nor makes links, and it
// logs neither an address nor a link. What waits is in memory alone: links are in no database, so they are in no outbox
// either.
package mail

import "time"

// Kind is what a letter is for.
type Kind string

// The letters that there are; each has a template in every language.
const (
	Forgotten Kind = "forgotten" // a link to set a new password
	SignUp    Kind = "sign_up"   // a link to finish signing up
	Known     Kind = "known"     // somebody signed up with the address of an account: a link to set a new password
	Changed   Kind = "changed"   // the password was changed
	Test      Kind = "test"      // an administrator tries out the configuration
)

// Letter is one letter to one person. Texts from people (Name, Login) are cleaned of control characters when it is
// written, so that they stay where they belong.
type Letter struct {
	Kind     Kind
	Language string // "ko" for Korean, English for everything else
	To       string // a bare e-mail address, as account.IsEmail admits it
	// Name is what the owner of the account is called. Empty for who has not proved that the address is theirs: what a
	// stranger typed must not arrive under our name.
	Name  string
	Login string        // which account; not in letters to people who have none
	Link  string        // a one-time link, with its secret
	Life  time.Duration // of the link, in whole minutes
	When  time.Time     // when it happened, for Changed
}
