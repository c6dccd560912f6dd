package dispatch

import (
	"math/rand/v2"
	"testing"
	"time"

	"bookhook/webhook"
)

// fairness is a lane with an endless bulk replay and fresh events beside it, and what is
// due in the table, the longest due first. What a bulk replay claimed and gave back is
// due there as anything else.
type fairness struct {
	*testLanes
	hook     *webhook.Webhook
	random   *rand.Rand
	table    []webhook.Job
	claims   []claim // under way
	last     webhook.DeliveryID
	replayed map[webhook.DeliveryID]bool
	accepted map[webhook.DeliveryID]int // how many replayed ones had started then
	started  int                        // replayed ones
	most     int                        // replayed ones that started between the acceptance of a fresh one and its start
	fresh    int                        // fresh ones that started
}

func newFairness(concurrency int, seed uint64) *fairness {
	f := &fairness{
		testLanes: newTestLanes(1000), random: rand.New(rand.NewPCG(seed, 1)), //nolint:gosec // no secret
		hook:     &webhook.Webhook{ID: 1, Config: webhook.Config{Concurrency: concurrency}},
		replayed: map[webhook.DeliveryID]bool{}, accepted: map[webhook.DeliveryID]int{},
	}
	start := f.lanes.start
	f.lanes.start = func(l *lane, job *webhook.Job) {
		start(l, job)
		if f.replayed[job.Delivery.ID] {
			f.started++
			return
		}
		f.fresh++
		f.most = max(f.most, f.started-f.accepted[job.Delivery.ID])
	}
	f.lane(0, 1).configure(f.hook)
	f.acceptAll(map[webhook.WebhookID]webhook.Due{1: {Bulk: time.Now()}})
	return f
}

func (f *fairness) job(bulk bool) webhook.Job {
	f.last++
	f.replayed[f.last] = bulk
	return webhook.Job{Delivery: webhook.Delivery{ID: f.last}, Webhook: f.hook, Bulk: bulk}
}

// giveBack makes jobs due in the table.
func (f *fairness) giveBack(jobs []*webhook.Job) {
	for _, job := range jobs {
		job.Bulk = false
		f.table = append(f.table, *job)
	}
	if len(jobs) > 0 {
		f.due(0, 1, time.Now())
	}
}

// ingest accepts a fresh event.
func (f *fairness) ingest() {
	job := f.job(false)
	f.accepted[job.Delivery.ID] = f.started
	r, taken := f.plan(f.hook, 1)
	a := webhook.Accepted{Jobs: []webhook.Job{job}}
	if taken == 0 {
		f.table = append(f.table, job)
		a = webhook.Accepted{Waiting: []webhook.WebhookID{1}}
	}
	f.giveBack(r.commit([]webhook.Accepted{a}))
}

// claim ends a claim as the store does: what is due, or else items of the replay.
func (f *fairness) claim() {
	i := f.random.IntN(len(f.claims))
	c := f.claims[i]
	f.claims = append(f.claims[:i], f.claims[i+1:]...)
	n := min(c.n, len(f.table))
	found := append([]webhook.Job{}, f.table[:n]...)
	f.table = f.table[n:]
	next := webhook.Due{Bulk: time.Now()}
	if len(f.table) > 0 {
		next.At = time.Now()
	} else {
		for range c.bulk {
			found = append(found, f.job(true))
		}
	}
	f.giveBack(f.claimDone(c, found, next))
}

// step does something that can happen at any time.
func (f *fairness) step() {
	claims, _ := f.turn()
	f.claims = append(f.claims, claims...)
	switch n := f.random.IntN(20); {
	case n == 0:
		f.giveBack(f.invalidate(0, 1)) // the webhook was changed
	case n < 7:
		f.ingest()
	case n < 12 && len(f.claims) > 0:
		f.claim()
	case len(f.testLanes.started) > 0:
		f.finish(f.random.IntN(len(f.testLanes.started)))
	}
}

// TestBulkDelaysNoFreshEvents: whenever an event comes in, no more of a bulk replay starts
// before it than a third of the lane has places, also if items were claimed and given back,
// and so are due as anything else.
func TestBulkDelaysNoFreshEvents(t *testing.T) {
	t.Parallel()
	for _, concurrency := range []int{1, 2, 8, 50} {
		worst := 0
		for seed := range uint64(20) {
			f := newFairness(concurrency, seed)
			for range 3000 {
				f.step()
			}
			if f.fresh < 200 || f.started < 20 {
				t.Fatalf("only %d fresh events and %d of the replay were sent", f.fresh, f.started)
			}
			worst = max(worst, f.most)
		}
		if worst > concurrency {
			t.Errorf("concurrency %d: %d of a replay went before a fresh event, want %d at most", concurrency, worst, concurrency)
		}
		t.Logf("concurrency %d: %d at most went before a fresh event", concurrency, worst)
	}
}
