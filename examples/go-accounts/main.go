// Command go-accounts is a service that keeps accounts of its own: Munjigi asks it whether a login and a password are
// right, and gives out the sessions. Copy this file, and ask your own database in the place of the two maps.
//
//	go run . -issuer http://localhost:8080 -service market -realm shops -listen localhost:9000
//
// In Munjigi's configuration:
//
//	realms:
//	  shops:
//	    credentials: {service: market, path: /private/credentials, roles: [shop], legacy_until: 2027-06-30}
//	services:
//	  market: {url: "http://localhost:9000", realms: [shops]}
package main

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"flag"
	"log"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/munjigi/munjigi/verify"
)

// account is one of yours. ID is what Munjigi finds it by, for ever: never an e-mail, and never given to another.
type account struct {
	ID, Name   string
	Salt, Hash []byte
	Closed     bool
}

// accounts stand for your table, by login; oldTokens for what your sign-in gave out before Munjigi.
type accounts struct {
	byLogin   map[string]account
	oldTokens map[string]string // token → login
	realm     string            // as Munjigi's configuration calls it
	service   string            // likewise
}

func main() {
	issuer := flag.String("issuer", "http://localhost:8080", "address of Munjigi")
	service := flag.String("service", "market", "name of this service")
	realm := flag.String("realm", "shops", "the realm of these accounts")
	listen := flag.String("listen", "localhost:9000", "where to listen")
	flag.Parse()

	verifier, err := verify.New(verify.Config{Issuer: *issuer, Service: *service, Realms: []string{*realm}, Log: slog.Default()})
	if err != nil {
		log.Fatal(err)
	}
	kim := account{ID: "4711", Name: "Kim's Bags", Salt: []byte("its own salt")}
	kim.Hash = hash("leather smells good", kim.Salt)
	a := &accounts{
		byLogin: map[string]account{"kim": kim}, oldTokens: map[string]string{"OLD-5d1f0c": "kim"},
		realm: *realm, service: *service,
	}
	mux := http.NewServeMux()
	// Munjigi's own calls, and nobody else's: without this Need everybody could try passwords here.
	mux.Handle("POST /private/credentials", verifier.Require(verify.Need{Realm: verify.Munjigi}, http.HandlerFunc(a.check)))
	mux.Handle("GET /my/account", verifier.Middleware(http.HandlerFunc(a.own)))
	server := &http.Server{Addr: *listen, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	log.Printf("%s listens on http://%s", *service, *listen)
	log.Fatal(server.ListenAndServe())
}

// check answers whose login and password, or old token, these are. It has to give the same answer to the same old token
// each time: Munjigi takes care that it is exchanged once.
func (a *accounts) check(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Login       string `json:"login"`
		Password    string `json:"password"`
		LegacyToken string `json:"legacy_token"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<10)).Decode(&asked); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	login, known := a.oldTokens[asked.LegacyToken]
	found, right := a.byLogin[login], known
	if asked.LegacyToken == "" {
		found, known = a.byLogin[asked.Login]
		// An unknown login costs a hash as well, or the time would tell which logins there are.
		right = subtle.ConstantTimeCompare(hash(asked.Password, found.Salt), found.Hash) == 1 && known
	}
	switch {
	case !right:
		w.WriteHeader(http.StatusUnauthorized)
	case found.Closed:
		w.WriteHeader(http.StatusForbidden) // only for who was right
	default:
		write(w, map[string]any{"id": found.ID, "name": found.Name, "roles": []string{"shop"}})
	}
}

// own shows how to know your account again in a token: its subject is REALM:SERVICE:ID.
func (a *accounts) own(w http.ResponseWriter, r *http.Request) {
	claims, _ := verify.FromContext(r.Context()) // the middleware let nobody pass without
	id, ours := strings.CutPrefix(claims.Subject, a.realm+":"+a.service+":")
	if !ours {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	write(w, map[string]any{"id": id, "name": claims.Name})
}

func write(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.Print(err)
	}
}

// hash is PBKDF2 with SHA-256, which the standard library has; your table may have another.
func hash(password string, salt []byte) []byte {
	key, err := pbkdf2.Key(sha256.New, password, salt, 600_000, 32)
	if err != nil {
		log.Fatal(err)
	}
	return key
}
