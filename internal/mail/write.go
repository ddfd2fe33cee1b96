package mail

import (
	"bytes"
	"crypto/rand"
	"embed"
	"fmt"
	htmltemplate "html/template"
	netmail "net/mail"
	"strings"
	"text/template"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"
)

//go:embed texts
var texts embed.FS

// Written is a letter as people read it.
type Written struct{ Subject, Text, HTML string }

// write makes the message. Recipients and names go through net/mail's types, which encode whatever is no plain word
// (RFC 2047): a name cannot end its header.
func (s *Sender) write(l Letter) (*gomail.Msg, error) {
	to, err := netmail.ParseAddress(l.To)
	if err != nil || to.Address != l.To {
		return nil, fmt.Errorf("not an e-mail address: %q", l.To)
	}
	to.Name = clean(l.Name)
	written, err := Write(l, s.site)
	if err != nil {
		return nil, err
	}
	message := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	message.FromMailAddress(&netmail.Address{Name: clean(s.From.Name), Address: s.From.Address})
	message.AddToMailAddress(to)
	message.Subject(written.Subject)
	message.SetDate()
	message.SetMessageIDWithValue(rand.Text() + "@" + s.Host)
	// No machine answers these (RFC 3834 §5), and mail that was asked for is no bulk.
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	message.SetGenHeader("X-Auto-Response-Suppress", "All")
	message.SetGenHeader("Content-Language", language(l))
	message.SetBodyString(gomail.TypeTextPlain, written.Text)
	message.AddAlternativeString(gomail.TypeTextHTML, written.HTML)
	return message, nil
}

// paragraph of a letter: a text, or the link that stands alone.
type paragraph struct {
	Text string
	Link bool
}

// Write fills in the template of a letter; site is what the sender is called. The first line of a template is the
// subject. The HTML has the same paragraphs, no pictures and nothing that is fetched: who opens it is seen by nobody.
func Write(l Letter, site string) (Written, error) {
	name := fmt.Sprintf("texts/%s.%s.txt", l.Kind, language(l))
	plain, err := template.ParseFS(texts, name)
	if err != nil {
		return Written{}, fmt.Errorf("template of letter: %w", err)
	}
	var text bytes.Buffer
	err = plain.Execute(&text, map[string]string{
		"Site": site, "Name": clean(l.Name), "Login": clean(l.Login), "Link": l.Link,
		"Life": life(l), "When": l.When.UTC().Format("2006-01-02 15:04"),
	})
	if err != nil {
		return Written{}, fmt.Errorf("write letter: %w", err)
	}
	subject, body, _ := strings.Cut(strings.TrimSpace(text.String()), "\n\n")
	html, err := writeHTML(l, subject, body)
	return Written{Subject: subject, Text: body + "\n", HTML: html}, err
}

func writeHTML(l Letter, subject, body string) (string, error) {
	page, err := htmltemplate.ParseFS(texts, "texts/letter.html")
	if err != nil {
		return "", fmt.Errorf("template of letter: %w", err)
	}
	var paragraphs []paragraph
	for text := range strings.SplitSeq(body, "\n\n") {
		paragraphs = append(paragraphs, paragraph{text, l.Link != "" && text == l.Link})
	}
	var html bytes.Buffer
	err = page.Execute(&html, map[string]any{"Language": language(l), "Subject": subject, "Paragraphs": paragraphs})
	if err != nil {
		return "", fmt.Errorf("write letter: %w", err)
	}
	return html.String(), nil
}

func language(l Letter) string {
	if l.Language == "ko" {
		return "ko"
	}
	return "en"
}

// life says for how long the link works, in hours where they are whole.
func life(l Letter) string {
	n, unit := int(l.Life/time.Minute), "minute"
	if n >= 120 && n%60 == 0 {
		n, unit = n/60, "hour"
	}
	if language(l) == "ko" {
		return fmt.Sprintf("%d%s", n, map[string]string{"minute": "분", "hour": "시간"}[unit])
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// clean takes away what could end a line or a header, or write backwards, and shortens what nobody is called.
func clean(text string) string {
	const longest = 100
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + "…"
	}
	return text
}
