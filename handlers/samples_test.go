package handlers_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"bookhook/handlers"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

// testRecorder is a dispatcher that records which event a test would send.
type testRecorder struct {
	handlers.Dispatcher
	events chan webhook.Event
}

func (d testRecorder) Test(_ context.Context, _ webhook.AccountID, _ webhook.WebhookID, e webhook.Event) (webhook.Delivery, error) {
	d.events <- e
	return webhook.Delivery{State: webhook.Pending, CreatedAt: time.Now()}, nil
}

// TestSamples wants "Send a test" to send what the platform makes as a sample,
// with a channel and a tour of the webhook's lists.
func TestSamples(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	registry := all.Platforms()
	registry[0].Sample = func(eventType, id string, now time.Time) webhook.Event { // says no more than this
		return webhook.Event{Platform: "tourcms", Type: eventType, BookingID: id, OccurredAt: now}
	}
	registry[1].Sample = func(eventType, id string, now time.Time) webhook.Event {
		return webhook.Event{
			Platform: "prioticket", Type: eventType, BookingID: id, OccurredAt: now, ChannelID: "9", TourIDs: []string{"8"}, Data: []byte(`{"shape":"its own"}`),
		}
	}
	d := testRecorder{a.dispatcher, make(chan webhook.Event, 1)}
	app := a.with(t, func(o *handlers.Options) { o.Dispatcher, o.Platforms = d, registry })
	a.call(t, 200, "PUT", "/api/v1/channels", `{"items":[{"id":"3930","name":"Website"}]}`)
	a.call(t, 200, "PUT", "/api/v1/tours", `{"items":[{"id":"12","name":"Kayak"},{"id":"15","name":"Walk"}]}`)
	const some = `,"channels":{"mode":"include","ids":["3930"]},"tours":{"mode":"include","ids":["15","12"]}`
	const nothing = `{"test":true,"message":"This is a test sent from Bookhook. There is no such booking."}`
	for more, want := range map[string]webhook.Event{
		`["cancelled"]`:             {Platform: "tourcms", Type: "cancelled", Data: []byte(nothing)},
		`["cancelled"]` + some:      {Platform: "tourcms", Type: "cancelled", Data: []byte(nothing), ChannelID: "3930", TourIDs: []string{"12"}},
		`["prioticket:REDEMPTION"]`: {Platform: "prioticket", Type: "REDEMPTION", Data: []byte(`{"shape":"its own"}`), ChannelID: "9", TourIDs: []string{"8"}},
		`["*"]`:                     {Platform: "tourcms", Type: registry[0].Events[0].Key, Data: []byte(nothing)},
	} {
		made := a.call(t, http.StatusCreated, "POST", "/api/v1/webhooks", `{"name":"Sample","url":"https://example.com","events":`+more+`}`)
		a.rawOf(t, app, http.StatusAccepted, a.request("POST", "/api/v1/webhooks/"+made["id"].(string)+"/test", ""))
		got := arrived(t, d.events)
		if !got.Test || got.BookingID != "TEST-1" || got.Platform != want.Platform || got.Type != want.Type || string(got.Data) != string(want.Data) ||
			got.ChannelID != want.ChannelID || !slices.Equal(got.TourIDs, want.TourIDs) || time.Since(got.OccurredAt) > time.Minute {
			t.Errorf("%s: got %+v, want %+v", more, got, want)
		}
	}
}
