package mail

import (
	"context"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
)

func (o *office) config(way string) Config {
	return Config{
		SMTP: o.address, TLS: way, From: netmail.Address{Name: "동대문 시장", Address: "no-reply@example.com"},
		Host: "login.example.com", Roots: o.roots, Timeout: 10 * time.Second,
	}
}

func sender(t *testing.T, c Config) *Sender {
	t.Helper()
	s, err := NewSender(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func letter() Letter {
	return Letter{
		Kind: Forgotten, Language: "ko", To: "kim@example.com", Name: "김상점", Login: "kim",
		Link: "https://login.example.com/sign-in/members/password#mjl_" + strings.Repeat("x", 43), Life: 30 * time.Minute,
	}
}

// wantFailure sends, wants it refused, and looks for what must not be in a log.
func wantFailure(t *testing.T, s *Sender, stage string, permanent bool) *Failure {
	t.Helper()
	l := letter()
	err := s.Send(t.Context(), l)
	failure, ok := errors.AsType[*Failure](err)
	if !ok || failure.Stage != stage || failure.Permanent != permanent {
		t.Fatalf("got %#v, want a failure to %s, permanent %v", err, stage, permanent)
	}
	for _, secret := range []string{l.To, l.Link, officePassword} {
		if strings.Contains(failure.Error(), secret) {
			t.Errorf("the failure tells %q: %s", secret, failure)
		}
	}
	return failure
}

// Each way to a mail server, with and without a password, over a socket.
func TestSend(t *testing.T) {
	for _, way := range []string{StartTLS, Implicit, None} {
		for _, auth := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, auth %v", way, auth), func(t *testing.T) {
				o := openOffice(t, way, auth)
				c := o.config(way)
				if auth {
					c.User, c.Password = officeUser, officePassword
				}
				if err := sender(t, c).Send(t.Context(), letter()); err != nil {
					t.Fatal(err)
				}
				got := o.arrived()
				if len(got) != 1 || got[0].from != "no-reply@example.com" || got[0].to != "kim@example.com" || got[0].tls != (way != None) {
					t.Errorf("arrived: %+v", got)
				}
				if auth != (o.logins == 1) {
					t.Errorf("%d right passwords", o.logins)
				}
			})
		}
	}
}

// What a mail program shows of a letter.
func TestLetterArrivesWhole(t *testing.T) {
	o := openOffice(t, None, false)
	l := letter()
	if err := sender(t, o.config(None)).Send(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	raw := o.arrived()[0].raw
	for line := range strings.SplitSeq(string(raw), "\r\n") {
		if len(line) > 998 { // RFC 5322 §2.1.1
			t.Errorf("a line of %d bytes", len(line))
		}
		for _, b := range []byte(line) {
			if b > '~' || b < ' ' && b != '\t' {
				t.Fatalf("a line with the byte %#x: %q", b, line)
			}
		}
	}
	got := open(t, raw)
	want := []any{
		"동대문 시장 새 비밀번호 설정", "동대문 시장", "no-reply@example.com", "김상점", "kim@example.com", "auto-generated", "ko",
		[]string{"text/plain", "text/html"}, // the last is what programs prefer (RFC 2046 §5.1.4)
	}
	found := []any{
		got.subject, got.from.Name, got.from.Address, got.to[0].Name, got.to[0].Address, got.header.Get("Auto-Submitted"),
		got.header.Get("Content-Language"), got.kinds,
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Error(diff)
	}
	if date, err := got.header.Date(); err != nil || time.Since(date) > time.Minute {
		t.Errorf("Date: %v, %v", date, err)
	}
	if id := got.header.Get("Message-Id"); !strings.HasPrefix(id, "<") || !strings.HasSuffix(id, "@login.example.com>") {
		t.Errorf("Message-ID: %s", id)
	}
	if text := got.parts["text/plain"]; !strings.Contains(text, "\n"+l.Link+"\n") || !strings.Contains(text, "30분") {
		t.Errorf("no link of its own line in:\n%s", text)
	}
	if html := got.parts["text/html"]; !strings.Contains(html, `<a href="`+l.Link+`"`) {
		t.Errorf("no link in:\n%s", html)
	}
}

// A name, a login or a site cannot add a header, a recipient or a link of its own to a letter.
func TestNothingIsInjected(t *testing.T) {
	evil := "K\u2028\u202e\x1b[2J\x00im\r\nBcc: victim@example.org\r\n\r\nhttps://evil.example.org\n\nhttps://evil.example.org\n\n<a href=https://evil.example.org>"
	for _, kind := range []Kind{Forgotten, SignUp, Known, Changed, Test} {
		o := openOffice(t, None, false)
		c := o.config(None)
		c.From.Name = evil
		l := letter()
		l.Kind, l.Name, l.Login, l.Language = kind, evil, evil, "en"
		if err := sender(t, c).Send(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		got := open(t, o.arrived()[0].raw)
		if got.header.Get("Bcc") != "" || len(got.to) != 1 || got.to[0].Address != l.To {
			t.Errorf("%s: headers %v", kind, got.header)
		}
		if strings.ContainsAny(got.subject+got.to[0].Name+got.from.Name, "\r\n") {
			t.Errorf("%s: a header of several lines: %q", kind, got.subject)
		}
		if all := got.subject + got.to[0].Name + got.from.Name + got.parts["text/plain"] + got.parts["text/html"]; strings.ContainsAny(all, "\u202e\u2028\x1b\x00") {
			t.Errorf("%s: control characters: %q", kind, all)
		}
		if strings.Contains(got.parts["text/plain"], "\nhttps://evil") || strings.Contains(got.parts["text/html"], "<a href=https://evil") ||
			strings.Contains(got.parts["text/html"], `<a href="https://evil`) {
			t.Errorf("%s: a stranger's link in:\n%s", kind, got.parts["text/plain"])
		}
	}
}

// Only one bare address is a recipient.
func TestRecipientIsOneAddress(t *testing.T) {
	o := openOffice(t, None, false)
	s := sender(t, o.config(None))
	for _, to := range []string{"", "kim", "a@example.com, b@example.com", "Kim <kim@example.com>", "kim@example.com\r\nRCPT TO:<b@example.com>", "kim@example.com>"} {
		l := letter()
		l.To = to
		if err := s.Send(t.Context(), l); err == nil {
			t.Errorf("%q: sent", to)
		}
	}
	if got := o.arrived(); len(got) != 0 {
		t.Errorf("arrived: %+v", got)
	}
}

// TLS that is configured is never given up.
func TestNoLetterWithoutTLS(t *testing.T) {
	plain := openOffice(t, None, false)
	wantFailure(t, sender(t, plain.config(StartTLS)), "connect", false) // it cannot switch
	wantFailure(t, sender(t, plain.config(Implicit)), "connect", false)

	private := openOffice(t, StartTLS, true)
	c := private.config(StartTLS)
	c.Roots, c.User, c.Password = nil, officeUser, officePassword
	wantFailure(t, sender(t, c), "connect", false) // nobody vouches for it
	if private.logins != 0 {
		t.Error("the password went to a server that nobody vouches for")
	}
	if got := append(plain.arrived(), private.arrived()...); len(got) != 0 {
		t.Errorf("arrived: %+v", got)
	}
}

func TestConfigIsChecked(t *testing.T) {
	good := Config{SMTP: "mail.example.com:587", From: netmail.Address{Address: "a@example.com"}}
	if _, err := NewSender(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Config){
		"no port":                         func(c *Config) { c.SMTP = "mail.example.com" },
		"port 0":                          func(c *Config) { c.SMTP = "mail.example.com:0" },
		"a TLS that is none":              func(c *Config) { c.TLS = "ssl" },
		"in the clear to another machine": func(c *Config) { c.TLS = None },
		"from nobody":                     func(c *Config) { c.From = netmail.Address{} },
	} {
		c := good
		spoil(&c)
		if _, err := NewSender(c); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
}

// A wrong password may be repaired while letters wait.
func TestWrongPasswordIsNotTheEnd(t *testing.T) {
	o := openOffice(t, StartTLS, true)
	c := o.config(StartTLS)
	c.User, c.Password = officeUser, "wrong"
	if failure := wantFailure(t, sender(t, c), "connect", false); !strings.Contains(failure.Error(), "535") {
		t.Errorf("got %s, want the server's answer", failure)
	}
}

// What the server says of a letter decides whether to try again; what it says of a recipient is told to nobody.
func TestRefused(t *testing.T) {
	says := func(code int) func(*smtp.Conn) error {
		return func(*smtp.Conn) error {
			return &smtp.SMTPError{Code: code, Message: "<kim@example.com> " + letter().Link}
		}
	}
	for name, test := range map[string]struct {
		rcpt, data func(*smtp.Conn) error
		stage      string
		permanent  bool
	}{
		"no such mailbox":   {says(550), nil, "recipient", true},
		"come back later":   {says(451), nil, "recipient", false},
		"content refused":   {nil, says(554), "content", true},
		"the disk is full":  {nil, says(452), "content", false},
		"the line is cut":   {nil, hangUp, "content", false},
		"cut at the person": {hangUp, nil, "recipient", false},
	} {
		t.Run(name, func(t *testing.T) {
			o := openOffice(t, None, false)
			o.rcpt, o.data = test.rcpt, test.data
			wantFailure(t, sender(t, o.config(None)), test.stage, test.permanent)
		})
	}
}

func hangUp(c *smtp.Conn) error { return c.Close() }

// The server has taken the letter and says no more: it is sent, and not sent twice.
func TestGoodbyeDoesNotMatter(t *testing.T) {
	socket := listen(t)
	go func() {
		conn, err := socket.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		script := []string{"220 hello\r\n", "250 localhost\r\n", "250 ok\r\n", "250 ok\r\n", "354 go on\r\n", "250 taken\r\n"}
		buffer := make([]byte, 64<<10)
		seen := ""
		for i, answer := range script {
			if i > 0 {
				for i == 5 && !strings.HasSuffix(seen, "\r\n.\r\n") || i < 5 && !strings.HasSuffix(seen, "\r\n") {
					n, err := conn.Read(buffer)
					if err != nil {
						return
					}
					seen += string(buffer[:n])
				}
			}
			seen = ""
			fmt.Fprint(conn, answer)
		}
	}()
	c := (&office{address: socket.Addr().String()}).config(None)
	if err := sender(t, c).Send(t.Context(), letter()); err != nil {
		t.Errorf("got %v, want a letter that counts as sent", err)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	return socket
}

// A server that says nothing costs an attempt its time and no more, in whatever phase it falls silent.
func TestSilentServer(t *testing.T) {
	silent := listen(t) // accepts, by its backlog, and never greets
	c := (&office{address: silent.Addr().String()}).config(None)
	c.Timeout = 200 * time.Millisecond
	began := time.Now()
	wantFailure(t, sender(t, c), "connect", false)
	c.TLS = Implicit
	wantFailure(t, sender(t, c), "connect", false)

	o := openOffice(t, None, false)
	over := make(chan struct{})
	defer close(over)
	o.data = func(*smtp.Conn) error { <-over; return nil }
	c = o.config(None)
	c.Timeout = 200 * time.Millisecond
	wantFailure(t, sender(t, c), "content", false)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

// The program can stop while a server is silent.
func TestSendEndsWithItsContext(t *testing.T) {
	silent := listen(t)
	c := (&office{address: silent.Addr().String()}).config(None)
	c.Timeout = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	s := sender(t, c)
	go func() { ended <- s.Send(ctx, letter()) }()
	conn, err := silent.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cancel()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("sent")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still waiting")
	}
}

func TestSecretPrintsAsNothing(t *testing.T) {
	c := Config{Password: "hunter2"}
	if text := fmt.Sprintf("%v %+v %#v %s", c, c, c, c.Password); strings.Contains(text, "hunter2") {
		t.Error(text)
	}
}
