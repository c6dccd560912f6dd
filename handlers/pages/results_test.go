package pages

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"bookhook/db"
	"bookhook/db/dbtest"
	"bookhook/messages"
	"bookhook/views"
	"bookhook/webhook"
)

// asking is a test of the wait for a result, on a false clock and a real database.
func asking(t *testing.T, test func(t *testing.T, pg *Pages, s *db.Store, asked webhook.Delivery)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))) // ids have a time
		check := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		s := dbtest.New(t)
		by := webhook.Change{By: "anna@example.com", At: time.Now()}
		a, err := s.AddAccount(t.Context(), webhook.Account{Number: 1, Name: "River Tours", TimeZone: "UTC", WebhookLimit: 1}, by)
		check(err)
		config := webhook.NewConfig(nil)
		config.Name, config.URL, config.AllEvents = "Accounting", "https://example.com", true
		w, err := s.CreateWebhook(t.Context(), &webhook.Webhook{Account: a.ID, Config: config, Secret: webhook.NewSecret()}, nil, by)
		check(err)
		d, err := s.Test(t.Context(), a.ID, w.ID, webhook.Event{Type: "cancelled"}, time.Now())
		check(err)
		test(t, New(Options{Store: Store{DeliveryStore: s}}), s, d)
	})
}

// wait waits for a result, and returns for how long it did.
func wait(ctx context.Context, t *testing.T, pg *Pages, asked webhook.Delivery) (webhook.Delivery, time.Duration) {
	began := time.Now()
	d, err := pg.awaitResult(ctx, asked)
	if err != nil {
		t.Error(err)
	}
	return d, time.Since(began)
}

// TestResultIsAwaited: the response says what the receiver answered as soon as that is
// stored.
func TestResultIsAwaited(t *testing.T) {
	asking(t, func(t *testing.T, pg *Pages, s *db.Store, asked webhook.Delivery) {
		go func() {
			time.Sleep(time.Second)
			jobs, _, err := s.Claim(t.Context(), webhook.Claim{Webhook: asked.Webhook, Urgent: 1, Now: time.Now(), Lease: time.Now().Add(time.Minute)})
			if err != nil || len(jobs) != 1 {
				t.Errorf("got %d claimed, %v", len(jobs), err)
			}
			time.Sleep(time.Second)
			_, err = s.Finish(t.Context(), webhook.Result{
				Delivery: asked.ID, Webhook: asked.Webhook, State: webhook.Delivered, Test: true, Attempt: webhook.Attempt{Number: 1, Status: 204},
			}, time.Now())
			if err != nil {
				t.Error(err)
			}
		}()
		d, took := wait(t.Context(), t, pg, asked)
		if took < 2*time.Second || took > 2*time.Second+resultPause || d.State != webhook.Delivered || d.Last.Status != 204 {
			t.Errorf("got %+v after %s, want it delivered when that was stored", d, took)
		}
	})
}

// TestResultIsAwaitedForSomeTime: after five seconds the page is shown without it, and
// says that it follows; when the time of the request is over, too.
func TestResultIsAwaitedForSomeTime(t *testing.T) {
	asking(t, func(t *testing.T, pg *Pages, _ *db.Store, asked webhook.Delivery) {
		d, took := wait(t.Context(), t, pg, asked)
		if took < resultWait || took > resultWait+2*resultPause {
			t.Errorf("got an answer after %s, want it after %s", took, resultWait)
		}
		said := resultMessages(d, asked, nil, time.UTC)
		if len(said) != 1 || messages.Text(said[0]) != "No answer yet; this page shows it when it is there." {
			t.Errorf("got %v", said)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second+resultPause/2) // between two looks
		defer cancel()
		if _, took := wait(ctx, t, pg, asked); took > time.Second+resultPause {
			t.Errorf("got an answer after %s, want it when the request ended", took)
		}
		if left := len(takeWaits(pg, asked)); left != maxWaits {
			t.Errorf("%d may wait, want %d", left, maxWaits)
		}
	})
}

// TestResultOfPaused: the next attempt is not announced for a time at which the webhook
// is still paused.
func TestResultOfPaused(t *testing.T) {
	now := time.Now().Truncate(24 * time.Hour)
	d := webhook.Delivery{State: webhook.Pending, Attempts: 1, Completed: 1, NextAt: now.Add(time.Minute), Last: webhook.Outcome{Status: 503, Failure: webhook.FailStatus}}
	for paused, want := range map[webhook.Circuit]time.Time{
		{}:                                  d.NextAt,
		{ProbeAt: now}:                      d.NextAt,
		{ProbeAt: now.Add(5 * time.Minute)}: now.Add(5 * time.Minute),
	} {
		said := resultMessages(d, webhook.Delivery{State: webhook.Pending}, &webhook.Webhook{Circuit: paused}, time.UTC)
		if want := "Next attempt at " + views.Clock(want, time.Now(), time.UTC) + "."; len(said) != 2 || said[0].Code != "result.refused" || messages.Text(said[1]) != want {
			t.Errorf("paused until %s: got %v, want %q", paused.ProbeAt, said, want)
		}
	}
}

// takeWaits takes the places of an account that are left, as responses that wait do.
func takeWaits(pg *Pages, asked webhook.Delivery) (taken []func()) {
	for {
		giveBack := pg.waiting.Take(asked.Account)
		if giveBack == nil {
			return taken
		}
		taken = append(taken, giveBack)
	}
}

// TestFewWaitForResults: while as many responses of an account wait as may, a further one does not.
func TestFewWaitForResults(t *testing.T) {
	asking(t, func(t *testing.T, pg *Pages, _ *db.Store, asked webhook.Delivery) {
		taken := takeWaits(pg, asked)
		if d, took := wait(t.Context(), t, pg, asked); took != 0 || d != asked {
			t.Errorf("got %+v after %s, want no wait", d, took)
		}
		taken[0]()
		if _, took := wait(t.Context(), t, pg, asked); took < resultWait {
			t.Errorf("got an answer after %s, want the place of one that has ended", took)
		}
		if left := len(takeWaits(pg, asked)); left != 1 {
			t.Errorf("%d may wait, want 1", left)
		}
	})
}
