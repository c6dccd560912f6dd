// Package metrics counts what an instance does, for Prometheus.
//
// Each process counts for itself, since it started: sums over processes are the whole.
// The gauges about the database ("bookhook_waiting…") are the same in each. No label
// names an account, a webhook or a booking.
package metrics

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"bookhook/webhook"
)

// Path is where the metrics are.
const Path = "/metrics"

// scrapeTime is how long reading the database for one scrape may take.
const scrapeTime = 5 * time.Second

// Source is what is read at each scrape; *db.Store is one.
type Source interface {
	// Waiting counts the pending deliveries of an account (0: of the instance), up to
	// webhook.CountCap + 1, and says when the oldest was created.
	Waiting(ctx context.Context, account webhook.AccountID) (n int, oldest time.Time, err error)
}

// Metrics are the counters of one process.
type Metrics struct {
	registry   *prometheus.Registry
	events     *prometheus.CounterVec
	created    prometheus.Counter
	attempts   *prometheus.CounterVec
	deliveries *prometheus.CounterVec
	durations  prometheus.Histogram
	latency    prometheus.Histogram
}

// succeeded is the outcome of an attempt that is no webhook.Failure.
const succeeded = "success"

// New returns metrics that are zero. size returns the bytes of the database, -1 if they are
// not known; held how many of the shards of accounts this process serves.
func New(version string, source Source, size, held func() float64, log *slog.Logger) *Metrics {
	m := &Metrics{
		registry:   prometheus.NewRegistry(),
		events:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "bookhook_events_total", Help: "Events that were accepted, without tests."}, []string{"platform"}),
		created:    prometheus.NewCounter(prometheus.CounterOpts{Name: "bookhook_deliveries_created_total", Help: "Deliveries that accepted events made."}),
		attempts:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "bookhook_attempts_total", Help: "Attempts by outcome: success, or the reason of the failure."}, []string{"outcome"}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "bookhook_deliveries_finished_total", Help: "Deliveries that were delivered or given up, replays included."}, []string{"outcome"}),
		durations: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "bookhook_attempt_duration_seconds", Help: "How long receivers took to answer.", Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15},
		}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "bookhook_delivery_latency_seconds", Help: "From the event being accepted to it being delivered, of deliveries whose first attempt succeeded.",
			Buckets: []float64{.0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 60},
		}),
	}
	m.registry.MustRegister(m.events, m.created, m.attempts, m.deliveries, m.durations, m.latency,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "bookhook_database_bytes", Help: "Size of the database with its write-ahead log; -1 if it is not known."}, size),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "bookhook_shards_held", Help: "Shards of accounts that this process serves, of 61."}, held),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "bookhook_build_info", Help: "Always 1.", ConstLabels: prometheus.Labels{"version": version}}, func() float64 { return 1 }),
		backlog{source, log},
	)
	return m
}

// Handler answers scrapes at Path, and nothing else.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+Path, promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 2}))
	return mux
}

var (
	waiting = prometheus.NewDesc("bookhook_waiting_deliveries", "Deliveries that are pending; more than 10,000 are not counted.", nil, nil)
	oldest  = prometheus.NewDesc("bookhook_oldest_waiting_seconds", "Age of the oldest pending delivery; 0 if there is none.", nil, nil)
	up      = prometheus.NewDesc("bookhook_database_up", "Whether the database could be read for this scrape.", nil, nil)
)

// backlog reads what waits at each scrape.
type backlog struct {
	source Source
	log    *slog.Logger
}

// Describe and Collect make it a prometheus.Collector.
func (b backlog) Describe(to chan<- *prometheus.Desc) { to <- waiting; to <- oldest; to <- up }

// Collect reads the database.
func (b backlog) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	n, since, err := b.source.Waiting(ctx, 0)
	if err != nil {
		b.log.Warn("the backlog could not be read for the metrics", "error", err)
		to <- prometheus.MustNewConstMetric(up, prometheus.GaugeValue, 0)
		return
	}
	age := 0.0
	if n > 0 {
		age = time.Since(since).Seconds()
	}
	to <- prometheus.MustNewConstMetric(up, prometheus.GaugeValue, 1)
	to <- prometheus.MustNewConstMetric(waiting, prometheus.GaugeValue, float64(min(n, webhook.CountCap)))
	to <- prometheus.MustNewConstMetric(oldest, prometheus.GaugeValue, age)
}
