package config

import (
	"net"
	netmail "net/mail"
	"slices"
	"strconv"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/strict"
)

// Mail is the mail server that letters to people are handed to.
type Mail struct {
	// SMTP is HOST:PORT of the mail server, such as smtp.example.com:587. Required.
	SMTP string `yaml:"smtp"`
	// User is who we are to the mail server. Default: it asks for nobody.
	User string `yaml:"user"`
	// PasswordFile holds the user's password, and is readable by its owner alone. Required with a user.
	PasswordFile string `yaml:"password_file"`
	// From is the sender that people see: no-reply@example.com, or Example Market <no-reply@example.com>; with a name,
	// that is what letters call the site. Required.
	From string `yaml:"from"`
	// TLS: "starttls" switches to it and goes no further without, "tls" begins with it (port 465), "none" is for a mail
	// server on this machine. Default starttls.
	TLS string `yaml:"tls"`
}

// The ways of Mail.TLS.
var mailTLS = [...]string{"starttls", "tls", "none"}

// Sender is From, read.
func (m *Mail) Sender() netmail.Address {
	from, err := netmail.ParseAddress(m.From)
	if err != nil {
		return netmail.Address{} // refused when it was checked
	}
	return *from
}

func (c checker) mail() {
	if c.Mail == nil {
		return
	}
	m := c.Mail
	if c.required("mail.smtp", m.SMTP, "the mail server, such as smtp.example.com:587") {
		host, port, err := net.SplitHostPort(m.SMTP)
		n, portErr := strconv.ParseUint(port, 10, 16)
		if err != nil || portErr != nil || n == 0 || host == "" {
			c.Add("mail.smtp", strict.Quoted(m.SMTP), "HOST:PORT, such as smtp.example.com:587")
		} else if m.TLS == "none" && !account.Loopback(host) {
			c.Add("mail.tls", `"none"`, "starttls or tls: only to a mail server on this machine do letters go in the clear, and they hold links that set passwords")
		}
	}
	if !slices.Contains(mailTLS[:], m.TLS) && !c.Reported("mail.tls") {
		c.Add("mail.tls", strict.Quoted(m.TLS), strict.OneOf(m.TLS, slices.Clone(mailTLS[:])))
	}
	if c.required("mail.from", m.From, "the sender that people see, such as no-reply@example.com") {
		if from, err := netmail.ParseAddress(m.From); err != nil || !account.IsEmail(from.Address) {
			c.Add("mail.from", strict.Quoted(m.From), "one e-mail address, such as no-reply@example.com or Example Market <no-reply@example.com>")
		}
	}
	c.mailUser(m)
}

func (c checker) mailUser(m *Mail) {
	const key = "mail.password_file"
	switch {
	case m.User == "" && m.PasswordFile != "":
		c.Add(key, strict.Quoted(m.PasswordFile), "mail.user beside it, or neither")
	case m.User != "" && c.required(key, m.PasswordFile, "the path of a file with the password of mail.user"):
		if _, err := ReadSecret(c.Path(m.PasswordFile)); err != nil {
			c.Add(key, strict.Quoted(m.PasswordFile)+": "+err.Error(), "a file with the password of mail.user that only its owner may read")
		}
	}
}
