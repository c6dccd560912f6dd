package db_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/stats"
	"bookhook/webhook"
)

// history is a store to which anything happens, in any order.
type history struct {
	testing.TB
	*db.Store
	*rand.Rand
	account webhook.Account
	hook    *webhook.Webhook
	flying  []webhook.Delivery
	all     []webhook.DeliveryID
	now     time.Time
}

// step does one thing; that it cannot be done is no fault.
func (h *history) step() {
	ctx := h.Context()
	h.now = h.now.Add(time.Duration(h.IntN(90)) * time.Second)
	switch h.IntN(12) {
	case 0, 1, 2:
		list := some(1 + h.IntN(4))
		for i := range list {
			list[i].BookingID = strconv.Itoa(h.IntN(3))
		}
		take := func(*webhook.Webhook) bool { return h.IntN(2) == 0 }
		for _, a := range must(insert(h, h.Store, h.account.ID, list, h.now, h.now.Add(time.Minute), take))(h) {
			for _, job := range a.Jobs {
				h.flying = append(h.flying, job.Delivery)
			}
			if id := a.Decisions[0].Delivery; id != 0 {
				h.all = append(h.all, id)
			}
		}
	case 3, 4:
		h.claim(1 + h.IntN(3))
	case 5, 6, 7:
		h.land([]time.Time{{}, h.now.Add(time.Minute)}[h.IntN(2)], h.IntN(2) == 0)
	case 8:
		_ = h.Cancel(ctx, h.account.ID, h.any(), at(h.now))
	case 9:
		_, _ = h.Replay(ctx, h.account.ID, h.any(), at(h.now))
	case 10:
		setOrder(h, h.Store, h.hook, h.IntN(3) > 0)
	case 11:
		if h.IntN(5) == 0 { // the process dies
			h.flying = nil
			ok(h, h.RecoverClaims(ctx, webhook.AllShards, h.now))
		} else if n := len(h.flying); n > 0 {
			ok(h, h.Release(ctx, h.flying[n-1].ID, h.flying[n-1].Attempts, h.flying[n-1].NextAt, h.now))
			h.flying = h.flying[:n-1]
		}
	}
}

func (h *history) any() webhook.DeliveryID {
	if len(h.all) == 0 {
		return 0
	}
	return h.all[h.IntN(len(h.all))]
}

func (h *history) claim(n int) {
	for _, job := range claim(h, h.Store, h.hook.ID, n, h.now) {
		h.flying = append(h.flying, job.Delivery)
	}
}

// land ends one of those in flight.
func (h *history) land(next time.Time, well bool) {
	if len(h.flying) == 0 {
		return
	}
	i := h.IntN(len(h.flying))
	d := h.flying[i]
	h.flying = append(h.flying[:i], h.flying[i+1:]...)
	r := failure(d.ID, h.hook.ID, d.Attempts, next)
	if well {
		r = success(d.ID, h.hook.ID, d.Attempts)
	}
	must(h.Finish(h.Context(), r, h.now))(h)
}

// testOrderWhatever: whatever happens, all that is pending gets its turn.
func testOrderWhatever(t *testing.T, s *db.Store) {
	for seed := range uint64(12) {
		h := &history{TB: t, Store: s, Rand: rand.New(rand.NewPCG(seed, 1)), now: t0}
		h.account, h.hook = orderedShop(t, s)
		for range 150 {
			h.step()
		}
		setOrder(t, s, h.hook, seed%3 > 0)
		for range len(h.all) + 1 {
			h.now = h.now.Add(time.Hour)
			h.claim(99)
			for len(h.flying) > 0 {
				h.land(time.Time{}, true)
			}
		}
		left := must(s.Deliveries(t.Context(), h.account.ID, webhook.DeliveryFilter{State: webhook.Pending, Limit: 99}))(t).Rows
		if len(left) > 0 {
			t.Errorf("seed %d: %d deliveries never get their turn: %+v", seed, len(left), left)
		}
		if next, waits := must(s.Due(t.Context(), webhook.AllShards))(t)[h.hook.ID]; waits {
			t.Errorf("seed %d: got something due at %s, want nothing", seed, next.At)
		}
	}
}

// crowd are deliveries that many handle at the same time.
type crowd struct {
	testing.TB
	*db.Store
	mu      sync.Mutex
	jobs    []webhook.Job
	active  map[place]webhook.EventID // in flight
	last    map[place]webhook.EventID
	events  map[webhook.EventID]bool
	results int
}

// place is where a booking has one delivery at a time.
type place struct {
	hook    webhook.WebhookID
	booking string
}

// take takes jobs: each is the only one of its booking, and of no earlier event.
func (c *crowd) take(jobs []webhook.Job) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, j := range jobs {
		d := j.Delivery
		at := place{d.Webhook, d.BookingID}
		if c.active[at] != 0 || c.last[at] > d.Event {
			c.Errorf("got %s of %v while %s is active and after %s", d.Event, at, c.active[at], c.last[at])
		}
		c.active[at], c.last[at] = d.Event, d.Event
	}
	c.jobs = append(c.jobs, jobs...)
}

func (c *crowd) next() (job webhook.Job, found bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.jobs) == 0 {
		return job, false
	}
	job, c.jobs = c.jobs[0], c.jobs[1:]
	delete(c.active, place{job.Delivery.Webhook, job.Delivery.BookingID})
	return job, true
}

// send inserts events of few bookings, some of which others insert as well.
func (c *crowd) send(account webhook.AccountID, sender int) {
	for i := range 12 {
		e := newEvent("")
		e.BookingID = strconv.Itoa((sender/2 + i) % 5)
		if i%3 == 0 {
			e.ExternalID = fmt.Sprint(sender/2, "-", i)
		}
		for _, a := range must(insert(c, c.Store, account, []webhook.Event{e}, t0, lease, taken))(c) {
			c.mu.Lock()
			c.events[a.Event.ID] = true
			c.mu.Unlock()
			c.take(a.Jobs)
		}
		c.finishOne(account, sender+i)
	}
}

// finishOne finishes a job, if there is one, and claims what that makes due.
func (c *crowd) finishOne(account webhook.AccountID, n int) (found bool) {
	job, found := c.next()
	if !found {
		return false
	}
	d := job.Delivery
	r := success(d.ID, d.Webhook, d.Attempts)
	switch {
	case n%5 == 1 && d.Attempts < 3:
		r = failure(d.ID, d.Webhook, d.Attempts, t0)
	case n%5 == 2:
		r = failure(d.ID, d.Webhook, d.Attempts, time.Time{})
	case n%7 == 3:
		r.Warnings = &webhook.Warnings{Slow: time.Duration(n)}
	}
	r.Account = account
	f := must(c.Finish(c.Context(), r, t0))(c)
	must(c.Finish(c.Context(), r, t0))(c)
	c.mu.Lock()
	c.results++
	c.mu.Unlock()
	if f.Released || r.State == webhook.Pending {
		jobs, _, err := c.Claim(c.Context(), webhook.Claim{Webhook: d.Webhook, N: 3, Now: t0, Lease: lease})
		ok(c, err)
		c.take(jobs)
	}
	return true
}

// testCrowd: whatever is done at the same time, each booking keeps its order, nothing is
// stored or counted twice, and all of it ends.
func testCrowd(t *testing.T, s *db.Store) {
	a, _ := orderedShop(t, s)
	addHook(t, s, a.ID, ordered)
	c := &crowd{TB: t, Store: s, active: map[place]webhook.EventID{}, last: map[place]webhook.EventID{}, events: map[webhook.EventID]bool{}}
	const senders = 24
	var wg sync.WaitGroup
	for sender := range senders {
		wg.Go(func() { c.send(a.ID, sender) })
	}
	wg.Wait()
	for n := 0; c.finishOne(a.ID, n); n++ {
	}
	const events = senders*12 - senders/2*4
	same(t, "events", len(c.events), events)
	same(t, "waiting", must(s.CountDeliveries(t.Context(), a.ID, webhook.DeliveryFilter{State: webhook.Pending}))(t), webhook.Count{})
	same(t, "ended", must(s.CountDeliveries(t.Context(), a.ID, webhook.DeliveryFilter{}))(t).N, 2*events)
	total := must(s.AccountStats(t.Context(), a.ID, stats.Day, t0.Add(time.Minute)))(t).Total
	same(t, "attempts counted", total.Delivered+total.FailedAttempts(), int64(c.results))
}
