package db_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/db/dbtest"
	"bookhook/webhook"
)

var lookupTests = []test{
	{"an event waits without decisions", testLookupWaits},
	{"the match", testLookedUp},
	{"the match is of the webhooks as they are then", testLookedUpLater},
	{"of a platform that is off", testLookupOff},
	{"what waits behind an earlier event", testLookupBehind},
	{"the order of a booking", testLookupOrder},
	{"deliveries that are claimed at once", testLookedUpTaken},
	{"a late match is found", testLateMatch},
	{"what waits is not pruned", testPruneLookup},
	{"another account's", testLookupIsolated},
	{"page by page", testLookupPages},
}

// asked is an event of a booking whose platform is to be asked first.
func asked(external, booking string) webhook.Event {
	e := newEvent(external)
	e.BookingID, e.TourIDs, e.Inbound, e.Lookup, e.Wire = booking, []string{}, true, true, []byte("event=cancelled")
	e.Via = "there.one"
	return e
}

// lookedUp matches events that were accepted, as of these tours.
func lookedUp(tb testing.TB, s *db.Store, tours []string, accepted ...webhook.Accepted) []webhook.Accepted {
	tb.Helper()
	events := make([]webhook.Event, len(accepted))
	for i, a := range accepted {
		events[i] = a.Event
		events[i].TourIDs = tours
	}
	return must(complete(tb, s, accepted[0].Event.Account, events, t0, waiting))(tb)
}

// complete stores the match of events until lease.
func complete(tb testing.TB, s *db.Store, account webhook.AccountID, events []webhook.Event, now time.Time, take func(*webhook.Webhook) bool) ([]webhook.Accepted, error) {
	tb.Helper()
	return planned(tb, s, account, events, now, lease, take, s.CompleteLookups)
}

func onlyTours(ids ...string) func(*webhook.Webhook) {
	return func(w *webhook.Webhook) { w.Tours = webhook.NewFilter(webhook.Include, ids) }
}

// pendingLookups are the events of all accounts that wait.
func pendingLookups(tb testing.TB, s *db.Store) []webhook.EventID {
	tb.Helper()
	got := []webhook.EventID{}
	for _, p := range must(s.Lookups(tb.Context(), webhook.AllShards, 0, 1000))(tb) {
		got = append(got, p.Event)
	}
	return got
}

func testLookupWaits(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	got := ingest(t, s, a.ID, asked("x", "1"), newEvent(""))
	first := got[0]
	same(t, "lookup", first.Event.Lookup, true)
	same(t, "decisions", len(first.Decisions), 0)
	same(t, "the other's lookup", got[1].Event.Lookup, false)
	same(t, "its decisions", len(got[1].Decisions), 1)
	same(t, "what waits", must(s.Lookups(ctx, webhook.AllShards, 0, 9))(t), []webhook.PendingLookup{
		{Event: first.Event.ID, Account: a.ID, Platform: "tourcms", Booking: "1", Lookup: true},
	})
	row := must(s.Event(ctx, a.ID, first.Event.ID))(t)
	same(t, "read", row.Event, first.Event)
	same(t, "its decisions", len(row.Decisions), 0)
	same(t, "undecided", must(s.PendingEvent(ctx, a.ID, first.Event.ID))(t), first.Event)
	_, err := s.PendingEvent(ctx, a.ID, got[1].Event.ID)
	wantError(t, "the decided one", err, webhook.ErrNotFound)
	for _, e := range must(s.Events(ctx, a.ID, webhook.EventFilter{Limit: 9}))(t).Rows {
		same(t, "listed", e.Lookup, e.ID == first.Event.ID)
	}
	again := ingest(t, s, a.ID, asked("x", "1"))[0]
	same(t, "again", again.Duplicate, true)
	same(t, "the same", again.Event.ID, first.Event.ID)
	same(t, "waits still", again.Event.Lookup, true)
	same(t, "decisions of the same", len(again.Decisions), 0)
	same(t, "deliveries", len(listed(t, s, a.ID, webhook.DeliveryFilter{Webhook: w.ID, Limit: 9})), 1)
	same(t, "of the booking", len(listed(t, s, a.ID, webhook.DeliveryFilter{Booking: "1", Limit: 9})), 0)
}

func testLookedUp(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	told := addHook(t, s, a.ID, onlyTours("12"))
	not := addHook(t, s, a.ID, onlyTours("13"))
	first := ingest(t, s, a.ID, asked("x", "1"))[0]
	e := first.Event
	e.TourIDs, e.Data, e.Note = []string{"12", "15"}, []byte(`{"more":1}`), webhook.NewMessage("lookup.bug")
	got := must(complete(t, s, a.ID, []webhook.Event{e}, t0.Add(time.Second), waiting))(t)[0]
	row := must(s.Event(ctx, a.ID, e.ID))(t)
	e.Lookup = false
	same(t, "event", row.Event, e)
	same(t, "returned", got.Event, e)
	d := got.Decisions[0].Delivery
	same(t, "decisions", row.Decisions, []webhook.Decision{
		{Webhook: told.ID, Delivery: d}, {Webhook: not.ID, Reason: webhook.ReasonTourNotListed},
	})
	same(t, "waiting", got.Waiting, []webhook.WebhookID{told.ID})
	same(t, "what waits", pendingLookups(t, s), []webhook.EventID{})
	same(t, "deliveries", listed(t, s, a.ID, webhook.DeliveryFilter{Limit: 9}), []webhook.DeliveryID{d})
	same(t, "made", must(s.Delivery(ctx, a.ID, d))(t).CreatedAt, t0.Add(time.Second))
	same(t, "once only", len(lookedUp(t, s, nil, first)), 0)
	same(t, "untouched", must(s.Event(ctx, a.ID, e.ID))(t), row)
	same(t, "deliveries still", listed(t, s, a.ID, webhook.DeliveryFilter{Limit: 9}), []webhook.DeliveryID{d})
	again := ingest(t, s, a.ID, asked("x", "1"))[0] // the same as it came
	same(t, "again", again.Duplicate, true)
	same(t, "its decisions", again.Decisions, row.Decisions)
	same(t, "it waits no more", again.Event.Lookup, false)
	same(t, "sent with", claim(t, s, told.ID, 1, t0.Add(time.Minute))[0].Event, e)
}

func testLookedUpLater(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, gone := shop(t, s)
	first := ingest(t, s, a.ID, asked("", "1"))[0]
	must(s.DeleteWebhook(ctx, a.ID, gone.ID, at(t0)))(t)
	added := addHook(t, s, a.ID)
	off := addHook(t, s, a.ID, func(w *webhook.Webhook) { w.Enabled = false })
	got := lookedUp(t, s, nil, first)[0].Decisions
	same(t, "decisions", got, []webhook.Decision{
		{Webhook: added.ID, Delivery: got[0].Delivery}, {Webhook: off.ID, Reason: webhook.ReasonDisabled},
	})
	same(t, "skipped", must(s.Webhook(ctx, a.ID, off.ID))(t).Skipped, 1)
}

func testLookupOff(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	first := ingest(t, s, a.ID, asked("", "1"))[0]
	must(s.SwitchPlatform(ctx, a.ID, "tourcms", false, at(t0)))(t)
	off := []webhook.Decision{{Webhook: w.ID, Reason: webhook.ReasonPlatformOff}}
	same(t, "matched after it was switched off", lookedUp(t, s, []string{"12"}, first)[0].Decisions, off)
	later := ingest(t, s, a.ID, asked("", "1"))[0]
	same(t, "accepted after that", later.Decisions, off)
	same(t, "and waits", later.Event.Lookup, false)
	same(t, "what waits", pendingLookups(t, s), []webhook.EventID{})
}

// testLookupBehind: what the platform sends about a booking waits behind an
// event that waits; what others send, or what is of another booking, does not.
func testLookupBehind(t *testing.T, s *db.Store) {
	a, _ := shop(t, s)
	useWink(t, s, a.ID)
	plain := func(platform, booking string, inbound bool) webhook.Event {
		e := newEvent("")
		e.Platform, e.BookingID, e.Inbound = platform, booking, inbound
		return e
	}
	byAPI := asked("", "1")
	byAPI.Inbound = false
	got := ingest(t, s, a.ID, plain("tourcms", "1", true), asked("", "1"), plain("tourcms", "1", true),
		plain("tourcms", "1", false), plain("tourcms", "2", true), plain("wink", "1", true), asked("", ""), byAPI)
	want := []bool{false, true, true, false, false, false, false, false}
	for i, a := range got {
		same(t, "lookup", a.Event.Lookup, want[i])
	}
	rows := must(s.Lookups(t.Context(), webhook.AllShards, 0, 9))(t)
	same(t, "asked about", []bool{rows[0].Lookup, rows[1].Lookup}, []bool{true, false})
	same(t, "what waits", pendingLookups(t, s), []webhook.EventID{got[1].Event.ID, got[2].Event.ID})
	lookedUp(t, s, nil, got[1], got[2])
	same(t, "after that", ingest(t, s, a.ID, plain("tourcms", "1", true))[0].Event.Lookup, false)
}

func testLookupOrder(t *testing.T, s *db.Store) {
	a := newAccount(t, s)
	w := addHook(t, s, a.ID, func(w *webhook.Webhook) { w.Ordered = true })
	first := ingest(t, s, a.ID, asked("", "1"), asked("", "1"), asked("", "1"))
	want := []webhook.DeliveryID{}
	for _, got := range append(lookedUp(t, s, nil, first[:2]...), lookedUp(t, s, nil, first[2])...) {
		want = append(want, got.Decisions[0].Delivery)
	}
	at := t0
	for _, id := range want {
		jobs := claim(t, s, w.ID, 9, at)
		same(t, "one at a time", len(jobs), 1)
		same(t, "in their order", jobs[0].Delivery.ID, id)
		at = at.Add(time.Second)
		finish(t, s, success(id, w.ID, 1), at)
	}
}

func testLookedUpTaken(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	first := ingest(t, s, a.ID, asked("", "1"))[0]
	got := must(complete(t, s, a.ID, []webhook.Event{first.Event}, t0, taken))(t)[0]
	same(t, "waiting", len(got.Waiting), 0)
	same(t, "jobs", len(got.Jobs), 1)
	same(t, "attempts", got.Jobs[0].Delivery.Attempts, 1)
	same(t, "lease", got.Jobs[0].Delivery.NextAt, lease)
	same(t, "claimed", len(claim(t, s, w.ID, 9, t0)), 0)
}

// testLateMatch: deliveries that are made an hour after their event are found by
// everything that finds an event's deliveries.
func testLateMatch(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	before := ingest(t, s, a.ID, newEvent(""))[0].Decisions[0].Delivery
	first := ingest(t, s, a.ID, asked("", "late"))[0]
	s.Pass(time.Hour)
	quick := ingest(t, s, a.ID, asked("", "quick"))[0]
	lookedUp(t, s, nil, quick)
	d := lookedUp(t, s, nil, first)[0].Decisions[0].Delivery
	since := d.Time().Add(-time.Minute)
	for name, f := range map[string]webhook.DeliveryFilter{
		"event": {Event: first.Event.ID}, "event since": {Event: first.Event.ID, Since: since}, "booking": {Booking: "late"},
		"booking since": {Booking: "late", Since: since}, "booking after": {Booking: "late", After: d - 1}, "type since": {Type: "cancelled", Since: since, Until: d.Time().Add(time.Minute)},
		"webhook since": {Webhook: w.ID, Since: since},
	} {
		f.Limit = 9
		found := listed(t, s, a.ID, f)
		if len(found) == 0 || !slices.Contains(found, d) || slices.Contains(found, before) {
			t.Errorf("%s: got %v, want %d among them, and not %d", name, found, d, before)
		}
		same(t, name+", counted", must(s.CountDeliveries(t.Context(), a.ID, f))(t).N, len(found))
	}
	same(t, "before it", listed(t, s, a.ID, webhook.DeliveryFilter{Booking: "late", Until: since, Limit: 9}), []webhook.DeliveryID{})
}

func testPruneLookup(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	waits := ingest(t, s, a.ID, asked("", "waits"))[0]
	first := ingest(t, s, a.ID, asked("", "late"))[0]
	s.Pass(time.Hour)
	d := lookedUp(t, s, nil, first)[0].Decisions[0].Delivery
	later := t0.Add(24 * time.Hour)
	prune(t, s, later, t0, 1)
	same(t, "a late delivery that waits", must(s.Delivery(t.Context(), a.ID, d))(t).State, webhook.Pending)
	claim(t, s, w.ID, 1, t0)
	finish(t, s, success(d, w.ID, 1), t0)
	prune(t, s, later, t0, 1)
	same(t, "deliveries", len(listed(t, s, a.ID, webhook.DeliveryFilter{Limit: 9})), 0)
	same(t, "events", listedEvents(t, s, a.ID, webhook.EventFilter{Limit: 9}), []webhook.EventID{waits.Event.ID})
	same(t, "matched after that", len(lookedUp(t, s, nil, waits)), 1)
}

func testLookupIsolated(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, _ := shop(t, s)
	me, _ := shop(t, s)
	first := ingest(t, s, a.ID, asked("", "1"))[0]
	ids := []webhook.EventID{first.Event.ID}
	_, err := s.PendingEvent(ctx, me.ID, first.Event.ID)
	wantError(t, "read", err, webhook.ErrNotFound)
	same(t, "matched", len(must(complete(t, s, me.ID, []webhook.Event{first.Event}, t0, waiting))(t)), 0)
	same(t, "waits still", pendingLookups(t, s), ids)
	e := newEvent("")
	e.BookingID, e.Inbound = "1", true
	same(t, "nobody waits for theirs", ingest(t, s, me.ID, e)[0].Event.Lookup, false)
}

func testLookupPages(t *testing.T, s *db.Store) {
	a, _ := shop(t, s)
	want := []webhook.EventID{}
	for range 10 {
		want = append(want, ingest(t, s, a.ID, asked("", "1"))[0].Event.ID)
	}
	got := []webhook.EventID{}
	for after := webhook.EventID(0); ; after = got[len(got)-1] {
		page := must(s.Lookups(t.Context(), webhook.AllShards, after, 3))(t)
		for _, p := range page {
			got = append(got, p.Event)
		}
		if len(page) < 3 {
			break
		}
	}
	same(t, "all, in their order", got, want)

	other, _ := shop(t, s)
	between := ingest(t, s, other.ID, asked("", "1"))[0].Event.ID
	want = append(want[5:], ingest(t, s, a.ID, asked("", "1"))[0].Event.ID)
	ingest(t, s, a.ID, asked("", "1"))
	got = got[:0]
	for after := want[0] - 1; ; after = got[len(got)-1] {
		page := must(s.LookupsOf(t.Context(), a.ID, after, want[5], 4))(t)
		for _, p := range page {
			got = append(got, p.Event)
		}
		if len(page) < 4 {
			break
		}
	}
	same(t, "those of an account", got, want)
	same(t, "those of the other one", len(must(s.LookupsOf(t.Context(), other.ID, 0, between, 4))(t)), 1)
}

// TestLookupsOutliveTheProcess: what was accepted waits on disk.
func TestLookupsOutliveTheProcess(t *testing.T) {
	path := dbtest.At(t)
	s := must(db.Create(context.Background(), path, nil))(t)
	a, _ := shop(t, s)
	first := ingest(t, s, a.ID, asked("", "1"))[0]
	ok(t, s.Close())
	s = openFile(t, path)
	same(t, "what waits", pendingLookups(t, s), []webhook.EventID{first.Event.ID})
	same(t, "matched", len(lookedUp(t, s, nil, first)), 1)
}
