package renew

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const agent = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"

// Target is what is loaded: how a renewal is written, and where the next refresh token is in its answer.
type Target struct {
	Handler http.Handler
	Request func(refreshToken string) string
	Next    func(answer *http.Response, body []byte) string
}

// Bare is the prototype as a target.
func Bare(p *Prototype) Target {
	return Target{
		Handler: p,
		Request: func(refreshToken string) string {
			body := `{"refresh_token":"` + refreshToken + `"}`
			return fmt.Sprintf("POST /session HTTP/1.1\r\nHost: localhost:8080\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		},
		Next: func(_ *http.Response, body []byte) string {
			var answer struct {
				RefreshToken string `json:"refresh_token"`
			}
			json.Unmarshal(body, &answer)
			return answer.RefreshToken
		},
	}
}

// Ours is Munjigi as a target, called as a browser calls it.
func Ours(m *Munjigi) Target {
	return Target{
		Handler: m,
		Request: func(refreshToken string) string {
			const body = `{"app":"tools"}`
			return fmt.Sprintf("POST /session HTTP/1.1\r\nHost: localhost:8080\r\nOrigin: %s\r\nSec-Fetch-Site: same-origin\r\nUser-Agent: %s\r\n"+
				"Cookie: munjigi-staff=%s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", Origin, agent, refreshToken, len(body), body)
		},
		Next: func(answer *http.Response, _ []byte) string {
			for _, c := range answer.Cookies() {
				if c.Name == "munjigi-staff" {
					return c.Value
				}
			}
			return ""
		},
	}
}

// Serve serves the target on loopback until the returned function is called.
func (t Target) Serve() (address string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	s := &http.Server{Handler: t.Handler}
	go s.Serve(l)
	return l.Addr().String(), func() { s.Close() }, nil
}

// Load renews each of the sessions on a connection of its own, again and again, for a while. tokens holds the newest
// refresh tokens before and after. It returns how many renewals a second were answered; any other answer is an error.
func (t Target) Load(address string, tokens []string, lasts time.Duration) (float64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lasts)
	defer cancel()
	var done atomic.Int64
	start := time.Now()
	var callers errgroup.Group
	for i := range tokens {
		callers.Go(func() error {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				return err
			}
			defer conn.Close()
			reader := bufio.NewReader(conn)
			for ctx.Err() == nil {
				if tokens[i], err = t.once(conn, reader, tokens[i]); err != nil {
					return err
				}
				done.Add(1)
			}
			return nil
		})
	}
	err := callers.Wait()
	return float64(done.Load()) / time.Since(start).Seconds(), err
}

func (t Target) once(conn net.Conn, reader *bufio.Reader, refreshToken string) (string, error) {
	if _, err := io.WriteString(conn, t.Request(refreshToken)); err != nil {
		return "", err
	}
	answer, err := http.ReadResponse(reader, nil)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", err
	}
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("renew: %s: %s", answer.Status, body)
	}
	return t.Next(answer, body), nil
}
