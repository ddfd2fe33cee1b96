// Package upstream is Munjigi as an OpenID Connect client: the redirect to a provider, the callback, and asking again
// whether a person is still valid, with its three verdicts. It keeps no grant, ends no session, and never guesses: what
// is not clearly yes or no is Unknown.
package upstream
