package fetch

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		switch r.URL.Path {
		case "/good":
			_, _ = w.Write([]byte(r.Header.Get("X-Key") + "|" + r.Header.Get("Accept")))
		case "/moved":
			http.Redirect(w, r, "/good", http.StatusFound)
		case "/large":
			_, _ = w.Write([]byte(strings.Repeat("x", 2000)))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "document")
	if err := os.WriteFile(file, []byte(strings.Repeat("y", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		where   string
		headers []string
		want    string // the beginning of the text
		err     string // a part of the error
	}{
		"an address":      {server.URL + "/good", []string{"X-Key: secret"}, "secret|application/json", ""},
		"a redirect":      {server.URL + "/moved", nil, "", `answers 302 and leads to "/good"`},
		"not found":       {server.URL + "/none", nil, "", "answers 404"},
		"too large":       {server.URL + "/large", nil, "", "more than 1000 bytes"},
		"a wrong header":  {server.URL + "/good", []string{"secret"}, "", `"Name: value"`},
		"a split header":  {server.URL + "/good", []string{"A: b\r\nC: d"}, "", `"Name: value"`},
		"no address":      {"http://%zz/", nil, "", "is no address"},
		"nobody there":    {"http://127.0.0.1:1/", nil, "", "does not answer"},
		"a file":          {file, nil, "yyy", ""},
		"no file":         {file + "x", nil, "", "no such file"},
		"a folder":        {filepath.Dir(file), nil, "", "is a directory"},
		"another address": {"ftp://x/", nil, "", "no such file"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			text, err := Read(t.Context(), test.where, test.headers, 1000)
			if (err == nil) != (test.err == "") || (err != nil && !strings.Contains(err.Error(), test.err)) {
				t.Fatalf("got error %v, want %q", err, test.err)
			}
			if !strings.HasPrefix(string(text), test.want) {
				t.Errorf("got %.40q, want %q", text, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error holds the secret: %v", err)
			}
		})
	}
	if asked != 4 {
		t.Errorf("got %d requests, want 4: a redirect was followed", asked)
	}
}
