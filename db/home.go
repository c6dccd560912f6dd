package db

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"bookhook/checklist"
	"bookhook/webhook"
)

// readChecklist selects the facts. Of an account of which the oldest deliveries all failed,
// and the newest, too, no more are read.
const readChecklist = `SELECT a.checklist_hidden, a.mail_sent,
	COALESCE((SELECT MAX(c.received_at) FROM connections c WHERE c.account_id = a.id), 0),
	COALESCE((SELECT e.id FROM events e WHERE e.account_id = a.id AND e.test = 0 ORDER BY e.id LIMIT 1), 0),
	CASE WHEN EXISTS (SELECT 1 FROM rejected_requests r WHERE r.account_id = a.id) THEN 1 ELSE 0 END,
	CASE WHEN EXISTS (SELECT 1 FROM channels c WHERE c.account_id = a.id) THEN 1 ELSE 0 END,
	CASE WHEN EXISTS (SELECT 1 FROM tours t WHERE t.account_id = a.id) THEN 1 ELSE 0 END,
	CASE WHEN EXISTS (SELECT 1 FROM webhooks w WHERE w.account_id = a.id AND w.deleted_at = 0) THEN 1 ELSE 0 END,
	CASE WHEN EXISTS (SELECT 1 FROM (SELECT d.state, d.test FROM deliveries d WHERE d.account_id = a.id ORDER BY d.id LIMIT $2) AS oldest
			WHERE state = 'delivered' AND test = 0)
		OR EXISTS (SELECT 1 FROM (SELECT d.state, d.test FROM deliveries d WHERE d.account_id = a.id ORDER BY d.id DESC LIMIT $2) AS newest
			WHERE state = 'delivered' AND test = 0)
		THEN 1 ELSE 0 END,
	(SELECT COUNT(*) FROM (SELECT 1 FROM users u WHERE u.account_id = a.id LIMIT 2) AS found)
	FROM accounts a WHERE a.id = $1`

// Checklist reads what an account has got so far; whether mail is set up is not stored.
func (s *Store) Checklist(ctx context.Context, account webhook.AccountID) (f checklist.Facts, err error) {
	var people int
	err = queryRow(ctx, s.engine, readChecklist, account, webhook.RecentScanned).Scan(&f.Hidden, &f.MailSent, timeScanner{&f.CalledAt}, &f.Event,
		&f.Rejected, &f.Channels, &f.Tours, &f.Webhook, &f.Delivered, &people)
	f.Colleague = people > 1
	return f, err
}

// HideChecklist hides the checklist of an account, or shows it again.
func (s *Store) HideChecklist(ctx context.Context, account webhook.AccountID, hidden bool, change webhook.Change) error {
	return s.write(ctx, func(tx transaction) error {
		n, err := tx.Exec(ctx, `UPDATE accounts SET checklist_hidden = $2 WHERE id = $1`, account, boolInt(hidden))
		if err != nil {
			return err
		}
		if n == 0 {
			return webhook.ErrNotFound
		}
		action := map[bool]string{true: "checklist.hidden", false: "checklist.shown"}[hidden]
		return s.audit(ctx, tx, webhook.AuditEntry{Account: account, Change: change, Action: action, Subject: account.String()})
	})
}

// maxGivenUp is up to where GivenUp counts for a webhook.
const maxGivenUp = 1000

const givenUp = `SELECT id, n FROM (SELECT w.id AS id, (SELECT COUNT(*) FROM (SELECT d.test FROM deliveries d
		WHERE d.webhook_id = w.id AND d.state = 'failed' AND d.finished_at >= $2 LIMIT $3) AS failed WHERE test = 0) AS n
	FROM webhooks w WHERE w.account_id = $1 AND w.deleted_at = 0 AND w.kind = 'async' AND (CAST($4 AS BIGINT) = 0 OR w.id = $4)) AS counted WHERE n > 0`

// GivenUp counts, by their webhooks, the deliveries of an account that were given up since
// a time and not delivered since, tests aside; of each webhook, or of one if it is given, up
// to 1,000. Those of which the webhook got a later event of the same booking are left out:
// nobody has to send them again. A synchronous webhook has none: what it refuses is answered.
func (s *Store) GivenUp(ctx context.Context, account webhook.AccountID, of webhook.WebhookID, since time.Time) (map[webhook.WebhookID]webhook.Count, error) {
	counts := map[webhook.WebhookID]webhook.Count{}
	_, err := list(ctx, s.engine, func(r scanner) (none struct{}, err error) {
		var id webhook.WebhookID
		var n int
		err = r.Scan(&id, &n)
		counts[id] = webhook.Count{N: n, More: n >= maxGivenUp}
		return none, err
	}, givenUp, account, toMillis(since), maxGivenUp, of)
	if err != nil {
		return nil, err
	}
	superseded, err := s.superseded(ctx, account, slices.Sorted(maps.Keys(counts)), since)
	if err != nil {
		return nil, err
	}
	for id, n := range superseded {
		c := counts[id]
		if c.N -= n; c.N > 0 || c.More {
			counts[id] = c
		} else {
			delete(counts, id)
		}
	}
	return counts, nil
}

// laterGivenUp selects what GivenUp counts of a webhook, if its booking has a later event.
const laterGivenUp = `SELECT booking_id, event_id FROM (SELECT d.account_id, d.booking_id, d.event_id, d.test FROM deliveries d
		WHERE d.webhook_id = $1 AND d.state = 'failed' AND d.finished_at >= $2 LIMIT $3) AS failed
	WHERE test = 0 AND EXISTS (SELECT 1 FROM events n WHERE n.account_id = failed.account_id AND n.booking_id = failed.booking_id
		AND n.booking_id <> '' AND n.id > failed.event_id)`

// supersededPage is of how many bookings, or deliveries, superseded reads at a time.
const supersededPage = 500

// givenUpOf is what the events have in common of which a webhook did not get its delivery.
type givenUpOf struct {
	webhook webhook.WebhookID
	booking string
}

// superseded counts what GivenUp counts of webhooks that then got a later event of the
// booking. It reads at most ten events for each booking, on average.
func (s *Store) superseded(ctx context.Context, account webhook.AccountID, ids []webhook.WebhookID, since time.Time) (map[webhook.WebhookID]int, error) {
	failed := map[givenUpOf][]webhook.EventID{}
	bookings := map[string]bool{}
	for _, id := range ids {
		_, err := list(ctx, s.engine, func(r scanner) (none struct{}, err error) {
			var event webhook.EventID
			of := givenUpOf{webhook: id}
			err = r.Scan(&of.booking, &event)
			failed[of], bookings[of.booking] = append(failed[of], event), true
			return none, err
		}, laterGivenUp, id, toMillis(since), maxGivenUp)
		if err != nil {
			return nil, err
		}
	}
	newest := map[givenUpOf]webhook.EventID{}
	for some := range slices.Chunk(slices.Sorted(maps.Keys(bookings)), supersededPage) {
		if err := s.addNewestDelivered(ctx, account, some, failed, newest); err != nil {
			return nil, err
		}
	}
	n := map[webhook.WebhookID]int{}
	for of, events := range failed {
		for _, event := range events {
			if event < newest[of] {
				n[of.webhook]++
			}
		}
	}
	return n, nil
}

// bookingEvents selects the events of bookings with their decisions, as many as $2; the
// condition on bookings is added.
const bookingEvents = `SELECT id, booking_id, decisions FROM events WHERE account_id = $1 AND booking_id <> '' AND test = 0 AND %s LIMIT $2`

// addNewestDelivered adds the newest event of bookings that a webhook got, if one before
// it failed.
func (s *Store) addNewestDelivered(ctx context.Context, account webhook.AccountID, bookings []string, failed map[givenUpOf][]webhook.EventID, newest map[givenUpOf]webhook.EventID) error {
	type later struct {
		of    givenUpOf
		event webhook.EventID
	}
	deliveries := map[webhook.DeliveryID]later{}
	condition, args := anyText("booking_id", 3, bookings)
	_, err := list(ctx, s.engine, func(r scanner) (none struct{}, err error) {
		var event webhook.EventID
		var booking string
		var decisions []webhook.Decision
		var pending bool
		err = r.Scan(&event, &booking, decisionsScanner{&decisions, &pending})
		for _, d := range decisions {
			of := givenUpOf{d.Webhook, booking}
			if events := failed[of]; d.Delivery != 0 && len(events) > 0 && slices.Min(events) < event {
				deliveries[d.Delivery] = later{of, event}
			}
		}
		return none, err
	}, fmt.Sprintf(bookingEvents, condition), append([]any{account, 10 * supersededPage}, args...)...)
	if err != nil {
		return err
	}
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(deliveries)), supersededPage) {
		states, _, err := s.DeliveryStates(ctx, account, ids, 0)
		if err != nil {
			return err
		}
		for id, state := range states {
			if l := deliveries[id]; state == webhook.Delivered {
				newest[l.of] = max(newest[l.of], l.event)
			}
		}
	}
	return nil
}

// RejectedSince counts the requests of platforms that could not be read since a time.
func (s *Store) RejectedSince(ctx context.Context, account webhook.AccountID, since time.Time) (n int, err error) {
	err = queryRow(ctx, s.engine, rejectedSince, account, toMillis(since)).Scan(&n)
	return n, err
}

const rejectedSince = `SELECT COUNT(*) FROM rejected_requests WHERE account_id = $1 AND last_at >= $2`
