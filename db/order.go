package db

import (
	"context"
	"time"

	"bookhook/webhook"
)

// The order of a booking. For a webhook that keeps it, at most one delivery of
// a booking is active at a time: about to be sent, on its way or waiting for
// its next try. Those of later events are held: pending, with next_at at
// heldAt, so that nothing finds them due. An active delivery behind which
// others are held is marked "followed"; whatever ends it lets the next one go.
// Deliveries without a booking, and tests, are in no order.

// heldAt is the next_at of a delivery that is held, beyond any real time.
const heldAt = 1 << 53

// firstAt is the next_at of what a person waits for: a test, or a delivery sent
// again. It goes before everything that is due.
const firstAt = 1

// inOrder says whether the delivery has its place in the order of a booking.
func inOrder(d webhook.Delivery) bool { return d.BookingID != "" && !d.Test }

// insertInOrder inserts a new delivery, held when something of its booking is
// pending, and reports whether it is.
func insertInOrder(ctx context.Context, q querier, d webhook.Delivery, w *webhook.Webhook) (held bool, err error) {
	if !w.Ordered || !inOrder(d) {
		_, err := q.exec(ctx, insertDelivery, deliveryValues(d)...)
		return false, err
	}
	n, err := q.exec(ctx, insertDelivery+` WHERE NOT EXISTS (
		SELECT 1 FROM deliveries WHERE webhook_id = $4 AND booking_id = $7 AND booking_id <> '' AND state = 'pending' AND test = 0)`,
		deliveryValues(d)...)
	if err != nil || n > 0 {
		return false, err
	}
	if err := follow(ctx, q, d); err != nil {
		return false, err
	}
	d.Attempts, d.Held = 0, true
	_, err = q.exec(ctx, insertDelivery, deliveryValues(d)...)
	return true, err
}

// nextInOrder is when a delivery that is sent again is due: at once, or held when
// an earlier one of its booking is pending.
func nextInOrder(ctx context.Context, q querier, d webhook.Delivery, w *webhook.Webhook) (int64, error) {
	if !w.Ordered || !inOrder(d) {
		return firstAt, nil
	}
	var earlier int
	err := q.row(ctx, `SELECT 1 FROM deliveries WHERE webhook_id = $1 AND booking_id = $2 AND booking_id <> ''
		AND state = 'pending' AND test = 0 AND +id < $3 LIMIT 1`, d.Webhook, d.BookingID, d.ID).scanOptional(&earlier)
	if err != nil || earlier == 0 {
		return firstAt, err
	}
	return heldAt, follow(ctx, q, d)
}

// follow marks what is active of the delivery's booking.
func follow(ctx context.Context, q querier, d webhook.Delivery) error {
	_, err := q.exec(ctx, `UPDATE deliveries SET followed = 1
		WHERE webhook_id = $1 AND booking_id = $2 AND booking_id <> '' AND state = 'pending' AND next_at < $3 AND followed = 0`,
		d.Webhook, d.BookingID, int64(heldAt))
	return err
}

// advance makes the oldest held delivery of a booking due, unless an older one
// is still active. Call it when one that was followed has ended. It reports
// whether one was let go.
func advance(ctx context.Context, q querier, w webhook.ID, booking string, now time.Time) (bool, error) {
	n, err := q.exec(ctx, `UPDATE deliveries SET next_at = $4, followed = 1 WHERE id = (
			SELECT MIN(h.id) FROM deliveries h
			WHERE h.webhook_id = $1 AND h.booking_id = $2 AND h.booking_id <> '' AND h.state = 'pending' AND h.next_at = $3)
		AND NOT EXISTS (SELECT 1 FROM deliveries o
			WHERE o.webhook_id = $1 AND o.booking_id = $2 AND o.booking_id <> '' AND o.state = 'pending' AND o.next_at < $3 AND o.id < deliveries.id AND o.test = 0)`,
		w, booking, int64(heldAt), ms(now))
	return n > 0, err
}

// letGo makes up to n held deliveries of a webhook due: of one that does not
// keep the order any more. Should it keep it again, others may be held still.
func letGo(ctx context.Context, q querier, w webhook.ID, n int, now time.Time) error {
	_, err := q.exec(ctx, `UPDATE deliveries SET next_at = $3, followed = 1 WHERE id IN (
		SELECT id FROM deliveries WHERE webhook_id = $1 AND state = 'pending' AND next_at = $2 ORDER BY id LIMIT $4)`,
		w, int64(heldAt), ms(now), n)
	return err
}
