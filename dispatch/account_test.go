package dispatch

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"bookhook/webhook"
)

// mustBeShared checks that the accounts have what their lanes have, that together
// they have what is counted for all, and that just those with waiting lanes wait.
func (b *testLanes) mustBeShared(t *testing.T) {
	t.Helper()
	lanes, inFlight, total := map[*account]int{}, map[*account]int{}, account{}
	for _, l := range b.byID {
		if b.accounts[l.account.id] != l.account {
			t.Fatalf("lane %d is of an account that was forgotten", l.id)
		}
		lanes[l.account]++
		inFlight[l.account] += l.inFlight
	}
	for id, a := range b.accounts {
		if a.id != id || a.idle() || a.lanes != lanes[a] || a.workers < inFlight[a] || a.held < a.workers || a.claims < 0 || a.bytes < 0 {
			t.Fatalf("account %d is out of order: %+v, %d lanes with %d in flight", id, a, lanes[a], inFlight[a])
		}
		if len(a.startQueue) > 0 != slices.Contains(b.starting.accounts, a) || len(a.claimQueue) > 0 != slices.Contains(b.claiming.accounts, a) {
			t.Fatalf("account %d does not wait as its lanes do", id)
		}
		total.workers += a.workers
		total.held += a.held
		total.bytes += a.bytes
		total.claims += a.claims
	}
	if got := b.total; got.workers != total.workers || got.held != total.held || got.bytes != total.bytes || got.claims != total.claims {
		t.Fatalf("got %+v for all, want %+v", got, total)
	}
	if i := slices.IndexFunc(b.starting.accounts, b.mayStart); i >= 0 {
		t.Fatalf("account %d waits although it may start", b.starting.accounts[i].id)
	}
}

// hostile is an account with ten webhooks that take all they can get.
func (b *testLanes) hostile(id webhook.AccountID) {
	for n := range webhook.WebhookID(10) {
		w := &webhook.Webhook{ID: 100*webhook.WebhookID(id) + n, Account: id, Config: webhook.Config{Concurrency: webhook.MaxConcurrency}}
		b.ingest(w, 1000, 1000)
	}
}

func (b *testLanes) inFlightOf(id webhook.AccountID) (n int) {
	for _, f := range b.started {
		if f.lane.account.id == id {
			n++
		}
	}
	return n
}

// TestFullHouse: however many accounts take all they can get, with receivers that
// never answer, the next one finds as much free as each of them has, in flight and in
// memory. That is its share; by itself it takes half of it at once, and the rest when
// somebody finishes.
func TestFullHouse(t *testing.T) {
	t.Parallel()
	const places = 2048
	b := newTestLanes(places)
	for n := range 8 {
		free, share := places-len(b.started), places/(n+1)
		if free < share*9/10 {
			t.Fatalf("got %d of %d places free beside %d accounts, want a share of %d", free, places, n, share)
		}
		before := b.inFlightOf(webhook.AccountID(n + 1))
		b.hostile(webhook.AccountID(n + 1))
		if got := b.inFlightOf(webhook.AccountID(n+1)) - before; got < share*4/10 {
			t.Fatalf("got %d places at once beside %d accounts, want about half of %d", got, n, share)
		}
		for range 2 * places { // the oldest requests are answered, round after round
			b.finish(0)
			b.claimAgain()
		}
		share = places / (n + 2)
		for id := range n + 1 {
			if got := b.inFlightOf(webhook.AccountID(id + 1)); got < share*9/10-1 || got > share*11/10+1 {
				t.Fatalf("account %d of %d has %d places, want about %d", id+1, n+1, got, share)
			}
		}
		b.mustBeShared(t)
	}
}

// claimAgain makes claims as the loop would, from tables that never run out.
func (b *testLanes) claimAgain() {
	select {
	case <-b.wake:
	default:
		return
	}
	claims, _ := b.turn()
	for _, c := range claims {
		w := &webhook.Webhook{ID: c.lane.id, Account: c.lane.account.id, Config: webhook.Config{Concurrency: webhook.MaxConcurrency}}
		b.claimDone(c, jobs(w, c.n), webhook.Due{At: time.Now()})
	}
}

// TestMemoryIsShared: an account that has filled its part of the memory neither stops
// the claims of others nor keeps the loop awake.
func TestMemoryIsShared(t *testing.T) {
	t.Parallel()
	b := newTestLanes(1000)
	big := &webhook.Webhook{ID: 1, Account: 1, Config: webhook.Config{Concurrency: 8}}
	r, taken := b.plan(big, 9)
	list := jobs(big, taken)
	for i := range list {
		list[i].Event.Data = make([]byte, maxBytes/16)
	}
	r.commit([]webhook.Accepted{{Jobs: list}})
	b.due(1, 2, time.Now())
	b.due(2, 3, time.Now())
	<-b.wake
	claims, _ := b.turn()
	if len(claims) != 1 || claims[0].lane.id != 3 {
		t.Fatalf("got %+v, want a claim of the other account", claims)
	}
	select {
	case <-b.wake:
		t.Error("the loop is woken although nobody may claim")
	default:
	}
	if got := b.ingest(&webhook.Webhook{ID: 4, Account: 1, Config: webhook.Config{Concurrency: 8}}, 1, 1); got != 0 {
		t.Error("got a place for an account that has its part")
	}
	if got := b.ingest(&webhook.Webhook{ID: 5, Account: 2, Config: webhook.Config{Concurrency: 8}}, 1, 1); got != 1 {
		t.Error("got no place for the other account")
	}
}

// TestClaimsAreShared: an account with many webhooks leaves claims to others, which
// wait in turn with its lanes.
func TestClaimsAreShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTestLanes(1000)
		for id := range webhook.WebhookID(50) {
			b.due(1, 100+id, time.Now())
		}
		claims, _ := b.turn()
		if len(claims) != maxClaims/2 {
			t.Fatalf("got %d claims, want half of %d", len(claims), maxClaims)
		}
		b.due(2, 1, time.Now())
		more, _ := b.turn()
		if len(more) != 1 || more[0].lane.id != 1 {
			t.Fatalf("got %+v, want the claim of the other account at once", more)
		}
	})
}

// TestSlowDiskIsShared: an account whose results wait to be recorded leaves others
// the workers that they need.
func TestSlowDiskIsShared(t *testing.T) {
	t.Parallel()
	const places = 100
	b := newTestLanes(places)
	recording := 0
	for more := true; more; {
		for n := range webhook.WebhookID(20) {
			b.ingest(&webhook.Webhook{ID: 10 + n, Account: 1, Config: webhook.Config{Concurrency: 10}}, 10, 10)
		}
		more = len(b.started) > 0
		for ; len(b.started) > 0; recording++ { // answered, but not recorded
			f := b.started[0]
			b.started = b.started[1:]
			b.requestDone(f.lane)
		}
	}
	if recording != places {
		t.Errorf("got %d results that wait, want %d, half of the workers", recording, places)
	}
	b.ingest(&webhook.Webhook{ID: 1, Account: 2, Config: webhook.Config{Concurrency: 10}}, 10, 10)
	if got := len(b.started); got != 10 {
		t.Errorf("got %d requests of the other account, want all 10", got)
	}
}

// TestInlineCallsAreShared: an account whose inline webhooks do not answer leaves
// places to others.
func TestInlineCallsAreShared(t *testing.T) {
	t.Parallel()
	c := newInlineCalls(9)
	for _, want := range []int{5, 2, 1} { // of nine, of four, of two
		got := 0
		for {
			if _, _, err := c.tryAcquire(inlineCallID{account: webhook.AccountID(want)}); err != nil {
				break
			}
			got++
		}
		if got != want {
			t.Errorf("got %d places, want %d", got, want)
		}
	}
}
