package reconcile_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/reconcile"
	"bookhook/webhook"
)

// benchLines are the lines of the lists.
const benchLines = 100_000

// BenchmarkCompare compares a list of 100,000 lines with as many bookings that a webhook
// was sent, from the stored upload to the stored result: nearly all are in both; what is
// held was skipped; what is held never came in.
func BenchmarkCompare(b *testing.B) {
	s, err := db.Create(b.Context(), filepath.Join(b.TempDir(), "bookhook.db"), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // of no interest here
	account, hook, other := benchLog(b, s)
	for _, bench := range []struct {
		name    string
		hook    webhook.WebhookID
		file    []byte
		request webhook.ReconcileRequest
	}{
		{"csv", hook, csvList("B%06d", 500), webhook.ReconcileRequest{Header: true, Column: 1}},
		{"xlsx", hook, xlsxList(b, "B%06d", 500), webhook.ReconcileRequest{Header: true, Column: 1}},
		{"skipped", other, csvList("B%06d", 0), webhook.ReconcileRequest{Header: true, Column: 1}},
		{"unknown", hook, csvList("never came in %06d", 0), webhook.ReconcileRequest{Header: true, Column: 1}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			upload := store(b, s, account, bench.file)
			r := reconcile.New(s)
			bench.request.Webhook = bench.hook
			for b.Loop() {
				got, err := r.Compare(b.Context(), upload, bench.request, change())
				if err != nil || got.Counts.References != benchLines {
					b.Fatal(got.Counts, err)
				}
			}
			b.ReportMetric(benchLines*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}

// benchLog fills a log with deliveries to one webhook; another one skipped all.
func benchLog(b *testing.B, s *db.Store) (account webhook.AccountID, hook, other webhook.WebhookID) {
	b.Helper()
	a, err := s.AddAccount(b.Context(), webhook.Account{Name: "Sea", TimeZone: "UTC", WebhookLimit: 10}, change())
	if err != nil {
		b.Fatal(err)
	}
	hook, other = newHook(b, s, a.ID, true).ID, newHook(b, s, a.ID, false).ID
	for from := 0; from < benchLines; from += webhook.MaxBatch {
		events := make([]webhook.Event, webhook.MaxBatch)
		for i := range events {
			events[i] = webhook.Event{
				Platform: webhook.DefaultPlatform, Type: "new_confirmed_web", BookingID: fmt.Sprintf("B%06d", from+i), Data: []byte(strings.Repeat("x", 500)),
			}
		}
		insert(b, s, a.ID, events)
	}
	return a.ID, hook, other
}

func csvList(format string, shift int) []byte {
	var text strings.Builder
	text.WriteString("Date,Booking,Customer,Total\r\n")
	for i := range benchLines {
		fmt.Fprintf(&text, "2026-11-%02d,"+format+",\"Customer, %d\",%d.50\r\n", i%28+1, i+shift, i, i%400)
	}
	return []byte(text.String())
}

func change() webhook.Change { return webhook.Change{By: "test", At: time.Now()} }
