package mailbox

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"strings"
)

//go:embed web
var web embed.FS

const policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// shown is a letter as the page draws it.
type shown struct {
	Letter
	When  string
	Lines []line
}

// line of a letter: an address alone on its line can be followed.
type line struct {
	Text string
	Link bool
}

// NewPage shows the letters at /demo/mail, and the same as JSON at /demo/mail.json for programs.
func NewPage(m *Mailbox) (http.Handler, error) {
	page, err := template.ParseFS(web, "web/mail.html")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /demo/mail", func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		err := page.Execute(&body, map[string]any{"Korean": korean(r), "Letters": show(m.Letters())})
		if err != nil {
			m.Log.Error("mailbox", "err", err)
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = body.WriteTo(w)
	})
	mux.HandleFunc("GET /demo/mail.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"letters": m.Letters()})
	})
	mux.HandleFunc("GET /demo/mail.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, web, "web/mail.css")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("Content-Security-Policy", policy)
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	}), nil
}

func show(letters []Letter) []shown {
	list := []shown{}
	for _, l := range letters {
		one := shown{Letter: l, When: l.At.Format("15:04:05")}
		for text := range strings.SplitSeq(strings.TrimSpace(l.Text), "\n") {
			link := !strings.ContainsAny(text, " \t") && (strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://"))
			one.Lines = append(one.Lines, line{text, link})
		}
		list = append(list, one)
	}
	return list
}

// korean tells whether the browser would rather read Korean than English.
func korean(r *http.Request) bool {
	for tag := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		switch tag = strings.ToLower(strings.TrimSpace(tag)); {
		case strings.HasPrefix(tag, "ko"):
			return true
		case strings.HasPrefix(tag, "en"):
			return false
		}
	}
	return false
}
