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

// Class is what a device is held in: on a desk or in a hand. It is what per_device_class counts by.
type Class string

// The classes. Tablets are held in a hand; what does not tell, or is not known, stands on a desk.
const (
	Desktop Class = "desktop"
	Mobile  Class = "mobile"
)

// handheld are the systems of phones and tablets, and the browsers that nothing else has, as a device class names them.
var handheld = [...]string{
	useragent.Android, useragent.IOS, useragent.WindowsPhone, useragent.BlackBerry, useragent.Harmony, useragent.OperaMini, useragent.NetFront,
}

// ClassOf derives the class from a device class such as "Chrome on Android", so that every row has one, whenever it was
// written. A tablet whose browser asks for the pages of a PC cannot be told from one; nor can whoever lies: who does has
// one place of each class, and no more.
func ClassOf(device string) Class {
	browser, system, _ := strings.Cut(device, " on ")
	for _, name := range handheld {
		if system == name || browser == name {
			return Mobile
		}
	}
	return Desktop
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
