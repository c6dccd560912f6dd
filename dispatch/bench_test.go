package dispatch_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/dispatch"
	"bookhook/dispatch/guard"
	"bookhook/platforms"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

// senders is how many requests are under way at once, in both measurements.
const senders = 64

// BenchmarkDelivered measures events from Ingest, through the real store on
// disk and the real dispatcher, to a receiver on loopback that has answered
// them, and beside it, in the same run, bare POSTs of the same body to the same
// receiver. "ratio" is the one rate as a share of the other.
func BenchmarkDelivered(b *testing.B) {
	var answered atomic.Int64
	delivered := make(chan struct{}, 1)
	var wanted atomic.Int64
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if answered.Add(1) == wanted.Load() {
			delivered <- struct{}{}
		}
	}))
	defer receiver.Close()
	d, account := benchDispatcher(b, receiver.URL)
	event := webhook.Event{
		Platform: "tourcms", Type: "new_confirmed_web", ChannelID: "3930", BookingID: "1234", TourIDs: []string{"12"},
		Data: []byte(`{"note":"` + strings.Repeat("x", 1024) + `"}`),
	}
	body := platforms.StandardBody(event, 4069, nil)

	bare := func() time.Duration {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
		return inParallel(b.N, func() {
			response, err := client.Post(receiver.URL, "application/json", bytes.NewReader(body))
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
		})
	}()

	answered.Store(0)
	wanted.Store(int64(b.N))
	b.ResetTimer()
	began := time.Now()
	inParallel(b.N, func() {
		if _, err := d.Ingest(context.Background(), account, []webhook.Event{event}); err != nil {
			b.Error(err)
		}
	})
	<-delivered
	took := time.Since(began)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/took.Seconds(), "delivered/s")
	b.ReportMetric(float64(b.N)/bare.Seconds(), "bare-posts/s")
	b.ReportMetric(bare.Seconds()/took.Seconds(), "ratio")
}

// benchDispatcher runs a dispatcher on a database on disk with one webhook.
func benchDispatcher(b *testing.B, target string) (*dispatch.Dispatcher, webhook.AccountID) {
	store, err := db.Create(b.Context(), filepath.Join(b.TempDir(), "bookhook.db"), nil)
	if err != nil {
		b.Fatal(err)
	}
	account, err := store.AddAccount(b.Context(), webhook.Account{Number: 4069, Name: "Bench", TimeZone: "UTC", WebhookLimit: 10, CreatedAt: time.Now()}, byTest())
	if err != nil {
		b.Fatal(err)
	}
	_, err = store.CreateWebhook(b.Context(), &webhook.Webhook{
		Account: account.ID, Enabled: true, Secret: webhook.NewSecret(), Config: webhook.Config{
			Name: "Bench", URL: target, Kind: webhook.Async, Format: webhook.Standard, AllEvents: true,
			Channels: webhook.NewFilter(webhook.All, nil), Tours: webhook.NewFilter(webhook.All, nil), Concurrency: senders,
		},
	}, nil, byTest())
	if err != nil {
		b.Fatal(err)
	}
	allowed, err := guard.New("127.0.0.1")
	if err != nil {
		b.Fatal(err)
	}
	d := dispatch.New(dispatch.Options{Store: store, Lookups: store, Shards: store, Platforms: all.Platforms(), Guard: allowed})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- d.Run(ctx) }()
	<-d.Ready()
	b.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	return d, account.ID
}

// inParallel does it n times, by as many goroutines as there are senders.
func inParallel(n int, do func()) time.Duration {
	began := time.Now()
	var left atomic.Int64
	left.Store(int64(n))
	var group sync.WaitGroup
	for range senders {
		group.Go(func() {
			for left.Add(-1) >= 0 {
				do()
			}
		})
	}
	group.Wait()
	return time.Since(began)
}
