package db_test

import (
	"bytes"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"bookhook/db"
	"bookhook/webhook"
)

// callers is how many do the same at a time, on each processor.
const callers = 32

func benchStore(b *testing.B) (*db.Store, webhook.Account, *webhook.Webhook) {
	b.Helper()
	s := openFile(b, filepath.Join(b.TempDir(), "bookhook.db"))
	a, w := shop(b, s)
	return s, a, w
}

func perSecond(b *testing.B) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
}

// BenchmarkIngest stores an event of 1 KiB with its delivery, on disk when it
// is answered.
func BenchmarkIngest(b *testing.B) {
	s, a, _ := benchStore(b)
	data := append(append([]byte(`{"x":"`), bytes.Repeat([]byte("x"), 1<<10)...), `"}`...)
	var n atomic.Int64
	b.SetParallelism(callers)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			e := newEvent("evt-" + strconv.FormatInt(n.Add(1), 10))
			e.Data = data
			if _, err := s.Ingest(b.Context(), a.ID, []webhook.Event{e}, t0, lease, taken); err != nil {
				b.Error(err)
			}
		}
	})
	perSecond(b)
}

// BenchmarkFinish writes an attempt and ends its delivery.
func BenchmarkFinish(b *testing.B) {
	s, a, w := benchStore(b)
	ids := make([]webhook.ID, 0, b.N+webhook.MaxBatch)
	for len(ids) < b.N {
		got, err := s.Ingest(b.Context(), a.ID, some(webhook.MaxBatch), t0, lease, taken)
		if err != nil {
			b.Fatal(err)
		}
		for _, accepted := range got {
			ids = append(ids, accepted.Jobs[0].Delivery.ID)
		}
	}
	body := bytes.Repeat([]byte("x"), 1<<10)
	var n atomic.Int64
	b.SetParallelism(callers)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := success(ids[n.Add(1)-1], w.ID, 1)
			r.Attempt.RequestBody = body
			if _, err := s.Finish(b.Context(), r, t0); err != nil {
				b.Error(err)
			}
		}
	})
	perSecond(b)
}
