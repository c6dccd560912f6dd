package reconcile

import (
	"context"
	"errors"
	"time"

	"bookhook/webhook"
)

const (
	heldBatch = 500              // references that are stored together
	cleanUp   = 10 * time.Second // how long what was compared in vain may take to delete
)

// Compare compares the references of a list with what was sent, and stores the result.
// Nothing is left of a comparison that fails. It returns webhook.Invalid with the field
// "file" for a list that cannot be read or whose column has no reference, and
// webhook.LimitReached if there are too many references or deliveries, or while the
// account compares another list.
func (r *Reconciler) Compare(ctx context.Context, u webhook.Upload, request webhook.ReconcileRequest, change webhook.Change) (webhook.Reconciliation, error) {
	end := r.turns.Take(u.Account)
	if end == nil {
		return webhook.Reconciliation{}, errTurn
	}
	defer end()
	planned, err := r.store.PlanReconciliation(ctx, webhook.Reconciliation{
		Account: u.Account, ReconcileRequest: request, Upload: u.ID, File: u.Name, Created: change,
	})
	if err != nil {
		return planned, err
	}
	c := comparison{Reconciler: r, Reconciliation: planned}
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return c.read(ctx, u) }, c.matchSent, c.explainHeld, c.findNewest,
	} {
		if err = step(ctx); err != nil {
			break
		}
	}
	if err == nil {
		planned, err = r.store.FinishReconciliation(ctx, c.Reconciliation)
	}
	if err == nil {
		return planned, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
	defer cancel()
	return webhook.Reconciliation{}, errors.Join(err, r.store.DropReconciliation(ctx, u.Account, planned.ID))
}

// comparison is a comparison that is being made.
type comparison struct {
	*Reconciler
	webhook.Reconciliation
	batch []webhook.HeldReference
	sent  int // deliveries that were read
}

// read stores the references of the list.
func (c *comparison) read(ctx context.Context, u webhook.Upload) error {
	t, err := c.open(ctx, u)
	if err != nil {
		return err
	}
	heading := c.Header
	err = t.each(ctx, func(cells []string) error {
		if heading {
			heading = false
			return nil
		}
		return c.hold(ctx, cells)
	})
	if err == nil {
		err = c.storeHeld(ctx)
	}
	if err == nil && c.Counts.References == 0 {
		err = problem("reconcile.no_references")
	}
	return err
}

// hold takes the reference of a row.
func (c *comparison) hold(ctx context.Context, cells []string) error {
	if c.Column >= len(cells) {
		return nil
	}
	text := Clean(cells[c.Column])
	switch {
	case text == "":
		return nil
	case !isReference(text):
		c.Counts.Unreadable++
		return nil
	}
	c.batch = append(c.batch, webhook.HeldReference{Key: Key(text), Reference: text})
	if len(c.batch) < heldBatch {
		return nil
	}
	return c.storeHeld(ctx)
}

func (c *comparison) storeHeld(ctx context.Context) error {
	added, err := c.store.AddHeld(ctx, c.Account, c.ID, c.batch)
	c.Counts.References += added
	c.Counts.Repeated += len(c.batch) - added
	c.batch = c.batch[:0]
	if err == nil && c.Counts.References > webhook.MaxHeld {
		err = webhook.LimitReached{What: webhook.LimitedHeld, Limit: webhook.MaxHeld}
	}
	return err
}

// matchSent compares what was sent in the period with what is held, the newest first.
func (c *comparison) matchSent(ctx context.Context) error {
	return c.eachSent(ctx, c.ReconcileRequest, func(sent []webhook.SentBooking) error {
		return c.store.MatchHeld(ctx, c.Account, c.ID, sent, Key)
	})
}

// findNewest finds the newest delivery of each lacking booking, if the period ended
// before now: it is what a replay sends.
func (c *comparison) findNewest(ctx context.Context) error {
	if c.Until.IsZero() {
		return nil
	}
	return c.eachSent(ctx, webhook.ReconcileRequest{Webhook: c.Webhook, Since: c.Until}, func(sent []webhook.SentBooking) error {
		return c.store.SetLacking(ctx, c.Account, c.ID, sent)
	})
}

// eachSent calls do for each page of what was sent in a period.
func (c *comparison) eachSent(ctx context.Context, r webhook.ReconcileRequest, do func([]webhook.SentBooking) error) error {
	var before webhook.DeliveryID
	for {
		page, err := c.store.SentBookings(ctx, c.Account, r, before)
		if err != nil {
			return err
		}
		if c.sent += len(page.Rows); c.sent > webhook.MaxReconciled {
			return webhook.LimitReached{What: webhook.LimitedReconciled, Limit: webhook.MaxReconciled}
		}
		if err := do(page.Rows); err != nil {
			return err
		}
		if before = page.Next; before == 0 {
			return nil
		}
	}
}

// explainHeld says of what is held and was not sent in the period what became of it.
func (c *comparison) explainHeld(ctx context.Context) error {
	after := ""
	for {
		page, err := c.store.UncomparedHeld(ctx, c.Account, c.ID, after)
		if err != nil || len(page) == 0 {
			return err
		}
		last := page[len(page)-1].Key
		known := map[string]*explained{}
		err = c.store.HeldMatches(ctx, c.Account, c.ID, after, last, func(m webhook.BookingMatch) {
			if known[m.Key] == nil {
				known[m.Key] = &explained{}
			}
			known[m.Key].add(m, c.Webhook)
		})
		if err != nil {
			return err
		}
		for i := range page {
			known[page[i].Key].set(&page[i])
		}
		if err := c.store.SetHeld(ctx, c.Account, c.ID, page); err != nil {
			return err
		}
		after = last
	}
}

// explained is what became of a booking, by its events; nil if it has none.
type explained struct {
	sent   bool
	newest webhook.EventID
	as     webhook.HeldReference
}

func (e *explained) add(m webhook.BookingMatch, w webhook.WebhookID) {
	e.sent = e.sent || webhook.DeliveryTo(m.Decisions, w) != 0
	if m.Event < e.newest {
		return
	}
	e.newest = m.Event
	e.as = webhook.HeldReference{Booking: m.Booking, Reason: reasonOf(m, w)}
}

// reasonOf says why an event was not sent to a webhook; "" while it waits for its
// platform.
func reasonOf(m webhook.BookingMatch, w webhook.WebhookID) webhook.Reason {
	for _, d := range m.Decisions {
		if d.Webhook == w {
			return d.Reason
		}
	}
	if m.Pending {
		return ""
	}
	return webhook.ReasonNotCreated
}

func (e *explained) set(h *webhook.HeldReference) {
	switch {
	case e == nil:
		h.Outcome = webhook.HeldUnknown
	case e.sent:
		h.Outcome = webhook.HeldSent
	default:
		h.Outcome, h.Booking, h.Reason = webhook.HeldSkipped, e.as.Booking, e.as.Reason
	}
}
