package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/server/answer"
)

// discoveryBody is what we keep of OpenID Connect Discovery 1.0 and RFC 8414. There is no authorization endpoint to
// name, hence no response type and no grant type either.
type discoveryBody struct {
	Issuer        string   `json:"issuer"`
	JWKS          string   `json:"jwks_uri"`
	ResponseTypes []string `json:"response_types_supported"`
	GrantTypes    []string `json:"grant_types_supported"`
}

// discovery is both documents of that kind.
func (s *Server) discovery(w *response, _ *http.Request) error {
	s.cacheable(w)
	return answer.JSON(w, discoveryBody{
		Issuer: s.URL, JWKS: s.own + "/.well-known/jwks.json", ResponseTypes: []string{}, GrantTypes: []string{},
	})
}

// jwks is the keys that verify our tokens, the next one among them ahead of its use.
func (s *Server) jwks(w *response, r *http.Request) error {
	body := s.Keys.JWKS()
	sum := sha256.Sum256(body)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	s.cacheable(w)
	w.Header().Set("ETag", tag)
	w.Header().Set("Content-Type", "application/jwk-set+json")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	return nil
}

func (s *Server) cacheable(w *response) {
	w.Header().Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(s.KeysMaxAge/time.Second)))
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
}

// healthy tells that the program runs.
func (s *Server) healthy(w *response, _ *http.Request) error {
	return answer.JSON(w, map[string]string{"status": "ok"})
}

// ready tells that it can serve: the store can be read, and there are keys.
func (s *Server) ready(w *response, r *http.Request) error {
	if err := s.Ready(r.Context()); err != nil {
		return &fault.Error{Code: fault.StoreUnavailable, RetryAfter: time.Second, Err: err}
	}
	return s.healthy(w, r)
}
