package store

import (
	"context"
	"errors"
	"slices"
	"testing"
)

// holdWriter keeps the writer inside a batch until release is called, which returns the outcome of the batch.
func holdWriter(t *testing.T, s *Store) (release func() error) {
	t.Helper()
	entered, leave, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- s.writer.do(context.Background(), usual, func(*tx) error {
			close(entered)
			<-leave
			return nil
		})
	}()
	<-entered
	return func() error {
		close(leave)
		return <-done
	}
}

// queue puts a job into the writer's queue, in order, without waiting for it.
func queue(t *testing.T, s *Store, k kind, run func(*tx) error) *job {
	t.Helper()
	j := &job{kind: k, run: run, done: make(chan struct{})}
	if err := s.writer.push(j); err != nil {
		t.Fatal(err)
	}
	return j
}

func (j *job) wait() error {
	<-j.done
	return j.err
}

func useAttempt(n byte) func(*tx) error {
	return func(t *tx) error { return t.exec(`INSERT INTO attempts (id, until) VALUES ($1, 0)`, []byte{n}) }
}

func attempts(t *testing.T, s *Store) (ids []byte) {
	t.Helper()
	rows, err := list(s.readers.in(t.Context()), func(row scanner) (id []byte, err error) { return id, row.Scan(&id) }, `SELECT id FROM attempts ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(rows...)
}

func TestEndsGoFirst(t *testing.T) {
	s, e := openFaulty(t)
	var order []string
	note := func(name string) func(*tx) error {
		return func(*tx) error { order = append(order, name); return nil }
	}
	release := holdWriter(t, s)
	commits := e.commits.Load()
	var last *job
	for i := range 300 {
		last = queue(t, s, single, note("renewal"))
		if i == 200 { // an end comes while renewals run: it is the very next
			queue(t, s, urgent, func(*tx) error {
				order = append(order, "first end")
				return nil
			})
		}
	}
	var late *job
	renewal := queue(t, s, single, func(*tx) error {
		order = append(order, "renewal that sees an end coming")
		late = queue(t, s, urgent, note("second end"))
		return nil
	})
	if err := release(); err != nil {
		t.Error(err)
	}
	for _, j := range []**job{&last, &renewal, &late} { // late exists once renewal has run
		if err := (*j).wait(); err != nil {
			t.Error(err)
		}
	}
	if order[0] != "first end" {
		t.Errorf("an end waited behind %d renewals", slices.Index(order, "first end"))
	}
	if i := slices.Index(order, "renewal that sees an end coming"); order[i+1] != "second end" {
		t.Errorf("after it came %q", order[i+1])
	}
	// 302 renewals with the one that held the writer: 128, 128 and 46 to a batch.
	if got := e.commits.Load() - commits; got != 3 {
		t.Errorf("got %d commits, want 3", got)
	}
}

func TestBatchSharesOneCommit(t *testing.T) {
	s, e := openFaulty(t)
	release := holdWriter(t, s)
	before := e.commits.Load()
	var jobs []*job
	for i := range 50 {
		jobs = append(jobs, queue(t, s, single, useAttempt(byte(i))))
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	for _, j := range jobs {
		if err := j.wait(); err != nil {
			t.Error(err)
		}
	}
	if got := e.commits.Load() - before; got != 1 || len(attempts(t, s)) != 50 {
		t.Errorf("got %d commits for %d attempts, want 1 for 50", got, len(attempts(t, s)))
	}
}

// One caller's error, constraint or panic undoes what that caller did, and nothing else.
func TestOneErrorHarmsNoOther(t *testing.T) {
	s := mustOpen(t, sqliteAt(t.TempDir()))
	refusal := errors.New("refused by the domain")
	release := holdWriter(t, s)
	good := []*job{queue(t, s, single, useAttempt(1)), queue(t, s, usual, useAttempt(2))}
	refused := queue(t, s, usual, func(tx *tx) error { return errors.Join(useAttempt(3)(tx), refusal) })
	twice := queue(t, s, single, useAttempt(1))
	half := queue(t, s, usual, func(tx *tx) error { return errors.Join(useAttempt(4)(tx), useAttempt(2)(tx)) })
	panics := queue(t, s, usual, func(tx *tx) error {
		if err := useAttempt(5)(tx); err != nil {
			return err
		}
		panic("on purpose")
	})
	good = append(good, queue(t, s, urgent, useAttempt(6)), queue(t, s, usual, useAttempt(7)))
	if err := release(); err != nil {
		t.Error(err)
	}
	for i, j := range good {
		if err := j.wait(); err != nil {
			t.Errorf("good job %d: %v", i, err)
		}
	}
	if err := refused.wait(); !errors.Is(err, refusal) {
		t.Errorf("refused: got %v", err)
	}
	if err := panics.wait(); !errors.Is(err, errPanic) {
		t.Errorf("panics: got %v", err)
	}
	if twice.wait() == nil || half.wait() == nil {
		t.Error("a violated constraint passed")
	}
	if got := attempts(t, s); !slices.Equal(got, []byte{1, 2, 6, 7}) {
		t.Errorf("got %v, want 1 2 6 7", got)
	}
}

// A commit that fails has failed for everybody in the batch; the writer goes on.
func TestCommitFailsForAll(t *testing.T) {
	s, e := openFaulty(t)
	release := holdWriter(t, s)
	jobs := []*job{
		queue(t, s, single, useAttempt(1)),
		queue(t, s, urgent, useAttempt(2)),
		queue(t, s, usual, func(*tx) error { return errors.New("an answer that may rest on what was never written") }),
	}
	e.mode.Store(commitFails)
	if err := release(); !errors.Is(err, errCommit) {
		t.Errorf("the job that held the writer: got %v", err)
	}
	for i, j := range jobs {
		if err := j.wait(); !errors.Is(err, errCommit) {
			t.Errorf("job %d: got %v", i, err)
		}
	}
	e.mode.Store(commitWorks)
	if err := queue(t, s, single, useAttempt(3)).wait(); err != nil {
		t.Error(err)
	}
	if got := attempts(t, s); !slices.Equal(got, []byte{3}) {
		t.Errorf("got %v, want 3", got)
	}
}

// Who gives up while waiting leaves nothing behind.
func TestCancelledWhileWaiting(t *testing.T) {
	s := mustOpen(t, sqliteAt(t.TempDir()))
	release := holdWriter(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error, 1)
	queued := make(chan struct{})
	go func() {
		close(queued)
		gaveUp <- s.writer.do(ctx, single, useAttempt(1))
	}()
	<-queued
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	if err := s.writer.do(t.Context(), single, useAttempt(2)); err != nil {
		t.Fatal(err)
	}
	if got := attempts(t, s); !slices.Equal(got, []byte{2}) {
		t.Errorf("got %v, want 2", got)
	}
}

func TestClose(t *testing.T) {
	s, err := Open(t.Context(), sqliteAt(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	release := holdWriter(t, s)
	waiting := queue(t, s, single, useAttempt(1))
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	if err := release(); err != nil {
		t.Error(err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := waiting.wait(); err != nil {
		t.Errorf("a change that was under way: %v", err)
	}
	if err := s.writer.do(t.Context(), single, useAttempt(2)); !errors.Is(err, errClosed) {
		t.Errorf("after Close: got %v", err)
	}
}
