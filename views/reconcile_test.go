package views

import (
	"fmt"
	"testing"
	"time"

	"github.com/a-h/templ"

	"bookhook/webhook"
)

func (k kind) reconciliation(lacking, unsent int) webhook.Reconciliation {
	return webhook.Reconciliation{
		ID: 9e16, Account: 3, File: k.text("held.csv"), Created: webhook.Change{By: k.text("marta@seatours.example"), At: now.Add(-time.Hour)},
		ReconcileRequest: webhook.ReconcileRequest{Webhook: 7, Since: now.AddDate(0, 0, -30)},
		Counts: webhook.ReconcileCounts{
			References: 1204, Repeated: 3 * k.n, Unreadable: k.n, Both: 1200, Lacking: lacking, Skipped: unsent, Unknown: 1,
			States: map[webhook.State]int{webhook.Delivered: lacking - 1, webhook.Failed: 1},
		},
	}
}

func (k kind) addReconciliations(add func(string, templ.Component)) {
	hooks := []Option{{"whk_0000000000001", k.text("Accounting")}, {"whk_0000000000002", k.text("Mailchimp")}}
	form := UploadForm{Webhook: hooks[0].Value, Period: Period{Since: "2026-10-22"}, Text: k.text("TC-1")}
	p := NewReconciliationProps{Page: k.page(webhook.RoleStaff), Form: form, Webhooks: hooks[:min(k.n, 2)]}
	for range k.n {
		p.Kept = append(p.Kept, KeptReconciliation{k.reconciliation(4, 2), k.text("Accounting")})
	}
	add("reconcile", NewReconciliation(p))
	p.Problems = webhook.Invalid{"file": webhook.NewMessage("reconcile.xls"), "webhook_id": webhook.NewMessage("reconcile.webhook")}
	add("reconcile-wrong", NewReconciliation(p))

	c := ColumnsProps{
		Page: k.page(webhook.RoleStaff), Upload: webhook.Upload{ID: 9e16, Name: k.text("held.csv")}, Webhooks: hooks,
		Form: ColumnsForm{UploadForm: form, Column: 1, Header: true}, Columns: webhook.UploadColumns{All: []webhook.UploadColumn{{}}},
	}
	for i := range k.n {
		c.Columns.All = append(c.Columns.All, webhook.UploadColumn{First: k.text(fmt.Sprint("Column ", i)), Values: []string{k.text("TC-1"), k.text("TC-2")}, Known: i})
	}
	add("reconcile-columns", Columns(c))
	c.Problems = webhook.Invalid{"column": webhook.NewMessage("reconcile.no_references")}
	add("reconcile-columns-wrong", Columns(c))

	r := ReconciliationProps{Page: k.page(webhook.RoleStaff), Reconciliation: k.reconciliation(k.n, 0), WebhookName: k.text("Accounting"), Live: true, Off: true, First: true, After: k.text("TC-9")}
	for i := range k.n {
		row := k.row(i)
		r.Lacking = append(r.Lacking, LackingRow{webhook.LackingBooking{Booking: k.text(fmt.Sprint("TC-", i)), Delivery: row.Delivery}, row.EventName})
	}
	if k.n > 0 {
		r.Lacking[0].Delivery = webhook.Delivery{}
	}
	add("reconciliation", Reconciliation(r))
	r.Lacking, r.List, r.Live, r.First = nil, UnsentList, false, false
	for i := range k.n {
		h := webhook.HeldReference{Reference: k.text(fmt.Sprint("TC-", i)), Outcome: webhook.HeldUnknown}
		if i > 0 {
			h.Outcome, h.Booking, h.Reason = webhook.HeldSkipped, h.Reference, webhook.ReasonTourExcluded
		}
		r.Unsent = append(r.Unsent, h)
	}
	add("reconciliation-unsent", Reconciliation(r))
}

func TestStatesText(t *testing.T) {
	c := webhook.ReconcileCounts{States: map[webhook.State]int{webhook.Delivered: 10, webhook.Failed: 1, webhook.Pending: 1, webhook.Cancelled: 2}}
	if got, want := statesText(c), "10 were delivered, 1 failed, 1 is waiting, 2 were cancelled."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUnsentText(t *testing.T) {
	for _, c := range []struct {
		held webhook.HeldReference
		want string
	}{
		{webhook.HeldReference{Outcome: webhook.HeldUnknown}, "It never came in, or is older than what is kept."},
		{webhook.HeldReference{Outcome: webhook.HeldSkipped}, "It waits for its booking platform."},
		{webhook.HeldReference{Outcome: webhook.HeldSkipped, Reason: webhook.ReasonNotCreated}, "Skipped: the webhook did not exist yet."},
		{webhook.HeldReference{Outcome: webhook.HeldSkipped, Reason: webhook.ReasonDisabled}, "Skipped: The webhook was off when the event was received."},
	} {
		if got := UnsentText(c.held); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
