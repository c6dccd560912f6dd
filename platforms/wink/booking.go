package wink

import (
	"bookhook/platforms"
	"bookhook/webhook"
)

// actions maps events to their actions, if their meaning for a booking is certain.
// Requests, errors and intermediate steps change nothing yet; payouts and funds are
// between Wink and the property; a payment (internal.payment.*) does not say what it
// is for.
var actions = map[string]platforms.Action{
	"booking.create":                  platforms.Made,
	"booking.contract.created":        platforms.Made,
	"booking.cancelled":               platforms.BookingCancelled,
	"booking.contract.cancelled":      platforms.BookingCancelled,
	"booking.refund.partial":          platforms.Refunded,
	"booking.refund.full":             platforms.Refunded,
	"booking.contract.refund.partial": platforms.Refunded,
	"booking.contract.refund.full":    platforms.Refunded,
}

// Booking returns what the event says about a booking: what happened, and to which.
// Nothing more is known about what Wink sends. An event from the API also has its
// own channel and tours.
func Booking(e webhook.Event) *platforms.Booking {
	action, ok := actions[e.Type]
	if !ok {
		return nil
	}
	b := platforms.NewBooking(action, e)
	if b.Reference == "" { // data of the API that are written as Wink's are read as Wink's
		if body, err := platforms.ParseObject(e.Data); err == nil && keyOf(body) == e.Type {
			b.Reference = first(body, bookingMembers)
		}
	}
	return b
}
