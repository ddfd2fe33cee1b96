package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/config"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/listen"
)

// serving is a configuration with a seal key, for a server of this process.
func serving(t *testing.T, more string) config.Config {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "provider.secret"), []byte("hush hush\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.CreateSealer(filepath.Join(dir, "munjigi.key")); err != nil {
		t.Fatal(err)
	}
	listen := freeAddress(t)
	file := filepath.Join(dir, "munjigi.yaml")
	text := fmt.Sprintf("url: http://%s\nlisten: %s\n%srealms:\n  staff:\n    oidc: {issuer: http://127.0.0.1:9, client_id: x, client_secret_file: provider.secret, domains: [example.com]}\n    roles: {admin: [boss@example.com]}\n", listen, listen, more)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// runServe serves until the test calls stop, which returns what serve returned.
func runServe(t *testing.T, config config.Config) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, config, slog.New(slog.DiscardHandler)) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { _ = stop() })
	eventually(t, 20*time.Second, func() error {
		answer, err := http.Get(config.URL + "/readyz")
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return errors.New(answer.Status)
		}
		return nil
	})
	return stop
}

func TestServe(t *testing.T) {
	metrics := freeAddress(t)
	config := serving(t, "metrics_listen: "+metrics+"\n")
	stop := runServe(t, config)

	get := func(url string) (int, string) {
		t.Helper()
		answer, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	if status, body := get("http://" + metrics + "/metrics"); status != http.StatusOK || !strings.Contains(body, "munjigi_sessions 0") || !strings.Contains(body, "go_goroutines") {
		t.Errorf("metrics: %d\n%s", status, body)
	}
	if status, body := get(config.URL + "/metrics"); strings.Contains(body, "munjigi_sessions") {
		t.Errorf("metrics are public: %d", status)
	}
	if status, body := get(config.URL + "/.well-known/jwks.json"); status != http.StatusOK || !strings.Contains(body, `"kid"`) {
		t.Errorf("keys: %d %s", status, body)
	}
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if _, err := http.Get(config.URL + "/readyz"); err == nil {
		t.Error("it still answers")
	}
}

// A stream would keep a server from stopping for ever; it must end when the server wants to, and the data be closed.
func TestServeStopsWithOpenStreams(t *testing.T) {
	config := serving(t, "")
	stop := runServe(t, config)
	request, err := http.NewRequest(http.MethodGet, config.URL+"/revocations", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := answer.Body.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopping took %v", took)
	}
}

// A caller that sends its headers, and then its body drop by drop, loses the connection; so does one that never sends.
func TestServeLimitsSlowCallers(t *testing.T) {
	t.Parallel() // it waits for 15 s
	config := serving(t, "")
	runServe(t, config)
	for name, text := range map[string]string{
		"headers": "POST /session HTTP/1.1\r\nHost: x\r\n",
		"body":    "POST /session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", config.Listen)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, text); err != nil {
				t.Fatal(err)
			}
			if err := conn.SetReadDeadline(time.Now().Add(listen.BodyLimit + 10*time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(conn); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the connection is still open")
			}
		})
	}
}

// What was in force is in the audit: the configuration's hash, once a start.
func TestServeRecordsItsConfiguration(t *testing.T) {
	config := serving(t, "")
	for range 2 {
		if err := runServe(t, config)(); err != nil {
			t.Fatal(err)
		}
	}
	st, err := openStore(t.Context(), &config, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	records, err := st.Records(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	hashes := []string{}
	for _, record := range records {
		if record.Action == audit.ConfigLoaded {
			hashes = append(hashes, record.Details["sha256"])
		}
	}
	if len(hashes) != 2 || hashes[0] != hashes[1] || hashes[0] != fmt.Sprintf("%x", config.Hash()) {
		t.Errorf("got %v, want twice %x", hashes, config.Hash())
	}
}

// A port that is taken is said at once, before the database is touched.
func TestServeOnATakenPort(t *testing.T) {
	config := serving(t, "")
	taken, err := net.Listen("tcp", config.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	err = serve(t.Context(), config, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "listen on "+config.Listen) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(config.Path("munjigi.db")); err == nil {
		t.Error("there is a database")
	}
}

// The log is JSON or text, with a level.
func TestLogFlag(t *testing.T) {
	var out bytes.Buffer
	surroundings := &terminal{Err: &out}
	logFlag{Log: "json", LogLevel: slog.LevelWarn}.logger(surroundings).Info("hidden")
	logFlag{Log: "json", LogLevel: slog.LevelWarn}.logger(surroundings).Warn("seen")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line["msg"] != "seen" {
		t.Errorf("got %s, %v", &out, err)
	}
	out.Reset()
	logFlag{Log: "text"}.logger(surroundings).Info("seen")
	if !strings.Contains(out.String(), "msg=seen") {
		t.Errorf("got %s", &out)
	}
}
