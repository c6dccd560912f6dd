package db_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/db/dbtest"
	"bookhook/platforms"
	"bookhook/webhook"
)

var ingestTests = []test{
	{"every decision", testDecisions},
	{"round trip", testEventRoundTrip},
	{"taken at once", testTaken},
	{"waiting", testWaiting},
	{"what is sent at once is what is sent later", testSameBytes},
	{"duplicates", testDuplicates},
	{"duplicates in parallel", testDuplicatesParallel},
	{"the same id for something else", testIDConflict},
	{"ids are of an account", testIDsOfAccounts},
	{"webhooks changed in between", testConfigChanges},
	{"webhooks changed in parallel", testConfigParallel},
	{"skipped while off", testSkipped},
	{"no such account", testIngestNoAccount},
	{"a batch", testBatch},
	{"test event", testTestEvent},
}

func testDecisions(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	include, exclude := webhook.Include, webhook.Exclude
	tests := []struct {
		change func(*webhook.Webhook)
		want   webhook.Reason
	}{
		{func(*webhook.Webhook) {}, webhook.Matched},
		{func(w *webhook.Webhook) { w.Enabled = false }, webhook.ReasonDisabled},
		{func(w *webhook.Webhook) { w.SelectEvents([]string{"new_confirmed_web"}) }, webhook.ReasonEvent},
		{func(w *webhook.Webhook) { w.Channels = webhook.NewFilter(include, []string{"1"}) }, webhook.ReasonChannel},
		{func(w *webhook.Webhook) { w.Tours = webhook.NewFilter(include, []string{"1"}) }, webhook.ReasonTourNotListed},
		{func(w *webhook.Webhook) { w.Tours = webhook.NewFilter(exclude, []string{"12", "15"}) }, webhook.ReasonTourExcluded},
		{func(w *webhook.Webhook) { w.Tours = webhook.NewFilter(exclude, []string{"12"}) }, webhook.Matched},
	}
	for _, tt := range tests {
		addHook(t, s, a.ID, tt.change)
	}
	got := ingest(t, s, a.ID, newEvent("x"))[0]
	for i, w := range must(s.Webhooks(ctx, a.ID))(t) {
		same(t, fmt.Sprint("reason of ", i), got.Decisions[i].Reason, tests[i].want)
		same(t, fmt.Sprint("webhook of ", i), got.Decisions[i].Webhook, w.ID)
		same(t, fmt.Sprint("a delivery for ", i), got.Decisions[i].Delivery != 0, tests[i].want == webhook.Matched)
	}
	row := must(s.Event(ctx, a.ID, got.Event.ID))(t)
	same(t, "stored decisions", row.Decisions, got.Decisions)
	same(t, "deliveries", len(must(s.Deliveries(ctx, a.ID, webhook.DeliveryFilter{Limit: 10}))(t).Rows), 2)

	bare := newEvent("y") // what only an event without channel and tours shows
	bare.ChannelID, bare.TourIDs = "", nil
	got = ingest(t, s, a.ID, bare)[0]
	same(t, "no channel", got.Decisions[3].Reason, webhook.ReasonNoChannel)
	same(t, "no tour", got.Decisions[4].Reason, webhook.ReasonNoTour)
	same(t, "no tour to exclude", got.Decisions[5].Reason, webhook.Matched)
}

func testEventRoundTrip(t *testing.T, s *db.Store) {
	a := newAccount(t, s)
	full, bare := newEvent("id 🎟"), webhook.Event{Platform: "wink", Type: "x", TourIDs: []string{}}
	full.Data = []byte("{\"b\":1,\n\t\"a\" : \"\\u00e9 <é> 🎟\", \"n\": 1.0e+2}\r\n ")
	full.Via = "there.one, there.two"
	for i, got := range ingest(t, s, a.ID, full, bare) {
		want := []webhook.Event{full, bare}[i]
		want.ID, want.Account, want.ReceivedAt = got.Event.ID, a.ID, t0
		same(t, "accepted", got.Event, want)
		same(t, "stored", must(s.Event(t.Context(), a.ID, got.Event.ID))(t).Event, want)
	}
}

func testTaken(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	asked := 0
	take := func(asking *webhook.Webhook) bool { asked++; return asking.ID == w.ID }
	got := must(insert(t, s, a.ID, []webhook.Event{newEvent("x")}, t0, lease, take))(t)[0]
	same(t, "asked", asked, 1)
	same(t, "waiting", len(got.Waiting), 0)
	if len(got.Jobs) != 1 {
		t.Fatalf("got %d jobs, want 1", len(got.Jobs))
	}
	job := got.Jobs[0]
	same(t, "stored delivery", must(s.Delivery(ctx, a.ID, got.Decisions[0].Delivery))(t), job.Delivery)
	same(t, "attempts and lease", []any{job.Delivery.Attempts, job.Delivery.NextAt}, []any{1, lease})
	same(t, "job", []any{job.Event.ID, job.Webhook.URL, job.Account.Number}, []any{got.Event.ID, w.URL, a.Number})
	same(t, "claimed before the lease ends", len(claim(t, s, w.ID, 10, lease.Add(-1*time.Millisecond))), 0)
	again := claim(t, s, w.ID, 10, lease)
	same(t, "claimed when it ends", len(again), 1)
	same(t, "attempts then", again[0].Delivery.Attempts, 2)
}

func testWaiting(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	second := addHook(t, s, a.ID)
	got := ingest(t, s, a.ID, newEvent("x"))[0]
	same(t, "jobs", len(got.Jobs), 0)
	same(t, "waiting", got.Waiting, []webhook.WebhookID{w.ID, second.ID})
	d := must(s.Delivery(t.Context(), a.ID, got.Decisions[0].Delivery))(t)
	same(t, "attempts and time", []any{d.Attempts, d.NextAt}, []any{0, t0})
	same(t, "claimed", len(claim(t, s, w.ID, 10, t0)), 1)
}

// testSameBytes: a time finer than what is stored must not reach the first
// attempt, or the second one would send other bytes.
func testSameBytes(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	fine := newEvent("x")
	fine.OccurredAt = t0.Add(123456 * time.Nanosecond).In(time.FixedZone("", 3600))
	unsaid := newEvent("y")
	unsaid.OccurredAt = time.Time{}
	got := must(insert(t, s, a.ID, []webhook.Event{fine, unsaid}, t0.Add(654321), t0, taken))(t)
	later := claim(t, s, w.ID, 2, t0)
	for i := range got {
		first, second := got[i].Jobs[0], later[i]
		same(t, "body", string(platforms.StandardBody(second.Event, 1, nil)), string(platforms.StandardBody(first.Event, 1, nil)))
		same(t, "event", second.Event, first.Event)
	}
	same(t, "fine time again", ingest(t, s, a.ID, fine)[0].Duplicate, true)
}

func testDuplicates(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	first := ingest(t, s, a.ID, newEvent("x"))[0]
	must(s.DeleteWebhook(ctx, a.ID, w.ID, at(t0)))(t) // the first decisions are kept
	spaced := newEvent("x")
	spaced.Data = []byte(" {\"note\":\r\n\"späte Buchung 🎟\"}")
	for _, e := range []webhook.Event{newEvent("x"), spaced} {
		got := must(insert(t, s, a.ID, []webhook.Event{e}, t0.Add(time.Hour), lease, taken))(t)[0]
		same(t, "duplicate", got.Duplicate, true)
		same(t, "id and time", []any{got.Event.ID, got.Event.ReceivedAt}, []any{first.Event.ID, t0})
		same(t, "decisions", got.Decisions, first.Decisions)
		same(t, "jobs and waiting", len(got.Jobs)+len(got.Waiting), 0)
	}
	within := ingest(t, s, a.ID, newEvent("y"), newEvent("z"), newEvent("y"))
	same(t, "duplicate in a list", []bool{within[0].Duplicate, within[1].Duplicate, within[2].Duplicate}, []bool{false, false, true})
	same(t, "its id", within[2].Event.ID, within[0].Event.ID)
	later := newEvent("x:8") // a repetition that is stored before it has the next number
	later.SameIDs = []string{"x:7", "x"}
	again := ingest(t, s, a.ID, later)[0]
	same(t, "with an id that means the same", []any{again.Duplicate, again.Event.ID}, []any{true, first.Event.ID})
	same(t, "events", len(must(s.Events(ctx, a.ID, webhook.EventFilter{Limit: 10}))(t).Rows), 3)
	same(t, "data", string(must(s.Event(ctx, a.ID, first.Event.ID))(t).Data), string(newEvent("").Data))
	same(t, "without an id nothing is a duplicate", ingest(t, s, a.ID, some(2)...)[1].Duplicate, false)
}

func testDuplicatesParallel(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, _ := shop(t, s)
	got := make([]webhook.Accepted, 50)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			accepted, err := insert(t, s, a.ID, []webhook.Event{newEvent("x")}, t0, lease, taken)
			if err != nil {
				t.Error(err)
				return
			}
			got[i] = accepted[0]
		})
	}
	wg.Wait()
	fresh := 0
	for _, accepted := range got {
		same(t, "event", accepted.Event.ID, got[0].Event.ID)
		same(t, "decisions", accepted.Decisions, got[0].Decisions)
		same(t, "job unless duplicate", len(accepted.Jobs) == 0, accepted.Duplicate)
		if !accepted.Duplicate {
			fresh++
		}
	}
	same(t, "events that were new", fresh, 1)
	same(t, "deliveries", must(s.CountDeliveries(ctx, a.ID, webhook.DeliveryFilter{}))(t).N, 1)
}

func testIDConflict(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, _ := shop(t, s)
	ingest(t, s, a.ID, newEvent("x"))
	other := newEvent("x")
	other.BookingID = "9"
	_, err := insert(t, s, a.ID, []webhook.Event{newEvent("new"), other, newEvent("newer")}, t0, lease, taken)
	conflict, is := errors.AsType[webhook.IDConflict](err)
	if !is || conflict.ExternalID != "x" || !errors.Is(err, webhook.ErrConflict) {
		t.Errorf("got %v, want a conflict of x", err)
	}
	same(t, "events", len(must(s.Events(ctx, a.ID, webhook.EventFilter{Limit: 10}))(t).Rows), 1)
	same(t, "deliveries", must(s.CountDeliveries(ctx, a.ID, webhook.DeliveryFilter{}))(t).N, 1)
	same(t, "the first of the list, later", ingest(t, s, a.ID, newEvent("new"))[0].Duplicate, false)
}

func testIDsOfAccounts(t *testing.T, s *db.Store) {
	a, b := newAccount(t, s), newAccount(t, s)
	ingest(t, s, a.ID, newEvent("x"))
	same(t, "the same id in another account", ingest(t, s, b.ID, newEvent("x"))[0].Duplicate, false)
}

func testIngestNoAccount(t *testing.T, s *db.Store) {
	_, err := insert(t, s, 1, some(1), t0, lease, taken)
	wantError(t, "ingest", err, webhook.ErrNotFound)
}

func testBatch(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	got := ingest(t, s, a.ID, some(webhook.MaxBatch)...)
	ids := make([]webhook.EventID, len(got))
	for i := range got {
		ids[i] = got[i].Event.ID
	}
	same(t, "ids ascend", slices.IsSorted(ids), true)
	same(t, "claimed", len(claim(t, s, w.ID, 1000, t0)), webhook.MaxBatch)
	same(t, "no events", len(ingest(t, s, a.ID)), 0)
}

// TestAnotherStore is about two programs on one SQLite file, such as the
// server and the command line.
func TestAnotherStore(t *testing.T) {
	path := dbtest.At(t)
	server, command := openFile(t, path), openFile(t, path)
	a, w := shop(t, server)
	reasons := func() []webhook.Reason {
		got := []webhook.Reason{}
		for _, d := range ingest(t, server, a.ID, newEvent(""))[0].Decisions {
			got = append(got, d.Reason)
		}
		return got
	}
	same(t, "at first", reasons(), []webhook.Reason{webhook.Matched})
	must(command.SetEnabled(t.Context(), a.ID, w.ID, false, at(t0)))(t)
	same(t, "switched off elsewhere", reasons(), []webhook.Reason{webhook.ReasonDisabled})
	addHook(t, command, a.ID)
	same(t, "added elsewhere", reasons(), []webhook.Reason{webhook.ReasonDisabled, webhook.Matched})
	must(command.DeleteWebhook(t.Context(), a.ID, w.ID, at(t0)))(t)
	same(t, "deleted elsewhere", reasons(), []webhook.Reason{webhook.Matched})
	var wg sync.WaitGroup
	for _, s := range []*db.Store{server, command} {
		wg.Go(func() {
			for range 50 {
				if _, err := insert(t, s, a.ID, some(1), t0, lease, taken); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	same(t, "deliveries", must(server.CountDeliveries(t.Context(), a.ID, webhook.DeliveryFilter{}))(t).N, 3+100)
}
