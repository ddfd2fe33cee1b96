package upstream

// Person is what a provider said of somebody.
type Person struct {
	Issuer       string
	Subject      string
	Email        string // lower case; empty unless the provider says that it is verified
	Name         string
	HostedDomain string   // Google's hd
	Groups       []string // where the provider sends them
}

// Verdict is a provider's answer to "is this person still valid?".
type Verdict int

// The verdicts. The zero value is Unknown: nobody is signed out by it.
const (
	Unknown Verdict = iota
	Valid
	Gone
)

// Answer is what asking again brought.
type Answer struct {
	Verdict Verdict
	Person  Person // of a Valid one
	// RefreshToken is the provider's new one; empty when it did not rotate.
	RefreshToken string
	// Accepted tells that the provider took the refresh token, whatever the verdict: it was not used up before.
	Accepted bool
	// Presented tells that the refresh token may have reached the provider. With Unknown it may then have been
	// rotated with the answer lost; false (no connection, a 4xx that is not about the grant) means that it was not.
	Presented bool
	// ProviderFault tells that an Unknown speaks of the provider as a whole (down, 5xx, 429, our client refused),
	// not of this person: the circuit breaker counts it.
	ProviderFault bool
	Err           error // why it is Unknown or Gone; for the log
}
