package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/demo/mailbox"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/keys"
)

// mailConfig is the configuration of a program with members and mail; %s are: url, listen, the mail server, metrics.
const mailConfig = `url: %[1]s
listen: %[2]s
metrics_listen: %[4]s
mail: {smtp: "%[3]s", from: 동대문 시장 <no-reply@example.com>, tls: none}
realms:
  members:
    password: {sign_up: true}
apps:
  shop: {realm: members, origins: ["%[1]s"]}
`

const (
	oldPassword = "purple kettle on the roof"
	newPassword = "eleven quiet bicycles"
)

// posted is a program with a mail server that can be away.
type posted struct {
	*whole
	box           *mailbox.Mailbox
	smtp, metrics string
	stop          func() // the mail server goes away
}

func startPosted(t *testing.T) *posted {
	t.Helper()
	p := &posted{whole: &whole{dir: t.TempDir(), log: new(lines)}, box: mailbox.New(slog.New(slog.DiscardHandler)), smtp: freeAddress(t), metrics: freeAddress(t)}
	listen := freeAddress(t)
	p.url = "http://" + listen
	p.openBox(t)
	p.write(t, "munjigi.yaml", fmt.Sprintf(mailConfig, p.url, listen, p.smtp, p.metrics))
	if _, err := keys.CreateSealer(filepath.Join(p.dir, "munjigi.key")); err != nil {
		t.Fatal(err)
	}
	p.start(t)
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the program's log:\n%s", p.log)
		}
	})
	return p
}

// openBox lets the mail server come back, at the same address.
func (p *posted) openBox(t *testing.T) {
	t.Helper()
	socket, err := net.Listen("tcp", p.smtp)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- p.box.Serve(ctx, socket) }()
	p.stop = func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(cancel)
}

func (p *posted) addShop(t *testing.T) {
	t.Helper()
	p.members(t, oldPassword, "add", "shop-17", "--email", "shop@example.com", "--name", "상점 17", "--password-file", "-")
}

// letter waits for the nth letter.
func (p *posted) letter(t *testing.T, n int) mailbox.Letter {
	t.Helper()
	var letters []mailbox.Letter
	eventually(t, 20*time.Second, func() error {
		if letters = p.box.Letters(); len(letters) < n {
			return fmt.Errorf("%d letters", len(letters))
		}
		return nil
	})
	if len(letters) != n {
		t.Fatalf("%d letters, want %d", len(letters), n)
	}
	return letters[0]
}

// link is the one in a letter.
func (p *posted) link(t *testing.T, l mailbox.Letter) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(p.url+"/sign-in/members/password#")+`(mjl_[A-Za-z0-9_-]{43})$`).FindAllStringSubmatch(l.Text, -1)
	if len(found) != 1 {
		t.Fatalf("no link of ours in:\n%s", l.Text)
	}
	return found[0][1]
}

// post sends JSON and wants a status; it returns the whole answer, but for what differs in each.
func (p *posted) post(t *testing.T, method, path string, body any, status int) string {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(method, p.url+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Origin", p.url)
	request.Header.Set("Accept-Language", "ko-KR,ko;q=0.9,en;q=0.5")
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != status {
		t.Fatalf("%s %s: got %s, %s, %v, want %d", method, path, answer.Status, content, err, status)
	}
	answer.Header.Del("Date")
	answer.Header.Del("Munjigi-Request")
	var header bytes.Buffer
	_ = answer.Header.Write(&header)
	return fmt.Sprintf("%d\n%s%s", answer.StatusCode, &header, content)
}

type pairs map[string]string

func (p *posted) forgotten(t *testing.T, login string) string {
	t.Helper()
	return p.post(t, http.MethodPost, "/sign-in/members/forgotten", pairs{"app": "shop", "login": login}, http.StatusAccepted)
}

func (p *posted) set(t *testing.T, link, password string, status int) string {
	t.Helper()
	return p.post(t, http.MethodPut, "/sign-in/members/password", pairs{"link": link, "password": password}, status)
}

// enters signs a browser in with a password.
func (b *browser) enters(login, password string) error {
	_, err := b.guess(login, password)
	return err
}

// renews tells whether the browser's session still lives.
func (b *browser) renews() error {
	_, err := b.renewShop()
	return err
}

// export is the audit.
func (p *posted) export(t *testing.T) []byte {
	t.Helper()
	text, err := p.command("audit", "export").Output()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Forgotten → letter → link → a new password: the old sessions are revoked, the old password is of no use, the owner is
// told, and the link works once.
func TestWholeForgottenPassword(t *testing.T) {
	t.Parallel()
	p := startPosted(t)
	p.addShop(t)
	b := p.browser()
	if err := b.enters("shop-17", oldPassword); err != nil {
		t.Fatal(err)
	}
	known, unknown := p.forgotten(t, " SHOP-17 "), p.forgotten(t, "nobody")
	if known != unknown {
		t.Errorf("for a login that there is:\n%s\nand for one that there is not:\n%s", known, unknown)
	}
	letter := p.letter(t, 1)
	if letter.To != "shop@example.com" || letter.Subject != "동대문 시장 새 비밀번호 설정" || !strings.Contains(letter.Text, "상점 17님") {
		t.Errorf("letter: %+v", letter)
	}
	link := p.link(t, letter)
	if answer := p.set(t, link, "short", http.StatusUnprocessableEntity); !strings.Contains(answer, `"/password"`) {
		t.Errorf("a weak password: %s", answer)
	}
	if err := b.renews(); err != nil {
		t.Errorf("before the link is used: %v", err)
	}
	p.set(t, link, newPassword, http.StatusNoContent)
	wantCode(t, b.renews(), fault.SessionRevoked)
	wantCode(t, b.enters("shop-17", oldPassword), fault.CredentialsWrong)
	if err := b.enters("shop-17", newPassword); err != nil {
		t.Error(err)
	}
	if told := p.letter(t, 2); told.To != "shop@example.com" || told.Subject != "동대문 시장 비밀번호가 바뀌었습니다" {
		t.Errorf("told: %+v", told)
	}
	if answer := p.set(t, link, newPassword+"!", http.StatusUnauthorized); !strings.Contains(answer, string(fault.SessionUnknown)) {
		t.Errorf("the link a second time: %s", answer)
	}
	p.wantNowhere(t, link)
	p.wantAudit(t, "link_made", "password_changed", "session_ended")
}

// A link that is too old is refused, and so is one of whose account the password has changed since.
func TestWholeOldLinks(t *testing.T) {
	t.Parallel()
	p := startPosted(t)
	p.addShop(t)
	p.forgotten(t, "shop-17")
	first := p.link(t, p.letter(t, 1))
	p.forgotten(t, "shop-17")
	second := p.link(t, p.letter(t, 2))
	p.forgotten(t, "shop-17")
	third := p.link(t, p.letter(t, 3))
	p.forgotten(t, "shop-17") // once too often in a quarter of an hour: no letter

	db, err := sql.Open("sqlite", filepath.Join(p.dir, "munjigi.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`UPDATE links SET until = ?`, time.Now().UnixMicro()); err != nil {
		t.Fatal(err)
	}
	p.set(t, first, newPassword, http.StatusUnauthorized)
	if _, err := db.Exec(`UPDATE links SET until = ?`, time.Now().Add(time.Minute).UnixMicro()); err != nil {
		t.Fatal(err)
	}
	p.set(t, second, newPassword, http.StatusNoContent)
	p.set(t, third, newPassword, http.StatusUnauthorized)
	p.letter(t, 4) // the password was changed; nothing else
	p.wantNowhere(t, first, second, third)
}

// Sign-up → letter → link → account → signed in. Who has an account gets another letter, and the same answer.
func TestWholeSignUp(t *testing.T) {
	t.Parallel()
	p := startPosted(t)
	signUp := func(email string) string {
		return p.post(t, http.MethodPost, "/sign-in/members/sign-up", pairs{"app": "shop", "email": email, "name": "Kim <b>"}, http.StatusAccepted)
	}
	first := signUp("New@Example.com")
	letter := p.letter(t, 1)
	if letter.To != "new@example.com" || letter.Subject != "동대문 시장 가입 마치기" || strings.Contains(letter.Text, "Kim") {
		t.Errorf("letter: %+v", letter)
	}
	b := p.browser()
	wantCode(t, b.enters("new@example.com", newPassword), fault.CredentialsWrong) // there is no account yet
	link := p.link(t, letter)
	p.set(t, link, newPassword, http.StatusNoContent)
	if err := b.enters(" NEW@example.com", newPassword); err != nil {
		t.Fatal(err)
	}
	p.set(t, link, newPassword, http.StatusUnauthorized)

	if again := signUp("new@example.com"); again != first {
		t.Errorf("for a new address:\n%s\nand for one that has an account:\n%s", first, again)
	}
	known := p.letter(t, 2)
	if known.To != "new@example.com" || known.Subject != "동대문 시장에 이미 계정이 있습니다" {
		t.Errorf("letter: %+v", known)
	}
	p.set(t, p.link(t, known), oldPassword, http.StatusNoContent)
	wantCode(t, b.renews(), fault.SessionRevoked)
	p.wantNowhere(t, link, p.link(t, known))
	p.wantAudit(t, "member_added", "link_made", "password_changed")
}

// Nothing that is typed makes a second recipient or a header, and what is no address is told so.
func TestWholeNoHeaderIsInjected(t *testing.T) {
	t.Parallel()
	p := startPosted(t)
	for _, email := range []string{
		"a@example.com\r\nBcc: b@example.com", "a@example.com, b@example.com", "A <a@example.com>", "a@example.com\u2028b", "\"a@b\"@example.com", "a",
	} {
		p.post(t, http.MethodPost, "/sign-in/members/sign-up", pairs{"app": "shop", "email": email}, http.StatusUnprocessableEntity)
	}
	p.post(t, http.MethodPost, "/sign-in/members/sign-up", pairs{"app": "shop", "email": "a@example.com", "name": "A\r\nBcc: b@example.com"}, http.StatusUnprocessableEntity)
	// One that came in by the command line meets the letter's own care.
	p.members(t, oldPassword, "add", "evil", "--email", "evil@example.com", "--name", "A\r\nBcc: b@example.com\r\n\r\nhttps://evil.example.org", "--password-file", "-")
	p.forgotten(t, "evil")
	if letter := p.letter(t, 1); letter.To != "evil@example.com" || strings.Contains(letter.Text, "\nhttps://evil") {
		t.Errorf("letter: %+v", letter)
	}
}

// While the mail server is away nobody waits for it, and the letters arrive when it is back.
func TestWholeMailServerIsAway(t *testing.T) {
	t.Parallel()
	p := startPosted(t)
	p.addShop(t)
	p.stop()
	began := time.Now()
	p.forgotten(t, "shop-17")
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	eventually(t, 10*time.Second, func() error { return p.metric(`munjigi_mail_total{outcome="failed"} `, "0") })
	if err := p.metric("munjigi_mail_queue ", "0"); err != nil {
		t.Error(err)
	}
	p.openBox(t)
	link := p.link(t, p.letter(t, 1))
	p.set(t, link, newPassword, http.StatusNoContent)
	p.letter(t, 2)
	p.wantNowhere(t, link)
}

// metric wants a metric to have another value than this one.
func (p *posted) metric(name, not string) error {
	answer, err := http.Get("http://" + p.metrics + "/metrics")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if value, ok := strings.CutPrefix(line, name); ok && value != not {
			return nil
		}
	}
	return fmt.Errorf("%sis %s, or not there", name, not)
}

// An administrator's link works like the others, for a member without an e-mail address as well.
func TestWholeLinkByHand(t *testing.T) {
	t.Parallel()
	p := startPosted(t)
	p.members(t, oldPassword, "add", "market-stall", "--password-file", "-")
	p.forgotten(t, "market-stall") // nobody to write to
	out := p.members(t, "", "password", "market-stall", "--link")
	link := p.link(t, mailbox.Letter{Text: out})
	p.set(t, link, newPassword, http.StatusNoContent)
	if err := p.browser().enters("market-stall", newPassword); err != nil {
		t.Error(err)
	}
	p.wantNowhere(t, link)
	if n := len(p.box.Letters()); n != 0 {
		t.Errorf("%d letters", n)
	}
}

// Who changes their password is told by mail, in their language.
func TestWholeChangedPasswordIsTold(t *testing.T) {
	t.Parallel()
	p := startPosted(t)
	p.addShop(t)
	b := p.browser()
	if err := b.enters("shop-17", oldPassword); err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"old":%q,"new":%q}`, oldPassword, newPassword)
	if _, err := b.call(http.MethodPut, p.url+"/account/password", body, http.Header{"Munjigi-App": {"shop"}, "Accept-Language": {"ko"}}); err != nil {
		t.Fatal(err)
	}
	if told := p.letter(t, 1); told.To != "shop@example.com" || told.Subject != "동대문 시장 비밀번호가 바뀌었습니다" || !strings.Contains(told.Text, "shop-17") {
		t.Errorf("told: %+v", told)
	}
}

// However much others guess at a login, its owner gets in with a link: the device where it was used is a known one.
func TestWholeALinkGetsPastGuesses(t *testing.T) {
	t.Parallel()
	p := startPosted(t)
	p.addShop(t)
	thief, owner, elsewhere := p.browser(), p.browser(), p.browser()
	for range 12 {
		wantCode(t, thief.enters("shop-17", "not this one either"), fault.CredentialsWrong)
	}
	wantCode(t, owner.enters("shop-17", oldPassword), fault.CredentialsWrong) // too much was guessed
	p.forgotten(t, "shop-17")
	body := fmt.Sprintf(`{"link":%q,"password":%q}`, p.link(t, p.letter(t, 1)), newPassword)
	if _, err := owner.call(http.MethodPut, p.url+"/sign-in/members/password", body, nil); err != nil {
		t.Fatal(err)
	}
	wantCode(t, elsewhere.enters("shop-17", newPassword), fault.CredentialsWrong)
	if err := owner.enters("shop-17", newPassword); err != nil {
		t.Errorf("the owner is locked out: %v", err)
	}
}

// wantNowhere looks for the secrets of links where they must not be: in the log, the audit, and every file of the
// database, as text and as bytes.
func (p *posted) wantNowhere(t *testing.T, links ...string) {
	t.Helper()
	places := map[string][]byte{"the log": []byte(p.log.String()), "the audit": p.export(t)}
	files, err := filepath.Glob(filepath.Join(p.dir, "munjigi.db*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if places[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	for _, link := range links {
		secret := strings.TrimPrefix(link, "mjl_")
		raw, err := base64.RawURLEncoding.DecodeString(secret)
		if err != nil {
			t.Fatal(err)
		}
		for name, content := range places {
			if bytes.Contains(content, []byte(secret)) || bytes.Contains(content, raw) {
				t.Errorf("%s holds the secret of a link", name)
			}
		}
	}
}

// wantAudit wants these actions among those of the audit.
func (p *posted) wantAudit(t *testing.T, actions ...string) {
	t.Helper()
	var found []string
	for line := range strings.Lines(string(p.export(t))) {
		var record struct{ Action string }
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		found = append(found, record.Action)
	}
	for _, action := range actions {
		if !slices.Contains(found, action) {
			t.Errorf("no %s in the audit: %v", action, found)
		}
	}
}
