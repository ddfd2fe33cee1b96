package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/munjigi/munjigi/internal/config"
	"github.com/munjigi/munjigi/internal/keys"
)

// asProgram, in the environment, makes the test binary the program itself: tests kill it, and start it again.
const asProgram = "MUNJIGI_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" || len(os.Args) == 2 && os.Args[1] == "hash" {
		main()
	}
	testscript.Main(m, map[string]func(){"munjigi": main})
}

// The command line, by scripts that read like a manual.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"database": func(s *testscript.TestScript, _ bool, args []string) { makeDatabase(s, args[0]) },
			"key": func(s *testscript.TestScript, _ bool, args []string) {
				_, err := keys.CreateSealer(s.MkAbs(args[0]))
				s.Check(err)
			},
			"status": status,
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// status runs the program and wants its exit status: status 2 munjigi check.
func status(s *testscript.TestScript, _ bool, args []string) {
	want := args[0]
	err := s.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != want {
		s.Fatalf("exit status: got %s, want %s", got, want)
	}
}

// makeDatabase does what a server does at its first start: `database munjigi.yaml`.
func makeDatabase(s *testscript.TestScript, name string) {
	config, err := config.Load(s.MkAbs(name))
	s.Check(err)
	st, err := openStore(context.Background(), &config, nil)
	s.Check(err)
	_, err = keys.Open(context.Background(), ringConfig(&config, st))
	s.Check(err)
	s.Check(st.Close())
}

// Every command says how it is used, with an example, in its --help.
func TestHelp(t *testing.T) {
	commands := []string{
		"demo", "init", "serve", "check", "keys list", "keys rotate", "keys retire", "keys export", "sessions list",
		"sessions revoke", "mail test", "members import", "audit export", "audit verify", "store copy", "store recovered", "version",
	}
	for _, command := range commands {
		var out bytes.Buffer
		status := run(t.Context(), append(strings.Fields(command), "--help"), &terminal{In: strings.NewReader(""), Out: &out, Err: &out})
		if status != exitDone || !strings.Contains(out.String(), "munjigi "+command) || !strings.Contains(out.String(), "xample") {
			t.Errorf("%s --help: status %d, no example in:\n%s", command, status, &out)
		}
	}
	var out bytes.Buffer
	if status := run(t.Context(), nil, &terminal{Out: &out, Err: &out}); status != exitDone {
		t.Errorf("without a command: status %d", status)
	}
	for _, command := range commands {
		if first, _, _ := strings.Cut(command, " "); !strings.Contains(out.String(), first) {
			t.Errorf("the overview does not name %s", command)
		}
	}
}

// init asks until it understands, and what it writes is a good configuration.
func TestInitAsks(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "munjigi.yaml")
	asked := strings.Join([]string{
		"http://office.example.com", "https://office.example.com/", // the first is refused: no TLS
		"", // the default, Google
		"12345.apps.googleusercontent.com",
		"it's \"secret\": #1",
		"Example.com",
		"boss@example.org", "boss@example.com", // the first could never sign in
	}, "\n") + "\n"
	var out, questions bytes.Buffer
	if status := run(t.Context(), []string{"init", "--config", file}, &terminal{In: strings.NewReader(asked), Out: &out, Err: &questions}); status != exitDone {
		t.Fatalf("status %d:\n%s", status, &questions)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	staff := c.Realms["staff"]
	secret, err := config.ReadSecret(c.Path(staff.OIDC.ClientSecretFile))
	got := []any{c.URL, staff.OIDC.Issuer, staff.OIDC.ClientID, secret, err, staff.OIDC.Domains, staff.Roles["admin"], staff.Session.PerAccount}
	want := []any{
		"https://office.example.com", "https://accounts.google.com", "12345.apps.googleusercontent.com", "it's \"secret\": #1", nil,
		[]string{"example.com"},
		[]string{"boss@example.com"},
		5,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n := strings.Count(questions.String(), "Not quite"); n != 2 {
		t.Errorf("asked again %d times, want 2:\n%s", n, &questions)
	}
	if !strings.Contains(out.String(), "https://office.example.com/sign-in/staff/callback") {
		t.Errorf("no redirect URI in:\n%s", &out)
	}
	for _, name := range []string{file, c.Path(staff.OIDC.ClientSecretFile), c.Path(c.SealKeyFile)} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}
