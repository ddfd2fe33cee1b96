package server

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/server/front"
	"github.com/munjigi/munjigi/internal/signin"
)

// pageFiles is the page that must work without the console's script: a person's way into a sign-in from another site,
// and out of one that cannot begin.
//
//go:embed page
var pageFiles embed.FS

type pageText struct {
	Language, Title, Detail, Link, LinkText, Small string
}

func (s *Server) show(w *response, status int, text pageText) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := s.page.Execute(w, text); err != nil && w.err == nil {
		w.err = err
	}
}

// showProblem is a problem for a person's eyes.
func (s *Server) showProblem(w *response, r *http.Request, p fault.Problem) {
	text := pageText{Language: language(r), Title: p.Title, Detail: p.Detail, Link: "/sign-in", LinkText: "Sign in", Small: string(p.Code) + " · " + p.Request}
	if text.Language == "ko" {
		text.LinkText = "로그인"
	}
	for _, field := range p.Errors {
		text.Detail = strings.TrimSpace(text.Detail + " " + field.Pointer + ": " + field.Detail)
	}
	s.show(w, p.Status, text)
}

// showButton has the person press a button where another site only linked. It is a link and no form: a form's redirect
// to the provider would be stopped by our own form-action.
func (s *Server) showButton(w *response, r *http.Request, wish signin.Request) error {
	query := url.Values{"app": {wish.App}, "return_to": {wish.ReturnTo}, "login_hint": {wish.LoginHint}}
	link := "/sign-in/" + url.PathEscape(wish.Realm) + "?" + query.Encode()
	w.Header().Add("Vary", "Accept-Language, Sec-Fetch-Site")
	_, host, _ := strings.Cut(s.homes.Own(r), "://")
	text := pageText{Language: language(r), Title: "Sign in to " + host, LinkText: "Go on", Link: link, Detail: "You come from another site."}
	if text.Language == "ko" {
		text.Title, text.LinkText, text.Detail = host+" 로그인", "계속", "다른 사이트에서 왔습니다."
	}
	s.show(w, http.StatusOK, text)
	return nil
}

func (s *Server) stylesheet(w *response, r *http.Request) error {
	w.Header().Set("Cache-Control", "public, max-age=3600")
	return sendFile(w, r, pageFiles, "page/munjigi.css")
}

// asset serves the console's files whose names bear a hash of their content.
func (s *Server) asset(w *response, r *http.Request) error {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if !strings.HasPrefix(name, "assets/") || !s.isFile(name) {
		return fault.New(fault.NotFound, "")
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	return sendFile(w, r, s.Pages, name)
}

// sendFile answers with one file. (http.ServeFileFS would also redirect, and make errors of its own.)
func sendFile(w *response, r *http.Request, files fs.FS, name string) error {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
	return nil
}

func (s *Server) isFile(name string) bool {
	if s.Pages == nil || !fs.ValidPath(name) {
		return false
	}
	info, err := fs.Stat(s.Pages, name)
	return err == nil && info.Mode().IsRegular()
}

// notPages are where calls go: an unknown one among them is a problem, never the console's index.
var notPages = []string{"/admin/", "/session/", "/sessions/", "/account/password/", "/services/", "/.well-known/", "/revocations/", "/healthz/", "/readyz/", "/assets/"}

// console is every other path: a file of the console, or its index, as the console itself knows what the path means.
func (s *Server) console(w *response, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return fault.New(fault.NotFound, "")
	}
	for _, prefix := range notPages {
		if strings.HasPrefix(r.URL.Path+"/", prefix) {
			return fault.New(fault.NotFound, "")
		}
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if name != "index.html" && s.isFile(name) {
		return sendFile(w, r, s.Pages, name)
	}
	if accept := r.Header.Get("Accept"); strings.Contains(accept, "json") && !strings.Contains(accept, "text/html") {
		return fault.New(fault.NotFound, "")
	}
	return s.index(w, r)
}

func (s *Server) index(w *response, r *http.Request) error {
	if s.Pages == nil {
		return fault.New(fault.NotFound, "the console has not been built")
	}
	index, err := fs.ReadFile(s.Pages, "index.html")
	if errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.NotFound, "the console has not been built")
	}
	if err != nil {
		return fmt.Errorf("read index: %w", err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(front.Fill(index, r.URL.Path, s.Apps)) // of an error nobody is left to be told
	return nil
}
