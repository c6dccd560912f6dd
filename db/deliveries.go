package db

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"bookhook/webhook"
)

const deliveryColumns = `id, account_id, event_id, webhook_id, platform, type, booking_id, test, state, attempts, answered, base,
	next_at, created_at, finished_at, last_status, last_failure, last_us`

func scanDelivery(r scanner) (d webhook.Delivery, err error) {
	var us int64
	err = r.Scan(&d.ID, &d.Account, &d.Event, &d.Webhook, &d.Platform, &d.Type, &d.BookingID, &d.Test, &d.State, &d.Attempts, &d.Answered, &d.Base,
		moment{&d.NextAt}, moment{&d.CreatedAt}, moment{&d.Finished}, &d.Last.Status, &d.Last.Failure, &us)
	d.Last.Duration = time.Duration(us) * time.Microsecond
	if d.Held = d.NextAt.UnixMilli() == heldAt; d.Held {
		d.NextAt = time.Time{}
	}
	return d, err
}

// conditions collects the parts of a WHERE clause, each with its argument.
type conditions struct {
	parts []string
	args  []any
}

// add appends a condition; its %d becomes the number of the argument.
func (c *conditions) add(condition string, arg any) {
	c.args = append(c.args, arg)
	c.parts = append(c.parts, fmt.Sprintf(condition, len(c.args)))
}

func (c *conditions) where() string { return " WHERE " + strings.Join(c.parts, " AND ") }

// eventKey adds the conditions of a type as webhook.EventKey writes it.
func (c *conditions) eventKey(key string) {
	platform, eventType, found := strings.Cut(key, ":")
	if !found {
		platform, eventType = webhook.DefaultPlatform, key
	}
	c.add(`platform = $%d`, platform)
	c.add(`type = $%d`, eventType)
}

// period adds the bounds of a period; ids ascend with time.
func (c *conditions) period(since, until time.Time) {
	if !since.IsZero() {
		c.add(`id >= $%d`, webhook.FirstID(since))
	}
	if !until.IsZero() {
		c.add(`id < $%d`, webhook.FirstID(until))
	}
}

// shared adds what the lists of events and of deliveries are both filtered by.
func (c *conditions) shared(booking, eventType string, since, until time.Time, before webhook.ID) {
	if booking != "" {
		c.parts = append(c.parts, `booking_id <> ''`) // lets the partial index serve
		c.add(`booking_id = $%d`, booking)
	}
	if eventType != "" {
		c.eventKey(eventType)
	}
	c.period(since, until)
	if before != 0 {
		c.add(`id < $%d`, before)
	}
}

func deliveryConditions(account webhook.ID, f webhook.DeliveryFilter) *conditions {
	c := &conditions{}
	c.add(`account_id = $%d`, account)
	if f.State != "" {
		c.parts = append(c.parts, stateCondition(f.State))
	}
	if f.Webhook != 0 {
		c.add(`webhook_id = $%d`, f.Webhook)
	}
	if f.Event != 0 {
		c.add(`event_id = $%d`, f.Event)
	}
	c.shared(f.Booking, f.Type, f.Since, f.Until, f.Before)
	if f.After != 0 {
		c.add(`id > $%d`, f.After)
	}
	return c
}

// stateCondition writes the state as text, so that the partial indexes serve;
// an unknown one selects nothing.
func stateCondition(state webhook.State) string {
	for _, known := range webhook.States {
		if state == known {
			return `state = '` + string(known) + `'`
		}
	}
	return `state = ''`
}

// Deliveries lists the log of an account, the newest first.
func (s *Store) Deliveries(ctx context.Context, account webhook.ID, f webhook.DeliveryFilter) ([]webhook.DeliveryRow, error) {
	c := deliveryConditions(account, f)
	c.args = append(c.args, f.Limit)
	found, err := list(ctx, s, scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries`+c.where()+
		fmt.Sprintf(` ORDER BY id DESC LIMIT $%d`, len(c.args)), c.args...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	names, err := s.WebhookNames(ctx, account)
	rows := make([]webhook.DeliveryRow, len(found))
	for i, d := range found {
		rows[i] = webhook.DeliveryRow{Delivery: d, WebhookName: names[d.Webhook]}
	}
	return rows, err
}

// CountDeliveries counts the log of an account up to webhook.CountCap + 1.
func (s *Store) CountDeliveries(ctx context.Context, account webhook.ID, f webhook.DeliveryFilter) (n int, err error) {
	c := deliveryConditions(account, f)
	c.args = append(c.args, webhook.CountCap+1)
	err = s.row(ctx, `SELECT count(*) FROM (SELECT id FROM deliveries`+c.where()+fmt.Sprintf(` LIMIT $%d) AS found`, len(c.args)), c.args...).Scan(&n)
	return n, err
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
// one that waits is tried early, even when it is held. One that is on its way right now is
// webhook.ErrConflict; one whose webhook was deleted is webhook.Invalid.
func (s *Store) Replay(ctx context.Context, account, id webhook.ID, by string, now time.Time) (d webhook.Delivery, err error) {
	err = s.write(ctx, func(q querier) error {
		if d, err = findDelivery(ctx, q, account, id); err != nil {
			return err
		}
		if d.InFlight(now) {
			return webhook.ErrConflict
		}
		w, err := findWebhook(ctx, q, account, d.Webhook)
		if errors.Is(err, webhook.ErrNotFound) {
			return webhook.Invalid{"webhook": "The webhook of this delivery was deleted, so there is nowhere to send it."}
		}
		if err != nil {
			return err
		}
		next := ms(now)
		if d.State != webhook.Pending {
			d.Base = d.Attempts
			if next, err = nextInOrder(ctx, q, d, w, now); err != nil {
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

// Cancel ends a pending delivery. One that ended before is webhook.ErrConflict.
func (s *Store) Cancel(ctx context.Context, account, id webhook.ID, by string, now time.Time) error {
	return s.write(ctx, func(q querier) error {
		d, err := findDelivery(ctx, q, account, id)
		if err != nil {
			return err
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
