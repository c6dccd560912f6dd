package wink

import (
	"bytes"
	"fmt"
	"strings"

	"bookhook/webhook"
)

// The members in which we look, in this order.
var (
	keyMembers      = []string{"type", "eventType", "event_type", "event", "eventName", "event_name", "name", "key"}
	identityMembers = []string{"eventId", "event_id"}
	bookingMembers  = []string{"bookingIdentifier", "bookingId", "booking_id", "entityIdentifier"}
)

// Read reads a notification.
func Read(in webhook.Inbound) (webhook.Reading, error) {
	body, err := in.JSON()
	if err != nil {
		return webhook.Reading{}, err
	}
	key := keyOf(body)
	if key == "" {
		return webhook.Reading{}, unknown(body)
	}
	e := webhook.Event{Type: key, Data: bytes.Clone(in.Body)}
	if ofBooking(key) {
		e.BookingID = first(body, bookingMembers)
	}
	identity := ""
	if id := first(body, identityMembers); id != "" && webhook.CheckRef(id) == "" {
		identity = id + " " + key
	}
	return webhook.Reading{Event: e, Identity: identity}, e.CheckRefs()
}

// keyOf is the event's key; "" when no member has one.
func keyOf(body webhook.Object) string {
	for _, member := range keyMembers {
		if key := body.Text(member); known(key) {
			return key
		}
	}
	return ""
}

// unknown says what stands where a key should.
func unknown(body webhook.Object) error {
	var found []string
	for _, member := range keyMembers {
		if text := body.Text(member); text != "" {
			found = append(found, fmt.Sprintf("%s is %.100q", member, text))
		}
	}
	if found == nil {
		return webhook.UnknownEvent("No event is named at the top of the body. Bookhook looks for a key of Wink's catalogue in " +
			strings.Join(keyMembers, ", ") + ". Wink does not publish what it sends; report this body to the makers of Bookhook.")
	}
	return webhook.UnknownEvent("The body names no event of Wink's catalogue: " + strings.Join(found, ", ") +
		". If this is an event of Wink, report it to the makers of Bookhook.")
}

// ofBooking tells the events that are about a booking.
func ofBooking(key string) bool { return strings.HasPrefix(key, "booking.") }

// first is the first id among the members.
func first(body webhook.Object, members []string) string {
	for _, member := range members {
		if id := body.Ref(member); id != "" {
			return id
		}
	}
	return ""
}
