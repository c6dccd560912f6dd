// Package reconcile compares what a webhook was sent with what its receiver holds: a
// list of references, pasted or as any CSV file or spreadsheet.
//
// A list is read from the blocks in which the store keeps it, as text in UTF-8, UTF-16
// or Windows-1252, separated by commas, semicolons, tabs or bars, or as the first
// visible sheet of an .xlsx file. [Reconciler.Inspect] guesses which column has the
// references; [Reconciler.Compare] compares them and stores the result.
//
// References are compared by their [Key], so that spelling does not count. A booking
// that was sent is a booking with a delivery to the webhook in the period, whatever
// became of that delivery; tests do not count. What the receiver holds was sent if
// there is a delivery of any time; else it was skipped, with the reason of the newest
// event; else it never came in, or is older than what is kept.
//
// Nothing is in memory but two blocks, a page of rows, and of a spreadsheet the texts
// that its cells share, at most 24 MiB. Everything else is in tables, also while it is
// compared, so that any replica can show it; what is left of a comparison that did not
// end is never shown, and deleted by the retention.
package reconcile

import (
	"context"

	"bookhook/webhook"
)

// Store is what comparing needs of the database; *db.Store is one.
type Store interface {
	UploadBlock(ctx context.Context, account webhook.AccountID, id webhook.UploadID, number int) ([]byte, error)
	KnownBookings(ctx context.Context, account webhook.AccountID, references []string) ([]string, error)

	PlanReconciliation(ctx context.Context, r webhook.Reconciliation) (webhook.Reconciliation, error)
	AddHeld(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID, held []webhook.HeldReference) (added int, err error)
	SentBookings(ctx context.Context, account webhook.AccountID, r webhook.ReconcileRequest, before webhook.DeliveryID) (webhook.Page[webhook.SentBooking, webhook.DeliveryID], error)
	MatchHeld(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID, sent []webhook.SentBooking, key func(string) string) error
	UncomparedHeld(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID, after string) ([]webhook.HeldReference, error)
	HeldMatches(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID, after, last string, do func(webhook.BookingMatch)) error
	SetHeld(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID, held []webhook.HeldReference) error
	SetLacking(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID, later []webhook.SentBooking) error
	FinishReconciliation(ctx context.Context, r webhook.Reconciliation) (webhook.Reconciliation, error)
	DropReconciliation(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID) error
}

// Reconciler compares lists with what was sent.
type Reconciler struct {
	store Store
	turns *webhook.Turns
}

// New returns a reconciler.
func New(store Store) *Reconciler {
	return &Reconciler{store: store, turns: webhook.NewTurns(maxTurns, 1)}
}

// maxTurns is how many comparisons this process makes at once; an account has one.
// It bounds memory and the load of the database only.
const maxTurns = 4
