package db

import (
	"context"
	"time"

	"bookhook/webhook"
)

// The order of a booking. For a webhook that keeps it, at most one delivery of
// a booking is active at a time: about to be sent, in flight or waiting for its
// next attempt. Those of later events are held: pending, but never due. An active
// delivery behind which others are held is marked as blocking; when it finishes,
// the next one is released. Deliveries without a booking, and tests, have no order.

// hasOrder reports whether a delivery has a place in the order of its booking.
func hasOrder(d webhook.Delivery, w *webhook.Webhook) bool {
	return w.Ordered && d.BookingID != "" && !d.Test
}

// insertInOrder inserts a new delivery, held if one of its booking is pending, and
// reports whether it is.
func insertInOrder(ctx context.Context, tx transaction, d webhook.Delivery, w *webhook.Webhook) (held bool, err error) {
	if !hasOrder(d, w) {
		_, err := tx.Exec(ctx, insertDelivery, deliveryValues(d)...)
		return false, err
	}
	n, err := insertFirst(ctx, tx, d)
	if err == nil && n == 0 && tx.Alone() { // the one that is pending may have ended
		n, err = insertFirst(ctx, tx, d)
	}
	if err != nil || n > 0 {
		return false, err
	}
	if err := markBlocking(ctx, tx, d); err != nil {
		return false, err
	}
	d.Attempts, d.Held, d.Urgent, d.NextAt = 0, true, false, time.Time{}
	_, err = tx.Exec(ctx, insertDelivery, deliveryValues(d)...)
	return true, err
}

// insertFirst inserts a delivery unless one of its booking is pending.
func insertFirst(ctx context.Context, tx transaction, d webhook.Delivery) (inserted int64, err error) {
	return tx.Exec(ctx, insertDelivery+` WHERE NOT EXISTS (
		SELECT 1 FROM deliveries WHERE webhook_id = $4 AND booking_id = $7 AND booking_id <> '' AND state = 'pending' AND test = 0)`,
		deliveryValues(d)...)
}

// insertSent inserts a delivery that was not created when its event came in, and returns
// it: held as one that is replayed, else marked as blocking, since later ones may be held.
func insertSent(ctx context.Context, tx transaction, d webhook.Delivery, w *webhook.Webhook) (webhook.Delivery, error) {
	held, err := holdReplay(ctx, tx, d, w)
	if err != nil {
		return d, err
	}
	if d.Held = held; held {
		d.NextAt, d.Urgent = time.Time{}, false
	}
	if _, err := tx.Exec(ctx, insertDelivery, deliveryValues(d)...); err != nil || held {
		return d, err
	}
	_, err = tx.Exec(ctx, `UPDATE deliveries SET blocking = 1 WHERE id = $1`, d.ID)
	return d, err
}

// holdReplay reports whether a delivery that is replayed must be held, because one of an
// earlier event of its booking is active; then it marks that one as blocking. It
// is not held behind one of a later event, which would be released before it: that one
// must not be overwritten by what is older. The ids of deliveries do not tell, since an
// event may have been sent long after it came in.
func holdReplay(ctx context.Context, tx transaction, d webhook.Delivery, w *webhook.Webhook) (held bool, err error) {
	if !hasOrder(d, w) {
		return false, nil
	}
	var earlier int
	err = queryRow(ctx, tx, `SELECT 1 FROM deliveries WHERE webhook_id = $1 AND booking_id = $2 AND booking_id <> ''
		AND state = 'pending' AND held = 0 AND event_id < $3 AND test = 0 AND NOT EXISTS (SELECT 1 FROM deliveries h
			WHERE h.webhook_id = $1 AND h.booking_id = $2 AND h.booking_id <> '' AND h.state = 'pending' AND h.held = 1 AND h.id < $4 AND h.event_id > $3)
		LIMIT 1`, d.Webhook, d.BookingID, d.Event, d.ID).scanOptional(&earlier)
	if err != nil || earlier == 0 {
		return false, err
	}
	return true, markBlocking(ctx, tx, d)
}

// markBlocking marks the active deliveries of the delivery's booking as blocking.
func markBlocking(ctx context.Context, tx transaction, d webhook.Delivery) error {
	_, err := tx.Exec(ctx, `UPDATE deliveries SET blocking = 1
		WHERE webhook_id = $1 AND booking_id = $2 AND booking_id <> '' AND state = 'pending' AND held = 0 AND blocking = 0`,
		d.Webhook, d.BookingID)
	return err
}

// releaseNext makes the oldest held delivery of a booking due, unless an older one, or
// one of an older event, is still active, and reports whether it did. Call it when a blocking one
// has finished.
func releaseNext(ctx context.Context, tx transaction, w webhook.WebhookID, booking string, now time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE deliveries SET held = 0, next_at = $3, blocking = 1 WHERE id = (
			SELECT MIN(h.id) FROM deliveries h
			WHERE h.webhook_id = $1 AND h.booking_id = $2 AND h.booking_id <> '' AND h.state = 'pending' AND h.held = 1)
		AND NOT EXISTS (SELECT 1 FROM deliveries o
			WHERE o.webhook_id = $1 AND o.booking_id = $2 AND o.booking_id <> '' AND o.state = 'pending' AND o.held = 0
				AND (o.id < deliveries.id OR o.event_id < deliveries.event_id) AND o.test = 0)`,
		w, booking, toMillis(now))
	return n > 0, err
}

// releaseHeld makes up to n held deliveries due, of a webhook that no longer keeps
// the order. They are marked as blocking, since others may still be held behind
// them if the webhook keeps the order again.
func releaseHeld(ctx context.Context, tx transaction, w webhook.WebhookID, n int, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE deliveries SET held = 0, next_at = $2, blocking = 1 WHERE id IN (
		SELECT id FROM deliveries WHERE webhook_id = $1 AND state = 'pending' AND held = 1 AND urgent = 0 ORDER BY next_at, id LIMIT $3)`,
		w, toMillis(now), n)
	return err
}

const waitsFor = `SELECT COALESCE(MIN(o.id), 0) FROM deliveries d
	JOIN deliveries o ON o.webhook_id = d.webhook_id AND o.booking_id = d.booking_id
	WHERE d.account_id = $1 AND d.id = $2 AND d.state = 'pending' AND d.held = 1
		AND o.state = 'pending' AND o.booking_id <> '' AND o.held = 0 AND o.test = 0`

// WaitsFor finds the delivery that a held delivery of an account waits for: the
// oldest one of its booking that is active. It returns webhook.ErrNotFound for a
// delivery that is not held.
func (s *Store) WaitsFor(ctx context.Context, account webhook.AccountID, delivery webhook.DeliveryID) (first webhook.DeliveryID, err error) {
	err = queryRow(ctx, s.engine, waitsFor, account, delivery).Scan(&first)
	if err == nil && first == 0 {
		err = webhook.ErrNotFound
	}
	return first, err
}
