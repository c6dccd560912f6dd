package db_test

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"bookhook/webhook"
)

// startReplay plans and starts a bulk replay of some deliveries and of events that were
// skipped. A webhook may be deleted meanwhile, or the process killed.
func (m *machine) startReplay() {
	request := webhook.ReplayRequest{All: m.coin("overtaken ones, too")}
	if m.coin("at a rate") {
		request.Rate = webhook.Rate{Requests: 20, Per: webhook.Minute}
	}
	full := webhook.MaxReplays <= m.running()
	got, err := m.PlanReplay(m.Context(), m.account.ID, request, at(m.now))
	if full {
		m.wantError("one replay more", err, webhook.ErrLimit)
		return
	}
	m.succeed(err)
	p := &modelReplay{Replay: got, next: m.now}
	for _, item := range m.drawItems() {
		p.items = append(p.items, &modelItem{ReplayItem: item})
		m.succeed(m.AddReplayItems(m.Context(), m.account.ID, p.ID, []webhook.ReplayItem{item, item}))
	}
	killed := rapid.IntRange(0, 5).Draw(m.T, "killed") == 0
	if killed {
		m.restart()
	}
	m.deleteWebhook()
	_, err = m.StartReplay(m.Context(), m.account.ID, p.ID, at(m.now))
	if killed {
		m.wantError("one that was planned by a dead process", err, webhook.ErrNotFound)
		return
	}
	m.succeed(err)
	p.State, p.Total = webhook.ReplayRunning, len(p.items)
	m.model.startReplay(p, m.now)
}

// drawItems draws what a replay may have: of each event and webhook one delivery, or the
// id for one.
func (m *machine) drawItems() (items []webhook.ReplayItem) {
	for _, h := range m.kind(webhook.Async) {
		for _, e := range m.events {
			if e.Lookup || e.Test || !m.coin("item") {
				continue
			}
			item := webhook.ReplayItem{Delivery: webhook.DeliveryTo(e.Decisions, h.ID), Event: e.ID, Webhook: h.ID}
			if item.Delivery == 0 {
				item.Delivery = m.NextID()
			}
			items = append(items, item)
		}
	}
	return items
}

func (m *machine) cancelReplay() {
	p, found := one(m, "bulk replay", m.replays)
	if !found {
		return
	}
	_, err := m.CancelReplay(m.Context(), m.account.ID, p.ID, at(m.now))
	if p.State != webhook.ReplayRunning {
		m.wantError("one that has ended", err, webhook.ErrConflict)
		return
	}
	m.succeed(err)
	p.State, p.Finished = webhook.ReplayCancelled, m.now
}

// send sends an event to a webhook, whatever was decided.
func (m *machine) send() {
	h, found := one(m, "webhook", m.hooks)
	e, any := one(m, "event", m.events)
	if !found || !any {
		return
	}
	got, err := m.Send(m.Context(), m.account.ID, e.ID, h.ID, at(m.now))
	d := m.delivery(webhook.DeliveryTo(e.Decisions, h.ID))
	switch {
	case h.deleted:
		m.wantError("a deleted webhook", err, webhook.ErrNotFound)
	case h.Kind == webhook.Inline, e.Test, e.Lookup:
		m.wantInvalid("a question, a test, or one without a match", err)
	case !h.Enabled:
		m.wantError("one that is off", err, webhook.ErrOff)
	case d != nil && d.Attempts > d.Completed && d.NextAt.After(m.now):
		m.wantError("one in flight", err, webhook.ErrConflict)
	case d != nil:
		m.succeed(err)
		m.replay(d, m.now)
	default:
		m.succeed(err)
		m.sendSkipped(got.ID, h, e, m.now)
	}
}

func (m *machine) retryOldest() {
	h, found := one(m, "webhook", m.hooks)
	if !found {
		return
	}
	_, err := m.RetryOldest(m.Context(), m.account.ID, h.ID, at(m.now))
	waiting := where(m.pendingOf(h.ID), func(d *modelDelivery) bool { return !d.Held && !d.Urgent && d.Attempts == d.Completed })
	switch {
	case h.deleted:
		m.wantError("a deleted webhook", err, webhook.ErrNotFound)
	case !h.Enabled:
		m.wantError("one that is off", err, webhook.ErrOff)
	case len(waiting) == 0:
		m.wantError("none waits", err, webhook.ErrConflict)
	default:
		m.succeed(err)
		d := slices.MinFunc(waiting, func(a, b *modelDelivery) int { return a.NextAt.Compare(b.NextAt) })
		d.extra()
		d.NextAt, d.Urgent = m.now, true
	}
}

// compareReplays compares what became of the bulk replays, and lists their deliveries.
func (m *machine) compareReplays() {
	got, err := m.BulkReplays(m.Context(), m.account.ID, 0, 500)
	m.succeed(err)
	want := []webhook.Replay{}
	for _, p := range slices.Backward(m.replays) {
		want = append(want, p.Replay)
	}
	m.equal("bulk replays", append([]webhook.Replay{}, got...), want)
	if p, found := one(m, "listed replay", m.replays); found {
		m.compareList(webhook.DeliveryFilter{Replay: p.ID})
		m.compareList(webhook.DeliveryFilter{Replay: p.ID, State: webhook.Pending})
	}
}

// has reports whether a replay has an item of a delivery; zero has all.
func (m *model) has(replay webhook.ReplayID, d webhook.DeliveryID) bool {
	return replay == 0 || slices.ContainsFunc(m.replays, func(p *modelReplay) bool {
		return p.ID == replay && slices.ContainsFunc(p.items, func(i *modelItem) bool { return i.Delivery == d })
	})
}

// isSending reports whether replays still have items for webhooks that are on.
func (m *model) isSending() bool {
	return slices.ContainsFunc(m.hooks, func(h *modelHook) bool { return !m.nextBulk(h).IsZero() })
}

// replayGap is longer than the pause between two requests of a replay.
const replayGap = time.Minute
