package server

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/munjigi/munjigi/internal/session"
)

// address is the caller's: the peer's, or what a trusted proxy says, read from the right, because everything to the left
// of the last untrusted hop is whatever that hop liked to write.
func (s *Server) address(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	caller := peer.Addr().Unmap().WithZone("")
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusted(caller); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		caller = hop.Unmap().WithZone("")
	}
	return caller
}

func (s *Server) trusted(address netip.Addr) bool {
	for _, prefix := range s.TrustedProxies {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// caller is who calls, for rows and the audit.
func (s *Server) caller(r *http.Request) session.Caller {
	return session.Caller{Device: session.DeviceClass(r.UserAgent()), From: s.address(r).String()}
}
