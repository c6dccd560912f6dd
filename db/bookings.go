package db

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"bookhook/webhook"
)

// The deliveries of a booking, and of a type, are found by their events, of which
// there are fewer: an event names its deliveries in its decisions, and their ids
// lie close behind its own; where the match came late, the event knows the last.

// eventCost is how many rows of a log one event counts for when it is looked at.
const eventCost = 10

// madeWithin is how long after its event a delivery is made at the latest, unless
// the event is a late one.
const madeWithin = webhook.ID(time.Minute/time.Millisecond) << 22

// decided is an event and the deliveries that it names.
type decided struct {
	id        webhook.ID
	decisions []webhook.Decision
	waits     bool // for them
}

func scanDecided(r scanner) (e decided, err error) {
	return e, r.Scan(&e.id, decisions{&e.decisions, &e.waits})
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
	from, err := s.eventsFrom(ctx, account, in.from)
	if err != nil {
		return p, err
	}
	of := span{from, min(below, in.to)}
	if f.Event != 0 {
		of = span{max(of.from, f.Event), min(of.to, f.Event+1)}
	}
	q := s.events(webhook.EventFilter{Booking: f.Booking, Type: f.Type})
	q.columns = `id, decisions`
	look := s.search / eventCost
	if f.Booking == "" { // of a type there are many: no more than fill a page
		look = min(look, f.Limit+1)
	}
	wanted := func(e decided, d webhook.Decision) bool {
		return d.Delivery != 0 && d.Delivery >= in.from && d.Delivery < in.to &&
			(e.id != cut || d.Delivery < f.Before) && (f.Webhook == 0 || d.Webhook == f.Webhook)
	}
	// Where two webhooks are told of an event, half as many fill the page.
	for step := min(look, f.Limit/2+1); ; step = look {
		events, err := page(ctx, s, account, q, of, step, scanDecided, func(e decided) webhook.ID { return e.id })
		if err != nil {
			return p, err
		}
		found, err := s.named(ctx, account, events.Rows, wanted, f.State, f.Limit+1-len(p.Rows))
		if err != nil {
			return p, err
		}
		if p.Rows = append(p.Rows, found...); len(p.Rows) > f.Limit {
			p.Rows = p.Rows[:f.Limit]
			p.Next = p.Rows[f.Limit-1].ID
			return p, nil
		}
		p.Next = events.Next // an event's id, no delivery's: what lies before are older events
		look -= step
		if len(events.Rows) < step || p.Next == 0 || look == 0 {
			return p, nil
		}
		of.to = p.Next
	}
}

// eventsFrom is the first event that may have a delivery from an id on.
func (s *Store) eventsFrom(ctx context.Context, account, delivery webhook.ID) (from webhook.ID, err error) {
	if delivery == 0 {
		return 0, nil
	}
	from = max(delivery-madeWithin, 0)
	var late webhook.ID
	err = s.row(ctx, `SELECT COALESCE(MIN(id), 0) FROM events WHERE account_id = $1 AND late > 0 AND late >= $2`, account, delivery).Scan(&late)
	if late > 0 {
		from = min(from, late)
	}
	return from, err
}

// lateness is the event's last delivery when that is made so late that a search
// would not find it close behind the event; else 0.
func (e decided) lateness() webhook.ID {
	if last := e.span().to - 1; last > e.id+madeWithin {
		return last
	}
	return 0
}

// deliveriesNamed selects the deliveries of an account that a list names, in one
// state or in any, the newest first.
const deliveriesNamed = `SELECT ` + deliveryColumns + ` FROM deliveries
	WHERE account_id = $1 AND id IN (SELECT value FROM json_each($2)) AND $3 IN ('', state) ORDER BY id DESC`

// named reads the wanted deliveries in a state (empty: in any), event by event,
// until there are enough: with one query all that the next events name, of no
// more events than could be enough.
func (s *Store) named(ctx context.Context, account webhook.ID, events []decided, wanted func(decided, webhook.Decision) bool, state webhook.State, enough int) (all []webhook.Delivery, err error) {
	ids := []int64{}
	for i, e := range events {
		for _, d := range e.decisions {
			if wanted(e, d) {
				ids = append(ids, int64(d.Delivery))
			}
		}
		if len(ids) == 0 || i < len(events)-1 && len(all)+len(ids) < enough {
			continue
		}
		found, err := list(ctx, s, scanDelivery, deliveriesNamed, account, toJSON(ids), string(state))
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(found, func(a, b webhook.Delivery) int { return cmp.Compare(b.Event, a.Event) })
		if all = append(all, found...); len(all) >= enough {
			break
		}
		ids = ids[:0]
	}
	return all, nil
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
