package prioticket

import "bookhook/webhook"

// actions are what the events of a booking's life mean. An amended payment
// (PAYMENT_UPDATE) is neither paid nor refunded, so it is not among them.
var actions = map[string]webhook.Action{
	"ORDER_CREATE":    webhook.Made,
	"ORDER_UPDATE":    webhook.Changed,
	"ORDER_CANCEL":    webhook.BookingCancelled,
	"PAYMENT_CREATE":  webhook.Paid,
	"PAYMENT_REFUND":  webhook.Refunded,
	"VOUCHER_RELEASE": webhook.VoucherReleased,
	"VOUCHER_REVOKE":  webhook.VoucherRevoked,
	"REDEMPTION":      webhook.Redeemed,
}

// Booking says what the event says about a booking: what happened, and to which
// order. What else Prioticket sends beside the notification is not documented,
// so nothing is taken from there; of an event that came through the API, its own
// channel and tours are.
func Booking(e webhook.Event) *webhook.Booking {
	action, ok := actions[e.Type]
	if !ok {
		return nil
	}
	return webhook.NewBooking(action, e)
}
