package hashing_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/hashing"
)

// The test's own program is the worker: called so, it serves, dies at once, never answers, or dies once.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "serve":
		if err := hashing.Serve(os.Stdin, os.Stdout); err != nil {
			panic(err)
		}
	case len(os.Args) == 2 && os.Args[1] == "die":
		os.Exit(3)
	case len(os.Args) == 2 && os.Args[1] == "hang":
		time.Sleep(time.Minute)
	case len(os.Args) == 3 && os.Args[1] == "die-once":
		if os.Remove(os.Args[2]) == nil {
			os.Exit(3)
		}
		if err := hashing.Serve(os.Stdin, os.Stdout); err != nil {
			panic(err)
		}
	default:
		os.Exit(m.Run())
	}
}

func workers(t *testing.T, arguments ...string) *hashing.Workers {
	t.Helper()
	w := hashing.New(hashing.Config{Arguments: append([]string{"worker"}, arguments...)})
	t.Cleanup(w.Close)
	return w
}

func TestWorkersComputeWhatIsComputedHere(t *testing.T) {
	w := workers(t, "serve")
	made, err := w.Compute(account.HashJob{Password: "고양이 열두 마리"})
	if err != nil || !strings.HasPrefix(made.Encoded, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("a new hash is %q, %v", made.Encoded, err)
	}
	for password, want := range map[string]bool{"고양이 열두 마리": true, "고양이 열한 마리": false, "": false} {
		job := account.HashJob{Encoded: made.Encoded, Password: password}
		there, err := w.Compute(job)
		if err != nil {
			t.Fatal(err)
		}
		here, err := account.Compute(job)
		if err != nil || there.Matches != want || here.Matches != want {
			t.Errorf("%q matches: %t there, %t here, want %t (%v)", password, there.Matches, here.Matches, want, err)
		}
	}
	if _, err := w.Compute(account.HashJob{Encoded: "$2b$99$", Password: "x"}); err == nil {
		t.Error("what is no hash was checked")
	}
	if made, err := w.Compute(account.HashJob{Password: "still there"}); err != nil || made.Encoded == "" {
		t.Errorf("after an error: %v", err)
	}
}

func TestManyAtOnceEachGetTheirOwnAnswer(t *testing.T) {
	w := workers(t, "serve")
	made, err := account.Compute(account.HashJob{Password: "0"})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			got, err := w.Compute(account.HashJob{Encoded: made.Encoded, Password: fmt.Sprint(i % 2)})
			if want := i%2 == 0; err != nil || got.Matches != want {
				t.Errorf("%d: %t, %v", i, got.Matches, err)
			}
		})
	}
	all.Wait()
}

func TestAWorkerThatDiedIsReplaced(t *testing.T) {
	mark := t.TempDir() + "/first"
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if made, err := workers(t, "die-once", mark).Compute(account.HashJob{Password: "x"}); err != nil || made.Encoded == "" {
		t.Errorf("the second worker answers %q, %v", made.Encoded, err)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("no worker died")
	}
}

func TestWhereAllWorkersFailItIsComputedHere(t *testing.T) {
	for _, how := range []string{"die", "hang"} {
		w := hashing.New(hashing.Config{Arguments: []string{"worker", how}, Limit: 500 * time.Millisecond})
		if made, err := w.Compute(account.HashJob{Password: "x"}); err != nil || made.Encoded == "" {
			t.Errorf("%s: %q, %v", how, made.Encoded, err)
		}
	}
}

func TestWithoutWorkersItIsComputedHere(t *testing.T) {
	w := hashing.New(hashing.Config{Path: t.TempDir() + "/nothing"})
	if made, err := w.Compute(account.HashJob{Password: "x"}); err != nil || made.Encoded == "" {
		t.Errorf("%q, %v", made.Encoded, err)
	}
}
