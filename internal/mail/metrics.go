package mail

import "github.com/prometheus/client_golang/prometheus"

// metrics work unregistered, too.
type metrics struct{ mails *prometheus.CounterVec }

func newMetrics(r prometheus.Registerer, depth func() float64) *metrics {
	m := &metrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "munjigi_mail_total", Help: "Mails by outcome: sent, failed (an attempt), dropped (given up).",
	}, []string{"outcome"})}
	for _, outcome := range []string{"sent", "failed", "dropped"} {
		m.mails.WithLabelValues(outcome) // there from the start, so that an alert sees the first one
	}
	if r != nil {
		r.MustRegister(m.mails, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "munjigi_mail_queue", Help: "Mails that wait to be sent.",
		}, depth))
	}
	return m
}

func (m *metrics) count(outcome string) { m.mails.WithLabelValues(outcome).Inc() }
