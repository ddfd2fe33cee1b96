package recheck

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// value reads a metric of the test's provider; -1 = there is none. Of a histogram it is the count.
func value(t *testing.T, r *prometheus.Registry, name string, labels map[string]string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
	metric:
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if want, ok := labels[label.GetName()]; ok && want != label.GetValue() {
					continue metric
				}
			}
			if m.GetHistogram() != nil {
				return float64(m.GetHistogram().GetSampleCount())
			}
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return -1
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 20, true)
		registry := prometheus.NewRegistry()
		w := New(Config{
			Store: s.store, Waves: s.store, Registerer: registry,
			Realms: map[string]Realm{testIssuer: s.realm, "https://other.example.net": s.realm},
		})
		s.run(w)
		defer func() { s.stop() }()
		mine := map[string]string{"provider": testIssuer}
		want := func(name string, want float64) {
			t.Helper()
			if got := value(t, registry, name, mine); got != want {
				t.Errorf("%s: got %v, want %v", name, got, want)
			}
		}
		time.Sleep(s.realm.Every)
		s.leave(1)
		time.Sleep(s.realm.Every + time.Second)
		want("munjigi_recheck_people", 19)
		want("munjigi_recheck_breaker_open", 0)
		want("munjigi_recheck_overdue_seconds", 0)
		want("munjigi_recheck_wave", 0)
		if got := value(t, registry, "munjigi_cutoff_store_seconds", nil); got != 1 {
			t.Errorf("got %v cut-offs measured, want 1", got)
		}
		gone := map[string]string{"provider": testIssuer, "verdict": "gone"}
		if got := value(t, registry, "munjigi_recheck_verdicts_total", gone); got != 1 {
			t.Errorf("got %v people gone, want 1", got)
		}
		s.provider.set(func() { s.provider.mode = "down" })
		time.Sleep(20 * time.Minute)
		want("munjigi_recheck_breaker_open", 1)
		if got := value(t, registry, "munjigi_recheck_overdue_seconds", mine); got < (10 * time.Minute).Seconds() {
			t.Errorf("got %v s overdue after twenty minutes of silence", got)
		}
	})
}
