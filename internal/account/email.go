package account

import (
	"regexp"
	"strings"
)

// localPattern is what stands before the @ of an address that mail servers agree on: RFC 5321's dot-string, without
// quotes and without the letters beyond ASCII that many refuse.
var localPattern = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$")

// IsEmail tells whether text is one bare e-mail address, such as kim@example.com, that a letter can be sent to. One in
// quotes, with a name, a comment, or a second @ is none.
func IsEmail(text string) bool {
	local, domain, ok := strings.Cut(text, "@")
	return ok && len(text) <= 254 && len(local) <= 64 && localPattern.MatchString(local) && IsDomain(strings.ToLower(domain))
}
