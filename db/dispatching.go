package db

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"bookhook/webhook"
)

// Heal makes every claim that a dead process left due at once. On SQLite no
// other process can hold one; call it before the dispatcher starts.
func (s *Store) Heal(ctx context.Context, now time.Time) error {
	return s.write(ctx, func(q querier) error {
		_, err := q.exec(ctx, `UPDATE deliveries SET next_at = $1 WHERE state = 'pending' AND attempts > answered AND next_at > $1`, ms(now))
		return err
	})
}

// Due tells, for every switched-on webhook with something pending, when the
// earliest of it is due; the end of a lease counts.
func (s *Store) Due(ctx context.Context) (map[webhook.ID]time.Time, error) {
	type due struct {
		id webhook.ID
		at int64
	}
	scan := func(r scanner) (d due, err error) { return d, r.Scan(&d.id, &d.at) }
	rows, err := list(ctx, s, scan, `SELECT w.id,
			COALESCE((SELECT MIN(d.next_at) FROM deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending'), 0)
		FROM webhooks w WHERE w.enabled = 1 AND w.deleted_at = 0`)
	dues := map[webhook.ID]time.Time{}
	for _, d := range rows {
		if d.at != 0 {
			dues[d.id] = at(d.at)
		}
	}
	return dues, err
}

// Claim takes up to n due deliveries of a webhook, the longest due first, and
// returns them in the order they were made: it raises their attempts and moves
// them to lease. It also returns when the next pending one is due, the end of a
// lease included; zero when there is none. A webhook that is off or gone has
// none.
func (s *Store) Claim(ctx context.Context, id webhook.ID, n int, now, lease time.Time) (jobs []webhook.Job, next time.Time, err error) {
	err = s.write(ctx, func(q querier) error {
		jobs, next = nil, time.Time{}
		var account webhook.ID
		if err := q.row(ctx, `SELECT account_id FROM webhooks WHERE id = $1 AND enabled = 1 AND deleted_at = 0`, id).scanOptional(&account); err != nil || account == 0 {
			return err
		}
		c, err := s.config(ctx, q, account)
		if err != nil {
			return err
		}
		claimed, err := list(ctx, q, scanDelivery, `UPDATE deliveries SET attempts = attempts + 1, next_at = $4 WHERE id IN (
				SELECT id FROM deliveries WHERE webhook_id = $1 AND state = 'pending' AND next_at <= $2 ORDER BY next_at, id LIMIT $3)
			RETURNING `+deliveryColumns, id, ms(now), n, ms(lease))
		if err != nil {
			return err
		}
		slices.SortFunc(claimed, func(a, b webhook.Delivery) int { return int(a.ID - b.ID) })
		for _, d := range claimed {
			e, err := scanEvent(q.row(ctx, `SELECT `+eventColumns+` FROM events WHERE id = $1`, d.Event))
			if err != nil {
				return err
			}
			jobs = append(jobs, webhook.Job{Delivery: d, Event: e.Event, Webhook: c.webhook(id), Account: c.account})
		}
		return q.row(ctx, `SELECT next_at FROM deliveries WHERE webhook_id = $1 AND state = 'pending' ORDER BY next_at LIMIT 1`, id).scanOptional(moment{&next})
	})
	return jobs, next, err
}

// Release gives a claimed delivery back uncharged: the attempt that was not
// made is not counted, and it is due at now unless it was cancelled meanwhile.
func (s *Store) Release(ctx context.Context, delivery webhook.ID, number int, now time.Time) error {
	return s.write(ctx, func(q querier) error {
		_, err := q.exec(ctx, `UPDATE deliveries SET attempts = attempts - 1, next_at = $3
			WHERE id = $1 AND attempts = $2 AND answered < $2 AND state IN ('pending', 'cancelled')`, delivery, number, ms(now))
		return err
	})
}

// Finish writes the attempt into the log and moves its delivery, unless that
// was moved or claimed again in the meantime. It returns why the webhook was
// switched off by this result, "" when it was not. Doing it twice is harmless,
// and so is a delivery that is gone.
func (s *Store) Finish(ctx context.Context, r webhook.Result, now time.Time) (off webhook.OffReason, err error) {
	err = s.write(ctx, func(q querier) error {
		added, err := insertAttempt(ctx, q, r.Delivery, r.Attempt)
		if err != nil || !added {
			return err
		}
		if err := moveDelivery(ctx, q, r, now); err != nil {
			return err
		}
		off, err = s.noteHealth(ctx, q, r, now)
		return err
	})
	return off, err
}

func moveDelivery(ctx context.Context, q querier, r webhook.Result, now time.Time) error {
	finished := int64(0)
	if r.State != webhook.Pending {
		finished = ms(now)
	}
	a := r.Attempt
	moved, err := q.exec(ctx, `UPDATE deliveries SET state = $3, answered = $2, next_at = $4, finished_at = $5,
			last_status = $6, last_failure = $7, last_us = $8
		WHERE id = $1 AND attempts = $2 AND state = 'pending'`,
		r.Delivery, a.Number, string(r.State), ms(r.NextAt), finished, a.Status, string(a.Failure), a.Duration.Microseconds())
	if err != nil || moved > 0 {
		return err
	}
	// Cancelled while the request was on its way: the answer is shown all the same.
	_, err = q.exec(ctx, `UPDATE deliveries SET answered = $2, last_status = $3, last_failure = $4, last_us = $5 WHERE id = $1 AND attempts = $2`,
		r.Delivery, a.Number, a.Status, string(a.Failure), a.Duration.Microseconds())
	return err
}

// noteHealth keeps since when a webhook fails and switches it off when its
// receiver says 410, or after webhook.FailingLimit of nothing but failures, none
// further than webhook.FailingGap from the next.
func (s *Store) noteHealth(ctx context.Context, q querier, r webhook.Result, now time.Time) (webhook.OffReason, error) {
	if r.Attempt.Failure == "" {
		_, err := q.exec(ctx, `UPDATE webhooks SET failing_since = 0 WHERE id = $1 AND failing_since <> 0`, r.Webhook)
		return "", err
	}
	if r.Test && !r.Gone {
		return "", nil
	}
	if !r.Test {
		_, err := q.exec(ctx, `UPDATE webhooks SET failed_at = $2,
			failing_since = CASE WHEN failing_since = 0 OR failed_at < $3 THEN $2 ELSE failing_since END WHERE id = $1`,
			r.Webhook, ms(now), ms(now.Add(-webhook.FailingGap)))
		if err != nil {
			return "", err
		}
	}
	reason := webhook.OffFailing
	if r.Gone {
		reason = webhook.OffGone
	}
	var account webhook.ID
	var name string
	err := q.row(ctx, `UPDATE webhooks SET enabled = 0, off_at = $2, off_reason = $3, skipped = 0
		WHERE id = $1 AND enabled = 1 AND deleted_at = 0 AND ($4 = 1 OR failing_since > 0 AND failing_since <= $5)
		RETURNING account_id, name`,
		r.Webhook, ms(now), string(reason), flag(r.Gone), ms(now.Add(-webhook.FailingLimit))).scanOptional(&account, &name)
	if err != nil || account == 0 {
		return "", err
	}
	return reason, s.changed(ctx, q, account, "Bookhook", "webhook.off", name+" ("+string(reason)+")", now)
}

// insertAttempt reports whether the attempt was new to the log.
func insertAttempt(ctx context.Context, q querier, delivery webhook.ID, a webhook.Attempt) (bool, error) {
	n, err := q.exec(ctx, `INSERT INTO attempts (delivery_id, number, started_at, duration_us, status, failure, error, method, url,
			remote_addr, request_headers, request_body, response_headers, response_body, truncated)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15 WHERE EXISTS (SELECT 1 FROM deliveries WHERE id = $1)
		ON CONFLICT (delivery_id, number) DO NOTHING`,
		delivery, a.Number, ms(a.StartedAt), a.Duration.Microseconds(), a.Status, string(a.Failure), a.Error, a.Method, a.URL,
		a.RemoteAddr, toJSON(a.RequestHeaders), a.RequestBody, toJSON(a.ResponseHeaders), a.ResponseBody, flag(a.Truncated))
	return n > 0, err
}

func scanAttempt(r scanner) (a webhook.Attempt, err error) {
	var us int64
	var requestHeaders, responseHeaders []byte
	err = r.Scan(&a.Number, moment{&a.StartedAt}, &us, &a.Status, &a.Failure, &a.Error, &a.Method, &a.URL,
		&a.RemoteAddr, &requestHeaders, &a.RequestBody, &responseHeaders, &a.ResponseBody, &a.Truncated)
	if err != nil {
		return a, err
	}
	a.Duration = time.Duration(us) * time.Microsecond
	if err := json.Unmarshal(requestHeaders, &a.RequestHeaders); err != nil {
		return a, err
	}
	return a, json.Unmarshal(responseHeaders, &a.ResponseHeaders)
}
