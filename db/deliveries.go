package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bookhook/webhook"
)

const deliveryColumns = `id, account_id, event_id, webhook_id, platform, type, booking_id, test, asked, state, attempts, answered, base,
	next_at, created_at, finished_at, last_status, last_failure, last_us`

func scanDelivery(r scanner) (d webhook.Delivery, err error) {
	var us int64
	err = r.Scan(&d.ID, &d.Account, &d.Event, &d.Webhook, &d.Platform, &d.Type, &d.BookingID, &d.Test, &d.Asked, &d.State, &d.Attempts, &d.Answered, &d.Base,
		moment{&d.NextAt}, moment{&d.CreatedAt}, moment{&d.Finished}, &d.Last.Status, &d.Last.Failure, &us)
	d.Last.Duration = time.Duration(us) * time.Microsecond
	switch d.NextAt.UnixMilli() {
	case heldAt:
		d.Held, d.NextAt = d.State == webhook.Pending, time.Time{}
	case firstAt:
		d.NextAt = d.CreatedAt
	}
	return d, err
}

// Deliveries lists the log of an account, the newest first. What is asked of
// events is found by them, see bookings.go; all else is the merge of the logs of
// the account's webhooks.
func (s *Store) Deliveries(ctx context.Context, account webhook.ID, f webhook.DeliveryFilter) (webhook.Page[webhook.DeliveryRow], error) {
	var rows webhook.Page[webhook.DeliveryRow]
	names, err := s.WebhookNames(ctx, account)
	if err != nil {
		return rows, err
	}
	found, err := s.deliveries(ctx, account, f, len(names))
	rows.Next = found.Next
	for _, d := range found.Rows {
		rows.Rows = append(rows.Rows, webhook.DeliveryRow{Delivery: d, WebhookName: names[d.Webhook]})
	}
	return rows, err
}

func (s *Store) deliveries(ctx context.Context, account webhook.ID, f webhook.DeliveryFilter, webhooks int) (p webhook.Page[webhook.Delivery], err error) {
	if byEvent(f) {
		return s.eventDeliveries(ctx, account, f)
	}
	in := between(f.Since, f.Until, f.Before, f.After)
	q, err := s.webhookLogs(ctx, account, f, webhooks, in)
	if err != nil {
		return p, err
	}
	return page(ctx, s, account, q, in, f.Limit, scanDelivery, func(d webhook.Delivery) webhook.ID { return d.ID })
}

// CountDeliveries counts what Deliveries lists under a filter, on all pages; it
// goes no further than one request searches.
func (s *Store) CountDeliveries(ctx context.Context, account webhook.ID, f webhook.DeliveryFilter) (webhook.Count, error) {
	if f.Booking != "" || f.Event != 0 {
		f.Limit = webhook.CountCap
		found, err := s.eventDeliveries(ctx, account, f)
		return webhook.Count{N: len(found.Rows), More: found.Next != 0}, err
	}
	names, err := s.WebhookNames(ctx, account)
	if err != nil {
		return webhook.Count{}, err
	}
	in := between(f.Since, f.Until, f.Before, f.After)
	if f.State == webhook.Pending && f.Type == "" { // the index alone counts any number
		return s.count(ctx, account, s.deliveryStream(f, len(names), true), in)
	}
	q, err := s.webhookLogs(ctx, account, f, len(names), in)
	if err != nil {
		return webhook.Count{}, err
	}
	return s.count(ctx, account, q, in)
}

// webhookLogs are the logs of an account's webhooks, of which there are so many.
// What waits is read from the dispatcher's index while it is few; when it is
// many, the log is searched for it.
func (s *Store) webhookLogs(ctx context.Context, account webhook.ID, f webhook.DeliveryFilter, webhooks int, in span) (*stream, error) {
	if f.State == webhook.Pending {
		q := s.deliveryStream(f, webhooks, true)
		var n int
		args := append([]any{account, in.from, in.to, s.search + 1}, q.args[:len(q.args)-q.asked]...)
		if err := s.row(ctx, q.size(""), args...).Scan(&n); err != nil || n <= s.search {
			return q, err
		}
	}
	return s.deliveryStream(f, webhooks, false), nil
}

func (s *Store) deliveryStream(f webhook.DeliveryFilter, webhooks int, few bool) *stream {
	q := &stream{
		table: "deliveries", columns: deliveryColumns, owner: "webhooks", owned: `w.account_id = $1`,
		link: "webhook_id", owners: webhooks, few: few,
	}
	if f.Webhook != 0 {
		q.owned += fmt.Sprintf(` AND w.id = $%d`, q.param(f.Webhook))
		q.owners = 1
	}
	asked := s.search
	switch {
	case few: // written out, as below, so that the partial index serves
		q.index = ` AND x.state = 'pending' AND x.next_at >= 0`
	case f.State == webhook.Pending || f.State == webhook.Delivered:
		q.ask(`x.state = $%d`, string(f.State), s.search)
	case f.State != "":
		asked *= indexFactor
		q.index = fmt.Sprintf(` AND x.state <> 'delivered' AND x.state <> 'pending' AND x.state = $%d`, q.param(string(f.State)))
	}
	q.askType(f.Type, asked)
	return q
}

// Delivery finds a delivery of an account.
func (s *Store) Delivery(ctx context.Context, account, id webhook.ID) (webhook.Delivery, error) {
	return findDelivery(ctx, s, account, id)
}

func findDelivery(ctx context.Context, q querier, account, id webhook.ID) (webhook.Delivery, error) {
	return scanDelivery(q.row(ctx, `SELECT `+deliveryColumns+` FROM deliveries WHERE account_id = $1 AND id = $2`, account, id))
}

// Attempts lists the attempts of a delivery in their order; a number that is
// missing was cut off. The caller has checked the account.
func (s *Store) Attempts(ctx context.Context, account, delivery webhook.ID) ([]webhook.Attempt, error) {
	return list(ctx, s, scanAttempt, `SELECT a.number, a.started_at, a.duration_us, a.status, a.failure, a.error, a.method, a.url,
			a.remote_addr, a.request_headers, a.request_body, a.data_at, a.response_headers, a.response_body, a.truncated, e.data
		FROM deliveries d JOIN events e ON e.id = d.event_id JOIN attempts a ON a.delivery_id = d.id
		WHERE d.account_id = $1 AND d.id = $2 ORDER BY a.number`, account, delivery)
}

// Replay makes a delivery due at now: one that ended begins its schedule anew,
// one that waits is tried early, even when it is held. One that is on its way
// right now is webhook.ErrConflict, even when it was cancelled meanwhile: its
// answer would be taken for that of the replay. One whose webhook was deleted
// is webhook.Invalid, and so is a question, which is asked once.
func (s *Store) Replay(ctx context.Context, account, id webhook.ID, by string, now time.Time) (d webhook.Delivery, err error) {
	err = s.write(ctx, func(q querier) error {
		if d, err = findDelivery(ctx, q, account, id); err != nil {
			return err
		}
		if d.Asked {
			return webhook.Invalid{"webhook": "This was a question before a booking is confirmed. It is asked once, at that moment; nobody waits for another answer."}
		}
		if d.Attempts > d.Answered && d.NextAt.After(now) {
			return webhook.ErrConflict
		}
		w, err := findWebhook(ctx, q, account, d.Webhook)
		if errors.Is(err, webhook.ErrNotFound) {
			return webhook.Invalid{"webhook": "The webhook of this delivery was deleted, so there is nowhere to send it."}
		}
		if err != nil {
			return err
		}
		next := int64(firstAt)
		if d.State != webhook.Pending {
			d.Base = d.Attempts
			if next, err = nextInOrder(ctx, q, d, w); err != nil {
				return err
			}
		}
		d, err = scanDelivery(q.row(ctx, `UPDATE deliveries SET state = 'pending', base = $2, next_at = $3, finished_at = 0, followed = 1
			WHERE id = $1 RETURNING `+deliveryColumns, id, d.Base, next))
		if err != nil {
			return err
		}
		return s.audit(ctx, q, account, by, "delivery.replayed", d.Ref(), now)
	})
	return d, err
}

// Cancel ends a pending delivery. One that ended before is webhook.ErrConflict, a
// question webhook.Invalid.
func (s *Store) Cancel(ctx context.Context, account, id webhook.ID, by string, now time.Time) error {
	return s.write(ctx, func(q querier) error {
		d, err := findDelivery(ctx, q, account, id)
		if err != nil {
			return err
		}
		if d.Asked {
			return webhook.Invalid{"webhook": "This is a question before a booking is confirmed, and ends by itself within seconds."}
		}
		n, err := q.exec(ctx, `UPDATE deliveries SET state = 'cancelled', finished_at = $2 WHERE id = $1 AND state = 'pending'`, id, ms(now))
		if err != nil {
			return err
		}
		if n == 0 {
			return webhook.ErrConflict
		}
		if _, err := advance(ctx, q, d.Webhook, d.BookingID, now); err != nil {
			return err
		}
		return s.audit(ctx, q, account, by, "delivery.cancelled", id.Text(webhook.DeliveryPrefix), now)
	})
}
