// Package meter counts requests for the metrics: how many, how long they took, who follows the feed.
package meter

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Meter counts requests. It works unregistered, too.
type Meter struct {
	// Streams are the followers of the feed that are connected here.
	Streams prometheus.Gauge

	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
}

// New registers with r unless that is nil. Labels are patterns and codes of ours: a caller cannot add to them.
func New(r prometheus.Registerer) (*Meter, error) {
	m := &Meter{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "munjigi_http_requests_total",
			Help: "Requests answered, by route, HTTP status and the problem's code (empty = none).",
		}, []string{"route", "status", "code"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "munjigi_http_request_seconds",
			Help:    "Seconds until a request was answered; streams of the feed are left out.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route"}),
		Streams: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "munjigi_feed_streams",
			Help: "Followers of the revocation feed that are connected to this node.",
		}),
	}
	if r == nil {
		return m, nil
	}
	for _, collector := range []prometheus.Collector{m.requests, m.took, m.Streams} {
		if err := r.Register(collector); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Request is one that was answered.
type Request struct {
	Route    string // its pattern
	Status   int
	Code     string // of the problem; "" = none
	Took     time.Duration
	Streamed bool // it took as long as its caller wanted
}

// Observe counts one.
func (m *Meter) Observe(r Request) {
	m.requests.WithLabelValues(r.Route, strconv.Itoa(r.Status), r.Code).Inc()
	if !r.Streamed {
		m.took.WithLabelValues(r.Route).Observe(r.Took.Seconds())
	}
}
