package db

import (
	"context"
	"strconv"
	"time"

	"bookhook/webhook"
)

// What the planning of a bulk replay reads: pages by key, of few columns. The rows of
// events that have later ones in their booking say so; only these are looked at again.

// candidateRows are the rows of a page.
const candidateRows = 500

// newestOf selects the newest event of a booking, if that is later than a given one.
func newestOf(account, booking, event string) string {
	return `COALESCE((SELECT n.id FROM events n WHERE n.account_id = ` + account + ` AND n.booking_id = ` + booking +
		` AND n.booking_id <> '' AND n.id > ` + event + ` ORDER BY n.id DESC LIMIT 1), 0)`
}

var candidateColumns = `id, event_id, webhook_id, booking_id, ` + newestOf("deliveries.account_id", "deliveries.booking_id", "deliveries.event_id")

func scanCandidate(r scanner) (c webhook.Candidate, err error) {
	err = r.Scan(&c.Delivery, &c.Event, &c.Webhook, &c.Booking, &c.Newest)
	return c, err
}

// Candidates lists deliveries for a bulk replay, those with ids below before (0: from
// the newest), a page at a time: those of the request's filter, and only those of its
// ids, or of the bookings of its comparison, if it has any. Tests and inline calls are
// never among them.
func (s *Store) Candidates(ctx context.Context, account webhook.AccountID, r webhook.ReplayRequest, before webhook.DeliveryID) (p webhook.Page[webhook.Candidate, webhook.DeliveryID], err error) {
	f := r.Deliveries
	f.Before, f.After = before, 0
	l, err := s.deliveryListing(ctx, account, f)
	if err != nil {
		return p, err
	}
	l.columns = candidateColumns
	l.index(`test = 0 AND inline = 0`)
	if len(r.IDs) > 0 {
		indexAnyOf(&l, "id", r.IDs)
	}
	if r.Lacking != 0 {
		l.filter(candidateRows, `EXISTS (SELECT 1 FROM reconciliation_lacking g
			WHERE g.account_id = ? AND g.reconciliation_id = ? AND g.booking_id = deliveries.booking_id)`, account, r.Lacking)
	}
	rows, next, err := readPage(ctx, s.engine, l, candidateRows, scanCandidate, func(c webhook.Candidate) int64 { return int64(c.Delivery) })
	p.Rows, p.Next = rows, webhook.DeliveryID(next)
	return p, err
}

const missedColumns = `e.id, e.platform, e.type, e.channel_id, e.booking_id, e.tour_ids, e.received_at, e.test, e.decisions`

func scanMissed(r scanner) (e webhook.MissedEvent, err error) {
	err = r.Scan(&e.ID, &e.Platform, &e.Type, &e.ChannelID, &e.BookingID, jsonScanner{&e.TourIDs}, timeScanner{&e.ReceivedAt}, &e.Test,
		decisionsScanner{&e.Decisions, &e.Lookup}, &e.Newest, &e.Previous)
	return e, err
}

// CandidateEvents lists events for a bulk replay in the order of their ids, those
// after a given one, a page at a time: those of the filter, without tests and those
// that wait for their match. more says that there are further pages.
func (s *Store) CandidateEvents(ctx context.Context, account webhook.AccountID, f webhook.EventFilter, after webhook.EventID) (events []webhook.MissedEvent, more bool, err error) {
	period := newSpan(f.Since, f.Until, 0, int64(after))
	condition, args := "", []any{account, period.from, period.to, candidateRows}
	if f.Type != "" {
		platform, eventType := webhook.SplitEventKey(f.Type)
		condition, args = ` AND e.type = $5 AND e.platform = $6`, append(args, eventType, platform)
	}
	if f.Channel != "" {
		args = append(args, f.Channel)
		condition += ` AND e.channel_id = $` + strconv.Itoa(len(args))
	}
	events, err = list(ctx, s.engine, scanMissed, `SELECT `+missedColumns+`, `+newestOf("e.account_id", "e.booking_id", "e.id")+`, 0
		FROM events e WHERE e.account_id = $1 AND e.id >= $2 AND e.id < $3 AND e.test = 0 AND e.decisions <> ''`+condition+`
		ORDER BY e.id LIMIT $4`, args...)
	return events, len(events) == candidateRows, err
}

// LaterEvents finds events by their ids, at most some hundred, each with the one
// before it in its booking.
func (s *Store) LaterEvents(ctx context.Context, account webhook.AccountID, ids []webhook.EventID) ([]webhook.MissedEvent, error) {
	condition, args := anyOf("e.id", 2, ids)
	return list(ctx, s.engine, scanMissed, `SELECT `+missedColumns+`, 0, COALESCE((SELECT p.id FROM events p
			WHERE p.account_id = e.account_id AND p.booking_id = e.booking_id AND p.booking_id <> '' AND p.id < e.id ORDER BY p.id DESC LIMIT 1), 0)
		FROM events e WHERE e.account_id = $1 AND `+condition, append([]any{account}, args...)...)
}

// EventData reads events with what was sent, one by one: they may be a megabyte each.
// It takes the ids of some hundred at most, and returns the first error of do.
func (s *Store) EventData(ctx context.Context, account webhook.AccountID, ids []webhook.EventID, do func(e webhook.Event) error) error {
	condition, args := anyOf("id", 2, ids)
	rows, err := s.engine.Query(ctx, `SELECT `+sentColumns+` FROM events WHERE account_id = $1 AND `+condition, append([]any{account}, args...)...)
	if err != nil {
		return unavailable(s.engine, err)
	}
	defer rows.Close()
	for rows.Next() {
		e, err := scanSent(rows)
		if err == nil {
			err = do(e)
		}
		if err != nil {
			return unavailable(s.engine, err)
		}
	}
	return unavailable(s.engine, rows.Err())
}

// DeliveryStates says of deliveries, at most some hundred ids, in which state they are
// and whether a replay (0: none) has them. Those of other accounts are left out.
func (s *Store) DeliveryStates(ctx context.Context, account webhook.AccountID, ids []webhook.DeliveryID, replay webhook.ReplayID) (states map[webhook.DeliveryID]webhook.State, replayed map[webhook.DeliveryID]bool, err error) {
	states, replayed = map[webhook.DeliveryID]webhook.State{}, map[webhook.DeliveryID]bool{}
	condition, args := anyOf("d.id", 3, ids)
	_, err = list(ctx, s.engine, func(r scanner) (struct{}, error) {
		var id webhook.DeliveryID
		var state webhook.State
		var has bool
		err := r.Scan(&id, &state, &has)
		states[id], replayed[id] = state, has
		return struct{}{}, err
	}, `SELECT d.id, d.state, EXISTS (SELECT 1 FROM replay_items i WHERE i.replay_id = $2 AND i.delivery_id = d.id)
		FROM deliveries d WHERE d.account_id = $1 AND `+condition, append([]any{account, replay}, args...)...)
	return states, replayed, err
}

// measuredDeliveries are how many of its newest deliveries say how fast a receiver is.
const measuredDeliveries = 200

// Speed returns how long the receiver of a webhook took lately, on average of its
// newest deliveries that were delivered; zero if there are none.
func (s *Store) Speed(ctx context.Context, account webhook.AccountID, id webhook.WebhookID) (time.Duration, error) {
	var sum, n int64
	err := queryRow(ctx, s.engine, `SELECT COALESCE(sum(last_us), 0), count(*) FROM (SELECT state, last_us FROM deliveries
			WHERE webhook_id = (SELECT w.id FROM webhooks w WHERE w.account_id = $1 AND w.id = $2) ORDER BY id DESC LIMIT $3) AS newest
		WHERE state = 'delivered'`, account, id, measuredDeliveries).Scan(&sum, &n)
	if err != nil || n == 0 {
		return 0, err
	}
	return time.Duration(sum/n) * time.Microsecond, nil
}
