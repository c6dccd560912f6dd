package db

import (
	"cmp"
	"context"
	"slices"
	"time"

	"bookhook/webhook"
)

// RecoverClaims recovers what a dead process left: it makes every claim due at once, fails
// the calls of inline webhooks, and finishes the deletion of webhooks. On SQLite no
// other process can hold a claim; call it before the dispatcher starts.
func (s *Store) RecoverClaims(ctx context.Context, now time.Time) error {
	err := s.write(ctx, func(tx transaction) error {
		if err := failInlineCalls(ctx, tx, now); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE deliveries SET next_at = $1
			WHERE state = 'pending' AND held = 0 AND attempts > completed AND next_at > $1`, toMillis(now))
		return err
	})
	if err != nil {
		return err
	}
	scan := func(r scanner) (id webhook.WebhookID, err error) {
		err = r.Scan(&id)
		return id, err
	}
	deleted, err := list(ctx, s.engine, scan, `SELECT w.id FROM webhooks w WHERE w.deleted_at > 0
		AND EXISTS (SELECT 1 FROM deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending')`)
	if err != nil {
		return err
	}
	for _, id := range deleted {
		if _, err := s.cancelAll(ctx, id, now); err != nil {
			return err
		}
	}
	return nil
}

// Due tells, for every switched-on asynchronous webhook with something pending,
// when the earliest of it is due; the end of a lease counts.
func (s *Store) Due(ctx context.Context) (map[webhook.WebhookID]time.Time, error) {
	type due struct {
		id webhook.WebhookID
		at time.Time
	}
	scan := func(r scanner) (d due, err error) {
		d.at, err = scanNextDue(r, &d.id)
		return d, err
	}
	rows, err := list(ctx, s.engine, scan, `SELECT w.id, `+nextDue+` FROM webhooks w
		WHERE w.enabled = 1 AND w.deleted_at = 0 AND w.kind = 'async'`)
	if err != nil {
		return nil, err
	}
	dues := map[webhook.WebhookID]time.Time{}
	for _, d := range rows {
		if !d.at.IsZero() {
			dues[d.id] = d.at
		}
	}
	return dues, nil
}

// nextDue selects when the next urgent delivery of a webhook w is due, and the next
// other one, 0 for none; whether one is held; and whether w keeps the order. Each of
// the first three is one step into deliveries_due.
const nextDue = `
	COALESCE((SELECT MIN(d.next_at) FROM deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.held = 0 AND d.urgent = 1), 0),
	COALESCE((SELECT MIN(d.next_at) FROM deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.held = 0 AND d.urgent = 0), 0),
	EXISTS (SELECT 1 FROM deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.held = 1), w.config ->> 'ordered'`

// scanNextDue scans nextDue behind other columns, and returns when the next
// delivery is due; zero: none is pending. What is held for a webhook that does not
// keep the order any more is overdue.
func scanNextDue(r scanner, before ...any) (time.Time, error) {
	var urgent, other time.Time
	var held, ordered bool
	err := r.Scan(append(before, timeScanner{&urgent}, timeScanner{&other}, &held, &ordered)...)
	switch {
	case err != nil:
		return time.Time{}, err
	case held && !ordered:
		return time.Unix(0, 0).UTC(), nil
	case other.IsZero() || !urgent.IsZero() && urgent.Before(other):
		return urgent, nil
	}
	return other, nil
}

// Claim takes up to n due deliveries of a webhook, urgent ones first and then the
// longest due, and returns them in the order they were created: it raises their
// attempts and moves them to lease. It also returns when the next pending one is
// due, the end of a lease included; zero if there is none. A webhook that is off or
// gone has none, nor has an inline one.
func (s *Store) Claim(ctx context.Context, id webhook.WebhookID, n int, now, lease time.Time) (jobs []webhook.Job, next time.Time, err error) {
	err = s.write(ctx, func(tx transaction) error {
		jobs, next = nil, time.Time{}
		var account webhook.AccountID
		if err := queryRow(ctx, tx, `SELECT account_id FROM webhooks WHERE id = $1 AND enabled = 1 AND deleted_at = 0 AND kind = 'async'`, id).scanOptional(&account); err != nil || account == 0 {
			return err
		}
		subscriptions, err := s.current(ctx, tx, account)
		if err != nil {
			return err
		}
		w := subscriptions.Webhook(id)
		if !w.Ordered {
			if err := releaseHeld(ctx, tx, id, n, now); err != nil {
				return err
			}
		}
		claimed, err := claim(ctx, tx, id, n, now, lease)
		if err != nil {
			return err
		}
		if jobs, err = jobsOf(ctx, tx, claimed, subscriptions.Account, w); err != nil {
			return err
		}
		next, err = scanNextDue(queryRow(ctx, tx, `SELECT `+nextDue+` FROM webhooks w WHERE w.id = $1`, id))
		return err
	})
	if err != nil { // also of the commit: then nothing was claimed
		return nil, time.Time{}, err
	}
	return jobs, next, nil
}

// claim takes urgent deliveries first and then, up to n, others that are due.
func claim(ctx context.Context, tx transaction, id webhook.WebhookID, n int, now, lease time.Time) (claimed []webhook.Delivery, err error) {
	for _, urgent := range []bool{true, false} {
		found, err := list(ctx, tx, scanDelivery, `UPDATE deliveries SET attempts = attempts + 1, next_at = $4, urgent = 0 WHERE id IN (
				SELECT id FROM deliveries WHERE webhook_id = $1 AND state = 'pending' AND held = 0 AND urgent = $5 AND next_at <= $2
				ORDER BY next_at, id LIMIT $3)
			RETURNING `+deliveryColumns, id, toMillis(now), n-len(claimed), toMillis(lease), boolInt(urgent))
		if err != nil {
			return nil, err
		}
		claimed = append(claimed, found...)
	}
	slices.SortFunc(claimed, func(a, b webhook.Delivery) int { return cmp.Compare(a.ID, b.ID) })
	return claimed, nil
}

// jobsOf adds to deliveries of a webhook what it takes to send them.
func jobsOf(ctx context.Context, tx transaction, claimed []webhook.Delivery, account webhook.Account, w *webhook.Webhook) ([]webhook.Job, error) {
	jobs := make([]webhook.Job, len(claimed))
	for i, d := range claimed {
		e, err := scanEvent(queryRow(ctx, tx, `SELECT `+eventColumns+` FROM events WHERE id = $1`, d.Event))
		if err != nil {
			return nil, err
		}
		jobs[i] = webhook.Job{Delivery: d, Event: e.Event, Webhook: w, Account: account}
	}
	return jobs, nil
}

// stepRows is how many deliveries are changed in one transaction where it could
// be all of a webhook: some 10 ms, in which all other writes wait.
const stepRows = 1000

// RetryNow makes due at now what waits for its next attempt at a webhook: not what is
// in flight, nor what is held. That attempt is an extra one: if it fails, the
// schedule goes on where it was, or a receiver that fails now and then would use it
// up in minutes. Each stepRows deliveries are one transaction; after an error some are
// due and the others keep their time.
func (s *Store) RetryNow(ctx context.Context, id webhook.WebhookID, now time.Time) error {
	_, err := s.inSteps(ctx, `UPDATE deliveries SET next_at = $2, base = CASE WHEN attempts > base THEN base + 1 ELSE base END WHERE id IN (
		SELECT id FROM deliveries WHERE webhook_id = $1 AND state = 'pending' AND held = 0 AND urgent = 0 AND next_at > $2
			AND attempts = completed ORDER BY next_at LIMIT $3)`, id, toMillis(now), stepRows)
	return err
}

// inSteps makes a change that could be of all a webhook has, a transaction for
// each step, and returns how many rows it changed. The change takes at most
// stepRows rows, none twice.
func (s *Store) inSteps(ctx context.Context, change string, args ...any) (changed int64, err error) {
	for {
		var n int64
		err := s.write(ctx, func(tx transaction) (err error) {
			n, err = tx.Exec(ctx, change, args...)
			return err
		})
		if err != nil {
			return changed, err
		}
		if changed += n; n < stepRows {
			return changed, nil
		}
	}
}

// Release gives a claimed delivery back uncharged: the attempt that was not
// made is not counted, and it is due at now unless it was cancelled meanwhile.
func (s *Store) Release(ctx context.Context, delivery webhook.DeliveryID, number int, now time.Time) error {
	return s.write(ctx, func(tx transaction) error {
		_, err := tx.Exec(ctx, `UPDATE deliveries SET attempts = attempts - 1, next_at = $3
			WHERE id = $1 AND attempts = $2 AND completed < $2 AND state IN ('pending', 'cancelled')`, delivery, number, toMillis(now))
		return err
	})
}
