package server

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/signin"
)

// hostPrefix has the browser refuse a cookie that another host of the domain planted, or that came without TLS.
const hostPrefix = "__Host-"

func (s *Server) refreshCookie(realm string) string {
	if s.secure {
		return hostPrefix + "munjigi-" + realm
	}
	return "munjigi-" + realm // only loopback is served without TLS
}

func hintCookie(realm string) string { return "munjigi-" + realm + "-hint" }

// deviceCookie says that the right password was once presented by this browser. Only we read it.
func (s *Server) deviceCookie(realm string) string { return s.refreshCookie(realm) + "-device" }

func (s *Server) deviceOf(r *http.Request, realm string) string {
	cookie, err := r.Cookie(s.deviceCookie(realm))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// keepDevice leaves the cookie as it is when there is no new one. It outlives sessions, and a sign-out.
func (s *Server) keepDevice(w http.ResponseWriter, realm, value string) {
	if value == "" {
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: s.deviceCookie(realm), Value: value, Path: "/", MaxAge: int(signin.DeviceLife / time.Second),
		Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// refreshOf is the realm's refresh token that the browser sent; "" without one.
func (s *Server) refreshOf(r *http.Request, realm string) string {
	cookie, err := r.Cookie(s.refreshCookie(realm))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// keep gives the browser a session's refresh token and its hint. Both are functions of the row, so that a repeat sets
// the very same.
func (s *Server) keep(w http.ResponseWriter, a session.Answer) {
	row := a.Session
	left := int(row.EndsAt.Sub(row.Rotation.At) / time.Second)
	hint := row.ID.String() + "." + strconv.FormatInt(row.Rotation.Generation, 10)
	s.setCookies(w, row.Realm, a.RefreshToken, hint, max(left, 1))
}

// forget takes both away. Only a sign-out may: a late answer of anything else could take away a newer sign-in.
func (s *Server) forget(w http.ResponseWriter, realm string) { s.setCookies(w, realm, "", "", -1) }

// forgetSession has the browser forget the session that the caller leaves. An access token may be that of a page which
// has been open for long, and the cookie somebody else's by now, who signed in meanwhile.
func (s *Server) forgetSession(w http.ResponseWriter, r *http.Request, who caller) {
	if who.app.Name == "" || who.app.Body {
		return
	}
	if who.bearer != nil {
		kept, ok := s.Sessions.Parse(s.refreshOf(r, who.app.Realm))
		if !ok || kept.Session != *who.bearer {
			return
		}
	}
	s.forget(w, who.app.Realm)
}

func (s *Server) setCookies(w http.ResponseWriter, realm, refresh, hint string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: s.refreshCookie(realm), Value: refresh, Path: "/", MaxAge: maxAge,
		Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	// Script reads this one. It says whether there is a session and which, and nobody trusts it.
	http.SetCookie(w, &http.Cookie{
		Name: hintCookie(realm), Value: hint, Path: "/", MaxAge: maxAge, Domain: s.hintDomain(realm),
		Secure: s.secure, SameSite: http.SameSiteLaxMode,
	})
}

// attemptPrefix begins the names of the cookies of sign-ins under way; no realm has a dot in its name.
const attemptPrefix = "munjigi.sign-in."

// maxAttempts bounds how many of them a browser carries along: proxies limit the length of headers.
const maxAttempts = 5

func (s *Server) attemptCookie(name string) string {
	if s.secure {
		return hostPrefix + attemptPrefix + name
	}
	return attemptPrefix + name
}

func (s *Server) setAttempt(w http.ResponseWriter, name, value string, maxAge time.Duration) {
	seconds := int(maxAge / time.Second)
	if seconds <= 0 {
		seconds = -1
	}
	http.SetCookie(w, &http.Cookie{
		Name: s.attemptCookie(name), Value: value, Path: "/", MaxAge: seconds,
		Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode, // the provider's redirect has to bring it
	})
}

// dropAttempts takes away the oldest attempts, of which a person has abandoned as many: browsers send older cookies
// first (RFC 6265 §5.4).
func (s *Server) dropAttempts(w http.ResponseWriter, r *http.Request) {
	prefix := s.attemptCookie("")
	var names []string
	for _, cookie := range r.Cookies() {
		if name, ok := strings.CutPrefix(cookie.Name, prefix); ok {
			names = append(names, name)
		}
	}
	for len(names) >= maxAttempts {
		s.setAttempt(w, names[0], "", 0)
		names = names[1:]
	}
}

func (s *Server) attemptOf(r *http.Request, state string) string {
	cookie, err := r.Cookie(s.attemptCookie(signin.AttemptName(state)))
	if err != nil {
		return ""
	}
	return cookie.Value
}
