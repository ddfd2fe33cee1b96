package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/config"
	"github.com/munjigi/munjigi/internal/mail"
)

type mailCommand struct {
	Test mailTestCommand `cmd:"" help:"Send a letter, to see whether mail works."`
}

type mailTestCommand struct {
	configFlag
	Address  string `arg:"" help:"Whom to send it to."`
	Language string `enum:"ko,en" default:"en" help:"Of the letter: ko or en (${default})."`
}

func (mailTestCommand) Help() string {
	return `Sends a short letter as the configuration says, at once and once, and tells what the mail server answered. Whether the
letter then arrives, only its recipient can see: look into the folder for spam as well.

Example:

    munjigi mail test me@example.com`
}

func (c mailTestCommand) Run(ctx context.Context, t *terminal) error {
	config, err := c.load()
	if err != nil {
		return err
	}
	if config.Mail == nil {
		return usageError{fmt.Errorf("%s has no mail: add mail: {smtp: HOST:PORT, from: no-reply@example.com}", c.Config)}
	}
	if !account.IsEmail(c.Address) {
		return usageError{fmt.Errorf("%q is no e-mail address", c.Address)}
	}
	sender, err := newSender(&config)
	if err != nil {
		return err
	}
	err = sender.Send(ctx, mail.Letter{Kind: mail.Test, Language: c.Language, To: c.Address})
	if failure, ok := errors.AsType[*mail.Failure](err); ok {
		return fmt.Errorf("not sent by %s (%s): %s", config.Mail.SMTP, config.Mail.TLS, failure.Detail())
	}
	if err == nil {
		t.printf("%s has taken the letter to %s\n", config.Mail.SMTP, c.Address)
	}
	return err
}

// newSender is the way to the configured mail server. It does not connect.
func newSender(c *config.Config) (*mail.Sender, error) {
	var password string
	if m := c.Mail; m.User != "" {
		var err error
		if password, err = config.ReadSecret(c.Path(m.PasswordFile)); err != nil {
			return nil, usageError{fmt.Errorf("password of mail.user: %w", err)}
		}
	}
	return mail.NewSender(mail.Config{
		SMTP: c.Mail.SMTP, TLS: c.Mail.TLS, User: c.Mail.User, Password: mail.Secret(password), From: c.Mail.Sender(), Host: account.Host(c.URL),
	})
}
