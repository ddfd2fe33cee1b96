package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/config"
	"github.com/munjigi/munjigi/internal/keys"
)

type initCommand struct {
	Config           string `short:"c" default:"munjigi.yaml" placeholder:"FILE" help:"The configuration file to write (${default}); the other files go beside it."`
	URL              string `name:"url" placeholder:"URL" help:"The address that people will use."`
	Provider         string `placeholder:"URL" help:"The OpenID Connect provider's issuer, or google."`
	ClientID         string `name:"client-id" placeholder:"ID" help:"What the provider calls this program."`
	ClientSecretFile string `placeholder:"FILE" help:"A file to copy the client secret from; - for standard input."`
	Domain           string `placeholder:"DOMAIN" help:"The company's domain: all others are refused."`
	Admin            string `placeholder:"EMAIL" help:"The first administrator."`
}

func (initCommand) Help() string {
	return `Asks for what is not given by a flag, and writes three files, none of which may be there already: the configuration,
with comments, the provider's client secret, and the seal key, which encrypts what the database keeps. An existing seal
key is kept. Make a copy of the seal key, and keep it apart from those of the database.

Example, without questions:

    munjigi init --url https://office.example.com --provider google --client-id 123.apps.googleusercontent.com \
      --client-secret-file - --domain example.com --admin boss@example.com < secret.txt`
}

func (c initCommand) Run(t *terminal) error {
	if _, err := os.Lstat(c.Config); err == nil {
		return usageError{fmt.Errorf("%s is there already, and init overwrites nothing", c.Config)}
	}
	a, err := c.answers(t)
	if err != nil {
		return err
	}
	written, err := c.write(a)
	if err != nil {
		return err
	}
	t.printf("wrote %s\n\n", strings.Join(written, ", "))
	t.printf("At the provider, allow this redirect URI:  %s\n", a.RedirectURL)
	t.printf("Keep a copy of %s, apart from copies of the database: without it the database cannot be read.\n\n", filepath.Join(filepath.Dir(c.Config), a.KeyFile))
	t.printf("Then:  munjigi check --config %[1]s && munjigi serve --config %[1]s\n", c.Config)
	return nil
}

func (c initCommand) answers(t *terminal) (a config.First, err error) {
	a.KeyFile = "munjigi.key"
	if a.URL, err = c.answer(t, c.URL, question{"url", "The address that people will use", "https://office.example.com", func(text string) (string, error) { return account.Origin(text) }}); err != nil {
		return a, err
	}
	if a.Issuer, err = c.answer(t, c.Provider, question{"provider", "The company's OpenID Connect provider: google, or its issuer URL", "google", readProvider}); err != nil {
		return a, err
	}
	a.Google = a.Issuer == config.GoogleIssuer
	a.SecretFile = "provider.secret"
	if a.Google {
		a.SecretFile = "google.secret"
	}
	a.RedirectURL = a.URL + "/sign-in/staff/callback"
	if a.ClientID, err = c.answer(t, c.ClientID, question{"client-id", "Client ID, from the provider (its redirect URI is " + a.RedirectURL + ")", "", notEmpty}); err != nil {
		return a, err
	}
	if a.Secret, err = c.secret(t); err != nil {
		return a, err
	}
	if a.Domain, err = c.answer(t, c.Domain, question{"domain", "The company's domain", "", readDomain}); err != nil {
		return a, err
	}
	a.Admin, err = c.answer(t, c.Admin, question{"admin", "The first administrator's e-mail", "", func(text string) (string, error) {
		return text, matchError(config.RoleMatch(text, &config.OIDC{Domains: []string{a.Domain}}))
	}})
	return a, err
}

type question struct {
	flag, text, otherwise string
	read                  func(string) (string, error)
}

// answer takes a flag's value, or asks until the answer is one.
func (c initCommand) answer(t *terminal, given string, q question) (string, error) {
	if given != "" {
		value, err := q.read(given)
		if err != nil {
			return "", usageError{fmt.Errorf("--%s %q: want %w", q.flag, given, err)}
		}
		return value, nil
	}
	for {
		text, err := t.ask(q.text, q.otherwise)
		if err != nil {
			return "", usageError{fmt.Errorf("--%s is missing, and there was %w", q.flag, err)}
		}
		value, err := q.read(text)
		if err == nil {
			return value, nil
		}
		fmt.Fprintf(t.Err, "Not quite: want %s.\n", err)
	}
}

func (c initCommand) secret(t *terminal) (string, error) {
	if c.ClientSecretFile == "" {
		return c.answer(t, "", question{"client-secret-file", "Client secret, from the provider (it will be seen here)", "", notEmpty})
	}
	var in io.Reader = t.In
	if c.ClientSecretFile != "-" {
		file, err := os.Open(c.ClientSecretFile)
		if err != nil {
			return "", usageError{err}
		}
		defer file.Close()
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, 64<<10))
	if err != nil {
		return "", usageError{fmt.Errorf("read client secret: %w", err)}
	}
	secret, err := notEmpty(strings.TrimSpace(string(text)))
	if err != nil {
		return "", usageError{fmt.Errorf("client secret: want %w", err)}
	}
	return secret, nil
}

func notEmpty(text string) (string, error) {
	if text == "" || strings.ContainsAny(text, "\r\n") {
		return "", errors.New("one line of text")
	}
	return text, nil
}

func readProvider(text string) (string, error) {
	if strings.EqualFold(text, "google") {
		return config.GoogleIssuer, nil
	}
	return text, config.ProviderURL(text)
}

func readDomain(text string) (string, error) {
	text = strings.ToLower(text)
	if !account.IsDomain(text) {
		return "", errors.New("a domain such as example.com")
	}
	return text, nil
}

func matchError(expected string) error {
	if expected == "" {
		return nil
	}
	return errors.New(expected)
}

// write makes the files. When one of them cannot be written, those that were are removed again.
func (c initCommand) write(a config.First) (written []string, err error) {
	defer func() {
		if err != nil {
			for _, path := range written {
				err = errors.Join(err, os.Remove(path))
			}
		}
	}()
	dir := filepath.Dir(c.Config)
	secretFile, keyFile := filepath.Join(dir, a.SecretFile), filepath.Join(dir, a.KeyFile)
	if err := writeNew(secretFile, a.Secret+"\n"); err != nil {
		return written, err
	}
	written = append(written, secretFile)
	switch _, err := keys.CreateSealer(keyFile); {
	case err == nil:
		written = append(written, keyFile)
	case errors.Is(err, fs.ErrExist):
		if _, err := keys.OpenSealer(keyFile); err != nil {
			return written, err
		}
	default:
		return written, err
	}
	text, err := a.Text()
	if err != nil {
		return written, err
	}
	if _, document := config.Read(c.Config, []byte(text)); document.Err() != nil {
		return written, document.Err()
	}
	if err := writeNew(c.Config, text); err != nil {
		return written, err
	}
	return append(written, c.Config), nil
}

// writeNew writes a file that was not there, for its owner alone.
func writeNew(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("init overwrites nothing: %w", err)
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}
