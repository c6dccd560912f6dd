package platforms

import (
	"context"
	"slices"
	"time"

	"bookhook/webhook"
)

// ItemStore reads the channels and tours of accounts; *db.Store is one.
type ItemStore interface {
	AllItems(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind) ([]webhook.Item, error)
}

// Known returns what a draft of the account may select: the events of the
// platforms, and the account's channels and tours, retired ones included. checkURL
// says why a URL may not be called, judged by its text alone; zero if it may.
func (r Registry) Known(ctx context.Context, store ItemStore, account webhook.AccountID, checkURL func(url string) webhook.Message) (webhook.Known, error) {
	channel, err := listed(ctx, store, account, webhook.Channels)
	if err != nil {
		return webhook.Known{}, err
	}
	tour, err := listed(ctx, store, account, webhook.Tours)
	if err != nil {
		return webhook.Known{}, err
	}
	return webhook.Known{Event: r.KnownKey, Inline: r.Inline, Channel: channel, Tour: tour, Guard: checkURL}, nil
}

// listed returns a function that reports whether an id is in one of the account's
// lists.
func listed(ctx context.Context, store ItemStore, account webhook.AccountID, kind webhook.ItemKind) (func(id string) bool, error) {
	items, err := store.AllItems(ctx, account, kind)
	if err != nil {
		return nil, err
	}
	ids := make(map[string]bool, len(items))
	for _, item := range items {
		ids[item.ID] = true
	}
	return func(id string) bool { return ids[id] }, nil
}

// TestEvent returns the event that "Send a test" sends to a webhook at now: the
// first one that it selects, as its platform could send it, with a channel and a
// tour of the webhook's filters. If the platform sends no data, the data say that
// it is a test.
func (r Registry) TestEvent(w *webhook.Webhook, now time.Time) webhook.Event {
	e := r.SampleEvent(w, "TEST-1", now)
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

// TestEventOf is TestEvent with an event of the type with this key, "" for the first.
// It reports false for one that the webhook does not receive.
func (r Registry) TestEventOf(w *webhook.Webhook, key string, now time.Time) (webhook.Event, bool) {
	switch {
	case key == "":
		return r.TestEvent(w, now), true
	case !r.KnownKey(key), !w.AllEvents && !slices.Contains(w.Events, key):
		return webhook.Event{}, false
	}
	one := *w
	one.AllEvents, one.Events = false, []string{key}
	return r.TestEvent(&one, now), true
}

// SampleEvent returns the first event that a webhook selects, as its platform
// could send it at now about the booking with this id.
func (r Registry) SampleEvent(w *webhook.Webhook, id string, now time.Time) webhook.Event {
	platform, eventType := r.firstEvent(w)
	if p, known := r.Get(platform); known {
		return p.Sample(eventType, id, now.UTC())
	}
	return webhook.Event{Platform: platform, Type: eventType, BookingID: id, OccurredAt: now.UTC()}
}

// firstEvent returns the first event of the catalogues that a webhook selects.
func (r Registry) firstEvent(w *webhook.Webhook) (platform, eventType string) {
	if w.AllEvents || len(w.Events) == 0 {
		return r[0].Key, r[0].Events[0].Key
	}
	for _, p := range r {
		for _, e := range p.Events {
			if slices.Contains(w.Events, webhook.EventKey(p.Key, e.Key)) {
				return p.Key, e.Key
			}
		}
	}
	return webhook.SplitEventKey(w.Events[0])
}
