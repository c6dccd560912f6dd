package webhook

import "slices"

// Reason says why an event was not sent to a webhook. The texts are part of
// the API.
type Reason string

// The reasons of a skip; "" means that the event is sent.
const (
	Matched             Reason = ""
	ReasonDisabled      Reason = "webhook_disabled"
	ReasonEvent         Reason = "event_not_selected"
	ReasonNoChannel     Reason = "no_channel"
	ReasonChannel       Reason = "channel_not_selected"
	ReasonNoTour        Reason = "no_tour"
	ReasonTourNotListed Reason = "tour_not_included"
	ReasonTourExcluded  Reason = "tour_excluded"
	ReasonPlatformOff   Reason = "platform_off" // the account does not use the event's platform; given by [Subscriptions.Decide]
	ReasonNotCreated    Reason = "not_created"  // the webhook did not exist; only of an event that was sent to it later
)

// Decision is the outcome of one event for one webhook, kept with the event.
type Decision struct {
	Webhook  WebhookID  `json:"webhook"`
	Delivery DeliveryID `json:"delivery,omitempty"` // zero when skipped
	Reason   Reason     `json:"reason,omitempty"`   // why it was skipped; with a Delivery it was sent later, because somebody asked for it
}

// CountMatched counts the webhooks that an event matched.
func CountMatched(decisions []Decision) (n int) {
	for _, d := range decisions {
		if d.Reason == Matched {
			n++
		}
	}
	return n
}

// DeliveryTo returns the delivery of the decisions on an event to a webhook; zero if
// there is none.
func DeliveryTo(decisions []Decision, w WebhookID) DeliveryID {
	for _, d := range decisions {
		if d.Webhook == w {
			return d.Delivery
		}
	}
	return 0
}

// DeliveryIDs returns the ids of all deliveries of the decisions on an event.
func DeliveryIDs(decisions []Decision) (ids []DeliveryID) {
	for _, d := range decisions {
		if d.Delivery != 0 {
			ids = append(ids, d.Delivery)
		}
	}
	return ids
}

// Match decides whether the webhook receives the event, and if not, why.
//
// A webhook that is off receives nothing; then event, channel and tour are checked
// in the order of the wizard. A booking can have several tours: "include" matches
// if any of them is listed, "exclude" unless every one is. An event without tours
// does not match "include" and does match "exclude"; one without a channel does
// not match selected channels. Bookhook's own events have neither, and are not among
// all events.
func Match(w *Webhook, e *Event) Reason {
	switch {
	case e.Platform == OwnPlatform && (w.AllEvents || !w.selects(e.Key())): // also while it is off: it misses nothing then
		return ReasonEvent
	case !w.Enabled:
		return ReasonDisabled
	case !w.selects(e.Key()):
		return ReasonEvent
	case e.Platform == OwnPlatform:
		return Matched
	}
	if reason := w.Channels.matchChannel(e.ChannelID); reason != Matched {
		return reason
	}
	return w.Tours.matchTours(e.TourIDs)
}

func (w *Webhook) selects(key string) bool {
	return w.AllEvents || slices.Contains(w.Events, key)
}

func (f Filter) matchChannel(channel string) Reason {
	switch {
	case f.Mode == All:
		return Matched
	case channel == "":
		return ReasonNoChannel
	case f.lists(channel):
		return Matched
	}
	return ReasonChannel
}

func (f Filter) matchTours(tours []string) Reason {
	switch {
	case f.Mode == All:
		return Matched
	case f.Mode == Include && len(tours) == 0:
		return ReasonNoTour
	case f.Mode == Include && !slices.ContainsFunc(tours, f.lists):
		return ReasonTourNotListed
	case f.Mode == Exclude && len(tours) > 0 && f.listsAll(tours):
		return ReasonTourExcluded
	}
	return Matched
}

// lists reports whether the id is among the filter's, which are sorted.
func (f Filter) lists(id string) bool {
	_, found := slices.BinarySearch(f.IDs, id)
	return found
}

func (f Filter) listsAll(ids []string) bool {
	return !slices.ContainsFunc(ids, func(id string) bool { return !f.lists(id) })
}
