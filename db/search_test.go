package db_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

var searchTests = []test{
	{"any filter finds what it should, page by page", testAnyFilter},
	{"any filter of events", testAnyEventFilter},
	{"beside one, under any filter", testNeighbours},
	{"of a booking, made at the same time", testBookingAtOnce},
	{"nothing is read to the end", testSearchStops},
	{"a booking with more events than one request reads", testLongBooking},
}

// mixed is an account with deliveries of every kind, and another one beside it.
type mixed struct {
	account    webhook.AccountID
	hooks      []webhook.WebhookID
	events     []webhook.Event
	deliveries []webhook.Delivery // the newest first
	byEvent    []webhook.Delivery // those of the newest event first
}

// mix makes it: five webhooks, of which the second receives everything, the
// third of little, and the last was deleted. Some events are matched late.
func mix(t *testing.T, s *db.Store, r *rand.Rand) (m mixed) {
	t.Helper()
	a := newAccount(t, s)
	m.account = a.ID
	useWink(t, s, a.ID)
	theirs, _ := shop(t, s)
	for _, keys := range [][]string{{"cancelled"}, {"*"}, {"rare"}, {"wink:cancelled", "rare"}, {"*"}} {
		w := addHook(t, s, a.ID, func(w *webhook.Webhook) { w.SelectEvents(keys) })
		m.hooks = append(m.hooks, w.ID)
	}
	late := []webhook.Accepted{}
	for i := range 60 {
		batch := []webhook.Event{}
		for range 1 + r.IntN(4) {
			e := newEvent("")
			e.BookingID = []string{"", "B-1", "B-1", "B-2", fmt.Sprint("B-", r.IntN(9))}[r.IntN(5)]
			if r.IntN(4) == 0 {
				e.Platform = "wink"
			}
			if r.IntN(10) == 0 {
				e.Type = "rare"
			}
			e.TourIDs = [][]string{{"12", "15"}, {"1"}, {"112"}, nil, {`x","12`, "A"}, {"12"}}[r.IntN(6)]
			if r.IntN(3) == 0 {
				e.ChannelID = "x"
			}
			e.Inbound, e.Lookup = true, r.IntN(4) == 0
			batch = append(batch, e)
		}
		for _, accepted := range ingest(t, s, a.ID, batch...) {
			m.events = append(m.events, accepted.Event)
			if accepted.Event.Lookup {
				late = append(late, accepted)
			}
		}
		if i%20 == 19 {
			s.Pass(time.Duration(r.IntN(3)) * time.Minute)
			lookedUp(t, s, nil, late...)
			late = nil
		}
		if i%9 == 0 {
			e := newEvent("")
			e.BookingID = "B-1"
			must(s.Test(t.Context(), a.ID, m.hooks[r.IntN(5)], e, t0))(t)
		}
		deliver(t, s, theirs.ID, 1)
	}
	m.end(t, s, r)
	return m
}

// end gives the deliveries their states and reads them all.
func (m *mixed) end(t *testing.T, s *db.Store, r *rand.Rand) {
	t.Helper()
	for _, hook := range m.hooks {
		for _, job := range claim(t, s, hook, 1000, t0) {
			d := job.Delivery.ID
			switch n := r.IntN(20); {
			case n < 12:
				finish(t, s, success(d, hook, 1), t0)
			case n < 15:
				finish(t, s, failure(d, hook, 1, time.Time{}), t0)
			case n < 17:
				ok(t, s.Cancel(t.Context(), m.account, d, at(t0)))
			}
		}
	}
	must(s.DeleteWebhook(t.Context(), m.account, m.hooks[4], at(t0)))(t)
	rows := must(s.Deliveries(t.Context(), m.account, webhook.DeliveryFilter{Limit: 10_000}))(t)
	same(t, "on one page", rows.Next, 0)
	for _, row := range rows.Rows {
		m.deliveries = append(m.deliveries, row.Delivery)
	}
	m.byEvent = slices.Clone(m.deliveries)
	slices.SortStableFunc(m.byEvent, func(a, b webhook.Delivery) int { return cmp.Compare(b.Event, a.Event) })
	if len(m.deliveries) < 200 {
		t.Fatalf("got %d deliveries, want more to choose from", len(m.deliveries))
	}
}

// pick is one of several, most often the first.
func pick[T any](r *rand.Rand, first T, others ...T) T {
	if r.IntN(2) == 0 {
		return first
	}
	return others[r.IntN(len(others))]
}

// passes is the filter in plain words.
func passes(f webhook.DeliveryFilter, d webhook.Delivery) bool {
	return (f.State == "" || d.State == f.State) && (f.Webhook == 0 || d.Webhook == f.Webhook) && (f.Event == 0 || d.Event == f.Event) &&
		(f.Booking == "" || d.BookingID == f.Booking) && (f.Type == "" || webhook.EventKey(d.Platform, d.Type) == f.Type) &&
		(f.Since.IsZero() || !d.ID.Time().Before(f.Since)) && (f.Until.IsZero() || d.ID.Time().Before(f.Until)) && d.ID > f.After
}

func testAnyFilter(t *testing.T, s *db.Store) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	m := mix(t, s, r)
	for i := range 250 {
		s.SetSearch([]int{10, 20, 90}[i%3])
		some := m.deliveries[r.IntN(len(m.deliveries))]
		f := webhook.DeliveryFilter{
			State: pick(r, "", webhook.States...), Webhook: pick(r, 0, m.hooks...), Event: pick(r, 0, 0, 0, 0, some.Event),
			Booking: pick(r, "", "", "B-1", "B-2", "B-3"), Type: pick(r, "", "cancelled", "wink:cancelled", "rare", "wink:rare"),
			Since: pick(r, time.Time{}, some.ID.Time()), After: pick(r, 0, 0, 0, some.ID), Limit: 1 + r.IntN(12),
		}
		if r.IntN(4) == 0 {
			f.Until = m.deliveries[r.IntN(len(m.deliveries))].ID.Time()
		}
		want, byEvent := []webhook.DeliveryID{}, []webhook.DeliveryID{}
		for _, d := range m.deliveries {
			if passes(f, d) {
				want = append(want, d.ID)
			}
		}
		for _, d := range m.byEvent {
			if passes(f, d) {
				byEvent = append(byEvent, d.ID)
			}
		}
		n := must(s.CountDeliveries(t.Context(), m.account, f))(t)
		if n.N > len(want) || !n.More && n.N < len(want) {
			t.Errorf("count: got %+v, want %d", n, len(want))
		}
		got := readAll(t, f.Limit, func(before webhook.DeliveryID) ([]webhook.DeliveryID, webhook.DeliveryID) {
			f.Before = before
			p := must(s.Deliveries(t.Context(), m.account, f))(t)
			return idsOf(p.Rows, func(r webhook.DeliveryRow) webhook.DeliveryID { return r.ID }), p.Next
		})
		if !slices.Equal(got, want) && !slices.Equal(got, byEvent) {
			f.Before = 0
			t.Fatalf("seed %d, filter %+v: got %v, want %v", seed, f, got, want)
		}
	}
}

// testNeighbours: what is beside a delivery on its page is beside it in the list.
func testNeighbours(t *testing.T, s *db.Store) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 3))
	m := mix(t, s, r)
	for i := range 200 {
		s.SetSearch([]int{1000, 3}[i%2])
		f := webhook.DeliveryFilter{
			State: pick(r, "", webhook.States...), Webhook: pick(r, 0, m.hooks...), Booking: pick(r, "", "", "B-1", "B-2"),
			Type: pick(r, "", "cancelled", "rare"), Since: pick(r, time.Time{}, m.deliveries[r.IntN(len(m.deliveries))].ID.Time()),
		}
		at := m.deliveries[r.IntN(len(m.deliveries))].ID
		var want [2]webhook.DeliveryID // newer, older
		for _, d := range m.deliveries {
			switch {
			case !passes(f, d):
			case d.ID > at:
				want[0] = d.ID
			case d.ID < at && want[1] == 0:
				want[1] = d.ID
			}
		}
		newer, older, err := s.Neighbours(t.Context(), m.account, f, at)
		ok(t, err)
		for side, got := range [2]webhook.DeliveryID{newer, older} {
			if got != want[side] && (i%2 == 0 || got != 0) { // a short search may miss it, but finds nothing else
				t.Fatalf("seed %d, filter %+v, beside %d: got %d and %d, want %d", seed, f, at, newer, older, want)
			}
		}
	}
}

func idsOf[R any, I ~int64](rows []R, id func(R) I) []I {
	all := make([]I, len(rows))
	for i, row := range rows {
		all[i] = id(row)
	}
	return all
}

// readAll reads page after page to the end. What was matched late has a higher id
// than what is before it, where deliveries are listed by their events.
func readAll[I ~int64](t *testing.T, limit int, read func(before I) ([]I, I)) []I {
	t.Helper()
	all := []I{}
	for before := I(0); ; {
		rows, next := read(before)
		if len(rows) > limit {
			t.Fatalf("got a page of %d, want at most %d", len(rows), limit)
		}
		all = append(all, rows...)
		if next == 0 {
			return all
		}
		if next == before {
			t.Fatalf("the page after %d begins there again", before)
		}
		before = next
	}
}

// eventPasses is the filter of events in plain words.
func eventPasses(f webhook.EventFilter, e webhook.EventRow) bool {
	sent := slices.ContainsFunc(e.Decisions, func(d webhook.Decision) bool { return d.Delivery != 0 })
	return (f.Booking == "" || e.BookingID == f.Booking) && (f.Type == "" || e.Key() == f.Type) && !e.ID.Time().Before(f.Since) &&
		(f.Channel == "" || e.ChannelID == f.Channel) && (f.Tour == "" || slices.Contains(e.TourIDs, f.Tour)) &&
		(f.Sent == "" || f.Sent == webhook.SentToSome && sent || f.Sent == webhook.SentToNobody && !sent && !e.Lookup)
}

func testAnyEventFilter(t *testing.T, s *db.Store) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 2))
	m := mix(t, s, r)
	events := must(s.Events(t.Context(), m.account, webhook.EventFilter{Limit: 10_000}))(t).Rows // the tests, too
	s.SetSearch(3)
	for range 200 {
		some := events[r.IntN(len(events))]
		f := webhook.EventFilter{
			Booking: pick(r, "", "", "B-1", "B-2", "B-3"), Type: pick(r, "", "cancelled", "wink:cancelled", "rare", "wink:rare"),
			Since: pick(r, time.Time{}, some.ID.Time()), Limit: 1 + r.IntN(12), Channel: pick(r, "", "", "3930", "x"), Tour: pick(r, "", "", "12", "1"),
			Sent: pick(r, "", webhook.SentToSome, webhook.SentToNobody),
		}
		want := []webhook.EventID{}
		for _, e := range events {
			if eventPasses(f, e) {
				want = append(want, e.ID)
			}
		}
		n := must(s.CountEvents(t.Context(), m.account, f))(t)
		if n.N > len(want) || !n.More && n.N < len(want) {
			t.Errorf("count: got %+v, want %d", n, len(want))
		}
		got := readAll(t, f.Limit, func(before webhook.EventID) ([]webhook.EventID, webhook.EventID) {
			f.Before = before
			p := must(s.Events(t.Context(), m.account, f))(t)
			return idsOf(p.Rows, func(r webhook.EventRow) webhook.EventID { return r.ID }), p.Next
		})
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d, filter %+v: got %v, want %v", seed, f, got, want)
		}
	}
}

// testBookingAtOnce: events of one booking that come in at the same time, tests
// among them, hide no delivery between two pages.
func testBookingAtOnce(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	addHook(t, s, a.ID)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 8 {
				if _, err := insert(t, s, a.ID, some(2), t0, lease, waiting); err != nil {
					t.Error(err)
				}
				if _, err := s.Test(context.WithoutCancel(t.Context()), a.ID, w.ID, newEvent(""), t0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	want := listed(t, s, a.ID, webhook.DeliveryFilter{Limit: 1000})
	same(t, "deliveries", len(want), 8*8*5)
	s.SetSearch(50)
	f := webhook.DeliveryFilter{Booking: "1234", Limit: 3}
	got := []webhook.DeliveryID{}
	for range len(want) {
		page := must(s.Deliveries(t.Context(), a.ID, f))(t)
		for _, row := range page.Rows {
			got = append(got, row.ID)
		}
		if f.Before = page.Next; page.Next == 0 {
			break
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	same(t, "every delivery once", got, want)
}

// testSearchStops: a search that finds nothing says how far it went.
func testSearchStops(t *testing.T, s *db.Store) {
	a, _ := shop(t, s)
	d := deliver(t, s, a.ID, 300)
	s.SetSearch(10)
	for name, f := range map[string]webhook.DeliveryFilter{
		"type": {Type: "rare", Limit: 5}, "state": {State: webhook.Delivered, Limit: 5}, "booking": {Booking: "1234", Type: "rare", Limit: 5},
	} {
		page := must(s.Deliveries(t.Context(), a.ID, f))(t)
		if len(page.Rows) != 0 || page.Next <= d[0] || page.Next > d[len(d)-1] {
			t.Errorf("%s: got %d rows and next %d, want none and to go on between %d and %d", name, len(page.Rows), page.Next, d[0], d[len(d)-1])
		}
		n := must(s.CountDeliveries(t.Context(), a.ID, f))(t)
		same(t, name, n, webhook.Count{N: 0, More: true})
	}
}

// testLongBooking pages through all deliveries of a booking that has more events
// than one request reads, and counts them honestly.
func testLongBooking(t *testing.T, s *db.Store) {
	a := newAccount(t, s)
	addHook(t, s, a.ID, func(w *webhook.Webhook) { w.SelectEvents([]string{"*"}) })
	const events = 1100
	var batch []webhook.Event
	for i := range events {
		e := newEvent("")
		e.BookingID = "B-1"
		if batch = append(batch, e); len(batch) == 100 || i == events-1 {
			ingest(t, s, a.ID, batch...)
			batch = nil
		}
	}
	f := webhook.DeliveryFilter{Booking: "B-1", Limit: 200}
	count, err := s.CountDeliveries(t.Context(), a.ID, f)
	if err != nil || !count.More || count.N < 900 || count.N > events {
		t.Errorf("got %+v, %v, want at least 900 and more", count, err)
	}
	found := 0
	for {
		page, err := s.Deliveries(t.Context(), a.ID, f)
		if err != nil {
			t.Fatal(err)
		}
		found += len(page.Rows)
		if f.Before = page.Next; page.Next == 0 {
			break
		}
	}
	if found != events {
		t.Errorf("got %d deliveries, want %d", found, events)
	}
}
