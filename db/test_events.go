package db

import (
	"context"
	"time"

	"bookhook/webhook"
)

// Test stores a test event and one delivery of it for this webhook, whatever
// its filters. The delivery is due, and goes first. A webhook that is off is
// webhook.Invalid.
func (s *Store) Test(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, e webhook.Event, now time.Time) (webhook.Delivery, error) {
	job, err := s.insertTest(ctx, account, id, e, now, time.Time{})
	return job.Delivery, err
}

// TestInline is Test for an inline webhook: the delivery is claimed until lease,
// and is the caller's to send.
func (s *Store) TestInline(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, e webhook.Event, now, lease time.Time) (webhook.Job, error) {
	return s.insertTest(ctx, account, id, e, now, lease)
}

func (s *Store) insertTest(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, e webhook.Event, now, lease time.Time) (job webhook.Job, err error) {
	e.ID, e.Account, e.ReceivedAt, e.Test = webhook.EventID(s.nextID()), account, roundMillis(now), true
	in := newArrival(e)
	err = s.write(ctx, func(tx transaction) error {
		w, err := findWebhook(ctx, tx, account, id)
		if err != nil {
			return err
		}
		subscriptions, err := s.current(ctx, tx, account)
		if err != nil {
			return err
		}
		if !w.Enabled {
			return webhook.Invalid{"webhook": webhook.NewMessage("webhook.off")}
		}
		d := newDelivery(webhook.DeliveryID(s.nextID()), w, e, e.ReceivedAt)
		d.Urgent = true
		if w.Kind == webhook.Inline {
			d = inlineDelivery(d.ID, w, e, lease)
		}
		if _, err := insertEvent(ctx, tx, &in, decisionsJSON([]webhook.Decision{{Webhook: id, Delivery: d.ID}})); err != nil {
			return err
		}
		job = webhook.Job{Delivery: d, Event: in.Event, Webhook: w, Account: subscriptions.Account}
		tx.touch(id, webhook.TouchDue)
		_, err = tx.Exec(ctx, insertDelivery, deliveryValues(d)...)
		return err
	})
	return job, err
}
