// Command go-service is a service with a private API: GET /me says who you are. Copy this file to begin your own.
//
//	go run . -issuer http://localhost:8080 -service wishlist -realm staff -listen localhost:9000
//	curl -H "Authorization: Bearer $TOKEN" http://localhost:9000/me
package main

import (
	"encoding/json"
	"flag"
	"log"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/munjigi/munjigi/verify"
)

func main() {
	issuer := flag.String("issuer", "http://localhost:8080", "address of Munjigi")
	service := flag.String("service", "wishlist", "name of this service")
	realms := flag.String("realm", "staff", "realms to admit, separated by commas")
	listen := flag.String("listen", "localhost:9000", "where to listen")
	flag.Parse()

	verifier, err := verify.New(verify.Config{
		Issuer:  *issuer,
		Service: *service,
		Realms:  strings.Split(*realms, ","),
		Log:     slog.Default(),
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /me", verifier.Middleware(http.HandlerFunc(me)))
	server := &http.Server{Addr: *listen, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	log.Printf("%s listens on http://%s", *service, *listen)
	log.Fatal(server.ListenAndServe())
}

func me(w http.ResponseWriter, r *http.Request) {
	claims, _ := verify.FromContext(r.Context()) // the middleware let nobody pass without
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err := json.NewEncoder(w).Encode(claims); err != nil {
		log.Print(err)
	}
}
