// Package audit owns what is recorded for good: the types of events and the hash chain that shows when one was
// changed or removed. It stores nothing itself: the store appends an event in the transaction that it tells of.
package audit

import "time"

// Action says what happened, in the words of the protocol.
type Action string

// The actions of sign-in, sessions, rechecks, keys, administration and calls to services.
const (
	SignedIn        Action = "signed_in"
	SignInRefused   Action = "sign_in_refused"
	SessionEnded    Action = "session_ended" // Details: reason, by
	AnswerLost      Action = "answer_lost"   // a lost answer was made good; Details: count
	PersonGone      Action = "person_gone"   // the provider said no
	PersonHeld      Action = "person_held"   // the provider said no during a wave: an administrator decides
	PersonChanged   Action = "person_changed"
	WaveStopped     Action = "wave_stopped"
	WaveConfirmed   Action = "wave_confirmed"
	WaveDismissed   Action = "wave_dismissed"
	MemberAdded     Action = "member_added"     // Details: by, for an import
	MemberChanged   Action = "member_changed"   // by an import; Details: by, changed
	PasswordChanged Action = "password_changed" // Details: by
	LinkMade        Action = "link_made"        // a one-time link to set a password; Details: for
	AccountDisabled Action = "account_disabled"
	AccountEnabled  Action = "account_enabled"
	KeyCreated      Action = "key_created"
	KeyRotated      Action = "key_rotated"
	KeyRetired      Action = "key_retired"
	ConfigLoaded    Action = "config_loaded"
	StoreRolledBack Action = "store_rolled_back"
	StoreRecovered  Action = "store_recovered"
	Called          Action = "called"     // an operation of a service that may change something, before it is called
	Revealed        Action = "revealed"   // sensitive fields in plain
	Exported        Action = "exported"   // a list as a file
	CallEnded       Action = "call_ended" // of one of the three above; Details: began, status, rows
	Granted         Action = "operations_granted"
)

// Event is one entry. Zero members are left out of the record. No token, cookie, password or key is ever in it.
type Event struct {
	At      time.Time // kept in whole microseconds
	Action  Action
	Realm   string
	Account string // whom it concerns
	Session string // sid, where one is concerned
	Actor   Actor  // who did it
	Outcome string // "" = done; otherwise the code of the refusal; of a call also status_NNN, or unknown
	From    string // network address of the caller
	Details map[string]string
}

// Actor is who caused an event. Kind is one of the constants below; ID is empty for the program itself.
type Actor struct {
	Kind string
	ID   string
}

// Kinds of actors.
const (
	ByAccount  = "account"  // a signed-in person; ID is the account
	ByProgram  = "program"  // Munjigi itself
	ByProvider = "provider" // ID is the issuer
	ByCommand  = "command"  // the command line on the server's machine; ID is the operating system's user
)
