package signin

import (
	"net/url"
	"strings"

	"github.com/munjigi/munjigi/internal/account"
)

// maxReturnTo bounds what an attempt's cookie has to carry.
const maxReturnTo = 1500

// ReturnTo is where the browser goes after a sign-in: an absolute URL on one of the app's origins. raw is such a URL, or
// a path, which counts from the app's first origin; empty is that origin's root. Everything else is request_invalid.
//
// The origin is compared as text and what follows it is held to a narrow alphabet, so it does not matter how a browser,
// a proxy or a router reads the rest: it stays on the origin.
func ReturnTo(app account.App, raw string) (string, error) {
	if len(app.Origins) == 0 {
		return "", invalidReturn("this app has no origin to return to")
	}
	if raw == "" {
		return app.Origins[0] + "/", nil
	}
	if len(raw) > maxReturnTo {
		return "", invalidReturn("too long")
	}
	if raw[0] == '/' {
		return onOrigin(app.Origins[0], raw)
	}
	for _, origin := range app.Origins {
		rest, found := strings.CutPrefix(raw, origin)
		if !found {
			continue
		}
		if rest == "" || rest[0] == '?' || rest[0] == '#' {
			rest = "/" + rest
		}
		if rest[0] == '/' { // otherwise the origin's text is only the beginning of another host
			return onOrigin(origin, rest)
		}
	}
	return "", invalidReturn("a path, or a URL on one of the app's origins")
}

func onOrigin(origin, target string) (string, error) {
	for _, c := range []byte(target) {
		if c <= ' ' || c >= 0x7f || c == '\\' {
			return "", invalidReturn("printable ASCII without a backslash, the rest percent-encoded")
		}
	}
	path, _, _ := strings.Cut(target, "#")
	path, query, _ := strings.Cut(path, "?")
	plain, err := url.PathUnescape(path)
	if err != nil || !plainPath(path) || !plainPath(plain) {
		return "", invalidReturn("a path without empty or dot segments")
	}
	if _, err := url.QueryUnescape(query); err != nil {
		return "", invalidReturn("a query that is percent-encoded")
	}
	return origin + target, nil
}

// plainPath refuses what some reader might take for a host ("//evil", "/\evil", "/.//evil"), or that would break a
// header once it is decoded.
func plainPath(path string) bool {
	segments := strings.Split(path[1:], "/")
	for i, segment := range segments {
		last := i == len(segments)-1
		if segment == "." || segment == ".." || (segment == "" && !last) {
			return false
		}
	}
	return !strings.ContainsFunc(path, func(c rune) bool { return c < ' ' || c == 0x7f || c == '\\' })
}

func invalidReturn(detail string) error {
	return invalid("/return_to", detail)
}
