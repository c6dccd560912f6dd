package db

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"bookhook/webhook"
)

// Heal makes every claim that a dead process left due at once, ends its questions,
// and ends the deletion of webhooks that it had begun. On SQLite no other process
// can hold a claim; call it before the dispatcher starts.
func (s *Store) Heal(ctx context.Context, now time.Time) error {
	err := s.write(ctx, func(q querier) error {
		if err := healAsked(ctx, q, now); err != nil {
			return err
		}
		_, err := q.exec(ctx, `UPDATE deliveries SET next_at = $1 WHERE state = 'pending' AND attempts > answered AND next_at > $1 AND next_at < $2`,
			ms(now), int64(heldAt))
		return err
	})
	if err != nil {
		return err
	}
	scan := func(r scanner) (id webhook.ID, err error) { return id, r.Scan(&id) }
	deleted, err := list(ctx, s, scan, `SELECT w.id FROM webhooks w WHERE w.deleted_at > 0
		AND EXISTS (SELECT 1 FROM deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending')`)
	for _, id := range deleted {
		if _, err := s.cancelAll(ctx, id, now); err != nil {
			return err
		}
	}
	return err
}

// Due tells, for every switched-on asynchronous webhook with something pending,
// when the earliest of it is due; the end of a lease counts.
func (s *Store) Due(ctx context.Context) (map[webhook.ID]time.Time, error) {
	type due struct {
		id      webhook.ID
		ordered bool
		pendings
	}
	scan := func(r scanner) (d due, err error) { return d, r.Scan(&d.id, &d.ordered, &d.lowest, &d.highest) }
	rows, err := list(ctx, s, scan, `SELECT w.id, w.ordered, `+pendingsOf+` FROM webhooks w
		WHERE w.enabled = 1 AND w.deleted_at = 0 AND w.kind = 'async'`)
	dues := map[webhook.ID]time.Time{}
	for _, d := range rows {
		if next := d.due(d.ordered); !next.IsZero() {
			dues[d.id] = next
		}
	}
	return dues, err
}

// pendings are the lowest and the highest next_at of what is pending for a webhook;
// 0 when nothing is. What is held has the highest.
type pendings struct{ lowest, highest int64 }

// pendingsOf selects them; each half is one step into deliveries_due.
const pendingsOf = `COALESCE((SELECT MIN(d.next_at) FROM deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending'), 0),
	COALESCE((SELECT MAX(d.next_at) FROM deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending'), 0)`

// due is when the next one is; zero: never. What is held for a webhook that
// does not keep the order is due since ever.
func (p pendings) due(ordered bool) time.Time {
	switch {
	case p.highest == heldAt && !ordered:
		return at(firstAt)
	case p.lowest == heldAt:
		return time.Time{}
	}
	return at(p.lowest)
}

// Claim takes up to n due deliveries of a webhook, the longest due first, and
// returns them in the order they were made: it raises their attempts and moves
// them to lease. It also returns when the next pending one is due, the end of a
// lease included; zero when there is none. A webhook that is off or gone has
// none, nor has an inline one.
func (s *Store) Claim(ctx context.Context, id webhook.ID, n int, now, lease time.Time) (jobs []webhook.Job, next time.Time, err error) {
	err = s.write(ctx, func(q querier) error {
		jobs, next = nil, time.Time{}
		var account webhook.ID
		if err := q.row(ctx, `SELECT account_id FROM webhooks WHERE id = $1 AND enabled = 1 AND deleted_at = 0 AND kind = 'async'`, id).scanOptional(&account); err != nil || account == 0 {
			return err
		}
		c, err := s.config(ctx, q, account)
		if err != nil {
			return err
		}
		w := c.webhook(id)
		if !w.Ordered {
			if err := letGo(ctx, q, id, n, now); err != nil {
				return err
			}
		}
		if jobs, err = claim(ctx, q, c, w, n, now, lease); err != nil {
			return err
		}
		var left pendings
		err = q.row(ctx, `SELECT `+pendingsOf+` FROM webhooks w WHERE w.id = $1`, id).Scan(&left.lowest, &left.highest)
		next = left.due(w.Ordered)
		return err
	})
	if err != nil { // also of the commit: then nothing was claimed
		return nil, time.Time{}, err
	}
	return jobs, next, nil
}

func claim(ctx context.Context, q querier, c *config, w *webhook.Webhook, n int, now, lease time.Time) ([]webhook.Job, error) {
	claimed, err := list(ctx, q, scanDelivery, `UPDATE deliveries SET attempts = attempts + 1, next_at = $4 WHERE id IN (
			SELECT id FROM deliveries WHERE webhook_id = $1 AND state = 'pending' AND next_at <= $2 ORDER BY next_at, id LIMIT $3)
		RETURNING `+deliveryColumns, w.ID, ms(now), n, ms(lease))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(claimed, func(a, b webhook.Delivery) int { return cmp.Compare(a.ID, b.ID) })
	jobs := make([]webhook.Job, len(claimed))
	for i, d := range claimed {
		e, err := scanEvent(q.row(ctx, `SELECT `+eventColumns+` FROM events WHERE id = $1`, d.Event))
		if err != nil {
			return nil, err
		}
		jobs[i] = webhook.Job{Delivery: d, Event: e.Event, Webhook: w, Account: c.account}
	}
	return jobs, nil
}

// manyStep is how many deliveries are changed in one transaction where it could
// be all of a webhook: some 10 ms, in which all other writes wait.
const manyStep = 1000

// Hasten makes due at now what waits for its next try at a webhook: not what is
// in flight, nor what is held. The try is an extra one: should it fail, the
// schedule goes on where it was, or a receiver that comes and goes would use it
// up in minutes. It does so in steps, a transaction each; after an
// error some are due and the others wait for their own time.
func (s *Store) Hasten(ctx context.Context, id webhook.ID, now time.Time) error {
	_, err := s.inSteps(ctx, `UPDATE deliveries SET next_at = $2, base = CASE WHEN attempts > base THEN base + 1 ELSE base END WHERE id IN (
		SELECT id FROM deliveries WHERE webhook_id = $1 AND state = 'pending' AND next_at > $2 AND next_at < $3
			AND attempts = answered ORDER BY next_at LIMIT $4)`, id, ms(now), int64(heldAt), manyStep)
	return err
}

// inSteps makes a change that could be of all a webhook has, a transaction for
// each step, and returns how many rows it changed. The change takes at most
// manyStep rows, none twice.
func (s *Store) inSteps(ctx context.Context, change string, args ...any) (changed int64, err error) {
	for {
		var n int64
		err := s.write(ctx, func(q querier) (err error) {
			n, err = q.exec(ctx, change, args...)
			return err
		})
		if changed += n; err != nil || n < manyStep {
			return changed, err
		}
	}
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
// was moved or claimed again in the meantime. Doing it twice is harmless, and
// so is a delivery that is gone.
func (s *Store) Finish(ctx context.Context, r webhook.Result, now time.Time) (f webhook.Finished, err error) {
	row := attemptValues(r)
	err = s.write(ctx, func(q querier) error {
		f = webhook.Finished{}
		moved, err := moveDelivery(ctx, q, r, now)
		if err != nil {
			return err
		}
		if !moved {
			return s.finishLate(ctx, q, r, row, now, &f)
		}
		if _, err := q.exec(ctx, insertAttempt, row...); err != nil {
			return err
		}
		f.Off, err = s.noteHealth(ctx, q, r, now)
		return err
	})
	return f, err
}

// finishLate is Finish for what is rare: others are held behind the delivery,
// or it is not any more what it was when the attempt began.
func (s *Store) finishLate(ctx context.Context, q querier, r webhook.Result, row []any, now time.Time, f *webhook.Finished) error {
	var state webhook.State
	var attempts int
	var booking string
	err := q.row(ctx, `SELECT state, attempts, booking_id FROM deliveries WHERE id = $1`, r.Delivery).Scan(&state, &attempts, &booking)
	if err != nil { // ErrNotFound: it is gone
		return ignoreNotFound(err)
	}
	added, err := q.exec(ctx, insertAttempt, row...)
	if err != nil || added == 0 {
		return err
	}
	a := r.Attempt
	switch {
	case attempts == a.Number && state == webhook.Pending:
		if _, err = q.exec(ctx, `UPDATE deliveries SET followed = 0 WHERE id = $1`, r.Delivery); err == nil {
			_, err = moveDelivery(ctx, q, r, now)
		}
		if err == nil {
			f.Freed, err = advance(ctx, q, r.Webhook, booking, now)
		}
	case attempts == a.Number: // cancelled while the request was on its way: the answer is shown all the same
		_, err = q.exec(ctx, `UPDATE deliveries SET answered = $2, last_status = $3, last_failure = $4, last_us = $5 WHERE id = $1`,
			r.Delivery, a.Number, a.Status, string(a.Failure), a.Duration.Microseconds())
	}
	if err != nil {
		return err
	}
	f.Off, err = s.noteHealth(ctx, q, r, now)
	return err
}

// moveDelivery moves the delivery if it still waits for this attempt, and, when
// that ends it, nothing is held behind it.
func moveDelivery(ctx context.Context, q querier, r webhook.Result, now time.Time) (bool, error) {
	finished := int64(0)
	if r.State != webhook.Pending {
		finished = ms(now)
	}
	a := r.Attempt
	moved, err := q.exec(ctx, `UPDATE deliveries SET state = $3, answered = $2, next_at = $4, finished_at = $5,
			last_status = $6, last_failure = $7, last_us = $8
		WHERE id = $1 AND attempts = $2 AND answered < $2 AND state = 'pending' AND (followed = 0 OR $5 = 0)`,
		r.Delivery, a.Number, string(r.State), ms(r.NextAt), finished, a.Status, string(a.Failure), a.Duration.Microseconds())
	return moved > 0, err
}

// noteHealth keeps since when a webhook fails and switches it off when its
// receiver says 410, or after webhook.FailingLimit of nothing but failures, none
// further than webhook.FailingGap from the next.
func (s *Store) noteHealth(ctx context.Context, q querier, r webhook.Result, now time.Time) (webhook.OffReason, error) {
	if r.Attempt.Failure == "" {
		if s.healthy[r.Webhook] == s.writer.round {
			return "", nil
		}
		_, err := q.exec(ctx, `UPDATE webhooks SET failing_since = 0 WHERE id = $1 AND failing_since <> 0`, r.Webhook)
		s.healthy[r.Webhook] = s.writer.round
		return "", err
	}
	delete(s.healthy, r.Webhook)
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

const insertAttempt = `INSERT INTO attempts (delivery_id, number, started_at, duration_us, status, failure, error, method, url,
		remote_addr, request_headers, request_body, data_at, response_headers, response_body, truncated)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT (delivery_id, number) DO NOTHING`

func attemptValues(r webhook.Result) []any {
	a := r.Attempt
	body, dataAt := cutData(a.RequestBody, r.Data)
	return []any{
		r.Delivery, a.Number, ms(a.StartedAt), a.Duration.Microseconds(), a.Status, string(a.Failure), a.Error, a.Method, a.URL,
		a.RemoteAddr, headersJSON(a.RequestHeaders), body, dataAt, headersJSON(a.ResponseHeaders), a.ResponseBody, flag(a.Truncated),
	}
}

// cutData takes the event's data out of a request's body, where it stands byte
// for byte: it is stored with the event and would be most of what an attempt
// takes. It returns where that was, -1 when it is not in there.
func cutData(body, data []byte) (rest []byte, from int) {
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
	err = r.Scan(&a.Number, moment{&a.StartedAt}, &us, &a.Status, &a.Failure, &a.Error, &a.Method, &a.URL,
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
