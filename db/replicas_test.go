package db_test

import (
	"context"
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
	next("events came in", due)
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

func claimedBy(ctx context.Context, s *db.Store, c webhook.Claim) ([]webhook.Job, error) {
	jobs, _, err := s.Claim(ctx, c)
	return jobs, err
}
