package renew

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
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

// callers is how many browsers renew at once.
const callers = 64

// Side is a target that is served on loopback, with a session for each caller.
type Side struct {
	Target
	Munjigi *Munjigi // nil for the prototype
	address string
	tokens  []string // the newest refresh token of each session
	stops   []func()
}

// serve serves the target until Stop.
func (s *Side) serve() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: s.Handler}
	go server.Serve(l)
	s.address = l.Addr().String()
	s.stops = append(s.stops, func() { server.Close() })
	return nil
}

// running runs until Stop.
func (s *Side) running(run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- run(ctx) }()
	s.stops = append(s.stops, func() { cancel(); <-done })
}

// Stop ends everything that serves the side.
func (s *Side) Stop() {
	for _, stop := range slices.Backward(s.stops) {
		stop()
	}
}

// Renew makes n renewals: each caller renews its session on a connection of its own, again and again. Any answer but
// 200 is an error.
func (s *Side) Renew(n int) error {
	left := atomic.Int64{}
	left.Store(int64(n))
	var group errgroup.Group
	for i := range s.tokens {
		group.Go(func() error {
			conn, err := net.Dial("tcp", s.address)
			if err != nil {
				return err
			}
			defer conn.Close()
			reader := bufio.NewReader(conn)
			for left.Add(-1) >= 0 {
				if s.tokens[i], err = s.once(conn, reader, s.tokens[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// Slowest99 makes n renewals, perSecond of them, evenly, whether or not those before are answered, and returns the time
// that 99 of 100 took at most.
func (s *Side) Slowest99(n, perSecond int) (time.Duration, error) {
	took := make([]time.Duration, n)
	began := time.Now()
	var group errgroup.Group
	for i := range s.tokens {
		group.Go(func() error {
			conn, err := net.Dial("tcp", s.address)
			if err != nil {
				return err
			}
			defer conn.Close()
			reader := bufio.NewReader(conn)
			for k := i; k < n; k += len(s.tokens) {
				due := began.Add(time.Duration(k) * time.Second / time.Duration(perSecond))
				time.Sleep(time.Until(due))
				if s.tokens[i], err = s.once(conn, reader, s.tokens[i]); err != nil {
					return err
				}
				took[k] = time.Since(due)
			}
			return nil
		})
	}
	err := group.Wait()
	slices.Sort(took)
	return took[n*99/100], err
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
