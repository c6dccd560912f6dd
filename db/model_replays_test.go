package db_test

import (
	"cmp"
	"slices"
	"time"

	"bookhook/webhook"
)

// modelReplay is a bulk replay that was started.
type modelReplay struct {
	webhook.Replay
	items []*modelItem
	next  time.Time // when its rate allows the next one
}

// modelItem is one delivery of a bulk replay: it is sent, and its first attempt ends.
type modelItem struct {
	webhook.ReplayItem
	sent, ended bool
}

// replayLag is how much of a pause a replay makes up for.
const replayLag = 100 * time.Millisecond

// queued returns the items that a running replay still has for a webhook.
func (p *modelReplay) queued(h webhook.WebhookID) []*modelItem {
	items := where(p.items, func(i *modelItem) bool {
		return p.State == webhook.ReplayRunning && i.Webhook == h && !i.sent && !i.ended
	})
	slices.SortFunc(items, func(a, b *modelItem) int { return cmp.Compare(a.Delivery, b.Delivery) })
	return items
}

// end ends a running replay of which nothing is left to do.
func (p *modelReplay) end(now time.Time) {
	if p.State == webhook.ReplayRunning && !slices.ContainsFunc(p.items, func(i *modelItem) bool { return !i.ended }) {
		p.State, p.Finished = webhook.ReplayDone, now
	}
}

func (m *model) running() int {
	return len(where(m.replays, func(p *modelReplay) bool { return p.State == webhook.ReplayRunning }))
}

// startReplay starts a replay; what is for a webhook that was deleted meanwhile is left out.
func (m *model) startReplay(p *modelReplay, now time.Time) {
	m.replays = append(m.replays, p)
	for _, h := range m.hooks {
		if h.deleted {
			m.leaveOut(h.ID, now)
		}
	}
	p.end(now)
}

// leaveOut leaves a deleted webhook out of the replays that are running.
func (m *model) leaveOut(h webhook.WebhookID, now time.Time) {
	for _, p := range m.replays {
		if p.State != webhook.ReplayRunning {
			continue
		}
		p.LeftOut += len(p.queued(h))
		for _, i := range p.items {
			i.ended = i.ended || i.Webhook == h
		}
		p.end(now)
	}
}

// endItem ends the item of a delivery: its first attempt has ended, or there will be none.
func (m *model) endItem(replay webhook.ReplayID, delivery webhook.DeliveryID, now time.Time) {
	for _, p := range m.replays {
		if p.ID == replay {
			for _, i := range where(p.items, func(i *modelItem) bool { return i.Delivery == delivery }) {
				i.ended = true
			}
			p.end(now)
		}
	}
}

// countReplayed counts what became of a delivery for the replay that sent it.
func (m *model) countReplayed(r webhook.Result, state webhook.State, now time.Time) {
	if p := find(m.replays, func(p *modelReplay) bool { return p.ID == r.Replay }); p != nil {
		switch state {
		case webhook.Delivered:
			p.Delivered++
		case webhook.Failed:
			p.Failed++
		}
	}
	m.endItem(r.Replay, r.Delivery, now)
}

// nextBulk is when the next item of a bulk replay may be sent to a webhook; zero if never.
func (m *model) nextBulk(h *modelHook) (next time.Time) {
	for _, p := range m.replays {
		if h.Enabled && len(p.queued(h.ID)) > 0 && (next.IsZero() || p.next.Before(next)) {
			next = p.next
		}
	}
	return next
}

// claimBulk claims items of the running replays, the oldest replay first, if nothing else
// is due.
func (m *model) claimBulk(h *modelHook, n int, now, lease time.Time) (claimed []webhook.DeliveryID) {
	if due := m.due(h); n == 0 || !h.Enabled || !due.IsZero() && !due.After(now) {
		return nil
	}
	for _, p := range m.replays {
		items := p.queued(h.ID)
		if p.next.After(now) || len(items) == 0 {
			continue
		}
		if earliest := now.Add(-replayLag); p.next.Before(earliest) {
			p.next = earliest
		}
		for _, i := range items {
			if len(claimed) == n || p.next.After(now) {
				break
			}
			if m.sendItem(p, i, h, now, lease) {
				claimed = append(claimed, i.Delivery)
			}
		}
		p.end(now)
	}
	return claimed
}

// sendItem sends the delivery of an item, unless it is to be left out, is on its way, or
// waits for an earlier one of its booking. It reports whether it claimed it.
func (m *model) sendItem(p *modelReplay, i *modelItem, h *modelHook, now, lease time.Time) bool {
	d := m.itemDelivery(p, i, h, now)
	if d == nil || d.State != webhook.Pending && d.Attempts > d.Completed && d.NextAt.After(now) {
		p.LeftOut++
		i.ended = true
		return false
	}
	p.Sent++
	p.next = p.next.Add(p.Request.Rate.Gap())
	if d.InFlight(now) {
		i.ended = true
		return false
	}
	i.sent = true
	m.endItem(d.Replay, d.ID, now)
	if !d.Held || d.State != webhook.Pending {
		m.replay(d, now)
	}
	d.Urgent, d.Replay = false, p.ID
	if d.Held {
		return false
	}
	d.Attempts, d.NextAt = d.Attempts+1, lease
	return true
}

// itemDelivery finds or creates the delivery of an item; nil if that is to be left out.
func (m *model) itemDelivery(p *modelReplay, i *modelItem, h *modelHook, now time.Time) *modelDelivery {
	e := find(m.events, func(e *modelEvent) bool { return e.ID == i.Event })
	if e == nil || e.Lookup {
		return nil
	}
	if sent := webhook.DeliveryTo(e.Decisions, h.ID); sent != 0 { // meanwhile
		i.Delivery = sent
	}
	d := m.delivery(i.Delivery)
	if !p.Request.All && m.overtaken(e, h, d == nil || d.State != webhook.Pending) {
		return nil
	}
	if d == nil {
		d = m.sendSkipped(i.Delivery, h, e, now)
	}
	return d
}

// overtaken reports whether a webhook got a later event of the booking, or with waiting
// is about to get one.
func (m *model) overtaken(e *modelEvent, h *modelHook, waiting bool) bool {
	return e.BookingID != "" && slices.ContainsFunc(m.events, func(later *modelEvent) bool {
		d := m.delivery(webhook.DeliveryTo(later.Decisions, h.ID))
		return later.BookingID == e.BookingID && later.ID > e.ID && !later.Test && d != nil &&
			(d.State == webhook.Delivered || waiting && d.State == webhook.Pending)
	})
}

// sendSkipped creates the delivery of an event that was not sent to a webhook.
func (m *model) sendSkipped(id webhook.DeliveryID, h *modelHook, e *modelEvent, now time.Time) *modelDelivery {
	i := slices.IndexFunc(e.Decisions, func(d webhook.Decision) bool { return d.Webhook == h.ID })
	if i < 0 {
		i = len(e.Decisions)
		e.Decisions = append(e.Decisions, webhook.Decision{Webhook: h.ID, Reason: webhook.ReasonNotCreated})
	}
	m.sentAfterAll(h, e)
	e.Decisions[i].Delivery = id
	d := m.add(id, h, e, now)
	d.Held = m.isHeld(d)
	if d.Urgent = !d.Held; d.Held {
		d.NextAt = time.Time{}
	}
	return d
}

// sentAfterAll takes from what a webhook missed while it was off last an event that it gets
// now, and what that overtakes of its booking.
func (m *model) sentAfterAll(h *modelHook, e *modelEvent) {
	missed := func(k *modelEvent, sent bool) bool {
		return k.BookingID == e.BookingID && !k.ReceivedAt.Before(h.Missed.Since) && !k.ReceivedAt.After(h.Missed.Until) &&
			slices.ContainsFunc(k.Decisions, func(d webhook.Decision) bool {
				return d.Webhook == h.ID && d.Reason == webhook.ReasonDisabled && (d.Delivery != 0) == sent
			})
	}
	for _, k := range m.events {
		overtaken := k.ID < e.ID && e.BookingID != ""
		if (k == e || overtaken) && missed(k, false) && (e.BookingID == "" || !slices.ContainsFunc(m.events, func(later *modelEvent) bool { return later.ID > k.ID && missed(later, true) })) {
			h.Missed.Events = max(h.Missed.Events-1, 0)
		}
	}
}

// pruneReplays removes replays that ended before a time.
func (m *model) pruneReplays(before time.Time) {
	m.replays = slices.DeleteFunc(m.replays, func(p *modelReplay) bool {
		return p.State != webhook.ReplayRunning && p.Finished.Before(before) && p.ID < webhook.FirstID[webhook.ReplayID](before)
	})
}
