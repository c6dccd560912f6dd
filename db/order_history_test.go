package db_test

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"bookhook/db"
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
			ok(h, h.Release(ctx, h.flying[n-1].ID, h.flying[n-1].Attempts, h.now))
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
