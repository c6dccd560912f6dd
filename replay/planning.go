package replay

import (
	"context"
	"hash/maphash"
	"slices"
	"time"

	"bookhook/webhook"
)

// planning is one request while it is planned.
type planning struct {
	*Planner
	account  webhook.Account
	request  webhook.ReplayRequest
	now      time.Time
	webhooks map[webhook.WebhookID]*webhook.Webhook // of the account, asynchronous
	missing  *webhook.Webhook                       // as if on: the one of a request for events; else nil

	plan     webhook.ReplayPlan
	sent     map[webhook.WebhookID]int
	bookings map[uint64]struct{} // hashes
}

// run hands over what the request sends, a page at a time.
func (pl *planning) run(ctx context.Context, emit func([]webhook.ReplayItem) error) error {
	next := pl.deliveries()
	if pl.missing != nil {
		next = pl.events()
	}
	for {
		page, more, err := next(ctx)
		if err != nil {
			return err
		}
		if page, err = pl.leaveOut(ctx, page); err != nil {
			return err
		}
		if err := pl.count(page, emit); err != nil || !more {
			return err
		}
	}
}

// pages reads the next page of candidates.
type pages func(ctx context.Context) (page []webhook.Candidate, more bool, err error)

// deliveries reads those of the request's filter, the newest first.
func (pl *planning) deliveries() pages {
	var before webhook.DeliveryID
	return func(ctx context.Context) ([]webhook.Candidate, bool, error) {
		found, err := pl.store.Candidates(ctx, pl.account.ID, pl.request, before)
		before = found.Next
		deleted := func(c webhook.Candidate) bool { return pl.webhooks[c.Webhook] == nil }
		return slices.DeleteFunc(found.Rows, deleted), before != 0, err
	}
}

// events reads those that the webhook never got, the oldest first: their deliveries get
// ids in this order, in which they are sent.
func (pl *planning) events() pages {
	var after webhook.EventID
	return func(ctx context.Context) (page []webhook.Candidate, more bool, err error) {
		found, more, err := pl.store.CandidateEvents(ctx, pl.account.ID, *pl.request.Events, after)
		for _, e := range found {
			after = e.ID
			if webhook.DeliveryTo(e.Decisions, pl.missing.ID) == 0 && pl.matches(e) {
				page = append(page, webhook.Candidate{
					ReplayItem: webhook.ReplayItem{Event: e.ID, Webhook: pl.missing.ID}, Booking: e.BookingID, Newest: e.Newest,
				})
			}
		}
		return page, more, err
	}
}

// matches reports whether an event that the webhook never got is asked for, and whether
// it receives it.
func (pl *planning) matches(e webhook.MissedEvent) bool {
	if pl.request.Off && !slices.ContainsFunc(e.Decisions, func(d webhook.Decision) bool {
		return d.Webhook == pl.missing.ID && d.Reason == webhook.ReasonDisabled
	}) {
		return false
	}
	return !pl.request.Matching || webhook.Match(pl.missing, &e.Event) == webhook.Matched
}

// leaveOut removes from a page what the options of the request leave out.
func (pl *planning) leaveOut(ctx context.Context, page []webhook.Candidate) ([]webhook.Candidate, error) {
	if !pl.request.Departed {
		over, err := pl.departed(ctx, eventsOf(page))
		if err != nil {
			return nil, err
		}
		before := len(page)
		page = slices.DeleteFunc(page, func(c webhook.Candidate) bool { return over[c.Event] })
		pl.plan.Departed += before - len(page)
	}
	if pl.request.All {
		return page, nil
	}
	overtaken, err := pl.overtaken(ctx, page)
	if err != nil {
		return nil, err
	}
	kept := page[:0]
	for i, c := range page {
		if !overtaken[i] {
			kept = append(kept, c)
		}
	}
	pl.plan.Older += len(overtaken)
	return kept, nil
}

func eventsOf(page []webhook.Candidate) (ids []webhook.EventID) {
	for _, c := range page {
		ids = append(ids, c.Event)
	}
	return unique(ids)
}

// unique sorts ids and removes those that are there twice.
func unique[I ~int64](ids []I) []I {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// departed says of events whether the tours of their bookings are over.
func (pl *planning) departed(ctx context.Context, events []webhook.EventID) (map[webhook.EventID]bool, error) {
	over := map[webhook.EventID]bool{}
	if len(events) == 0 {
		return over, nil
	}
	err := pl.store.EventData(ctx, pl.account.ID, events, func(e webhook.Event) error {
		if known, ok := pl.platforms.Get(e.Platform); ok {
			over[e.ID] = Over(known.Booking(e), pl.account.Location(), pl.now)
		}
		return nil
	})
	return over, err
}

// count counts a page of what is sent, and hands it over.
func (pl *planning) count(page []webhook.Candidate, emit func([]webhook.ReplayItem) error) error {
	items := make([]webhook.ReplayItem, len(page))
	for i, c := range page {
		items[i] = c.ReplayItem
		pl.sent[c.Webhook]++
		if c.Booking != "" {
			pl.bookings[maphash.String(pl.hash, c.Booking)] = struct{}{}
		}
	}
	pl.plan.Deliveries += len(page)
	if pl.plan.Deliveries > webhook.MaxReplayed {
		return webhook.LimitReached{
			What: webhook.LimitedReplayed, Limit: webhook.MaxReplayed, Over: pl.plan.Deliveries - webhook.MaxReplayed,
		}
	}
	if len(items) == 0 {
		return nil
	}
	return emit(items)
}

// Assumptions about how long a replay takes.
const (
	unknownSpeed = 200 * time.Millisecond // of a receiver that never answered
	replayShare  = 2                      // a replay uses one half of a webhook's requests at once
)

// counted returns the plan with how long it takes: webhooks receive at the same time,
// each at its rate, or as fast as it answered lately.
func (pl *planning) counted(ctx context.Context) (webhook.ReplayPlan, error) {
	plan := pl.plan
	plan.Bookings, plan.Webhooks = len(pl.bookings), len(pl.sent)
	plan.Takes = time.Duration(plan.Deliveries) * pl.request.Rate.Gap()
	for id, n := range pl.sent {
		w := pl.webhooks[id]
		each, err := pl.store.Speed(ctx, pl.account.ID, id)
		if err != nil {
			return plan, err
		}
		if each == 0 {
			each = unknownSpeed
		}
		each = max(each/time.Duration(max(1, w.Concurrency/replayShare)), w.Rate.Gap())
		plan.Takes = max(plan.Takes, time.Duration(n)*each)
	}
	return plan, nil
}
