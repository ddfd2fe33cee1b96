// Package mailbox is the demo's mail: a mail server on loopback that takes every letter, whoever it is for, and a page
// that shows what came. So everything that needs mail can be tried out without an account anywhere.
//
// It keeps the newest letters in memory, sends nothing on, and shows all of them to everybody on this machine.
package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// keep is how many letters there are at most.
const keep = 100

// Letter is one that came.
type Letter struct {
	To      string    `json:"to"` // the recipient whom the mail server was told
	Subject string    `json:"subject"`
	Text    string    `json:"text"` // the part in plain text
	At      time.Time `json:"at"`
}

// Mailbox holds letters. It is safe for concurrent use.
type Mailbox struct {
	Log *slog.Logger

	mu      sync.Mutex // guards everything below
	letters []Letter   // the newest first
}

// New is an empty one.
func New(log *slog.Logger) *Mailbox { return &Mailbox{Log: log} }

// Letters are those that came, the newest first.
func (m *Mailbox) Letters() []Letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.letters)
}

func (m *Mailbox) add(l Letter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.letters = slices.Insert(m.letters, 0, l)
	m.letters = m.letters[:min(len(m.letters), keep)]
}

// Serve speaks SMTP on a socket until ctx ends, and closes it.
func (m *Mailbox) Serve(ctx context.Context, socket net.Listener) error {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &visit{mailbox: m}, nil }))
	server.Domain, server.MaxMessageBytes, server.MaxRecipients = "localhost", 1<<20, 1
	server.ReadTimeout, server.WriteTimeout = time.Minute, time.Minute
	server.ErrorLog = silence{}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(socket); err != nil && ctx.Err() == nil {
		return fmt.Errorf("serve mailbox: %w", err)
	}
	return nil
}

// silence is a log of nothing: its clients say what went wrong.
type silence struct{}

func (silence) Printf(string, ...any) {}
func (silence) Println(...any)        {}

// visit is one connection.
type visit struct {
	mailbox *Mailbox
	to      string
}

func (*visit) Mail(string, *smtp.MailOptions) error { return nil }

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	v.to = to
	return nil
}

func (v *visit) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	letter, err := read(raw)
	if err != nil {
		v.mailbox.Log.Warn("mailbox: a letter that cannot be read", "err", err)
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "cannot be read"}
	}
	letter.To, letter.At = v.to, time.Now()
	v.mailbox.add(letter)
	return nil
}

func (v *visit) Reset()      { v.to = "" }
func (*visit) Logout() error { return nil }

// read takes out of a letter what the page shows.
func read(raw []byte) (Letter, error) {
	message, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Letter{}, err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	if err != nil {
		return Letter{}, err
	}
	text, err := plain(message.Header.Get("Content-Type"), message.Header.Get("Content-Transfer-Encoding"), message.Body)
	return Letter{Subject: subject, Text: strings.ReplaceAll(text, "\r\n", "\n")}, err
}

// plain is the first part in plain text.
func plain(kind, encoding string, body io.Reader) (string, error) {
	media, parameters, err := mime.ParseMediaType(kind)
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(media, "multipart/") {
		if media != "text/plain" {
			return "", errors.New("no plain text")
		}
		if strings.EqualFold(encoding, "quoted-printable") {
			body = quotedprintable.NewReader(body)
		}
		text, err := io.ReadAll(body)
		return string(text), err
	}
	parts := multipart.NewReader(body, parameters["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			return "", err
		}
		if text, err := plain(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part); err == nil {
			return text, nil
		}
	}
}
