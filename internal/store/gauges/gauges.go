// Package gauges shows what the store holds as metrics.
package gauges

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/store"
)

// Gauges read the store when somebody asks for metrics; while it cannot be read they are missing.
type Gauges struct {
	store                         *store.Store
	sessions, grants, revocations *prometheus.Desc
}

// New makes the collector; nothing is read before it is asked.
func New(st *store.Store) Gauges {
	return Gauges{
		store:       st,
		sessions:    prometheus.NewDesc("munjigi_sessions", "Sessions that have not ended.", nil, nil),
		grants:      prometheus.NewDesc("munjigi_grants", "Grants of providers that are held.", nil, nil),
		revocations: prometheus.NewDesc("munjigi_revocations", "The newest number of the revocation feed.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (g Gauges) Describe(out chan<- *prometheus.Desc) {
	out <- g.sessions
	out <- g.grants
	out <- g.revocations
}

// Collect implements prometheus.Collector.
func (g Gauges) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	counts, err := g.store.Counts(ctx)
	if err != nil {
		return
	}
	out <- prometheus.MustNewConstMetric(g.sessions, prometheus.GaugeValue, float64(counts.Sessions))
	out <- prometheus.MustNewConstMetric(g.grants, prometheus.GaugeValue, float64(counts.Grants))
	out <- prometheus.MustNewConstMetric(g.revocations, prometheus.CounterValue, float64(counts.Revocations))
}

// Hasher is what hashing costs: more waiting than a few tells of guessing, or of a machine that is too small.
func Hasher(hasher *account.Hasher) []prometheus.Collector {
	return []prometheus.Collector{
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "munjigi_password_hashes_total", Help: "Hashes of passwords that were computed.",
		}, func() float64 { return float64(hasher.Computed()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "munjigi_password_queue", Help: "Hashes of passwords being computed, and waiting for it.",
		}, func() float64 { return float64(hasher.Waiting()) }),
	}
}
