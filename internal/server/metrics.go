package server

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
	streams  prometheus.Gauge
}

// newMetrics registers with r unless that is nil. Labels are patterns and codes of ours: a caller cannot add to them.
func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "munjigi_http_requests_total",
			Help: "Requests answered, by route, HTTP status and the problem's code (empty = none).",
		}, []string{"route", "status", "code"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "munjigi_http_request_seconds",
			Help:    "Seconds until a request was answered; streams of the feed are left out.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route"}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "munjigi_feed_streams",
			Help: "Followers of the revocation feed that are connected to this node.",
		}),
	}
	if r == nil {
		return m, nil
	}
	for _, collector := range []prometheus.Collector{m.requests, m.took, m.streams} {
		if err := r.Register(collector); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) observe(w *response, took time.Duration) {
	m.requests.WithLabelValues(w.route, strconv.Itoa(w.status), string(w.code)).Inc()
	if !w.streamed {
		m.took.WithLabelValues(w.route).Observe(took.Seconds())
	}
}
