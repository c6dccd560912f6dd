package db_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

var bookingTests = []test{
	{"the story of a booking", testBookingEvents},
	{"the story of a booking, page by page", testBookingPages},
	{"many attempts end a page", testBookingAttempts},
	{"the bookings that begin with a text", testBookingsFrom},
}

// ofBooking is an event of a booking.
func ofBooking(reference, eventType string) webhook.Event {
	e := newEvent("")
	e.BookingID, e.Type = reference, eventType
	return e
}

func story(tb testing.TB, s *db.Store, account webhook.AccountID, booking string) []webhook.BookingEvent {
	tb.Helper()
	return must(s.BookingEvents(tb.Context(), account, booking, 0, 20))(tb).Rows
}

func testBookingEvents(t *testing.T, s *db.Store) {
	a := newAccount(t, s)
	all := addHook(t, s, a.ID)
	few := addHook(t, s, a.ID, func(w *webhook.Webhook) { w.SelectEvents([]string{"cancelled"}) })
	made := ingest(t, s, a.ID, ofBooking("B/1 é", "new_confirmed_web"))[0]
	other := ofBooking("B/1 é", "booking.create")
	other.Platform = "wink"
	ingest(t, s, a.ID, other, ofBooking("B/1", "cancelled"), ofBooking("", "cancelled"))
	must(s.Test(t.Context(), a.ID, all.ID, ofBooking("B/1 é", "new_confirmed_web"), t0))(t)
	cancelled := ingest(t, s, a.ID, ofBooking("B/1 é", "cancelled"))[0]
	claim(t, s, few.ID, 9, t0)
	r := failure(cancelled.Decisions[1].Delivery, few.ID, 1, t0.Add(time.Minute))
	r.Attempt.RequestBody, r.Attempt.ResponseBody = []byte("sent"), slices.Repeat([]byte("x"), 5000)
	finish(t, s, r, t0)

	got := story(t, s, a.ID, "B/1 é")
	same(t, "events", len(got), 4)
	newest, test, wink, first := got[0], got[1], got[2], got[3]
	same(t, "ids", []webhook.EventID{newest.ID, first.ID}, []webhook.EventID{cancelled.Event.ID, made.Event.ID})
	same(t, "compared with", []webhook.EventID{newest.Previous, test.Previous, wink.Previous, first.Previous}, []webhook.EventID{first.ID, 0, 0, 0})
	same(t, "decisions", newest.Decisions, cancelled.Decisions)
	same(t, "data", newest.Data, nil)
	same(t, "deliveries of the newest", []webhook.WebhookID{newest.Deliveries[0].Webhook, newest.Deliveries[1].Webhook}, []webhook.WebhookID{all.ID, few.ID})
	same(t, "deliveries of the first", len(first.Deliveries), 1)
	same(t, "attempts of one that was not sent", len(newest.Deliveries[0].Attempts), 0)
	attempts := newest.Deliveries[1].Attempts
	same(t, "attempts", len(attempts), 1)
	same(t, "attempt", []any{attempts[0].Number, attempts[0].Status, attempts[0].Error.Code, len(attempts[0].RequestBody), len(attempts[0].ResponseBody), attempts[0].LeftOut},
		[]any{1, 500, "failure.status", 0, webhook.ResponseBeginning, true})
	same(t, "of a booking that does not exist", len(story(t, s, a.ID, "B")), 0)
	same(t, "of no booking", len(story(t, s, a.ID, "")), 0)
	same(t, "of another account", len(story(t, s, newAccount(t, s).ID, "B/1 é")), 0)
}

// testBookingPages: every event is listed once, and the last of a page is compared
// with the first of the next.
func testBookingPages(t *testing.T, s *db.Store) {
	a, _ := shop(t, s)
	var want []webhook.EventID
	for range 25 {
		want = append(want, ingest(t, s, a.ID, newEvent(""))[0].Event.ID)
	}
	slices.Reverse(want)
	var got, previous []webhook.EventID
	for before := webhook.EventID(0); ; {
		page := must(s.BookingEvents(t.Context(), a.ID, "1234", before, 10))(t)
		for _, e := range page.Rows {
			got, previous = append(got, e.ID), append(previous, e.Previous)
		}
		if before = page.Next; before == 0 {
			break
		}
	}
	same(t, "events", got, want)
	same(t, "compared with", previous, append(slices.Clone(want[1:]), 0))
}

func testBookingAttempts(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 60)
	for _, id := range d {
		for n := 1; n <= webhook.BookingAttempts+1; n++ {
			claim(t, s, w.ID, 1, t0)
			finish(t, s, failure(id, w.ID, n, t0), t0)
		}
		claim(t, s, w.ID, 1, t0)
		finish(t, s, success(id, w.ID, webhook.BookingAttempts+2), t0)
	}
	page := must(s.BookingEvents(t.Context(), a.ID, "1234", 0, 60))(t)
	const each = 1 + webhook.BookingAttempts // a decision and its attempts
	events := (webhook.MaxBookingOutcomes + each - 1) / each
	same(t, "events", len(page.Rows), events)
	same(t, "goes on", page.Next, page.Rows[events-1].ID)
	attempts := page.Rows[0].Deliveries[0].Attempts
	same(t, "the newest attempts", []int{len(attempts), attempts[0].Number, attempts[len(attempts)-1].Number}, []int{webhook.BookingAttempts, 3, webhook.BookingAttempts + 2})
}

func testBookingsFrom(t *testing.T, s *db.Store) {
	a, _ := shop(t, s)
	others, _ := shop(t, s)
	var events []webhook.Event
	for _, reference := range []string{"12", "123", "123", "123-1", "1234", "124", "B 1/2 é", "B 1/2 é", "b", "\U0010FFFF", ""} {
		events = append(events, ofBooking(reference, "cancelled"))
	}
	ingest(t, s, a.ID, events...)
	ingest(t, s, others.ID, ofBooking("1235", "cancelled"))
	for prefix, want := range map[string][]string{
		"123": {"123", "123-1", "1234"}, "12": {"12", "123", "123-1"}, "1235": nil, "B": {"B 1/2 é"}, "B 1/2 é": {"B 1/2 é"}, "%": nil, "_": nil,
		"\U0010FFFF": {"\U0010FFFF"}, "124": {"124"}, "zz": nil,
	} {
		same(t, fmt.Sprintf("%q", prefix), must(s.BookingsFrom(t.Context(), a.ID, prefix, 3))(t), want)
	}
}
