// Package pgtest starts a real PostgreSQL server for tests: one for a test binary, a schema in it for a test. It is
// imported by tests alone.
package pgtest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver
)

// Server is a PostgreSQL server. It is safe for concurrent use.
type Server struct {
	// Named is a URL of a server that runs already; "" = start one. It is the value of MUNJIGI_TEST_POSTGRES.
	Named string
	// Durable keeps fsync on. Without it a test that kills processes shows the same, for the system lives on.
	Durable bool

	start   sync.Once
	failed  error
	bin     string
	dir     string
	port    int
	process *exec.Cmd
	log     bytes.Buffer
	schemas atomic.Int64
	admin   *sql.DB
}

const patience = 60 * time.Second

// errMissing fails a test: without the server nothing is shown.
var errMissing = errors.New("there is no PostgreSQL here: scripts/need test installs the Debian package postgresql, or set MUNJIGI_TEST_POSTGRES to the URL of one that runs")

// Schema is the URL of a new, empty schema in a database of the server.
func (s *Server) Schema(t testing.TB) string {
	t.Helper()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("munjigi_test_%d_%d", os.Getpid(), s.schemas.Add(1))
	if _, err := s.admin.ExecContext(t.Context(), `CREATE SCHEMA `+name); err != nil {
		t.Fatal(err)
	}
	if s.Named != "" { // one of ours goes with its directory
		t.Cleanup(func() { _, _ = s.admin.ExecContext(context.WithoutCancel(t.Context()), `DROP SCHEMA `+name+` CASCADE`) })
	}
	address, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	query.Set("search_path", name)
	address.RawQuery = query.Encode()
	return address.String()
}

// URL is that of the server's first database.
func (s *Server) URL() string {
	if s.Named != "" {
		return s.Named
	}
	return "postgres://postgres@127.0.0.1:" + strconv.Itoa(s.port) + "/postgres?sslmode=disable"
}

// Address is where it listens.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Start starts the server at the first call.
func (s *Server) Start() error {
	s.start.Do(func() { s.failed = s.begin() })
	return s.failed
}

func (s *Server) begin() (err error) {
	if s.Named == "" {
		if err := s.create(); err != nil {
			return err
		}
		if err := s.Run(); err != nil {
			return err
		}
	}
	if s.admin, err = sql.Open("pgx", s.URL()); err != nil {
		return err
	}
	return s.admin.Ping()
}

// Stop ends a server that Start started, and removes its files.
func (s *Server) Stop() error {
	if s.admin != nil {
		_ = s.admin.Close() // the server goes next
	}
	if s.process == nil {
		return nil
	}
	return errors.Join(s.End(syscall.SIGQUIT), os.RemoveAll(s.dir))
}

// create makes the files of a server.
func (s *Server) create() (err error) {
	if s.bin, err = programs(); err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "munjigi-postgres-"); err != nil {
		return err
	}
	if err := s.giveAway(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.port = listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		return err
	}
	out, err := s.command("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Run starts the server's process, and returns when it answers.
func (s *Server) Run() error {
	fsync := "off"
	if s.Durable {
		fsync = "on"
	}
	s.process = s.command("postgres", "-D", s.data(), "-p", strconv.Itoa(s.port), "-k", s.dir, "-c", "listen_addresses=127.0.0.1",
		"-c", "max_connections=400", "-c", "fsync="+fsync, "-c", "full_page_writes="+fsync, "-c", "shared_buffers=64MB", "-c", "logging_collector=off")
	s.process.Stderr = &s.log
	if err := s.process.Start(); err != nil {
		return err
	}
	db, err := sql.Open("pgx", s.URL())
	if err != nil {
		return err
	}
	defer db.Close()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if err = db.Ping(); err == nil {
			return nil
		}
		if time.Now().After(end) {
			_ = s.process.Process.Kill()
			return fmt.Errorf("PostgreSQL does not answer: %w\n%s", err, s.log.String())
		}
	}
}

// End sends the process a signal, and returns when it has ended: SIGINT stops it, SIGQUIT is a crash with its
// processes told, SIGKILL one without.
func (s *Server) End(signal os.Signal) error {
	if err := s.process.Process.Signal(signal); err != nil {
		return err
	}
	_ = s.process.Wait() // its exit status is not what counts
	return nil
}

// command is one of the server's programs. They refuse to run as root, and must not outlive the test.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	full := []string{"--pdeathsig", "QUIT"}
	if os.Geteuid() == 0 {
		full = append(full, "--reuid=postgres", "--regid=postgres", "--clear-groups")
	}
	command := exec.Command("setpriv", slices.Concat(full, []string{filepath.Join(s.bin, name)}, args)...)
	command.Dir = s.dir
	return command
}

func (s *Server) giveAway() error {
	if os.Geteuid() != 0 {
		return nil
	}
	owner, err := user.Lookup("postgres")
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(owner.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(owner.Gid)
	if err != nil {
		return err
	}
	return os.Chown(s.dir, uid, gid)
}

// programs is the directory of the newest server here.
func programs() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errMissing
	}
	return filepath.Dir(path), nil
}

func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // what is no number counts as the oldest
	return n
}
