package main

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/munjigi/munjigi/internal/demo/mailbox"
)

// The command sends what the configuration says, and tells what is wrong in words that help.
func TestMailTest(t *testing.T) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := mailbox.New(slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- box.Serve(ctx, socket) }()
	file := filepath.Join(t.TempDir(), "munjigi.yaml")
	try := func(mail string, args ...string) (status int, out string) {
		text := "url: http://localhost:8080\nrealms:\n  staff:\n    oidc: {issuer: \"http://localhost:1\", client_id: x, client_secret_file: munjigi.yaml, domains: [example.com]}\n" +
			"    roles: {admin: [boss@example.com]}\n" + mail
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var written bytes.Buffer
		status = run(t.Context(), append([]string{"mail", "test", "--config", file}, args...), &terminal{Out: &written, Err: &written})
		return status, written.String()
	}
	good := "mail: {smtp: \"" + socket.Addr().String() + "\", from: no-reply@example.com, tls: none}\n"
	if status, out := try(good, "--language", "ko", "kim@example.com"); status != exitDone || !strings.Contains(out, "has taken the letter to kim@example.com") {
		t.Errorf("status %d: %s", status, out)
	}
	if got := box.Letters(); len(got) != 1 || got[0].To != "kim@example.com" || got[0].Subject != "localhost 메일 발송 확인" {
		t.Errorf("arrived: %+v", got)
	}
	for _, wrong := range []struct {
		mail, address string
		status        int
		says          string
	}{
		{"", "kim@example.com", exitUsage, "has no mail"},
		{good, "kim", exitUsage, "no e-mail address"},
		{strings.Replace(good, "tls: none", "tls: starttls", 1), "kim@example.com", exitFailed, "STARTTLS"},
	} {
		if status, out := try(wrong.mail, wrong.address); status != wrong.status || !strings.Contains(out, wrong.says) {
			t.Errorf("%s: status %d: %s", wrong.says, status, out)
		}
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if status, out := try(good, "kim@example.com"); status != exitFailed || !strings.Contains(out, "refused") {
		t.Errorf("nobody there: status %d: %s", status, out)
	}
}
