//go:build !linux

package hashing

// yield does nothing: a process of its own is most of the gain.
func yield() error { return nil }
