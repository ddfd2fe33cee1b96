package demo

import (
	"bytes"
	"crypto/rand"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"

	"github.com/munjigi/munjigi/internal/demo/market"
	"github.com/munjigi/munjigi/internal/demo/members"
	"github.com/munjigi/munjigi/internal/demo/service"
)

//go:embed data
var data embed.FS

const (
	clientID   = "munjigi-demo"
	secretFile = "provider.secret"
	configFile = "munjigi.yaml"
)

// Setup is a demo that has its addresses and its directory, and does not run yet.
type Setup struct {
	Sites
	Dir    string
	Config string // path of Munjigi's configuration
	Key    string // path of the seal key, which the caller makes when it is not there

	secret string
	places []place
}

// place is one of the demo's listeners.
type place struct{ name, address string }

// The names of the places, in the order of their ports.
const (
	munjigiPlace   = "Munjigi"
	providerPlace  = "the provider"
	wishlistPlace  = "wishlist"
	marketPlace    = "market"
	shopPlace      = "the shop"
	wholesalePlace = "the wholesale shop"
	mailPlace      = "the mailbox"
)

// more is how many ports the demo takes beside Munjigi's.
const more = 6

// Prepare chooses the addresses and writes what is missing in dir: the configuration, the provider's client secret. A
// configuration that somebody changed is kept; one for another address is put aside and written anew.
func Prepare(dir, listen string) (*Setup, error) {
	s := &Setup{Dir: dir, Config: filepath.Join(dir, configFile), Key: filepath.Join(dir, "munjigi.key")}
	if err := s.choose(listen); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the demo's directory: %w", err)
	}
	if err := s.writeSecret(); err != nil {
		return nil, fmt.Errorf("write the client secret: %w", err)
	}
	if err := s.writeConfig(); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	return s, nil
}

// choose gives the ports from the one that was asked for.
func (s *Setup) choose(listen string) error {
	host, text, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("listen address %q: want HOST:PORT, such as localhost:8080", listen)
	}
	if !service.IsLoopback(host) {
		return fmt.Errorf("listen address %q: the demo signs in anybody without a password, so it listens on this machine alone: want localhost, 127.0.0.1 or [::1]", listen)
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535-more {
		return fmt.Errorf("listen address %q: want a port from 1 to %d, the next %d are the demo's as well", listen, 65535-more, more)
	}
	for i, name := range [1 + more]string{munjigiPlace, providerPlace, wishlistPlace, marketPlace, shopPlace, wholesalePlace, mailPlace} {
		s.places = append(s.places, place{name, net.JoinHostPort(host, strconv.Itoa(port+i))})
	}
	at := func(i int) string { return "http://" + s.places[i].address }
	s.Sites = Sites{
		URL: at(0), Provider: at(1), Services: map[string]string{wishlistPlace: at(2), marketPlace: at(3)},
		Shop: at(4), Wholesale: at(5), Mail: at(0) + "/demo/mail",
		Shops: market.Logins(), Legacy: market.Legacies(),
	}
	return nil
}

func (s *Setup) writeSecret() error {
	path := filepath.Join(s.Dir, secretFile)
	known, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		known = []byte(rand.Text() + "\n")
		err = writeFile(path, known)
	}
	s.secret = strings.TrimSpace(string(known))
	return err
}

func (s *Setup) writeConfig() error {
	before, err := os.ReadFile(s.Config)
	if err == nil && s.isOurs(string(before)) {
		return nil
	}
	if err == nil {
		err = os.Rename(s.Config, s.Config+".before")
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := template.ParseFS(data, "data/"+configFile)
	if err != nil {
		return err
	}
	var config bytes.Buffer
	err = text.Execute(&config, map[string]string{
		"URL": s.URL, "Listen": s.places[0].address, "Provider": s.Provider, "ClientID": clientID, "SecretFile": secretFile,
		"Domain": CompanyDomain, "Wishlist": s.Services[wishlistPlace], "Market": s.Services[marketPlace],
		"Shop": s.Shop, "Wholesale": s.Wholesale, "SMTP": s.places[6].address, "Mail": s.Mail,
	})
	if err != nil {
		return err
	}
	return writeFile(s.Config, config.Bytes())
}

// isOurs tells whether a configuration is for these addresses.
func (s *Setup) isOurs(config string) bool {
	return strings.Contains(config, "url: "+s.URL+"\n") && strings.Contains(config, "issuer: "+s.Provider+"\n") &&
		strings.Contains(config, `"`+s.Shop+`"`) && strings.Contains(config, `"`+s.Wholesale+`"`) && strings.Contains(config, `"`+s.places[6].address+`"`)
}

// WriteSites writes demo.json, by which programs find the parts of a running demo.
func (s *Setup) WriteSites() error {
	file := struct {
		Sites
		Members []members.Member `json:"members"`
	}{s.Sites, members.List()}
	text, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return fmt.Errorf("write demo.json: %w", err)
	}
	if err := writeFile(filepath.Join(s.Dir, "demo.json"), append(text, '\n')); err != nil {
		return fmt.Errorf("write demo.json: %w", err)
	}
	return nil
}
