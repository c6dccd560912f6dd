package db

import (
	"context"
	"math"
	"time"

	"bookhook/db/group"
	"bookhook/webhook"
)

// Finish adds the attempt to the log and updates its delivery, unless that was
// changed, replayed or claimed again in the meantime. Calling it twice is harmless,
// and so is a delivery that is gone. It returns webhook.ErrNotHeld if another process may
// send the delivery by now; an inline call is whose process makes it.
//
// It runs alongside other writes, those for the same delivery aside. What they may do in
// between: which accounts this process holds does not change in a group; a delivery behind
// which nothing is held is updated by one statement, and so is one that is not, which is
// then left as it is until the write is alone; an attempt is a row of its own; a replay is
// counted by adding, and ends with whichever result comes last; a success changes nothing,
// or makes a webhook healthy, whoever else does. Whatever else is recorded of a webhook is
// recorded alone, in the order of the results.
func (s *Store) Finish(ctx context.Context, r webhook.Result, now time.Time) (f webhook.Finished, err error) {
	row := attemptValues(r)
	err = s.writeInTurn(ctx, group.Turn{Alongside: r.Delivery}, func(tx transaction) error {
		f = webhook.Finished{}
		if r.Attempt.Failure != "" && !r.Again {
			s.healthy[r.Webhook] = failing // before those of later results look
		}
		if !r.Inline {
			if err := tx.checkHeld(r.Account); err != nil {
				return err
			}
		}
		updated, err := updateDelivery(ctx, tx, r, now)
		if err != nil {
			return err
		}
		if !updated {
			tx.Alone()
			return s.finishLate(ctx, tx, r, row, now, &f)
		}
		f.Again = r.Again
		if _, err := tx.Exec(ctx, insertAttempt, row...); err != nil {
			return err
		}
		countAttempt(tx, r, r.State == webhook.Failed)
		return s.recordOutcome(ctx, tx, r, now, &f)
	})
	return f, err
}

// recordOutcome records what a result means besides its delivery.
func (s *Store) recordOutcome(ctx context.Context, tx transaction, r webhook.Result, now time.Time, f *webhook.Finished) (err error) {
	if r.Again {
		return nil
	}
	if err := countReplayed(ctx, tx, r, now); err != nil {
		return err
	}
	if r.Warnings != nil {
		if err := s.recordWarnings(ctx, tx, r.Webhook, *r.Warnings); err != nil {
			return err
		}
	}
	switch {
	case r.Attempt.Failure == "", r.Inline && r.Attempt.Outcome().RefusesBooking(): // it answers
		f.Recovered, err = s.recordSuccess(ctx, tx, r, now)
	case r.CountsAsFailing() || r.Gone:
		f.Off, err = s.recordFailure(ctx, tx, r, now)
	}
	return err
}

// recordWarnings stores what changed about a receiver, so that the next attempts know.
func (s *Store) recordWarnings(ctx context.Context, tx transaction, id webhook.WebhookID, w webhook.Warnings) error {
	tx.Alone()
	var account webhook.AccountID
	err := queryRow(ctx, tx, `UPDATE webhooks SET warnings = $2 WHERE id = $1 AND warnings <> $2 AND deleted_at = 0 RETURNING account_id`, id, toJSON(w)).
		scanOptional(&account)
	if err != nil || account == 0 {
		return err
	}
	return s.newRevision(ctx, tx, account)
}

// finishLate is Finish for the rare cases: others are held behind the delivery, or
// it was changed since the attempt started.
func (s *Store) finishLate(ctx context.Context, tx transaction, r webhook.Result, row []any, now time.Time, f *webhook.Finished) error {
	var state webhook.State
	var current, next bool
	var booking string
	err := queryRow(ctx, tx, `SELECT state, attempts = $2 AND base < $2, attempts = $2 + 1, booking_id FROM deliveries WHERE id = $1`, r.Delivery, r.Attempt.Number).
		Scan(&state, &current, &next, &booking)
	if err != nil { // ErrNotFound: it is gone
		return ignoreNotFound(err)
	}
	added, err := tx.Exec(ctx, insertAttempt, row...)
	if err != nil || added == 0 {
		f.Again = r.Again && next && state == webhook.Pending // by this result, whose commit was not heard of
		return err
	}
	switch {
	case !current:
		r.Replay = 0 // it has nothing to do with this attempt any more
	case state == webhook.Pending:
		f.Released, err = finishBlocking(ctx, tx, r, booking, now)
	default: // cancelled while the request was in flight, or ended by CleanUp
		r.State, err = finishEnded(ctx, tx, r, state, now)
	}
	if err != nil {
		return err
	}
	countAttempt(tx, r, current && r.State == webhook.Failed)
	return s.recordOutcome(ctx, tx, r, now, f)
}

// finishEnded records the response for a delivery that was cancelled meanwhile, or an
// inline call whose process was thought dead, and returns its state, which was state. A
// success makes it delivered: the receiver has it.
func finishEnded(ctx context.Context, tx transaction, r webhook.Result, state webhook.State, now time.Time) (webhook.State, error) {
	a := r.Attempt
	_, err := tx.Exec(ctx, `UPDATE deliveries SET completed = $2, last_status = $3, last_failure = $4, last_us = $5 WHERE id = $1`,
		r.Delivery, a.Number, a.Status, string(a.Failure), a.Duration.Microseconds())
	if err != nil || r.State != webhook.Delivered {
		return state, err
	}
	_, err = tx.Exec(ctx, `UPDATE deliveries SET state = 'delivered', finished_at = $2 WHERE id = $1 AND (state = 'cancelled' OR state = 'failed' AND $3 = 1)`,
		r.Delivery, toMillis(now), boolInt(r.Inline))
	return webhook.Delivered, err
}

// finishBlocking updates a delivery behind which others are held, releases the
// next of them and reports whether there is one.
func finishBlocking(ctx context.Context, tx transaction, r webhook.Result, booking string, now time.Time) (released bool, err error) {
	if _, err := tx.Exec(ctx, `UPDATE deliveries SET blocking = 0 WHERE id = $1`, r.Delivery); err != nil {
		return false, err
	}
	if _, err := updateDelivery(ctx, tx, r, now); err != nil {
		return false, err
	}
	return releaseNext(ctx, tx, r.Webhook, booking, now)
}

// plainState is the state of a delivery that is looked for by its id. It is written so that
// PostgreSQL cannot look in an index of what is pending instead: those are small, but until
// they are cleaned up they have what was pending.
const plainState = `state || ''`

// updateDelivery writes the result into the delivery, if it still waits for this
// attempt (not for that of a replay that came after it) and, should it be finished
// now, nothing is held behind it; it claims the next attempt if the result says so, and
// else nobody waits for the delivery any more. It reports whether it did.
func updateDelivery(ctx context.Context, tx transaction, r webhook.Result, now time.Time) (bool, error) {
	finished := int64(0)
	if r.State != webhook.Pending {
		finished = toMillis(now)
	}
	a := r.Attempt
	updated, err := tx.Exec(ctx, `UPDATE deliveries SET state = $3, completed = $2, next_at = $4, finished_at = $5,
			attempts = attempts + $9, base = base + $9, urgent = urgent * $9, scheduled_at = scheduled_at * $9, last_status = $6, last_failure = $7, last_us = $8
		WHERE id = $1 AND attempts = $2 AND base < $2 AND completed < $2 AND `+plainState+` = 'pending' AND (blocking = 0 OR CAST($5 AS BIGINT) = 0)`,
		r.Delivery, a.Number, string(r.State), toMillis(r.NextAt), finished, a.Status, string(a.Failure), a.Duration.Microseconds(), boolInt(r.Again))
	return updated > 0, err
}

// failing is instead of a round in Store.healthy: a failure is to be recorded, or was.
const failing = math.MaxUint64

// recordFailure records a failure of a webhook, and switches it off if webhook.Health says
// so; it returns why.
func (s *Store) recordFailure(ctx context.Context, tx transaction, r webhook.Result, now time.Time) (webhook.OffReason, error) {
	tx.Alone()
	s.healthy[r.Webhook] = failing
	var health webhook.Health
	err := queryRow(ctx, tx, `SELECT failing_since, failed_at, off_at FROM webhooks WHERE id = $1 AND deleted_at = 0`, r.Webhook).
		Scan(timeScanner{&health.FailingSince}, timeScanner{&health.FailedAt}, timeScanner{&health.OffAt})
	if err != nil { // ErrNotFound: it is gone
		return "", ignoreNotFound(err)
	}
	if r.CountsAsFailing() {
		if health.FailingSince.IsZero() {
			tx.invalidate()
		}
		health = health.AfterFailure(roundMillis(now))
		_, err := tx.Exec(ctx, `UPDATE webhooks SET failing_since = $2, failed_at = $3, on_at = 0 WHERE id = $1`,
			r.Webhook, toMillis(health.FailingSince), toMillis(health.FailedAt))
		if err != nil {
			return "", err
		}
		if err := recordCircuit(ctx, tx, r); err != nil {
			return "", err
		}
	}
	off := health.SwitchOff(roundMillis(now), r.Gone)
	if off == "" || r.Inline && !r.Gone { // see webhook.Webhook.SwitchOffAt
		return "", nil
	}
	return off, s.switchOffByHealth(ctx, tx, r.Webhook, off, now)
}

// recordCircuit stores the circuit of a webhook, unless the webhook was changed since.
func recordCircuit(ctx context.Context, tx transaction, r webhook.Result) error {
	if r.Circuit == nil {
		return nil
	}
	c := r.Circuit()
	_, err := tx.Exec(ctx, `UPDATE webhooks SET circuit_failures = $3, circuit_pauses = $4, circuit_opened_at = $5, circuit_probe_at = $6
		WHERE id = $1 AND circuit_resets = $2`, r.Webhook, c.Resets, c.Failures, c.Pauses, toMillis(c.OpenedAt), toMillis(c.ProbeAt))
	return err
}

const closeCircuit = `circuit_failures = 0, circuit_pauses = 0, circuit_opened_at = 0, circuit_probe_at = 0`

// touchWebhook touches a webhook that is changed, and resets its circuit.
func touchWebhook(ctx context.Context, tx transaction, w *webhook.Webhook) error {
	tx.touch(w.Account, w.ID, webhook.TouchWebhook)
	_, err := tx.Exec(ctx, `UPDATE webhooks SET `+closeCircuit+`, circuit_resets = circuit_resets + 1 WHERE id = $1`, w.ID)
	return err
}

func (s *Store) switchOffByHealth(ctx context.Context, tx transaction, id webhook.WebhookID, off webhook.OffReason, now time.Time) error {
	w, err := s.scanWebhook(queryRow(ctx, tx, `SELECT `+webhookColumns+` FROM webhooks WHERE id = $1`, id))
	if err != nil {
		return err
	}
	change := webhook.Change{By: webhook.ByBookhook, At: now}
	if err := touchWebhook(ctx, tx, w); err != nil {
		return err
	}
	if err := switchOff(ctx, tx, id, off, change); err != nil {
		return err
	}
	return s.changed(ctx, tx, webhookEntry(w, "webhook.off_"+string(off), change))
}

// recordSuccess records that a webhook is healthy, and reports whether it was failing until
// now. It writes nothing if that is known: most attempts succeed.
func (s *Store) recordSuccess(ctx context.Context, tx transaction, r webhook.Result, now time.Time) (recovered bool, err error) {
	known := s.healthy[r.Webhook]
	switch known {
	case tx.Round():
		return false, nil
	case failing:
		tx.Alone()
	}
	var before webhook.Health
	var changes bool
	err = queryRow(ctx, tx, `SELECT failing_since, failed_at, CASE WHEN failing_since <> 0 OR on_at <> 0 OR circuit_failures <> 0 THEN 1 ELSE 0 END
		FROM webhooks WHERE id = $1`, r.Webhook).Scan(timeScanner{&before.FailingSince}, timeScanner{&before.FailedAt}, &changes)
	if err != nil { // ErrNotFound: it is gone
		return false, ignoreNotFound(err)
	}
	if changes {
		if _, err := tx.Exec(ctx, `UPDATE webhooks SET failing_since = 0, failed_at = 0, on_at = 0, `+closeCircuit+` WHERE id = $1`, r.Webhook); err != nil {
			return false, err
		}
	}
	if r.Circuit != nil && r.Circuit().Failures > 0 { // it has failed again since
		tx.Alone()
		tx.invalidate()
		health := webhook.Health{}.AfterFailure(roundMillis(now))
		if _, err := tx.Exec(ctx, `UPDATE webhooks SET failing_since = $3, failed_at = $4 WHERE id = $1 AND circuit_resets = $2`,
			r.Webhook, r.Circuit().Resets, toMillis(health.FailingSince), toMillis(health.FailedAt)); err != nil {
			return false, err
		}
		return false, recordCircuit(ctx, tx, r)
	}
	if known == failing || s.healthy[r.Webhook] != failing { // else an attempt has failed in between, and those after it have to know
		s.healthy[r.Webhook] = tx.Round()
	}
	return before.Failing(), nil
}
