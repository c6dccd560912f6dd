package power

import (
	"database/sql"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

// waits checks that whatever is pending has a next step: what was in flight is due now, and what is held is held behind
// something.
func (v *view) waits(now time.Time) {
	v.each(`SELECT id FROM deliveries WHERE state = 'pending' AND held = 0 AND attempts > completed AND next_at > $1`, func(r *sql.Rows) error {
		var id webhook.DeliveryID
		err := r.Scan(&id)
		v.wrong("delivery %s was in flight and is not due", id)
		return err
	}, now.UnixMilli())
	v.each(`SELECT id FROM deliveries d WHERE state = 'pending' AND held = 1 AND NOT EXISTS (SELECT 1 FROM deliveries e
			WHERE e.webhook_id = d.webhook_id AND e.booking_id = d.booking_id AND e.state = 'pending' AND e.held = 0)`, func(r *sql.Rows) error {
		var id webhook.DeliveryID
		err := r.Scan(&id)
		v.wrong("delivery %s is held behind nothing", id)
		return err
	})
}

// longAfter is when everything that waits is due.
const longAfter = 365 * 24 * time.Hour

// claimsEach is how many deliveries of each webhook go on in an image: to do it for all would take most of the time.
const claimsEach = 3

// goesOn claims deliveries that wait and delivers them.
func (v *view) goesOn(store *db.Store, now time.Time) {
	pending := map[webhook.WebhookID]int{}
	for _, d := range v.deliveries {
		if d.state == "pending" {
			pending[d.webhook]++
		}
	}
	due, err := store.Due(v.ctx, webhook.AllShards)
	if err != nil {
		v.wrong("what is due: %v", err)
	}
	later := now.Add(longAfter)
	for id := range pending {
		if due[id].At.IsZero() {
			v.wrong("deliveries of webhook %s wait and are never due", id)
		}
		jobs, _, err := store.Claim(v.ctx, webhook.Claim{Webhook: id, N: claimsEach, Now: later, Lease: later.Add(time.Minute)})
		if err != nil || len(jobs) == 0 {
			v.wrong("deliveries of webhook %s wait, %d are claimed: %v", id, len(jobs), err)
		}
		for _, job := range jobs {
			v.deliver(store, job, later)
		}
	}
}

func (v *view) deliver(store *db.Store, job webhook.Job, at time.Time) {
	d := job.Delivery
	_, err := store.Finish(v.ctx, webhook.Result{
		Delivery: d.ID, Webhook: d.Webhook, State: webhook.Delivered, Data: job.Event.Data,
		Attempt: webhook.Attempt{Number: d.Attempts, StartedAt: at, Status: 200, Method: "POST", URL: job.Webhook.URL},
	}, at)
	if err != nil {
		v.wrong("delivery %s cannot be recorded: %v", d.ID, err)
		return
	}
	after, err := store.Delivery(v.ctx, d.Account, d.ID)
	if err != nil || after.State != webhook.Delivered {
		v.wrong("delivery %s is %s after it was delivered: %v", d.ID, after.State, err)
	}
}
