package handlers_test

import (
	"net/http"
	"testing"

	"bookhook/webhook"
)

// TestPreview: the wizard says what the filters would have let through of the newest
// events, for what is chosen and not yet saved, and saves that.
func TestPreview(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepChannels)
	b.get(draft + "/channels").is(http.StatusOK).has("No events have been received yet")
	event := func(booking, eventType, channel string) webhook.Event {
		return webhook.Event{Platform: webhook.DefaultPlatform, Type: eventType, ChannelID: channel, BookingID: booking, TourIDs: []string{"15"}}
	}
	s.leave(event("1001", "cancelled", "3930"), event("1002", "cancelled", "3931"), event("1003", "new_provisional_web", "3930"))

	b.get(draft+"/channels").is(http.StatusOK).has("Of the last 3 events, this webhook would have received <strong>2</strong>", "1001", "1002")
	form := steps()[webhook.StepChannels]
	form.Set("preview", "1")
	p := b.post(draft+"/channels", form).is(http.StatusOK)
	p.has("Of the last 3 events, this webhook would have received <strong>1</strong>",
		"The channel of the booking is not selected in the webhook.", "This type of event is not selected in the webhook.")
	b.get(draft + "/channels").is(http.StatusOK).has("received <strong>1</strong>")
	b.walk(draft, webhook.StepReview)
	b.get(draft+"/review").is(http.StatusOK).has("Of the last 3 events", "received <strong>0</strong>", "All of the booking’s tours are excluded in the webhook.")
	b.finish(draft).is(http.StatusSeeOther)
	w := only(t, must(t, s.store.Webhooks, s.account.ID), nil)
	b.get("/webhooks/" + w.ID.String() + "/settings").is(http.StatusOK).has("Of the last 3 events")
}
