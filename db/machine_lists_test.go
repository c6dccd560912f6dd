package db_test

import (
	"maps"
	"slices"
	"time"

	"bookhook/webhook"
)

// compare compares the deliveries after every step, and all else every few steps.
func (m *machine) compare() {
	page, err := m.Deliveries(m.Context(), m.account.ID, webhook.DeliveryFilter{Limit: 500})
	m.succeed(err)
	rows := []webhook.Delivery{}
	for _, d := range page.Rows {
		rows = append(rows, d.Delivery)
	}
	m.equal("deliveries", rows, m.rows(webhook.DeliveryFilter{}))
	m.compareReplays()
	if m.steps++; m.steps%8 == 0 {
		m.compareAll()
	}
}

func (m *machine) compareAll() {
	m.compareWebhooks()
	m.compareEvents()
	m.compareDue()
	for _, d := range m.deliveries {
		m.compareDelivery(d)
	}
	state, _ := one(m, "listed state", append(webhook.States, ""))
	m.compareList(webhook.DeliveryFilter{State: state})
	m.compareList(webhook.DeliveryFilter{State: state, Booking: "1"})
	if h, found := one(m, "listed webhook", m.hooks); found {
		m.compareList(webhook.DeliveryFilter{State: state, Webhook: h.ID, Type: "cancelled"})
	}
	if e, found := one(m, "listed event", m.events); found {
		m.compareList(webhook.DeliveryFilter{State: state, Event: e.ID})
		m.compareList(webhook.DeliveryFilter{State: state, Since: e.ReceivedAt})
		m.compareList(webhook.DeliveryFilter{State: state, Until: e.ReceivedAt, Booking: "2"})
	}
}

// rows are what a list has under a filter, the newest first.
func (m *machine) rows(f webhook.DeliveryFilter) []webhook.Delivery {
	rows := []webhook.Delivery{}
	for _, d := range slices.Backward(m.deliveries) {
		if (f.State == "" || d.State == f.State) && (f.Webhook == 0 || d.Webhook == f.Webhook) && (f.Event == 0 || d.Event == f.Event) &&
			(f.Booking == "" || d.BookingID == f.Booking) && (f.Type == "" || d.Type == f.Type) && m.has(f.Replay, d.ID) &&
			(f.Since.IsZero() || d.ID >= webhook.FirstID[webhook.DeliveryID](f.Since)) &&
			(f.Until.IsZero() || d.ID < webhook.FirstID[webhook.DeliveryID](f.Until)) {
			row := d.Delivery
			if row.State != webhook.Pending { // what these were before says nothing
				row.Held, row.Urgent, row.Scheduled = false, false, time.Time{}
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// compareList compares the pages of a list, and its count.
func (m *machine) compareList(f webhook.DeliveryFilter) {
	want := m.rows(f)
	count, err := m.CountDeliveries(m.Context(), m.account.ID, f)
	m.succeed(err)
	m.equal("count", count, webhook.Count{N: len(want)})
	got := []webhook.Delivery{}
	for f.Limit = 5; ; {
		page, err := m.Deliveries(m.Context(), m.account.ID, f)
		m.succeed(err)
		for _, d := range page.Rows {
			got = append(got, d.Delivery)
		}
		if f.Before = page.Next; f.Before == 0 {
			break
		}
	}
	m.equal("list", got, want)
}

func (m *machine) compareWebhooks() {
	got, err := m.Webhooks(m.Context(), m.account.ID)
	m.succeed(err)
	want := []*webhook.Webhook{}
	for _, h := range m.hooks {
		if !h.deleted {
			want = append(want, &h.Webhook)
		}
		var backlog webhook.Backlog
		if waiting := m.pendingOf(h.ID); len(waiting) > 0 {
			backlog = webhook.Backlog{Waiting: len(waiting), Oldest: waiting[0].CreatedAt}
		}
		got, err := m.Backlog(m.Context(), m.account.ID, h.ID)
		m.succeed(err)
		m.equal("backlog", got, backlog)
	}
	m.equal("webhooks", append([]*webhook.Webhook{}, got...), want)
}

func (m *machine) compareEvents() {
	want, waiting := []webhook.EventRow{}, []webhook.PendingLookup{}
	for _, e := range m.events {
		if e.Lookup {
			waiting = append(waiting, webhook.PendingLookup{Event: e.ID, Account: e.Account, Platform: e.Platform, Booking: e.BookingID, Lookup: e.ask})
		}
		got, err := m.Event(m.Context(), m.account.ID, e.ID)
		m.succeed(err)
		m.equal("event", got, e.EventRow)
		row := e.EventRow
		row.Data, row.Wire = nil, nil
		want = append([]webhook.EventRow{row}, want...)
	}
	page, err := m.Events(m.Context(), m.account.ID, webhook.EventFilter{Limit: 500})
	m.succeed(err)
	m.equal("events", append([]webhook.EventRow{}, page.Rows...), want)
	lookups, err := m.Lookups(m.Context(), webhook.AllShards, webhook.EventID(m.account.ID), 500)
	m.succeed(err)
	m.equal("lookups", append([]webhook.PendingLookup{}, lookups...), waiting)
}

func (m *machine) compareDue() {
	dues, err := m.Due(m.Context(), webhook.AllShards)
	m.succeed(err)
	for _, h := range m.hooks {
		due, is := dues[h.ID]
		next, bulk := m.due(h), m.nextBulk(h)
		failed := h.Circuit.Failures > 0 && h.Enabled && !h.deleted && h.Kind == webhook.Async
		m.equal("due", []any{is, due.At, due.Bulk}, []any{!next.IsZero() || !bulk.IsZero() || failed, next, bulk})
	}
}

// compareDelivery compares the log of a delivery, and what it waits for.
func (m *machine) compareDelivery(d *modelDelivery) {
	got, err := m.Attempts(m.Context(), m.account.ID, d.ID, 0)
	m.succeed(err)
	want := []webhook.Attempt{}
	for _, n := range slices.Sorted(maps.Keys(d.log)) {
		want = append(want, d.log[n])
	}
	m.equal("attempts", append([]webhook.Attempt{}, got...), want)
	if d.Base > d.Attempts || d.Completed > d.Attempts || d.Held && !d.NextAt.IsZero() {
		m.Fatalf("%+v", d)
	}
	first, err := m.WaitsFor(m.Context(), m.account.ID, d.ID)
	active := where(m.queue(d.Webhook, d.BookingID), func(o *modelDelivery) bool { return !o.Held })
	if d.State != webhook.Pending || !d.Held {
		m.wantError("what one that is not held waits for", err, webhook.ErrNotFound)
		return
	}
	m.succeed(err)
	m.equal("waits for", first, active[0].ID)
}
