package db

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"bookhook/auth"
	"bookhook/db/group"
	"bookhook/stats"
	"bookhook/webhook"
)

// recorder is an engine that keeps the text of every statement.
type recorder struct {
	engine
	seen map[string]bool
}

func (r recorder) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r.seen[query] = true
	return r.engine.Query(ctx, query, args...)
}

func (r recorder) Write(ctx context.Context, turn group.Turn, do func(engineTx) error) error {
	return r.engine.Write(ctx, turn, func(tx engineTx) error { return do(recordedTx{tx, r.seen}) })
}

type recordedTx struct {
	engineTx
	seen map[string]bool
}

func (tx recordedTx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	tx.seen[query] = true
	return tx.engineTx.Query(ctx, query, args...)
}

func (tx recordedTx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	tx.seen[query] = true
	return tx.engineTx.Exec(ctx, query, args...)
}

// recorded are the statements of all methods that touch events, deliveries and
// attempts.
func recorded(tb testing.TB, s *Store) []string {
	tb.Helper()
	r := recorder{s.engine, map[string]bool{}}
	s.engine = r
	useEverything(tb, s)
	s.engine = r.engine
	return slices.Sorted(maps.Keys(r.seen))
}

func useEverything(tb testing.TB, s *Store) {
	tb.Helper()
	ctx, now := context.Background(), time.Now()
	var err error
	check := func(problem error) {
		tb.Helper()
		if problem != nil {
			tb.Fatal(problem)
		}
	}
	a, err := s.AddAccount(ctx, webhook.Account{Name: "A", TimeZone: "UTC", WebhookLimit: 10}, changedAt(now))
	check(err)
	w, err := s.CreateWebhook(ctx, aHook(a.ID, false), nil, changedAt(now))
	check(err)
	accepted, err := s.Insert(ctx, planFor(tb, s, a.ID, []webhook.Event{{ExternalID: "x", Platform: webhook.DefaultPlatform}}...))
	check(err)
	d := accepted[0].Decisions[0].Delivery
	_, err = s.Changes(ctx, a.ID)
	check(err)
	_, err = s.DeliveriesOf(ctx, a.ID, []webhook.DeliveryID{d})
	check(err)
	check(useStats(ctx, s, a.ID, w.ID, now))
	for _, newest := range []bool{false, true} {
		_, _, err = s.Claim(ctx, webhook.Claim{Webhook: w.ID, N: 1, Newest: newest, Now: now, Lease: now})
		check(err)
	}
	check(s.RecoverClaims(ctx, webhook.AllShards, now))
	check(s.CleanUp(ctx, false, now))
	useTries(ctx, s, now, check)
	check(s.RetryNow(ctx, w.ID, now))
	check(s.Release(ctx, d, 7, now, now))
	_, err = s.Finish(ctx, webhook.Result{Delivery: d, Webhook: w.ID, State: webhook.Failed, Attempt: webhook.Attempt{Number: 1, Failure: webhook.FailStatus}}, now)
	check(err)
	_, err = s.Attempts(ctx, a.ID, d, 0)
	check(err)
	_, err = s.Replay(ctx, a.ID, d, changedAt(now))
	check(err)
	check(s.Cancel(ctx, a.ID, d, changedAt(now)))
	useLists(ctx, s, a.ID, w.ID, check)
	_, err = s.Event(ctx, a.ID, accepted[0].Event.ID)
	check(err)
	_, err = s.EventID(ctx, a.ID, "x")
	check(err)
	useConnections(tb, s, a.ID, now)
	useOrder(tb, s, a.ID, check)
	lookups, err := s.Insert(ctx, planFor(tb, s, a.ID, []webhook.Event{{Platform: webhook.DefaultPlatform, BookingID: "1", Inbound: true, Lookup: true}, {Platform: webhook.DefaultPlatform, BookingID: "1", Inbound: true}}...))
	check(err)
	_, err = s.Lookups(ctx, webhook.AllShards, 0, 1)
	check(err)
	_, err = s.PendingEvent(ctx, a.ID, lookups[0].Event.ID)
	check(err)
	_, err = s.CompleteLookups(ctx, planFor(tb, s, a.ID, lookups[0].Event))
	check(err)
	_, err = s.Delivery(ctx, a.ID, d)
	check(err)
	useBookings(ctx, s, a.ID, check)
	if _, err = s.WaitsFor(ctx, a.ID, d); !errors.Is(err, webhook.ErrNotFound) {
		tb.Fatal(err)
	}
	useClients(ctx, s, a.ID, check)
	usePlanning(ctx, s, a.ID, w.ID, check)
	_, err = s.Due(ctx, webhook.AllShards)
	check(err)
	useReplays(tb, s, w, check)
	useReconciling(ctx, s, w, check)
	_, err = s.DeleteWebhook(ctx, a.ID, w.ID, changedAt(now))
	check(err)
	_, _, err = s.Prune(ctx, now, now, 0, 1)
	check(err)
}

// useTries counts an attempt and forgets it.
func useTries(ctx context.Context, s *Store, now time.Time, check func(error)) {
	try := auth.Try{Name: []byte("n"), Network: []byte("m"), MaxName: 1, MaxNetwork: 1, At: now, Since: now}
	_, err := s.CountTry(ctx, try)
	check(err)
	check(s.ForgiveTry(ctx, try))
	check(s.ForgetTries(ctx, now))
}

// useLists reads the lists with all filters.
func useLists(ctx context.Context, s *Store, account webhook.AccountID, hook webhook.WebhookID, check func(error)) {
	now := time.Now()
	for _, f := range []webhook.DeliveryFilter{{}, {State: webhook.Failed, Before: 1}, {State: webhook.Pending}, {State: webhook.Delivered}, {Webhook: hook}, {Event: 1}, {Booking: "1"}, {Booking: "1", Event: 1, State: webhook.Failed}, {Type: "x", Since: now}} {
		f.Limit = 5
		_, err := s.Deliveries(ctx, account, f)
		check(err)
		_, err = s.CountDeliveries(ctx, account, f)
		check(err)
	}
	for _, f := range []webhook.EventFilter{{}, {Before: 1}, {Booking: "1"}, {Booking: "1", Before: 1}, {Type: "x"}, {Channel: "y"}, {Since: now, Until: now}} {
		f.Limit = 5
		_, err := s.Events(ctx, account, f)
		check(err)
		_, err = s.CountEvents(ctx, account, f)
		check(err)
	}
}

// usePlanning plans a bulk replay.
func usePlanning(ctx context.Context, s *Store, account webhook.AccountID, hook webhook.WebhookID, check func(error)) {
	p, err := s.PlanReplay(ctx, account, webhook.ReplayRequest{}, changedAt(time.Now()))
	check(err)
	for _, r := range []webhook.ReplayRequest{{}, {IDs: []webhook.DeliveryID{1}}, {Deliveries: webhook.DeliveryFilter{State: webhook.Failed}}, {Deliveries: webhook.DeliveryFilter{Replay: p.ID}}} {
		_, err := s.Candidates(ctx, account, r, 0)
		check(err)
	}
	for _, f := range []webhook.EventFilter{{}, {Type: "x", Channel: "y"}} {
		_, _, err := s.CandidateEvents(ctx, account, f, 0)
		check(err)
	}
	_, err = s.LaterEvents(ctx, account, []webhook.EventID{1})
	check(err)
	check(s.EventData(ctx, account, []webhook.EventID{1}, nil))
	_, _, err = s.DeliveryStates(ctx, account, []webhook.DeliveryID{1}, p.ID)
	check(err)
	_, err = s.Speed(ctx, account, hook)
	check(err)
	for _, f := range []webhook.DeliveryFilter{{Replay: p.ID}, {Replay: p.ID, State: webhook.Failed}, {Replay: p.ID, Webhook: hook}, {Replay: p.ID, Booking: "1"}} {
		f.Limit = 5
		_, err := s.Deliveries(ctx, account, f)
		check(err)
		_, err = s.CountDeliveries(ctx, account, f)
		check(err)
	}
	check(s.DropReplay(ctx, account, p.ID))
}

// useReconciling compares a list with what a webhook was sent.
func useReconciling(ctx context.Context, s *Store, w *webhook.Webhook, check func(error)) {
	u, err := s.AddUpload(ctx, webhook.Upload{Account: w.Account})
	check(err)
	check(s.AddUploadBlock(ctx, w.Account, u.ID, 0, []byte("2")))
	_, err = s.CompleteUpload(ctx, w.Account, u.ID)
	check(err)
	_, err = s.UploadBlock(ctx, w.Account, u.ID, 0)
	check(err)
	r, err := s.PlanReconciliation(ctx, webhook.Reconciliation{Account: w.Account, ReconcileRequest: webhook.ReconcileRequest{Webhook: w.ID}})
	check(err)
	held := []webhook.HeldReference{{Key: "2", Reference: "2"}}
	_, err = s.AddHeld(ctx, w.Account, r.ID, held)
	check(err)
	_, err = s.SentBookings(ctx, w.Account, r.ReconcileRequest, 0)
	check(err)
	sent := []webhook.SentBooking{{Booking: "2", Delivery: 1}, {Booking: "3", Delivery: 1}}
	check(s.MatchHeld(ctx, w.Account, r.ID, sent, func(text string) string { return text }))
	_, err = s.UncomparedHeld(ctx, w.Account, r.ID, "")
	check(err)
	_, err = s.KnownBookings(ctx, w.Account, []string{"2"})
	check(err)
	check(s.HeldMatches(ctx, w.Account, r.ID, "", "2", func(webhook.BookingMatch) {}))
	check(s.SetHeld(ctx, w.Account, r.ID, held))
	check(s.SetLacking(ctx, w.Account, r.ID, sent))
	_, err = s.FinishReconciliation(ctx, r)
	check(err)
	_, err = s.LackingBookings(ctx, w.Account, r.ID, "", 5)
	check(err)
	_, err = s.UnsentHeld(ctx, w.Account, r.ID, "", 5)
	check(err)
	_, err = s.Candidates(ctx, w.Account, webhook.ReplayRequest{Deliveries: webhook.DeliveryFilter{Webhook: w.ID}, Lacking: r.ID}, 0)
	check(err)
	check(s.DropReconciliation(ctx, w.Account, r.ID))
	check(s.DropUpload(ctx, w.Account, u.ID))
}

// useBookings reads a booking that has an attempt, and searches for it.
func useBookings(ctx context.Context, s *Store, account webhook.AccountID, check func(error)) {
	found, err := s.BookingsFrom(ctx, account, "2", 5)
	check(err)
	for _, reference := range found {
		_, err = s.BookingEvents(ctx, account, reference, 0, 5)
		check(err)
	}
}

// useOrder sends three events of one booking in their order.
func useOrder(tb testing.TB, s *Store, account webhook.AccountID, check func(error)) {
	tb.Helper()
	ctx := tb.Context()
	now := time.Now()
	w, err := s.CreateWebhook(ctx, aHook(account, true), nil, changedAt(now))
	check(err)
	event := webhook.Event{Platform: webhook.DefaultPlatform, BookingID: "2"}
	p := planFor(tb, s, account, event, event, event)
	p.Events[0].Claim[1] = true
	accepted, err := s.Insert(ctx, p)
	check(err)
	d := accepted[0].Decisions[1].Delivery
	_, err = s.Finish(ctx, webhook.Result{Delivery: d, Webhook: w.ID, State: webhook.Failed, Attempt: webhook.Attempt{Number: 1, Failure: webhook.FailStatus}}, now)
	check(err)
	_, err = s.Replay(ctx, account, d, changedAt(now))
	check(err)
}

func useConnections(tb testing.TB, s *Store, account webhook.AccountID, now time.Time) {
	tb.Helper()
	ctx := tb.Context()
	c, err := s.SwitchPlatform(ctx, account, "wink", true, changedAt(now))
	for _, call := range []func() error{
		func() error { return err },
		func() error { _, err := s.ConnectionByToken(ctx, "wink", c.Token, now); return err },
		func() error { _, err := s.Connection(ctx, account, "wink"); return err },
		func() error { _, err := s.Connections(ctx, account); return err },
		func() error { _, err := s.RotateAddress(ctx, account, "wink", c.Token, changedAt(now)); return err },
		func() error { return s.SaveSettings(ctx, account, "wink", nil, changedAt(now)) },
		func() error { return s.ConnectionUsed(ctx, c, "", now) },
		func() error { return s.AddRejectedRequest(ctx, webhook.RejectedRequest{Account: account}, now) },
		func() error { _, err := s.RejectedRequests(ctx, account, 0, 5); return err },
		func() error { _, err := s.CountRejectedRequests(ctx, account); return err },
	} {
		if err := call(); err != nil {
			tb.Fatal(err)
		}
	}
}

func useClients(ctx context.Context, s *Store, account webhook.AccountID, check func(error)) {
	now := time.Now()
	c, err := s.AddClient(ctx, webhook.Client{Account: account}, []byte("h"), changedAt(now))
	check(err)
	_, err = s.Clients(ctx, account)
	check(err)
	_, _, err = s.ClientByID(ctx, c.ID)
	check(err)
	check(s.AddClientToken(ctx, c.ID, []byte("t"), "", now.Add(time.Hour), now))
	_, err = s.ClientToken(ctx, []byte("t"), now)
	check(err)
	check(s.RevokeClient(ctx, account, c.ID, changedAt(now)))
}

// useReplays replays in bulk what a webhook got, and what it did not get.
func useReplays(tb testing.TB, s *Store, w *webhook.Webhook, check func(error)) {
	tb.Helper()
	ctx, now := tb.Context(), time.Now()
	event := webhook.Event{Platform: webhook.DefaultPlatform, BookingID: "3"}
	in, err := s.Insert(ctx, planFor(tb, s, w.Account, event, event))
	check(err)
	for range 2 {
		p, err := s.PlanReplay(ctx, w.Account, webhook.ReplayRequest{}, changedAt(now))
		check(err)
		check(s.AddReplayItems(ctx, w.Account, p.ID, []webhook.ReplayItem{
			{Delivery: in[0].Decisions[0].Delivery, Event: in[0].Event.ID, Webhook: w.ID}, {Event: in[1].Event.ID, Webhook: w.ID},
		}))
		_, err = s.StartReplay(ctx, w.Account, p.ID, changedAt(now))
		check(err)
	}
	later := now.Add(time.Hour)
	for _, c := range []webhook.Claim{{N: 99}, {Bulk: 9}} {
		c.Webhook, c.Now, c.Lease = w.ID, later, later.Add(time.Hour)
		_, _, err := s.Claim(ctx, c)
		check(err)
	}
	_, err = s.BulkReplays(ctx, w.Account, 0, 9)
	check(err)
}

func useStats(ctx context.Context, s *Store, account webhook.AccountID, id webhook.WebhookID, now time.Time) error {
	_, all := s.Today(ctx, 0, now)
	_, today := s.Today(ctx, account, now)
	_, report := s.AccountStats(ctx, account, stats.Month, now)
	_, lines := s.Sparklines(ctx, account, []webhook.WebhookID{id}, now)
	_, silences := s.Silences(ctx, account, now)
	_, fold := s.FoldCounts(ctx)
	return errors.Join(all, today, report, lines, silences, fold)
}
