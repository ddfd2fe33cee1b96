// Package demo owns everything around Munjigi that `munjigi demo` needs to show a token's way on one laptop: an OpenID
// provider with a small company of people, the page that leads through it, and the files of the demo's directory. The two
// services with private admin APIs are below it, in wishlist and market.
//
// To Munjigi these are strangers: the provider is met over HTTP like any other, the services check tokens with package
// verify alone. The package must not reach into sessions, keys or the store, and nothing outside the demo may import it:
// its provider signs in whoever is named, without a password.
package demo
