package demo

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/demo/market"
	"github.com/munjigi/munjigi/internal/demo/members"
)

func prepare(t *testing.T, dir, listen string) *Setup {
	t.Helper()
	setup, err := Prepare(dir, listen)
	if err != nil {
		t.Fatal(err)
	}
	return setup
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPrepareWritesWhatIsMissing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	setup := prepare(t, dir, "localhost:9000")
	want := Sites{
		URL: "http://localhost:9000", Provider: "http://localhost:9001",
		Services: map[string]string{"wishlist": "http://localhost:9002", "market": "http://localhost:9003"},
		Shop:     "http://localhost:9004", Wholesale: "http://localhost:9005", Mail: "http://localhost:9000/demo/mail",
		Shops: market.Logins(), Legacy: market.Legacies(),
	}
	if diff := cmp.Diff(want, setup.Sites); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	if err := setup.WriteSites(); err != nil {
		t.Fatal(err)
	}
	var written struct {
		Sites
		Members []members.Member
	}
	if err := json.Unmarshal([]byte(read(t, filepath.Join(dir, "demo.json"))), &written); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, written.Sites); diff != "" {
		t.Errorf("demo.json (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(members.List(), written.Members); diff != "" {
		t.Errorf("members in demo.json (-want +got):\n%s", diff)
	}
	for _, name := range []string{secretFile, configFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want only its owner to read it", name, info.Mode())
		}
	}
	if config := read(t, setup.Config); strings.Contains(config, "{{") || strings.Contains(config, setup.secret) {
		t.Errorf("configuration:\n%s", config)
	}
}

func TestPrepareKeepsWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	first := prepare(t, dir, "localhost:9000")
	edited := read(t, first.Config) + "# mine\n"
	if err := os.WriteFile(first.Config, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	again := prepare(t, dir, "localhost:9000")
	if again.secret != first.secret {
		t.Error("the client secret changed")
	}
	if got := read(t, again.Config); got != edited {
		t.Errorf("an edited configuration was overwritten:\n%s", got)
	}
	// One that an earlier demo wrote, which had no shops, cannot do.
	if err := os.WriteFile(first.Config, []byte(strings.ReplaceAll(edited, "9005", "9999")), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := read(t, prepare(t, dir, "localhost:9000").Config); !strings.Contains(got, `["http://localhost:9005"]`) {
		t.Errorf("a configuration without the second shop was kept:\n%s", got)
	}
	if err := os.WriteFile(first.Config, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	moved := prepare(t, dir, "localhost:9100")
	if got := read(t, moved.Config); !strings.Contains(got, "url: http://localhost:9100\n") || strings.Contains(got, "9000") {
		t.Errorf("for another port:\n%s", got)
	}
	if got := read(t, moved.Config+".before"); got != edited {
		t.Errorf("the configuration before is lost:\n%s", got)
	}
}

func TestPrepareRefuses(t *testing.T) {
	for listen, want := range map[string]string{
		"0.0.0.0:8080": "this machine alone", ":8080": "this machine alone", "192.168.1.2:8080": "this machine alone",
		"office.example.com:8080": "this machine alone", "[::]:8080": "this machine alone", "localhost": "HOST:PORT",
		"localhost:0": "port from 1", "localhost:65530": "port from 1", "localhost:http": "port from 1",
	} {
		dir := filepath.Join(t.TempDir(), "demo")
		if _, err := Prepare(dir, listen); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", listen, err, want)
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s: something was written", listen)
		}
	}
	for _, listen := range []string{"127.0.0.1:9000", "[::1]:9000", "localhost:65529"} {
		prepare(t, t.TempDir(), listen)
	}
}

func TestOpenNamesATakenPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	setup := prepare(t, t.TempDir(), "127.0.0.1:9000")
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for i := range setup.places { // free ports for all but the services' last
		setup.places[i].address = "127.0.0.1:0"
	}
	setup.places[3].address = taken.Addr().String()
	_, err = setup.Open(nil)
	if err == nil || !strings.Contains(err.Error(), "port "+port) || !strings.Contains(err.Error(), "for market") {
		t.Errorf("got %v, want an error that names port %s and the market", err, port)
	}
}

func TestTableNamesEverybody(t *testing.T) {
	var table bytes.Buffer
	if err := prepare(t, t.TempDir(), "localhost:9000").WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	wanted := []string{
		"http://localhost:9000/demo/", "http://localhost:9001/", "http://localhost:9004/", "http://localhost:9005/", "localhost ignore ports",
	}
	for _, member := range members.List() {
		wanted = append(wanted, member.Login, member.Password, member.Name)
	}
	for _, person := range People() {
		wanted = append(wanted, person.Email, person.Name)
	}
	for i, account := range market.Logins() {
		wanted = append(wanted, account.Login, account.Password, market.Legacies()[i].Token)
	}
	for _, want := range wanted {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, table.String())
		}
	}
}
