package db_test

import (
	"cmp"
	"slices"
	"time"

	"bookhook/webhook"
)

// model is what a Store does for one account, as plainly as it can be said: lists
// instead of tables, and no index, cache, flag or step that is only there for speed.
// TestModel in machine_test.go does the same to both.
type model struct {
	account    webhook.Account
	hooks      []*modelHook     // in the order they were created, deleted ones too
	events     []*modelEvent    // in the order they were accepted
	deliveries []*modelDelivery // in the order of their ids
	replays    []*modelReplay   // in the order they were started
}

type modelHook struct {
	webhook.Webhook
	deleted bool
}

// modelEvent is an event; as long as its Lookup is set, it waits for its match.
type modelEvent struct {
	webhook.EventRow
	sent webhook.Event // as it was received
	ask  bool          // the platform is asked; else it only waits for an earlier event
}

type modelDelivery struct {
	webhook.Delivery
	log map[int]webhook.Attempt
}

// find returns the first of a list that is as wanted, or the zero value.
func find[T any](all []T, wanted func(T) bool) (found T) {
	if i := slices.IndexFunc(all, wanted); i >= 0 {
		found = all[i]
	}
	return found
}

func where[T any](all []T, wanted func(T) bool) (found []T) {
	for _, one := range all {
		if wanted(one) {
			found = append(found, one)
		}
	}
	return found
}

func (m *model) hook(id webhook.WebhookID) *modelHook {
	return find(m.hooks, func(h *modelHook) bool { return h.ID == id })
}

func (m *model) delivery(id webhook.DeliveryID) *modelDelivery {
	return find(m.deliveries, func(d *modelDelivery) bool { return d.ID == id })
}

// kind returns the webhooks of a kind that are not deleted.
func (m *model) kind(kind webhook.Kind) []*modelHook {
	return where(m.hooks, func(h *modelHook) bool { return !h.deleted && h.Kind == kind })
}

// pendingOf returns the pending deliveries of a webhook.
func (m *model) pendingOf(id webhook.WebhookID) []*modelDelivery {
	return where(m.deliveries, func(d *modelDelivery) bool { return d.Webhook == id && d.State == webhook.Pending })
}

// queue returns the pending deliveries of a booking for a webhook.
func (m *model) queue(id webhook.WebhookID, booking string) []*modelDelivery {
	if booking == "" {
		return nil
	}
	return where(m.pendingOf(id), func(d *modelDelivery) bool { return d.BookingID == booking && !d.Test })
}

// Webhooks.

func (m *model) canCreate(w *webhook.Webhook) bool {
	if w.Kind == webhook.Inline {
		return !slices.ContainsFunc(m.kind(webhook.Inline), func(h *modelHook) bool { return h.ID != w.ID && shareChannel(h.Channels, w.Channels) })
	}
	return len(m.kind(webhook.Async)) < m.account.WebhookLimit
}

func shareChannel(a, b webhook.Filter) bool {
	return a.Mode == webhook.All || b.Mode == webhook.All || slices.ContainsFunc(a.IDs, func(id string) bool { return slices.Contains(b.IDs, id) })
}

// update changes a webhook. Two changes in one millisecond differ.
func (m *model) update(h *modelHook, c webhook.Config, enabled *bool, now time.Time) {
	h.Config = c
	if h.UpdatedAt = h.UpdatedAt.Add(time.Millisecond); now.After(h.UpdatedAt) {
		h.UpdatedAt = now
	}
	h.resetCircuit()
	if enabled != nil {
		m.setEnabled(h, *enabled, now)
	}
}

// setEnabled switches a webhook; on, it begins anew, and what waits is due.
func (m *model) setEnabled(h *modelHook, enabled bool, now time.Time) {
	if enabled != h.Enabled {
		h.resetCircuit()
	}
	switch {
	case enabled == h.Enabled:
	case enabled:
		missed := h.Missed
		if h.Skipped > 0 {
			missed = webhook.Missed{Since: h.OffAt, Until: now, Events: h.Skipped}
		}
		h.Enabled, h.Health = true, webhook.Health{OnAt: now, Missed: missed}
		m.retryNow(h.ID, now)
	default:
		h.switchOff(webhook.OffByUser, at(now))
	}
}

// resetCircuit is what every change of a webhook does.
func (h *modelHook) resetCircuit() { h.Circuit = webhook.Circuit{Resets: h.Circuit.Resets + 1} }

func (h *modelHook) switchOff(why webhook.OffReason, change webhook.Change) {
	h.Enabled, h.OffAt, h.OffReason, h.OffBy, h.Skipped = false, change.At, why, change.By, 0
}

func (m *model) remove(h *modelHook, now time.Time) (cancelled int64) {
	h.deleted, h.Enabled = true, false
	m.leaveOut(h.ID, now)
	for _, d := range m.pendingOf(h.ID) {
		d.State, d.Finished = webhook.Cancelled, now
		cancelled++
	}
	return cancelled
}

// Events.

// known finds the event with the external id of another, and says whether its
// content is the same.
func (m *model) known(e *webhook.Event) (first *modelEvent, equal bool) {
	if e.ExternalID == "" {
		return nil, false
	}
	first = find(m.events, func(k *modelEvent) bool { return k.ExternalID == e.ExternalID })
	return first, first != nil && first.sent.Digest() == e.Digest()
}

// waits reports whether an event is not to be matched yet.
func (m *model) waits(e *webhook.Event) bool {
	return e.Inbound && e.BookingID != "" && (e.Lookup || slices.ContainsFunc(m.events, func(k *modelEvent) bool {
		return k.Lookup && k.Platform == e.Platform && k.BookingID == e.BookingID
	}))
}

// decide says for every webhook of a kind whether it receives an event.
func (m *model) decide(kind webhook.Kind, e *webhook.Event) []webhook.Decision {
	decisions := []webhook.Decision{}
	for _, h := range m.kind(kind) {
		decisions = append(decisions, webhook.Decision{Webhook: h.ID, Reason: webhook.Match(&h.Webhook, e)})
	}
	return decisions
}

// deliver creates what was decided, and counts what is skipped because a webhook is
// off. The deliveries have the ids that the store gave.
func (m *model) deliver(e *modelEvent, claim []bool, now, lease time.Time) (claimed []webhook.DeliveryID) {
	for i, decision := range e.Decisions {
		h := m.hook(decision.Webhook)
		switch decision.Reason {
		case webhook.ReasonDisabled:
			h.Skipped++
		case webhook.Matched:
			d := m.add(decision.Delivery, h, e, now)
			switch {
			case h.Kind == webhook.Inline:
				d.Inline, d.Attempts, d.NextAt = true, 1, lease
			case h.Ordered && len(m.queue(h.ID, e.BookingID)) > 1:
				d.Held, d.NextAt = true, time.Time{}
			case claim[i]:
				d.Attempts, d.NextAt = 1, lease
				claimed = append(claimed, d.ID)
			}
		}
	}
	return claimed
}

func (m *model) add(id webhook.DeliveryID, h *modelHook, e *modelEvent, now time.Time) *modelDelivery {
	d := &modelDelivery{log: map[int]webhook.Attempt{}, Delivery: webhook.Delivery{
		ID: id, Account: e.Account, Event: e.ID, Webhook: h.ID, Platform: e.Platform, Type: e.Type, BookingID: e.BookingID, Test: e.Test,
		State: webhook.Pending, NextAt: now, CreatedAt: now,
	}}
	i, _ := slices.BinarySearchFunc(m.deliveries, id, func(d *modelDelivery, id webhook.DeliveryID) int { return cmp.Compare(d.ID, id) })
	m.deliveries = slices.Insert(m.deliveries, i, d)
	return d
}

// Deliveries.

// claim claims what is due, urgent ones first.
func (m *model) claim(h *modelHook, n int, newest bool, now, lease time.Time) (claimed []webhook.DeliveryID) {
	if h.deleted || h.Kind == webhook.Inline {
		return nil
	}
	if !h.Ordered && h.Enabled {
		held := where(m.pendingOf(h.ID), func(d *modelDelivery) bool { return d.Held })
		for _, d := range held[:min(n, len(held))] {
			d.Held, d.NextAt = false, now
		}
	}
	due := where(m.pendingOf(h.ID), func(d *modelDelivery) bool {
		return !d.Held && !d.NextAt.After(now) && (h.Enabled || d.Urgent && d.Test)
	})
	slices.SortFunc(due, func(a, b *modelDelivery) int {
		if a.Urgent != b.Urgent {
			return map[bool]int{true: -1, false: 1}[a.Urgent]
		}
		order := cmp.Or(a.NextAt.Compare(b.NextAt), cmp.Compare(a.ID, b.ID))
		if newest && h.Enabled { // of tests, the first one that was asked for goes first
			return -order
		}
		return order
	})
	for _, d := range due[:min(n, len(due))] {
		d.Attempts, d.NextAt = d.Attempts+1, lease
		claimed = append(claimed, d.ID)
	}
	slices.Sort(claimed)
	return claimed
}

// due is when a webhook has something to do next; zero if never.
func (m *model) due(h *modelHook) (next time.Time) {
	if h.deleted || h.Kind == webhook.Inline {
		return next
	}
	for _, d := range m.pendingOf(h.ID) {
		if !h.Enabled && (!d.Urgent || !d.Test) {
			continue
		}
		at := d.NextAt
		if d.Held {
			if h.Ordered {
				continue
			}
			at = time.Unix(0, 0).UTC() // the order is no longer kept
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next
}

// finish records an attempt, once. Only the result of the current attempt moves the
// delivery, and none of before a replay does. A result that is handed in twice has
// still claimed the next attempt.
func (m *model) finish(r webhook.Result, now time.Time) (f webhook.Finished) {
	d, n := m.delivery(r.Delivery), r.Attempt.Number
	if d == nil {
		return f // pruned
	}
	if _, twice := d.log[n]; twice {
		f.Again = r.Again && d.Attempts == n+1 && d.State == webhook.Pending
		return f
	}
	d.log[n] = r.Attempt
	if d.Attempts == n && d.Base < n {
		f = m.move(d, r, now)
	} else {
		r.Replay = 0
	}
	if !r.Again {
		m.countReplayed(r, d.State, now)
		h := m.hook(r.Webhook)
		f.Recovered = r.Attempt.Failure == "" && h.Failing()
		f.Off = h.attempted(r, now)
	}
	return f
}

func (m *model) move(d *modelDelivery, r webhook.Result, now time.Time) (f webhook.Finished) {
	d.Completed = r.Attempt.Number
	d.Last = webhook.Outcome{Status: r.Attempt.Status, Failure: r.Attempt.Failure, Duration: r.Attempt.Duration}
	switch {
	case d.State == webhook.Cancelled && r.State == webhook.Delivered:
		d.State, d.Finished = webhook.Delivered, now // the receiver has it
	case d.State != webhook.Pending:
	case r.State != webhook.Pending:
		d.State, d.Finished, d.NextAt = r.State, now, time.Time{}
		f.Released = m.releaseNext(d, now)
	case r.Again:
		d.Attempts, d.Base, d.NextAt, f.Again = d.Attempts+1, d.Base+1, r.NextAt, true
	default:
		d.NextAt, d.Urgent, d.Scheduled = r.NextAt, false, time.Time{}
	}
	return f
}

// releaseNext makes the first of a queue due that was held, unless an earlier one,
// or one of an earlier event, is active.
func (m *model) releaseNext(d *modelDelivery, now time.Time) bool {
	queue := m.queue(d.Webhook, d.BookingID)
	next := find(queue, func(q *modelDelivery) bool { return q.Held })
	if next == nil || slices.ContainsFunc(queue, func(q *modelDelivery) bool { return !q.Held && (q.ID < next.ID || q.Event < next.Event) }) {
		return false
	}
	next.Held, next.NextAt = false, now
	return true
}

// attempted counts an attempt for or against a webhook, and says why it is switched
// off by that.
func (h *modelHook) attempted(r webhook.Result, now time.Time) (off webhook.OffReason) {
	switch {
	case r.Attempt.Failure == "":
		h.FailingSince, h.FailedAt, h.OnAt = time.Time{}, time.Time{}, time.Time{}
		h.Circuit = webhook.Circuit{Resets: h.Circuit.Resets}
		return ""
	case r.Test && !r.Gone || h.deleted:
		return ""
	case !r.Test:
		h.Health = h.AfterFailure(now)
		if c := r.Circuit(); c.Resets == h.Circuit.Resets {
			h.Circuit = c
		}
	}
	if off = h.SwitchOff(now, r.Gone); off != "" {
		h.resetCircuit()
		h.switchOff(off, webhook.Change{By: webhook.ByBookhook, At: now})
	}
	return off
}

// release undoes a claim: the attempt was not made.
func (m *model) release(id webhook.DeliveryID, number int, lease, now time.Time) {
	d := m.delivery(id)
	if d == nil || d.Attempts != number || d.Completed >= number || d.Base >= number || !d.NextAt.Equal(lease) && d.NextAt.After(now) {
		return
	}
	if d.State == webhook.Pending || d.State == webhook.Cancelled {
		d.Attempts, d.NextAt = d.Attempts-1, now
	}
}

// extra makes the next attempt an extra one, unless it is the first or repeats one that was
// cut off: the one after it is made when this one was due.
func (d *modelDelivery) extra() {
	if d.Attempts > d.Base && d.Attempts == d.Completed && d.Scheduled.IsZero() {
		d.Base, d.Scheduled = d.Base+1, d.NextAt
	}
}

// retryNow makes what waits for its next attempt due; that attempt is an extra one.
func (m *model) retryNow(id webhook.WebhookID, now time.Time) {
	for _, d := range m.pendingOf(id) {
		if !d.Held && !d.Urgent && d.Attempts == d.Completed && d.NextAt.After(now) {
			d.extra()
			d.NextAt = now
		}
	}
}

// recover makes what was in flight due, except for questions: nobody waits for the answer.
func (m *model) recover(now time.Time) {
	for _, d := range m.deliveries {
		switch {
		case d.State != webhook.Pending:
		case d.Inline:
			d.State, d.Finished, d.NextAt, d.Last.Failure = webhook.Failed, now, time.Time{}, webhook.CutOff
		case !d.Held && d.Attempts > d.Completed && d.NextAt.After(now):
			d.NextAt = now
		}
	}
}

// isHeld reports whether a delivery that is sent again waits: for one of an earlier event
// of its booking, but never behind one of a later event.
func (m *model) isHeld(d *modelDelivery) bool {
	queue := m.queue(d.Webhook, d.BookingID)
	return m.hook(d.Webhook).Ordered && !d.Test && slices.ContainsFunc(queue, func(q *modelDelivery) bool { return !q.Held && q.Event < d.Event }) &&
		!slices.ContainsFunc(queue, func(q *modelDelivery) bool { return q.Held && q.ID < d.ID && q.Event > d.Event })
}

// replay delivers again. It waits only for earlier events of its booking.
func (m *model) replay(d *modelDelivery, now time.Time) {
	m.endItem(d.Replay, d.ID, now)
	d.Replay = 0
	if d.State != webhook.Pending {
		d.Held = m.isHeld(d)
		d.State, d.Base, d.Finished, d.Scheduled = webhook.Pending, d.Attempts, time.Time{}, time.Time{}
	} else {
		d.extra()
		d.Held = false
	}
	if d.Urgent, d.NextAt = !d.Held, now; d.Held {
		d.NextAt = time.Time{}
	}
}

func (m *model) cancel(d *modelDelivery, now time.Time) {
	d.State, d.Finished = webhook.Cancelled, now
	m.endItem(d.Replay, d.ID, now)
	m.releaseNext(d, now)
}

// prune removes what finished before a time, and events of before that have no
// delivery left.
func (m *model) prune(before time.Time) {
	old := func(e *modelEvent) bool { return e.ID < webhook.FirstID[webhook.EventID](before) && !e.Lookup }
	for _, e := range where(m.events, old) {
		m.deliveries = slices.DeleteFunc(m.deliveries, func(d *modelDelivery) bool {
			return d.Event == e.ID && d.State != webhook.Pending && d.Finished.Before(before)
		})
	}
	m.events = slices.DeleteFunc(m.events, func(e *modelEvent) bool {
		return old(e) && !slices.ContainsFunc(m.deliveries, func(d *modelDelivery) bool { return d.Event == e.ID })
	})
	m.pruneReplays(before)
}
