package db

import (
	"context"
	"errors"
	"math"
	"time"

	"bookhook/webhook"
)

// The deliveries of a booking, and of a type, are found by their events, of which
// there are fewer: an event names its deliveries in its decisions, and their ids
// lie close behind its own.

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

// byEvent reports whether a filter is best answered by events: it asks for what
// all deliveries of an event have in common, and no index of deliveries knows a
// shorter way.
func byEvent(f webhook.DeliveryFilter) bool {
	return f.Booking != "" || f.Event != 0 || f.Type != "" && f.Webhook == 0 && (f.State == "" || f.State == webhook.Delivered)
}

// eventDeliveries lists the deliveries of the events of a filter, those of the
// newest event first. It looks at no more events than one request may.
func (s *Store) eventDeliveries(ctx context.Context, account webhook.ID, f webhook.DeliveryFilter) (p webhook.Page[webhook.Delivery], err error) {
	in := between(f.Since, f.Until, 0, f.After)
	below, cut, err := s.begin(ctx, account, f.Before)
	if err != nil {
		return p, err
	}
	of := span{max(in.from-madeWithin, 0), min(below, in.to)}
	if f.Event != 0 {
		of = span{max(of.from, f.Event), min(of.to, f.Event+1)}
	}
	q := s.events(webhook.EventFilter{Booking: f.Booking, Type: f.Type})
	q.columns = `id, decisions`
	look := s.search / eventCost
	if f.Booking == "" { // of a type there are many: no more than fill a page
		look = min(look, f.Limit+1)
	}
	events, err := page(ctx, s, account, q, of, look, scanDecided, func(e decided) webhook.ID { return e.id })
	if err != nil {
		return p, err
	}
	query, asked := deliveriesOf(f)
	for _, e := range events.Rows {
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
	p.Next = events.Next // an event's id, no delivery's: what lies before are older events
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

// deliveriesOf selects the deliveries of an account ($1) and an event ($2) in a
// span ($3, $4) that pass the rest of a filter, and gives its further arguments.
func deliveriesOf(f webhook.DeliveryFilter) (string, []any) {
	q := &stream{}
	if f.State != "" {
		q.ask(`x.state = $%d`, string(f.State), 0)
	}
	if f.Webhook != 0 {
		q.ask(`x.webhook_id = $%d`, f.Webhook, 0)
	}
	return `SELECT ` + deliveryColumns + ` FROM deliveries x WHERE account_id = $1 AND event_id = $2 AND id >= $3 AND id < $4` +
		q.rest + ` ORDER BY id DESC`, q.args
}
