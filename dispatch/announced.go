package dispatch

import (
	"slices"

	"bookhook/webhook"
)

// claimAnnounced claims deliveries that another replica has stored for accounts that this
// one serves, all at once, and starts them, as an ingest here would. It returns those for
// which there is a place; the others wait in the table.
func (d *Dispatcher) claimAnnounced(touched []webhook.Touched) map[webhook.DeliveryID]bool {
	r, placed := d.lanes.reserveNew(touched)
	if len(placed) == 0 {
		return nil
	}
	d.goWhileOpen(func() { d.claimPlaced(r, placed) }) // else it stops, and whoever serves the accounts next claims them
	claimed := make(map[webhook.DeliveryID]bool, len(placed))
	for _, t := range placed {
		claimed[t.Delivery] = true
	}
	return claimed
}

// claimPlaced claims deliveries for their places. What cannot be claimed by its id is looked
// for in the table.
func (d *Dispatcher) claimPlaced(r *reservation, placed []webhook.Touched) {
	var accepted []webhook.Accepted
	defer func() { // after a panic, too: a place is never lost
		d.releaseJobs(d.recording, r.commit(accepted))
		for _, t := range placed {
			d.lanes.end(t.Account)
		}
	}()
	now := d.clock()
	jobs, err := d.shards.ClaimNew(d.recording, placed, now.Add(d.lease))
	if d.storeFailed("claim", err) {
		if len(jobs) > 0 {
			d.goWhileOpen(func() { d.releaseUnknown(jobs) })
		}
		for _, t := range placed {
			d.lanes.due(t.Account, t.Webhook, now.Add(storePause))
		}
		return
	}
	accepted = make([]webhook.Accepted, len(placed))
	for i, t := range placed {
		accepted[i].Event.Account = t.Account
		if j := slices.IndexFunc(jobs, func(job webhook.Job) bool { return job.Delivery.ID == t.Delivery }); j >= 0 {
			accepted[i].Jobs = jobs[j : j+1]
		} else {
			accepted[i].Waiting = []webhook.WebhookID{t.Webhook}
		}
	}
}
