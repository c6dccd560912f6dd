package db_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/stats"
	"bookhook/webhook"
)

// The statistics of the benchmarks: 100 accounts with ten webhooks, all of which had
// attempts in every hour that is kept.
const (
	countedAccounts = 100
	countedHooks    = 10
)

// countedStore is a database with such statistics, and the log of one second with
// 8,000 deliveries each, in groups of fifty.
func countedStore(b *testing.B) *db.Store {
	b.Helper()
	path := filepath.Join(b.TempDir(), "bookhook.db")
	ok(b, must(db.Create(b.Context(), path, nil))(b).Close())
	fill(b, path, 1000)
	pool := must(sql.Open("sqlite", "file:"+path+"?_pragma=synchronous(off)"))(b)
	defer pool.Close()
	tx := must(pool.BeginTx(b.Context(), nil))(b)
	hours := stats.NewHours(func(webhook.AccountID) *time.Location { return time.UTC })
	for account := range webhook.AccountID(countedAccounts) {
		for hook := range webhook.WebhookID(countedHooks) {
			for i := range 24 * 30 {
				for j := range 5 {
					a := countedAttempt(account, hook, i*7+j)
					a.StartedAt = t0.Add(-time.Duration(i) * time.Hour)
					hours.Attempt(a)
				}
			}
		}
	}
	for key, counts := range hours.Attempts {
		must(tx.ExecContext(b.Context(), `INSERT INTO attempt_counts VALUES ($1, $2, $3, $4)`, key.Account, key.Webhook, key.Hour, counts.Encode()))(b)
	}
	logCounted(b, tx)
	ok(b, tx.Commit())
	return openFile(b, path)
}

func countedAttempt(account webhook.AccountID, hook webhook.WebhookID, i int) stats.Attempt {
	a := stats.Attempt{
		Account: account + 1, Webhook: webhook.WebhookID(account+1)*100 + hook, StartedAt: t0, Responded: true,
		Duration: time.Duration(i%50) * 10 * time.Millisecond,
	}
	if i%20 == 0 {
		a.Reason = "status 503"
	}
	return a
}

const countedDeliveries = 8_000

func logCounted(b *testing.B, tx *sql.Tx) {
	b.Helper()
	for row := range countedDeliveries / 50 {
		var log stats.Log
		for i := row * 50; i < row*50+50; i++ {
			log.Event(stats.Event{Account: webhook.AccountID(1 + i%countedAccounts), ReceivedAt: t0, Platform: "tourcms", Channel: "3930"})
			log.Attempt(countedAttempt(webhook.AccountID(i%countedAccounts), webhook.WebhookID(i/countedAccounts%countedHooks), i))
		}
		must(tx.ExecContext(b.Context(), `INSERT INTO count_log VALUES ($1, $2)`, row+1, []byte(log)))(b)
	}
}

// BenchmarkStats measures the reports, at the worst moment: nothing of the last
// second has been added up. What they read does not depend on the number of
// deliveries, so it is the same at five million.
func BenchmarkStats(b *testing.B) {
	s := countedStore(b)
	now := t0
	percentiles(b, "webhook, 30 days", func() error {
		_, err := s.WebhookStats(b.Context(), 1, 100, stats.Month, now)
		return err
	})
	percentiles(b, "account, 30 days", func() error {
		_, err := s.AccountStats(b.Context(), 1, stats.Month, now)
		return err
	})
	percentiles(b, "instance, 30 days", func() error {
		_, err := s.InstanceStats(b.Context(), stats.Month, now)
		return err
	})
	percentiles(b, "sparklines of ten webhooks", func() error {
		_, err := s.Sparklines(b.Context(), 1, []webhook.WebhookID{100, 101, 102, 103, 104, 105, 106, 107, 108, 109}, now)
		return err
	})
	accounts := make([]webhook.Account, 20)
	for i := range accounts {
		accounts[i] = must(s.Account(b.Context(), webhook.AccountID(i+1)))(b)
	}
	percentiles(b, "sparklines of twenty accounts", func() error {
		_, err := s.AccountSparklines(b.Context(), accounts, now)
		return err
	})
	percentiles(b, "today", func() error {
		_, err := s.Today(b.Context(), 1, now)
		return err
	})
}

// BenchmarkFold adds up the log of one second with 8,000 deliveries of a thousand
// webhooks.
func BenchmarkFold(b *testing.B) {
	path := filepath.Join(b.TempDir(), "bookhook.db")
	ok(b, must(db.Create(b.Context(), path, nil))(b).Close())
	fill(b, path, 1000)
	var took time.Duration
	for range b.N {
		b.StopTimer()
		pool := must(sql.Open("sqlite", "file:"+path))(b)
		tx := must(pool.BeginTx(b.Context(), nil))(b)
		logCounted(b, tx)
		ok(b, tx.Commit())
		ok(b, pool.Close())
		s := openFile(b, path)
		b.StartTimer()
		start := time.Now()
		for must(s.FoldCounts(b.Context()))(b) {
		}
		took += time.Since(start)
		b.StopTimer()
		ok(b, s.Close())
		b.StartTimer()
	}
	b.ReportMetric(float64(took.Microseconds())/float64(b.N)/countedDeliveries, "µs/delivery")
}
