package members

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// The second browser: another kind than the one that asks.
const (
	windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"
	phone   = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1"
)

// mostAsked is the longest body that is read, in bytes.
const mostAsked = 1 << 10

// elsewhere signs a member in with a second browser, as that one would do it: at Munjigi, with login and password. Only
// the shop's own page may ask for it.
func (s *shop) elsewhere(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Origin") != s.Origin || r.Header.Get("Content-Type") != "application/json" {
		http.Error(w, "only the shop's own page may ask", http.StatusForbidden)
		return
	}
	var asked struct {
		Login string `json:"login"`
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostAsked)).Decode(&asked)
	member, known := find(asked.Login)
	if err != nil || !known {
		http.Error(w, "want the login of a member of the demo", http.StatusUnprocessableEntity)
		return
	}
	answer, err := s.signIn(r, member)
	if err != nil {
		http.Error(w, "Munjigi does not answer", http.StatusBadGateway)
		return
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		http.Error(w, "Munjigi refused: "+answer.Status, http.StatusConflict)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *shop) signIn(r *http.Request, member Member) (*http.Response, error) {
	body, err := json.Marshal(map[string]string{"app": s.App, "login": member.Login, "password": member.Password})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, s.Munjigi+"/sign-in/"+Realm, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Origin", s.Origin)
	request.Header.Set("User-Agent", windows)
	if strings.Contains(r.UserAgent(), "Windows") {
		request.Header.Set("User-Agent", phone)
	}
	return s.client.Do(request)
}
