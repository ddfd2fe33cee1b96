package mail

import (
	"strings"
	"testing"
	"time"
)

// Every letter exists in both languages, says what is asked of it, and leaves nothing unfilled.
func TestLetters(t *testing.T) {
	for _, lang := range []string{"ko", "en"} {
		for kind, needs := range map[Kind][]string{
			Forgotten: {"시장", "kim", "LINK", "30"}, SignUp: {"시장", "LINK", "30"}, Known: {"시장", "kim", "LINK", "30"},
			Changed: {"시장", "kim", "2026-11-25 12:00"}, Test: nil,
		} {
			l := Letter{
				Kind: kind, Language: lang, To: "kim@example.com", Name: "Kim <b>", Login: "kim", Life: 30 * time.Minute,
				When: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC),
			}
			if kind == Forgotten || kind == SignUp || kind == Known {
				l.Link = "https://example.com/#LINK"
			}
			w, err := Write(l, "시장")
			if err != nil {
				t.Fatal(err)
			}
			for _, need := range needs {
				if !strings.Contains(w.Text, need) {
					t.Errorf("%s %s: nothing of %s in:\n%s", kind, lang, need, w.Text)
				}
			}
			if !strings.Contains(w.Subject, "시장") || strings.ContainsAny(w.Subject, "\n<{") || strings.Contains(w.Text, "<no value>") {
				t.Errorf("%s %s: %q:\n%s", kind, lang, w.Subject, w.Text)
			}
			if strings.Contains(w.HTML, "<b>") || strings.Count(w.HTML, "<p>") != strings.Count(w.Text, "\n\n")+1 {
				t.Errorf("%s %s: HTML:\n%s", kind, lang, w.HTML)
			}
			if strings.Contains(w.HTML, "<a ") != (l.Link != "") {
				t.Errorf("%s %s: links:\n%s", kind, lang, w.HTML)
			}
		}
	}
}

// What a stranger typed does not arrive under our name: a letter to who has not proved their address has no name in it.
func TestStrangersAreNotQuoted(t *testing.T) {
	for _, lang := range []string{"ko", "en"} {
		w, err := Write(Letter{Kind: SignUp, Language: lang, Name: "You won", Login: "You won", Link: "x"}, "site")
		if err != nil || strings.Contains(w.Text+w.HTML+w.Subject, "You won") {
			t.Errorf("%v:\n%s", err, w.Text)
		}
	}
}

func TestLife(t *testing.T) {
	for d, want := range map[time.Duration][2]string{
		time.Minute: {"1분", "1 minute"}, 30 * time.Minute: {"30분", "30 minutes"}, time.Hour: {"60분", "60 minutes"},
		24 * time.Hour: {"24시간", "24 hours"}, 150 * time.Minute: {"150분", "150 minutes"},
	} {
		if got := [2]string{life(Letter{Life: d, Language: "ko"}), life(Letter{Life: d})}; got != want {
			t.Errorf("%v: got %v", d, got)
		}
	}
}
