package config

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const mailConfig = `url: https://office.example.com
mail:
  smtp: smtp.example.com:587
  user: mailer
  password_file: provider.secret
  from: 동대문 시장 <no-reply@example.com>
  tls: starttls
realms:
  staff:
    oidc: {issuer: "https://login.example.com", client_id: x, client_secret_file: provider.secret, domains: [example.com]}
    roles: {admin: [boss@example.com]}
`

func TestMail(t *testing.T) {
	dir := configDir(t)
	config, document := Read(filepath.Join(dir, "munjigi.yaml"), []byte(strings.Replace(mailConfig, "  tls: starttls\n", "", 1)))
	if err := document.Err(); err != nil {
		t.Fatal(err)
	}
	want := &Mail{SMTP: "smtp.example.com:587", User: "mailer", PasswordFile: "provider.secret", From: "동대문 시장 <no-reply@example.com>", TLS: "starttls"}
	if diff := cmp.Diff(want, config.Mail); diff != "" {
		t.Error(diff)
	}
	if from := config.Mail.Sender(); from.Name != "동대문 시장" || from.Address != "no-reply@example.com" {
		t.Errorf("sender %+v", from)
	}
	for _, fine := range [][2]string{
		{"smtp.example.com:587", `"[::1]:25"`},
		{"from: 동대문 시장 <no-reply@example.com>", "from: no-reply@example.com"},
		{"starttls", "tls"},
		{"smtp: smtp.example.com:587\n  user: mailer\n  password_file: provider.secret", "smtp: localhost:25"},
	} {
		if _, document := Read(filepath.Join(dir, "munjigi.yaml"), []byte(strings.Replace(mailConfig, fine[0], fine[1], 1))); document.Err() != nil {
			t.Errorf("%s: %v", fine[1], document.Err())
		}
	}
}

func TestMailProblems(t *testing.T) {
	dir := configDir(t)
	for _, test := range []struct{ name, from, to, want string }{
		{"no server", "  smtp: smtp.example.com:587\n", "", `3:3: mail.smtp: found nothing; expected the mail server, such as smtp.example.com:587`},
		{"no port", "smtp.example.com:587", "smtp.example.com", `3:9: mail.smtp: found "smtp.example.com"; expected HOST:PORT, such as smtp.example.com:587`},
		{"no host", "smtp.example.com:587", `":587"`, `3:9: mail.smtp: found ":587"; expected HOST:PORT, such as smtp.example.com:587`},
		{"in the clear", "tls: starttls", "tls: none", `7:8: mail.tls: found "none"; expected starttls or tls: only to a mail server on this machine do letters go in the clear, and they hold links that set passwords`},
		{"another TLS", "tls: starttls", "tls: startls", `7:8: mail.tls: found "startls"; expected none, starttls, tls (did you mean "starttls"?)`},
		{"from nobody", "  from: 동대문 시장 <no-reply@example.com>\n", "", `3:3: mail.from: found nothing; expected the sender that people see, such as no-reply@example.com`},
		{"from two", "동대문 시장 <no-reply@example.com>", "a@example.com, b@example.com", `6:9: mail.from: found "a@example.com, b@example.com"; expected one e-mail address, such as no-reply@example.com or Example Market <no-reply@example.com>`},
		{"from this machine", "동대문 시장 <no-reply@example.com>", "root@localhost", `6:9: mail.from: found "root@localhost"; expected one e-mail address, such as no-reply@example.com or Example Market <no-reply@example.com>`},
		{"no password", "  password_file: provider.secret\n", "", `3:3: mail.password_file: found nothing; expected the path of a file with the password of mail.user`},
		{"no user", "  user: mailer\n", "", `4:18: mail.password_file: found "provider.secret"; expected mail.user beside it, or neither`},
		{"everybody's password", "password_file: provider.secret", "password_file: world.secret", `5:18: mail.password_file: found "world.secret": its mode is 0644, so everybody on this machine may use it; expected a file with the password of mail.user that only its owner may read`},
		{"a password in the file", "password_file: provider.secret", "password: hunter2", `5:3: mail.password: found an unknown key; expected from, password_file, smtp, tls, user`},
		{"nothing", mailConfig[strings.Index(mailConfig, "mail:"):strings.Index(mailConfig, "realms:")], "mail:\n", `2:6: mail: found nothing; expected indented keys`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, document := Read(filepath.Join(dir, "munjigi.yaml"), []byte(strings.Replace(mailConfig, test.from, test.to, 1)))
			got := reported(document.Err())
			if !slices.Contains(got, test.want) || len(got) > 2 {
				t.Errorf("got %q\nwant %q", got, test.want)
			}
		})
	}
}
