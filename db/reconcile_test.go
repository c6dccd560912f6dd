package db_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/reconcile"
	"bookhook/webhook"
)

var reconcileTests = []test{
	{"an upload in blocks", testUpload},
	{"the newest uploads and comparisons are kept", testReconciliationsBounded},
	{"old ones go", testReconciliationsPruned},
	{"what was sent and is lacking", testReconcileLacking},
	{"what is held and was never sent", testReconcileUnsent},
	{"the newest delivery behind the period", testReconcileNewest},
	{"nothing is left of one that fails", testReconcileFails},
	{"a replay of what is lacking", testCandidatesLacking},
}

// uploaded is a list that was uploaded.
func uploaded(tb testing.TB, s *db.Store, account webhook.AccountID, text string) webhook.Upload {
	tb.Helper()
	u := must(s.AddUpload(tb.Context(), webhook.Upload{Account: account, Name: "held.csv", Created: at(time.Now())}))(tb)
	number := 0
	for block := range slices.Chunk([]byte(text), webhook.UploadBlock) {
		ok(tb, s.AddUploadBlock(tb.Context(), account, u.ID, number, block))
		number++
	}
	return must(s.CompleteUpload(tb.Context(), account, u.ID))(tb)
}

// comparing is a comparison that has not finished, with references that are held.
func comparing(tb testing.TB, s *db.Store, w *webhook.Webhook, held ...string) webhook.Reconciliation {
	tb.Helper()
	r := must(s.PlanReconciliation(tb.Context(), webhook.Reconciliation{
		Account: w.Account, ReconcileRequest: webhook.ReconcileRequest{Webhook: w.ID}, Created: at(time.Now()),
	}))(tb)
	for _, reference := range held {
		must(s.AddHeld(tb.Context(), w.Account, r.ID, []webhook.HeldReference{{Key: reference, Reference: reference}}))(tb)
	}
	return r
}

// compared is a comparison that has finished: what is held never came in, and one
// booking is lacking.
func compared(tb testing.TB, s *db.Store, w *webhook.Webhook, held ...string) webhook.ReconciliationID {
	tb.Helper()
	r := comparing(tb, s, w, held...)
	ok(tb, s.MatchHeld(tb.Context(), w.Account, r.ID, []webhook.SentBooking{{Booking: "L1", Delivery: 1}}, reconcile.Key))
	for _, reference := range held {
		ok(tb, s.SetHeld(tb.Context(), w.Account, r.ID, []webhook.HeldReference{{Key: reference, Outcome: webhook.HeldUnknown}}))
	}
	return must(s.FinishReconciliation(tb.Context(), r))(tb).ID
}

func booked(reference, kind string) webhook.Event {
	e := newEvent("")
	e.BookingID, e.Type = reference, kind
	return e
}

// reconciled compares a list with what a webhook was sent.
func reconciled(tb testing.TB, s *db.Store, r webhook.ReconcileRequest, account webhook.AccountID, text string) webhook.Reconciliation {
	tb.Helper()
	return must(reconcile.New(s).Compare(tb.Context(), uploaded(tb, s, account, text), r, at(time.Now())))(tb)
}

func testUpload(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, _ := shop(t, s)
	u := must(s.AddUpload(ctx, webhook.Upload{Account: a.ID, Name: "held.csv", Created: at(t0)}))(t)
	_, err := s.Upload(ctx, a.ID, u.ID)
	wantError(t, "one that is not complete", err, webhook.ErrNotFound)
	ok(t, s.AddUploadBlock(ctx, a.ID, u.ID, 0, []byte("abc")))
	ok(t, s.AddUploadBlock(ctx, a.ID, u.ID, 1, []byte("de")))
	u.Size = 5
	same(t, "complete", must(s.CompleteUpload(ctx, a.ID, u.ID))(t), u)
	same(t, "found", must(s.Upload(ctx, a.ID, u.ID))(t), u)
	same(t, "block", string(must(s.UploadBlock(ctx, a.ID, u.ID, 1))(t)), "de")
	wantError(t, "a block of a complete one", s.AddUploadBlock(ctx, a.ID, u.ID, 2, []byte("f")), webhook.ErrNotFound)
	_, err = s.CompleteUpload(ctx, a.ID, u.ID)
	wantError(t, "completed twice", err, webhook.ErrNotFound)
	ok(t, s.DropUpload(ctx, a.ID, u.ID))
	_, err = s.UploadBlock(ctx, a.ID, u.ID, 1)
	wantError(t, "a block of one that was dropped", err, webhook.ErrNotFound)
}

func testReconciliationsBounded(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	first := uploaded(t, s, a.ID, "B1")
	for range webhook.MaxUploads {
		uploaded(t, s, a.ID, "B1")
	}
	_, err := s.Upload(ctx, a.ID, first.ID)
	wantError(t, "the oldest upload", err, webhook.ErrNotFound)
	oldest := compared(t, s, w, "B1")
	var newest webhook.ReconciliationID
	for range webhook.MaxReconciliations {
		newest = compared(t, s, w, "B1")
	}
	_, err = s.Reconciliation(ctx, a.ID, oldest)
	wantError(t, "the oldest comparison", err, webhook.ErrNotFound)
	same(t, "its rows", len(must(s.UnsentHeld(ctx, a.ID, oldest, "", 9))(t))+len(must(s.LackingBookings(ctx, a.ID, oldest, "", 9))(t)), 0)
	all := must(s.Reconciliations(ctx, a.ID))(t)
	same(t, "kept", []any{len(all), all[0].ID}, []any{webhook.MaxReconciliations, newest})
}

func testReconciliationsPruned(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	u, r := uploaded(t, s, a.ID, "B1"), compared(t, s, w, "B1", "B2")
	prune := func(now time.Time) {
		for deleted := int64(1); deleted > 0; {
			var err error
			deleted, _, err = s.Prune(ctx, t0, now, 0, 1)
			ok(t, err)
		}
	}
	now := time.Now()
	prune(now.Add(webhook.KeepUpload - time.Minute))
	must(s.Upload(ctx, a.ID, u.ID))(t)
	prune(now.Add(webhook.KeepUpload + time.Minute))
	_, err := s.UploadBlock(ctx, a.ID, u.ID, 0)
	wantError(t, "an old upload", err, webhook.ErrNotFound)
	must(s.Reconciliation(ctx, a.ID, r))(t)
	prune(now.Add(webhook.KeepReconciliation + time.Minute))
	_, err = s.Reconciliation(ctx, a.ID, r)
	wantError(t, "an old comparison", err, webhook.ErrNotFound)
	same(t, "its rows", len(must(s.UnsentHeld(ctx, a.ID, r, "", 9))(t))+len(must(s.LackingBookings(ctx, a.ID, r, "", 9))(t)), 0)
}

func testReconcileLacking(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	var last webhook.DeliveryID
	for _, e := range []webhook.Event{booked("TC 1", "new_confirmed_web"), booked("tc-2", "new_confirmed_web"), booked("TC-3", "new_confirmed_web"), booked("TC-3", "cancelled")} {
		last = ingest(t, s, a.ID, e)[0].Decisions[0].Delivery
	}
	ingest(t, s, a.ID, booked("", "cancelled"))
	got := reconciled(t, s, webhook.ReconcileRequest{Webhook: w.ID, Header: true}, a.ID, "Ref\n#tc1\nTC-2\n tc-2 \n")
	same(t, "counts", got.Counts, webhook.ReconcileCounts{References: 2, Repeated: 1, Both: 2, Lacking: 1, States: map[webhook.State]int{webhook.Pending: 1}})
	same(t, "found", must(s.Reconciliation(ctx, a.ID, got.ID))(t), got)
	lacking := must(s.LackingBookings(ctx, a.ID, got.ID, "", 9))(t)
	same(t, "lacking", []any{len(lacking), lacking[0].Booking, lacking[0].Delivery.ID}, []any{1, "TC-3", last})
	same(t, "after it", len(must(s.LackingBookings(ctx, a.ID, got.ID, "TC-3", 9))(t)), 0)
	none := reconciled(t, s, webhook.ReconcileRequest{Webhook: w.ID, Until: time.Now().Add(-time.Hour)}, a.ID, "TC-2\n")
	same(t, "before anything was sent", []int{none.Counts.Lacking, none.Counts.Both}, []int{0, 1})
}

func testReconcileUnsent(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	skips := addHook(t, s, a.ID, func(w *webhook.Webhook) { w.AllEvents, w.Events = false, []string{"cancelled"} })
	ingest(t, s, a.ID, booked("A1", "new_confirmed_web"), booked("A2", "cancelled"), booked("A2", "new_confirmed_web"), booked("#A5", "new_confirmed_web"))
	late := addHook(t, s, a.ID)
	tried := booked("A4", "cancelled")
	must(s.Test(ctx, a.ID, w.ID, tried, t0))(t)
	const list = "a1;x\nA2;x\nA3;x\nA4;x\n#a5;x\n" + "A\x01;x\n"
	got := reconciled(t, s, webhook.ReconcileRequest{Webhook: skips.ID}, a.ID, list)
	same(t, "counts", got.Counts, webhook.ReconcileCounts{References: 5, Unreadable: 1, Both: 1, Skipped: 2, Unknown: 2, States: map[webhook.State]int{}})
	same(t, "unsent", must(s.UnsentHeld(ctx, a.ID, got.ID, "", 9))(t), []webhook.HeldReference{
		{Key: "A1", Reference: "a1", Outcome: webhook.HeldSkipped, Booking: "A1", Reason: webhook.ReasonEvent},
		{Key: "A3", Reference: "A3", Outcome: webhook.HeldUnknown},
		{Key: "A4", Reference: "A4", Outcome: webhook.HeldUnknown},
		{Key: "A5", Reference: "a5", Outcome: webhook.HeldSkipped, Booking: "#A5", Reason: webhook.ReasonEvent},
	})
	got = reconciled(t, s, webhook.ReconcileRequest{Webhook: late.ID}, a.ID, "A1\n")
	same(t, "of a webhook that did not exist", must(s.UnsentHeld(ctx, a.ID, got.ID, "", 9))(t)[0].Reason, webhook.ReasonNotCreated)
}

func testReconcileNewest(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	ingest(t, s, a.ID, booked("B1", "new_confirmed_web"), booked("B2", "new_confirmed_web"))
	s.Pass(time.Hour)
	last := ingest(t, s, a.ID, booked("B1", "cancelled"))[0].Decisions[0].Delivery
	until := last.Time().Add(-time.Minute)
	got := reconciled(t, s, webhook.ReconcileRequest{Webhook: w.ID, Until: until}, a.ID, "B2\n")
	lacking := must(s.LackingBookings(ctx, a.ID, got.ID, "", 9))(t)
	same(t, "lacking", []any{len(lacking), lacking[0].Booking, lacking[0].Delivery.ID}, []any{1, "B1", last})
}

func testReconcileFails(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	for text, code := range map[string]string{
		"Ref;x\n;1\n": "reconcile.no_references", " ": "reconcile.empty", "\xd0\xcf\x11\xe0": "reconcile.xls",
	} {
		u := uploaded(t, s, a.ID, text)
		_, err := reconcile.New(s).Compare(t.Context(), u, webhook.ReconcileRequest{Webhook: w.ID, Header: true}, at(t0))
		same(t, "problem", err.Error(), webhook.Invalid{"file": webhook.NewMessage(code)}.Error())
	}
	same(t, "left", len(must(s.Reconciliations(t.Context(), a.ID))(t)), 0)
}

func testCandidatesLacking(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	for i := range 6 {
		ingest(t, s, a.ID, booked("B"+strconv.Itoa(i/2), "new_confirmed_web"))
	}
	r := reconciled(t, s, webhook.ReconcileRequest{Webhook: w.ID}, a.ID, "B1\n")
	request := webhook.ReplayRequest{Deliveries: webhook.DeliveryFilter{Webhook: w.ID}, Lacking: r.ID}
	var got []string
	for _, c := range must(s.Candidates(ctx, a.ID, request, 0))(t).Rows {
		got = append(got, c.Booking)
	}
	same(t, "candidates", got, []string{"B2", "B2", "B0", "B0"})
	other, _ := shop(t, s)
	same(t, "of another account", len(must(s.Candidates(ctx, other.ID, webhook.ReplayRequest{Lacking: r.ID}, 0))(t).Rows), 0)
}
