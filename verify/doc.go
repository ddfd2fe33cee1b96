// Package verify lets a service check Munjigi's access tokens by itself: no call to anybody on the way of a request,
// and still a person who signs out, is replaced, or leaves the company is refused within a second or so.
//
// # Use
//
//	verifier, err := verify.New(verify.Config{
//		Issuer:  "https://office.example.com", // Munjigi's address
//		Service: "wishlist",                   // this service's name there
//		Realms:  []string{"staff"},            // whom to admit
//	})
//	if err != nil { … }                       // a mistake in the configuration: do not start
//	defer verifier.Close()
//
//	mux.Handle("GET /me", verifier.Middleware(me))
//	mux.Handle("DELETE /items/{id}", verifier.Require(verify.Need{Roles: []string{"editor"}}, remove))
//
//	claims, _ := verify.FromContext(request.Context()) // in a handler behind them
//
// Outside net/http, [Verifier.Verify] and [Verifier.Check] take the text of a token. Put handling of CORS in front of
// the middleware: preflight requests bear no token.
//
// # What is checked
//
// The shape (compact JWS, strict base64url and JSON, no member twice, at most 8 KiB), the key (among the issuer's, by
// kid; one key has one algorithm of ES256, EdDSA, RS256), the signature, type, issuer, a lifetime of at most one hour,
// the realm, the audience, the time, whether the session has ended, and what the route needs. A refusal bears one
// code ([CodeOf]); [Refuse], which the middleware uses, answers with a problem document (RFC 9457) in Korean or
// English. Until the signature holds, it tells no more than token_malformed or token_invalid.
//
// A token that was checked is remembered; seeing it again costs a look-up and allocates nothing. Only what the token
// alone decides is remembered, everything else is judged each time.
//
// # Ended sessions
//
// The verifier follows the issuer's feed of ended sessions and knows how old its view is, whatever the clocks of the
// two machines say. When the feed is lost the service goes on, as tokens live for minutes only, and [Verifier.Stats]
// says so. Set [Config.FailClosed], or [Need].Fresh for single routes, to answer 503 revocations_stale instead.
//
// # Keys
//
// Keys are found through the issuer's discovery document and fetched again every five minutes, and at once when a
// token names an unknown one (but then not again for ten seconds). While the issuer is down the last good set is
// used, for [Config.KeysMaxAge]; without any, requests get 503 upstream_unavailable, which signs nobody out. An empty
// set is never believed. With [Config.PublicKeyFile] nothing is fetched. A key that the feed names as withdrawn is not
// trusted any more, wherever it came from, and a file does not bring it back while the service runs.
//
// # Limits
//
// The issuer has to be reachable at https. No redirect of it is followed. Only a path on the issuer's own origin is
// taken for its keys.
package verify
