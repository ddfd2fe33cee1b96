package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	netmail "net/mail"
	"net/netip"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// The ways to be private from the mail server's neighbours.
const (
	StartTLS = "starttls" // begins in the clear, and goes on only when the server can switch to TLS
	Implicit = "tls"      // TLS from the first byte
	None     = "none"     // in the clear; on this machine alone
)

// Secret is a password that prints as nothing.
type Secret string

const redacted = "[redacted]"

// String implements fmt.Stringer.
func (Secret) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (Secret) GoString() string { return redacted }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// Config is a mail server, and us as its client. SMTP and From are required.
type Config struct {
	SMTP     string // HOST:PORT
	TLS      string // one of the constants above; empty = StartTLS
	User     string // empty: the server asks for no password
	Password Secret
	From     netmail.Address // its name is what the letters call the site; else Host is
	Host     string          // what we call ourselves to the server, and where message ids are from; default localhost
	Roots    *x509.CertPool  // who may vouch for the server; nil: whom the system trusts
	Timeout  time.Duration   // of one attempt, from connecting to the server's yes; default 30 s
}

// Sender sends letters, each in a connection of its own. It is safe for concurrent use.
type Sender struct {
	Config
	host string // of SMTP
	port int
	site string
}

// NewSender checks the configuration. It does not connect.
func NewSender(c Config) (*Sender, error) {
	host, text, err := net.SplitHostPort(c.SMTP)
	port, portErr := strconv.ParseUint(text, 10, 16)
	if err != nil || portErr != nil || host == "" || port == 0 {
		return nil, fmt.Errorf("mail: smtp %q: want HOST:PORT", c.SMTP)
	}
	switch c.TLS {
	case "":
		c.TLS = StartTLS
	case StartTLS, Implicit:
	case None:
		if !loopback(host) {
			return nil, errors.New("mail: without TLS letters go to a server on this machine alone")
		}
	default:
		return nil, fmt.Errorf("mail: tls %q: want %s, %s or %s", c.TLS, StartTLS, Implicit, None)
	}
	if c.From.Address == "" {
		return nil, errors.New("mail: from is required")
	}
	if c.Host == "" {
		c.Host = "localhost"
	}
	if c.Timeout <= 0 {
		c.Timeout = 30 * time.Second
	}
	site := clean(c.From.Name)
	if site == "" {
		site = c.Host
	}
	return &Sender{Config: c, host: host, port: int(port), site: site}, nil
}

// loopback tells whether a host is this machine.
func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && address.IsLoopback()
}

// Send hands a letter to the mail server, and returns when that has taken it. Its errors are *Failure. A letter whose
// yes got lost is not sent: the caller tries again, and the person may get it twice.
func (s *Sender) Send(ctx context.Context, l Letter) error {
	message, err := s.write(l)
	if err != nil {
		return &Failure{Stage: "write", Permanent: true, err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	line := &line{sender: s}
	client, err := s.client(line)
	if err != nil {
		return &Failure{Stage: "prepare", Permanent: true, err: err}
	}
	defer line.close()
	stop := context.AfterFunc(ctx, line.close) // a server that says nothing is left all the same
	defer stop()
	conversation, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return connectFailure(ctx, err)
	}
	err = client.SendWithSMTPClient(conversation, message)
	if message.IsDelivered() {
		_ = client.CloseWithSMTPClient(conversation) // the server has the letter; how it says goodbye does not matter
		return nil
	}
	return sendFailure(ctx, err)
}

// client is go-mail's for one letter.
func (s *Sender) client(l *line) (*gomail.Client, error) {
	options := []gomail.Option{
		gomail.WithPort(s.port), gomail.WithTimeout(s.Timeout), gomail.WithHELO(heloName(s.Host)),
		gomail.WithTLSConfig(s.tls()), gomail.WithDialContextFunc(l.dial), gomail.WithoutNoop(),
	}
	switch s.TLS {
	case StartTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case Implicit:
		options = append(options, gomail.WithSSL())
	case None:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if s.User != "" {
		options = append(options, gomail.WithOpportunisticSMTPAuth(s.mechanisms()...), gomail.WithUsername(s.User), gomail.WithPassword(string(s.Password)))
	}
	return gomail.NewClient(s.host, options...)
}

// mechanisms are the ways to prove the password, the best first. The line is private already, except on this machine.
func (s *Sender) mechanisms() []gomail.SMTPAuthType {
	if s.TLS == None {
		return []gomail.SMTPAuthType{gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc}
	}
	return []gomail.SMTPAuthType{
		gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthCramMD5, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin,
	}
}

func (s *Sender) tls() *tls.Config {
	return &tls.Config{ServerName: s.host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
}

// heloName is a host as EHLO takes it (RFC 5321 §4.1.3): addresses in brackets.
func heloName(host string) string {
	address, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return host
	case address.Is6():
		return "[IPv6:" + host + "]"
	}
	return "[" + host + "]"
}
