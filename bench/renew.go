package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/munjigi/munjigi/bench/renew"
)

// renewSubject is what a renewal costs: 64 browsers renew at once, everything is rotated and flushed.
func renewSubject() (subject, error) {
	dir, err := os.MkdirTemp("", "munjigi-bench-")
	if err != nil {
		return subject{}, err
	}
	bareDir, ourDir := filepath.Join(dir, "bare"), filepath.Join(dir, "munjigi")
	if err := errors.Join(os.Mkdir(bareDir, 0o700), os.Mkdir(ourDir, 0o700)); err != nil {
		return subject{}, err
	}
	bare, err := renew.StartPrototype(bareDir)
	if err != nil {
		return subject{}, err
	}
	ours, err := renew.StartMunjigi(context.Background(), ourDir)
	if err != nil {
		return subject{}, err
	}
	const yardstick = "bare prototype, SQLite"
	half := func(_ testing.BenchmarkResult, faster float64) bool { return faster >= 0.5 }
	rows := []row{
		{name: yardstick, run: renewals(bare)},
		{name: "renew, SQLite", beside: yardstick, goal: "≥ 0.5 × the prototype", meets: half, run: renewals(ours)},
	}
	stop := func() {
		ours.Stop()
		bare.Stop()
		os.RemoveAll(dir)
	}
	return subject{name: "renew a session, over HTTP, 64 at once", rows: rows, stop: stop}, nil
}

func renewals(s *renew.Side) func(b *testing.B) {
	return func(b *testing.B) {
		if err := s.Renew(b.N); err != nil {
			b.Fatal(err)
		}
	}
}
