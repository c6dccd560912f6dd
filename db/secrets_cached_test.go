package db

import (
	"testing"
	"time"

	"bookhook/seal"
	"bookhook/webhook"
)

// TestDeliveriesDecryptNothing: as long as the webhooks of an account are as they
// were, accepting, claiming and finishing work with what was decrypted before.
func TestDeliveriesDecryptNothing(t *testing.T) {
	s, ctx := openTemp(t), t.Context()
	right, wrong := parseKey(t), parseKey(t)
	_, err := s.UseKey(ctx, right)
	wantErr(t, "key", err, nil)
	a := anAccount(t, s)
	hook := aHook(a.ID, false)
	hook.Secret = "whsec_one"
	w, err := s.CreateWebhook(ctx, hook, nil, changedAt(now))
	wantErr(t, "webhook", err, nil)
	_, err = s.Subscriptions(ctx, a.ID)
	wantErr(t, "subscriptions", err, nil)

	s.key = wrong // what is decrypted from now on fails
	for range 3 {
		_, err = s.Insert(ctx, planFor(t, s, a.ID, webhook.Event{Platform: webhook.DefaultPlatform, Type: "cancelled"}))
		wantErr(t, "insert", err, nil)
		jobs, _, err := s.Claim(ctx, webhook.Claim{Webhook: w.ID, N: 1, Now: now, Lease: now.Add(time.Minute)})
		wantErr(t, "claim", err, nil)
		want(t, "claimed", len(jobs), 1)
		want(t, "secret", jobs[0].Webhook.Secret, "whsec_one")
		_, err = s.Finish(ctx, webhook.Result{
			Delivery: jobs[0].Delivery.ID, Webhook: w.ID, State: webhook.Delivered, Attempt: webhook.Attempt{Number: 1, Status: 200},
		}, now)
		wantErr(t, "finish", err, nil)
	}
	if _, err := s.Webhook(ctx, a.ID, w.ID); err == nil {
		t.Error("the wrong key decrypts: this tests nothing")
	}
	s.key = right
}

func parseKey(tb testing.TB) *seal.Key {
	tb.Helper()
	key, err := seal.ParseKey(seal.NewKey())
	wantErr(tb, "key", err, nil)
	return key
}
