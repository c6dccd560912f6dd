package prioticket

import (
	"bookhook/platforms"
	"bookhook/webhook"
)

// actions maps events about a booking to their actions. An amended payment
// (PAYMENT_UPDATE) is neither paid nor refunded, so it is not among them; products,
// credit, categories, locations and availability are no bookings.
var actions = map[string]platforms.Action{
	"ORDER_CREATE":    platforms.Made,
	"ORDER_UPDATE":    platforms.Changed,
	"ORDER_CANCEL":    platforms.BookingCancelled,
	"PAYMENT_CREATE":  platforms.Paid,
	"PAYMENT_REFUND":  platforms.Refunded,
	"VOUCHER_RELEASE": platforms.VoucherReleased,
	"VOUCHER_REVOKE":  platforms.VoucherRevoked,
	"REDEMPTION":      platforms.Redeemed,
}

// Booking returns what the event says about a booking: what happened, and to which
// order. What Prioticket sends beside the notification is not documented, so it is
// not used. An event from the API also has its own channel and tours.
func Booking(e webhook.Event) *platforms.Booking {
	action, ok := actions[e.Type]
	if !ok {
		return nil
	}
	return platforms.NewBooking(action, e)
}
