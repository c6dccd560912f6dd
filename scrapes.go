package main

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"time"

	"bookhook/db"
	"bookhook/metrics"
)

// scrapeTimeout is how long a scrape may take to send its request, and as long again to
// be answered.
const scrapeTimeout = 10 * time.Second

// countMetrics counts from now on, for whoever asks at the address of the metrics.
func (a *app) countMetrics() {
	size := func() float64 { return databaseBytes(a.file) }
	held := func() float64 { return float64(a.dispatcher.Held().Len()) }
	counted := metrics.New(version, a.store, size, held, a.log)
	a.deliveries = metrics.Deliveries{Store: a.deliveries, Metrics: counted}
	a.scraped = &http.Server{Handler: counted.Handler(), ReadTimeout: scrapeTimeout, WriteTimeout: 2 * scrapeTimeout, IdleTimeout: time.Minute, MaxHeaderBytes: 8 << 10}
}

// databaseBytes is how large the database at path is with its write-ahead log; -1 if it
// is not known, as of one on a server.
func databaseBytes(path string) float64 {
	if db.OnServer(path) {
		return -1
	}
	var total int64
	for _, name := range []string{path, path + "-wal"} {
		info, err := os.Stat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return -1
		default:
			total += info.Size()
		}
	}
	return float64(total)
}
