package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"bookhook/db"
	"bookhook/platforms"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

// How the table is filled: with batches as large as the API takes, and with so
// many results at once that they share their commits.
const (
	prefillBatches = 4
	prefillResults = 500
	progressEvery  = 250_000
)

// prefill creates a database with so many delivered deliveries, through the same
// methods that serve uses. The file gets its name when it is complete.
func prefill(ctx context.Context, path string, s shape, target string, deliveries int, progress io.Writer) error {
	part := path + ".part"
	if err := removeDatabase(part); err != nil { // of a run that was killed
		return err
	}
	err := fillNew(ctx, part, s, target, deliveries, progress)
	if err != nil {
		return errors.Join(err, removeDatabase(part))
	}
	return os.Rename(part, path)
}

func fillNew(ctx context.Context, path string, s shape, target string, deliveries int, progress io.Writer) error {
	sample, err := createSample(ctx, path, nil, s, func(int) string { return target })
	if err != nil {
		return err
	}
	store, err := db.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	f := &filler{store: store, sample: sample, want: int64(deliveries), progress: progress, registry: all.Platforms()}
	return errors.Join(f.fill(ctx), store.Close())
}

// filler fills the table with deliveries.
type filler struct {
	store    *db.Store
	sample   *sampleAccounts
	want     int64
	progress io.Writer
	registry platforms.Registry
	age      time.Duration // of the events
	issued   atomic.Int64  // events that a worker has taken on
	done     atomic.Int64
}

func (f *filler) fill(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	jobs := make(chan webhook.Job, prefillBatches*webhook.MaxBatch)
	var results, batches sync.WaitGroup
	for range prefillResults {
		results.Go(func() {
			for job := range jobs {
				if err := f.finish(ctx, job); err != nil {
					cancel(err)
				}
			}
		})
	}
	for range prefillBatches {
		batches.Go(func() {
			if err := f.ingest(ctx, jobs); err != nil {
				cancel(err)
			}
		})
	}
	batches.Wait()
	close(jobs)
	results.Wait()
	return context.Cause(ctx)
}

// ingest inserts batches of events, for one account after the other.
func (f *filler) ingest(ctx context.Context, jobs chan<- webhook.Job) error {
	for ctx.Err() == nil {
		first := f.issued.Add(webhook.MaxBatch) - webhook.MaxBatch
		if first >= f.want {
			return nil
		}
		account := int(first/webhook.MaxBatch) % len(f.sample.accounts)
		events := make([]webhook.Event, min(webhook.MaxBatch, f.want-first))
		for i := range events {
			number := int(first) + i
			events[i] = storedEvent(earlierTag, number, number%len(f.sample.webhooks[account]))
		}
		accepted, err := insertEvents(ctx, f.store, f.sample.accounts[account], events, f.now(), true)
		if err != nil {
			return err
		}
		for _, a := range accepted {
			for _, job := range a.Jobs {
				jobs <- job
			}
		}
	}
	return nil
}

// now is the time of what it does next.
func (f *filler) now() time.Time { return time.Now().Add(-f.age) }

// insertEvents stores the events, with their deliveries claimed or due.
func insertEvents(ctx context.Context, store *db.Store, account webhook.AccountID, events []webhook.Event, now time.Time, claimed bool) ([]webhook.Accepted, error) {
	subscriptions, err := store.Subscriptions(ctx, account)
	if err != nil {
		return nil, err
	}
	plan := webhook.NewPlan(subscriptions, events, now, now.Add(time.Hour))
	for _, e := range plan.Events {
		for i := range e.Claim {
			e.Claim[i] = claimed
		}
	}
	return store.Insert(ctx, plan)
}

// earlierTag is the tag of events that no load has sent.
const earlierTag = "earlier0"

// storedEvent returns an event like those of the load.
func storedEvent(tag string, number, channel int) webhook.Event {
	f := newTemplate(tag)
	f.write(f.text, number, channel)
	id := fmt.Sprintf("%0*d", digits, number)
	return webhook.Event{
		ExternalID: "bench-" + tag + "-" + id, Platform: webhook.DefaultPlatform, Type: eventType, ChannelID: channelID(channel),
		BookingID: id, TourIDs: []string{"101"}, Data: f.text[f.data : len(f.text)-1],
	}
}

// finish records an attempt as the dispatcher would after a success.
func (f *filler) finish(ctx context.Context, job webhook.Job) error {
	now := f.now()
	wire := f.registry.Write(job.Webhook, job.Account, job.Event)
	signature, err := webhook.Sign(job.Webhook.Secrets(now), job.Delivery.ID.String(), now, wire.Signed)
	if err != nil {
		return err
	}
	_, err = f.store.Finish(ctx, webhook.Result{
		Delivery: job.Delivery.ID, Account: job.Account.ID, Webhook: job.Webhook.ID, State: webhook.Delivered, Data: job.Event.Data,
		Attempt: webhook.Attempt{
			Number: 1, StartedAt: now, Duration: time.Millisecond, Status: http.StatusOK, Method: wire.Method, URL: wire.URL,
			RemoteAddr: "127.0.0.1:80", RequestBody: wire.Body,
			RequestHeaders: http.Header{
				"Content-Type": {"application/json"}, "User-Agent": {"bookhook/bench"}, "Host": {"127.0.0.1"},
				"Webhook-Id": {job.Delivery.ID.String()}, "Webhook-Timestamp": {fmt.Sprint(now.Unix())}, "Webhook-Signature": {signature},
			},
			ResponseHeaders: http.Header{"Content-Length": {"0"}, "Date": {now.UTC().Format(http.TimeFormat)}},
		},
	}, now)
	if n := f.done.Add(1); err == nil && n%progressEvery == 0 {
		fmt.Fprintf(f.progress, "  %d of %d deliveries are in the table\n", n, f.want)
	}
	return err
}
