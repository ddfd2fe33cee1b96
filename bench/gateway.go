package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/munjigi/munjigi/bench/passage"
)

// gatewaySubject is what it costs to go through the gateway: the token that is shown is checked, the session is read from
// the store, the operation is found, another token is sent.
func gatewaySubject() (subject, error) {
	dir, err := os.MkdirTemp("", "munjigi-bench-")
	if err != nil {
		return subject{}, err
	}
	field, err := passage.Start(context.Background(), dir)
	if err != nil {
		return subject{}, err
	}
	const yardstick = "bare httputil.ReverseProxy"
	most := func(_ testing.BenchmarkResult, faster float64) bool { return faster >= 0.8 }
	first := func(r testing.BenchmarkResult, faster float64) bool {
		return perOp(r)-perOp(r)*faster <= float64(150*time.Microsecond)
	}
	rows := []row{
		{name: yardstick, run: through(field.Bare)},
		{name: "gateway", beside: yardstick, goal: "≥ 0.8 × the bare proxy", meets: most, run: through(field.Plain)},
		{name: "gateway, sensitive fields masked", beside: yardstick, run: through(field.Masked)},
		{name: "bare, one after another", run: oneByOne(field.Bare)},
		{name: "gateway, one after another", beside: "bare, one after another", goal: "≤ 150 µs more", meets: first, run: oneByOne(field.Plain)},
	}
	stop := func() {
		field.Stop()
		os.RemoveAll(dir)
	}
	return subject{name: "call a service, over HTTP, a page of 20 rows", rows: rows, stop: stop}, nil
}

func through(road passage.Road) func(b *testing.B) {
	return func(b *testing.B) {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
		defer client.CloseIdleConnections()
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := once(client, road); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
}

func oneByOne(road passage.Road) func(b *testing.B) {
	return func(b *testing.B) {
		client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
		defer client.CloseIdleConnections()
		for range b.N {
			if err := once(client, road); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func once(client *http.Client, road passage.Road) error {
	request, err := http.NewRequest(http.MethodGet, road.URL, nil)
	if err != nil {
		return err
	}
	request.Header = road.Header
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, text)
	}
	return err
}
