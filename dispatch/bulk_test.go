package dispatch_test

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/webhook"
)

// bulkReceiver answers with a status, and keeps which deliveries came how often.
type bulkReceiver struct {
	mu     sync.Mutex
	status int
	got    map[string]int
}

func (b *bulkReceiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.status == http.StatusOK {
		b.got[r.Header.Get("Webhook-Id")]++
	}
	w.WriteHeader(b.status)
}

func (b *bulkReceiver) answers(status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status = status
}

// received is how many deliveries arrived, and how often one of them at most.
func (b *bulkReceiver) received() (all, most int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.got {
		most = max(most, n)
	}
	return len(b.got), most
}

func newBulkReceiver() *bulkReceiver {
	return &bulkReceiver{status: http.StatusOK, got: map[string]int{}}
}

// lost are deliveries that a webhook has failed for good, two of each booking. The
// dispatcher does not run yet.
func (r *rig) lost(w *webhook.Webhook, n int) (all []webhook.Delivery) {
	r.Helper()
	list := events(n)
	for i := range list {
		list[i].BookingID = fmt.Sprint(1000 + i/2)
	}
	plan := webhook.NewPlan(must(r.store.Subscriptions(r.Context(), r.account.ID))(r), list, time.Now(), time.Now())
	accepted := must(r.store.Insert(r.Context(), plan))(r)
	for left := n; left > 0; {
		jobs, _, err := r.store.Claim(r.Context(), webhook.Claim{Webhook: w.ID, N: n, Now: time.Now(), Lease: time.Now().Add(time.Hour)})
		if err != nil || len(jobs) == 0 {
			r.Fatalf("got %d claimed, %v", len(jobs), err)
		}
		for _, job := range jobs {
			must(r.store.Store.Finish(r.Context(), webhook.Result{
				Delivery: job.Delivery.ID, Webhook: w.ID, State: webhook.Failed, Test: true, Attempt: webhook.Attempt{Number: 1, Failure: webhook.FailRefused},
			}, time.Now()))(r)
		}
		left -= len(jobs)
	}
	for _, a := range accepted {
		all = append(all, r.delivery(a.Decisions[0].Delivery))
	}
	return all
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

// bulk starts a replay of deliveries.
func (r *rig) bulk(request webhook.ReplayRequest, deliveries []webhook.Delivery) webhook.Replay {
	r.Helper()
	request.All = true
	p := must(r.store.PlanReplay(r.Context(), r.account.ID, request, byTest()))(r)
	items := make([]webhook.ReplayItem, len(deliveries))
	for i, d := range deliveries {
		items[i] = webhook.ReplayItem{Delivery: d.ID, Event: d.Event, Webhook: d.Webhook}
	}
	if err := r.store.AddReplayItems(r.Context(), r.account.ID, p.ID, items); err != nil {
		r.Fatal(err)
	}
	return must(r.store.StartReplay(r.Context(), r.account.ID, p.ID, byTest()))(r)
}

// waitReplay waits until a replay is as wanted.
func (r *rig) waitReplay(p webhook.Replay, what string, wanted func(webhook.Replay) bool) webhook.Replay {
	r.Helper()
	for end := time.Now().Add(90 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		got := must(r.store.BulkReplay(r.Context(), r.account.ID, p.ID))(r)
		if wanted(got) {
			return got
		}
		if time.Now().After(end) {
			r.Fatalf("not %s after 90 seconds: %+v", what, got)
		}
	}
}

func isDone(p webhook.Replay) bool { return p.State == webhook.ReplayDone }

// TestBulkReplay: a thousand failed deliveries arrive once each, in the order of their
// bookings, also if the process ends in the middle.
func TestBulkReplay(t *testing.T) {
	r := newRig(t)
	in := newBulkReceiver()
	w := r.hook(receiver(t, in.ServeHTTP).URL, ordered)
	lost := r.lost(w, 1000)
	p := r.bulk(webhook.ReplayRequest{}, lost)
	r.run(dispatch.Options{})
	r.waitReplay(p, "in the middle", func(p webhook.Replay) bool { return p.Delivered >= 100 })
	r.stop()
	if got := must(r.store.BulkReplay(t.Context(), r.account.ID, p.ID))(t); got.State != webhook.ReplayRunning || got.Delivered >= 1000 {
		t.Errorf("got %+v, want a replay that still runs", got)
	}
	r.run(dispatch.Options{})
	got := r.waitReplay(p, "done", isDone)
	if got.Total != 1000 || got.Sent != 1000 || got.Delivered != 1000 || got.Failed != 0 || got.LeftOut != 0 {
		t.Errorf("got %+v, want all delivered", got)
	}
	if all, most := in.received(); all != 1000 || most != 1 {
		t.Errorf("got %d deliveries, one of them %d times, want 1000 once each", all, most)
	}
	for i := 0; i < len(lost); i += 100 { // each booking has two
		first, second := r.attempts(lost[i].ID), r.attempts(lost[i+1].ID)
		if end := first[len(first)-1]; second[len(second)-1].StartedAt.Before(end.StartedAt.Add(end.Duration).Truncate(time.Millisecond)) {
			t.Errorf("the second of booking %s was sent before the first had ended", lost[i].BookingID)
		}
	}
}

// TestBulkReplayPauses: while the circuit is open or the webhook is off nothing of it
// is sent, and afterwards it goes on.
func TestBulkReplayPauses(t *testing.T) {
	r := newRig(t)
	in := newBulkReceiver()
	w := r.hook(receiver(t, in.ServeHTTP).URL)
	lost := r.lost(w, 60)
	in.answers(http.StatusServiceUnavailable)
	r.run(dispatch.Options{})
	p := r.bulk(webhook.ReplayRequest{}, lost)
	for end := time.Now().Add(30 * time.Second); !r.circuit(w).Open(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the circuit did not open")
		}
	}
	if got := must(r.store.BulkReplay(t.Context(), r.account.ID, p.ID))(t); got.Sent >= 30 {
		t.Errorf("got %d sent with an open circuit, want few", got.Sent)
	}
	must(r.store.SetEnabled(t.Context(), r.account.ID, w.ID, false, byTest()))(t)
	in.answers(http.StatusOK)
	time.Sleep(50 * time.Millisecond)
	before := must(r.store.BulkReplay(t.Context(), r.account.ID, p.ID))(t)
	time.Sleep(100 * time.Millisecond)
	if got := must(r.store.BulkReplay(t.Context(), r.account.ID, p.ID))(t); got.Sent != before.Sent || isDone(got) {
		t.Errorf("got %+v while the webhook is off, want %+v", got, before)
	}
	must(r.store.SetEnabled(t.Context(), r.account.ID, w.ID, true, byTest()))(t)
	r.waitReplay(p, "done, all delivered", func(p webhook.Replay) bool { return isDone(p) && p.Delivered == 60 })
}

// TestBulkReplayCancelled: nothing is sent that was not claimed, and a rate is kept.
func TestBulkReplayCancelled(t *testing.T) {
	r := newRig(t)
	in := newBulkReceiver()
	w := r.hook(receiver(t, in.ServeHTTP).URL)
	lost := r.lost(w, 100)
	r.run(dispatch.Options{})
	began := time.Now()
	p := r.bulk(webhook.ReplayRequest{Rate: webhook.Rate{Requests: 50, Per: webhook.Second}}, lost)
	got := r.waitReplay(p, "begun", func(p webhook.Replay) bool { return p.Delivered >= 10 })
	if most := int(time.Since(began)/(20*time.Millisecond)) + 7; got.Sent > most {
		t.Errorf("got %d sent after %s, want %d at most", got.Sent, time.Since(began), most)
	}
	must(r.store.CancelReplay(t.Context(), r.account.ID, p.ID, byTest()))(t)
	r.stop()
	all, _ := in.received()
	if got := must(r.store.BulkReplay(t.Context(), r.account.ID, p.ID))(t); got.Sent != all || all >= 100 || got.State != webhook.ReplayCancelled {
		t.Errorf("got %d sent of %+v, want what was claimed before it was cancelled", all, got)
	}
}
