package db

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"bookhook/webhook"
)

const deliveryColumns = `id, account_id, event_id, webhook_id, platform, type, booking_id, test, inline, state, attempts, completed, base,
	next_at, scheduled_at, held, urgent, created_at, finished_at, last_status, last_failure, last_us, replay_id`

func scanDelivery(r scanner) (d webhook.Delivery, err error) {
	var us int64
	err = r.Scan(&d.ID, &d.Account, &d.Event, &d.Webhook, &d.Platform, &d.Type, &d.BookingID, &d.Test, &d.Inline, &d.State, &d.Attempts, &d.Completed, &d.Base,
		timeScanner{&d.NextAt}, timeScanner{&d.Scheduled}, &d.Held, &d.Urgent, timeScanner{&d.CreatedAt}, timeScanner{&d.Finished}, &d.Last.Status, &d.Last.Failure, &us, &d.Replay)
	d.Last.Duration = time.Duration(us) * time.Microsecond
	if d.State != webhook.Pending { // the columns of a cancelled delivery keep their values
		d.Held, d.Urgent, d.Scheduled = false, false, time.Time{}
	}
	return d, err
}

// Deliveries lists the log of an account, the newest first.
func (s *Store) Deliveries(ctx context.Context, account webhook.AccountID, f webhook.DeliveryFilter) (p webhook.Page[webhook.DeliveryRow, webhook.DeliveryID], err error) {
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
	rows, next, err := readPage(ctx, s.engine, l, f.Limit, scan, func(d webhook.DeliveryRow) int64 { return int64(d.ID) })
	if err != nil {
		return p, err
	}
	p.Rows, p.Next = rows, webhook.DeliveryID(next)
	return p, nil
}

// CountDeliveries counts what Deliveries lists under a filter, on all pages; it
// reads no more rows than one request may.
func (s *Store) CountDeliveries(ctx context.Context, account webhook.AccountID, f webhook.DeliveryFilter) (webhook.Count, error) {
	l, err := s.deliveryListing(ctx, account, f)
	if err != nil {
		return webhook.Count{}, err
	}
	return countRows(ctx, s.engine, l)
}

// deliveryListing lists by what leaves the fewest rows: the ids in the decisions on
// an event or on those of a booking, or the index of a state other than delivered,
// of the items of a replay, of a webhook, or of the account.
func (s *Store) deliveryListing(ctx context.Context, account webhook.AccountID, f webhook.DeliveryFilter) (l listing, err error) {
	l = listing{table: "deliveries", columns: deliveryColumns, span: newSpan(f.Since, f.Until, int64(f.Before), int64(f.After))}
	rest := f
	if f.Replay != 0 {
		if err := s.spanReplay(ctx, &l.span, f.Replay); err != nil {
			return l, err
		}
	}
	switch {
	case f.Event != 0 || f.Booking != "":
		ids, oldest, err := s.decidedDeliveries(ctx, account, f, l.span.to)
		if err != nil {
			return l, err
		}
		if oldest != 0 {
			l.span.from, l.stopped = max(l.span.from, int64(oldest)), int64(oldest) > l.span.from
		}
		l.index(`account_id = ?`, account)
		indexAnyOf(&l, "id", ids)
		if f.Event == 0 {
			rest.Booking = ""
		}
	case f.State != "" && f.State != webhook.Delivered:
		l.index(`account_id = ? AND state = ? AND state <> 'delivered'`, account, string(f.State))
		if f.Webhook != 0 {
			l.filter(s.search*indexFactor, `webhook_id = ?`, f.Webhook)
		}
		if f.Replay != 0 {
			l.filter(s.search*indexFactor, replayHas, f.Replay)
		}
		rest.State, rest.Webhook, rest.Replay = "", 0, 0
	case f.Replay != 0:
		l.table = replayedDeliveries
		l.index(`item_of = ? AND account_id = ?`, f.Replay, account)
		rest.Replay = 0
	case f.Webhook != 0:
		l.index(`webhook_id = (SELECT w.id FROM webhooks w WHERE w.account_id = ? AND w.id = ?)`, account, f.Webhook)
		rest.Webhook = 0
	default:
		l.index(`account_id = ?`, account)
	}
	s.filterDeliveries(&l, rest)
	return l, nil
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
		platform, eventType := webhook.SplitEventKey(f.Type)
		l.filter(s.search, `type = ? AND platform = ?`, eventType, platform)
	}
	if f.Replay != 0 {
		l.filter(s.search, replayHas, f.Replay)
	}
}

// replayHas is the condition that a replay has an item of a delivery.
const replayHas = `EXISTS (SELECT 1 FROM replay_items i WHERE i.replay_id = ? AND i.delivery_id = deliveries.id)`

// replayedDeliveries are the deliveries of the items of replays, in the order of the
// items: the id of a row is that of its item.
var replayedDeliveries = `(SELECT i.replay_id AS item_of, i.delivery_id AS id` + strings.Join(strings.Split(
	strings.TrimPrefix(strings.Join(strings.Fields(deliveryColumns), " "), "id"), ", "), ", d.") +
	` FROM replay_items i CROSS JOIN deliveries d WHERE d.id = i.delivery_id) AS deliveries`

// spanReplay narrows a span to the deliveries of a replay, which are often close
// together.
func (s *Store) spanReplay(ctx context.Context, to *span, replay webhook.ReplayID) error {
	for _, end := range []struct {
		query  string
		narrow func(id int64)
	}{
		{`SELECT delivery_id FROM replay_items WHERE replay_id = $1 ORDER BY delivery_id LIMIT 1`, func(id int64) { to.from = max(to.from, id) }},
		{`SELECT delivery_id FROM replay_items WHERE replay_id = $1 ORDER BY delivery_id DESC LIMIT 1`, func(id int64) { to.to = min(to.to, id+1) }},
	} {
		var id int64
		if err := queryRow(ctx, s.engine, end.query, replay).scanOptional(&id); err != nil {
			return err
		}
		end.narrow(id)
	}
	return nil
}

// Delivery finds a delivery of an account.
func (s *Store) Delivery(ctx context.Context, account webhook.AccountID, id webhook.DeliveryID) (webhook.Delivery, error) {
	return findDelivery(ctx, s.engine, account, id)
}

func findDelivery(ctx context.Context, q querier, account webhook.AccountID, id webhook.DeliveryID) (webhook.Delivery, error) {
	return scanDelivery(queryRow(ctx, q, `SELECT `+deliveryColumns+` FROM deliveries WHERE account_id = $1 AND id = $2`, account, id))
}

// idsOfQuery is how many ids one query names: SQLite takes some 32,000 arguments.
const idsOfQuery = 8192

// DeliveriesOf lists those deliveries of an account that have one of the ids, the newest
// first.
func (s *Store) DeliveriesOf(ctx context.Context, account webhook.AccountID, ids []webhook.DeliveryID) (all []webhook.Delivery, err error) {
	for some := range slices.Chunk(ids, idsOfQuery) {
		condition, args := anyOf("id", 2, some)
		found, err := list(ctx, s.engine, scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries WHERE account_id = $1 AND `+condition,
			append([]any{account}, args...)...)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b webhook.Delivery) int { return cmp.Compare(b.ID, a.ID) })
	return all, nil
}

// Replay makes a delivery due and urgent: one that finished restarts its schedule,
// one that waits is attempted early, even if it is held; that is an extra attempt, as with
// RetryNow. It returns webhook.ErrConflict for one that is in flight, even if it was cancelled meanwhile:
// its response would be taken for that of the replay. It returns webhook.ErrOff if
// the webhook is off, and webhook.Invalid if it was deleted, and for the call of an
// inline webhook, which is made only once.
func (s *Store) Replay(ctx context.Context, account webhook.AccountID, id webhook.DeliveryID, change webhook.Change) (d webhook.Delivery, err error) {
	err = s.write(ctx, func(tx transaction) error {
		if d, err = findDelivery(ctx, tx, account, id); err != nil {
			return err
		}
		if d.Inline {
			return webhook.Invalid{"webhook": webhook.NewMessage("delivery.inline_replay")}
		}
		if mayBeInFlight(d, change.At) {
			return webhook.ErrConflict
		}
		w, err := s.findWebhook(ctx, tx, account, d.Webhook)
		if errors.Is(err, webhook.ErrNotFound) {
			return webhook.Invalid{"webhook": webhook.NewMessage("delivery.webhook_deleted")}
		}
		if err != nil {
			return err
		}
		if !w.Enabled {
			return webhook.ErrOff
		}
		if d, err = replay(ctx, tx, d, w, change.At); err != nil {
			return err
		}
		tx.touch(d.Account, d.Webhook, webhook.TouchUrgent)
		return s.audit(ctx, tx, webhook.AuditEntry{Account: account, Change: change, Action: "delivery.replayed", Subject: id.String()})
	})
	return d, err
}

// mayBeInFlight reports whether a request of a delivery may be in flight, even if it was
// cancelled meanwhile.
func mayBeInFlight(d webhook.Delivery, now time.Time) bool {
	return d.Attempts > d.Completed && d.NextAt.After(now)
}

func replay(ctx context.Context, tx transaction, d webhook.Delivery, w *webhook.Webhook, now time.Time) (webhook.Delivery, error) {
	held, schedule := false, extraAttempt
	if err := endItem(ctx, tx, d.Replay, d.ID, now); err != nil {
		return d, err
	}
	if d.State != webhook.Pending {
		var err error
		if held, err = holdReplay(ctx, tx, d, w); err != nil {
			return d, err
		}
		schedule = `base = attempts, scheduled_at = 0`
	}
	next := now
	if held {
		next = time.Time{}
	}
	return scanDelivery(queryRow(ctx, tx, `UPDATE deliveries SET state = 'pending', `+schedule+`, next_at = $2, held = $3, urgent = $4,
		finished_at = 0, blocking = 1, replay_id = 0 WHERE id = $1 RETURNING `+deliveryColumns, d.ID, toMillis(next), boolInt(held), boolInt(!held)))
}

// Cancel cancels a pending delivery. It returns webhook.ErrConflict for one that is
// not pending, and webhook.Invalid for the call of an inline webhook.
func (s *Store) Cancel(ctx context.Context, account webhook.AccountID, id webhook.DeliveryID, change webhook.Change) error {
	return s.write(ctx, func(tx transaction) error {
		d, err := findDelivery(ctx, tx, account, id)
		if err != nil {
			return err
		}
		if d.Inline {
			return webhook.Invalid{"webhook": webhook.NewMessage("delivery.inline_cancel")}
		}
		n, err := tx.Exec(ctx, `UPDATE deliveries SET state = 'cancelled', finished_at = $2 WHERE id = $1 AND state = 'pending'`, id, toMillis(change.At))
		if err != nil {
			return err
		}
		if n == 0 {
			return webhook.ErrConflict
		}
		if err := endItem(ctx, tx, d.Replay, id, change.At); err != nil {
			return err
		}
		if _, err := releaseNext(ctx, tx, d.Webhook, d.BookingID, change.At); err != nil {
			return err
		}
		tx.touch(d.Account, d.Webhook, webhook.TouchDeliveries)
		return s.audit(ctx, tx, webhook.AuditEntry{Account: account, Change: change, Action: "delivery.cancelled", Subject: id.String()})
	})
}

// Attempts lists the attempts of a delivery in their order, the webhook.AttemptsShown
// numbers up to last, or the newest if last is 0; a missing number is an attempt that
// was cut off. Replays make ever more of them, so once the bodies have
// webhook.AttemptBodies, those of older ones are left out.
func (s *Store) Attempts(ctx context.Context, account webhook.AccountID, delivery webhook.DeliveryID, last int) ([]webhook.Attempt, error) {
	bytes := 0
	scan := func(r scanner) (webhook.Attempt, error) {
		a, err := scanAttempt(r)
		if bytes >= webhook.AttemptBodies {
			a.RequestBody, a.ResponseBody, a.LeftOut = nil, nil, true
		}
		bytes += len(a.RequestBody) + len(a.ResponseBody)
		return a, err
	}
	attempts, err := list(ctx, s.engine, scan, `SELECT a.number, a.started_at, a.duration_us, a.status, a.failure, a.error, a.method, a.url,
			a.remote_addr, a.request_headers, a.request_body, a.data_at, a.response_headers, a.response_body, a.truncated, e.data
		FROM deliveries d JOIN events e ON e.id = d.event_id JOIN attempts a ON a.delivery_id = d.id
		WHERE d.account_id = $1 AND d.id = $2
			AND a.number <= CASE WHEN $3 = 0 THEN d.attempts ELSE $3 END AND a.number > CASE WHEN $3 = 0 THEN d.attempts ELSE $3 END - $4
		ORDER BY a.number DESC`, account, delivery, last, webhook.AttemptsShown)
	slices.Reverse(attempts)
	return attempts, err
}

const insertAttempt = `INSERT INTO attempts (delivery_id, number, started_at, duration_us, status, failure, error, method, url,
		remote_addr, request_headers, request_body, data_at, response_headers, response_body, truncated)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT (delivery_id, number) DO NOTHING`

func attemptValues(r webhook.Result) []any {
	a := r.Attempt
	body, dataAt := removeData(a.RequestBody, r.Data)
	return []any{
		r.Delivery, a.Number, toMillis(a.StartedAt), a.Duration.Microseconds(), a.Status, string(a.Failure), messageJSON(a.Error), a.Method, a.URL,
		a.RemoteAddr, headersJSON(a.RequestHeaders), body, dataAt, headersJSON(a.ResponseHeaders), a.ResponseBody, boolInt(a.Truncated),
	}
}

// removeData removes the event's data from a request's body, if the body contains
// it byte for byte: it is stored with the event, and would be most of the size of
// an attempt. It returns its position; -1 if the body does not contain it.
func removeData(body, data []byte) (rest []byte, from int) {
	if len(data) == 0 {
		return body, -1
	}
	if from = bytes.Index(body, data); from < 0 {
		return body, -1
	}
	return slices.Concat(body[:from], body[from+len(data):]), from
}

func scanAttempt(r scanner) (a webhook.Attempt, err error) {
	var us int64
	var dataAt int
	var requestHeaders, responseHeaders, data []byte
	err = r.Scan(&a.Number, timeScanner{&a.StartedAt}, &us, &a.Status, &a.Failure, messageScanner{&a.Error}, &a.Method, &a.URL,
		&a.RemoteAddr, &requestHeaders, &a.RequestBody, &dataAt, &responseHeaders, &a.ResponseBody, &a.Truncated, &data)
	if err != nil {
		return a, err
	}
	if dataAt >= 0 {
		a.RequestBody = slices.Concat(a.RequestBody[:dataAt], data, a.RequestBody[dataAt:])
	}
	a.Duration = time.Duration(us) * time.Microsecond
	if err := json.Unmarshal(requestHeaders, &a.RequestHeaders); err != nil {
		return a, err
	}
	return a, json.Unmarshal(responseHeaders, &a.ResponseHeaders)
}
