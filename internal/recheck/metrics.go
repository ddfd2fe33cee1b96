package recheck

import "github.com/prometheus/client_golang/prometheus"

// metrics work unregistered, too.
type metrics struct {
	registerer prometheus.Registerer // nil = none
	verdicts   *prometheus.CounterVec
	people     *prometheus.GaugeVec
	waves      *prometheus.GaugeVec
	cutOff     prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		registerer: r,
		verdicts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "munjigi_recheck_verdicts_total", Help: "Rechecks by what came of them.",
		}, []string{"provider", "verdict"}),
		people: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "munjigi_recheck_people", Help: "People with a live session whom the provider is asked about.",
		}, []string{"provider"}),
		waves: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "munjigi_recheck_wave", Help: "1 while a wave of leavers waits for an administrator.",
		}, []string{"provider"}),
		cutOff: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "munjigi_cutoff_store_seconds",
			Help:    "Time from the provider's no to the end of the person's sessions in the store.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}),
	}
	if r != nil {
		r.MustRegister(m.verdicts, m.people, m.waves, m.cutOff)
	}
	return m
}

// watch exports the state of a lane as it is when asked for.
func (m *metrics) watch(l *lane) {
	if m.registerer == nil {
		return
	}
	labels := prometheus.Labels{"provider": l.issuer}
	m.registerer.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "munjigi_recheck_breaker_open", Help: "1 while the provider is taken to be down.", ConstLabels: labels,
		}, func() float64 {
			if l.breaker.isOpen() {
				return 1
			}
			return 0
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "munjigi_recheck_overdue_seconds", Help: "How long ago the longest unconfirmed person should have been confirmed.",
			ConstLabels: labels,
		}, l.overdue),
	)
}

func (m *metrics) wave(provider string, on bool) {
	value := 0.0
	if on {
		value = 1
	}
	m.waves.WithLabelValues(provider).Set(value)
}
