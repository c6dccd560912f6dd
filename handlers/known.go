package handlers

import (
	"context"
	"time"

	"bookhook/webhook"
)

// known is what a draft of the account may name: the events of the platforms,
// and the channels and tours of its lists, retired ones too.
func (a *app) known(ctx context.Context, account webhook.ID) (webhook.Known, error) {
	channel, err := a.listed(ctx, account, webhook.Channels)
	if err != nil {
		return webhook.Known{}, err
	}
	tour, err := a.listed(ctx, account, webhook.Tours)
	return webhook.Known{Event: a.Platforms.KnownKey, Inline: a.Platforms.Inline, Channel: channel, Tour: tour, Guard: a.Dispatcher.CheckURL}, err
}

// listed returns the test whether an id is in one of the account's lists.
func (a *app) listed(ctx context.Context, account webhook.ID, kind webhook.ItemKind) (func(id string) bool, error) {
	items, err := a.Store.AllItems(ctx, account, kind)
	ids := make(map[string]bool, len(items))
	for _, item := range items {
		ids[item.ID] = true
	}
	return func(id string) bool { return ids[id] }, err
}

// testEvent is what "Send a test" sends to a webhook: the first event that it
// selects as its platform could send it, with a channel and a tour of the
// webhook's lists. Where the platform sends no data, these say that it is a test.
func (a *app) testEvent(w *webhook.Webhook) webhook.Event {
	e := a.sampleEvent(w, "TEST-1", time.Now())
	e.Test = true
	if len(e.Data) == 0 {
		e.Data = []byte(`{"test":true,"message":"This is a test sent from Bookhook. There is no such booking."}`)
	}
	if w.Channels.Mode == webhook.Include && len(w.Channels.IDs) > 0 {
		e.ChannelID = w.Channels.IDs[0]
	}
	if w.Tours.Mode == webhook.Include && len(w.Tours.IDs) > 0 {
		e.TourIDs = w.Tours.IDs[:1]
	}
	return e
}

// sampleEvent is the first event that a webhook selects, as its platform could
// send it at now about the thing with this id.
func (a *app) sampleEvent(w *webhook.Webhook, id string, now time.Time) webhook.Event {
	platform, eventType := a.firstEvent(w)
	if p, known := a.Platforms.Get(platform); known {
		return p.Sample(eventType, id, now.UTC())
	}
	return webhook.Event{Platform: platform, Type: eventType, BookingID: id, OccurredAt: now.UTC()}
}

func (a *app) firstEvent(w *webhook.Webhook) (platform, eventType string) {
	if w.AllEvents() || len(w.Events) == 0 {
		first := a.Platforms[0]
		return first.Key, first.Events[0].Key
	}
	return webhook.SplitEventKey(w.Events[0])
}
