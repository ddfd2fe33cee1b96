// Package hashing computes password hashes in processes of their own, of low priority. A hash takes 19 MiB and 25 ms of
// a processor; within the server's process that made its garbage collector and its scheduler keep everybody waiting, and
// the slowest renewals took ten times as long while a crowd signed in.
package hashing

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/munjigi/munjigi/internal/account"
)

// Config is what Workers need.
type Config struct {
	// Path is the program that serves on its standard input and output. "" = this one.
	Path string
	// Arguments are what it is called with; the first is its name. nil = as Command is called.
	Arguments []string
	// Limit is how long one job may take before its process is ended. 0 means two minutes: a heavy hash on a busy machine.
	Limit time.Duration
	Log   *slog.Logger // nil = silent
}

// Command is `munjigi hash`, by which the program calls itself.
type Command struct{}

// Run serves until the standard input ends. An interrupt at the terminal is for the server, which goes on for a while.
func (Command) Run() error {
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	return Serve(os.Stdin, os.Stdout)
}

// Workers are processes that compute hashes, started as they are needed: as many as jobs are done at once. They end with
// this process, however it ends, for then their standard input does.
type Workers struct {
	Config

	mu   sync.Mutex // guards idle
	idle []*worker
}

// New starts nothing yet.
func New(c Config) *Workers {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Limit == 0 {
		c.Limit = 2 * time.Minute
	}
	if c.Arguments == nil {
		c.Arguments = []string{os.Args[0], "hash"}
	}
	return &Workers{Config: c}
}

// Compute is account.Compute, over there. A worker that died, or does not answer in time, is replaced once. Where none can
// be started, or the second dies as well, the job is done here: slower for everybody is better than for nobody.
func (w *Workers) Compute(job account.HashJob) (account.HashResult, error) {
	for range 2 {
		one, err := w.take()
		if err != nil {
			w.Log.Warn("no process for password hashes: computing here", "error", err)
			return account.Compute(job)
		}
		answer, err := one.do(job, w.Limit)
		if err == nil {
			w.put(one)
			return answer.HashResult, answer.err()
		}
		w.Log.Warn("a process for password hashes ended", "error", errors.Join(err, one.end()))
	}
	return account.Compute(job)
}

// Close ends the workers that are idle; one that computes ends with its job.
func (w *Workers) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.idle {
		_ = one.end() // nothing is lost with it
	}
	w.idle = nil
}

func (w *Workers) take() (*worker, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if last := len(w.idle) - 1; last >= 0 {
		one := w.idle[last]
		w.idle = w.idle[:last]
		return one, nil
	}
	return start(w.Path, w.Arguments)
}

func (w *Workers) put(one *worker) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle = append(w.idle, one)
}

// worker is one process; it does one job at a time.
type worker struct {
	process *exec.Cmd
	in      io.WriteCloser
	jobs    *json.Encoder
	answers *json.Decoder
}

func start(path string, arguments []string) (_ *worker, err error) {
	if path == "" {
		if path, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	process := exec.Command(path)
	process.Args = arguments
	in, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, err
	}
	return &worker{process: process, in: in, jobs: json.NewEncoder(in), answers: json.NewDecoder(out)}, nil
}

func (w *worker) do(job account.HashJob, limit time.Duration) (answer answer, err error) {
	overdue := time.AfterFunc(limit, func() { _ = w.process.Process.Kill() }) // it may have ended by itself
	defer overdue.Stop()
	if err := w.jobs.Encode(job); err != nil {
		return answer, err
	}
	err = w.answers.Decode(&answer)
	return answer, err
}

func (w *worker) end() error {
	return errors.Join(w.in.Close(), w.process.Wait())
}

// answer is one line that a worker writes.
type answer struct {
	account.HashResult
	Error string `json:"error,omitempty"`
}

func (a answer) err() error {
	if a.Error == "" {
		return nil
	}
	return errors.New(a.Error)
}

// Serve does the jobs that are read from in, a JSON object each, one after the other, until in ends. It lowers the
// priority of its process first.
func Serve(in io.Reader, out io.Writer) error {
	_ = yield() // where it is forbidden, a process of its own is still most of the gain
	jobs, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var job account.HashJob
		if err := jobs.Decode(&job); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		result, err := account.Compute(job)
		said := answer{HashResult: result}
		if err != nil {
			said.Error = err.Error()
		}
		if err := answers.Encode(said); err != nil {
			return err
		}
	}
}
