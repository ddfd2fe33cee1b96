package demo

import (
	"maps"
	"net/http"
	"slices"

	"github.com/munjigi/munjigi/internal/demo/market"
	"github.com/munjigi/munjigi/internal/demo/members"
)

// Sites are the addresses of a running demo: the demo.json of its directory, and what its page asks for.
type Sites struct {
	URL       string            `json:"url"` // Munjigi's
	Provider  string            `json:"provider"`
	Services  map[string]string `json:"services"` // by name
	Shop      string            `json:"shop"`
	Wholesale string            `json:"wholesale"` // the second front end of the members
	Mail      string            `json:"mail"`      // the page with all letters; with .json for programs

	Shops  []market.Login  `json:"shops"`  // accounts that the market keeps
	Legacy []market.Legacy `json:"legacy"` // what they hold of its old sign-in
}

// NewPage is the page that shows a token's way, and mail the letters, for Munjigi's own origin; it expects paths below
// /demo/.
func NewPage(sites Sites, mail http.Handler) http.Handler {
	connect := append(slices.Sorted(maps.Values(sites.Services)), sites.Provider)
	mux := http.NewServeMux()
	for _, name := range []string{"app.js", "calls.js", "texts.js", "style.css"} {
		mux.Handle("GET /demo/"+name, asset("web/demo/"+name))
	}
	mux.Handle("GET /demo/icon.svg", asset("web/icon.svg"))
	mux.HandleFunc("GET /demo/config.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		writeJSON(w, http.StatusOK, sites)
	})
	for _, path := range []string{"/demo/mail", "/demo/mail.json", "/demo/mail.css"} {
		mux.Handle("GET "+path, mail)
	}
	mux.Handle("GET /demo", http.RedirectHandler("/demo/", http.StatusFound))
	mux.HandleFunc("GET /demo/{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", pagePolicy(connect...))
		http.ServeFileFS(w, r, web, "web/demo/index.html")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "same-origin")
		mux.ServeHTTP(w, r)
	})
}

// shops are the origins of the members' front ends.
func (s Sites) shops() []string { return []string{s.Shop, s.Wholesale} }

// shop is the front end that an app of the members is, with the services that its tokens are for.
func (s Sites) shop(app string, services ...string) members.ShopConfig {
	config := members.ShopConfig{App: app, Origin: s.Shop, Other: s.Wholesale, Munjigi: s.URL, Services: map[string]string{}}
	if app == members.Wholesale {
		config.Origin, config.Other = s.Wholesale, s.Shop
	}
	connect := []string{s.URL}
	for _, name := range services {
		config.Services[name] = s.Services[name]
		connect = append(connect, s.Services[name])
	}
	config.Policy = pagePolicy(connect...)
	return config
}
