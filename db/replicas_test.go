package db_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/db/postgres/pgtest"
	"bookhook/webhook"
)

// TestFenced: what a process does with deliveries of accounts that another one holds is
// refused and changes nothing; what it changes for them, that one hears.
func TestFenced(t *testing.T) {
	ctx := t.Context()
	url := pgtest.Database(t, "template1")
	owner, other := must(db.Create(ctx, url, nil))(t), must(db.Create(ctx, url, nil))(t)
	heard, mail := make(chan webhook.Touched, 100), make(chan struct{}, 100)
	owner.Watch(func(all []webhook.Touched) {
		for _, touched := range all {
			heard <- touched
		}
	})
	owner.WatchOutbox(func() { mail <- struct{}{} })
	listening, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); owner.Listen(listening) }()
	t.Cleanup(func() { stop(); <-ended; owner.Close(); other.Close() })
	next := func(what string, want webhook.Touched) {
		t.Helper()
		select {
		case got := <-heard:
			same(t, what, got, want)
		case <-time.After(30 * time.Second):
			t.Fatal(what + ": nothing was heard")
		}
	}
	next("listening", webhook.Touched{What: webhook.TouchUnknown})
	<-mail
	must(owner.Lease(ctx, webhook.LeaseRequest{}))(t)
	must(other.Lease(ctx, webhook.LeaseRequest{}))(t)
	next("joined", webhook.Touched{What: webhook.TouchShards})

	a, w := shop(t, other)
	due := webhook.Touched{Account: a.ID, Webhook: w.ID, What: webhook.TouchDue}
	accepted := must(insert(t, other, a.ID, some(2), t0, lease, taken))(t)
	for _, in := range accepted {
		next("events came in", webhook.Touched{Account: a.ID, Webhook: w.ID, Delivery: in.Decisions[0].Delivery})
	}
	same(t, "jobs of the other", len(accepted[0].Jobs), 0)
	same(t, "waiting", accepted[0].Waiting, []webhook.WebhookID{w.ID})
	id := accepted[0].Decisions[0].Delivery
	c := webhook.Claim{Webhook: w.ID, N: 2, Now: t0, Lease: lease}
	_, _, err := other.Claim(ctx, c)
	wantError(t, "claim by the other", err, webhook.ErrNotHeld)
	same(t, "claimed", len(must(claimedBy(ctx, owner, c))(t)), 2)
	r := success(id, w.ID, 1)
	r.Account = a.ID
	_, err = other.Finish(ctx, r, t0)
	wantError(t, "finish by the other", err, webhook.ErrNotHeld)
	wantError(t, "release by the other", other.Release(ctx, id, 1, lease, t0), webhook.ErrNotHeld)
	wantError(t, "recovery by the other", other.RecoverClaims(ctx, 1<<webhook.ShardOf(a.ID), t0), webhook.ErrNotHeld)
	d := must(owner.Delivery(ctx, a.ID, id))(t)
	same(t, "after that", []any{d.State, d.Attempts, d.Completed, d.NextAt}, []any{webhook.Pending, 1, 0, lease})
	finish(t, owner, r, t0)
	must(other.Replay(ctx, a.ID, id, at(t0)))(t)
	next("replayed", webhook.Touched{Account: a.ID, Webhook: w.ID, What: webhook.TouchUrgent})
	must(other.SetEnabled(ctx, a.ID, w.ID, false, at(t0)))(t)
	next("switched off", webhook.Touched{Account: a.ID, Webhook: w.ID, What: webhook.TouchWebhook})
	must(other.SetEnabled(ctx, a.ID, w.ID, true, at(t0)))(t)
	next("switched on", webhook.Touched{Account: a.ID, Webhook: w.ID, What: webhook.TouchWebhook})
	next("its deliveries are due", due)

	e := ingest(t, other, a.ID, asked("one", "77"))[0].Event
	next("an event waits", webhook.Touched{Account: a.ID, What: webhook.TouchLookup})
	_, err = planned(t, other, a.ID, []webhook.Event{e}, t0, lease, waiting, other.CompleteLookups)
	wantError(t, "lookup by the other", err, webhook.ErrNotHeld)
	same(t, "matched", len(must(complete(t, owner, a.ID, []webhook.Event{e}, t0, waiting))(t)), 1)
	ok(t, other.Enqueue(ctx, t0, webhook.Mail{To: "a@example.com", Kind: webhook.MailReset}))
	next("a message", webhook.Touched{What: webhook.TouchMail})
	<-mail
}

// TestClaimNew: whoever serves an account claims by its id what another process stored for
// it, if that is as it was announced.
func TestClaimNew(t *testing.T) {
	ctx := t.Context()
	url := pgtest.Database(t, "template1")
	owner, other := must(db.Create(ctx, url, nil))(t), must(db.Create(ctx, url, nil))(t)
	t.Cleanup(func() { owner.Close(); other.Close() })
	must(owner.Lease(ctx, webhook.LeaseRequest{}))(t)
	must(other.Lease(ctx, webhook.LeaseRequest{}))(t)
	a, w := shop(t, other)
	off := addHook(t, other, a.ID)
	inOrder := addHook(t, other, a.ID, ordered)
	stored := must(insert(t, other, a.ID, some(2), t0, lease, taken))(t)
	must(other.SetEnabled(ctx, a.ID, off.ID, false, at(t0)))(t)
	var announced []webhook.Touched
	for _, accepted := range stored {
		for _, d := range accepted.Decisions {
			announced = append(announced, webhook.Touched{Account: a.ID, Webhook: d.Webhook, Delivery: d.Delivery})
		}
	}
	announced = append(announced, webhook.Touched{Account: a.ID, Webhook: w.ID, Delivery: 1}, webhook.Touched{Account: a.ID, Webhook: 1, Delivery: 2})
	same(t, "by the other", len(must(other.ClaimNew(ctx, announced, lease))(t)), 0)

	jobs := must(owner.ClaimNew(ctx, announced, lease))(t)
	same(t, "claimed", len(jobs), 3) // the second one in order is held, those of a webhook that is off stay
	for i, job := range jobs {
		same(t, "of which webhook", job.Webhook.ID, []webhook.WebhookID{w.ID, inOrder.ID, w.ID}[i])
		same(t, "of whom", job.Account.ID, a.ID)
		same(t, "the claim", []any{job.Delivery.Attempts, job.Delivery.NextAt, job.Urgent}, []any{1, lease, false})
		same(t, "its event", []any{job.Event.ID, string(job.Event.Data)}, []any{job.Delivery.Event, string(some(1)[0].Data)})
	}
	same(t, "again", len(must(owner.ClaimNew(ctx, announced, lease))(t)), 0)
	same(t, "in the table", len(must(claimedBy(ctx, owner, webhook.Claim{Webhook: w.ID, N: 9, Now: t0, Lease: lease}))(t)), 0)
	retried := failure(jobs[0].Delivery.ID, w.ID, 1, t0)
	retried.Account = a.ID
	finish(t, owner, retried, t0)
	same(t, "one that is no longer new", len(must(owner.ClaimNew(ctx, announced, lease))(t)), 0)
}

// TestNothingStale: what a process has read of an account and of its webhooks' health, it
// reads again after another one changed that.
func TestNothingStale(t *testing.T) {
	ctx := t.Context()
	url := pgtest.Database(t, "template1")
	one, two := must(db.Create(ctx, url, nil))(t), must(db.Create(ctx, url, nil))(t)
	t.Cleanup(func() { one.Close(); two.Close() })
	a, w := shop(t, one)
	pass := func(from, to *db.Store) {
		must(from.Lease(ctx, webhook.LeaseRequest{Leaving: true, GiveBack: webhook.AllShards}))(t)
		must(to.Lease(ctx, webhook.LeaseRequest{}))(t)
	}
	send := func(s *db.Store, at time.Time, result func(webhook.DeliveryID, webhook.WebhookID, int) webhook.Result) {
		t.Helper()
		d := must(insert(t, s, a.ID, some(1), at, at.Add(time.Hour), taken))(t)[0].Decisions[0].Delivery
		r := result(d, w.ID, 1)
		r.Account = a.ID
		must(s.Finish(ctx, r, at))(t)
	}
	fails := func(d webhook.DeliveryID, w webhook.WebhookID, n int) webhook.Result {
		return failure(d, w, n, time.Time{})
	}
	failingSince := func() time.Time { return must(one.Webhook(ctx, a.ID, w.ID))(t).FailingSince }
	pass(two, one)
	send(one, t0, success) // it knows now that all is well
	pass(one, two)
	send(two, t0.Add(time.Hour), fails)
	same(t, "failing since", failingSince(), t0.Add(time.Hour))
	pass(two, one)
	send(one, t0.Add(2*time.Hour), success)
	same(t, "recovered", failingSince().IsZero(), true)

	stale := must(one.Subscriptions(ctx, a.ID))(t)
	must(two.SetEnabled(ctx, a.ID, w.ID, false, at(t0)))(t)
	_, err := one.Insert(ctx, webhook.NewPlan(stale, some(1), t0, lease))
	wantError(t, "with what was read before", err, webhook.ErrStale)
}

// TestLargeIsNotAnnounced: an event with much data is not among those of which one write
// claims many.
func TestLargeIsNotAnnounced(t *testing.T) {
	ctx := t.Context()
	url := pgtest.Database(t, "template1")
	owner, other := must(db.Create(ctx, url, nil))(t), must(db.Create(ctx, url, nil))(t)
	heard := make(chan []webhook.Touched, 100)
	owner.Watch(func(all []webhook.Touched) { heard <- all })
	listening, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); owner.Listen(listening) }()
	t.Cleanup(func() { stop(); <-ended; owner.Close(); other.Close() })
	<-heard // it listens
	must(owner.Lease(ctx, webhook.LeaseRequest{}))(t)
	must(other.Lease(ctx, webhook.LeaseRequest{}))(t)
	<-heard
	a, w := shop(t, other)
	e := newEvent("")
	e.Data = []byte(`"` + strings.Repeat("x", 20_000) + `"`)
	must(insert(t, other, a.ID, []webhook.Event{e}, t0, lease, taken))(t)
	same(t, "heard", <-heard, []webhook.Touched{{Account: a.ID, Webhook: w.ID, What: webhook.TouchDue}})
}

func claimedBy(ctx context.Context, s *db.Store, c webhook.Claim) ([]webhook.Job, error) {
	jobs, _, err := s.Claim(ctx, c)
	return jobs, err
}
