package db

import (
	"context"
	"errors"
	"time"

	"bookhook/webhook"
)

const deliveryColumns = `id, account_id, event_id, webhook_id, platform, type, booking_id, test, asked, state, attempts, answered, base,
	next_at, held, created_at, finished_at, last_status, last_failure, last_us`

func scanDelivery(r scanner) (d webhook.Delivery, err error) {
	var us int64
	err = r.Scan(&d.ID, &d.Account, &d.Event, &d.Webhook, &d.Platform, &d.Type, &d.BookingID, &d.Test, &d.Asked, &d.State, &d.Attempts, &d.Answered, &d.Base,
		timeScanner{&d.NextAt}, &d.Held, timeScanner{&d.CreatedAt}, timeScanner{&d.Finished}, &d.Last.Status, &d.Last.Failure, &us)
	d.Last.Duration = time.Duration(us) * time.Microsecond
	d.Held = d.Held && d.State == webhook.Pending // a held one that was cancelled is not held any more
	return d, err
}

// Deliveries lists the log of an account, the newest first.
func (s *Store) Deliveries(ctx context.Context, account webhook.ID, f webhook.DeliveryFilter) (p webhook.Page[webhook.DeliveryRow], err error) {
	names, err := s.WebhookNames(ctx, account)
	if err != nil {
		return p, err
	}
	l, err := s.deliveryListing(ctx, account, f)
	if err != nil {
		return p, err
	}
	scan := func(r scanner) (webhook.DeliveryRow, error) {
		d, err := scanDelivery(r)
		return webhook.DeliveryRow{Delivery: d, WebhookName: names[d.Webhook]}, err
	}
	return readPage(ctx, s.engine, l, f.Limit, scan, func(d webhook.DeliveryRow) webhook.ID { return d.ID })
}

// CountDeliveries counts what Deliveries lists under a filter, on all pages; it
// goes no further than one request looks.
func (s *Store) CountDeliveries(ctx context.Context, account webhook.ID, f webhook.DeliveryFilter) (webhook.Count, error) {
	l, err := s.deliveryListing(ctx, account, f)
	if err != nil {
		return webhook.Count{}, err
	}
	return countRows(ctx, s.engine, l)
}

// deliveryListing lists by the index that leaves the fewest rows: that of the
// account within an event, or that of a booking, of a state other than delivered,
// of a webhook, or of the account.
func (s *Store) deliveryListing(ctx context.Context, account webhook.ID, f webhook.DeliveryFilter) (l listing, err error) {
	l = listing{table: "deliveries", columns: deliveryColumns, span: newSpan(f.Since, f.Until, f.Before, f.After)}
	rest := f
	switch {
	case f.Event != 0:
		var its span
		its, err = s.eventDeliveries(ctx, account, f.Event)
		l.span = l.span.intersect(its)
		l.index(`account_id = ? AND event_id = ?`, account, f.Event)
	case f.Booking != "":
		l.index(`account_id = ? AND booking_id = ? AND booking_id <> ''`, account, f.Booking)
		rest.Booking = ""
	case f.State != "" && f.State != webhook.Delivered:
		l.index(`account_id = ? AND state = ? AND state <> 'delivered'`, account, string(f.State))
		if f.Webhook != 0 {
			l.filter(s.search*indexFactor, `webhook_id = ?`, f.Webhook)
		}
		rest.State, rest.Webhook = "", 0
	case f.Webhook != 0:
		l.index(`webhook_id = (SELECT w.id FROM webhooks w WHERE w.account_id = ? AND w.id = ?)`, account, f.Webhook)
		rest.Webhook = 0
	default:
		l.index(`account_id = ?`, account)
	}
	s.filterDeliveries(&l, rest)
	return l, err
}

// filterDeliveries adds what the index of the listing does not answer.
func (s *Store) filterDeliveries(l *listing, f webhook.DeliveryFilter) {
	if f.Booking != "" {
		l.filter(s.search, `booking_id = ?`, f.Booking)
	}
	if f.State != "" {
		l.filter(s.search, `state = ?`, string(f.State))
	}
	if f.Webhook != 0 {
		l.filter(s.search, `webhook_id = ?`, f.Webhook)
	}
	if f.Type != "" {
		platform, eventType := splitKey(f.Type)
		l.filter(s.search, `type = ? AND platform = ?`, eventType, platform)
	}
}

// Delivery finds a delivery of an account.
func (s *Store) Delivery(ctx context.Context, account, id webhook.ID) (webhook.Delivery, error) {
	return findDelivery(ctx, s.engine, account, id)
}

func findDelivery(ctx context.Context, q querier, account, id webhook.ID) (webhook.Delivery, error) {
	return scanDelivery(queryRow(ctx, q, `SELECT `+deliveryColumns+` FROM deliveries WHERE account_id = $1 AND id = $2`, account, id))
}

// Replay makes a delivery due at now: one that ended begins its schedule anew,
// one that waits is tried early, even when it is held. One that is on its way
// right now is webhook.ErrConflict, even when it was cancelled meanwhile: its
// answer would be taken for that of the replay. One whose webhook was deleted
// is webhook.Invalid, and so is a question, which is asked once.
func (s *Store) Replay(ctx context.Context, account, id webhook.ID, by string, now time.Time) (d webhook.Delivery, err error) {
	err = s.write(ctx, func(tx transaction) error {
		if d, err = findDelivery(ctx, tx, account, id); err != nil {
			return err
		}
		if d.Asked {
			return webhook.Invalid{"webhook": "This was a question before a booking is confirmed. It is asked once, at that moment; nobody waits for another answer."}
		}
		if d.Attempts > d.Answered && d.NextAt.After(now) {
			return webhook.ErrConflict
		}
		w, err := findWebhook(ctx, tx, account, d.Webhook)
		if errors.Is(err, webhook.ErrNotFound) {
			return webhook.Invalid{"webhook": "The webhook of this delivery was deleted, so there is nowhere to send it."}
		}
		if err != nil {
			return err
		}
		held := false
		if d.State != webhook.Pending {
			d.Base = d.Attempts
			if held, err = holdReplay(ctx, tx, d, w); err != nil {
				return err
			}
		}
		next := now
		if held {
			next = time.Time{}
		}
		d, err = scanDelivery(queryRow(ctx, tx, `UPDATE deliveries SET state = 'pending', base = $2, next_at = $3, held = $4, urgent = $5,
			finished_at = 0, blocking = 1 WHERE id = $1 RETURNING `+deliveryColumns, id, d.Base, toMillis(next), boolInt(held), boolInt(!held)))
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, account, by, "delivery.replayed", d.Ref(), now)
	})
	return d, err
}

// Cancel ends a pending delivery. One that ended before is webhook.ErrConflict, a
// question webhook.Invalid.
func (s *Store) Cancel(ctx context.Context, account, id webhook.ID, by string, now time.Time) error {
	return s.write(ctx, func(tx transaction) error {
		d, err := findDelivery(ctx, tx, account, id)
		if err != nil {
			return err
		}
		if d.Asked {
			return webhook.Invalid{"webhook": "This is a question before a booking is confirmed, and ends by itself within seconds."}
		}
		n, err := tx.Exec(ctx, `UPDATE deliveries SET state = 'cancelled', finished_at = $2 WHERE id = $1 AND state = 'pending'`, id, toMillis(now))
		if err != nil {
			return err
		}
		if n == 0 {
			return webhook.ErrConflict
		}
		if _, err := releaseNext(ctx, tx, d.Webhook, d.BookingID, now); err != nil {
			return err
		}
		return s.audit(ctx, tx, account, by, "delivery.cancelled", id.Text(webhook.DeliveryPrefix), now)
	})
}
