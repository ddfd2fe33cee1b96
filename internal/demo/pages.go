package demo

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

//go:embed web
var web embed.FS

// pagePolicy is the Content-Security-Policy of our pages. connect lists other origins that a page calls.
func pagePolicy(connect ...string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src " +
		strings.Join(append([]string{"'self'"}, connect...), " ") +
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// asset serves one embedded file.
func asset(file string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache") // the demo is rebuilt more often than a cache would notice
		http.ServeFileFS(w, r, web, file)
	}
}

// texts are a page's sentences in one language; a template asks for them by key.
type texts map[string]string

// pageTexts reads the sentences of both languages.
func pageTexts(file string) (map[string]texts, error) {
	data, err := web.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read texts: %w", err)
	}
	var all map[string]texts
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("read texts %s: %w", file, err)
	}
	return all, nil
}

// language of a person: what the address asks for, else the first of the browser's that we speak, else English.
func language(r *http.Request) string {
	wanted := r.URL.Query().Get("lang") + "," + r.URL.Query().Get("ui_locales") + "," + r.Header.Get("Accept-Language")
	for _, tag := range strings.FieldsFunc(wanted, func(c rune) bool { return c == ',' || c == ' ' }) {
		switch base, _, _ := strings.Cut(tag, ";"); strings.ToLower(strings.Split(base, "-")[0]) {
		case "ko":
			return "ko"
		case "en":
			return "en"
		}
	}
	return "en"
}

// providerPage is what the provider's templates draw.
type providerPage struct {
	Lang, Other string // the language, and where the page is found in the other one
	T           texts
	Faults      []faultButton
	People      []listed
	Links       map[string]string // e-mail → where picking the person leads
}

type faultButton struct {
	Mode    string
	Present bool
}

// home is the page with the buttons.
func (p *Provider) home(w http.ResponseWriter, r *http.Request) {
	page := providerPage{People: p.everybody()}
	present := p.mode()
	for _, mode := range faultModes() {
		page.Faults = append(page.Faults, faultButton{mode, mode == present})
	}
	p.draw(w, r, "home.html", page)
}

// pick shows everybody who may sign in. Each is a link to the same request with a login_hint, so nothing is kept.
func (p *Provider) pick(w http.ResponseWriter, r *http.Request) {
	page := providerPage{People: p.everybody(), Links: map[string]string{}}
	for _, person := range page.People {
		page.Links[person.Email] = "/authorize?" + with(r.Form, "login_hint", person.Email)
	}
	p.draw(w, r, "pick.html", page)
}

// refusePage tells a person that the request is not one that can be answered.
func (p *Provider) refusePage(w http.ResponseWriter, r *http.Request, status int) {
	p.drawStatus(w, r, status, "refuse.html", providerPage{})
}

func (p *Provider) draw(w http.ResponseWriter, r *http.Request, name string, page providerPage) {
	p.drawStatus(w, r, http.StatusOK, name, page)
}

func (p *Provider) drawStatus(w http.ResponseWriter, r *http.Request, status int, name string, page providerPage) {
	page.Lang = language(r)
	page.T = p.texts[page.Lang]
	page.Other = r.URL.Path + "?" + with(r.URL.Query(), "lang", map[string]string{"ko": "en", "en": "ko"}[page.Lang])
	var body bytes.Buffer
	if err := p.pages.ExecuteTemplate(&body, name, page); err != nil {
		p.serverError(w, err)
		return
	}
	w.Header().Set("Content-Security-Policy", pagePolicy())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	body.WriteTo(w)
}

func (p *Provider) loadPages() (err error) {
	if p.texts, err = pageTexts("web/provider/texts.json"); err != nil {
		return err
	}
	if p.pages, err = template.ParseFS(web, "web/provider/*.html"); err != nil {
		return fmt.Errorf("read provider pages: %w", err)
	}
	return nil
}

// with is a query in which one value is replaced.
func with(query url.Values, name, value string) string {
	next := url.Values{}
	for key, values := range query {
		next[key] = values
	}
	next.Set(name, value)
	return next.Encode()
}
