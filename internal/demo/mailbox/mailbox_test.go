package mailbox

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/mail"
)

const link = "http://localhost:8080/sign-in/members/password#mjl_x"

// opened is a mailbox that takes letters, and a sender to it.
func opened(t *testing.T) (*Mailbox, *mail.Sender) {
	t.Helper()
	m := New(slog.New(slog.DiscardHandler))
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Serve(ctx, socket) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	sender, err := mail.NewSender(mail.Config{SMTP: socket.Addr().String(), TLS: mail.None, From: netmail.Address{Name: "동대문", Address: "a@example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	return m, sender
}

func send(t *testing.T, s *mail.Sender, name string) {
	t.Helper()
	err := s.Send(t.Context(), mail.Letter{
		Kind: mail.Forgotten, Language: "ko", To: "kim@example.com", Name: name, Login: "kim", Link: link, Life: 30 * time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, page http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept-Language", "ko-KR,ko;q=0.9")
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d", path, w.Code)
	}
	return w
}

// What Munjigi sends can be read and followed on the page, and read by programs.
func TestLettersAreShown(t *testing.T) {
	m, sender := opened(t)
	page, err := NewPage(m)
	if err != nil {
		t.Fatal(err)
	}
	if body := get(t, page, "/demo/mail").Body.String(); !strings.Contains(body, "아직 온 메일이 없습니다") {
		t.Errorf("an empty mailbox:\n%s", body)
	}
	send(t, sender, "<script>김")
	body := get(t, page, "/demo/mail").Body.String()
	for _, want := range []string{"동대문 새 비밀번호 설정", "kim@example.com", `<a href="` + link + `">`, "&lt;script&gt;김님", `lang="ko"`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in:\n%s", want, body)
		}
	}
	var answer struct{ Letters []Letter }
	if err := json.Unmarshal(get(t, page, "/demo/mail.json").Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	if got := answer.Letters; len(got) != 1 || got[0].To != "kim@example.com" || !strings.Contains(got[0].Text, "\n"+link+"\n") {
		t.Errorf("got %+v", got)
	}
}

// The newest letters are kept, the newest first.
func TestNewestAreKept(t *testing.T) {
	m := New(slog.New(slog.DiscardHandler))
	for i := range keep + 5 {
		m.add(Letter{Subject: strings.Repeat("x", i)})
	}
	if got := m.Letters(); len(got) != keep || len(got[0].Subject) != keep+4 || len(got[keep-1].Subject) != 5 {
		t.Errorf("%d letters, the first is number %d", len(got), len(got[0].Subject))
	}
}

// Letters that are none are refused, and harm nobody.
func TestNoLetters(t *testing.T) {
	for _, raw := range []string{"", "no letter", "Subject: x\r\nContent-Type: text/html\r\n\r\nx", "Subject: =?x?\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a--\r\n"} {
		if l, err := read([]byte(raw)); err == nil {
			t.Errorf("%q: got %+v", raw, l)
		}
	}
}
