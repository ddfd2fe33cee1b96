package members

import (
	"embed"
	"io/fs"
	"net/http"
	"time"
)

// The built files of examples/vue-shop. Without `npm run build` there is only a placeholder, and the shop says so.
//
//go:embed all:dist
var dist embed.FS

// The names of the two front ends in Munjigi's configuration.
const (
	Retail    = "shop"
	Wholesale = "wholesale"
)

// ShopConfig is one front end, and where everything else is.
type ShopConfig struct {
	App      string            // its name in Munjigi's configuration
	Origin   string            // its own
	Other    string            // the other front end's
	Munjigi  string            // address
	Services map[string]string // those that its tokens are for, by name
	Policy   string            // the Content-Security-Policy of its pages
}

// shop serves one front end.
type shop struct {
	ShopConfig
	files  fs.FS
	client http.Client
}

// NewShop serves a front end at an origin of its own.
func NewShop(config ShopConfig) http.Handler {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // "dist" is a constant and a valid path
	}
	return newShop(config, files)
}

func newShop(config ShopConfig, files fs.FS) http.Handler {
	s := &shop{ShopConfig: config, files: files, client: http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", s.page)
	mux.HandleFunc("GET /assets/", s.asset)
	mux.HandleFunc("GET /settings.json", s.settings)
	mux.HandleFunc("POST /elsewhere", s.elsewhere)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "same-origin")
		w.Header().Set("Cache-Control", "no-cache") // the demo is rebuilt more often than a cache would notice
		mux.ServeHTTP(w, r)
	})
}

// page answers every path with the one page: which screen it shows is its router's.
func (s *shop) page(w http.ResponseWriter, r *http.Request) {
	if _, err := fs.Stat(s.files, "index.html"); err != nil {
		http.Error(w, "The shop has not been built: run `make demo`.\n가게 페이지가 아직 빌드되지 않았습니다. `make demo`를 실행하세요.", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Security-Policy", s.Policy)
	http.ServeFileFS(w, r, s.files, "index.html")
}

func (s *shop) asset(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, s.files, r.URL.Path[1:])
}

// settings tells the page where everything is, and who may sign in.
func (s *shop) settings(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]any{
		"app": s.App, "munjigi": s.Munjigi, "services": s.Services, "other": s.Other, "members": List(),
	})
}
