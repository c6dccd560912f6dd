package wink

import "bookhook/webhook"

// actions are the events whose meaning for a booking is beyond doubt, in the
// older list and in the present one. Requests, errors and steps on the way
// change nothing yet; payouts and funds are between Wink and the property; a
// payment (internal.payment.*) does not say what it is for.
var actions = map[string]webhook.Action{
	"booking.create":                  webhook.Made,
	"booking.contract.created":        webhook.Made,
	"booking.cancelled":               webhook.BookingCancelled,
	"booking.contract.cancelled":      webhook.BookingCancelled,
	"booking.refund.partial":          webhook.Refunded,
	"booking.refund.full":             webhook.Refunded,
	"booking.contract.refund.partial": webhook.Refunded,
	"booking.contract.refund.full":    webhook.Refunded,
}

// Booking says what the event says about a booking: what happened and to which.
// More is not known of what Wink sends; of an event that came through the API,
// its own channel and tours are.
func Booking(e webhook.Event) *webhook.Booking {
	action, ok := actions[e.Type]
	if !ok {
		return nil
	}
	b := webhook.NewBooking(action, e)
	if b.Reference == "" { // data of the API that are written as Wink's are read as Wink's
		if body, err := webhook.ParseObject(e.Data); err == nil && keyOf(body) == e.Type {
			b.Reference = first(body, bookingMembers)
		}
	}
	return b
}
