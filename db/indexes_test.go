//go:build unix

package db_test

import (
	"bytes"
	"cmp"
	"database/sql"
	"net/http"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

// BenchmarkIndexes measures the processor time that a delivery takes in the database,
// from its event to its first attempt, with a thousand webhooks of a hundred accounts:
// with all indexes, and without each. What is saved without one is what it costs.
func BenchmarkIndexes(b *testing.B) {
	for _, index := range []string{
		"", "events_account", "events_booking",
		"deliveries_account", "deliveries_webhook", "deliveries_state", "deliveries_due", "deliveries_order", "deliveries_failed",
	} {
		b.Run("without "+cmp.Or(index, "none"), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "bookhook.db")
			s := openFile(b, path)
			accounts := make([]webhook.Account, 100)
			for i := range accounts {
				accounts[i] = accountWithHooks(b, s)
			}
			dropIndex(b, path, index)
			data := append(append([]byte(`{"x":"`), bytes.Repeat([]byte("x"), 800)...), `"}`...)
			began := processorTime(b)
			var n atomic.Int64
			b.SetParallelism(callers)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := int(n.Add(1))
					e := newEvent("evt-" + strconv.Itoa(i))
					e.Data, e.BookingID, e.ChannelID = data, strconv.Itoa(i), strconv.Itoa(i/len(accounts)%webhook.DefaultLimit)
					storeDelivered(b, s, accounts[i%len(accounts)].ID, e)
				}
			})
			b.ReportMetric(float64((processorTime(b)-began).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

// accountWithHooks adds an account with a webhook for each of ten channels.
func accountWithHooks(b *testing.B, s *db.Store) webhook.Account {
	b.Helper()
	a := newAccount(b, s)
	for channel := range webhook.DefaultLimit {
		addHook(b, s, a.ID, func(w *webhook.Webhook) {
			w.Channels = webhook.Filter{Mode: webhook.Include, IDs: []string{strconv.Itoa(channel)}}
		})
	}
	return a
}

// storeDelivered stores an event and the success of its delivery.
func storeDelivered(b *testing.B, s *db.Store, account webhook.AccountID, e webhook.Event) {
	b.Helper()
	got, err := insert(b, s, account, []webhook.Event{e}, t0, lease, taken)
	if err != nil || len(got[0].Jobs) != 1 {
		b.Errorf("got %+v, %v", got, err)
		return
	}
	job := got[0].Jobs[0]
	r := success(job.Delivery.ID, job.Webhook.ID, 1)
	r.Data, r.Attempt.RequestBody = e.Data, e.Data
	r.Attempt.RequestHeaders = http.Header{"Webhook-Id": {job.Delivery.ID.String()}, "Webhook-Signature": {"v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="}}
	if _, err := s.Finish(b.Context(), r, t0); err != nil {
		b.Error(err)
	}
}

func dropIndex(b *testing.B, path, index string) {
	b.Helper()
	if index == "" {
		return
	}
	file, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Exec(`DROP INDEX ` + index); err != nil {
		b.Fatal(err)
	}
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
