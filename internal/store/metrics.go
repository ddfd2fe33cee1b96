package store

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics reads the store when somebody asks for metrics; while it cannot be read they are missing.
type Metrics struct {
	store                         *Store
	sessions, grants, revocations *prometheus.Desc
}

// NewMetrics makes the collector; nothing is read before it is asked.
func NewMetrics(st *Store) Metrics {
	return Metrics{
		store:       st,
		sessions:    prometheus.NewDesc("munjigi_sessions", "Sessions that have not ended.", nil, nil),
		grants:      prometheus.NewDesc("munjigi_grants", "Grants of providers that are held.", nil, nil),
		revocations: prometheus.NewDesc("munjigi_revocations", "The newest number of the revocation feed.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (m Metrics) Describe(out chan<- *prometheus.Desc) {
	out <- m.sessions
	out <- m.grants
	out <- m.revocations
}

// Collect implements prometheus.Collector.
func (m Metrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	counts, err := m.store.Counts(ctx)
	if err != nil {
		return
	}
	out <- prometheus.MustNewConstMetric(m.sessions, prometheus.GaugeValue, float64(counts.Sessions))
	out <- prometheus.MustNewConstMetric(m.grants, prometheus.GaugeValue, float64(counts.Grants))
	out <- prometheus.MustNewConstMetric(m.revocations, prometheus.CounterValue, float64(counts.Revocations))
}
