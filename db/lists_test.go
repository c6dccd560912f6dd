package db_test

import (
	"slices"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

var listTests = []test{
	{"every filter", testDeliveryFilters},
	{"pages", testDeliveryPages},
	{"newer ones only", testDeliveriesAfter},
	{"a period", testDeliveryPeriod},
	{"the count ends", testCountCap},
}

var eventTests = []test{
	{"every filter", testEventFilters},
	{"pages", testEventPages},
	{"by the sender's id", testEventID},
}

// epoch is where the milliseconds in an id count from, see webhook.FirstID.
var epoch = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// made is when an id was made.
func made(id webhook.DeliveryID) time.Time {
	return epoch.Add(time.Duration(id>>22) * time.Millisecond)
}

func testDeliveryFilters(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, first := shop(t, s)
	second := addHook(t, s, a.ID, func(w *webhook.Webhook) { w.Name = "Zweiter" })
	useWink(t, s, a.ID)
	wink, plain := newEvent(""), newEvent("")
	wink.Platform, wink.BookingID = "wink", "B-2"
	plain.BookingID = ""
	got := ingest(t, s, a.ID, newEvent(""), wink, plain)
	d := []webhook.DeliveryID{} // by event: first webhook, second webhook
	for _, accepted := range got {
		d = append(d, accepted.Decisions[0].Delivery, accepted.Decisions[1].Delivery)
	}
	claim(t, s, first.ID, 9, t0)
	finish(t, s, success(d[0], first.ID, 1), t0)
	finish(t, s, failure(d[2], first.ID, 1, time.Time{}), t0)
	ok(t, s.Cancel(ctx, a.ID, d[5], at(t0)))
	tests := []struct {
		name   string
		filter webhook.DeliveryFilter
		want   []webhook.DeliveryID
	}{
		{"all", webhook.DeliveryFilter{}, []webhook.DeliveryID{d[5], d[4], d[3], d[2], d[1], d[0]}},
		{"delivered", webhook.DeliveryFilter{State: webhook.Delivered}, []webhook.DeliveryID{d[0]}},
		{"failed", webhook.DeliveryFilter{State: webhook.Failed}, []webhook.DeliveryID{d[2]}},
		{"cancelled", webhook.DeliveryFilter{State: webhook.Cancelled}, []webhook.DeliveryID{d[5]}},
		{"pending", webhook.DeliveryFilter{State: webhook.Pending}, []webhook.DeliveryID{d[4], d[3], d[1]}},
		{"unknown state", webhook.DeliveryFilter{State: "x' OR '1'='1"}, []webhook.DeliveryID{}},
		{"webhook", webhook.DeliveryFilter{Webhook: second.ID}, []webhook.DeliveryID{d[5], d[3], d[1]}},
		{"event", webhook.DeliveryFilter{Event: got[1].Event.ID}, []webhook.DeliveryID{d[3], d[2]}},
		{"booking", webhook.DeliveryFilter{Booking: "B-2"}, []webhook.DeliveryID{d[3], d[2]}},
		{"unknown booking", webhook.DeliveryFilter{Booking: "%"}, []webhook.DeliveryID{}},
		{"type", webhook.DeliveryFilter{Type: "cancelled"}, []webhook.DeliveryID{d[5], d[4], d[1], d[0]}},
		{"type of a platform", webhook.DeliveryFilter{Type: "wink:cancelled"}, []webhook.DeliveryID{d[3], d[2]}},
		{"unknown type", webhook.DeliveryFilter{Type: "wink"}, []webhook.DeliveryID{}},
		{"since", webhook.DeliveryFilter{Since: t0.Add(-time.Hour)}, []webhook.DeliveryID{d[5], d[4], d[3], d[2], d[1], d[0]}},
		{"since tomorrow", webhook.DeliveryFilter{Since: t0.Add(24 * time.Hour)}, []webhook.DeliveryID{}},
		{"until yesterday", webhook.DeliveryFilter{Until: t0.Add(-24 * time.Hour)}, []webhook.DeliveryID{}},
		{"before", webhook.DeliveryFilter{Before: d[2]}, []webhook.DeliveryID{d[1], d[0]}},
		{"after", webhook.DeliveryFilter{After: d[3]}, []webhook.DeliveryID{d[5], d[4]}},
		{"all together", webhook.DeliveryFilter{
			State: webhook.Pending, Webhook: second.ID, Event: got[1].Event.ID, Booking: "B-2", Type: "wink:cancelled",
			Since: t0.Add(-time.Hour), Until: t0.Add(time.Hour), Before: d[4], After: d[2],
		}, []webhook.DeliveryID{d[3]}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			same(t, "count", must(s.CountDeliveries(ctx, a.ID, tt.filter))(t).N, len(tt.want))
			tt.filter.Limit = 50
			same(t, "ids", listed(t, s, a.ID, tt.filter), tt.want)
		})
	}
	rows := must(s.Deliveries(ctx, a.ID, webhook.DeliveryFilter{Limit: 1}))(t).Rows
	same(t, "row", rows[0].Delivery, must(s.Delivery(ctx, a.ID, d[5]))(t))
	same(t, "name", rows[0].WebhookName, "Zweiter")
}

func listed(tb testing.TB, s *db.Store, account webhook.AccountID, f webhook.DeliveryFilter) []webhook.DeliveryID {
	tb.Helper()
	got := []webhook.DeliveryID{}
	for _, r := range must(s.Deliveries(tb.Context(), account, f))(tb).Rows {
		got = append(got, r.ID)
	}
	return got
}

// testDeliveryPages walks over 500 rows, while new ones come in.
func testDeliveryPages(t *testing.T, s *db.Store) {
	a, _ := shop(t, s)
	want := deliver(t, s, a.ID, 500)
	slices.Reverse(want)
	got := []webhook.DeliveryID{}
	f := webhook.DeliveryFilter{Limit: 37}
	for range 20 {
		page := listed(t, s, a.ID, f)
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		f.Before = page[len(page)-1]
		deliver(t, s, a.ID, 1)
	}
	same(t, "every row once", got, want)
}

func testDeliveriesAfter(t *testing.T, s *db.Store) {
	a, _ := shop(t, s)
	d := deliver(t, s, a.ID, 5)
	same(t, "the newest of what is newer", listed(t, s, a.ID, webhook.DeliveryFilter{After: d[1], Limit: 2}), []webhook.DeliveryID{d[4], d[3]})
	same(t, "nothing newer", listed(t, s, a.ID, webhook.DeliveryFilter{After: d[4], Limit: 2}), []webhook.DeliveryID{})
}

func testDeliveryPeriod(t *testing.T, s *db.Store) {
	a, _ := shop(t, s)
	first := deliver(t, s, a.ID, 1)[0]
	last := first
	for made(last).Equal(made(first)) { // until the clock has gone on
		last = deliver(t, s, a.ID, 1)[0]
	}
	at := made(last)
	since := listed(t, s, a.ID, webhook.DeliveryFilter{Since: at, Limit: 1000})
	same(t, "from its time on", since, []webhook.DeliveryID{last})
	until := listed(t, s, a.ID, webhook.DeliveryFilter{Until: at, Limit: 1000})
	same(t, "before its time", slices.Contains(until, last), false)
	same(t, "before its time", slices.Contains(until, first), true)
}

func testCountCap(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	for range 21 {
		deliver(t, s, a.ID, webhook.MaxBatch)
	}
	for _, f := range []webhook.DeliveryFilter{{}, {State: webhook.Pending}, {Webhook: w.ID}} {
		same(t, "count", must(s.CountDeliveries(t.Context(), a.ID, f))(t), webhook.Count{N: webhook.CountCap, More: true})
	}
	same(t, "events", must(s.CountEvents(t.Context(), a.ID, webhook.EventFilter{}))(t), webhook.Count{N: webhook.CountCap, More: true})
}

func testEventFilters(t *testing.T, s *db.Store) {
	a, _ := shop(t, s)
	useWink(t, s, a.ID)
	wink, plain := newEvent(""), newEvent("")
	wink.Platform, wink.BookingID = "wink", "B-2"
	plain.BookingID = ""
	got := ingest(t, s, a.ID, newEvent(""), wink, plain)
	e := []webhook.EventID{got[0].Event.ID, got[1].Event.ID, got[2].Event.ID}
	tests := []struct {
		name   string
		filter webhook.EventFilter
		want   []webhook.EventID
	}{
		{"all", webhook.EventFilter{}, []webhook.EventID{e[2], e[1], e[0]}},
		{"booking", webhook.EventFilter{Booking: "B-2"}, []webhook.EventID{e[1]}},
		{"type", webhook.EventFilter{Type: "cancelled"}, []webhook.EventID{e[2], e[0]}},
		{"type of a platform", webhook.EventFilter{Type: "wink:cancelled"}, []webhook.EventID{e[1]}},
		{"since", webhook.EventFilter{Since: t0.Add(-time.Hour), Until: t0.Add(time.Hour)}, []webhook.EventID{e[2], e[1], e[0]}},
		{"until", webhook.EventFilter{Until: t0.Add(-time.Hour)}, []webhook.EventID{}},
		{"before", webhook.EventFilter{Before: e[1]}, []webhook.EventID{e[0]}},
	}
	for _, tt := range tests {
		tt.filter.Limit = 50
		same(t, tt.name, listedEvents(t, s, a.ID, tt.filter), tt.want)
	}
	row := must(s.Events(t.Context(), a.ID, webhook.EventFilter{Limit: 1}))(t).Rows[0]
	whole := must(s.Event(t.Context(), a.ID, e[2]))(t)
	whole.Data = nil // a list leaves it out
	same(t, "row", row, whole)
	same(t, "sent", row.Sent(), 1)
}

func listedEvents(tb testing.TB, s *db.Store, account webhook.AccountID, f webhook.EventFilter) []webhook.EventID {
	tb.Helper()
	got := []webhook.EventID{}
	for _, r := range must(s.Events(tb.Context(), account, f))(tb).Rows {
		got = append(got, r.ID)
	}
	return got
}

func testEventPages(t *testing.T, s *db.Store) {
	a, _ := shop(t, s)
	want := []webhook.EventID{}
	for _, accepted := range ingest(t, s, a.ID, some(500)...) {
		want = append(want, accepted.Event.ID)
	}
	slices.Reverse(want)
	got := []webhook.EventID{}
	f := webhook.EventFilter{Limit: 64}
	for len(got) < len(want) {
		page := listedEvents(t, s, a.ID, f)
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		f.Before = page[len(page)-1]
	}
	same(t, "every row once", got, want)
}

func testEventID(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, me := newAccount(t, s), newAccount(t, s)
	e := ingest(t, s, a.ID, newEvent("x"))[0].Event
	ingest(t, s, a.ID, newEvent(""))
	same(t, "by its id", must(s.EventID(ctx, a.ID, "x"))(t), e.ID)
	for account, external := range map[webhook.AccountID]string{a.ID: "", me.ID: "x"} {
		_, err := s.EventID(ctx, account, external)
		wantError(t, external, err, webhook.ErrNotFound)
	}
}
