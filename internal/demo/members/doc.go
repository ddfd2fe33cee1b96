// Package members owns the members' half of `munjigi demo`: who they are, the two shops that they use (front ends that
// were built from examples/vue-shop), what the services answer to a member's token, and a second browser that signs in
// when somebody wants to see what happens then.
//
// To Munjigi all of it is strangers: the shops' pages call it like any front end, the second browser sends what a real
// one would. The package must not reach into sessions, accounts or the store. It knows its members' passwords, and
// shows them to whoever asks, so nothing outside the demo may import it.
package members
