package main

import (
	"context"
	"os"
	"testing"

	"github.com/munjigi/munjigi/bench/renew"
)

// signinSubject is what a crowd at the door costs those who are in: the slowest of a hundred renewals, at 100 a second.
func signinSubject() (subject, error) {
	dir, err := os.MkdirTemp("", "munjigi-bench-")
	if err != nil {
		return subject{}, err
	}
	ours, err := renew.StartMunjigi(context.Background(), dir)
	if err != nil {
		return subject{}, err
	}
	const yardstick = "nobody at the door"
	half := func(_ testing.BenchmarkResult, faster float64) bool { return faster >= 0.5 }
	rows := []row{
		{name: yardstick, run: slowest(ours, 0), own: true},
		{name: "500 sign-ins at once", beside: yardstick, goal: "≥ 0.5 × as fast", meets: half, run: slowest(ours, 500), own: true},
	}
	stop := func() {
		ours.Stop()
		os.RemoveAll(dir)
	}
	return subject{name: "slowest of 100 renewals, 100 a second, beside sign-ins with a password", rows: rows, stop: stop}, nil
}

func slowest(s *renew.Side, crowd int) func(b *testing.B) {
	return func(b *testing.B) {
		ctx, stop := context.WithCancel(context.Background())
		gone := make(chan error, 1)
		go func() { gone <- s.Munjigi.Flood(ctx, crowd) }()
		took, err := s.Slowest99(max(b.N, 200), 100)
		stop()
		if crowdErr := <-gone; err == nil {
			err = crowdErr
		}
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(took), "ns/op")
	}
}
