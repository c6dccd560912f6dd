package dispatch

import (
	"testing"
	"time"

	"bookhook/webhook"
)

// bulkJobs are jobs of a bulk replay.
func bulkJobs(w *webhook.Webhook, n int) []webhook.Job {
	list := jobs(w, n)
	for i := range list {
		list[i].Bulk = true
	}
	return list
}

// bulkClaim makes the one claim that is to be made, which is of bulk replays, and
// returns for how many items.
func (b *testLanes) bulkClaim(t *testing.T, w *webhook.Webhook) int {
	t.Helper()
	claims, _ := b.turn()
	if len(claims) != 1 || claims[0].n != 0 || claims[0].bulk == 0 {
		t.Fatalf("got claims %+v, want one of bulk replays alone", claims)
	}
	stale := b.claimDone(claims[0], bulkJobs(w, claims[0].bulk), webhook.Due{Bulk: time.Now()})
	if len(stale) != 0 {
		t.Fatalf("got %d stale jobs", len(stale))
	}
	return claims[0].bulk
}

// bulkStarted counts the requests in flight that are of bulk replays, and the others.
func (b *testLanes) bulkStarted() (bulk, others int) {
	for _, f := range b.started {
		if f.job.Bulk {
			bulk++
		} else {
			others++
		}
	}
	return bulk, others
}

// TestBulkLeavesRoom: however long a bulk replay is, fresh events find two thirds of
// their lane and half of its places in flight, and go before what is queued.
func TestBulkLeavesRoom(t *testing.T) {
	t.Parallel()
	b := newTestLanes(1000)
	w := &webhook.Webhook{ID: 1, Config: webhook.Config{Concurrency: 8}}
	b.acceptAll(map[webhook.WebhookID]webhook.Due{1: {Bulk: time.Now()}})
	b.lane(0, 1).configure(w)
	if got := b.bulkClaim(t, w); got != 8 {
		t.Errorf("got a claim of %d, want 8: a third of the lane", got)
	}
	if bulk, _ := b.bulkStarted(); bulk != 4 {
		t.Errorf("got %d in flight, want 4", bulk)
	}
	if claims, _ := b.turn(); len(claims) != 0 {
		t.Errorf("got %+v while items are queued, want no claim", claims)
	}
	if got := b.ingest(w, 20, 20); got != 16 {
		t.Errorf("got places for %d fresh events, want 16", got)
	}
	if bulk, fresh := b.bulkStarted(); bulk != 4 || fresh != 4 {
		t.Errorf("got %d and %d fresh ones in flight, want 4 and 4", bulk, fresh)
	}
	for range 4 { // the bulk ones end; fresh ones take their places
		b.finish(0)
	}
	if bulk, fresh := b.bulkStarted(); bulk != 0 || fresh != 8 {
		t.Errorf("got %d and %d fresh ones in flight, want 0 and 8", bulk, fresh)
	}
	b.due(0, 1, time.Now()) // the four events that found no place
	for range 12 {
		b.finish(0)
	}
	claims, _ := b.turn()
	if len(claims) != 1 || claims[0].n == 0 || claims[0].bulk != 0 {
		t.Fatalf("got %+v, want a claim of what is due, and nothing of bulk replays", claims)
	}
	b.claimDone(claims[0], nil, webhook.Due{})
	for len(b.started) > 0 {
		b.finish(0)
	}
	claims, _ = b.turn() // now the bulk replay goes on, and has ended
	b.claimDone(claims[0], nil, webhook.Due{})
	b.mustBeEmpty(t)
}

// TestBulkIsNotOlder: a bulk replay does not make fresh events wait for a place, or
// go through the table.
func TestBulkIsNotOlder(t *testing.T) {
	t.Parallel()
	b := newTestLanes(1000)
	w := &webhook.Webhook{ID: 1, Config: webhook.Config{Concurrency: 8}}
	b.acceptAll(map[webhook.WebhookID]webhook.Due{1: {Bulk: time.Now()}})
	l := b.lane(0, 1)
	l.configure(w)
	l.pace = pace{interval: time.Microsecond}
	if l.hasOlder(time.Now()) || l.isCrowded(time.Now(), false) {
		t.Error("a bulk replay counts as older deliveries")
	}
	claims, _ := b.turn()
	if got := b.ingest(w, 1, 1); got != 1 {
		t.Error("got no place while items are claimed")
	}
	b.claimDone(claims[0], nil, webhook.Due{})
	b.finish(0)
}

// TestBulkIsTheLastProbe: of an open circuit, an item is the probe only if nothing else is
// due. Those that were queued when it opened are released.
func TestBulkIsTheLastProbe(t *testing.T) {
	t.Parallel()
	b := newTestLanes(1000)
	now := time.Now()
	b.clock = func() time.Time { return now }
	w := &webhook.Webhook{ID: 1, Config: webhook.Config{Concurrency: 2}}
	b.acceptAll(map[webhook.WebhookID]webhook.Due{1: {Bulk: now}})
	l := b.lane(0, 1)
	l.configure(w)
	failTimes(&l.breaker, webhook.CircuitFailures-1, now)
	if got := b.bulkClaim(t, w); got != 2 {
		t.Fatalf("got a claim of %d, want 2", got)
	}
	if queued := b.fail(0, now); len(queued) != 1 || !queued[0].Bulk {
		t.Errorf("got %d released, want the one that was queued", len(queued))
	}
	if claims, next := b.turn(); len(claims) != 0 || !next.Equal(now.Add(firstPause)) {
		t.Errorf("got %+v and next in %s, want nothing before the probe", claims, next.Sub(now))
	}
	now = now.Add(firstPause)
	b.due(0, 1, now)
	claims, _ := b.turn()
	if len(claims) != 1 || claims[0].n != 1 || claims[0].bulk != 0 {
		t.Fatalf("got %+v, want a claim of what is due", claims)
	}
	b.claimDone(claims[0], nil, webhook.Due{})
	if got := b.bulkClaim(t, w); got != 1 {
		t.Errorf("got a claim of %d, want 1: the probe", got)
	}
}

// TestBulkYieldsAtOnce: a claim of bulk replays that finds other deliveries due is
// followed by one of these, without a pause; one whose items were left out is repeated.
func TestBulkYieldsAtOnce(t *testing.T) {
	t.Parallel()
	b := newTestLanes(1000)
	now := time.Now()
	b.clock = func() time.Time { return now }
	b.acceptAll(map[webhook.WebhookID]webhook.Due{1: {Bulk: now}})
	claims, _ := b.turn()
	b.claimDone(claims[0], nil, webhook.Due{At: now, Bulk: now})
	claims, _ = b.turn()
	if len(claims) != 1 || claims[0].n == 0 {
		t.Fatalf("got %+v, want a claim of what is due", claims)
	}
	b.claimDone(claims[0], jobs(&webhook.Webhook{ID: 1, Config: webhook.Config{Concurrency: 1}}, 1), webhook.Due{Bulk: now})
	b.finish(0)
	claims, _ = b.turn()
	b.claimDone(claims[0], nil, webhook.Due{Bulk: now}) // all were left out
	if claims, next := b.turn(); len(claims) != 0 || !next.Equal(now.Add(leftOutPause)) {
		t.Errorf("got %+v and the next in %s, want one after a pause", claims, next.Sub(now))
	}
}

// TestBulkIsShared: items of many webhooks are bounded as their accounts are.
func TestBulkIsShared(t *testing.T) {
	t.Parallel()
	b := newTestLanes(4)
	for id := range webhook.WebhookID(10) {
		b.lane(1, id).configure(&webhook.Webhook{Config: webhook.Config{Concurrency: 8}})
		b.lane(1, id).due(webhook.Due{Bulk: time.Now()})
		b.update(b.lane(1, id))
	}
	for claims, _ := b.turn(); len(claims) > 0; claims, _ = b.turn() {
		for _, c := range claims {
			b.claimDone(c, bulkJobs(&webhook.Webhook{Config: webhook.Config{Concurrency: 8}}, c.bulk), webhook.Due{Bulk: time.Now()})
		}
	}
	if len(b.started) > 2 || b.total.held > 8 {
		t.Errorf("got %d in flight and %d in memory of one account, want 2 and 8 at most", len(b.started), b.total.held)
	}
}
