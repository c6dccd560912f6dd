package db_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"bookhook/webhook"
)

// one draws one of a list; false if it is empty.
func one[T any](m *machine, label string, all []T) (drawn T, found bool) {
	if len(all) == 0 {
		return drawn, false
	}
	return all[rapid.IntRange(0, len(all)-1).Draw(m.T, label)], true
}

func (m *machine) coin(label string) bool { return rapid.Bool().Draw(m.T, label) }

func (m *machine) text(label string, from ...string) string {
	return rapid.SampledFrom(from).Draw(m.T, label)
}

// config draws the configuration of a webhook.
func (m *machine) config(kind webhook.Kind) webhook.Config {
	c := newHook(m.account.ID).Config
	c.Kind, c.Ordered = kind, kind == webhook.Async && rapid.IntRange(0, 3).Draw(m.T, "ordered") > 0
	if c.AllEvents = rapid.IntRange(0, 3).Draw(m.T, "all events") > 0; !c.AllEvents {
		c.Events = []string{"cancelled"}
	}
	if kind == webhook.Inline || m.text("channels", "all", "all", "one") == "one" {
		c.Channels = webhook.NewFilter(webhook.Include, []string{m.text("channel", "3930", "9")})
	}
	mode := webhook.Mode(m.text("tours", string(webhook.All), string(webhook.All), string(webhook.Include), string(webhook.Exclude)))
	c.Tours = webhook.NewFilter(mode, []string{"12"})
	return c
}

func (m *machine) createWebhook() {
	kind := webhook.Kind(m.text("kind", "async", "async", "async", "inline"))
	w := newHook(m.account.ID)
	w.Config, w.Enabled = m.config(kind), rapid.IntRange(0, 4).Draw(m.T, "enabled") > 0
	got, err := m.CreateWebhook(m.Context(), w, nil, at(m.now))
	switch {
	case m.canCreate(w):
		m.succeed(err)
	case kind == webhook.Inline:
		m.wantInvalid("a channel of another", err)
		return
	default:
		m.wantError("one webhook more", err, webhook.ErrLimit)
		return
	}
	h := &modelHook{Webhook: *w}
	h.ID, h.CreatedAt, h.UpdatedAt, h.CreatedBy = got.ID, m.now, m.now, by
	if !h.Enabled {
		h.switchOff(webhook.OffByUser, at(m.now))
	}
	m.hooks = append(m.hooks, h)
}

func (m *machine) updateWebhook() {
	h, found := one(m, "webhook", m.hooks)
	if !found {
		return
	}
	w := h.Webhook
	w.Config = m.config(h.Kind)
	u := webhook.Update{Webhook: &w}
	if m.coin("with base") {
		u.Base = h.UpdatedAt
	}
	conflict := rapid.IntRange(0, 4).Draw(m.T, "conflict") == 0
	if conflict {
		u.Base = h.UpdatedAt.Add(-time.Second)
	}
	if m.coin("switch") {
		enabled := m.coin("enabled")
		u.Enabled = &enabled
	}
	_, err := m.UpdateWebhook(m.Context(), u, at(m.now))
	switch {
	case h.deleted:
		m.wantError("a deleted webhook", err, webhook.ErrNotFound)
	case conflict:
		m.wantError("one that was changed", err, webhook.ErrConflict)
	case h.Kind == webhook.Inline && !m.canCreate(&w):
		m.wantInvalid("a channel of another", err)
	default:
		m.succeed(err)
		m.update(h, w.Config, u.Enabled, m.now)
	}
}

func (m *machine) switchWebhook() {
	if h, found := one(m, "webhook", m.hooks); found {
		m.setEnabledOf(h, m.coin("enabled"))
	}
}

func (m *machine) setEnabledOf(h *modelHook, enabled bool) {
	before, err := m.SetEnabled(m.Context(), m.account.ID, h.ID, enabled, at(m.now))
	if h.deleted {
		m.wantError("a deleted webhook", err, webhook.ErrNotFound)
		return
	}
	m.succeed(err)
	m.equal("the webhook before", before, h.Webhook)
	m.model.setEnabled(h, enabled, m.now)
}

func (m *machine) deleteWebhook() {
	h, found := one(m, "webhook", m.hooks)
	if !found || rapid.IntRange(0, 2).Draw(m.T, "really") > 0 {
		return
	}
	cancelled, err := m.DeleteWebhook(m.Context(), m.account.ID, h.ID, at(m.now))
	if h.deleted {
		m.wantError("a deleted webhook", err, webhook.ErrNotFound)
		return
	}
	m.succeed(err)
	m.equal("cancelled", cancelled, m.remove(h, m.now))
}

func (m *machine) rotateSecret() {
	h, found := one(m, "webhook", m.hooks)
	if !found {
		return
	}
	secret := fmt.Sprintf("whsec_%d", m.steps)
	var shown time.Time
	if stored, err := m.Webhook(m.Context(), m.account.ID, h.ID); err == nil {
		shown = stored.SecretShownAt
	}
	err := m.RotateSecret(m.Context(), m.account.ID, h.ID, shown, secret, at(m.now))
	if h.deleted {
		m.wantError("a deleted webhook", err, webhook.ErrNotFound)
		return
	}
	m.succeed(err)
	h.resetCircuit()
	h.OldSecret, h.Secret, h.OldUntil = h.Secret, secret, m.now.Add(webhook.SecretOverlap)
	h.SecretShownAt = time.UnixMilli(max(m.now.UnixMilli(), h.SecretShownAt.UnixMilli()+1)).UTC()
}

// event draws an event, a few of them with the same ids, bookings and content.
func (m *machine) event() webhook.Event {
	e := newEvent(m.text("external id", "", "", "", "a", "b", "c", "d"))
	e.OccurredAt, e.BookingID = time.Time{}, m.text("booking", "", "1", "1", "2", "3")
	e.Type, e.ChannelID = m.text("type", "cancelled", "cancelled", "new_confirmed_web"), m.text("channel", "3930", "9", "")
	e.TourIDs = rapid.SampledFrom([][]string{{}, {"12"}, {"12", "15"}}).Draw(m.T, "tours")
	if e.ExternalID != "" && rapid.IntRange(0, 3).Draw(m.T, "own content") > 0 {
		e.BookingID, e.Type, e.ChannelID, e.TourIDs = "1", "cancelled", "3930", []string{"12"}
	}
	return e
}

// insert stores a batch, all or nothing.
func (m *machine) insert() {
	events := make([]webhook.Event, rapid.IntRange(1, 4).Draw(m.T, "batch"))
	for i := range events {
		events[i] = m.event()
		events[i].Inbound = m.coin("inbound")
		events[i].Lookup = events[i].Inbound && rapid.IntRange(0, 2).Draw(m.T, "lookup") == 0
	}
	conflict := false
	for i := range events {
		if first, equal := m.known(&events[i]); first != nil && !equal {
			conflict = true
		}
		for j := range events[:i] {
			if events[i].ExternalID != "" && events[j].ExternalID == events[i].ExternalID && events[j].Digest() != events[i].Digest() {
				conflict = true
			}
		}
	}
	p := m.plan(events)
	got, err := m.Insert(m.Context(), p)
	if conflict {
		m.wantError("an external id with other content", err, webhook.ErrConflict)
		return
	}
	m.succeed(err)
	for i := range events {
		m.accepted(p, i, got[i])
	}
}

// plan makes a plan of events with the decisions of the model and some claims.
func (m *machine) plan(events []webhook.Event) *webhook.Plan {
	subscriptions, err := m.Subscriptions(m.Context(), m.account.ID)
	m.succeed(err)
	p := webhook.NewPlan(subscriptions, events, m.now, m.now.Add(time.Minute))
	for i := range p.Events {
		m.equal("decisions", p.Events[i].Decisions, m.decide(webhook.Async, &events[i]))
		for j, d := range p.Events[i].Decisions {
			p.Events[i].Claim[j] = d.Reason == webhook.Matched && m.coin("claim")
		}
	}
	return p
}

// accepted does in the model what the store answered for an event of a plan.
func (m *machine) accepted(p *webhook.Plan, i int, got webhook.Accepted) {
	e := p.Events[i].Event
	if first, _ := m.known(&e); first != nil {
		m.equal("a duplicate", []any{got.Duplicate, got.Event.ID, got.Event.Lookup, got.Decisions, len(got.Jobs), len(got.Waiting)},
			[]any{true, first.ID, first.Lookup, first.Decisions, 0, 0})
		return
	}
	in := &modelEvent{EventRow: webhook.EventRow{Event: e}, sent: e, ask: e.Lookup}
	in.ID, in.Lookup = got.Event.ID, m.waits(&e)
	m.equal("accepted", []any{got.Duplicate, got.Event.Lookup}, []any{false, in.Lookup})
	m.events = append(m.events, in)
	if !in.Lookup {
		m.matched(in, p.Events[i], p, got)
	}
}

// matched does in the model what the store answered for the match of an event.
func (m *machine) matched(e *modelEvent, planned webhook.PlannedEvent, p *webhook.Plan, got webhook.Accepted) {
	e.Decisions = m.withIDs(m.decide(webhook.Async, &e.Event), got.Decisions)
	m.equal("decisions", got.Decisions, e.Decisions)
	claimed := m.model.deliver(e, planned.Claim, p.At, p.Lease)
	m.equal("claimed", m.take(got.Jobs), claimed)
	due := []webhook.WebhookID{}
	for _, d := range m.deliveries {
		if d.Event == e.ID && !d.Held && d.Attempts == 0 {
			due = append(due, d.Webhook)
		}
	}
	m.equal("waiting", append([]webhook.WebhookID{}, got.Waiting...), due)
}

// withIDs gives decisions the ids of the deliveries that the store created.
func (m *machine) withIDs(decisions, got []webhook.Decision) []webhook.Decision {
	for i := range decisions {
		if i < len(got) && decisions[i].Reason == webhook.Matched {
			if decisions[i].Delivery = got[i].Delivery; decisions[i].Delivery == 0 {
				m.Fatalf("%+v has no delivery", got[i])
			}
		}
	}
	return decisions
}

// take remembers the attempts of jobs, and returns whose they are.
func (m *machine) take(jobs []webhook.Job) (ids []webhook.DeliveryID) {
	for _, job := range jobs {
		d := job.Delivery
		ids = append(ids, d.ID)
		m.claims = append(m.claims, claimed{d.ID, d.Webhook, d.Attempts, d.NextAt, d.Test, d.Replay})
		m.equal("the event of a job", job.Event.ID, d.Event)
	}
	return ids
}

// insertStale stores with the subscriptions of before a change.
func (m *machine) insertStale() {
	p := m.plan([]webhook.Event{m.event()})
	revision := p.Subscriptions.Revision
	m.createWebhook()
	m.switchWebhook()
	m.rotateSecret()
	now, err := m.Subscriptions(m.Context(), m.account.ID)
	m.succeed(err)
	if now.Revision == revision {
		return
	}
	_, err = m.Insert(m.Context(), p)
	m.wantError("with old subscriptions", err, webhook.ErrStale)
}

// completeLookups matches what waits, in its order; one of them a second time.
func (m *machine) completeLookups() {
	pending := where(m.events, func(e *modelEvent) bool { return e.Lookup })
	if len(pending) == 0 {
		return
	}
	m.complete(pending[:rapid.IntRange(1, len(pending)).Draw(m.T, "events")])
}

func (m *machine) completeAll() {
	if pending := where(m.events, func(e *modelEvent) bool { return e.Lookup }); len(pending) > 0 {
		m.complete(pending)
	}
}

func (m *machine) complete(pending []*modelEvent) {
	events := []webhook.Event{}
	for _, e := range pending {
		got, err := m.PendingEvent(m.Context(), m.account.ID, e.ID)
		m.succeed(err)
		m.equal("pending event", got, e.Event)
		got.Lookup, got.TourIDs, got.Data = false, []string{m.text("tour", "12", "15")}, []byte(`{"found":1}`)
		events = append(events, got)
	}
	again := m.coin("twice")
	if again {
		events = append(events, events[0])
	}
	p := m.plan(events)
	got, err := m.CompleteLookups(m.Context(), p)
	m.succeed(err)
	m.equal("completed", len(got), len(pending))
	for i, e := range pending {
		m.equal("completed event", got[i].Event, events[i])
		e.Event = events[i]
		m.matched(e, p.Events[i], p, got[i])
	}
}

func (m *machine) insertInline() {
	e := m.event()
	got, err := m.InsertInline(m.Context(), m.account.ID, e, m.now, m.now.Add(time.Minute))
	if first, equal := m.known(&e); first != nil {
		calls := where(m.deliveries, func(d *modelDelivery) bool { return d.Event == first.ID })
		others := where(first.Decisions, func(d webhook.Decision) bool { return m.hook(d.Webhook).Kind != webhook.Inline })
		if !equal || first.Lookup || len(others) > 0 {
			m.wantError("an external id of another event", err, webhook.ErrConflict)
			return
		}
		m.succeed(err)
		m.equal("a duplicate", []any{got.Duplicate, got.Event.ID, got.Decisions, got.Called()}, []any{true, first.ID, first.Decisions, len(calls) > 0})
		return
	}
	m.succeed(err)
	in := &modelEvent{EventRow: webhook.EventRow{Event: e}, sent: e}
	in.ID, in.Account, in.ReceivedAt = got.Event.ID, m.account.ID, m.now
	in.Decisions = m.withIDs(m.decide(webhook.Inline, &e), got.Decisions)
	m.equal("decisions", got.Decisions, in.Decisions)
	m.events = append(m.events, in)
	m.model.deliver(in, nil, m.now, m.now.Add(time.Minute))
	if got.Called() {
		m.take([]webhook.Job{got.Job})
		m.claims[len(m.claims)-1].test = true
	}
}

// test sends a test event.
func (m *machine) test() {
	h, found := one(m, "webhook", m.hooks)
	if !found {
		return
	}
	e := m.event()
	e.ExternalID = ""
	job, err := m.TestInline(m.Context(), m.account.ID, h.ID, e, m.now, m.now.Add(time.Minute))
	if h.deleted {
		m.wantError("a deleted webhook", err, webhook.ErrNotFound)
		return
	}
	m.succeed(err)
	in := &modelEvent{EventRow: webhook.EventRow{Event: e, Decisions: []webhook.Decision{{Webhook: h.ID, Delivery: job.Delivery.ID}}}}
	in.ID, in.Account, in.ReceivedAt, in.Test = job.Event.ID, m.account.ID, m.now, true
	m.events = append(m.events, in)
	d := m.add(job.Delivery.ID, h, in, m.now)
	if d.Urgent = h.Kind == webhook.Async; !d.Urgent {
		d.Inline, d.Attempts, d.NextAt = true, 1, m.now.Add(time.Minute)
		m.take([]webhook.Job{job})
	}
}

func (m *machine) claimDue() {
	if h, found := one(m, "webhook", m.hooks); found {
		m.claimOf(h, rapid.IntRange(1, 4).Draw(m.T, "limit"), 0, m.coin("newest"))
	}
}

// claimBulk claims items of bulk replays, and perhaps what is due before them.
func (m *machine) claimBulk() {
	if h, found := one(m, "webhook", m.hooks); found {
		m.claimOf(h, rapid.IntRange(0, 4).Draw(m.T, "limit"), rapid.IntRange(1, 4).Draw(m.T, "bulk"), false)
	}
}

func (m *machine) claimOf(h *modelHook, n, bulk int, newest bool) {
	lease := m.now.Add(time.Minute)
	jobs, next, err := m.subject.claim(m.Context(), webhook.Claim{Webhook: h.ID, N: n, Bulk: bulk, Newest: newest, Now: m.now, Lease: lease})
	m.succeed(err)
	want := slices.Concat(m.model.claim(h, n, newest, m.now, lease), m.model.claimBulk(h, bulk, m.now, lease))
	slices.Sort(want)
	m.equal("claimed", m.take(jobs), want)
	m.equal("next, and of bulk replays", []any{next.At, next.Bulk}, []any{m.due(h), m.nextBulk(h)})
	for _, job := range jobs {
		m.equal("the delivery of a job", job.Delivery, m.delivery(job.Delivery.ID).Delivery)
		w := *job.Webhook
		m.equal("the resets of its circuit", w.Circuit.Resets, h.Circuit.Resets)
		w.Health, w.Circuit = h.Health, h.Circuit // what sending needs is current; these may be those of the last change
		m.equal("the webhook of a job", w, h.Webhook)
	}
}

// finishOne records a result of an attempt, perhaps once more, perhaps too late.
func (m *machine) finishOne() {
	c, found := one(m, "claim", m.claims)
	if !found {
		return
	}
	m.result(c, m.text("result", "success", "success", "retry", "retry", "failure", "again", "gone"))
	if m.coin("last") {
		m.claims = slices.DeleteFunc(m.claims, func(other claimed) bool { return other == c })
	}
}

func (m *machine) result(c claimed, ending string) {
	r := success(c.delivery, c.webhook, c.number)
	switch ending {
	case "retry":
		r = failure(c.delivery, c.webhook, c.number, m.now.Add(5*time.Minute))
	case "failure":
		r = failure(c.delivery, c.webhook, c.number, time.Time{})
	case "again":
		r = failure(c.delivery, c.webhook, c.number, m.now.Add(time.Minute))
		r.Again = true
	case "gone":
		r = failure(c.delivery, c.webhook, c.number, time.Time{})
		r.Gone = true
	}
	if d := m.delivery(c.delivery); d != nil && d.Inline && r.State == webhook.Pending {
		r.State, r.NextAt, r.Again = webhook.Failed, time.Time{}, false // it is asked only once
	}
	r.Attempt.StartedAt, r.Test, r.Replay = m.now, c.test, c.replay
	circuit := m.circuit(m.hook(c.webhook), r)
	r.Circuit = func() webhook.Circuit { return circuit }
	got, err := m.subject.finish(m.Context(), r, m.now)
	m.succeed(err)
	want := m.model.finish(r, m.now)
	m.equal("finished", got, want)
	if want.Again {
		m.claims = append(m.claims, claimed{c.delivery, c.webhook, c.number + 1, r.NextAt, c.test, c.replay})
	}
}

// circuit is what a dispatcher makes of the circuit with a result; now and then it has not
// heard yet of the last change of the webhook.
func (m *machine) circuit(h *modelHook, r webhook.Result) webhook.Circuit {
	c := webhook.Circuit{Resets: h.Circuit.Resets - rapid.IntRange(0, 5).Draw(m.T, "late")/5}
	if r.Attempt.Failure != "" {
		c.Failures = rapid.IntRange(0, 2*webhook.CircuitFailures).Draw(m.T, "failures")
	}
	if c.Failures >= webhook.CircuitFailures {
		c.Pauses, c.OpenedAt, c.ProbeAt = c.Failures-webhook.CircuitFailures+1, m.now, m.now.Add(time.Minute)
	}
	return c
}

func (m *machine) releaseOne() {
	c, found := one(m, "claim", slices.Concat(m.claims, m.released))
	if !found {
		return
	}
	if d := m.delivery(c.delivery); d != nil && (d.Inline || d.log[c.number].Number > 0) {
		return
	}
	m.succeed(m.subject.release(m.Context(), c.delivery, c.number, c.lease, m.now))
	m.model.release(c.delivery, c.number, c.lease, m.now)
	m.claims = slices.DeleteFunc(m.claims, func(other claimed) bool { return other == c })
	m.released = append(m.released, c)
}

func (m *machine) retryNowOne() {
	if h, found := one(m, "webhook", m.hooks); found {
		m.succeed(m.RetryNow(m.Context(), h.ID, m.now))
		m.model.retryNow(h.ID, m.now)
	}
}

// restart is what happens when the process was killed.
func (m *machine) restart() {
	m.succeed(m.subject.recover(m.Context(), m.now))
	m.model.recover(m.now)
}

func (m *machine) replayOne() {
	d, found := one(m, "delivery", m.deliveries)
	if !found {
		return
	}
	_, err := m.Replay(m.Context(), m.account.ID, d.ID, at(m.now))
	switch h := m.hook(d.Webhook); {
	case d.Inline:
		m.wantInvalid("a question", err)
	case d.Attempts > d.Completed && d.NextAt.After(m.now):
		m.wantError("one in flight", err, webhook.ErrConflict)
	case h.deleted:
		m.wantInvalid("a deleted webhook", err)
	case !h.Enabled:
		m.wantError("one that is off", err, webhook.ErrOff)
	default:
		m.succeed(err)
		m.replay(d, m.now)
	}
}

func (m *machine) cancelOne() {
	d, found := one(m, "delivery", m.deliveries)
	if !found {
		return
	}
	err := m.Cancel(m.Context(), m.account.ID, d.ID, at(m.now))
	switch {
	case d.Inline:
		m.wantInvalid("a question", err)
	case d.State != webhook.Pending:
		m.wantError("a finished one", err, webhook.ErrConflict)
	default:
		m.succeed(err)
		m.cancel(d, m.now)
	}
}

func (m *machine) prune(before time.Time) {
	ctx := context.WithoutCancel(m.Context())
	for after := webhook.EventID(0); ; {
		deleted, last, err := m.Prune(ctx, before, m.now, after, 50)
		m.succeed(err)
		if deleted == 0 && last == after {
			break
		}
		after = last
	}
	m.model.prune(before)
}
