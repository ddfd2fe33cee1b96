// Package gateway is the way from the console to the private APIs of the services. It lets through what a service's
// document names and nothing else, as the person who asks, and it writes down what may change something before it is
// called.
//
// It trusts neither side: no header, path or parameter of a caller reaches a service unless the document knows it, no
// identity but ours, and nothing that a service answers can act as a page or a cookie of our own address. It decides
// nothing about sessions, and no service is called by it without a session that the store said was alive.
package gateway
