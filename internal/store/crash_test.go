package store

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/session"
)

// The environment of a child process: where its database is, and after how many sessions each of its callers stops.
const (
	childDatabase = "MUNJIGI_STORE_CHILD_DATABASE"
	childCount    = "MUNJIGI_STORE_CHILD_COUNT"
	longMode      = "MUNJIGI_SOAK" // 1 = as often as the goals say
)

func TestMain(m *testing.M) {
	if database := os.Getenv(childDatabase); database != "" {
		os.Exit(child(database))
	}
	code := m.Run()
	if err := server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// child begins, rotates and ends sessions from many goroutines, and prints what was acknowledged: "B sid",
// "R sid generation", "E sid".
func child(database string) int {
	count, err := strconv.Atoi(os.Getenv(childCount))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	s, err := Open(context.Background(), configOf(database))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	var printing sync.Mutex
	acknowledge := func(format string, args ...any) {
		printing.Lock()
		defer printing.Unlock()
		fmt.Printf(format+"\n", args...)
	}
	failed := make(chan error, 16)
	for range cap(failed) {
		go func() {
			var err error
			for i := 0; i < count && err == nil; i++ {
				err = childStep(s, acknowledge)
			}
			failed <- err
		}()
	}
	for range cap(failed) {
		if err := <-failed; err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
	}
	if err := s.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	return 0
}

func childStep(s *Store, acknowledge func(string, ...any)) error {
	ctx := context.Background()
	row, _, err := s.Begin(ctx, beginning("person "+strconv.Itoa(rand.IntN(50)), start))
	if err != nil {
		return err
	}
	acknowledge("B %s", row.ID)
	for range 3 {
		if row, err = s.Rotate(ctx, row.ID, row.Rotation.Generation, rotated(row, start.Add(time.Minute)), nil, nil); err != nil {
			return err
		}
		acknowledge("R %s %d", row.ID, row.Rotation.Generation)
	}
	if rand.IntN(2) == 0 {
		return nil
	}
	if _, err = s.End(ctx, row.ID, ending(session.SignedOut, start.Add(time.Hour))); err != nil {
		return err
	}
	acknowledge("E %s", row.ID)
	return nil
}

func childCommand(t *testing.T, database string, count int) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childDatabase+"="+database, childCount+"="+strconv.Itoa(count))
	trouble := new(bytes.Buffer)
	command.Stderr = trouble
	return command, trouble
}

// acknowledged is what children have printed.
type acknowledged struct {
	generation map[string]int64
	ended      map[string]bool
}

func (a acknowledged) take(line string) {
	words := strings.Fields(line)
	switch words[0] {
	case "B":
		a.generation[words[1]] = 0
	case "R":
		n, err := strconv.ParseInt(words[2], 10, 64)
		if err != nil {
			panic(err)
		}
		a.generation[words[1]] = n
	case "E":
		a.ended[words[1]] = true
	}
}

// Killed at random under load: what was acknowledged is there, and the invariants hold.
func TestKilled(t *testing.T) { onBoth(t, testKilled) }

func testKilled(t *testing.T, c Config) {
	rounds := 4
	if os.Getenv(longMode) == "1" {
		rounds = 50
	}
	known := acknowledged{map[string]int64{}, map[string]bool{}}
	for round := range rounds {
		killOnce(t, c.Database, known)
		s, err := Open(t.Context(), c)
		if err != nil {
			t.Fatalf("round %d: open: %v", round, err)
		}
		checkAcknowledged(t, s, known)
		if round%10 == rounds%10 || round == rounds-1 {
			check(t, s)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Fatalf("after round %d", round)
		}
	}
	t.Logf("%d rounds: %d sessions, %d ended", rounds, len(known.generation), len(known.ended))
}

// killOnce lets a child work until it has acknowledged a random number of things, and kills it.
func killOnce(t *testing.T, database string, known acknowledged) {
	t.Helper()
	command, trouble := childCommand(t, database, 1_000_000)
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(output)
	for n, enough := 0, 100+rand.IntN(1000); ; n++ {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // a line that was cut short was not acknowledged
		}
		known.take(line)
		if n == enough {
			if err := command.Process.Kill(); err != nil { // SIGKILL; what is in the pipe is still read
				t.Fatal(err)
			}
		}
	}
	if err := command.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("child: %v\n%s", err, trouble)
	}
}

func checkAcknowledged(t *testing.T, s *Store, known acknowledged) {
	t.Helper()
	rows := map[string]session.Session{}
	for _, row := range allSessions(t, s) {
		rows[row.ID.String()] = row
	}
	for id, generation := range known.generation {
		row, found := rows[id]
		switch {
		case !found:
			t.Errorf("session %s: its beginning was acknowledged, and is lost", id)
		case row.Rotation.Generation < generation:
			t.Errorf("session %s: rotation %d was acknowledged, the row is at %d", id, generation, row.Rotation.Generation)
		case known.ended[id] && row.Ended == nil:
			t.Errorf("session %s: its end was acknowledged, and it lives", id)
		}
	}
}

// Two processes write to one database at the same time: neither sees an error, and the feed and the chain stay whole.
func TestTwoProcesses(t *testing.T) { onBoth(t, testTwoProcesses) }

func testTwoProcesses(t *testing.T, c Config) {
	s := mustOpen(t, c)
	command, trouble := childCommand(t, c.Database, 20)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	inParallelDo(8, func(int) {
		for range 20 {
			if err := childStep(s, func(string, ...any) {}); err != nil {
				t.Error(err)
			}
		}
	})
	if err := command.Wait(); err != nil {
		t.Errorf("child: %v\n%s", err, trouble)
	}
	if got, want := len(allSessions(t, s)), 16*20+8*20; got != want {
		t.Errorf("got %d sessions, want %d", got, want)
	}
	check(t, s)
}
