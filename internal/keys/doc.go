// Package keys owns the signing keys and the secrets behind refresh tokens: creating, publishing ahead, rotating,
// retiring, withdrawing, and sealing at rest. It decides when; the store keeps; it never sees a session.
package keys
