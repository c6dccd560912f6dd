package db

import (
	"context"
	"errors"
	"slices"
	"time"

	"bookhook/webhook"
)

// Send sends an event to one webhook now, whatever was decided when it came in: it
// replays the delivery of the event to this webhook, or creates it, due and urgent,
// unless it has to wait for an earlier one of its booking. The event's decision keeps
// its reason and gets the delivery. Send returns webhook.ErrOff if the webhook is off,
// webhook.Invalid for a test event, an inline webhook, or an event that still waits for
// its match, and the errors of Replay.
func (s *Store) Send(ctx context.Context, account webhook.AccountID, event webhook.EventID, id webhook.WebhookID, change webhook.Change) (d webhook.Delivery, err error) {
	err = s.write(ctx, func(tx transaction) error {
		w, e, err := s.findSend(ctx, tx, account, event, id)
		if err != nil {
			return err
		}
		d, err = findDelivery(ctx, tx, account, webhook.DeliveryTo(e.Decisions, id))
		switch {
		case err == nil && mayBeInFlight(d, change.At):
			return webhook.ErrConflict
		case err == nil:
			d, err = replay(ctx, tx, d, w, change.At)
		case errors.Is(err, webhook.ErrNotFound):
			d, err = s.sendSkipped(ctx, tx, e, w, 0, change.At)
		}
		if err != nil {
			return err
		}
		tx.touch(account, id, webhook.TouchUrgent)
		return s.audit(ctx, tx, webhook.AuditEntry{Account: account, Change: change, Action: "event.sent", Subject: event.String(), Args: []string{w.Name}})
	})
	return d, err
}

// findSend reads the webhook and the event of a Send.
func (s *Store) findSend(ctx context.Context, tx transaction, account webhook.AccountID, event webhook.EventID, id webhook.WebhookID) (*webhook.Webhook, webhook.EventRow, error) {
	w, err := s.findWebhook(ctx, tx, account, id)
	if err != nil {
		return nil, webhook.EventRow{}, err
	}
	e, err := scanEvent(queryRow(ctx, tx, `SELECT `+listColumns+` FROM events WHERE account_id = $1 AND id = $2`, account, event))
	switch {
	case err != nil:
	case w.Kind == webhook.Inline:
		err = webhook.Invalid{"webhook_id": webhook.NewMessage("delivery.inline_replay")}
	case e.Test:
		err = webhook.Invalid{"event": webhook.NewMessage("event.send_test")}
	case e.Lookup:
		err = webhook.Invalid{"event": webhook.NewMessage("event.send_unmatched")}
	case !w.Enabled:
		err = webhook.ErrOff
	}
	return w, e, err
}

// sendSkipped creates the delivery of an event that was not sent to a webhook, with
// this id (0: a new one), and adds it to the decisions on the event. It goes first,
// unless one of an earlier event of its booking is pending.
func (s *Store) sendSkipped(ctx context.Context, tx transaction, e webhook.EventRow, w *webhook.Webhook, id webhook.DeliveryID, now time.Time) (webhook.Delivery, error) {
	i := slices.IndexFunc(e.Decisions, func(d webhook.Decision) bool { return d.Webhook == w.ID })
	if i < 0 {
		i = len(e.Decisions)
		e.Decisions = append(e.Decisions, webhook.Decision{Webhook: w.ID, Reason: webhook.ReasonNotCreated})
	}
	switch decision := &e.Decisions[i]; {
	case decision.Delivery != 0: // it was pruned: sending again keeps the id
		id = decision.Delivery
	case id == 0:
		id = webhook.DeliveryID(s.nextID())
	}
	if err := countSent(ctx, tx, e, w); err != nil {
		return webhook.Delivery{}, err
	}
	e.Decisions[i].Delivery = id
	if _, err := tx.Exec(ctx, `UPDATE events SET decisions = $2 WHERE id = $1`, e.ID, decisionsJSON(e.Decisions)); err != nil {
		return webhook.Delivery{}, err
	}
	d := newDelivery(id, w, e.Event, roundMillis(now))
	d.Urgent = true
	return insertSent(ctx, tx, d, w)
}

// countSent takes an event that is being sent to a webhook after all from what that missed
// while it was off last, and with it the earlier ones of its booking, which it overtakes.
func countSent(ctx context.Context, tx transaction, e webhook.EventRow, w *webhook.Webhook) error {
	if w.Missed.Events == 0 || e.ReceivedAt.Before(w.Missed.Since) || e.ReceivedAt.After(w.Missed.Until) {
		return nil
	}
	events := []decidedEvent{{e.ID, e.Decisions}}
	if e.BookingID != "" {
		var err error
		events, err = list(ctx, tx, scanDecided, `SELECT id, decisions FROM events
			WHERE account_id = $1 AND booking_id = $2 AND booking_id <> '' AND received_at >= $3 AND received_at <= $4 ORDER BY id DESC LIMIT $5`,
			e.Account, e.BookingID, toMillis(w.Missed.Since), toMillis(w.Missed.Until), webhook.MaxLaterEvents)
		if err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `UPDATE webhooks SET missed = CASE WHEN missed > $2 THEN missed - $2 ELSE 0 END WHERE id = $1`, w.ID, noLongerMissed(events, e.ID, w.ID))
	return err
}

// decidedEvent is an event with what was decided about it.
type decidedEvent struct {
	id        webhook.EventID
	decisions []webhook.Decision
}

func scanDecided(r scanner) (e decidedEvent, err error) {
	var lookup bool
	return e, r.Scan(&e.id, decisionsScanner{&e.decisions, &lookup})
}

// noLongerMissed counts, of the events of a booking, the newest first, those that a webhook
// missed because it was off until this one is sent: up to this one, and since the last one
// that was sent already.
func noLongerMissed(events []decidedEvent, sent webhook.EventID, id webhook.WebhookID) (n int) {
	for _, e := range events {
		i := slices.IndexFunc(e.decisions, func(d webhook.Decision) bool { return d.Webhook == id })
		switch {
		case i < 0 || e.decisions[i].Reason != webhook.ReasonDisabled:
		case e.decisions[i].Delivery != 0:
			return n
		case e.id <= sent:
			n++
		}
	}
	return n
}

// RetryOldest makes the longest due or waiting delivery of a webhook due and urgent: its
// attempt shows whether the receiver works again. It is an extra one, as with RetryNow.
// RetryOldest returns webhook.ErrOff if the webhook is off, and webhook.ErrConflict if
// none waits.
func (s *Store) RetryOldest(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, change webhook.Change) (d webhook.Delivery, err error) {
	err = s.write(ctx, func(tx transaction) error {
		w, err := s.findWebhook(ctx, tx, account, id)
		switch {
		case err != nil:
			return err
		case !w.Enabled:
			return webhook.ErrOff
		}
		d, err = scanDelivery(queryRow(ctx, tx, `UPDATE deliveries SET next_at = $2, urgent = 1, `+extraAttempt+`
			WHERE id = (SELECT id FROM deliveries WHERE webhook_id = $1 AND state = 'pending' AND held = 0 AND urgent = 0 AND attempts = completed
				ORDER BY next_at, id LIMIT 1) RETURNING `+deliveryColumns, id, toMillis(change.At)))
		if errors.Is(err, webhook.ErrNotFound) {
			return webhook.ErrConflict
		}
		if err != nil {
			return err
		}
		tx.touch(account, id, webhook.TouchUrgent)
		return s.audit(ctx, tx, webhook.AuditEntry{Account: account, Change: change, Action: "webhook.retried", Subject: id.String(), Args: []string{w.Name}})
	})
	return d, err
}
