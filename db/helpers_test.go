package db_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/messages"
	"bookhook/webhook"
)

// by is who changes things in these tests.
const by = "ops@example.com"

// at is a change by that person.
func at(t time.Time) webhook.Change { return webhook.Change{By: by, At: t} }

// t0 is when these tests happen. It is the real time, since ids are made by
// the clock; a later moment is t0 and something.
var t0 = time.Now().UTC().Truncate(time.Millisecond)

// lease is when a claim made at t0 ends.
var lease = t0.Add(time.Minute)

// must returns the value, or ends the test with the error.
func must[T any](v T, err error) func(testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func ok(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// same compares whole values.
func same[T any](tb testing.TB, what string, got, want T) {
	tb.Helper()
	if !reflect.DeepEqual(got, want) {
		tb.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func wantError(tb testing.TB, what string, got, want error) {
	tb.Helper()
	if !errors.Is(got, want) {
		tb.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

// wantInvalid checks that the field is the one that is wrong.
func wantInvalid(tb testing.TB, got error, field, text string) {
	tb.Helper()
	invalid, is := errors.AsType[webhook.Invalid](got)
	if !is || len(invalid) != 1 || !strings.Contains(messages.Text(invalid[field]), text) {
		tb.Errorf("got error %v, want webhook.Invalid of %s with %q", got, field, text)
	}
}

func newAccount(tb testing.TB, s *db.Store) webhook.Account {
	tb.Helper()
	a := webhook.Account{Name: "Sail & Sea ⛵", TimeZone: "Europe/Berlin", WebhookLimit: webhook.DefaultLimit, CreatedAt: t0}
	return must(s.AddAccount(tb.Context(), a, at(t0)))(tb)
}

// useWink switches on another platform than TourCMS, which every account uses.
func useWink(tb testing.TB, s *db.Store, account webhook.AccountID) {
	tb.Helper()
	must(s.SwitchPlatform(tb.Context(), account, "wink", true, at(t0)))(tb)
}

// newHook is a webhook that takes everything, changed as told.
func newHook(account webhook.AccountID, changes ...func(*webhook.Webhook)) *webhook.Webhook {
	w := &webhook.Webhook{
		Account: account, Enabled: true, Secret: "whsec_one",
		Config: webhook.Config{
			Name: "Accounting", URL: "https://example.com/hook?a=1", Kind: webhook.Async, Format: webhook.Standard, AllEvents: true,
			Channels: webhook.NewFilter(webhook.All, nil), Tours: webhook.NewFilter(webhook.All, nil), Concurrency: webhook.DefaultConcurrency,
		},
	}
	for _, change := range changes {
		change(w)
	}
	return w
}

func update(tb testing.TB, s *db.Store, u webhook.Update, change webhook.Change) error {
	tb.Helper()
	_, err := s.UpdateWebhook(tb.Context(), u, change)
	return err
}

func addHook(tb testing.TB, s *db.Store, account webhook.AccountID, changes ...func(*webhook.Webhook)) *webhook.Webhook {
	tb.Helper()
	return must(s.CreateWebhook(tb.Context(), newHook(account, changes...), nil, at(t0)))(tb)
}

// shop is an account with one webhook that takes everything.
func shop(tb testing.TB, s *db.Store) (webhook.Account, *webhook.Webhook) {
	tb.Helper()
	a := newAccount(tb, s)
	return a, addHook(tb, s, a.ID)
}

// newEvent is a cancelled booking with the sender's id ("": none).
func newEvent(external string) webhook.Event {
	return webhook.Event{
		ExternalID: external, Platform: webhook.DefaultPlatform, Type: "cancelled", ChannelID: "3930", BookingID: "1234",
		TourIDs: []string{"12", "15"}, OccurredAt: t0.Add(-time.Hour), Data: []byte("{\"note\": \"späte Buchung 🎟\" }\n"),
	}
}

// some are n events without ids.
func some(n int) []webhook.Event {
	events := make([]webhook.Event, n)
	for i := range events {
		events[i] = newEvent("")
	}
	return events
}

func taken(*webhook.Webhook) bool   { return true }
func waiting(*webhook.Webhook) bool { return false }

// insert stores events at a time, claiming a place for each webhook that take wants
// one for.
func insert(tb testing.TB, s *db.Store, account webhook.AccountID, events []webhook.Event, now, lease time.Time, take func(*webhook.Webhook) bool) ([]webhook.Accepted, error) {
	tb.Helper()
	return planned(tb, s, account, events, now, lease, take, s.Insert)
}

// planned makes a plan and stores it, anew if the webhooks changed meanwhile.
func planned(tb testing.TB, s *db.Store, account webhook.AccountID, events []webhook.Event, now, lease time.Time, take func(*webhook.Webhook) bool,
	store func(context.Context, *webhook.Plan) ([]webhook.Accepted, error),
) ([]webhook.Accepted, error) {
	tb.Helper()
	ctx := context.WithoutCancel(tb.Context())
	for {
		subscriptions, err := s.Subscriptions(ctx, account)
		if err != nil {
			return nil, err
		}
		p := webhook.NewPlan(subscriptions, events, now, lease)
		for _, e := range p.Events {
			for i, d := range e.Decisions {
				e.Claim[i] = d.Reason == webhook.Matched && take(subscriptions.Webhooks[i])
			}
		}
		accepted, err := store(ctx, p)
		if !errors.Is(err, webhook.ErrStale) {
			return accepted, err
		}
	}
}

// ingest stores events at t0, none of them claimed.
func ingest(tb testing.TB, s *db.Store, account webhook.AccountID, events ...webhook.Event) []webhook.Accepted {
	tb.Helper()
	return must(insert(tb, s, account, events, t0, lease, waiting))(tb)
}

// deliver makes n pending deliveries for the only webhook of the account.
func deliver(tb testing.TB, s *db.Store, account webhook.AccountID, n int) []webhook.DeliveryID {
	tb.Helper()
	ids := make([]webhook.DeliveryID, n)
	for i, a := range ingest(tb, s, account, some(n)...) {
		ids[i] = a.Decisions[0].Delivery
	}
	return ids
}

// claim takes up to n deliveries at a time, with a lease of a minute.
func claim(tb testing.TB, s *db.Store, hook webhook.WebhookID, n int, at time.Time) []webhook.Job {
	tb.Helper()
	jobs, _, err := s.Claim(tb.Context(), webhook.Claim{Webhook: hook, N: n, Now: at, Lease: at.Add(time.Minute)})
	ok(tb, err)
	return jobs
}

// success and failure are how the numbered attempt of a delivery ended.
func success(d webhook.DeliveryID, hook webhook.WebhookID, number int) webhook.Result {
	return webhook.Result{
		Delivery: d, Webhook: hook, State: webhook.Delivered,
		Attempt: webhook.Attempt{
			Number: number, StartedAt: t0, Duration: 12 * time.Millisecond, Status: 200, Method: http.MethodPost, URL: "https://example.com/hook",
		},
	}
}

func failure(d webhook.DeliveryID, hook webhook.WebhookID, number int, next time.Time) webhook.Result {
	r := success(d, hook, number)
	r.Attempt.Status, r.Attempt.Failure, r.Attempt.Error = 500, webhook.FailStatus, webhook.NewMessage("failure.status", 500)
	r.State, r.NextAt = webhook.Pending, next
	if next.IsZero() {
		r.State = webhook.Failed
	}
	return r
}

func finish(tb testing.TB, s *db.Store, r webhook.Result, now time.Time) webhook.OffReason {
	tb.Helper()
	r.Account = must(s.AccountOf(tb.Context(), r.Webhook))(tb)
	return must(s.Finish(tb.Context(), r, now))(tb).Off
}

// numbers are those of the attempts in the log of a delivery.
func numbers(tb testing.TB, s *db.Store, account webhook.AccountID, delivery webhook.DeliveryID) []int {
	tb.Helper()
	got := []int{}
	for _, a := range must(s.Attempts(tb.Context(), account, delivery, 0))(tb) {
		got = append(got, a.Number)
	}
	return got
}
