package db

import (
	"context"
	"time"

	"bookhook/webhook"
)

// Reconciliation finds a comparison of an account that has finished.
func (s *Store) Reconciliation(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID) (webhook.Reconciliation, error) {
	return scanReconciliation(queryRow(ctx, s.engine, `SELECT `+reconciliationColumns+` FROM reconciliations
		WHERE account_id = $1 AND id = $2 AND state = 1`, account, id))
}

// Reconciliations lists the comparisons of an account, the newest first.
func (s *Store) Reconciliations(ctx context.Context, account webhook.AccountID) ([]webhook.Reconciliation, error) {
	return list(ctx, s.engine, scanReconciliation, `SELECT `+reconciliationColumns+` FROM reconciliations
		WHERE account_id = $1 AND state = 1 ORDER BY id DESC LIMIT $2`, account, webhook.MaxReconciliations)
}

// LackingBookings lists the bookings that the receiver lacks, in the order of their
// references, those after a given one, with their deliveries as they are now.
func (s *Store) LackingBookings(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID, after string, limit int) ([]webhook.LackingBooking, error) {
	names, err := list(ctx, s.engine, func(r scanner) (b webhook.SentBooking, err error) {
		err = r.Scan(&b.Booking, &b.Delivery)
		return b, err
	}, `SELECT booking_id, delivery_id FROM reconciliation_lacking WHERE account_id = $1 AND reconciliation_id = $2 AND booking_id > $3
		ORDER BY booking_id LIMIT $4`, account, id, after, limit)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	ids := make([]webhook.DeliveryID, len(names))
	for i, b := range names {
		ids[i] = b.Delivery
	}
	deliveries, err := s.DeliveriesOf(ctx, account, ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[webhook.DeliveryID]webhook.Delivery, len(deliveries))
	for _, d := range deliveries {
		byID[d.ID] = d
	}
	lacking := make([]webhook.LackingBooking, len(names))
	for i, b := range names {
		lacking[i] = webhook.LackingBooking{Booking: b.Booking, Delivery: byID[b.Delivery]}
	}
	return lacking, nil
}

// UnsentHeld lists what the receiver holds and was never sent, in the order of their
// keys, those after a given one.
func (s *Store) UnsentHeld(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID, after string, limit int) ([]webhook.HeldReference, error) {
	return list(ctx, s.engine, scanHeld, `SELECT `+heldColumns+` FROM reconciliation_held
		WHERE account_id = $1 AND reconciliation_id = $2 AND key > $3 AND outcome >= 2 ORDER BY key LIMIT $4`, account, id, after, limit)
}

// States of a comparison.
const (
	reconciliationFinished = 1
	reconciliationDeleted  = 2 // its rows are being deleted, and no more are added
)

// DropReconciliation deletes a comparison, finished or not, some rows at a time. It
// returns webhook.ErrNotFound if there is none.
func (s *Store) DropReconciliation(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID) error {
	err := s.write(ctx, func(tx transaction) error {
		n, err := tx.Exec(ctx, `UPDATE reconciliations SET state = $3 WHERE account_id = $1 AND id = $2`, account, id, reconciliationDeleted)
		if err == nil && n == 0 {
			err = webhook.ErrNotFound
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, rows := range []string{
		`DELETE FROM reconciliation_held WHERE (account_id, reconciliation_id, key) IN (SELECT h.account_id, h.reconciliation_id, h.key
			FROM reconciliation_held h WHERE h.account_id = $1 AND h.reconciliation_id = $2 LIMIT $3)`,
		`DELETE FROM reconciliation_lacking WHERE (account_id, reconciliation_id, booking_id) IN (SELECT l.account_id, l.reconciliation_id, l.booking_id
			FROM reconciliation_lacking l WHERE l.account_id = $1 AND l.reconciliation_id = $2 LIMIT $3)`,
	} {
		if _, err := s.inSteps(ctx, rows, account, id, stepRows); err != nil {
			return err
		}
	}
	return s.write(ctx, func(tx transaction) error {
		_, err := tx.Exec(ctx, `DELETE FROM reconciliations WHERE account_id = $1 AND id = $2`, account, id)
		return err
	})
}

// pruneReconciliations deletes uploads and comparisons that are no longer kept. Rows go
// in batches, and what they belong to with the last of them.
func pruneReconciliations(now time.Time, batch int) []statement {
	uploads := webhook.FirstID[webhook.UploadID](now.Add(-webhook.KeepUpload))
	old := webhook.FirstID[webhook.ReconciliationID](now.Add(-webhook.KeepReconciliation))
	return []statement{
		{`DELETE FROM upload_blocks WHERE (account_id, upload_id, number) IN (SELECT b.account_id, b.upload_id, b.number
			FROM uploads u JOIN upload_blocks b ON b.account_id = u.account_id AND b.upload_id = u.id WHERE u.id < $1 LIMIT $2)`, []any{uploads, batch}},
		{`DELETE FROM uploads WHERE id < $1 AND NOT EXISTS (SELECT 1 FROM upload_blocks b WHERE b.account_id = uploads.account_id AND b.upload_id = uploads.id)`, []any{uploads}},
		{`UPDATE reconciliations SET state = $2 WHERE id < $1 AND state <> $2`, []any{old, reconciliationDeleted}},
		{`DELETE FROM reconciliation_held WHERE (account_id, reconciliation_id, key) IN (SELECT h.account_id, h.reconciliation_id, h.key
			FROM reconciliations r JOIN reconciliation_held h ON h.account_id = r.account_id AND h.reconciliation_id = r.id WHERE r.id < $1 LIMIT $2)`, []any{old, 10 * batch}},
		{`DELETE FROM reconciliation_lacking WHERE (account_id, reconciliation_id, booking_id) IN (SELECT l.account_id, l.reconciliation_id, l.booking_id
			FROM reconciliations r JOIN reconciliation_lacking l ON l.account_id = r.account_id AND l.reconciliation_id = r.id WHERE r.id < $1 LIMIT $2)`, []any{old, 10 * batch}},
		{`DELETE FROM reconciliations WHERE id < $1
			AND NOT EXISTS (SELECT 1 FROM reconciliation_held h WHERE h.account_id = reconciliations.account_id AND h.reconciliation_id = reconciliations.id)
			AND NOT EXISTS (SELECT 1 FROM reconciliation_lacking l WHERE l.account_id = reconciliations.account_id AND l.reconciliation_id = reconciliations.id)`, []any{old}},
	}
}
