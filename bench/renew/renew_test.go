package renew

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// callers is how many browsers renew at once.
const callers = 64

// side is one of the two under load.
type side struct {
	Target
	address string
	tokens  []string
	rates   []float64
}

func (s *side) median() float64 {
	sorted := slices.Sorted(slices.Values(s.rates))
	return sorted[len(sorted)/2]
}

// BenchmarkRenewBesideThePrototype loads both in turn, so that a machine whose speed drifts is fair to both, and reports
// the medians and their ratio.
func BenchmarkRenewBesideThePrototype(b *testing.B) {
	ours, bare := startOurs(b), startBare(b)
	for b.Loop() {
		for _, s := range []*side{ours, bare} {
			rate, err := s.Load(s.address, s.tokens, time.Second)
			if err != nil {
				b.Fatal(err)
			}
			s.rates = append(s.rates, rate)
		}
	}
	b.ReportMetric(ours.median(), "renewals/s")
	b.ReportMetric(bare.median(), "bare/s")
	b.ReportMetric(ours.median()/bare.median(), "ratio")
	b.ReportMetric(0, "ns/op")
}

func (s *side) serve(b *testing.B) *side {
	address, stop, err := s.Serve()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(stop)
	s.address = address
	return s
}

func running(b *testing.B, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
}

func startOurs(b *testing.B) *side {
	m, err := NewMunjigi(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	running(b, m.Run)
	s := &side{Target: Ours(m)}
	for i := range callers {
		refreshToken, err := m.SignIn(b.Context(), i)
		if err != nil {
			b.Fatal(err)
		}
		s.tokens = append(s.tokens, refreshToken)
	}
	return s.serve(b)
}

func startBare(b *testing.B) *side {
	p, err := NewPrototype(filepath.Join(b.TempDir(), "bare.db"), callers)
	if err != nil {
		b.Fatal(err)
	}
	running(b, p.Run)
	s := &side{Target: Bare(p)}
	for i := range callers {
		s.tokens = append(s.tokens, p.Token(int64(i), 0))
	}
	return s.serve(b)
}
