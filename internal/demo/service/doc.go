// Package service is what the demo's two services have in common with any back end that has a private admin API: it knows
// who calls by the token alone (package verify), answers with JSON or a problem document in the caller's language, keeps
// its promises about ETag, If-Match and Idempotency-Key, and shows an OpenAPI document.
//
// It has a switch for faults, so that a test can see what its callers make of a service that is down or talks nonsense. It
// must not know what a service is about, and nothing outside the demo may import it.
package service
