package wink

import (
	"bytes"
	"strings"

	"bookhook/platforms"
	"bookhook/webhook"
)

// The members that are read, in this order.
var (
	keyMembers      = []string{"type", "eventType", "event_type", "event", "eventName", "event_name", "name", "key"}
	identityMembers = []string{"eventId", "event_id"}
	bookingMembers  = []string{"bookingIdentifier", "bookingId", "booking_id", "entityIdentifier"}
)

// Read reads a notification.
func Read(in platforms.Inbound) (platforms.Reading, error) {
	body, err := in.JSON()
	if err != nil {
		return platforms.Reading{}, err
	}
	key := keyOf(body)
	if key == "" {
		return platforms.Reading{}, unknown(body)
	}
	e := webhook.Event{Type: key, Data: bytes.Clone(in.Body)}
	if ofBooking(key) {
		e.BookingID = first(body, bookingMembers)
	}
	identity := ""
	if id := first(body, identityMembers); id != "" && webhook.CheckRef(id).IsZero() {
		identity = id + " " + key
	}
	return platforms.Reading{Event: e, Identity: identity}, platforms.CheckRefs(e)
}

// keyOf returns the event's key; "" if no member has one.
func keyOf(body platforms.Object) string {
	for _, member := range keyMembers {
		if key := body.Text(member); known(key) {
			return key
		}
	}
	return ""
}

// unknown returns the text that was found where a key should be.
func unknown(body platforms.Object) error {
	var found []string
	for _, member := range keyMembers {
		if text := body.Text(member); text != "" {
			found = append(found, member+" is “"+webhook.Quote(text, 100)+"”")
		}
	}
	if found == nil {
		return platforms.UnknownEvent("wink.no_event", strings.Join(keyMembers, ", "))
	}
	return platforms.UnknownEvent("wink.event", strings.Join(found, ", "))
}

// ofBooking reports whether an event is about a booking.
func ofBooking(key string) bool { return strings.HasPrefix(key, "booking.") }

// first returns the first id among the members.
func first(body platforms.Object, members []string) string {
	for _, member := range members {
		if id := body.Ref(member); id != "" {
			return id
		}
	}
	return ""
}
