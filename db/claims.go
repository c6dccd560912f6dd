package db

import (
	"cmp"
	"context"
	"slices"
	"time"

	"bookhook/webhook"
)

// RecoverClaims cleans up after a process that died: it makes every claimed
// delivery due at once, marks its inline calls as failed, deletes replays that it was
// planning, and finishes the deletion of webhooks. On SQLite no other process can hold a claim. Call it before the
// dispatcher starts.
func (s *Store) RecoverClaims(ctx context.Context, now time.Time) error {
	err := s.write(ctx, func(tx transaction) error {
		if err := failInlineCalls(ctx, tx, now); err != nil {
			return err
		}
		if _, err := execAll(ctx, tx, dropPlanned); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE deliveries SET next_at = $1
			WHERE state = 'pending' AND held = 0 AND attempts > completed AND next_at > $1`, toMillis(now))
		return err
	})
	if err != nil {
		return err
	}
	deleted, err := list(ctx, s.engine, scanWebhookID, `SELECT w.id FROM webhooks w WHERE w.deleted_at > 0 AND (
		EXISTS (SELECT 1 FROM deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending')
		OR EXISTS (SELECT 1 FROM replays r JOIN replay_items i ON i.webhook_id = w.id AND i.replay_id = r.id AND i.state = 0
			WHERE r.account_id = w.account_id AND r.state = 'running'))`)
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

// dropPlanned deletes the replays that were not started.
var dropPlanned = []statement{
	{`DELETE FROM replay_items WHERE replay_id IN (SELECT id FROM replays WHERE state = 'planning')`, nil},
	{`DELETE FROM replays WHERE state = 'planning'`, nil},
}

// Due returns, for every asynchronous webhook that is on and has pending
// deliveries, when the earliest of them is due; the end of a lease counts.
func (s *Store) Due(ctx context.Context) (map[webhook.WebhookID]webhook.Due, error) {
	type due struct {
		id webhook.WebhookID
		webhook.Due
	}
	scan := func(r scanner) (d due, err error) {
		d.At, err = scanNextDue(r, &d.id, &d.Account)
		return d, err
	}
	rows, err := list(ctx, s.engine, scan, `SELECT w.id, w.account_id, `+nextDue+` FROM webhooks w
		WHERE w.enabled = 1 AND w.deleted_at = 0 AND w.kind = 'async'`)
	if err != nil {
		return nil, err
	}
	dues := map[webhook.WebhookID]webhook.Due{}
	for _, d := range rows {
		if !d.At.IsZero() {
			dues[d.id] = d.Due
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

// scanNextDue scans nextDue after other columns, and returns when the next
// delivery is due; zero: none is pending. Held deliveries of a webhook that no
// longer keeps the order are overdue.
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

// Claim claims up to n due deliveries of a webhook, urgent ones first and then the
// longest due, or if newest the last due: it increments their attempts and sets
// their next time to lease. It returns them in the order they were created, and when
// the next pending one is due, the end of a lease included; zero if there is none.
// It claims fewer if their events have more than maxClaimBytes, and nothing for a
// webhook that is off, deleted or inline.
func (s *Store) Claim(ctx context.Context, id webhook.WebhookID, n int, newest bool, now, lease time.Time) (jobs []webhook.Job, next time.Time, err error) {
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
		if jobs, err = claimJobs(ctx, tx, claimArgs{id, n, newest, now, lease}); err != nil {
			return err
		}
		for i := range jobs {
			jobs[i].Webhook, jobs[i].Account = w, subscriptions.Account
		}
		next, err = scanNextDue(queryRow(ctx, tx, `SELECT `+nextDue+` FROM webhooks w WHERE w.id = $1`, id))
		return err
	})
	if err != nil { // if the commit failed, nothing was claimed
		return nil, time.Time{}, err
	}
	return jobs, next, nil
}

// claimArgs are the arguments of [Store.Claim].
type claimArgs struct {
	webhook    webhook.WebhookID
	n          int
	newest     bool
	now, lease time.Time
}

// maxClaimBytes is how much data the events of one claim have, but for the last one.
const maxClaimBytes = 8 << 20

// claimJobs claims urgent deliveries first and then, up to n, others that are due.
func claimJobs(ctx context.Context, tx transaction, c claimArgs) (jobs []webhook.Job, err error) {
	left := maxClaimBytes
	for _, urgent := range []bool{true, false} {
		claimed, err := claim(ctx, tx, c, urgent, left)
		if err != nil {
			return nil, err
		}
		for _, d := range claimed {
			e, err := scanSent(queryRow(ctx, tx, `SELECT `+sentColumns+` FROM events WHERE id = $1`, d.Event))
			if err != nil {
				return nil, err
			}
			left -= len(e.Data)
			jobs = append(jobs, webhook.Job{Delivery: d, Event: e})
		}
		c.n -= len(claimed)
	}
	slices.SortFunc(jobs, func(a, b webhook.Job) int { return cmp.Compare(a.Delivery.ID, b.Delivery.ID) })
	return jobs, nil
}

// claim claims up to n urgent deliveries, or others, as many as have about so many
// bytes of data, and returns them in no order.
func claim(ctx context.Context, tx transaction, c claimArgs, urgent bool, bytes int) ([]webhook.Delivery, error) {
	order := "next_at, id"
	if c.newest {
		order = "next_at DESC, id DESC"
	}
	due := `FROM deliveries d WHERE webhook_id = $1 AND state = 'pending' AND held = 0 AND urgent = $2 AND next_at <= $3 ORDER BY ` + order + ` LIMIT $4`
	n := c.n
	if n*webhook.MaxData > bytes {
		sizes, err := list(ctx, tx, scanInt, `SELECT COALESCE((SELECT length(e.data) FROM events e WHERE e.id = d.event_id), 0) `+due,
			c.webhook, boolInt(urgent), toMillis(c.now), n)
		if err != nil {
			return nil, err
		}
		for n = 0; n < len(sizes) && bytes > 0; n++ {
			bytes -= sizes[n]
		}
	}
	if n == 0 {
		return nil, nil
	}
	return list(ctx, tx, scanDelivery, `UPDATE deliveries SET attempts = attempts + 1, next_at = $5, urgent = 0 WHERE id IN (SELECT id `+due+`)
		RETURNING `+deliveryColumns, c.webhook, boolInt(urgent), toMillis(c.now), n, toMillis(c.lease))
}

func scanInt(r scanner) (n int, err error) {
	err = r.Scan(&n)
	return n, err
}

// stepRows is how many deliveries one transaction changes if a change could affect
// all of a webhook's: it takes some 10 ms, in which all other writes wait.
const stepRows = 1000

// RetryNow makes the deliveries of a webhook that wait for their next attempt due
// at now, but not those in flight or held. That attempt is an extra one: if it
// fails, the retry schedule continues where it was; otherwise a receiver that fails
// now and then would use it up in minutes. Every stepRows deliveries are one
// transaction; after an error some are due and the others keep their time.
func (s *Store) RetryNow(ctx context.Context, id webhook.WebhookID, now time.Time) error {
	_, err := s.inSteps(ctx, `UPDATE deliveries SET next_at = $2, base = CASE WHEN attempts > base THEN base + 1 ELSE base END WHERE id IN (
		SELECT id FROM deliveries WHERE webhook_id = $1 AND state = 'pending' AND held = 0 AND urgent = 0 AND next_at > $2
			AND attempts = completed ORDER BY next_at LIMIT $3)`, id, toMillis(now), stepRows)
	return err
}

// inSteps repeats a change, each time in a transaction of its own, until it has no
// more rows to change, and returns how many it changed. The statement changes at
// most stepRows rows, and none twice.
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

// Release undoes the claim of a delivery: the attempt was not made and does not
// count, and the delivery is due at now unless it was cancelled meanwhile. It does
// nothing if the delivery was replayed or claimed again in the meantime.
func (s *Store) Release(ctx context.Context, delivery webhook.DeliveryID, number int, now time.Time) error {
	return s.write(ctx, func(tx transaction) error {
		_, err := tx.Exec(ctx, `UPDATE deliveries SET attempts = attempts - 1, next_at = $3
			WHERE id = $1 AND attempts = $2 AND base < $2 AND completed < $2 AND state IN ('pending', 'cancelled')`, delivery, number, toMillis(now))
		return err
	})
}
