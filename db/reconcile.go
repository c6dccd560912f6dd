package db

import (
	"context"

	"bookhook/db/group"
	"bookhook/webhook"
)

// A comparison is written by one request, a page at a time, and is found once it has
// finished. See package reconcile.

const (
	sentRows       = 500 // deliveries that are compared at once
	uncomparedRows = 500
)

const reconciliationColumns = `id, account_id, webhook_id, since, until, upload_id, file, place, header, counts, created_by, created_at`

func scanReconciliation(r scanner) (c webhook.Reconciliation, err error) {
	err = r.Scan(&c.ID, &c.Account, &c.Webhook, timeScanner{&c.Since}, timeScanner{&c.Until}, &c.Upload, &c.File, &c.Column, &c.Header,
		jsonScanner{&c.Counts}, &c.Created.By, timeScanner{&c.Created.At})
	return c, err
}

// PlanReconciliation stores a comparison that has not begun. Its id is new; the oldest
// ones of the account make room for it.
func (s *Store) PlanReconciliation(ctx context.Context, r webhook.Reconciliation) (webhook.Reconciliation, error) {
	kept, err := list(ctx, s.engine, func(r scanner) (id webhook.ReconciliationID, err error) {
		err = r.Scan(&id)
		return id, err
	}, `SELECT id FROM reconciliations WHERE account_id = $1 ORDER BY id DESC`, r.Account)
	if err != nil {
		return r, err
	}
	for i := webhook.MaxReconciliations - 1; i < len(kept); i++ {
		if err := s.DropReconciliation(ctx, r.Account, kept[i]); ignoreNotFound(err) != nil {
			return r, err
		}
	}
	r.ID, r.Created.At = webhook.ReconciliationID(s.nextID()), roundMillis(r.Created.At)
	r.Since, r.Until = roundMillis(r.Since), roundMillis(r.Until)
	err = s.write(ctx, func(tx transaction) error {
		_, err := tx.Exec(ctx, `INSERT INTO reconciliations (id, account_id, webhook_id, since, until, upload_id, file, place, header, created_by, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, r.ID, r.Account, r.Webhook, toMillis(r.Since), toMillis(r.Until), r.Upload, r.File,
			r.Column, boolInt(r.Header), r.Created.By, toMillis(r.Created.At))
		return err
	})
	return r, err
}

// changeReconciliation runs do if the comparison is one of the account that has not
// finished; else it returns webhook.ErrNotFound.
func (s *Store) changeReconciliation(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID, do func(tx transaction) error) error {
	return s.writeInTurn(ctx, group.Turn{Later: true}, func(tx transaction) error {
		var open int
		err := queryRow(ctx, tx, `SELECT 1 FROM reconciliations WHERE account_id = $1 AND id = $2 AND state = 0`, account, id).Scan(&open)
		if err != nil {
			return err
		}
		return do(tx)
	})
}

// AddHeld stores references that the receiver holds, each key once, and returns how many
// were new. Call it with some hundred at a time, since other writes wait meanwhile. It
// returns webhook.ErrNotFound if the comparison has finished.
func (s *Store) AddHeld(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID, held []webhook.HeldReference) (added int, err error) {
	err = s.changeReconciliation(ctx, account, id, func(tx transaction) error {
		added = 0
		for _, h := range held {
			n, err := tx.Exec(ctx, `INSERT INTO reconciliation_held (account_id, reconciliation_id, key, reference) VALUES ($1, $2, $3, $4)
				ON CONFLICT (account_id, reconciliation_id, key) DO NOTHING`, account, id, h.Key, h.Reference)
			if err != nil {
				return err
			}
			added += int(n)
		}
		return nil
	})
	return added, err
}

// SentBookings lists what a webhook was sent in the period of a request, the newest
// first, a page at a time: deliveries with ids below before (0: from the newest). Tests,
// and events without a booking, are none.
func (s *Store) SentBookings(ctx context.Context, account webhook.AccountID, r webhook.ReconcileRequest, before webhook.DeliveryID) (p webhook.Page[webhook.SentBooking, webhook.DeliveryID], err error) {
	period := newSpan(r.Since, r.Until, int64(before), 0)
	p.Rows, err = list(ctx, s.engine, func(r scanner) (b webhook.SentBooking, err error) {
		err = r.Scan(&b.Delivery, &b.Booking)
		return b, err
	}, `SELECT id, booking_id FROM deliveries WHERE webhook_id = (SELECT w.id FROM webhooks w WHERE w.account_id = $1 AND w.id = $2)
		AND id >= $3 AND id < $4 AND test = 0 AND booking_id <> '' ORDER BY id DESC LIMIT $5`, account, r.Webhook, period.from, period.to, sentRows)
	if len(p.Rows) == sentRows {
		p.Next = p.Rows[sentRows-1].Delivery
	}
	return p, err
}

// MatchHeld compares a page of what was sent, the newest first, with what is held: key
// returns the key of a booking. It returns webhook.ErrNotFound if the comparison has
// finished.
func (s *Store) MatchHeld(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID, sent []webhook.SentBooking, key func(string) string) error {
	return s.changeReconciliation(ctx, account, id, func(tx transaction) error {
		for _, b := range sent {
			held, err := tx.Exec(ctx, `UPDATE reconciliation_held SET outcome = 1 WHERE account_id = $1 AND reconciliation_id = $2 AND key = $3`,
				account, id, key(b.Booking))
			if err != nil {
				return err
			}
			if held > 0 {
				continue
			}
			_, err = tx.Exec(ctx, `INSERT INTO reconciliation_lacking (account_id, reconciliation_id, booking_id, delivery_id) VALUES ($1, $2, $3, $4)
				ON CONFLICT (account_id, reconciliation_id, booking_id) DO NOTHING`, account, id, b.Booking, b.Delivery)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

const heldColumns = `key, reference, outcome, booking_id, reason`

func scanHeld(r scanner) (h webhook.HeldReference, err error) {
	err = r.Scan(&h.Key, &h.Reference, &h.Outcome, &h.Booking, &h.Reason)
	return h, err
}

// UncomparedHeld lists references that were not sent in the period, in the order of
// their keys, a page at a time: those after a given one. The last page has none.
func (s *Store) UncomparedHeld(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID, after string) ([]webhook.HeldReference, error) {
	return list(ctx, s.engine, scanHeld, `SELECT `+heldColumns+` FROM reconciliation_held
		WHERE account_id = $1 AND reconciliation_id = $2 AND key > $3 AND outcome = 0 ORDER BY key LIMIT $4`, account, id, after, uncomparedRows)
}

// SetHeld stores the outcomes of references. It returns webhook.ErrNotFound if the
// comparison has finished.
func (s *Store) SetHeld(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID, held []webhook.HeldReference) error {
	return s.changeReconciliation(ctx, account, id, func(tx transaction) error {
		for _, h := range held {
			_, err := tx.Exec(ctx, `UPDATE reconciliation_held SET outcome = $4, booking_id = $5, reason = $6
				WHERE account_id = $1 AND reconciliation_id = $2 AND key = $3`, account, id, h.Key, int(h.Outcome), h.Booking, string(h.Reason))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func scanText(r scanner) (text string, err error) {
	err = r.Scan(&text)
	return text, err
}

// SetLacking stores later deliveries of the bookings among them that the receiver lacks.
// It returns webhook.ErrNotFound if the comparison has finished.
func (s *Store) SetLacking(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID, later []webhook.SentBooking) error {
	return s.changeReconciliation(ctx, account, id, func(tx transaction) error {
		for _, b := range later {
			_, err := tx.Exec(ctx, `UPDATE reconciliation_lacking SET delivery_id = $4
				WHERE account_id = $1 AND reconciliation_id = $2 AND booking_id = $3 AND delivery_id < $4`, account, id, b.Booking, b.Delivery)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// KnownBookings returns which of some references, at most some thousand, are bookings of
// the account, spelled as they are.
func (s *Store) KnownBookings(ctx context.Context, account webhook.AccountID, references []string) ([]string, error) {
	condition, args := anyText("booking_id", 2, references)
	return list(ctx, s.engine, scanText, `SELECT DISTINCT booking_id FROM events WHERE account_id = $1 AND booking_id <> '' AND `+condition,
		append([]any{account}, args...)...)
}

// HeldMatches reads the events of the bookings that are held and were not sent in the
// period, of those whose keys are behind after and up to last, with what was decided, one
// by one. The log may have a reference as it is in the list, or in capitals or small
// letters, with spaces or without, or with a # before it. Tests are none.
func (s *Store) HeldMatches(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID, after, last string, do func(webhook.BookingMatch)) error {
	_, err := list(ctx, s.engine, func(r scanner) (none struct{}, err error) {
		var m webhook.BookingMatch
		if err = r.Scan(&m.Key, &m.Booking, &m.Event, decisionsScanner{&m.Decisions, &m.Pending}); err == nil {
			do(m)
		}
		return none, err
	}, `SELECT h.key, e.booking_id, e.id, e.decisions FROM reconciliation_held h JOIN events e
			ON e.account_id = h.account_id AND e.booking_id <> '' AND e.test = 0
			AND e.booking_id IN (h.reference, upper(h.reference), lower(h.reference), h.key, lower(h.key), '#' || h.reference, '#' || h.key)
		WHERE h.account_id = $1 AND h.reconciliation_id = $2 AND h.key > $3 AND h.key <= $4 AND h.outcome = 0`, account, id, after, last)
	return err
}

// FinishReconciliation counts what was found, and lets the comparison be seen. It
// returns webhook.ErrNotFound if it has finished.
func (s *Store) FinishReconciliation(ctx context.Context, r webhook.Reconciliation) (webhook.Reconciliation, error) {
	held, err := countBy[webhook.HeldOutcome](ctx, s.engine, `SELECT outcome, count(*) FROM reconciliation_held
		WHERE account_id = $1 AND reconciliation_id = $2 GROUP BY outcome`, r.Account, r.ID)
	if err != nil {
		return r, err
	}
	c := &r.Counts
	c.Both, c.Skipped, c.Unknown = held[webhook.HeldSent], held[webhook.HeldSkipped], held[webhook.HeldUnknown]
	c.States, err = countBy[webhook.State](ctx, s.engine, `SELECT d.state, count(*) FROM reconciliation_lacking l JOIN deliveries d ON d.id = l.delivery_id
		WHERE l.account_id = $1 AND l.reconciliation_id = $2 GROUP BY d.state`, r.Account, r.ID)
	if err != nil {
		return r, err
	}
	for _, n := range c.States {
		c.Lacking += n
	}
	return r, s.changeReconciliation(ctx, r.Account, r.ID, func(tx transaction) error {
		_, err := tx.Exec(ctx, `UPDATE reconciliations SET counts = $3, state = $4 WHERE account_id = $1 AND id = $2`, r.Account, r.ID, toJSON(r.Counts), reconciliationFinished)
		return err
	})
}

// countBy runs a query for keys and how many rows each has.
func countBy[K comparable](ctx context.Context, q querier, query string, args ...any) (map[K]int, error) {
	counts := map[K]int{}
	_, err := list(ctx, q, func(r scanner) (struct{}, error) {
		var key K
		var n int
		err := r.Scan(&key, &n)
		counts[key] = n
		return struct{}{}, err
	}, query, args...)
	return counts, err
}
