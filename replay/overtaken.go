package replay

import (
	"context"
	"slices"

	"bookhook/webhook"
)

// overtaken returns the positions in a page of events that a later one of their
// booking has overtaken: the webhook got that, or gets it in this replay. The later
// events of all are read together, from the newest back, until each is decided.
func (pl *planning) overtaken(ctx context.Context, page []webhook.Candidate) (map[int]bool, error) {
	decided := map[int]bool{}
	at := map[int]webhook.EventID{} // of those that are not decided: the later event to look at next
	for i, c := range page {
		if c.Newest != 0 {
			at[i] = c.Newest
		}
	}
	for range webhook.MaxLaterEvents {
		if len(at) == 0 {
			break
		}
		later, err := pl.readLater(ctx, page, at)
		if err != nil {
			return nil, err
		}
		for i, id := range at {
			e, ok := later.events[id]
			switch {
			case ok && later.overtakes(pl, e, page[i].Webhook):
				decided[i] = true
				delete(at, i)
			case e.Previous > page[i].Event:
				at[i] = e.Previous
			default:
				delete(at, i)
			}
		}
	}
	return decided, nil
}

// later is what is known of some later events.
type later struct {
	events   map[webhook.EventID]webhook.MissedEvent
	states   map[webhook.DeliveryID]webhook.State
	replayed map[webhook.DeliveryID]bool // the replay of the request's filter has them
	over     map[webhook.EventID]bool
}

// readLater reads the later events to look at next, with their deliveries to the
// webhooks of the candidates.
func (pl *planning) readLater(ctx context.Context, page []webhook.Candidate, at map[int]webhook.EventID) (l later, err error) {
	var ids []webhook.EventID
	for _, id := range at {
		ids = append(ids, id)
	}
	ids = unique(ids)
	found, err := pl.store.LaterEvents(ctx, pl.account.ID, ids)
	if err != nil {
		return l, err
	}
	l.events = make(map[webhook.EventID]webhook.MissedEvent, len(found))
	for _, e := range found {
		l.events[e.ID] = e
	}
	var deliveries []webhook.DeliveryID
	for i, id := range at {
		if d := webhook.DeliveryTo(l.events[id].Decisions, page[i].Webhook); d != 0 {
			deliveries = append(deliveries, d)
		}
	}
	if deliveries = unique(deliveries); len(deliveries) > 0 {
		if l.states, l.replayed, err = pl.store.DeliveryStates(ctx, pl.account.ID, deliveries, pl.request.Deliveries.Replay); err != nil {
			return l, err
		}
	}
	if !pl.request.Departed {
		l.over, err = pl.departed(ctx, ids)
	}
	return l, err
}

// overtakes reports whether the webhook got a later event, or gets it in this replay.
func (l later) overtakes(pl *planning, e webhook.MissedEvent, w webhook.WebhookID) bool {
	d := webhook.DeliveryTo(e.Decisions, w)
	if e.Test || e.Lookup {
		return false
	}
	if d != 0 && l.states[d] == webhook.Delivered {
		return true
	}
	if l.over[e.ID] {
		return false
	}
	if pl.missing != nil {
		return d == 0 && pl.selects(e) && pl.matches(e)
	}
	return d != 0 && pl.selectsDelivery(d, e, l.states[d], l.replayed[d])
}

// selects reports whether the filter of a request for events selects one; its webhook
// is the same.
func (pl *planning) selects(e webhook.MissedEvent) bool {
	f := pl.request.Events
	return (f.Type == "" || f.Type == e.Key()) && (f.Channel == "" || f.Channel == e.ChannelID) &&
		(f.Since.IsZero() || e.ID >= webhook.FirstID[webhook.EventID](f.Since)) &&
		(f.Until.IsZero() || e.ID < webhook.FirstID[webhook.EventID](f.Until))
}

// selectsDelivery reports whether the filter of a request for deliveries selects one of
// a later event; webhook and booking are those of an earlier one that it selects.
func (pl *planning) selectsDelivery(d webhook.DeliveryID, e webhook.MissedEvent, state webhook.State, replayed bool) bool {
	f := pl.request.Deliveries
	return state != "" && (f.State == "" || f.State == state) && (f.Type == "" || f.Type == e.Key()) && (f.Event == 0 || f.Event == e.ID) &&
		(f.Replay == 0 || replayed) && (len(pl.request.IDs) == 0 || slices.Contains(pl.request.IDs, d)) &&
		(f.Since.IsZero() || d >= webhook.FirstID[webhook.DeliveryID](f.Since)) &&
		(f.Until.IsZero() || d < webhook.FirstID[webhook.DeliveryID](f.Until))
}
