package lookup

import (
	"testing"
	"time"

	"bookhook/db"
	"bookhook/db/dbtest"
	"bookhook/webhook"
)

// TestMemoryIsShared: of an account with more events than half of the room the rest
// stays in the table, so that another account's are read at once; and it is read
// later, each event once and in order.
func TestMemoryIsShared(t *testing.T) {
	t.Parallel()
	const room, many, few = 8 * pageSize, 5*pageSize + 7, 3
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	store := dbtest.New(t)
	busy, other := newAccount(t, store, 1), newAccount(t, store, 2)
	addLookups(t, store, busy, many)
	addLookups(t, store, other, few)

	q := New(Options{Store: store, StoreFailed: func(_ string, err error) bool { return err != nil }, Held: func() (webhook.ShardSet, bool) { return webhook.AllShards, true }})
	q.schedule = newSchedule(room)
	q.read(t.Context(), now)
	if got := q.schedule.accounts[busy].pending; got != room/2 {
		t.Errorf("got %d events of the busy account in memory, want half of %d", got, room)
	}
	if got := q.schedule.accounts[other].pending; got != few {
		t.Errorf("got %d events of the other account in memory, want all %d", got, few)
	}
	addLookups(t, store, busy, 1)
	q.Wake()
	q.more = true

	last, done := map[webhook.AccountID]webhook.EventID{}, map[webhook.AccountID]int{}
	for q.read(t.Context(), now); q.schedule.pending > 0; q.read(t.Context(), now) {
		next, ok := q.schedule.next(now)
		if !ok {
			t.Fatalf("nothing may be looked up, and %d events wait", q.schedule.pending)
		}
		account := next.key.account
		for _, e := range next.events {
			if e.id <= last[account] {
				t.Fatalf("got event %v after %v", e.id, last[account])
			}
			last[account] = e.id
		}
		done[account] += len(next.events)
		q.schedule.finish(result{task: next, done: len(next.events), response: response{requestedAt: now}}, now)
	}
	if done[busy] != many+1 || done[other] != few || len(q.behind) != 0 {
		t.Errorf("got %v, want %d and %d; behind %v", done, many+1, few, q.behind)
	}
}

func newAccount(t *testing.T, store *db.Store, number int64) webhook.AccountID {
	t.Helper()
	a, err := store.AddAccount(t.Context(), webhook.Account{Number: number, TimeZone: "UTC"}, webhook.Change{By: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}

// addLookups stores n events that wait, all of one booking.
func addLookups(t *testing.T, store *db.Store, account webhook.AccountID, n int) {
	t.Helper()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	subscriptions, err := store.Subscriptions(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	events := make([]webhook.Event, n)
	for i := range events {
		events[i] = webhook.Event{Platform: "tourcms", Type: "cancelled", BookingID: "1234", Inbound: true, Lookup: true, Data: []byte("{}")}
	}
	if _, err := store.Insert(t.Context(), webhook.NewPlan(subscriptions, events, now, now)); err != nil {
		t.Fatal(err)
	}
}
