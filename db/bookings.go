package db

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"bookhook/webhook"
)

// The deliveries of a booking are found by its events, of which there are a
// few: an event names its deliveries in its decisions, and their ids lie close
// behind its own.

// eventCost is how many rows of a log one event counts for when it is looked at.
const eventCost = 10

// madeWithin is how long after its event a delivery is made at the latest.
const madeWithin = webhook.ID(time.Minute/time.Millisecond) << 22

// decided is an event and the deliveries that it names.
type decided struct {
	id        webhook.ID
	decisions []webhook.Decision
}

func scanDecided(r scanner) (e decided, err error) {
	return e, r.Scan(&e.id, asJSON{&e.decisions})
}

// span is the smallest that has all deliveries of the event; empty when it has
// none.
func (e decided) span() (s span) {
	for _, d := range e.decisions {
		if d.Delivery == 0 {
			continue
		}
		if s.from == 0 {
			s.from = d.Delivery
		}
		s.from, s.to = min(s.from, d.Delivery), max(s.to, d.Delivery+1)
	}
	return s
}

// eventDeliveries lists the deliveries of one booking or one event, those of
// the newest event first. It looks at no more events than one request may.
func (s *Store) eventDeliveries(ctx context.Context, account webhook.ID, f webhook.DeliveryFilter) (p webhook.Page[webhook.Delivery], err error) {
	in := between(f.Since, f.Until, 0, f.After)
	below, cut, err := s.begin(ctx, account, f.Before)
	if err != nil {
		return p, err
	}
	bound := s.search / eventCost
	events, err := s.decided(ctx, account, f, span{max(in.from-madeWithin, 0), min(below, in.to)}, bound+1)
	if err != nil {
		return p, err
	}
	query, asked := deliveriesOf(f)
	for i, e := range events {
		if i == bound {
			p.Next = events[i-1].id // no delivery's id: what lies before are the older events
			return p, nil
		}
		of := e.span()
		of.from, of.to = max(of.from, in.from), min(of.to, in.to)
		if e.id == cut {
			of.to = min(of.to, f.Before)
		}
		if of.from >= of.to {
			continue
		}
		found, err := list(ctx, s, scanDelivery, query, append([]any{account, e.id, of.from, of.to}, asked...)...)
		if err != nil {
			return p, err
		}
		if p.Rows = append(p.Rows, found...); len(p.Rows) > f.Limit {
			p.Rows = p.Rows[:f.Limit]
			p.Next = p.Rows[f.Limit-1].ID
			return p, nil
		}
	}
	return p, nil
}

// begin finds where a page begins: with the events below an id; of the event
// cut (zero: none) only the deliveries before the page are wanted.
func (s *Store) begin(ctx context.Context, account, before webhook.ID) (below, cut webhook.ID, err error) {
	if before == 0 {
		return math.MaxInt64, 0, nil
	}
	d, err := s.Delivery(ctx, account, before)
	if errors.Is(err, webhook.ErrNotFound) {
		return before, 0, nil
	}
	return d.Event + 1, d.Event, err
}

// decided lists the events of a filter, the newest first.
func (s *Store) decided(ctx context.Context, account webhook.ID, f webhook.DeliveryFilter, in span, limit int) ([]decided, error) {
	query := `SELECT id, decisions FROM events WHERE account_id = $1 AND id >= $2 AND id < $3`
	args := []any{account, in.from, in.to, limit}
	if f.Booking != "" { // not empty, so that the partial index serves
		args = append(args, f.Booking)
		query += fmt.Sprintf(` AND booking_id <> '' AND booking_id = $%d`, len(args))
	}
	if f.Event != 0 {
		args = append(args, f.Event)
		query += fmt.Sprintf(` AND id = $%d`, len(args))
	}
	return list(ctx, s, scanDecided, query+` ORDER BY id DESC LIMIT $4`, args...)
}

// deliveriesOf selects the deliveries of an account ($1) and an event ($2) in a
// span ($3, $4) that pass a filter, and gives its further arguments.
func deliveriesOf(f webhook.DeliveryFilter) (string, []any) {
	q := &stream{}
	if f.State != "" {
		q.ask(`x.state = $%d`, string(f.State), 0)
	}
	if f.Webhook != 0 {
		q.ask(`x.webhook_id = $%d`, f.Webhook, 0)
	}
	q.askType(f.Type, 0)
	return `SELECT ` + deliveryColumns + ` FROM deliveries x WHERE account_id = $1 AND event_id = $2 AND id >= $3 AND id < $4` +
		q.rest + ` ORDER BY id DESC`, q.args
}
