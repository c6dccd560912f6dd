package db_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/db/dbtest"
	"bookhook/webhook"
)

// callers is how many do the same at a time, on each processor.
const callers = 32

func benchStore(b *testing.B) (*db.Store, webhook.Account, *webhook.Webhook) {
	b.Helper()
	s := openFile(b, dbtest.At(b))
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
			if _, err := insert(b, s, a.ID, []webhook.Event{e}, t0, lease, taken); err != nil {
				b.Error(err)
			}
		}
	})
	perSecond(b)
}

// BenchmarkFinish writes an attempt and ends its delivery.
func BenchmarkFinish(b *testing.B) {
	s, a, w := benchStore(b)
	ids := make([]webhook.DeliveryID, 0, b.N+webhook.MaxBatch)
	for len(ids) < b.N {
		got, err := insert(b, s, a.ID, some(webhook.MaxBatch), t0, lease, taken)
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

// listsRows is how many deliveries a database has on which lists are measured.
func listsRows() int {
	if n, err := strconv.Atoi(os.Getenv("BOOKHOOK_BENCH_ROWS")); err == nil {
		return n
	}
	return 100_000
}

// listsStore is a database of BOOKHOOK_BENCH_ROWS deliveries (100,000 if not set).
// With BOOKHOOK_BENCH_DATABASE, a path, it is kept there and used again.
func listsStore(b *testing.B) *db.Store {
	b.Helper()
	path := os.Getenv("BOOKHOOK_BENCH_DATABASE")
	if path == "" {
		path = filepath.Join(b.TempDir(), "bookhook.db")
	}
	if _, err := os.Stat(path); err != nil {
		s, err := db.Create(b.Context(), path, nil)
		ok(b, err)
		ok(b, s.Close())
		fill(b, path, listsRows())
	}
	return openFile(b, path)
}

// BenchmarkLists measures pages of every filter: the first page, pages deep inside, and
// the count.
func BenchmarkLists(b *testing.B) {
	s := listsStore(b)
	last := filledSince + webhook.DeliveryID(listsRows()/2)*filledStep
	for _, account := range []webhook.AccountID{1, 2} {
		for _, f := range benchFilters(account, last) {
			name := fmt.Sprintf("account=%d/%s", account, f.name)
			f.Limit = 50
			percentiles(b, name+"/first", func() error {
				_, err := s.Deliveries(b.Context(), account, f.DeliveryFilter)
				return err
			})
			percentiles(b, name+"/count", func() error {
				_, err := s.CountDeliveries(b.Context(), account, f.DeliveryFilter)
				return err
			})
			percentiles(b, name+"/deep", func() error {
				f.Before = filledSince + webhook.DeliveryID(rand.Int64N(int64(last-filledSince))) //nolint:gosec // no secret
				_, err := s.Deliveries(b.Context(), account, f.DeliveryFilter)
				return err
			})
		}
		for name, f := range map[string]webhook.EventFilter{"all": {}, "booking": {Booking: "B-0"}, "rare": {Type: "rare"}} {
			f.Limit = 50
			percentiles(b, fmt.Sprintf("account=%d/events/%s", account, name), func() error {
				f.Before = webhook.EventID(filledSince) + webhook.EventID(rand.Int64N(int64(last-filledSince))) //nolint:gosec // no secret
				_, err := s.Events(b.Context(), account, f)
				return err
			})
		}
		for name, prefix := range map[string]string{"one": "B-77", "many": "B-", "none": "C"} {
			percentiles(b, fmt.Sprintf("account=%d/bookings from/%s", account, name), func() error {
				_, err := s.BookingsFrom(b.Context(), account, prefix, 20)
				return err
			})
		}
		percentiles(b, fmt.Sprintf("account=%d/booking", account), func() error {
			_, err := s.BookingEvents(b.Context(), account, "B-0", 0, 20)
			return err
		})
	}
}

// BenchmarkGivenUp measures what Home counts when all ten webhooks gave up more than is
// counted, of bookings with later events.
func BenchmarkGivenUp(b *testing.B) {
	path := filepath.Join(b.TempDir(), "bookhook.db")
	ok(b, must(db.Create(b.Context(), path, nil))(b).Close())
	fill(b, path, 40_000)
	pool := must(sql.Open("sqlite", "file:"+path))(b)
	for i := range 10 {
		must(pool.ExecContext(b.Context(), `UPDATE deliveries SET state = 'failed', webhook_id = $1 WHERE account_id = 1 AND id IN (SELECT id FROM deliveries WHERE account_id = 1 AND webhook_id IN ($1, 100) AND state <> 'failed' ORDER BY id LIMIT 1200)`, 100+i))(b)
	}
	ok(b, pool.Close())
	s := openFile(b, path)
	percentiles(b, "all", func() error { _, err := s.GivenUp(b.Context(), 1, 0, filledSince.Time()); return err })
}

// BenchmarkHome measures what the overviews read beside statistics.
func BenchmarkHome(b *testing.B) {
	s := listsStore(b)
	ctx := b.Context()
	for name, do := range map[string]func() error{
		"today":             func() error { _, err := s.Today(ctx, 1, t0); return err },
		"given up":          func() error { _, err := s.GivenUp(ctx, 1, 0, filledSince.Time()); return err },
		"checklist":         func() error { _, err := s.Checklist(ctx, 1); return err },
		"changes":           func() error { _, err := s.Changes(ctx, 1); return err },
		"instance/today":    func() error { _, err := s.Today(ctx, 0, t0); return err },
		"instance/accounts": func() error { _, err := s.AccountsAfter(ctx, 0, 21); return err },
		"instance/in need":  func() error { _, err := s.AccountsInNeed(ctx, 20); return err },
		"webhooks/waiting": func() error {
			for id := range webhook.WebhookID(10) {
				if _, err := s.Backlog(ctx, 1, 100+id); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		percentiles(b, name, do)
	}
}

type benchFilter struct {
	name string
	webhook.DeliveryFilter
}

func benchFilters(account webhook.AccountID, last webhook.DeliveryID) []benchFilter {
	busy, quiet := webhook.WebhookID(account*100), webhook.WebhookID(account*100+9)
	period := last - (last-filledSince)/10
	return []benchFilter{
		{"none", webhook.DeliveryFilter{}},
		{"period", webhook.DeliveryFilter{Since: period.Time(), Until: (period + (last-period)/2).Time()}},
		{"pending", webhook.DeliveryFilter{State: webhook.Pending}},
		{"pending, busy webhook", webhook.DeliveryFilter{State: webhook.Pending, Webhook: busy}},
		{"failed", webhook.DeliveryFilter{State: webhook.Failed}},
		{"cancelled", webhook.DeliveryFilter{State: webhook.Cancelled}},
		{"delivered", webhook.DeliveryFilter{State: webhook.Delivered}},
		{"busy webhook", webhook.DeliveryFilter{Webhook: busy}},
		{"quiet webhook", webhook.DeliveryFilter{Webhook: quiet}},
		{"quiet webhook, delivered", webhook.DeliveryFilter{Webhook: quiet, State: webhook.Delivered}},
		{"quiet webhook, cancelled", webhook.DeliveryFilter{Webhook: quiet, State: webhook.Cancelled}},
		{"common type", webhook.DeliveryFilter{Type: "cancelled"}},
		{"rare type", webhook.DeliveryFilter{Type: "rare"}},
		{"unknown type", webhook.DeliveryFilter{Type: "tour_updated"}},
		{"rare type, failed", webhook.DeliveryFilter{Type: "rare", State: webhook.Failed}},
		{"rare type, delivered", webhook.DeliveryFilter{Type: "rare", State: webhook.Delivered}},
		{"rare type, busy webhook", webhook.DeliveryFilter{Type: "rare", Webhook: busy}},
		{"booking", webhook.DeliveryFilter{Booking: "B-0"}},
		{"unknown booking", webhook.DeliveryFilter{Booking: "none"}},
		{"event", webhook.DeliveryFilter{Event: webhook.EventID(filledSince + webhook.DeliveryID(account-1)*filledStep)}},
		{"everything", webhook.DeliveryFilter{State: webhook.Delivered, Webhook: busy, Type: "cancelled", Since: period.Time(), Until: last.Time()}},
	}
}

// percentiles calls do again and again and reports how long it took.
func percentiles(b *testing.B, name string, do func() error) {
	b.Helper()
	b.Run(name, func(b *testing.B) {
		var took []time.Duration
		for b.Loop() {
			start := time.Now()
			if err := do(); err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(start))
		}
		slices.Sort(took)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(took[len(took)/2].Seconds()*1000, "p50-ms")
		b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "p99-ms")
	})
}
