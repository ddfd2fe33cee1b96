package session

import (
	"strings"

	"github.com/mileusna/useragent"
)

// UnknownDevice is the device class of a caller that does not tell.
const UnknownDevice = "Unknown device"

// DeviceClass is the browser family and the system of a User-Agent header, without versions, such as
// "Chrome on Windows": enough for a person to know the device again, and steady over updates.
func DeviceClass(userAgent string) string {
	if len(userAgent) > 1024 { // longer than any honest browser's, and parsing has its price
		return UnknownDevice
	}
	agent := useragent.Parse(userAgent)
	switch {
	case agent.Name == "" || agent.Bot:
		return UnknownDevice
	case agent.OS == "":
		return clip(agent.Name)
	}
	return clip(agent.Name + " on " + agent.OS)
}

// clip bounds what a caller can put into rows, logs and other people's screens.
func clip(class string) string {
	const longest = 48
	odd := func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune(" ._-+", r)
	}
	if len(class) > longest || strings.ContainsFunc(class, odd) {
		return UnknownDevice
	}
	return class
}
