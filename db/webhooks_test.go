package db_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

var webhookTests = []test{
	{"round trip", testWebhookRoundTrip},
	{"created off", testCreatedOff},
	{"limit", testWebhookLimit},
	{"limit in parallel", testWebhookLimitParallel},
	{"draft goes with the creation", testCreateFromDraft},
	{"update", testUpdateWebhook},
	{"update and switch", testUpdateAndSwitch},
	{"update that lost the race", testUpdateConflict},
	{"on and off", testSetEnabled},
	{"rotate the secret", testRotateSecret},
	{"somebody says that the receiver has the secret", testMarkSecretStored},
	{"delete", testDeleteWebhook},
	{"10,000 tours", testLongFilter},
}

func testWebhookRoundTrip(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, plain := shop(t, s)
	want := addHook(t, s, a.ID, func(w *webhook.Webhook) {
		w.Name, w.URL, w.Format = "Büro 🚲 <\"'&>", "https://example.com/?x=%20&y=<>&ü", webhook.Native
		w.Events = []string{"cancelled", "wink:booking_created"}
		w.Channels, w.Tours = webhook.NewFilter(webhook.Include, []string{"3930"}), webhook.NewFilter(webhook.Exclude, []string{"2", "1"})
		w.Concurrency = 3
	})
	same(t, "webhook", must(s.Webhook(ctx, a.ID, want.ID))(t), want)
	same(t, "list", must(s.Webhooks(ctx, a.ID))(t), []*webhook.Webhook{plain, want})
	same(t, "created at", want.CreatedAt, t0)
}

func testCreatedOff(t *testing.T, s *db.Store) {
	a := newAccount(t, s)
	w := addHook(t, s, a.ID, func(w *webhook.Webhook) { w.Enabled = false })
	same(t, "health", w.Health, webhook.Health{OffAt: t0, OffReason: webhook.OffByUser, OffBy: by})
	same(t, "webhook", must(s.Webhook(t.Context(), a.ID, w.ID))(t), w)
}

func testWebhookLimit(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, other := newAccount(t, s), newAccount(t, s)
	ok(t, s.SetLimit(ctx, a.ID, 2, at(t0)))
	create := func() error {
		_, err := s.CreateWebhook(ctx, newHook(a.ID), nil, at(t0))
		return err
	}
	addHook(t, s, a.ID, func(w *webhook.Webhook) { w.Enabled = false })
	w := addHook(t, s, a.ID)
	wantError(t, "one that is off counts", create(), webhook.ErrLimit)
	must(s.DeleteWebhook(ctx, a.ID, w.ID, at(t0)))(t)
	ok(t, create())
	wantError(t, "full again", create(), webhook.ErrLimit)
	ok(t, s.SetLimit(ctx, a.ID, 3, at(t0)))
	ok(t, create())
	wantError(t, "full after raising", create(), webhook.ErrLimit)
	ok(t, s.SetLimit(ctx, a.ID, 1, at(t0)))
	same(t, "webhooks after lowering", len(must(s.Webhooks(ctx, a.ID))(t)), 3)
	addHook(t, s, other.ID) // another account's are its own
	_, err := s.CreateWebhook(ctx, newHook(a.ID+99), nil, at(t0))
	wantError(t, "no such account", err, webhook.ErrNotFound)
}

func testWebhookLimitParallel(t *testing.T, s *db.Store) {
	a := newAccount(t, s)
	for i := range webhook.DefaultLimit - 1 {
		addHook(t, s, a.ID, func(w *webhook.Webhook) { w.Name = fmt.Sprint("Webhook ", i) })
	}
	errs := make([]error, 50)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { _, errs[i] = s.CreateWebhook(t.Context(), newHook(a.ID), nil, at(t0)) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			wantError(t, "create", err, webhook.ErrLimit)
		}
	}
	same(t, "webhooks that were created", won, 1)
	same(t, "webhooks", len(must(s.Webhooks(t.Context(), a.ID))(t)), webhook.DefaultLimit)
}

func testCreateFromDraft(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	ok(t, s.SetLimit(ctx, a.ID, 1, at(t0)))
	first, second := newDraft(t, s, a.ID), newDraft(t, s, a.ID)
	must(s.CreateWebhook(ctx, newHook(a.ID), &first, at(t0)))(t)
	same(t, "drafts after creation", must(s.Drafts(ctx, a.ID))(t), []webhook.Draft{second})
	_, err := s.CreateWebhook(ctx, newHook(a.ID), &second, at(t0))
	wantError(t, "over the limit", err, webhook.ErrLimit)
	same(t, "drafts after the limit", must(s.Drafts(ctx, a.ID))(t), []webhook.Draft{second})
	ok(t, s.SetLimit(ctx, a.ID, 5, at(t0)))
	_, err = s.CreateWebhook(ctx, newHook(a.ID), &first, at(t0))
	wantError(t, "the same draft twice", err, webhook.ErrNotFound)
	same(t, "webhooks", len(must(s.Webhooks(ctx, a.ID))(t)), 1)
}

func testUpdateWebhook(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := newDraft(t, s, a.ID)
	want := *w
	want.Name, want.URL, want.Format, want.Concurrency = "New", "https://new.example/", webhook.Native, 5
	want.AllEvents, want.Events, want.Channels = false, []string{"cancelled"}, webhook.NewFilter(webhook.Include, []string{"1"})
	want.Tours = webhook.NewFilter(webhook.Exclude, []string{"15"})
	change := want // what a form may not change
	change.Secret, change.Enabled, change.CreatedAt = "whsec_other", false, time.Time{}
	ok(t, update(t, s, webhook.Update{Webhook: &change, Base: w.UpdatedAt, Draft: &d}, at(t0.Add(time.Second))))
	want.UpdatedAt, want.Circuit.Resets = t0.Add(time.Second), 1
	same(t, "webhook", must(s.Webhook(ctx, a.ID, w.ID))(t), &want)
	same(t, "drafts", len(must(s.Drafts(ctx, a.ID))(t)), 0)
}

// testUpdateAndSwitch: configuration and switch change in one transaction, or not
// at all.
func testUpdateAndSwitch(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	on, off := true, false
	w.Name = "Off now"
	before := must(s.UpdateWebhook(ctx, webhook.Update{Webhook: w, Enabled: &off}, at(t0)))(t)
	same(t, "as it was", []any{before.Name, before.Enabled}, []any{"Accounting", true})
	got := must(s.Webhook(ctx, a.ID, w.ID))(t)
	same(t, "as it is", []any{got.Name, got.Enabled, got.OffReason}, []any{"Off now", false, webhook.OffByUser})
	ingest(t, s, a.ID, some(2)...)
	w.Name = "On again"
	wantError(t, "a conflict", update(t, s, webhook.Update{Webhook: w, Enabled: &on, Base: t0.Add(-time.Hour)}, at(t0)), webhook.ErrConflict)
	same(t, "off still", must(s.Webhook(ctx, a.ID, w.ID))(t), skipping(got, 2))
	before = must(s.UpdateWebhook(ctx, webhook.Update{Webhook: w, Enabled: &on}, at(t0)))(t)
	same(t, "skipped while it was off", before.Skipped, 2)
	same(t, "what waited is due", ids(claim(t, s, w.ID, 9, t0)), []webhook.DeliveryID{d})
}

func skipping(w *webhook.Webhook, n int) *webhook.Webhook {
	w.Skipped = n
	return w
}

func testUpdateConflict(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	w := must(s.CreateWebhook(ctx, newHook(a.ID), nil, at(t0.Add(123456))))(t) // finer than what is stored
	base := w.UpdatedAt
	w.Name = "First"
	ok(t, update(t, s, webhook.Update{Webhook: w, Base: base}, at(t0))) // in the same millisecond as the creation
	d := newDraft(t, s, a.ID)
	w.Name = "Second"
	wantError(t, "old base", update(t, s, webhook.Update{Webhook: w, Base: base, Draft: &d}, at(t0)), webhook.ErrConflict)
	now := must(s.Webhook(ctx, a.ID, w.ID))(t)
	same(t, "name", now.Name, "First")
	same(t, "drafts", len(must(s.Drafts(ctx, a.ID))(t)), 1)
	ok(t, update(t, s, webhook.Update{Webhook: w, Base: now.UpdatedAt}, at(t0)))
	w.Name = "Third"
	ok(t, update(t, s, webhook.Update{Webhook: w}, at(t0))) // without a base the last one wins
	same(t, "name", must(s.Webhook(ctx, a.ID, w.ID))(t).Name, "Third")
	wantError(t, "draft that is gone", update(t, s, webhook.Update{Webhook: w, Draft: &webhook.Draft{ID: d.ID + 99}}, at(t0)), webhook.ErrNotFound)
}

func testSetEnabled(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	off := t0.Add(time.Second)
	before := must(s.SetEnabled(ctx, a.ID, w.ID, false, at(off)))(t)
	same(t, "before", before, w)
	before = must(s.SetEnabled(ctx, a.ID, w.ID, false, at(off.Add(time.Hour))))(t)
	same(t, "off twice keeps when", before.Health, webhook.Health{OffAt: off, OffReason: webhook.OffByUser, OffBy: by})
	same(t, "enabled", before.Enabled, false)
	ingest(t, s, a.ID, some(3)...)
	on := off.Add(time.Hour)
	before = must(s.SetEnabled(ctx, a.ID, w.ID, true, at(on)))(t)
	same(t, "skipped while off", before.Skipped, 3)
	w.Missed, w.OnAt, w.Circuit.Resets = webhook.Missed{Since: off, Until: on, Events: 3}, on, 2
	same(t, "on again", must(s.Webhook(ctx, a.ID, w.ID))(t), w)
	must(s.SetEnabled(ctx, a.ID, w.ID, false, at(off)))(t)
	same(t, "what it missed before is known", must(s.Webhook(ctx, a.ID, w.ID))(t).Missed, w.Missed)
	same(t, "skipped counts anew", must(s.Webhook(ctx, a.ID, w.ID))(t).Skipped, 0)
	same(t, "audit entries", len(must(s.Audit(ctx, a.ID, 0, 50))(t)), 5) // account, webhook, off, on, off
}

func testRotateSecret(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	ok(t, s.RotateSecret(ctx, a.ID, w.ID, w.SecretShownAt, "whsec_two", at(t0)))
	got := must(s.Webhook(ctx, a.ID, w.ID))(t)
	same(t, "at once", got.Secrets(t0), []string{"whsec_two", "whsec_one"})
	same(t, "just before the end", got.Secrets(t0.Add(webhook.SecretOverlap-1)), []string{"whsec_two", "whsec_one"})
	same(t, "at the end", got.Secrets(t0.Add(webhook.SecretOverlap)), []string{"whsec_two"})
	wantError(t, "the second press of two", s.RotateSecret(ctx, a.ID, w.ID, w.SecretShownAt, "whsec_three", at(t0)), webhook.ErrConflict)
	same(t, "after it", must(s.Webhook(ctx, a.ID, w.ID))(t), got)
	ok(t, s.RotateSecret(ctx, a.ID, w.ID, got.SecretShownAt, "whsec_three", at(t0)))
	same(t, "once more", must(s.Webhook(ctx, a.ID, w.ID))(t).Secrets(t0), []string{"whsec_three", "whsec_two"})
}

// testMarkSecretStored: what is recorded is about the secret that a person saw.
func testMarkSecretStored(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	same(t, "a program got it", w.SecretPending(), false)
	draft := must(s.SaveDraft(ctx, webhook.Draft{Account: a.ID, Config: newHook(a.ID).Config}, t0))(t)
	w = must(s.CreateWebhook(ctx, newHook(a.ID), &draft, at(t0)))(t)
	same(t, "a page got it", w.SecretPending(), true)
	same(t, "stored", must(s.Webhook(ctx, a.ID, w.ID))(t), w)
	first := w.SecretShownAt

	ok(t, s.RotateSecret(ctx, a.ID, w.ID, w.SecretShownAt, "whsec_two", at(t0)))
	wantError(t, "the secret before", s.MarkSecretStored(ctx, a.ID, w.ID, first, at(t0)), webhook.ErrConflict)
	w = must(s.Webhook(ctx, a.ID, w.ID))(t)
	ok(t, s.MarkSecretStored(ctx, a.ID, w.ID, w.SecretShownAt, at(t0)))
	ok(t, s.MarkSecretStored(ctx, a.ID, w.ID, w.SecretShownAt, webhook.Change{By: "somebody else", At: t0.Add(time.Hour)}))
	w = must(s.Webhook(ctx, a.ID, w.ID))(t)
	same(t, "who did it first", w.SecretStored, at(t0))
	same(t, "pending", w.SecretPending(), false)
	same(t, "audit", must(s.Audit(ctx, a.ID, 0, 1))(t)[0].Action, "webhook.secret_stored")

	ok(t, s.RotateSecret(ctx, a.ID, w.ID, w.SecretShownAt, "whsec_three", at(t0)))
	same(t, "pending again", must(s.Webhook(ctx, a.ID, w.ID))(t).SecretPending(), true)
}

func testDeleteWebhook(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	ids := deliver(t, s, a.ID, 4)
	claim(t, s, w.ID, 2, t0) // one will be on its way
	finish(t, s, success(ids[0], w.ID, 1), t0)
	stays := addHook(t, s, a.ID)
	now := t0.Add(time.Second)
	same(t, "cancelled", must(s.DeleteWebhook(ctx, a.ID, w.ID, at(now)))(t), 3)
	for i, want := range []webhook.State{webhook.Delivered, webhook.Cancelled, webhook.Cancelled, webhook.Cancelled} {
		same(t, fmt.Sprint("state of ", i), must(s.Delivery(ctx, a.ID, ids[i]))(t).State, want)
	}
	same(t, "finished", must(s.Delivery(ctx, a.ID, ids[3]))(t).Finished, now)
	_, err := s.Webhook(ctx, a.ID, w.ID)
	wantError(t, "find", err, webhook.ErrNotFound)
	_, err = s.DeleteWebhook(ctx, a.ID, w.ID, at(now))
	wantError(t, "again", err, webhook.ErrNotFound)
	same(t, "list", must(s.Webhooks(ctx, a.ID))(t), []*webhook.Webhook{stays})
	same(t, "names", must(s.WebhookNames(ctx, a.ID))(t), map[webhook.WebhookID]string{w.ID: w.Name, stays.ID: stays.Name})
	rows := must(s.Deliveries(ctx, a.ID, webhook.DeliveryFilter{Limit: 1}))(t).Rows
	same(t, "name in the log", rows[0].WebhookName, w.Name)
}

func testLongFilter(t *testing.T, s *db.Store) {
	a := newAccount(t, s)
	ids := make([]string, webhook.MaxFilterIDs)
	for i := range ids {
		ids[i] = fmt.Sprint("tour-", i)
	}
	w := addHook(t, s, a.ID, func(w *webhook.Webhook) { w.Tours = webhook.NewFilter(webhook.Include, ids) })
	same(t, "webhook", must(s.Webhook(t.Context(), a.ID, w.ID))(t), w)
}
